"""Renditions and characters reduced to what one client's terminal can show.

Textual's own colour system is one for the process, so the reduction is done here, per client.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from rich.color import Color, ColorSystem

from tui.terminal.capabilities import Capabilities, Colours
from tui.terminal.grid import (
    BLINK,
    BOLD,
    DEFAULT_COLOUR,
    DIM,
    ITALIC,
    REVERSE,
    RGB,
    STRIKE,
    UNDERLINE,
    Rendition,
    blank_rendition,
)

KNOWN_RENDITIONS = 1024  # kept for one terminal; a screen has a few dozen

_ATTRIBUTE_CODES = {BOLD: 1, DIM: 2, ITALIC: 3, UNDERLINE: 4, BLINK: 5, REVERSE: 7, STRIKE: 9}
_OFF_CODES = {ITALIC: 23, UNDERLINE: 24, BLINK: 25, REVERSE: 27, STRIKE: 29}

_ASCII = {
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺▔▁⎯╼╾–—−‐‑▂▃", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻▏▎▍▌▐▕╽╿⎸⎹▊▋", "|"),
    **dict.fromkeys("█▉▇▆▅▄▀▓▒■▪◼▖▗▘▙▚▛▜▝▞▟", "#"),
    **dict.fromkeys("░", "."),
    **dict.fromkeys("•●◉⬤★✱∗·∙", "*"),
    **dict.fromkeys("○◌◯☐□▫☆", "o"),
    **dict.fromkeys("→▶►▸❯›»⇒", ">"),
    **dict.fromkeys("←◀◄◂❮‹«⇐", "<"),
    **dict.fromkeys("↑▲△▴⇑", "^"),
    **dict.fromkeys("↓▼▽▾⇓", "v"),
    **dict.fromkeys("✓✔☑", "v"),
    **dict.fromkeys("✗✘✕×☒", "x"),
    **dict.fromkeys("‘’′‚", "'"),
    **dict.fromkeys("“”″„", '"'),
    **dict.fromkeys("⚠", "!"),
    **dict.fromkeys("…", "."),
    **dict.fromkeys("╱", "/"),
    **dict.fromkeys("╲", "\\"),
    "\u00a0": " ",
}


@lru_cache(maxsize=4096)
def ascii_cell(text: str) -> str:
    """Return the ASCII character that resembles a cell's text best; lines become `-`, `|` and `+`.

    Accents are dropped (a clerk reads "Rene" for "René"); a character without a likeness becomes "?".
    """
    if text.isascii():
        return text
    if text in _ASCII:
        return _ASCII[text]
    if "\u2500" <= text[0] <= "\u257f":
        return "+"
    plain = unicodedata.normalize("NFKD", text)[0]
    return plain if plain.isascii() and plain.isprintable() else "?"


@lru_cache(maxsize=4096)
def _reduce(colour: int, depth: Colours) -> int:
    """Return the nearest colour that a depth of 16 colours or more has."""
    if colour < 16 or depth is Colours.TRUE:
        return colour
    if depth is Colours.PALETTE:
        if colour < RGB:
            return colour
        system = ColorSystem.EIGHT_BIT
    else:
        system = ColorSystem.STANDARD
    if colour < RGB:
        source = Color.from_ansi(colour)
    else:
        source = Color.from_rgb(colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    number = source.downgrade(system).number
    return number if number is not None else DEFAULT_COLOUR


def _eight(foreground: int, background: int, attributes: int) -> Rendition:
    """Fold sixteen colours into eight: bright text is bold, bright backgrounds lose their brightness."""
    if foreground == 8:
        # Bright black as bold black would vanish on screens that do not brighten bold.
        foreground = DEFAULT_COLOUR
    elif foreground > 8:
        foreground, attributes = foreground - 8, attributes | BOLD
    if background >= 8:
        background -= 8
    return Rendition(foreground, background, attributes)


def reduce_rendition(rendition: Rendition, capabilities: Capabilities) -> Rendition:
    """Return the rendition that a terminal is sent for one that the app asked for.

    Text never takes the colour of its own background by being reduced. On a monochrome terminal a coloured
    background is shown as reverse video, so that the selected row stays the selected row.
    """
    foreground, background, attributes = rendition
    for attribute, shown in (
        (BOLD, capabilities.bold),
        (DIM, capabilities.dim),
        (ITALIC, capabilities.italic),
        (UNDERLINE, capabilities.underline),
        (STRIKE, capabilities.strike),
    ):
        if not shown:
            attributes &= ~attribute
    depth = capabilities.colours
    if depth is Colours.NONE:
        if background != DEFAULT_COLOUR:
            attributes |= REVERSE
        return Rendition(DEFAULT_COLOUR, DEFAULT_COLOUR, attributes)
    foreground, background = _reduce(foreground, depth), _reduce(background, depth)
    reduced = Rendition(foreground, background, attributes)
    if depth is Colours.EIGHT:
        reduced = _eight(foreground, background, attributes)
    clash = reduced.foreground == reduced.background != DEFAULT_COLOUR
    if clash and rendition.foreground != rendition.background:
        reduced = reduced._replace(foreground=7 if reduced.background in {0, 4, 8} else 0)
    return reduced


class RenditionMap(dict[Rendition, Rendition]):
    """A bounded cache: the renditions that a function returns for renditions."""

    def __init__(self, find: Callable[[Rendition], Rendition]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, rendition: Rendition) -> Rendition:
        if len(self) > KNOWN_RENDITIONS:
            self.clear()
        self[rendition] = found = self._find(rendition)
        return found


class Palette:
    """The renditions sent to one terminal for those that the app asks for.

    Attributes:
        drawn: For cells with text, by `reduce_rendition`.
        blank: For blank cells, by `blank_rendition` of the same.
    """

    def __init__(self, capabilities: Capabilities) -> None:
        self.drawn = RenditionMap(lambda rendition: reduce_rendition(rendition, capabilities))
        self.blank = RenditionMap(lambda rendition: blank_rendition(self.drawn[rendition]))


def _colour_codes(colour: int, base: int) -> list[str]:
    if colour == DEFAULT_COLOUR:
        return [str(base + 9)]
    if colour < 8:
        return [str(base + colour)]
    if colour < 16:
        return [str(base + 52 + colour)]
    if colour < RGB:
        return [str(base + 8), "5", str(colour)]
    return [str(base + 8), "2", str(colour >> 16 & 255), str(colour >> 8 & 255), str(colour & 255)]


# First of the SGR codes of the eight colours; 8 more announces an extended colour, 9 more is the default.
FOREGROUND, BACKGROUND = 30, 40


def _attribute_codes(attributes: int) -> list[str]:
    return [str(code) for attribute, code in _ATTRIBUTE_CODES.items() if attributes & attribute]


@lru_cache(maxsize=8192)
def sgr(before: Rendition | None, after: Rendition, attribute_off: bool) -> str:
    """Return the shortest sequence that turns one rendition into another.

    Args:
        before: The terminal's rendition now; None when it is not known.
        after: The rendition wanted.
        attribute_off: Whether the terminal knows the codes that end a single attribute.

    Returns:
        The sequence; empty when nothing changes.
    """
    if before == after:
        return ""
    whole = _after_reset(after)
    if before is None:
        return whole
    ended = before.attributes & ~after.attributes
    if ended and not attribute_off:
        return whole
    delta = f"\x1b[{';'.join(_changes(before, after))}m"
    return delta if len(delta) <= len(whole) else whole


def _after_reset(after: Rendition) -> str:
    codes = _attribute_codes(after.attributes)
    if after.foreground != DEFAULT_COLOUR:
        codes += _colour_codes(after.foreground, FOREGROUND)
    if after.background != DEFAULT_COLOUR:
        codes += _colour_codes(after.background, BACKGROUND)
    # An empty first parameter is zero: reset, then the codes of the rendition.
    return f"\x1b[{';'.join(['', *codes])}m" if codes else "\x1b[m"


def _changes(before: Rendition, after: Rendition) -> list[str]:
    """List the codes that end and begin single attributes and change colours."""
    ended = before.attributes & ~after.attributes
    begun = after.attributes & ~before.attributes
    codes: list[str] = []
    if ended & (BOLD | DIM):
        # One code ends both; the one that is to stay begins again.
        codes.append("22")
        begun |= after.attributes & (BOLD | DIM)
    codes += [str(code) for attribute, code in _OFF_CODES.items() if ended & attribute]
    codes += _attribute_codes(begun)
    if before.foreground != after.foreground:
        codes += _colour_codes(after.foreground, FOREGROUND)
    if before.background != after.background:
        codes += _colour_codes(after.background, BACKGROUND)
    return codes
