"""The bytes of a document for a thermal printer. Pure: no device.

Source: Epson's "ESC/POS Application Programming Guide"; these commands are understood by thermal
printers of every make.
"""

from __future__ import annotations

from core.foundation.codes import PrintStyle
from core.printing.documents import PrintDocument, PrintLine, broken_line, to_ascii

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


def to_escpos(document: PrintDocument, columns: int) -> bytes:
    """Return the document for a thermal printer, cut at the end.

    Args:
        document: The lines.
        columns: Characters a row of normal width.
    """
    return INITIALISE + b"".join(_escpos_line(line, columns) for line in document.lines) + FEED_AND_CUT


def _escpos_line(line: PrintLine, columns: int) -> bytes:
    if line.style in {PrintStyle.QR, PrintStyle.DRAWN_QR}:
        return CENTRE + _qr(line.text) + b"\n"
    double = line.style is PrintStyle.BIG
    rows = broken_line(line.text, columns // 2 if double else columns)
    text = "".join(f"{row}\n" for row in rows).encode("ascii")
    if line.style is PrintStyle.PLAIN:
        return LEFT + text
    if line.style is PrintStyle.HEADING:
        return CENTRE + BOLD_ON + text + BOLD_OFF
    return CENTRE + (DOUBLE_ON + text + DOUBLE_OFF if double else text)


def _qr(text: str) -> bytes:
    data = to_ascii(text).encode("ascii")
    length = len(data) + 3
    return QR_SETTINGS + b"\x1d(k" + bytes((length % 256, length // 256)) + b"1P0" + data + QR_PRINT
