"""Interprets Textual's output to its driver on a grid of cells.

Textual's compositor writes few kinds of sequences: cursor addressing (`CSI row;column H`), colours
(`CSI … m`), text, line feeds between rows, and now and then a bell. Everything else that reaches the driver
(hyperlinks, clipboard and mode requests, or an escape sequence inside a patient's name) has no effect here,
and since only the encoder talks to the terminal, none of it can reach one.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator

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
    Rendition,
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
# SGR code -> the field of `Rendition` that it sets, and the colour.
_COLOURS = {
    39: ("foreground", DEFAULT_COLOUR),
    49: ("background", DEFAULT_COLOUR),
    **{30 + number: ("foreground", number) for number in range(8)},
    **{40 + number: ("background", number) for number in range(8)},
    **{90 + number: ("foreground", 8 + number) for number in range(8)},
    **{100 + number: ("background", 8 + number) for number in range(8)},
}
_EXTENDED_COLOURS = {38: "foreground", 48: "background"}
_ATTRIBUTES_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 25: BLINK, 27: REVERSE, 29: STRIKE}


def apply_sgr(rendition: Rendition, parameters: str) -> Rendition:
    """Change a rendition as "select graphic rendition" says.

    Args:
        rendition: The rendition before.
        parameters: The digits and semicolons between `CSI` and `m`; empty means reset.

    Returns:
        The rendition after; unknown codes leave it as it was.

    Source:
        ECMA-48 8.3.117; ISO 8613-6 for 38 and 48.
    """
    codes = iter([int(part) if part.isdigit() else 0 for part in parameters.replace(":", ";").split(";")])
    for code in codes:
        if code == 0:
            rendition = PLAIN
        elif code in _ATTRIBUTES_ON:
            rendition = rendition._replace(attributes=rendition.attributes | _ATTRIBUTES_ON[code])
        elif code in _ATTRIBUTES_OFF:
            rendition = rendition._replace(attributes=rendition.attributes & ~_ATTRIBUTES_OFF[code])
        elif code in _EXTENDED_COLOURS:
            colour = _extended_colour(codes)
            if colour is not None:
                rendition = rendition._replace(**{_EXTENDED_COLOURS[code]: colour})
        elif code in _COLOURS:
            ground, colour = _COLOURS[code]
            rendition = rendition._replace(**{ground: colour})
    return rendition


def _extended_colour(codes: Iterator[int]) -> int | None:
    """Take the colour after 38 or 48: `5` and a palette number, or `2` and red, green, blue."""
    kind = next(codes, 0)
    if kind == 5:
        return next(codes, 0) & 255
    if kind == 2:
        red, green, blue = (next(codes, 0) & 255 for _ in range(3))
        return RGB | red << 16 | green << 8 | blue
    return None


class TextualOutput:
    """Interprets Textual's output on a grid.

    Attributes:
        grid: The grid that is written to.
        bells: Bells asked for since the owner last reset the number.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.bells = 0
        self._rendition = PLAIN
        self._column = 0
        self._row = 0
        self._renditions: dict[tuple[Rendition, str], Rendition] = {}
        self._strips: OrderedDict[str, list[str]] = OrderedDict()

    def write(self, data: str) -> None:
        """Interpret one piece of output; each piece ends at a whole sequence, as Textual's do."""
        position = 0
        for match in _TOKEN.finditer(data):
            start = match.start()
            if start > position:
                self._text(data[position:start])
            position = match.end()
            if match[2]:
                self._control_sequence(match[2], match[1])
            elif match[3]:
                self._control_character(match[3])
        if position < len(data):
            self._text(data[position:])

    def _control_sequence(self, final: str, parameters: str) -> None:
        if final == "m":
            self._select(parameters)
        elif final == "H":
            self._move(parameters)
        elif final == "J" and parameters == "2":
            self.grid.clear(self._rendition)

    def _control_character(self, character: str) -> None:
        if character == "\n":
            self._row += 1
        elif character == "\r":
            self._column = 0
        elif character == "\x07":
            self.bells += 1
        elif character == "\t":
            self._text(" ")  # a stray tab in a value; Textual has expanded its own

    def _select(self, parameters: str) -> None:
        key = (self._rendition, parameters)
        rendition = self._renditions.get(key)
        if rendition is None:
            if len(self._renditions) > CACHED_STRIPS:
                self._renditions.clear()
            rendition = self._renditions[key] = apply_sgr(self._rendition, parameters)
        self._rendition = rendition

    def _move(self, parameters: str) -> None:
        row, _, column = parameters.partition(";")
        self._row = max(0, int(row) - 1) if row.isdigit() else 0
        self._column = max(0, int(column) - 1) if column.isdigit() else 0

    def _text(self, text: str) -> None:
        if text.isascii():
            # The common case: one cell per character, no caching needed.
            self._column = self.grid.put(self._column, self._row, list(text), [self._rendition] * len(text))
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
        self._column = self.grid.put(self._column, self._row, cells, [self._rendition] * len(cells))
