"""Fields of a form: visible without colour, one row each, Enter leads to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui import theme
from tui.terminal.inputs import ThinInput
from tui.text.formatting import fit
from tui.text.translation import _
from tui.widgets.painting import paint


class TextField(ThinInput):
    """A line of text."""

    DEFAULT_CSS = """
    TextField { height: 1; padding: 0; }
    """

    def __init__(self, field: str, *, cells: int = 0, longest: int = 200, password: bool = False) -> None:
        """Args: `cells` is the width with its bars, 0 for what is left; `longest` the characters taken."""
        super().__init__(id=field, max_length=longest, password=password)
        if cells:
            self.styles.width = cells
        else:
            self.styles.width = "1fr"

    @property
    def text(self) -> str:
        """The text typed, trimmed."""
        return self.value.strip()


@dataclass(frozen=True)
class Choice:
    """One value of a choice field."""

    value: str
    label: str
    """A msgid."""
    key: str = ""
    """The letter or digit that picks it."""
    short: str = ""
    """A shorter msgid, for all values on one line."""


def choices(table: Mapping[str, str], keys: str = "") -> list[Choice]:
    """Return choices from a table of words; keys are digits unless given, one character each."""
    marks = keys or "123456789"
    return [Choice(value, label, marks[index]) for index, (value, label) in enumerate(table.items())]


class ChoiceField(Widget, can_focus=True):
    """One of a few values: by its letter or digit, by arrows, or by the space bar."""

    DEFAULT_CSS = """
    ChoiceField { height: 1; }
    """

    value: reactive[str] = reactive("", layout=False)

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        field: ChoiceField

        @property
        def control(self) -> ChoiceField:
            """The field, for `@on`."""
            return self.field

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

        field: ChoiceField

        @property
        def control(self) -> ChoiceField:
            """The field, for `@on`."""
            return self.field

    def __init__(
        self, field: str, options: Sequence[Choice], *, value: str = "", optional: bool = False
    ) -> None:
        super().__init__(id=field)
        self.options = list(options)
        self._optional = optional or not value
        self.set_reactive(ChoiceField.value, value)
        # Choices are translated when painted; the width must do for each language.
        widths = [max(cell_len(option.label), cell_len(_(option.label))) for option in options]
        self.styles.width = max(widths, default=4) + 2

    def hint(self) -> str:
        """Return all values with their keys, for the status line."""
        return "  ".join(f"{option.key} {_(option.short or option.label)}" for option in self.options)

    def watch_value(self, value: str) -> None:
        """Post the change."""
        self.post_message(self.Changed(self))

    def on_key(self, event: events.Key) -> None:
        """Take letters, digits, arrows, space, backspace and Enter."""
        if event.key == "enter":
            event.stop()
            self.post_message(self.Submitted(self))
            return
        step = {"right": 1, "space": 1, "left": -1}.get(event.key)
        if step is not None:
            event.stop()
            self._move(step)
        elif event.key in {"backspace", "delete"} and self._optional:
            event.stop()
            self.value = ""
        elif event.character and event.is_printable:
            event.stop()
            for option in self.options:
                if option.key.casefold() == event.character.casefold():
                    self.value = option.value

    def _move(self, step: int) -> None:
        values = [option.value for option in self.options]
        if not values:
            return
        if self.value not in values:
            self.value = values[0 if step > 0 else -1]
        else:
            self.value = values[(values.index(self.value) + step) % len(values)]

    @property
    def cursor_screen_offset(self) -> Offset:
        """Position of the terminal's cursor while the field has the focus."""
        return self.content_region.offset + Offset(1, 0)

    def render_line(self, y: int) -> Strip:
        """Return `[value]`, reversed while focused."""
        label = next((_(option.label) for option in self.options if option.value == self.value), " ")
        style = theme.CURSOR if self.has_focus else theme.PLAIN
        inner = fit(label, min(cell_len(label), max(0, self.size.width - 2)))
        return paint([("[", theme.PLAIN), (inner, style), ("]", theme.PLAIN)], self.size.width)


class FieldRow(Horizontal):
    """Fields side by side, each behind its label."""

    BLANK = True

    DEFAULT_CSS = """
    FieldRow { height: 1; width: 1fr; }
    """


class Label(Static):
    """A field's label; marked with `!` while the field is wrong."""

    DEFAULT_CSS = """
    Label { height: 1; width: 13; }
    """

    def __init__(self, field: str, text: str, *, cells: int = 13, gap: int = 1) -> None:
        """Args: `text` is a msgid; `cells` the width, the last `gap` of them blank."""
        super().__init__("", id=f"label-{field}", markup=False)
        self._msgid = text
        self._wrong = False
        self._text_cells = cells - gap
        self.styles.width = cells

    def on_mount(self) -> None:
        """Show the label."""
        self._show()

    @property
    def is_wrong(self) -> bool:
        """True where the field is marked."""
        return self._wrong

    def mark(self, wrong: bool) -> None:
        """Mark the field as wrong, or remove the mark."""
        if wrong != self._wrong:
            self._wrong = wrong
            self.set_class(wrong, "-wrong")
            self._show()

    def _show(self) -> None:
        sign = "!" if self._wrong else " "
        self.update(fit(sign + _(self._msgid), self._text_cells), layout=False)


def labelled(label: str, field: Widget, *, cells: int = 13, gap: int = 1) -> ComposeResult:
    """Yield a label and its field.

    Args:
        label: A msgid.
        field: The field.
        cells: Width of the label.
        gap: Blank cells at its end.
    """
    yield Label(field.id or "", label, cells=cells, gap=gap)
    yield field
