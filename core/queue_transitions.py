"""What may happen to a queue entry, and how one step is written.

An entry is an interval. Each step is an update conditional on the entry's version and a row in
`queue_event` with what it takes to undo it. Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core import audit, clock, feed, outbox
from core.actors import Actor
from core.errors import ConflictError
from core.models import Account, QueueEntry, QueueEvent, Visit
from core.queue_views import load_entry
from core.schemas.queues import EntryCommand
from core.vocabulary import ENDED_STATUSES, EntryAction, EntryStatus, LeaveReason, VisitStatus

A, S = EntryAction, EntryStatus
OPEN = frozenset(S) - ENDED_STATUSES


@dataclass(frozen=True)
class Transition:
    """What an action needs and does."""

    sources: frozenset[EntryStatus]
    """Statuses in which it is possible."""
    target: EntryStatus | None
    """The status afterwards; None when it stays."""
    counter: bool = False
    """Whether the registration counter may do it too, to an entry nobody has called yet."""


TRANSITIONS: dict[EntryAction, Transition] = {
    A.CALL: Transition(frozenset({S.WAITING, S.SKIPPED}), S.CALLED),
    A.RECALL: Transition(frozenset({S.CALLED}), S.CALLED),
    A.SKIP: Transition(frozenset({S.CALLED}), S.SKIPPED),
    A.HOLD: Transition(frozenset({S.CALLED, S.IN_SERVICE}), S.ON_HOLD),
    A.RESUME: Transition(frozenset({S.ON_HOLD}), S.IN_SERVICE),
    A.START: Transition(frozenset({S.WAITING, S.SKIPPED, S.CALLED}), S.IN_SERVICE),
    A.FINISH: Transition(frozenset({S.CALLED, S.IN_SERVICE, S.ON_HOLD}), S.DONE),
    A.PRIORITISE: Transition(OPEN, None, counter=True),
    A.TRANSFER: Transition(OPEN, S.TRANSFERRED, counter=True),
    A.SEND: Transition(frozenset({S.CALLED, S.IN_SERVICE, S.ON_HOLD}), S.TRANSFERRED),
    A.RETURN: Transition(OPEN, S.TRANSFERRED),
    A.LEAVE: Transition(OPEN, S.LEFT, counter=True),
    A.CANCEL: Transition(OPEN - {S.IN_SERVICE}, S.CANCELLED, counter=True),
    A.CLOSE: Transition(OPEN, None),
}
"""The whole state machine; what is not here is refused. `close_day` says how CLOSE ends an entry."""

UNDONE_COLUMNS = (
    "status", "priority", "priority_reason", "service_point", "practitioner_id", "call_count", "skipped_at",
    "called_at", "served_at", "ended_at", "end_reason",
)  # fmt: skip
"""What an action may change, and its undo puts back."""
VISIT_DISPOSITION = "visit_disposition"
"""Beside them, when the end of a service also said how the visit ends."""


def apply(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, **changes: Any
) -> datetime:
    """Write one transition; `entry` is brought up to date.

    Args:
        actor: Who does it.
        entry: As read in this transaction, with its visit.
        action: What.
        command: Room, reason, priority.
        changes: Columns beyond what the action itself says.

    Returns:
        The instant used.

    Raises:
        ConflictError: The entry's status does not allow it: `not_possible_now` when the caller knew
            the status, `changed_meanwhile` when they may not have.
    """
    rule = TRANSITIONS[action]
    if S(entry.status) not in rule.sources:
        raise conflict(entry, known=command.expected_version == entry.version)
    at = clock.now()
    before = {name: _plain(getattr(entry, name)) for name in UNDONE_COLUMNS}
    changes = {"status": rule.target or entry.status, **_marks(actor, entry, action, command, at), **changes}
    if S(changes["status"]).is_ended:
        changes["ended_at"] = at
    update(entry, changes)
    if command.disposition is not None and action is A.FINISH:
        before[VISIT_DISPOSITION] = entry.visit.disposition
        Visit.update(disposition=command.disposition).where(Visit.id == entry.visit_id).execute()
    log(actor, entry, action, before["status"], before, at)
    audit.record(
        actor, f"entry_{action}", "queue_entry", entry.id, entry.visit.patient_id,
        **({"reason": command.reason} if command.reason else {}),
    )  # fmt: skip
    return at


def _marks(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, at: datetime
) -> dict[str, Any]:
    marks: dict[str, Any] = {}
    if action in {A.CALL, A.START, A.RESUME}:
        marks |= {"practitioner_id": actor.account_id, "skipped_at": None}
        if action is A.CALL or entry.called_at is None:
            marks["called_at"] = at
        if command.service_point:
            marks["service_point"] = command.service_point
    if action in {A.CALL, A.RECALL}:
        marks["call_count"] = entry.call_count + 1
    if action is A.SKIP:
        marks["skipped_at"] = at
    if action in {A.START, A.RESUME} and entry.served_at is None:
        marks["served_at"] = at
    if action is A.FINISH and entry.served_at is None:
        marks["served_at"] = entry.called_at
    if action is A.PRIORITISE:
        marks |= {"priority": command.priority, "priority_reason": command.reason}
    elif command.reason:
        marks["end_reason"] = command.reason
    elif action is A.LEAVE:
        marks["end_reason"] = _leave_reason(entry)
    return marks


def _leave_reason(entry: QueueEntry) -> LeaveReason:
    if entry.served_at is not None:
        return LeaveReason.IN_SERVICE
    return LeaveReason.WAITING if entry.called_at is None else LeaveReason.NO_SHOW


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def update(entry: QueueEntry, changes: dict[str, Any]) -> None:
    """Write columns under a new version, if nobody else has meanwhile.

    Raises:
        ConflictError: Somebody has.
    """
    columns = {name.removesuffix("_id"): value for name, value in changes.items()}
    updated = (
        QueueEntry.update(version=entry.version + 1, **columns)
        .where(QueueEntry.id == entry.id, QueueEntry.version == entry.version)
        .execute()
    )
    if updated != 1:
        raise conflict(load_entry(entry.id))
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.version += 1


def log(
    actor: Actor,
    entry: QueueEntry,
    action: EntryAction,
    from_status: str | None,
    before: dict[str, Any],
    at: datetime,
) -> int:
    """Add the row that an undo needs, and tell the feed.

    Returns:
        The feed's sequence.
    """
    QueueEvent.create(
        entry=entry,
        action=action,
        from_status=from_status,
        to_status=entry.status,
        before=before,
        at=at,
        by=actor.account_id,
    )
    return feed.append(
        "entry", cluster=entry.cluster, entry_id=entry.id, visit_id=entry.visit_id, action=str(action)
    )


def conflict(entry: QueueEntry, *, known: bool = False) -> ConflictError:
    """Somebody was faster: who, what they did, and what is true now.

    Args:
        entry: As it is, with its ticket.
        known: The caller had seen it so: nobody was faster, the step just does not fit.

    Details: status, version, number; changed_by (name) and action, empty when nobody has acted
    yet; now: `{number, cluster}` of the entry the visit stands in by now, when that is another one.
    """
    last = (
        QueueEvent.select(QueueEvent, Account)
        .join(Account)
        .where(QueueEvent.entry == entry)
        .order_by(QueueEvent.sequence.desc())
        .first()
    )
    details: dict[str, Any] = {
        "status": entry.status,
        "version": entry.version,
        "number": entry.ticket.number,
        "changed_by": last.by.name if last else "",
        "action": last.action if last else "",
    }
    now = (
        QueueEntry.select(QueueEntry.id)
        .where(
            QueueEntry.visit == entry.visit_id,
            QueueEntry.id != entry.id,
            QueueEntry.ended_at.is_null(),
            QueueEntry.voided_at.is_null(),
        )
        .first()
    )
    if now is not None:
        there = load_entry(now.id)
        details["now"] = {"number": there.ticket.number, "cluster": there.cluster}
    return ConflictError("not_possible_now" if known else "changed_meanwhile", **details)


def refresh_visit(visit_id: str) -> None:
    """Derive a visit's status and end from its entries; tells the outbox."""
    entries = list(QueueEntry.select().where(QueueEntry.visit == visit_id, QueueEntry.voided_at.is_null()))
    is_open = any(entry.ended_at is None for entry in entries)
    served = any(entry.served_at is not None for entry in entries)
    if is_open:
        status = VisitStatus.IN_PROGRESS if served else VisitStatus.ARRIVED
    else:
        status = VisitStatus.FINISHED if served else VisitStatus.CANCELLED
    ended_at = None if is_open else max(entry.ended_at for entry in entries)
    Visit.update(status=status, ended_at=ended_at, version=Visit.version + 1).where(
        Visit.id == visit_id
    ).execute()
    outbox.put("visit", visit_id)
