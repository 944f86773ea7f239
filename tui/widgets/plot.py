"""A day as columns: half hours from left to right, one number each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui import theme
from tui.text.formatting import fit
from tui.widgets.painting import Line, paint

FULL, HALF = "█", "▄"


def column_rows(values: Sequence[float], highest: float, rows: int) -> list[list[str]]:
    """Return the characters of the columns: `rows` rows from the top, one character for each value.

    Half blocks double the resolution; what is more than nothing shows at least half a block.

    Args:
        values: Not negative.
        highest: What fills the whole height, > 0.
        rows: Cells of height, >= 1.
    """
    halves = [0 if value <= 0 else max(1, round(min(1, value / highest) * rows * 2)) for value in values]
    return [
        [FULL if half >= 2 * row else HALF if half == 2 * row - 1 else " " for half in halves]
        for row in range(rows, 0, -1)
    ]


class DayPlot(Widget):
    """A title, columns, and the numbers under them, which the columns only repeat.

    Attributes:
        title: Already translated.
    """

    DEFAULT_CSS = """
    DayPlot { height: 1fr; width: 1fr; }
    """

    def __init__(self, id: str, *, labelled: bool = False) -> None:  # noqa: A002  # Textual's own name
        """Args: `labelled` puts the hours under the numbers."""
        super().__init__(id=id)
        self.title = ""
        self._labelled = labelled
        self._values: list[int | None] = []
        self._hours: list[str] = []
        self._limit: int | None = None
        self._painted: list[Line] = []

    def show_day(
        self, title: str, hours: Sequence[str], values: Sequence[int | None], limit: int | None = None
    ) -> None:
        """Show other numbers; only rows that differ are painted again.

        Args:
            title: What is counted, in which unit.
            hours: When each period begins, `08:30`.
            values: One a period; None when there is nothing to count.
            limit: Values from here on are marked.
        """
        self.title, self._hours, self._values, self._limit = title, list(hours), list(values), limit
        self._repaint()

    def on_resize(self) -> None:
        """Fit the new size."""
        self._painted = []
        self._repaint()

    def _repaint(self) -> None:
        width, height = self.size
        before, self._painted = self._painted, self._lines(width, height)
        changed = [
            Region(0, y, width, 1) for y in range(height) if before[y : y + 1] != self._painted[y : y + 1]
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        return paint(self._painted[y] if y < len(self._painted) else [], self.size.width)

    def _lines(self, width: int, height: int) -> list[Line]:
        each = max(3, (width - 2) // max(1, len(self._values)))
        rows = max(1, height - 2 - self._labelled)
        numbers = [value or 0 for value in self._values]
        lines: list[Line] = [[(" " + self.title, theme.STRONG)]]
        for row in column_rows(numbers, max([1, *numbers]), rows):
            line: Line = [(" ", theme.PLAIN)]
            for cell, value in zip(row, self._values, strict=True):
                line.append((cell * (each - 1) + " ", self._style(value)))
            lines.append(line)
        under: Line = [(" ", theme.PLAIN)]
        for value in self._values:
            under.append((fit(self._text(value), each), self._style(value)))
        lines.append(under)
        if self._labelled:
            lines.append([(" " + self._hour_line(each), theme.PLAIN)])
        return lines

    def _text(self, value: int | None) -> str:
        return "-" if value is None else f"{value}!" if self._is_over(value) else str(value)

    def _is_over(self, value: int | None) -> bool:
        return self._limit is not None and value is not None and value >= self._limit

    def _style(self, value: int | None) -> Style:
        return theme.ALERT if self._is_over(value) else theme.PLAIN

    def _hour_line(self, each: int) -> str:
        step = -(-6 // each)
        return "".join(fit(hour, each * step) for hour in self._hours[::step])
