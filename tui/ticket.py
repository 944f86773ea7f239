"""The patient's ticket: number, cluster, wait and the address of its page; no name.

Tickets are dropped and found by others.
"""

from __future__ import annotations

from core.foundation.codes import PrintStyle
from core.printing.documents import PrintDocument, PrintLine
from core.queues.ticket_codes import ticket_address
from core.schemas.clinic import ClinicOut
from core.schemas.queues import EntryOut
from core.schemas.registration import TicketOut
from tui.text.formatting import instant_text
from tui.text.translation import _


def page_address(clinic: ClinicOut, ticket: TicketOut) -> str:
    """Return the address of the page that shows the ticket's place; empty where the clinic has none."""
    return ticket_address(clinic.public_url, ticket.id) if clinic.public_url else ""


def ticket_of(entry: EntryOut) -> TicketOut:
    """Return the number that a patient holds who was moved, or moved back."""
    return TicketOut(
        id=entry.id,
        number=entry.number,
        cluster=entry.cluster,
        status=entry.status,
        position=entry.position,
        issued_at=entry.issued_at,
        expected_wait_minutes=entry.expected_wait_minutes,
        priority=entry.priority,
    )


def ticket_document(clinic: ClinicOut, ticket: TicketOut, cluster: str) -> PrintDocument:
    """Return the ticket as a document to print.

    Args:
        clinic: The clinic's settings.
        ticket: The ticket.
        cluster: Name of the cluster.

    Returns:
        The document.
    """
    lines = [
        PrintLine(text=clinic.facility_name, style=PrintStyle.HEADING),
        PrintLine(),
        PrintLine(text=cluster, style=PrintStyle.CENTRED),
        PrintLine(text=ticket.number, style=PrintStyle.BIG),
    ]
    if ticket.expected_wait_minutes is not None:
        wait = _("Expected wait: about {number} minutes").format(number=ticket.expected_wait_minutes)
        lines.append(PrintLine(text=wait, style=PrintStyle.CENTRED))
    issued = instant_text(ticket.issued_at, clinic.timezone)
    lines.append(PrintLine(text=issued, style=PrintStyle.CENTRED))
    address = page_address(clinic, ticket)
    if address:
        lines += [
            PrintLine(),
            PrintLine(text=_("Your place in the queue:"), style=PrintStyle.CENTRED),
            PrintLine(text=address, style=PrintStyle.QR),
            PrintLine(text=address.partition("://")[2], style=PrintStyle.CENTRED),
        ]
    return PrintDocument(lines=lines)
