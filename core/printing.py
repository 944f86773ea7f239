"""Documents on paper: what stands on them, and the bytes a printer wants for it.

Whoever has something to print (a ticket, a certificate, a referral letter) makes a `PrintDocument`
of translated lines; nothing else knows of printers. Pure: bytes out, no device.

ESC/POS: Epson's "ESC/POS Application Programming Guide", the commands that thermal printers of
every make understand. Letters are ASCII, because code pages differ between makes and Indonesian
needs nothing else; others become their nearest letter.
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Annotated

from pydantic import Field

from core.schemas.base import Shape, SpacedLine
from core.vocabulary import PrintStyle

NARROWEST, WIDEST = 24, 136  # characters a row

INITIALISE = b"\x1b@"
LEFT, CENTRE = b"\x1ba\x00", b"\x1ba\x01"
BOLD_ON, BOLD_OFF = b"\x1bE\x01", b"\x1bE\x00"
DOUBLE_ON, DOUBLE_OFF = b"\x1d!\x11", b"\x1d!\x00"
FEED_AND_CUT = b"\n\n\n\x1dV\x42\x00"
QR_SETTINGS = (
    b"\x1d(k\x04\x001A2\x00"  # model 2
    b"\x1d(k\x03\x001C\x06"  # six dots a module: 25 modules are 19 mm
    b"\x1d(k\x03\x001E1"  # error correction M
)
QR_PRINT = b"\x1d(k\x03\x001Q0"


class PrintLine(Shape):
    """One line as it was meant; it is broken where the paper is narrower."""

    text: Annotated[SpacedLine, Field(max_length=500)] = ""
    style: PrintStyle = PrintStyle.PLAIN


class PrintDocument(Shape):
    """`POST print-jobs`: what is to stand on the paper, in words already translated."""

    lines: Annotated[list[PrintLine], Field(min_length=1, max_length=400)]


def to_text(document: PrintDocument, columns: int) -> bytes:
    """The document for a printer that knows letters only: CR LF after each row, a form feed at the end."""
    rows: list[str] = []
    for line in document.lines:
        broken = _broken(line.text, columns)
        rows += broken if line.style is PrintStyle.PLAIN else [row.center(columns).rstrip() for row in broken]
    return "".join(f"{row}\r\n" for row in rows).encode("ascii") + b"\r\n\r\n\f"


def to_escpos(document: PrintDocument, columns: int) -> bytes:
    """The document for a thermal printer, cut at the end."""
    return INITIALISE + b"".join(_escpos_line(line, columns) for line in document.lines) + FEED_AND_CUT


def _escpos_line(line: PrintLine, columns: int) -> bytes:
    if line.style is PrintStyle.QR:
        return CENTRE + _qr(line.text) + b"\n"
    double = line.style is PrintStyle.BIG
    rows = _broken(line.text, columns // 2 if double else columns)
    text = "".join(f"{row}\n" for row in rows).encode("ascii")
    if line.style is PrintStyle.PLAIN:
        return LEFT + text
    if line.style is PrintStyle.HEADING:
        return CENTRE + BOLD_ON + text + BOLD_OFF
    return CENTRE + (DOUBLE_ON + text + DOUBLE_OFF if double else text)


def _qr(text: str) -> bytes:
    data = _ascii(text).encode("ascii")
    length = len(data) + 3
    return QR_SETTINGS + b"\x1d(k" + bytes((length % 256, length // 256)) + b"1P0" + data + QR_PRINT


def _broken(text: str, columns: int) -> list[str]:
    return textwrap.wrap(_ascii(text), columns, drop_whitespace=True, break_on_hyphens=False) or [""]


def _ascii(text: str) -> str:
    """The nearest ASCII: marks go, letters of other scripts become question marks."""
    parts = (unicodedata.normalize("NFKD", character) for character in text)
    return "".join(
        letter if letter.isascii() else "?"
        for part in parts
        for letter in part
        if not unicodedata.combining(letter)
    )
