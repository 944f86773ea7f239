"""Tickets: the numbers of a cluster and day, and the places in a queue that go with them.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, create, given, given_for
from core.models import Appointment, LentNumber, QueueEntry, Ticket, TicketCounter, Visit
from core.queues import transitions, turns


@dataclass(frozen=True)
class Place:
    """A place in a queue, as it is given to a visit."""

    priority: str
    """`Priority` code."""
    priority_reason: str = ""
    """A code, or words."""
    queued_at: datetime | None = None
    """Instant since which the patient counts as waiting; when the place is given unless set."""
    came_from: QueueEntry | None = None
    """The entry that ended for this one."""
    returns_to: QueueEntry | None = None
    """On a round trip, the entry to go back to."""
    reserved_for: str | None = None
    """Account id of the clinician to whom the patient comes back."""
    arrived_at: datetime | None = None
    """For whoever is entered after they came: the true time, by which their turn is."""
    paper: LentNumber | None = None
    """The printed form of this cluster, or the lent number, that the patient holds: its number is the ticket's."""
    entry_id: str = ""
    """An id that a counter gave out for the entry; empty: a new one."""
    ticket_id: str = ""
    """And for the ticket."""


def issue(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    cluster: str,
    place: Place,
    *,
    at: datetime,
    sequence: int | None = None,
) -> QueueEntry:
    """Give out a number of a cluster and put the visit into its queue.

    Args:
        clinic: For the cluster's prefix.
        actor: Actor who sends the patient there.
        visit: The patient's visit.
        cluster: Code of the cluster.
        place: Priority and origin of the new entry.
        at: Instant of the ticket.
        sequence: A number that was kept for the patient; otherwise the next one.
    """
    day = visit.service_on
    given, issued_at = _drawn(clinic, cluster, day, place, sequence), at
    turn = turns.of_number(given.sequence)
    if place.arrived_at is not None and sequence is None:
        turn = turns.of_arrival(cluster, day, place.arrived_at)
        issued_at = at if place.paper is None else place.arrived_at
    ticket = create(
        Ticket,
        id=place.ticket_id or new_id(),
        cluster=cluster,
        service_on=day,
        sequence=given.sequence,
        number=given.number,
        turn=turn,
        visit=visit,
        issued_at=issued_at,
    )
    return enter_queue(actor, visit, ticket, place, at)


class _Drawn(NamedTuple):
    """A number for one patient."""

    sequence: int
    number: str


def _drawn(clinic: Clinic, cluster: str, day: date, place: Place, kept: int | None) -> _Drawn:
    """Return the number that was kept for the patient, that of the form in hand, or the next one."""
    if kept is None and place.paper is not None:
        return _Drawn(-place.paper.sequence, place.paper.number)
    sequence = kept if kept is not None else next_sequence(cluster, day)
    return _Drawn(sequence, ticket_number(clinic, cluster, sequence))


def next_sequence(cluster: str, day: date) -> int:
    """Draw the next number of a cluster and day; one that somebody still holds from another day is passed over.

    A counter's row, updated under the transaction's lock: an error rolls it back, so there are no gaps by errors.
    """
    held = _numbers_held(cluster, day)
    while (sequence := _draw(cluster, day)) in held:
        pass
    return sequence


def _numbers_held(cluster: str, day: date) -> set[int]:
    """Return the numbers of other days whose holders are still in some queue: they may come back to this one."""
    return {sequence for (sequence,) in _HELD.rows(cluster=cluster, day=day.isoformat())}


_HELD = Statement(
    lambda: (
        # From the few entries that are open to their visits' tickets. The cluster is compared in a way that no index
        # serves: by it alone all tickets of all years would be walked over.
        "SELECT t.sequence FROM queue_entry AS q CROSS JOIN ticket AS t WHERE t.visit_id = q.visit_id"
        " AND q.ended_at IS NULL AND q.voided_at IS NULL AND q.service_on <> :day"
        " AND t.cluster || '' = :cluster AND t.service_on <> :day"
    )
)


def _draw(cluster: str, day: date) -> int:
    return int(_DRAW.value(cluster=cluster, day=day))


def _count_on() -> Any:
    first = {
        TicketCounter.cluster: given_for(TicketCounter.cluster, "cluster"),
        TicketCounter.service_on: given_for(TicketCounter.service_on, "day"),
        TicketCounter.last_number: 1,
    }
    return (
        TicketCounter.insert(first)
        .on_conflict(
            conflict_target=[TicketCounter.cluster, TicketCounter.service_on],
            update={TicketCounter.last_number: TicketCounter.last_number + 1},
        )
        .returning(TicketCounter.last_number)
    )


_DRAW = Statement(_count_on)


def lost_sequence(clinic: Clinic, cluster: str, day: date, number: str) -> int | None:
    """Return the sequence of a number that was given out and that nobody has: its row was lost with a disk.

    Args:
        clinic: For the cluster's prefix.
        cluster: Code of the cluster.
        day: The service day.
        number: As the patient's ticket says, `A-017`.

    Returns:
        None for a number of another cluster, one that somebody has, and one that was never given out.
    """
    prefix, _dash, digits = number.strip().upper().rpartition("-")
    if prefix != clinic.clusters[cluster].prefix or not (digits.isascii() and digits.isdigit()):
        return None
    sequence = int(digits)
    is_given = 0 < sequence <= int(_LAST.value(cluster=cluster, day=day) or 0)
    is_held = _HOLDER.first(cluster=cluster, day=day, sequence=sequence) is not None
    is_kept = _KEPT.first(cluster=cluster, day=day, sequence=sequence) is not None
    return sequence if is_given and not is_held and not is_kept else None


_LAST = Statement(
    lambda: TicketCounter.select(TicketCounter.last_number).where(
        TicketCounter.cluster == given("cluster"), TicketCounter.service_on == given("day")
    )
)


def _of_number(table: Any) -> Any:
    return table.select(table.id).where(
        table.cluster == given("cluster"),
        table.service_on == given("day"),
        table.sequence == given("sequence"),
    )


_HOLDER = Statement(lambda: _of_number(Ticket))
_KEPT = Statement(lambda: _of_number(Appointment))


def ticket_number(clinic: Clinic, cluster: str, sequence: int) -> str:
    """Return a number as it is printed and called: `A-001`.

    Args:
        clinic: The clinic, for the cluster's prefix.
        cluster: The cluster's code.
        sequence: The number within cluster and day, from 1.
    """
    return f"{clinic.clusters[cluster].prefix}-{sequence:03d}"


def enter_queue(actor: Actor, visit: Visit, ticket: Ticket, place: Place, at: datetime) -> QueueEntry:
    """Begin an entry in the queue of the ticket's cluster.

    Args:
        actor: Actor who sends the patient there.
        visit: The patient's visit.
        ticket: A new one, or the one that the patient had in this cluster before.
        place: Priority and origin of the new entry.
        at: Instant of its beginning.
    """
    entry = create(
        QueueEntry,
        id=place.entry_id or new_id(),
        visit=visit,
        ticket=ticket,
        cluster=ticket.cluster,
        service_on=visit.service_on,
        status=EntryStatus.WAITING,
        priority=place.priority,
        priority_reason=place.priority_reason,
        queued_at=place.queued_at or at,
        started_at=at,
        came_from=place.came_from,
        returns_to=place.returns_to,
        reserved_for=place.reserved_for,
    )
    transitions.record_transition(actor, entry, EntryAction.ISSUE, None, {}, at)
    return entry
