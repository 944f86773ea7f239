"""Printing from a terminal: on the printer attached to it, otherwise on the clinic's.

A screen makes a `core.printing.documents.PrintDocument` of translated lines and hands it to `print_document`
in a worker; the result is a sentence for the status line.
"""

from __future__ import annotations

from typing import Protocol

from core.printing.documents import PrintDocument, to_text
from core.printing.escpos import to_escpos
from tui.client.errors import RefusedError, UnreachableError
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import _


class LocalPrinter(Protocol):
    """Something that may have a printer of its own: a terminal."""

    @property
    def prints_escpos(self) -> bool:
        """True where that printer takes ESC/POS; otherwise plain text."""

    def print_local(self, data: bytes) -> bool:
        """Print bytes; False where there is no printer."""


class NotPrintedError(Exception):
    """Nothing was printed; the text gives the reason and the remedy."""


async def print_document(session: Session, terminal: LocalPrinter | None, document: PrintDocument) -> str:
    """Print a document.

    Args:
        session: The person's.
        terminal: A terminal that may have a printer of its own.
        document: Translated lines.

    Returns:
        A sentence that names the printer used.

    Raises:
        NotPrintedError: The document could not be printed; it can be printed again.
    """
    columns = session.clinic.printer_columns
    if terminal is not None:
        render = to_escpos if terminal.prints_escpos else to_text
        if terminal.print_local(render(document, columns)):
            return _("Sent to the printer at this terminal.")
    if not session.clinic.has_printer:
        raise NotPrintedError(_("There is no printer at this terminal; write the number down."))
    try:
        await session.client.printing.print_document(document)
    except RefusedError as refusal:
        raise NotPrintedError(problem_words.problem_text(refusal.problem)) from refusal
    except UnreachableError as error:
        raise NotPrintedError(_("Not printed: the server does not answer. Print it again later.")) from error
    return _("Printed.")
