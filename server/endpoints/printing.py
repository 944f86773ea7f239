"""Printing on the clinic's printer."""

from __future__ import annotations

from core.foundation.codes import Permission
from core.printing.documents import PrintDocument
from server import printer
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("printing")


@router.post("/print-jobs", status_code=204)
def print_document(body: PrintDocument, actor: ActorNow, clinic: ClinicNow) -> None:
    """Print a document on the printer of LOKET_PRINTER; 503 with the reason when it cannot be printed."""
    actor.require(Permission.PRINT)
    printer.print_document(clinic.settings.printer, clinic.settings.printer_columns, body)
