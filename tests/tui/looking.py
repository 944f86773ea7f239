"""Screens as pictures, and as the text a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App
from textual.screen import Screen

from tui.app import LoketApp
from tui.screens.base import LoketScreen
from tui.screens.entry_actions import ActingScreen
from tui.session import Session
from tui.widgets.queue_pane import QueuePane

ScreenT = TypeVar("ScreenT", bound=Screen[Any])

CELL_WIDTH, CELL_HEIGHT = 9, 19
INK = {
    "red": "#ff6b60", "green": "#6bd968", "yellow": "#e8c547", "cyan": "#5fd7d7", "blue": "#6c9ef8",
}  # fmt: skip
PAPER, PLAIN, FAINT = "#1c1c1c", "#d8d8d8", "#909090"


def screen_of(app: App[Any], kind: type[ScreenT]) -> ScreenT:
    """The screen in front, which must be of a kind."""
    assert isinstance(app.screen, kind), app.screen
    return app.screen


def said(app: App[Any]) -> str:
    """The status line of the screen in front."""
    return screen_of(app, LoketScreen).said


def pane_of(app: App[Any]) -> QueuePane:
    """The queue's pane in use."""
    return screen_of(app, ActingScreen).pane


def focused_id(app: App[Any]) -> str | None:
    """The name of the widget that keys go to; something must have the focus."""
    assert app.focused is not None
    return app.focused.id


def session_of(app: LoketApp) -> Session:
    """The session of whoever is signed in."""
    assert app.session is not None
    return app.session


def screen_lines(app: App[Any]) -> list[list[Segment]]:
    """The segments of every line, top to bottom."""
    return [list(strip) for strip in app.screen._compositor.render_strips()]


def screen_text(app: App[Any]) -> str:
    """Every line as characters. A dialog's lines stand where the dialog is."""
    return "\n".join("".join(segment.text for segment in line) for line in screen_lines(app))


def save_picture(app: App[Any], path: Path, *, mono: bool = False) -> Path:
    """The screen as a PNG file, underlines, reverse and the terminal's cursor included."""
    import cairosvg  # half a second, for the few who make pictures

    lines = screen_lines(app)
    width, height = app.size.width * CELL_WIDTH, len(lines) * CELL_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        '<g font-family="DejaVu Sans Mono" font-size="15" xml:space="preserve">',
    ]
    for row, line in enumerate(lines):
        column = 0
        for segment in line:
            parts += _cells(segment, column, row, mono)
            column += cell_len(segment.text)
    cursor = getattr(app.screen.focused, "cursor_screen_offset", None)
    if cursor is not None:
        x, y = cursor.x * CELL_WIDTH, cursor.y * CELL_HEIGHT
        parts.append(
            f'<rect x="{x}" y="{y}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="#fff" opacity=".6"/>'
        )
    cairosvg.svg2png(bytestring="".join([*parts, "</g></svg>"]).encode(), write_to=str(path))
    return path


def _cells(segment: Segment, column: int, row: int, mono: bool) -> list[str]:
    style = segment.style
    x, y, cells = column * CELL_WIDTH, row * CELL_HEIGHT, cell_len(segment.text)
    colour = style.color.name if style and style.color else ""
    ink = PLAIN if mono else INK.get(colour.removeprefix("ansi_"), PLAIN)
    parts = []
    if style and style.dim:
        ink = FAINT
    if style and style.reverse:
        parts.append(
            f'<rect x="{x}" y="{y}" width="{cells * CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{ink}"/>'
        )
        ink = PAPER
    weight = ' font-weight="bold"' if style and style.bold else ""
    for index, character in enumerate(segment.text):
        if not character.isspace():
            at = x + cell_len(segment.text[:index]) * CELL_WIDTH
            parts.append(f'<text x="{at}" y="{y + 14}" fill="{ink}"{weight}>{escape(character)}</text>')
    if style and style.underline:
        parts.append(f'<rect x="{x}" y="{y + 17}" width="{cells * CELL_WIDTH}" height="1" fill="{ink}"/>')
    return parts
