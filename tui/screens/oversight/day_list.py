"""List of what was done out of the ordinary on a day: merges, broken glass, releases, rights, restores, accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from textual import work
from textual.binding import Binding

from core.foundation import clock
from core.foundation.codes import Permission
from core.schemas.counters import FlaggedDelivery
from core.schemas.oversight import ApprovalOut, AuditLineOut
from tui import keymap, theme
from tui.screens.oversight.audit_lines import READ_CELLS, AuditLines, audit_row, line_key
from tui.screens.oversight.log import AuditLogScreen
from tui.screens.oversight.rights import RightsScreen
from tui.screens.reasons import LineDialog
from tui.screens.record.dialogs import TextDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import audit_words, problem_words
from tui.text.formatting import NotADateError, date_text, fit, instant_text, parse_date, wrapped
from tui.text.translation import N_, _
from tui.widgets.painting import Line

MOST_ROWS = 1000  # far beyond what any day brings


class DayListScreen(AuditLines[AuditLineOut | ApprovalOut | FlaggedDelivery]):
    """A row for each request that waits and each delivery to look at, then one for each deed of the day."""

    AREA = "oversight"
    KEY_ROWS = 2
    TITLE_TEXT = N_("List of the day")
    HELP_TEXT = N_(
        "What the head of the clinic looks at each day: records opened outside their readers' own queues, merges, "
        "releases, rights, restores, accounts, settings. What waits for a decision stands first (?): Y approves it, N refuses it. So does whoever was registered at a counter "
        "without the core by an account that had been disabled: Y notes that it was looked at. G shows broken glass alone. The comma and the full stop go one day back and "
        "on, D asks for a day. L opens the audit log, R the rights, S the danger signs to sign, F the paper forms. Enter shows a row in full."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("y", "approve", N_("Approve")),
        Binding("n", "refuse", N_("Refuse")),
        Binding("g", "glass", N_("Only broken glass")),
        Binding("d", "day", N_("Day")),
        Binding("comma", "turn_day(-1)", show=False),
        Binding("full_stop", "turn_day(1)", show=False),
        Binding("l", "log", N_("Audit log")),
        Binding("r", "rights", N_("Rights")),
        Binding("p", "reports", N_("Reports")),
        Binding("s", "dangers", N_("Danger signs")),
        Binding("f", "paper_forms", N_("Forms")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._day = session.clinic.today
        self._only_glass = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether there is a screen to go back to: the supervisor begins here."""
        if action in {"approve", "refuse"}:
            return self.session.may(Permission.APPROVE)
        return action != "back" or len(self.app.screen_stack) > 1

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the day's rows."""
        with self.saying_refusals():
            await self._read()

    async def _read(self) -> None:
        zone = ZoneInfo(self.session.clinic.timezone)
        since, until = (clock.start_of(self._day + timedelta(days=days), zone) for days in (0, 1))
        client = self.session.client.oversight
        lines = await client.audit(
            watched=True,
            action="glass_broken" if self._only_glass else "",
            since=since.isoformat(),
            until=until.isoformat(),
            limit=MOST_ROWS,
        )
        waiting = [asked for asked in await client.approvals() if asked.outcome is None]
        flagged = await self.session.client.counters.flagged() if self.session.may(Permission.APPROVE) else []
        self._items = {asked.id: asked for asked in waiting}
        self._items |= {each.id: each for each in flagged}
        self._items |= {line_key(line): line for line in lines}
        self._show()
        self._explain(lines, len(waiting) + len(flagged))

    def _explain(self, lines: Sequence[AuditLineOut], waiting: int) -> None:
        glass = sum(line.action == "glass_broken" for line in lines)
        said = _("{day}: {number} rows, {glass} of them broken glass").format(
            day=date_text(self._day), number=len(lines), glass=glass
        )
        if waiting:
            said += "; " + _("{number} wait for a decision").format(number=waiting)
        self.hint(said)

    def _row(self, item: AuditLineOut | ApprovalOut | FlaggedDelivery) -> Line:
        if isinstance(item, AuditLineOut):
            return audit_row(item, self.session.clinic.timezone, with_day=False)
        if isinstance(item, FlaggedDelivery):
            why = audit_words.delivery_flag(item)
            return [(f" ?     {fit(item.account, 10)} {fit(item.number, 8)} {why}", theme.STRONG)]
        kind = problem_words.word(audit_words.APPROVALS, item.kind)
        about = audit_words.approval_subject(item, self.session.clinic.timezone)
        row = f" ?     {fit(item.requested_by, 10)} {fit(kind, 20)} {fit(about, 18)} {item.reason}"
        return [(row, theme.STRONG)]

    def show_whole(self) -> None:
        """Show all that the chosen row or request tells."""
        asked = self._chosen
        if isinstance(asked, FlaggedDelivery):
            self._show_delivery(asked)
            return
        if not isinstance(asked, ApprovalOut):
            super().show_whole()
            return
        zone = self.session.clinic.timezone
        at = instant_text(asked.requested_at, zone)
        about = audit_words.approval_subject(asked, zone)
        if asked.person is not None:
            about += f" {asked.person.medical_record_number}"
        lines = [f"{at}  {asked.requested_by}", about, *wrapped(asked.reason, READ_CELLS)]
        for fact in audit_words.approval_details(asked):
            lines += wrapped(fact, READ_CELLS)
        self.app.push_screen(TextDialog(self.session, audit_words.APPROVALS[asked.kind], lines))

    def _show_delivery(self, flagged: FlaggedDelivery) -> None:
        at = instant_text(flagged.delivered_at, self.session.clinic.timezone)
        about = _("{number}, registered at {counter} by {account}").format(
            number=flagged.number, counter=flagged.counter, account=flagged.account
        )
        lines = [at, about, *wrapped(audit_words.delivery_flag(flagged), READ_CELLS)]
        self.app.push_screen(TextDialog(self.session, N_("Registered without the core"), lines))

    def action_approve(self) -> None:
        """Approve the chosen request, or note that a delivery was looked at."""
        chosen = self._chosen
        if isinstance(chosen, FlaggedDelivery):
            self._send(self.session.client.counters.look_at(chosen.id), _("Noted: it was looked at."))
            return
        self._decide(self.session.client.oversight.approve, _("Approved; it holds at once."))

    def action_refuse(self) -> None:
        """Refuse the chosen request."""
        self._decide(self.session.client.oversight.refuse, _("Refused."))

    def _decide(self, call: Callable[[str], Awaitable[ApprovalOut]], said: str) -> None:
        asked = self._chosen
        if isinstance(asked, ApprovalOut):
            self._send(call(asked.id), said)
        else:
            self.say(_("Choose a request that waits (?)."), "warning")

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _send(self, call: Awaitable[object], said: str) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await call
            await self._read()
            self.say(said, "good")

    def action_glass(self) -> None:
        """Show broken glass alone, or everything again."""
        self._only_glass = not self._only_glass
        self.read()

    def action_turn_day(self, days: int) -> None:
        """Go to the day before or after."""
        self._day += timedelta(days=days)
        self.read()

    def action_day(self) -> None:
        """Ask for a day."""

        def given(text: str | None) -> None:
            if not text:
                return
            try:
                self._day = parse_date(text)
            except NotADateError:
                self.say(_("That is no day of the calendar. Type it like 31-12-2026."), "error")
                return
            self.read()

        title = N_("Which day? (for example 31-12-2026)")
        self.app.push_screen(LineDialog(self.session, title, value=date_text(self._day)), given)

    def action_log(self) -> None:
        """Open the audit log."""
        self.app.push_screen(AuditLogScreen(self.session))

    def action_rights(self) -> None:
        """Show the rights."""
        self.app.push_screen(RightsScreen(self.session))

    def action_paper_forms(self) -> None:
        """Show the numbered forms for the hours without a computer."""
        from tui.screens.oversight.paper_forms import PaperFormsScreen

        self.app.push_screen(PaperFormsScreen(self.session))

    def action_reports(self) -> None:
        """Show the reports."""
        from tui.screens.reports import ReportsScreen

        self.app.push_screen(ReportsScreen(self.session))

    def action_dangers(self) -> None:
        """Show the danger signs, to read and sign them."""
        from tui.screens.oversight.dangers import DangersScreen

        self.app.push_screen(DangersScreen(self.session))
