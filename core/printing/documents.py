"""Documents to print: translated lines, and the bytes for a printer that knows letters only. Pure.

Code that prints (a ticket, a certificate, a referral letter) makes a `PrintDocument` of translated
lines; nothing else knows of printers. Text is reduced to ASCII, because code pages differ between
makes and Indonesian needs nothing else; other letters become their nearest one.
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Annotated

import segno
from pydantic import Field

from core.foundation.codes import PrintStyle
from core.schemas.base import Schema, SpacedLine

QUIET = 2  # modules of margin; the paper around it gives the rest


class PrintLine(Schema):
    """One line; it is broken where the paper is narrower."""

    text: Annotated[SpacedLine, Field(max_length=500)] = ""
    style: PrintStyle = PrintStyle.PLAIN


class PrintDocument(Schema):
    """`POST print-jobs`: the lines on the paper, already translated."""

    lines: Annotated[list[PrintLine], Field(min_length=1, max_length=400)]


def to_text(document: PrintDocument, columns: int) -> bytes:
    """Return the document for a text printer: CR LF after each row, a form feed at the end.

    Args:
        document: The lines.
        columns: Characters a row.
    """
    rows: list[str] = []
    for line in document.lines:
        if line.style is PrintStyle.DRAWN_QR:
            rows += drawn_qr(line.text, columns)
            continue
        broken = broken_line(line.text, columns)
        rows += broken if line.style is PrintStyle.PLAIN else [row.center(columns).rstrip() for row in broken]
    return "".join(f"{row}\r\n" for row in rows).encode("ascii") + b"\r\n\r\n\f"


def drawn_qr(text: str, columns: int) -> list[str]:
    """Return a QR code drawn by characters, two to a module; the text alone where the paper is too narrow.

    Args:
        text: Best in capitals and digits: 20 of them take 21 by 21 modules.
        columns: Characters a row.
    """
    code = segno.make_qr(to_ascii(text), error="m", boost_error=False)
    rows = [
        "".join("##" if module else "  " for module in row).rstrip() for row in code.matrix_iter(border=QUIET)
    ]
    is_too_wide = 2 * (code.symbol_size(border=QUIET)[0]) > columns
    return broken_line(text, columns) if is_too_wide else rows


def broken_line(text: str, columns: int) -> list[str]:
    """Return the text in ASCII, broken into rows of at most so many characters; one empty row for no text."""
    return textwrap.wrap(to_ascii(text), columns, drop_whitespace=True, break_on_hyphens=False) or [""]


def to_ascii(text: str) -> str:
    """Return the nearest ASCII: marks are dropped, letters of other scripts become question marks."""
    parts = (unicodedata.normalize("NFKD", character) for character in text)
    return "".join(
        letter if letter.isascii() else "?"
        for part in parts
        for letter in part
        if not unicodedata.combining(letter)
    )
