"""Reads what Textual writes to its driver into a grid of cells.

Textual's compositor writes a small, regular language: cursor addressing (`CSI row;column H`), colours
(`CSI … m`), text, line feeds between rows, and now and then a bell. Everything else that reaches the driver
(hyperlinks, clipboard and mode requests, or an escape sequence inside a patient's name) has no effect here,
and since only the encoder talks to the terminal, none of it can reach one.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from rich.cells import split_graphemes

from tui.terminal.grid import (
    BLINK,
    BOLD,
    DEFAULT_COLOUR,
    DIM,
    ITALIC,
    PLAIN,
    REVERSE,
    RGB,
    STRIKE,
    UNDERLINE,
    Grid,
    Pen,
    fit,
    is_mark,
)

CACHED_STRIPS = 4096  # strips remembered by one parser; Textual repeats borders and blanks endlessly
CACHED_CELLS = 60  # strips longer than a field are rarely repeated

_TOKEN = re.compile(
    r"\x1b\[([0-9;:?<=>!]*)[ -/]*([@-~])"  # control sequence
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|$)"  # operating system command and other strings
    r"|\x1b[ -/]*[0-~]?"  # other escapes
    r"|([\x00-\x1f\x7f-\x9f])",
    re.DOTALL,
)
_ATTRIBUTES_ON = {
    1: BOLD,
    2: DIM,
    3: ITALIC,
    4: UNDERLINE,
    5: BLINK,
    6: BLINK,
    7: REVERSE,
    9: STRIKE,
    21: UNDERLINE,
}
_ATTRIBUTES_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 25: BLINK, 27: REVERSE, 29: STRIKE}


def apply_sgr(pen: Pen, parameters: str) -> Pen:
    """Change a pen as "select graphic rendition" says.

    Args:
        pen: The pen before.
        parameters: The digits and semicolons between `CSI` and `m`; empty means reset.

    Returns:
        The pen after; codes that are not known leave it as it was.

    Source:
        ECMA-48 8.3.117; ISO 8613-6 for 38 and 48.
    """
    foreground, background, attributes = pen
    codes = iter([int(part) if part.isdigit() else 0 for part in parameters.replace(":", ";").split(";")])
    for code in codes:
        if code == 0:
            foreground, background, attributes = PLAIN
        elif code in _ATTRIBUTES_ON:
            attributes |= _ATTRIBUTES_ON[code]
        elif code in _ATTRIBUTES_OFF:
            attributes &= ~_ATTRIBUTES_OFF[code]
        elif code in {38, 48}:
            kind = next(codes, 0)
            if kind == 5:
                colour = next(codes, 0) & 255
            elif kind == 2:
                red, green, blue = (next(codes, 0) & 255 for _ in range(3))
                colour = RGB | red << 16 | green << 8 | blue
            else:
                continue
            if code == 38:
                foreground = colour
            else:
                background = colour
        elif 30 <= code <= 37:
            foreground = code - 30
        elif code == 39:
            foreground = DEFAULT_COLOUR
        elif 40 <= code <= 47:
            background = code - 40
        elif code == 49:
            background = DEFAULT_COLOUR
        elif 90 <= code <= 97:
            foreground = code - 82
        elif 100 <= code <= 107:
            background = code - 92
    return Pen(foreground, background, attributes)


class TextualOutput:
    """Interprets Textual's output on a grid.

    Attributes:
        grid: Where the text goes.
        bells: Bells asked for since the owner last reset the number.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.bells = 0
        self._pen = PLAIN
        self._column = 0
        self._row = 0
        self._pens: dict[tuple[Pen, str], Pen] = {}
        self._strips: OrderedDict[str, list[str]] = OrderedDict()

    def write(self, data: str) -> None:
        """Interpret one piece of output; each piece ends at a whole sequence, as Textual's do."""
        position = 0
        for match in _TOKEN.finditer(data):
            start = match.start()
            if start > position:
                self._text(data[position:start])
            position = match.end()
            final = match[2]
            if final == "m":
                self._select(match[1])
            elif final == "H":
                self._move(match[1])
            elif match[3] == "\n":
                self._row += 1
            elif match[3] == "\r":
                self._column = 0
            elif match[3] == "\x07":
                self.bells += 1
            elif final == "J" and match[1] == "2":
                self.grid.clear(self._pen)
            elif match[3] == "\t":
                self._text(" ")  # a stray tab in a value; Textual has expanded its own
        if position < len(data):
            self._text(data[position:])

    def _select(self, parameters: str) -> None:
        key = (self._pen, parameters)
        pen = self._pens.get(key)
        if pen is None:
            if len(self._pens) > CACHED_STRIPS:
                self._pens.clear()
            pen = self._pens[key] = apply_sgr(self._pen, parameters)
        self._pen = pen

    def _move(self, parameters: str) -> None:
        row, _, column = parameters.partition(";")
        self._row = max(0, int(row) - 1) if row.isdigit() else 0
        self._column = max(0, int(column) - 1) if column.isdigit() else 0

    def _text(self, text: str) -> None:
        if text.isascii():
            # The common case: one cell per character, no caching needed.
            self._column = self.grid.put(self._column, self._row, list(text), [self._pen] * len(text))
            return
        cells = self._strips.get(text)
        if cells is None:
            cells = []
            for start, end, width in split_graphemes(text)[0]:
                if width == 0:
                    for mark in filter(is_mark, text[start:end]):
                        self.grid.add_mark(self._column, self._row, mark)
                cells += fit(text[start:end], width)
            if len(cells) <= CACHED_CELLS and not is_mark(text[0]):
                self._strips[text] = cells
                if len(self._strips) > CACHED_STRIPS:
                    self._strips.popitem(last=False)
        self._column = self.grid.put(self._column, self._row, cells, [self._pen] * len(cells))
