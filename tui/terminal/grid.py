"""Cells of a terminal screen: the text of each and its rendition.

A grid holds what the app wants to show; the encoder (`tui/terminal/encoder.py`) compares it with what the
client's screen shows and sends the difference.

A cell holds one character as the terminal paints it (a base character with its combining marks), "" for the
right half of a wide character, and " " when blank. A character whose width is in doubt is replaced
before it gets into a cell: on some screens it would shift the rest of the line.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from wcwidth import wcwidth

BOLD = 1
DIM = 2
ITALIC = 4
UNDERLINE = 8
BLINK = 16
REVERSE = 32
STRIKE = 64
SEEN_ON_BLANKS = UNDERLINE | REVERSE | STRIKE | BLINK  # attributes that change how a space looks

DEFAULT_COLOUR = -1  # the terminal's own foreground or background
RGB = 0x1000000  # added to 0xRRGGBB; below it are the 256 palette numbers

MAX_MARKS = 4  # combining marks kept on one character; more is an attack on the line height
UNKNOWN_CHARACTER = "\ufffd"
JOINER = "\u200d"
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


class Rendition(NamedTuple):
    """Colours and attributes of a cell (ECMA-48's "graphic rendition").

    Attributes:
        foreground: `DEFAULT_COLOUR`, a palette number 0..255, or `RGB | 0xRRGGBB`.
        background: The same.
        attributes: Bits such as `BOLD | UNDERLINE`.
    """

    foreground: int = DEFAULT_COLOUR
    background: int = DEFAULT_COLOUR
    attributes: int = 0


PLAIN = Rendition()


@lru_cache(maxsize=4096)
def blank_rendition(rendition: Rendition) -> Rendition:
    """Return the rendition that a space shows: without a foreground unless something is drawn with it."""
    if not rendition.attributes & SEEN_ON_BLANKS:
        return Rendition(DEFAULT_COLOUR, rendition.background, 0)
    return Rendition(rendition.foreground, rendition.background, rendition.attributes & SEEN_ON_BLANKS)


@lru_cache(maxsize=8192)
def fit(grapheme: str, width: int) -> tuple[str, ...]:
    """Return the texts of the cells of one character with its marks.

    Args:
        grapheme: A character and what the app counts as part of it: marks, joiners, selectors.
        width: Cells the app counted for it, 0, 1 or 2.

    Returns:
        One text per cell; empty when nothing is to be shown. Where the terminal would count differently, or
        may count differently (joined emoji), each cell is U+FFFD. Bidirectional controls and other
        invisible format characters are left out: they could reorder or hide what a clerk reads.
    """
    base = grapheme[0]
    marks = ""
    for character in grapheme[1:]:
        if is_mark(character):
            marks += character
        elif unicodedata.category(character) != "Cf" or character == JOINER:
            return (UNKNOWN_CHARACTER,) * width
    if width == 0:
        return ()
    if unicodedata.category(base) in _UNSHOWN or wcwidth(base) != width:
        return (UNKNOWN_CHARACTER,) * width
    text = unicodedata.normalize("NFC", base + marks[:MAX_MARKS]) if marks else base
    return (text, "") if width == 2 else (text,)


def is_mark(character: str) -> bool:
    """Return whether a code point combines with the one before it on every terminal that knows it."""
    return (
        unicodedata.category(character) in {"Mn", "Me"}
        and wcwidth(character) == 0
        and not "\ufe00" <= character <= "\ufe0f"
    )


class Grid:
    """A rectangle of cells with, per row, a list of characters and a list of renditions.

    Attributes:
        width: Columns, >= 1.
        height: Rows, >= 1.
        characters: `height` lists of `width` strings: the cell's text, "" for the right half of a wide
            character.
        renditions: `height` lists of `width` renditions, matching `characters`.
        dirty: Numbers of the rows written since the owner last cleared the set.
    """

    __slots__ = ("characters", "dirty", "height", "renditions", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.characters: list[list[str]] = [[" "] * width for _ in range(height)]
        self.renditions: list[list[Rendition]] = [[PLAIN] * width for _ in range(height)]
        self.dirty: set[int] = set(range(height))

    def resize(self, width: int, height: int) -> None:
        """Start over, blank, at another size: a resized screen is painted whole anyway."""
        self.__init__(width, height)  # type: ignore[misc]

    def put(self, column: int, row: int, texts: list[str], renditions: list[Rendition]) -> int:
        """Write cells from `column` on, clipped to the grid.

        Wide characters cut by the edge or by the new text become spaces, as on a terminal.

        Args:
            column: First column, >= 0; may lie beyond the right edge.
            row: Row, >= 0; rows beyond the bottom are ignored.
            texts: One entry per cell, "" after a wide character.
            renditions: One per cell.

        Returns:
            The column after the last cell, not clipped.
        """
        end = column + len(texts)
        if row >= self.height or column >= self.width or not texts:
            return end
        characters, stop = self.characters[row], min(end, self.width)
        count = stop - column
        self._split_wide(row, column)
        self._split_wide(row, stop)
        characters[column:stop] = texts[:count]
        self.renditions[row][column:stop] = renditions[:count]
        if characters[column] == "":
            characters[column] = " "
        if end > self.width and texts[count] == "":
            characters[stop - 1] = " "
        self.dirty.add(row)
        return end

    def _split_wide(self, row: int, column: int) -> None:
        """Blank both halves of a wide character that `column` would cut in two."""
        characters = self.characters[row]
        if 0 < column < self.width and characters[column] == "":
            characters[column - 1] = characters[column] = " "

    def add_mark(self, column: int, row: int, mark: str) -> None:
        """Put a combining mark on the character that ends before `column`; ignored where there is none.

        Args:
            column: Column after the character, >= 0.
            row: Row, >= 0; rows beyond the bottom are ignored.
            mark: One code point for which `is_mark` holds.
        """
        column = min(column, self.width) - 1
        if row >= self.height or column < 0:
            return
        characters = self.characters[row]
        if characters[column] == "" and column > 0:
            column -= 1
        base = characters[column]
        if base in {"", " "} or len(base) > MAX_MARKS:
            return
        characters[column] = unicodedata.normalize("NFC", base + mark)
        self.dirty.add(row)

    def clear(self, rendition: Rendition = PLAIN) -> None:
        """Blank every cell."""
        rendition = blank_rendition(rendition)
        for row in range(self.height):
            self.characters[row] = [" "] * self.width
            self.renditions[row] = [rendition] * self.width
        self.dirty.update(range(self.height))

    def text(self) -> list[str]:
        """Return the rows as plain text, for tests."""
        return ["".join(row) for row in self.characters]
