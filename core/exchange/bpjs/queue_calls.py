"""The calls that the queue of Mobile JKN should have got about a visit, in order: pure, from the queue's own rows.

A number given at the counter is added, the patient's being there or not is told when a room finds out, and a number
whose patient is not served after all is cancelled. A round trip to the laboratory or the pharmacy is no new number.

Source: docs/reference/bpjs.md 10.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.foundation.codes import EntryAction, EntryStatus
from core.models import QueueEntry, QueueEvent

ADD, CALL, CANCEL = "add", "panggil", "batal"
"""Last words of the calls' paths."""
PRESENT, ABSENT = 1, 2
UNSERVED = frozenset({EntryStatus.LEFT})
"""Ways in which a place ends without the patient having been there."""


@dataclass(frozen=True)
class QueueCall:
    """One call, before its body is made."""

    kind: str
    ticket: str
    """Our id of the number."""
    at: datetime
    mark: str = ""
    """Tells it from another of its kind about the same number."""
    status: int = 0
    """`PRESENT` or `ABSENT`, of a `panggil`."""

    @property
    def key(self) -> str:
        """The name under which it is remembered once it is settled."""
        return ":".join(filter(None, (self.kind, self.ticket, self.mark)))


@dataclass(frozen=True)
class Number:
    """Everything that became of one number."""

    ticket: str
    entries: Sequence[QueueEntry]
    events: Sequence[QueueEvent]
    """Of its entries, in order, the undone ones among them."""
    booked: bool = False
    """True if BPJS gave it to the patient itself, by Mobile JKN."""
    is_taken_back: bool = False
    """True if the visit is void."""


def wanted_calls(number: Number, done: Collection[str]) -> list[QueueCall]:
    """Return the calls about one number, in order.

    Args:
        number: With its entries and events.
        done: Keys of the calls that are settled.
    """
    first = min(entry.started_at for entry in number.entries)
    calls = [] if number.booked else [QueueCall(ADD, number.ticket, first)]
    calls += _presence(number)
    calls += _cancelled(number, done)
    return sorted(calls, key=lambda call: call.at)


def _presence(number: Number) -> list[QueueCall]:
    """Return what was told of the patient's being there: absent as often as nobody answered, present once."""
    served = min((entry.served_at for entry in number.entries if entry.served_at is not None), default=None)
    missed = [event for event in number.events if _is_miss(event) and (served is None or event.at < served)]
    calls = [QueueCall(CALL, number.ticket, event.at, f"absent-{event.sequence}", ABSENT) for event in missed]
    if served is not None:
        calls.append(QueueCall(CALL, number.ticket, served, "present", PRESENT))
    return calls


def _is_miss(event: QueueEvent) -> bool:
    """Return whether an event says that the patient was not there."""
    if event.undone_at is not None or event.action == EntryAction.UNDO:
        return False
    return event.action == EntryAction.SKIP or event.to_status in UNSERVED


def _cancelled(number: Number, done: Collection[str]) -> list[QueueCall]:
    """Return that the number was cancelled, and given again where that was undone after BPJS had heard of it."""
    if any(entry.served_at is not None for entry in number.entries):
        return []
    calls: list[QueueCall] = []
    for event in number.events:
        if not _is_cancel(event):
            continue
        cancel = QueueCall(CANCEL, number.ticket, event.at, str(event.sequence))
        if event.undone_at is None:
            calls.append(cancel)
        elif cancel.key in done:
            calls += [cancel, QueueCall(ADD, number.ticket, event.undone_at, str(event.sequence))]
    return calls or _taken_back(number)


def _is_cancel(event: QueueEvent) -> bool:
    """Return whether an event ended a place whose patient goes to another one, or home."""
    return event.to_status in {EntryStatus.CANCELLED, EntryStatus.TRANSFERRED} and event.action in {
        EntryAction.CANCEL,
        EntryAction.TRANSFER,
        EntryAction.UNDO,
    }


def _taken_back(number: Number) -> list[QueueCall]:
    """Return the cancelling of a number whose entries, or whose visit, were taken back."""
    ends = [entry.voided_at for entry in number.entries if entry.voided_at is not None]
    is_void = len(ends) == len(number.entries)
    if not number.is_taken_back and not is_void:
        return []
    at = max(ends or [entry.started_at for entry in number.entries])
    return [QueueCall(CANCEL, number.ticket, at, "void")]


def numbers_of(
    entries: Iterable[QueueEntry],
    events: Mapping[str, Sequence[QueueEvent]],
    booked: Collection[str],
    *,
    is_void: bool,
) -> list[Number]:
    """Return the numbers of one visit that BPJS's queue hears of, in the order in which they were given.

    Args:
        entries: All of the visit's, in order.
        events: Entry -> its events, in order.
        booked: Clusters in which the patient came with a number from Mobile JKN.
        is_void: True if the visit was taken back.
    """
    by_ticket: dict[str, list[QueueEntry]] = {}
    known = {entry.id: entry for entry in entries}
    for entry in known.values():
        by_ticket.setdefault(entry.ticket_id, []).append(entry)
    at_the_counter = {ticket: own for ticket, own in by_ticket.items() if _is_of_the_counter(own[0], known)}
    found = []
    for ticket, own in at_the_counter.items():
        happened = [event for entry in own for event in events.get(entry.id, ())]
        happened.sort(key=lambda event: event.sequence)
        is_booked = own[0].cluster in booked
        found.append(Number(ticket, own, happened, booked=is_booked, is_taken_back=is_void))
    return found


def _is_of_the_counter(entry: QueueEntry, known: Mapping[str, QueueEntry]) -> bool:
    """Return whether a number stands for the registration, and for no stage after a room has seen the patient."""
    if entry.returns_to_id is not None:
        return False
    before = known.get(entry.came_from_id or "")
    return before is None or (before.served_at is None and _is_of_the_counter(before, known))
