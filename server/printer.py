"""The clinic's printer on the network or at the server, as `LOKET_PRINTER` names it.

Nothing waits for it: a registration is saved before its ticket is printed, and every step here has
an end in time, so that a printer without paper costs a sentence on the screen and no more.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import threading
import time

from core.foundation.errors import PrinterError
from core.printing.documents import PrintDocument, to_text
from core.printing.escpos import to_escpos

CONNECT_SECONDS = 3.0  # a printer on the local network answers at once or is off
SEND_SECONDS = 5.0  # for a whole document; a printer without paper stops reading
ASK_SECONDS = 0.3  # seconds; a printer that cannot report its state says nothing
BUSY_SECONDS = 6.0  # wait for the document before this one: just longer than its sending
PAPER_STATUS = b"\x10\x04\x04"  # ESC/POS DLE EOT 4: the roll's sensor
PAPER_OUT = 0x60  # bits of its answer that report the end of the roll
_NETWORK = re.compile(r"^(?P<host>[^/]+):(?P<port>\d{1,5})$")

_one_at_a_time = threading.Lock()  # one document at a time: tickets must not run into each other


def print_document(printer: str, columns: int, document: PrintDocument) -> None:
    """Print within seconds, or fail.

    Args:
        printer: `host:port`, or the path of a device or file.
        columns: Letters in a row.
        document: Content to print.

    Raises:
        PrinterError: `no_printer`, `printer_unreachable`, `printer_no_paper` or `printer_busy`.
    """
    if not printer:
        raise PrinterError("no_printer")
    network = _NETWORK.match(printer)
    plain = network is None and printer.endswith(".txt")
    data = to_text(document, columns) if plain else to_escpos(document, columns)
    if not _one_at_a_time.acquire(timeout=BUSY_SECONDS):
        raise PrinterError("printer_busy")
    try:
        if network is not None:
            _send(network["host"].strip("[]"), int(network["port"]), data)
        else:
            _write(printer, data)
    except OSError as error:
        raise PrinterError(_code(error)) from error
    finally:
        _one_at_a_time.release()


def _code(error: OSError) -> str:
    return "printer_no_paper" if error.errno == errno.ENOSPC else "printer_unreachable"


def _send(host: str, port: int, data: bytes) -> None:
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as connection:
        connection.sendall(PAPER_STATUS)
        connection.settimeout(ASK_SECONDS)
        try:
            status = connection.recv(1)
        except TimeoutError:
            status = b""
        if status and status[0] & PAPER_OUT:
            raise PrinterError("printer_no_paper")
        connection.settimeout(SEND_SECONDS)
        connection.sendall(data)


def _write(path: str, data: bytes) -> None:
    """Append to a file, or feed a device that may stop taking bytes."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    try:
        until = time.monotonic() + SEND_SECONDS
        while data:
            _, ready, _ = select.select([], [file], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise PrinterError("printer_unreachable")
            data = data[os.write(file, data) :]
    finally:
        os.close(file)
