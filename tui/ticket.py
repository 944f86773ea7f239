"""The ticket a patient holds, as bytes for the printer at the terminal."""

from __future__ import annotations

import unicodedata

from core.schemas import ClinicShape, TicketShape
from tui.formatting import instant_text
from tui.text import _

COLUMNS = 32  # a 58 mm roll
DOUBLE_ON, DOUBLE_OFF = b"\x1d!\x11", b"\x1d!\x00"  # ESC/POS GS ! n: twice as wide and high
CENTRE, INITIALISE = b"\x1ba\x01", b"\x1b@"
FEED = b"\n\n\n\n"


def _ascii(text: str) -> bytes:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain[:COLUMNS].encode()


def ticket_bytes(clinic: ClinicShape, ticket: TicketShape, cluster: str) -> bytes:
    """Number, cluster, wait and time; no name: tickets are dropped and found by others."""
    lines = [_ascii(clinic.facility_name), b"", _ascii(cluster), b""]
    tail = [b""]
    if ticket.expected_wait_minutes is not None:
        tail.append(
            _ascii(_("Expected wait: about {number} minutes").format(number=ticket.expected_wait_minutes))
        )
    tail.append(_ascii(instant_text(ticket.issued_at, clinic.timezone)))
    head = INITIALISE + CENTRE + b"\n".join(lines)
    return head + b"\n" + DOUBLE_ON + ticket.number.encode() + DOUBLE_OFF + b"\n" + b"\n".join(tail) + FEED
