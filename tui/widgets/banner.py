"""The lines above a patient's record: what endangers first, then who, then why they came."""

from __future__ import annotations

from collections.abc import Container, Sequence

from rich.text import Text
from textual.widgets import Static

from tui import theme

WHO_LINE = 1
"""The line that begins with the number and the name, parted by two blanks from the facts behind them."""
NAME_PARTS = 2
"""Number and name: what is said aloud."""


class Banner(Static):
    """Lines of which only what matters first is strong."""

    DEFAULT_CSS = """
    Banner { height: 3; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__("", id="banner", markup=False)

    def say(self, lines: Sequence[str], alerts: Container[int]) -> None:
        """Show the lines.

        Args:
            lines: Dangers, who, why they came.
            alerts: Numbers of the lines that are strong as a whole, counted from 0.
        """
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, line in enumerate(lines):
            text.append("\n" if number else "")
            _append(text, f" {line}", number, is_alert=number in alerts)
        self.update(text)


def _append(text: Text, line: str, number: int, *, is_alert: bool) -> None:
    if is_alert:
        text.append(line, theme.STRONG)
    elif number == WHO_LINE:
        parts = line.split("  ")
        name = "  ".join(parts[:NAME_PARTS])
        text.append(name, theme.STRONG)
        text.append(line[len(name) :])
    else:
        label, mark, said = line.partition(": ")
        text.append(label + mark if mark else "", theme.QUIET)
        text.append(said if mark else line)
