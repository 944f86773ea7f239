"""The ticket a patient holds: number, cluster, wait and the way to its page; no name.

Tickets are dropped and found by others.
"""

from __future__ import annotations

from core.printing import PrintDocument, PrintLine
from core.schemas.clinic import ClinicShape
from core.schemas.registration import TicketShape
from core.ticket_codes import ticket_address
from core.vocabulary import PrintStyle
from tui.formatting import instant_text
from tui.text import _


def page_address(clinic: ClinicShape, ticket: TicketShape) -> str:
    """Where this number's place is shown; empty where the clinic has no such page."""
    return ticket_address(clinic.public_url, ticket.id) if clinic.public_url else ""


def ticket_document(clinic: ClinicShape, ticket: TicketShape, cluster: str) -> PrintDocument:
    """The ticket as it is printed."""
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
