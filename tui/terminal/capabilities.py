"""Detects the capabilities of a client's terminal from its TERM, its environment and the settings.

The terminal is never asked (a question costs a round trip, and old terminals print the answer's beginning on
the screen): the name it gives itself decides, and a setting can overrule each point.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum


class Colours(IntEnum):
    """Numbers of colours that a terminal shows, in rising order."""

    NONE = 0
    EIGHT = 8
    SIXTEEN = 16
    PALETTE = 256
    TRUE = 1 << 24


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The sequences that one terminal understands, and its printer.

    Attributes:
        term: The name the client gave, lower case; for the log and for screens that wish to show it.
        colours: Colour depth the encoder reduces to.
        utf8: Whether characters beyond ASCII may be sent; otherwise the nearest ASCII is.
        addressable: Whether the cursor can be placed at all; a dumb terminal gets line mode instead.
        row_column_address: `CSI n d` and `CSI n G`.
        background_erase: Erased cells take the current background ("bce").
        erase_characters: `CSI n X`.
        insert_delete_lines: `CSI n L` and `CSI n M`.
        insert_delete_characters: `CSI n @` and `CSI n P`.
        scroll_region: `CSI t;b r`, used for shifts where lines cannot be inserted.
        attribute_off: `CSI 22 m` and its kin end one attribute; otherwise all are reset.
        bold, dim, italic, underline, strike: Attributes shown; others are left out.
        alternate_screen: `CSI ? 1049 h`, so that the shell's screen comes back at the end.
        bracketed_paste: `CSI ? 2004 h`, so that pasted line ends are not taken for Enter.
        flow_control: The terminal stops and starts us by itself (XOFF, XON): what arrives as Ctrl+S and Ctrl+Q is
            no key. A VT does when its buffer or its printer is full.
        printer: A printer is attached to the terminal and takes the bytes between `CSI 5 i` and `CSI 4 i`.
        escpos: That printer is a thermal one that takes ESC/POS; otherwise it gets plain text.
    """

    term: str = "xterm"
    colours: Colours = Colours.SIXTEEN
    utf8: bool = True
    addressable: bool = True
    row_column_address: bool = True
    background_erase: bool = True
    erase_characters: bool = True
    insert_delete_lines: bool = True
    insert_delete_characters: bool = True
    scroll_region: bool = True
    attribute_off: bool = True
    bold: bool = True
    dim: bool = True
    italic: bool = True
    underline: bool = True
    strike: bool = True
    alternate_screen: bool = True
    bracketed_paste: bool = True
    flow_control: bool = False
    printer: bool = False
    escpos: bool = True


_XTERM = Capabilities()
_VT220 = replace(
    _XTERM,
    term="vt220",
    colours=Colours.NONE,
    utf8=False,
    row_column_address=False,
    background_erase=False,
    dim=False,
    italic=False,
    strike=False,
    alternate_screen=False,
    bracketed_paste=False,
    flow_control=True,
)
_VT100 = replace(
    _VT220,
    term="vt100",
    erase_characters=False,
    insert_delete_lines=False,
    insert_delete_characters=False,
    attribute_off=False,
)
_UNKNOWN = replace(_VT100, term="unknown", flow_control=False)
_SCREEN = replace(
    _XTERM, term="screen", background_erase=False, erase_characters=False, italic=False, strike=False
)

# The longest prefix of TERM wins. The Linux console paints faint text in a colour of its own: not used there.
_FAMILIES: dict[str, Capabilities] = {
    "xterm": _XTERM,
    "putty": replace(_XTERM, term="putty", dim=False, italic=False),
    "linux": replace(
        _XTERM,
        term="linux",
        colours=Colours.EIGHT,
        dim=False,
        italic=False,
        strike=False,
        alternate_screen=False,
        bracketed_paste=False,
    ),
    "screen": _SCREEN,
    # tmux keeps the background of erased cells only since 2.x and when told so: not relied on.
    "tmux": replace(_SCREEN, term="tmux", erase_characters=True, italic=True, strike=True),
    "rxvt": replace(_XTERM, term="rxvt", dim=False, strike=False),
    "vt100": _VT100,
    "vt102": replace(_VT100, term="vt102", insert_delete_lines=True),
    "vt220": _VT220,
    "vt": _VT100,
    "vte": _XTERM,
    "ansi": replace(_UNKNOWN, term="ansi", colours=Colours.EIGHT),
    "dumb": replace(
        _UNKNOWN, term="dumb", addressable=False, scroll_region=False, bold=False, underline=False
    ),
}


