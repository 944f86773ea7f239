"""Shows the state of the daily work to the administrator: closing, sending, backups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import wrap

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.timer import Timer
from textual.widgets import Static

from core.schemas.clinic import BackupOut, ClosingOut, ClosingStepOut, SyncOut, ToldOut
from tui import keymap
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import daily_words
from tui.text.formatting import date_text, fit, instant_text, time_text
from tui.text.translation import N_, _

FOLLOW_SECONDS = 2.0  # seconds between two reads while a job started here runs; otherwise once a minute
MOST_LOOKS = 10  # reads until a started job must be visible: its process takes a moment to start
BAR_CELLS = 20  # cells of a progress bar


class AdministrationScreen(LoketScreen[None]):
    """Shows the closing step by step, the records that wait for the office, and the newest backup."""

    AREA = "administer"
    TITLE_TEXT = N_("System")
    HELP_TEXT = N_(
        "The day is closed by itself at its hour: the queues end, a backup is made and opened again, the "
        "reports are written, and everything is sent. C does all of it now, Y only sends; both are harmless "
        "at any time. What went wrong stands here with what to do. R shows the reports, A who may sign in, "
        "D what was done out of the ordinary, L the audit log, G what each role may do, S who has signed which danger sign, "
        "J who works when; K examines the machine, M shows its disks, settings and log and starts the server again, F "
        "prints numbered paper forms."
    )
    KEY_ROWS = 3
    BINDINGS = [
        Binding("c", "run_closing", N_("Close the day")),
        Binding("y", "run_sync", N_("Sync now")),
        Binding("r", "reports", N_("Reports")),
        Binding("a", "accounts", N_("Accounts")),
        Binding("d", "day_list", N_("Today's list")),
        Binding("l", "log", N_("Audit log")),
        Binding("g", "rights", N_("Rights")),
        Binding("j", "roster", N_("Roster")),
        Binding("k", "doctor", N_("Doctor")),
        Binding("m", "machine", N_("Machine")),
        Binding("s", "dangers", N_("Danger signs")),
        Binding("f", "paper_forms", N_("Forms")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._following: Timer | None = None
        self._expected = 0
        """Reads left in which to look for a job that was started here and is not visible yet."""

    def compose_body(self) -> ComposeResult:
        """Show three blocks of text."""
        yield Static("", id="closing", markup=False)
        yield Static("", classes="gap")
        yield Static("", id="sync", markup=False)
        yield Static("", classes="gap")
        yield Static("", id="backups", markup=False)

    def on_mount(self) -> None:
        """Read the state."""
        self.action_refresh_data()

    def on_screen_resume(self) -> None:
        """Read the state again."""
        super().on_screen_resume()
        self.action_refresh_data()

    def on_screen_suspend(self) -> None:
        """Stop following: the screen is hidden."""
        self._follow(False)

    def after_language(self) -> None:
        """Read the state again."""
        self.action_refresh_data()

    def minute_passed(self) -> None:
        """Read the state of the jobs that run by themselves."""
        self.action_refresh_data()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the state of closing, sending and backups."""
        with self.saying_refusals():
            client = self.session.client
            closing, sync = await client.clinic.closing_status(), await client.clinic.sync_status()
            self._show_closing(closing)
            self._show_sync(sync, said={told.text for step in closing.steps for told in step.told})
            self._show_backups(await client.clinic.backups())
            running = closing.running or sync.running
            self._expected = 0 if running else max(0, self._expected - 1)
            self._follow((running or self._expected > 0) and self.is_current)

    def _follow(self, on: bool) -> None:
        if self._following is not None:
            self._following.stop()
            self._following = None
        if on:
            self._following = self.set_timer(FOLLOW_SECONDS, self.action_refresh_data)

    @work(exclusive=True, group="run", exit_on_error=False)
    async def action_run_closing(self) -> None:
        """Close the day now."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.clinic.run_closing()
            self.say(_("The closing has begun; registering goes on meanwhile."), "good")
            self._expected = MOST_LOOKS
            self._follow(True)

    @work(exclusive=True, group="run", exit_on_error=False)
    async def action_run_sync(self) -> None:
        """Send now."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.clinic.run_sync()
            self.say(_("The sending has begun; registering goes on meanwhile."), "good")
            self._expected = MOST_LOOKS
            self._follow(True)

    def action_paper_forms(self) -> None:
        """Show the numbered forms for the hours without a computer."""
        from tui.screens.oversight.paper_forms import PaperFormsScreen

        self.app.push_screen(PaperFormsScreen(self.session))

    def action_reports(self) -> None:
        """Show the reports."""
        from tui.screens.reports import ReportsScreen

        self.app.push_screen(ReportsScreen(self.session))

    def action_roster(self) -> None:
        """Show the closed days, and who works when."""
        from tui.screens.roster import RosterScreen

        self.app.push_screen(RosterScreen(self.session))

    def action_doctor(self) -> None:
        """Show what the doctor finds."""
        from tui.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen(self.session))

    def action_machine(self) -> None:
        """Show the machine: disks, settings, log, restart."""
        from tui.screens.machine.machine_state import MachineScreen

        self.app.push_screen(MachineScreen(self.session))

    def action_accounts(self) -> None:
        """Show who may sign in."""
        from tui.screens.accounts.accounts import AccountsScreen

        self.app.push_screen(AccountsScreen(self.session))

    def action_day_list(self) -> None:
        """Show what was done out of the ordinary today."""
        from tui.screens.oversight.day_list import DayListScreen

        self.app.push_screen(DayListScreen(self.session))

    def action_log(self) -> None:
        """Open the audit log."""
        from tui.screens.oversight.log import AuditLogScreen

        self.app.push_screen(AuditLogScreen(self.session))

    def action_rights(self) -> None:
        """Show what each role may do."""
        from tui.screens.oversight.rights import RightsScreen

        self.app.push_screen(RightsScreen(self.session))

    def action_dangers(self) -> None:
        """Show who has signed which danger sign."""
        from tui.screens.oversight.dangers import DangersScreen

        self.app.push_screen(DangersScreen(self.session))

    @property
    def _most_refusals(self) -> int:
        """Return how many refusals are shown, so that the backups still fit below."""
        return 5 if self.size.height >= 30 else 2

    @property
    def _room(self) -> int:
        return max(40, self.size.width - 6)

    def _show_closing(self, closing: ClosingOut) -> None:
        lines = [" " + _("Close of the day {day}").format(day=date_text(closing.day))]
        if closing.running:
            done = closing.done + sum(
                step.done / step.total for step in closing.steps if step.status == "running" and step.total
            )
            bar = _bar(done, closing.total)
            lines[0] += f"  {bar} {daily_words.time_left(closing.seconds_left)}"
        elif closing.status is None:
            lines[0] += "  " + _("not begun; C begins it")
        else:
            lines[0] += "  " + _(CLOSING_STATES.get(closing.status, closing.status))
        for step in closing.steps:
            lines += self._step_lines(step)
        if not closing.running and not any(step.told for step in closing.steps):
            lines += self._problem_lines(closing.told)
        self.query_one("#closing", Static).update("\n".join(lines))

    def _step_lines(self, step: ClosingStepOut) -> list[str]:
        zone = self.session.clinic.timezone
        sign = daily_words.SIGNS.get(step.status, "?")
        name = fit(daily_words.step_title(step.name), 16)
        at = time_text(step.ended_at or step.started_at, zone) if step.status else ""
        lines = [f"   {sign:<2} {name} {at:5}  {daily_words.step_facts(step)}".rstrip()]
        return lines + self._problem_lines(step.told, 6)

    def _problem_lines(self, problems: Sequence[ToldOut], indent: int = 3) -> list[str]:
        lines: list[str] = []
        for problem in problems:
            lines += self._folded("!! ", problem.text, indent)
            if problem.remedy:
                lines += self._folded("-> ", problem.remedy, indent + 3)
        return lines

    def _folded(self, sign: str, text: str, indent: int) -> list[str]:
        """Wrap a text, its later lines indented to the first word."""
        return wrap(
            text,
            self._room,
            initial_indent=" " * indent + sign,
            subsequent_indent=" " * (indent + len(sign)),
            break_on_hyphens=False,
        )

    def _show_sync(self, sync: SyncOut, said: Collection[str]) -> None:
        """Show the sending, without the problems in `said`, which the closing's steps show already."""
        zone = self.session.clinic.timezone
        receiver = _(daily_words.RECEIVERS.get(sync.receiver, sync.receiver))
        agrees = {True: _("yes"), False: _("NO"), None: "-"}[sync.manifest_agrees]
        lines = [
            " " + _("Sending to {receiver}").format(receiver=receiver),
            "   " + _("Waiting {pending}   sent {sent}   refused {refused}").format(
                pending=sync.pending, sent=sync.sent, refused=sync.refused
            ),
            "   " + _("Last contact {time}   same set on both sides: {agrees}").format(
                time=instant_text(sync.last_contact_at, zone) or "-", agrees=agrees
            ),
        ]  # fmt: skip
        if sync.running:
            facts = _("{done} of {total}").format(done=sync.done, total=sync.total)
            left = daily_words.time_left(sync.seconds_left)
            lines.append(f"   {_bar(sync.done, sync.total)} {facts}  {left}".rstrip())
        lines += self._problem_lines([told for told in sync.told if told.text not in said])
        for refusal in sync.refusals[: self._most_refusals]:
            words = f"{refusal.get('kind', '')} {refusal.get('error', '')}"
            lines.append("   ! " + fit(words, self._room).rstrip())
            lines += self._folded("-> ", str(refusal.get("todo", "")), 6)
        if sync.refused > self._most_refusals:
            more = _("{number} more: loket sync status").format(number=sync.refused - self._most_refusals)
            lines.append("   ! " + more)
        self.query_one("#sync", Static).update("\n".join(lines))

    def _show_backups(self, backups: Sequence[BackupOut]) -> None:
        if not backups:
            lines = [" " + _("Backups"), "   ! " + _("There is no backup yet; the daily closing makes one.")]
        else:
            newest, zone = backups[0], self.session.clinic.timezone
            proven = _("opened again and compared") if newest.verified else _("NOT PROVEN")
            lines = [
                " " + _("Backups: {number} kept").format(number=len(backups)),
                "   " + _("newest {time}, {size}, {proven}").format(
                    time=instant_text(newest.made_at, zone),
                    size=daily_words.size_text(newest.bytes),
                    proven=proven,
                ),
            ]  # fmt: skip
            lines += self._problem_lines(newest.told)
        self.query_one("#backups", Static).update("\n".join(lines))


CLOSING_STATES = {
    "done": N_("done"),
    "failed": N_("NOT WHOLE, see below"),
    "skipped": N_("goes on later"),
    "running": N_("cut off; C goes on"),
}


def _bar(done: float, total: int) -> str:
    cells = round(BAR_CELLS * min(done, total) / total) if total else 0
    return "[" + "#" * cells + "." * (BAR_CELLS - cells) + "]"
