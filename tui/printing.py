"""Printing from a terminal: on the printer that hangs on it, otherwise on the clinic's.

A screen makes a `core.printing.PrintDocument` of translated lines and hands it to `print_document`
in a worker; what comes back is a sentence for the status line.
"""

from __future__ import annotations

from typing import Protocol

from core.printing import PrintDocument, to_escpos, to_text
from tui import words
from tui.client import Refused, UnreachableError
from tui.session import Session
from tui.text import _


class LocalPrinter(Protocol):
    """Something that may have a printer of its own: a terminal."""

    @property
    def prints_escpos(self) -> bool:
        """Whether that printer takes ESC/POS; otherwise plain text."""

    def print_local(self, data: bytes) -> bool:
        """Print bytes; False where there is no printer."""


class NotPrintedError(Exception):
    """Nothing was printed; the text says why and what to do."""


async def print_document(session: Session, terminal: LocalPrinter | None, document: PrintDocument) -> str:
    """Print, and say where.

    Raises:
        NotPrintedError: It could not be printed; what was to be printed is safe and can be printed again.
    """
    columns = session.clinic.printer_columns
    if terminal is not None:
        render = to_escpos if terminal.prints_escpos else to_text
        if terminal.print_local(render(document, columns)):
            return _("Sent to the printer at this terminal.")
    if not session.clinic.has_printer:
        raise NotPrintedError(_("There is no printer at this terminal; write the number down."))
    try:
        await session.client.print_document(document)
    except Refused as refusal:
        raise NotPrintedError(words.problem_text(refusal.problem)) from refusal
    except UnreachableError as error:
        raise NotPrintedError(_("Not printed: the server does not answer. Print it again later.")) from error
    return _("Printed.")
