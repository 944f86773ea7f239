"""Help and command palette, both made from the screen's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from tui import keymap, theme
from tui.keymap import key_name
from tui.screens.base import Dialog
from tui.session import Session
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow, TextField


class HelpDialog(Dialog[None]):
    """Shows keys and a few sentences; any key closes it."""

    TITLE_TEXT = N_("Help")

    def __init__(self, session: Session, text: str, bindings: Sequence[Binding]) -> None:
        """Args: `text` is a msgid."""
        super().__init__(session)
        self._help_text = text
        self._bindings_shown = bindings

    def compose_body(self) -> ComposeResult:
        """Yield sentences, then keys in two columns."""
        if self._help_text:
            yield Static(_(self._help_text) + "\n", markup=False)
        cells = [
            f"{key_name(binding.key):>6}  {fit(_(binding.description), 24)}"
            for binding in self._bindings_shown
            if binding.description
        ]
        half = (len(cells) + 1) // 2
        rows = [
            left + (cells[half + i] if half + i < len(cells) else "") for i, left in enumerate(cells[:half])
        ]
        yield Static("\n".join(rows), markup=False)

    def on_mount(self) -> None:
        """Say how to close it."""
        self.hint(_("Any key closes this."))

    def on_key(self, event: events.Key) -> None:
        """Close."""
        event.stop()
        self.dismiss(None)


@dataclass(frozen=True)
class Command:
    """One command of the palette."""

    label: str
    """Translated text."""
    key: str
    action: str


class PaletteDialog(Dialog[str]):
    """Lists the commands of the current screen, found by typing; returns the action."""

    TITLE_TEXT = N_("Commands")
    BINDINGS = [
        keymap.BACK,
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, session: Session, commands: Sequence[Command]) -> None:
        super().__init__(session)
        self._commands = list(commands)

    def compose_body(self) -> ComposeResult:
        """Yield a box and the list."""
        yield TextField("command", longest=40)
        pick_list = PickList("commands", focusable=False)
        pick_list.styles.height = min(14, max(1, len(self._commands)))
        yield pick_list

    def on_mount(self) -> None:
        """Show all commands."""
        self.query_one("#command").focus()
        self._show("")
        self.hint(_("Enter: do it    Esc: back"))

    @on(TextField.Changed, "#command")
    def narrow(self, event: TextField.Changed) -> None:
        """Show the matching commands."""
        self._show(event.value)

    def _show(self, text: str) -> None:
        wanted = text.strip().casefold()
        rows = [
            PickRow(command.action, [(fit(command.label, 40), theme.PLAIN), (command.key, theme.STRONG)])
            for command in self._commands
            if wanted in command.label.casefold()
        ]
        self.query_one("#commands", PickList).show_rows(rows)

    def action_move(self, step: int) -> None:
        """Move in the list."""
        self.query_one("#commands", PickList).action_move(step)

    @on(TextField.Submitted, "#command")
    def take(self) -> None:
        """Return the chosen command."""
        chosen = self.query_one("#commands", PickList).chosen
        if chosen is not None:
            self.dismiss(chosen)
