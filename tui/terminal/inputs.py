"""Text fields for thin terminals: the terminal's own cursor, and a layout that typing never disturbs.

A painted cursor costs ten to forty bytes a letter; the terminal's own costs none. Textual's `Input` tells the
layout its new width at each letter, which then walks over every widget of the screen; a width that never
changes halves the processor time of a key. A field also handles its editing keys itself: in
Textual the key travels up to the app first, and with a hundred apps in one process each step waits for its turn.
A field has no component classes: styling them was half the time in which a form of twenty fields opens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.control import strip_control_codes
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui.terminal.textual_internals import without_parts

LEADING_ACTIONS = frozenset({"submit", "cut", "copy", "paste", "select_line", "select_all"})
"""Actions that do more than edit, and actions whose keys belong to a screen."""

SELECTED = Style(reverse=True)


def _editing(bindings: Iterable[BindingType]) -> dict[str, str]:
    """Return the action of each key that only moves the cursor or deletes."""
    return {
        key: binding.action
        for binding in bindings
        if isinstance(binding, Binding) and binding.action not in LEADING_ACTIONS
        for key in binding.key.split(",")
    }


async def _edit(field: Widget, event: events.Key, editing: dict[str, str]) -> None:
    if event.key in editing:
        event.stop()
        event.prevent_default()
        await field.app.run_action(editing[event.key], field)


@without_parts
class ThinInput(Input):
    """A single-line field whose cursor is the terminal's.

    One row between two bars, so that the field is seen without colour. Underlined blanks would cost a byte
    each; blanks that look like nothing cost none. The text scrolls sideways between the bars as usual.
    """

    DEFAULT_CSS = """
    ThinInput, ThinInput:ansi {
        border-left: ascii ansi_default !important;
        border-right: ascii ansi_default !important;
    }
    """

    EDITING: ClassVar = _editing(Input.BINDINGS)

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("select_on_focus", False)
        super().__init__(*args, **options)
        # What `compact=True` does, but for styling the field before it is anywhere.
        self.set_reactive(Input.compact, True)
        self.add_class("-textual-compact", update=False)
        self.set_reactive(Input.cursor_blink, False)

    async def _on_key(self, event: events.Key) -> None:
        await _edit(self, event, self.EDITING)

    def validate(self, value: str) -> None:
        """Judge nothing: the form does, and a mark for "valid" would lay the whole screen out at the first letter."""

    def on_resize(self) -> None:
        """Take the width of the contents for known, before a first letter tells the layout of it."""
        self.set_reactive(ThinInput.virtual_size, Size(self.content_width, 1))

    @property
    def content_width(self) -> int:
        """Cells the layout is told: the field's own width, or the text's where that is longer."""
        return max(super().content_width, self.scrollable_content_region.width)

    def render_line(self, y: int) -> Strip:
        """Render the row: the text, a selection in reverse, and no cursor."""
        if y:
            return Strip.blank(self.size.width, self.rich_style)
        text = strip_control_codes(self.value)
        if self.password:
            text = "•" * len(text)
        segments = [Segment(text or self.placeholder)]
        if text and self.has_focus and not self.selection.is_empty:
            start, end = sorted(self.selection)
            segments = [Segment(text[:start]), Segment(text[start:end], SELECTED), Segment(text[end:])]
        start, cells = self.scroll_offset.x, self.scrollable_content_region.width + 1
        strip = Strip(segments).crop(start, start + cells)
        return strip.extend_cell_length(cells).apply_style(self.rich_style)

    @property
    def cursor_screen_offset(self) -> Offset:
        """The cursor's position on the screen, as column and row.

        Textual's own is one column too far at the end of the text, where its painted cursor needs a cell.
        """
        x, y, _width, _height = self.content_region
        column = self._position_to_cell(self.cursor_position)
        return Offset(x + column - self.scroll_offset.x, y)


class ThinTextArea(TextArea):
    """A multi-line field whose cursor is the terminal's."""

    DEFAULT_CSS = """
    ThinTextArea, ThinTextArea:ansi {
        & .text-area--cursor, &.-read-only .text-area--cursor, & .text-area--cursor-line {
            background: ansi_default;
            color: ansi_default;
            text-style: none;
        }
        & .text-area--selection {
            background: ansi_default;
            color: ansi_default;
            text-style: reverse;
        }
    }
    """

    EDITING: ClassVar = _editing(TextArea.BINDINGS)

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("compact", True)
        options.setdefault("highlight_cursor_line", False)
        super().__init__(*args, **options)
        self.cursor_blink = False

    async def _on_key(self, event: events.Key) -> None:
        await _edit(self, event, self.EDITING)
