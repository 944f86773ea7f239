"""An independent terminal (pyte) and the tools to compare it with a grid."""

from __future__ import annotations

import unicodedata

import pyte
from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import ANSI_COLOR_NAMES

from tui.terminal.attributes import ascii_cell, reduce_rendition
from tui.terminal.capabilities import Capabilities
from tui.terminal.grid import (
    BLINK,
    BOLD,
    DEFAULT_COLOUR,
    ITALIC,
    REVERSE,
    RGB,
    STRIKE,
    UNDERLINE,
    Grid,
    Rendition,
    blank_rendition,
)

assert ANSI_COLOR_NAMES

_NAMES = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]
_BRIGHT = [f"bright{name}" for name in _NAMES]


class _Screen(pyte.Screen):
    """pyte's screen, which forgets to colour cells never written when the screen is erased."""

    def erase_in_display(self, how: int = 0, *args: object, **kwargs: object) -> None:
        for y in range(self.lines):
            for x in range(self.columns):
                self.buffer[y].setdefault(x, self.default_char)
        super().erase_in_display(how, *args, **kwargs)


class Emulator:
    """A pyte screen fed with bytes, as the client's terminal is."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = _Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)

    def feed(self, data: bytes) -> None:
        # pyte keeps no alternate screen; it would take 1049 for an unknown mode, as a Linux console does.
        self.stream.feed(data)

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)

    def cells(self) -> list[list[tuple[str, Rendition]]]:
        rows = []
        for y in range(self.screen.lines):
            line = self.screen.buffer[y]
            row = []
            for x in range(self.screen.columns):
                cell = line[x]
                text = unicodedata.normalize("NFC", cell.data)
                attributes = (
                    (BOLD if cell.bold else 0)
                    | (ITALIC if cell.italics else 0)
                    | (UNDERLINE if cell.underscore else 0)
                    | (STRIKE if cell.strikethrough else 0)
                    | (REVERSE if cell.reverse else 0)
                    | (BLINK if cell.blink else 0)
                )
                rendition = Rendition(_number(cell.fg), _number(cell.bg), attributes)
                row.append((text, blank_rendition(rendition) if text == " " else rendition))
            rows.append(row)
        return rows

    def text(self) -> str:
        return "\n".join(self.screen.display)


def _number(colour: str) -> int:
    if colour == "default":
        return DEFAULT_COLOUR
    if colour in _NAMES:
        return _NAMES.index(colour)
    if colour in _BRIGHT:
        return _BRIGHT.index(colour) + 8
    if colour == "bfightmagenta":  # a misspelling in pyte 0.8
        return 13
    return RGB | int(colour, 16)


def _as_pyte_sees(colour: int) -> int:
    """pyte keeps palette colours as RGB; numbers above 15 come back as their RGB value."""
    if 16 <= colour < RGB:
        red, green, blue = _PALETTE[colour]
        return RGB | red << 16 | green << 8 | blue
    return colour


_PALETTE = {
    number: tuple(int(text[i : i + 2], 16) for i in (0, 2, 4))
    for number, text in enumerate(pyte.graphics.FG_BG_256)
}
assert EIGHT_BIT_PALETTE


def expected(grid: Grid, capabilities: Capabilities) -> list[list[tuple[str, Rendition]]]:
    """What the terminal must show for a grid: reduced to its capabilities, cell by cell."""
    rows = []
    for texts, renditions in zip(grid.characters, grid.renditions, strict=True):
        row = []
        for column, (text, rendition) in enumerate(zip(texts, renditions, strict=True)):
            if not capabilities.utf8:
                text = ascii_cell(text or texts[column - 1])
            rendition = reduce_rendition(rendition, capabilities)
            rendition = rendition._replace(attributes=rendition.attributes & ~2)  # pyte knows no faint text
            if text == " ":
                rendition = blank_rendition(rendition)
            rendition = Rendition(
                _as_pyte_sees(rendition.foreground), _as_pyte_sees(rendition.background), rendition.attributes
            )
            row.append((unicodedata.normalize("NFC", text), rendition))
        rows.append(row)
    return rows
