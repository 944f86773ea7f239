"""The server's log for the administrator: the newest lines, narrowed by gravity and by letters."""

from __future__ import annotations

from textwrap import wrap

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui import keymap
from tui.screens.base import LoketScreen
from tui.screens.reasons import LineDialog
from tui.session import Session
from tui.text.translation import N_, _

LEVELS = {"INFO": N_("everything"), "WARNING": N_("warnings and faults"), "ERROR": N_("faults only")}
LONGEST_WANTED = 80  # characters


class ServerLogScreen(LoketScreen[None]):
    """Shows the end of the log; it holds no patient's data."""

    TITLE_TEXT = N_("Server's log")
    HELP_TEXT = N_(
        "The newest lines of the server, its daily work and its SSH door; the newest stands below. W shows warnings and "
        "faults, then faults only, then everything. T narrows it to lines that hold some letters. The log holds no "
        "patient's data: faults are told by their place in the program."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("w", "level", N_("Gravity")),
        Binding("t", "text", N_("Letters")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._level, self._text = "INFO", ""

    def compose_body(self) -> ComposeResult:
        """Yield the lines, which may be longer than the screen."""
        with VerticalScroll(id="lines"):
            yield Static("", id="log", markup=False)

    def on_mount(self) -> None:
        """Read the log."""
        self.query_one("#lines").focus()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Say in the new language what is shown."""
        self.action_refresh_data()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the newest lines."""
        with self.saying_refusals():
            lines = (await self.session.client.machine.log(self._level, self._text)).lines
            room = max(40, self.size.width - 3)
            folded = [part for line in lines for part in wrap(line, room, subsequent_indent="  ") or [""]]
            self.query_one("#log", Static).update("\n".join(folded))
            self.query_one("#lines", VerticalScroll).scroll_end(animate=False)
            about = _(LEVELS[self._level]) + (f", {self._text}" if self._text else "")
            self.say(_("{about}: {number} lines").format(about=about, number=len(lines)))

    def action_level(self) -> None:
        """Show the next gravity."""
        names = list(LEVELS)
        self._level = names[(names.index(self._level) + 1) % len(names)]
        self.action_refresh_data()

    def action_text(self) -> None:
        """Ask for letters that a line holds."""

        def given(text: str | None) -> None:
            if text is not None:
                self._text = text
                self.action_refresh_data()

        dialog = LineDialog(
            self.session,
            N_("Lines that hold (empty: all)"),
            value=self._text,
            shortest=0,
            longest=LONGEST_WANTED,
        )
        self.app.push_screen(dialog, given)
