"""The waiting room's display: numbers, clusters and rooms, read from the database; no people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus
from core.foundation.database import connection
from core.models import QueueEntry, QueueEvent, Ticket
from core.queues import service_days
from core.queues.entries import present
from core.queues.place_queries import CALLABLE
from core.schemas.queues import WaitingRoomCall, WaitingRoomOut

SHOWN_CALLS = 6
"""Numbers shown, the newest big."""


def waiting_room(clinic: Clinic) -> WaitingRoomOut:
    """Return the numbers called or in service now, and the number of waiting patients; a restart changes nothing."""
    with connection():
        sequence = feed.newest_sequence()
        rows = list(
            present(QueueEntry.select(QueueEntry, Ticket).join(Ticket), service_days.present_days(clinic))
        )
        shown = [row for row in rows if row.status in {EntryStatus.CALLED, EntryStatus.IN_SERVICE}]
        last = _last_calls(shown)
    shown.sort(key=lambda row: last[row.id], reverse=True)
    return WaitingRoomOut(
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
    """Return entry -> instant of its last call or repeated call, and that event's sequence.

    A patient taken into a room without a call counts as called at that moment.
    """
    calls = {row.id: (clock.known(row.called_at), 0) for row in rows}
    events = QueueEvent.select(QueueEvent.entry, QueueEvent.at, QueueEvent.sequence).where(
        QueueEvent.entry.in_(list(calls)),
        QueueEvent.action.in_([EntryAction.CALL, EntryAction.RECALL]),
        QueueEvent.undone_at.is_null(),
    )
    for event in events.order_by(QueueEvent.sequence):
        calls[event.entry_id] = (event.at, event.sequence)
    return calls
