"""What a waiting room may see: numbers, clusters and rooms, read from the database; no people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core import feed
from core.clinic import Clinic
from core.database import connection
from core.models import QueueEntry, QueueEvent, Ticket
from core.queue_views import CALLABLE
from core.schemas.queues import WaitingRoomCall, WaitingRoomShape
from core.vocabulary import EntryAction, EntryStatus

SHOWN_CALLS = 6
"""How many numbers are shown, the newest big."""


def waiting_room(clinic: Clinic) -> WaitingRoomShape:
    """The numbers called or served now, and how many wait: a restart changes nothing."""
    with connection():
        sequence = feed.newest_sequence()
        rows = list(
            QueueEntry.select(QueueEntry, Ticket)
            .join(Ticket)
            .where(QueueEntry.service_on == clinic.today(), QueueEntry.voided_at.is_null())
        )
        shown = [row for row in rows if row.status in {EntryStatus.CALLED, EntryStatus.IN_SERVICE}]
        last = _last_calls(shown)
    shown.sort(key=lambda row: last[row.id], reverse=True)
    return WaitingRoomShape(
        sequence=sequence,
        facility=clinic.settings.facility_name,
        language=clinic.settings.language,
        waiting={
            cluster.name: sum(row.cluster == cluster.code and row.status in CALLABLE for row in rows)
            for cluster in clinic.clusters.values()
        },
        calls=[
            WaitingRoomCall(
                number=row.ticket.number,
                cluster=clinic.clusters[row.cluster].name,
                room=row.service_point or clinic.clusters[row.cluster].room,
                at=last[row.id][0].astimezone(clinic.zone).strftime("%H:%M"),
                calls=row.call_count,
            )
            for row in shown[:SHOWN_CALLS]
        ],
    )


def _last_calls(rows: Sequence[QueueEntry]) -> dict[str, tuple[datetime, int]]:
    """Entry -> when it was called last, again included, and that event's sequence.

    Who was taken into a room without a call counts as called at that moment.
    """
    calls = {row.id: (row.called_at, 0) for row in rows}
    events = QueueEvent.select(QueueEvent.entry, QueueEvent.at, QueueEvent.sequence).where(
        QueueEvent.entry.in_(list(calls)),
        QueueEvent.action.in_([EntryAction.CALL, EntryAction.RECALL]),
        QueueEvent.undone_at.is_null(),
    )
    for event in events.order_by(QueueEvent.sequence):
        calls[event.entry_id] = (event.at, event.sequence)
    return calls
