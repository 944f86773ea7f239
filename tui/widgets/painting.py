"""Functions for widgets that paint line by line.

A line is a list of (text, style) parts. Painting by lines lets a widget repaint one row when one
row changed, which is what keeps a busy queue cheap on a slow line (docs/reference/terminal.md 5).
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import Static

Part = tuple[str, Style]
Line = list[Part]


def paint(parts: Iterable[Part], width: int, fill: Style | None = None) -> Strip:
    """Make a strip of exactly `width` cells, cutting or filling as needed.

    Args:
        parts: Text without line ends or control characters, with its style.
        width: Cells.
        fill: Style of the cells behind the text and after it.

    Returns:
        The strip.
    """
    base = fill or Style()
    segments: list[Segment] = []
    left = width
    for text, style in parts:
        if left <= 0:
            break
        cells = cell_len(text)
        if cells > left:
            text, cells = _cut(text, left), left
        if text:
            segments.append(Segment(text, base + style))
            left -= cells
    if left > 0:
        segments.append(Segment(" " * left, base))
    return Strip(segments, width)


def _cut(text: str, cells: int) -> str:
    """Return as much of a text as fits; an ellipsis marks that there was more than blanks."""
    if cells > 1 and cell_len(text.rstrip()) > cells:
        return set_cell_size(text, cells - 1) + "…"
    return set_cell_size(text, cells)


def set_text(static: Static, text: str, *, layout: bool = False) -> None:
    """Show another text; the same text is not painted again.

    Args:
        static: The widget.
        text: Plain text.
        layout: Whether its height may change.
    """
    if static.content != text:
        static.update(text, layout=layout)


def plain(parts: Iterable[Part]) -> Line:
    """Return the parts without colours, for a row that is shown reversed."""
    return [(text, style.without_color) for text, style in parts]
