"""A search box and its results: base of every question that is answered from a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.timer import Timer

from tui import keymap, theme
from tui.screens.base import Dialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import fit
from tui.text.translation import _
from tui.widgets import PickList, PickRow, TextField

DEBOUNCE_SECONDS = 0.25
ResultT = TypeVar("ResultT")


class SearchDialog(Dialog[ResultT]):
    """Search by typing words, choose with the arrows, take with Enter.

    Enter before the answer has come takes only what is the single answer: a reflex never picks
    the first of a list that was not yet seen.
    """

    BINDINGS = [
        keymap.BACK,
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
    ]
    ROWS = 12

    def __init__(self, session: Session, title: str = "") -> None:
        super().__init__(session, title)
        self._answered: str | None = None
        self._timer: Timer | None = None
        self._found: dict[str, Any] = {}

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return the results as (key, item), in the order shown."""
        raise NotImplementedError

    def row(self, key: str, thing: Any) -> PickRow:
        """Return an item as a line of the list."""
        return PickRow(key, [(fit(key, 8), theme.STRONG), (str(thing), theme.PLAIN)])

    def take(self, key: str, thing: Any) -> None:
        """Take a chosen item."""
        raise NotImplementedError

    def take_text(self, text: str) -> None:
        """Take the words themselves when they find nothing."""

    def compose_body(self) -> ComposeResult:
        """Yield a box and its results."""
        yield TextField("words", longest=80)
        yield from self.compose_list()

    def compose_list(self) -> ComposeResult:
        """Yield the list; subclasses add further fields after it."""
        pick_list = PickList("found", focusable=False)
        pick_list.styles.height = self.ROWS
        yield pick_list

    def on_mount(self) -> None:
        """Show the usual items first."""
        self.query_one("#words").focus()
        self.say_keys()
        self.look_up("", take=False)

    def say_keys(self) -> None:
        """Show the keys and their use."""

    @on(TextField.Changed, "#words")
    def search_soon(self, event: TextField.Changed) -> None:
        """Search when typing pauses."""
        self._stop_timer()
        text = event.value
        self._timer = self.set_timer(DEBOUNCE_SECONDS, lambda: self.look_up(text, take=False))

    @on(TextField.Submitted, "#words")
    def words_submitted(self, event: TextField.Submitted) -> None:
        """Submit the words on Enter in the box."""
        self.submit(event.value)

    def submit(self, text: str) -> None:
        """Take the chosen item, when the list answers exactly the typed words."""
        self._stop_timer()
        if self._answered == text:
            self._take()
        else:
            self.look_up(text, take=True)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    @work(exclusive=True, group="search", exit_on_error=False)
    async def look_up(self, text: str, *, take: bool) -> None:
        """Search; with `take`, choose the item when it is the only one."""
        with self.hinting_refusals(), hold_keys(self.app):
            self._found = dict(await self.search(text))
            self._answered = text
            rows = [self.row(key, thing) for key, thing in self._found.items()]
            if not rows and text.strip():
                self.query_one("#found", PickList).show_rows([self._nothing_found()], choose=False)
            else:
                self.query_one("#found", PickList).show_rows(rows)
            if take and len(rows) <= 1:
                self._take()

    def _nothing_found(self) -> PickRow:
        return PickRow("", [(_("nothing found; try another word, or its beginning"), theme.PLAIN)])

    def _take(self) -> None:
        chosen = self.query_one("#found", PickList).chosen
        if chosen in self._found:
            self.take(chosen, self._found[chosen])
        elif self._answered and self._answered.strip():
            self.take_text(self._answered.strip())

    def action_move(self, step: int) -> None:
        """Move in the list."""
        if self._found:
            self.query_one("#found", PickList).action_move(step)


class PickDialog(Dialog[str]):
    """Asks for one item of a list of any length; returns its key."""

    def __init__(self, session: Session, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Args: `title` is a msgid; `rows` are (key, translated text)."""
        super().__init__(session, title)
        self._rows = list(rows)

    def compose_body(self) -> ComposeResult:
        """Yield a line for each item."""
        pick_list = PickList("choices")
        pick_list.styles.height = min(15, max(1, len(self._rows)))
        yield pick_list

    def on_mount(self) -> None:
        """Show the items."""
        pick_list = self.query_one("#choices", PickList)
        pick_list.show_rows([PickRow(key, [(text, theme.PLAIN)]) for key, text in self._rows])
        pick_list.focus()
        self.hint(self.keys_text())

    def keys_text(self) -> str:
        """Return the keys and their use, translated."""
        return _("Enter: choose    Esc: back")

    @on(PickList.Picked)
    def picked(self, event: PickList.Picked) -> None:
        """Return this item."""
        self.dismiss(event.key)
