"""A list to pick from: search results, reasons, ICD-10 codes, commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.text.formatting import one_line
from tui.widgets.painting import Line, paint, plain


@dataclass(frozen=True)
class PickRow:
    """One row.

    Attributes:
        key: What picking it means.
        parts: What is shown.
    """

    key: str
    parts: Line = field(default_factory=list)


class PickList(Widget, can_focus=True):
    """Rows with a cursor, which a search box that keeps the focus may move."""

    DEFAULT_CSS = """
    PickList { height: 1fr; width: 1fr; }
    """

    BINDINGS = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(-1)", show=False),
        Binding("end", "edge(1)", show=False),
        Binding("enter", "pick", show=False),
    ]

    @dataclass
    class Picked(Message):
        """Posted when a row was picked."""

        pick_list: PickList
        key: str

        @property
        def control(self) -> PickList:
            """The list, for `@on`."""
            return self.pick_list

    def __init__(self, id: str, *, focusable: bool = True) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self.can_focus = focusable
        self.rows: list[PickRow] = []
        self.cursor = 0
        self._top = 0

    def show_rows(self, rows: Sequence[PickRow], *, keep: bool = False, choose: bool = True) -> None:
        """Show other rows.

        Args:
            rows: Top to bottom.
            keep: Leave the cursor on the row with the same key.
            choose: Put the cursor on the first row; otherwise no row is chosen.
        """
        key = self.chosen
        self.rows = list(rows)
        keys = [row.key for row in self.rows]
        self.cursor = keys.index(key) if keep and key in keys else 0 if choose else -1
        self._top = 0
        self._follow()
        self.refresh()

    @property
    def chosen(self) -> str | None:
        """The key under the cursor, None while no row is chosen."""
        return self.rows[self.cursor].key if 0 <= self.cursor < len(self.rows) else None

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if not self.rows:
            return
        before, top = self.cursor, self._top
        self.cursor = min(max(self.cursor + step, 0), len(self.rows) - 1)
        self._follow()
        if self._top != top:
            self.refresh()
        elif before != self.cursor:
            width = self.size.width
            rows = [before, self.cursor] if before >= 0 else [self.cursor]
            self.refresh(*(Region(0, row - top, width, 1) for row in rows))

    def action_page(self, step: int) -> None:
        """Move by a page."""
        self.action_move(step * max(1, self.size.height - 1))

    def action_edge(self, step: int) -> None:
        """Move to the first or the last row."""
        self.action_move(step * len(self.rows))

    def action_pick(self) -> None:
        """Pick the row under the cursor."""
        if self.chosen is not None:
            self.post_message(self.Picked(self, self.chosen))

    def on_resize(self) -> None:
        """Scroll so that the cursor is visible."""
        self._follow()
        self.refresh()

    def _follow(self) -> None:
        height = max(1, self.size.height)
        if self.cursor < 0:
            self._top = 0
        elif self.cursor < self._top:
            self._top = self.cursor
        elif self.cursor >= self._top + height:
            self._top = self.cursor - height + 1

    def render_line(self, y: int) -> Strip:
        """Return one row; the chosen one is reversed and marked."""
        index = self._top + y
        if index >= len(self.rows):
            return Strip.blank(self.size.width)
        chosen = index == self.cursor
        parts = [(one_line(text), style) for text, style in self.rows[index].parts]
        mark = ">" if chosen else " "
        line: Line = [(mark, theme.STRONG), *parts]
        if chosen:
            return paint(plain(line), self.size.width, theme.CURSOR)
        return paint(line, self.size.width)
