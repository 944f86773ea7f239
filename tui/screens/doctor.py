"""The doctor's findings for the administrator: faults first, each with its remedy."""

from __future__ import annotations

from textwrap import wrap

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from core.schemas.clinic import DoctorOut, FindingOut
from tui import keymap
from tui.screens.base import LoketScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _

FOLLOW_SECONDS = 1.0  # seconds between two looks while an examination runs
SIGNS = {"mended": "+ ", "error": "!!", "warning": "! ", "ok": "v "}
RANKS = {"mended": 0, "error": 1, "warning": 2, "ok": 3}
IN_ORDER = frozenset({"ok", "mended"})
TITLE_CELLS = 12


class DoctorScreen(LoketScreen[None]):
    """Shows what `loket doctor` finds; F5 examines again, R mends what can be mended without a person's decision."""

    TITLE_TEXT = N_("Doctor")
    HELP_TEXT = N_(
        "What `loket doctor` finds, faults first: '!!' must be mended, '!' should be, 'v' is in order. Behind each "
        "stands what to do. Where it says [R], R has Loket mend it: nothing is lost by that. F5 examines again; the "
        "counters go on meanwhile. The arrows scroll."
    )
    BINDINGS = [keymap.REFRESH, keymap.REPAIR, keymap.BACK]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._following: Timer | None = None
        self._mendable = 0

    def compose_body(self) -> ComposeResult:
        """Yield the findings, which may be longer than the screen."""
        with VerticalScroll(id="findings"):
            yield Static("", id="found", markup=False)

    def on_mount(self) -> None:
        """Examine."""
        self.query_one("#findings").focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Examine again: the words come from the server."""
        self.action_refresh_data()

    def on_unmount(self) -> None:
        """Stop looking."""
        self._follow(False)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Begin an examination and follow it."""
        with self.saying_refusals(), hold_keys(self.app):
            self._show(await self.session.client.clinic.run_doctor())

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_repair(self) -> None:
        """Have Loket mend what it can, and follow the examination after it."""
        if not self._mendable:
            self.say(_("Nothing here is mended by a key: do what stands behind each."))
            return
        with self.saying_refusals(), hold_keys(self.app):
            self._show(await self.session.client.clinic.repair())

    @work(exclusive=True, group="follow", exit_on_error=False)
    async def look(self) -> None:
        """Look whether the examination has ended."""
        with self.saying_refusals():
            self._show(await self.session.client.clinic.doctor())

    def _follow(self, on: bool) -> None:
        if self._following is not None:
            self._following.stop()
            self._following = None
        if on:
            self._following = self.set_timer(FOLLOW_SECONDS, self.look)

    def _show(self, found: DoctorOut) -> None:
        findings = sorted(found.findings, key=lambda finding: RANKS.get(finding.level, 0))
        text = "\n".join(line for finding in findings for line in self._lines(finding))
        self.query_one("#found", Static).update(text)
        faults = sum(finding.level not in IN_ORDER for finding in findings)
        self._mendable = sum(bool(finding.repair) for finding in findings)
        if found.running:
            self.say(_("Examining; this takes a moment."))
        elif not findings:
            self.say(_("The examination ended without an answer; see the server's log."), "error")
        elif faults:
            words = _("{number} findings ask for something.").format(number=faults)
            if self._mendable:
                words += " " + _("R mends {number} of them.").format(number=self._mendable)
            self.say(words, "warning")
        else:
            at = instant_text(found.ran_at, self.session.clinic.timezone)
            self.say(_("Everything is in order ({time}).").format(time=at), "good")
        self._follow(found.running)

    def _lines(self, finding: FindingOut) -> list[str]:
        head = f" {SIGNS.get(finding.level, '?')} {fit(finding.title, TITLE_CELLS)} "
        room = max(40, self.size.width - 2)
        indent = " " * len(head)
        words = f"{finding.words} [R]" if finding.repair else finding.words
        return wrap(words, room, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