def _family(term: str) -> Capabilities:
    best = max((name for name in _FAMILIES if term.startswith(name)), key=len, default="")
    if best:
        return replace(_FAMILIES[best], term=term)
    # alacritty, kitty, foot, wezterm, konsole, st-256color … all speak xterm.
    known = ("alacritty", "kitty", "foot", "wezterm", "konsole", "st-", "gnome", "mintty", "contour", "iterm")
    return replace(_XTERM if term.startswith(known) else _UNKNOWN, term=term)


def _colours(term: str, environment: Mapping[str, str], base: Colours) -> Colours:
    if "NO_COLOR" in environment:
        return Colours.NONE
    if base is Colours.NONE:
        return base
    if environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or term.endswith("-direct"):
        return Colours.TRUE
    if "256color" in term:
        return Colours.PALETTE
    if term.endswith("-16color"):
        return Colours.SIXTEEN
    if term.endswith("-mono"):
        return Colours.NONE
    return base


def _speaks_utf8(environment: Mapping[str, str], base: bool) -> bool:
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    if "." not in locale:
        # "C" and names without a character set say nothing about the terminal itself.
        return base
    charset = locale.partition(".")[2].partition("@")[0]
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return base


def detect(
    term: str | None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Capabilities:
    """Detect a terminal's capabilities.

    Args:
        term: TERM as the client gave it; None or "" when it has no terminal (then as "dumb").
        environment: The client's variables; `COLORTERM`, `NO_COLOR`, `LC_ALL`, `LC_CTYPE` and `LANG` are
            read, and `LOKET_TERMINAL`, which a client may send to overrule single points:
            `LOKET_TERMINAL="utf8=no,colours=8,printer=yes"`.
        overrides: Field names of `Capabilities` with their values, from the settings; they win over all.

    Returns:
        The capabilities. Unknown names get the safest set that can place the cursor (vt100: ASCII, no
        colour).
    """
    environment = environment or {}
    name = (term or "dumb").lower()
    base = _family(name)
    found = replace(
        base,
        colours=_colours(name, environment, base.colours),
        utf8=_speaks_utf8(environment, base.utf8),
    )
    wishes = {**parse_overrides(environment.get("LOKET_TERMINAL", "")), **(overrides or {})}
    return replace(found, **wishes)  # type: ignore[arg-type]


def parse_overrides(text: str) -> dict[str, object]:
    """Read `name=value` pairs, separated by commas, into fields of `Capabilities`.

    Values of yes-or-no fields are yes, no, true, false, 1 or 0; `colours` is 0, 8, 16, 256 or true. Pairs
    that make no sense are left out: they come from the client's environment, and a wrong one must not lock
    it out.
    """
    switches = {field.name for field in fields(Capabilities)} - {"term", "colours"}
    depths = {"0": Colours.NONE, "8": Colours.EIGHT, "16": Colours.SIXTEEN, "256": Colours.PALETTE}
    depths |= {"true": Colours.TRUE, "mono": Colours.NONE}
    found: dict[str, object] = {}
    for pair in text.split(","):
        name, _, value = (part.strip().lower() for part in pair.partition("="))
        if name in switches and value in {"yes", "true", "1", "no", "false", "0"}:
            found[name] = value in {"yes", "true", "1"}
        elif name == "colours" and value in depths:
            found[name] = depths[value]
    return found
