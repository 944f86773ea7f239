"""The state machine of a queue entry, and the writing of one step.

An entry is an interval. Each step is an update conditional on the entry's version and a row in
`queue_event` with the columns it takes to undo it. Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.codes import ENDED_STATUSES, EntryAction, EntryStatus, LeaveReason, VisitStatus
from core.foundation.errors import ConflictError
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, create, given, given_for
from core.models import Account, QueueEntry, QueueEvent, Visit
from core.queues import outcomes
from core.queues.entries import load_entry, open_entry_of
from core.schemas.queues import EntryCommand

OPEN = frozenset(EntryStatus) - ENDED_STATUSES


@dataclass(frozen=True)
class Transition:
    """The statuses an action needs, and the one it leads to."""

    sources: frozenset[EntryStatus]
    """Statuses in which it is possible."""
    target: EntryStatus | None
    """The status afterwards; None when it stays."""
    counter: bool = False
    """Whether the registration counter may do it too, to an entry that has not been called yet."""


def _transition(*sources: EntryStatus, to: EntryStatus) -> Transition:
    return Transition(frozenset(sources), to)


TRANSITIONS: dict[EntryAction, Transition] = {
    EntryAction.CALL: _transition(EntryStatus.WAITING, EntryStatus.SKIPPED, to=EntryStatus.CALLED),
    EntryAction.RECALL: _transition(EntryStatus.CALLED, to=EntryStatus.CALLED),
    EntryAction.SKIP: _transition(EntryStatus.CALLED, to=EntryStatus.SKIPPED),
    EntryAction.HOLD: _transition(EntryStatus.CALLED, EntryStatus.IN_SERVICE, to=EntryStatus.ON_HOLD),
    EntryAction.RESUME: _transition(EntryStatus.ON_HOLD, to=EntryStatus.IN_SERVICE),
    EntryAction.START: _transition(
        EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED, to=EntryStatus.IN_SERVICE
    ),
    EntryAction.FINISH: _transition(
        EntryStatus.CALLED, EntryStatus.IN_SERVICE, EntryStatus.ON_HOLD, to=EntryStatus.DONE
    ),
    EntryAction.PRIORITISE: Transition(OPEN, None, counter=True),
    EntryAction.TRANSFER: Transition(OPEN, EntryStatus.TRANSFERRED, counter=True),
    EntryAction.SEND: _transition(
        EntryStatus.CALLED, EntryStatus.IN_SERVICE, EntryStatus.ON_HOLD, to=EntryStatus.TRANSFERRED
    ),
    EntryAction.RETURN: Transition(OPEN, EntryStatus.TRANSFERRED),
    EntryAction.LEAVE: Transition(OPEN, EntryStatus.LEFT, counter=True),
    EntryAction.CANCEL: Transition(OPEN - {EntryStatus.IN_SERVICE}, EntryStatus.CANCELLED, counter=True),
    EntryAction.CLOSE: Transition(OPEN, None),
}
"""The whole state machine; other actions are refused. `close_day` says how CLOSE ends an entry."""

UNDONE_COLUMNS = (
    "status", "priority", "priority_reason", "service_point", "practitioner_id", "call_count", "skipped_at",
    "called_at", "served_at", "ended_at", "end_reason",
)  # fmt: skip
"""The columns that an action may change and its undo restores."""
VISIT_DISPOSITION = "visit_disposition"
"""Beside them, when the end of a service also said how the visit ends."""


def apply_action(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, **changes: Any
) -> datetime:
    """Write one transition; `entry` is brought up to date.

    Args:
        actor: Actor of the step.
        entry: As read in this transaction, with its visit.
        action: The step.
        command: Room, reason, priority.
        changes: Columns beyond those that the action itself changes.

    Returns:
        The instant of the step.

    Raises:
        ConflictError: The entry's status does not allow it: `not_possible_now` when the caller knew
            the status, `changed_meanwhile` when they may not have.
    """
    rule = TRANSITIONS[action]
    if EntryStatus(entry.status) not in rule.sources:
        raise conflict_error(entry, known=command.expected_version == entry.version)
    at = clock.now()
    before = {name: _plain(getattr(entry, name)) for name in UNDONE_COLUMNS}
    changes = {"status": rule.target or entry.status, **_marks(actor, entry, action, command, at), **changes}
    if EntryStatus(changes["status"]).is_ended:
        changes["ended_at"] = at
    update_entry(entry, changes)
    if command.disposition is not None and action is EntryAction.FINISH:
        before[VISIT_DISPOSITION] = entry.visit.disposition
        outcomes.set_outcome(actor, entry.visit, command.disposition)
    record_transition(actor, entry, action, before["status"], before, at)
    audit.record(
        actor, f"entry_{action}", "queue_entry", entry.id, entry.visit.patient_id,
        **({"reason": command.reason} if command.reason else {}),
    )  # fmt: skip
    return at


def _marks(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, at: datetime
) -> dict[str, Any]:
    """Return the columns that an action changes besides status and end."""
    return {
        **_room_marks(actor, entry, action, command, at),
        **_call_marks(entry, action, at),
        **_service_marks(entry, action, at),
        **_reason_marks(entry, action, command),
    }


def _room_marks(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, at: datetime
) -> dict[str, Any]:
    """Return who has the patient, where, and since when."""
    if action not in {EntryAction.CALL, EntryAction.START, EntryAction.RESUME}:
        return {}
    marks: dict[str, Any] = {"practitioner_id": actor.account_id, "skipped_at": None}
    if action is EntryAction.CALL or entry.called_at is None:
        marks["called_at"] = at
    if command.service_point:
        marks["service_point"] = command.service_point
    return marks


def _call_marks(entry: QueueEntry, action: EntryAction, at: datetime) -> dict[str, Any]:
    if action in {EntryAction.CALL, EntryAction.RECALL}:
        return {"call_count": entry.call_count + 1}
    return {"skipped_at": at} if action is EntryAction.SKIP else {}


def _service_marks(entry: QueueEntry, action: EntryAction, at: datetime) -> dict[str, Any]:
    """Return the beginning of the service; one that ends without a start began with the call."""
    if entry.served_at is not None:
        return {}
    if action in {EntryAction.START, EntryAction.RESUME}:
        return {"served_at": at}
    return {"served_at": entry.called_at} if action is EntryAction.FINISH else {}


def _reason_marks(entry: QueueEntry, action: EntryAction, command: EntryCommand) -> dict[str, Any]:
    if action is EntryAction.PRIORITISE:
        return {"priority": command.priority, "priority_reason": command.reason}
    if command.reason:
        return {"end_reason": command.reason}
    return {"end_reason": _leave_reason(entry)} if action is EntryAction.LEAVE else {}


def _leave_reason(entry: QueueEntry) -> LeaveReason:
    if entry.served_at is not None:
        return LeaveReason.IN_SERVICE
    return LeaveReason.WAITING if entry.called_at is None else LeaveReason.NO_SHOW


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def update_entry(entry: QueueEntry, changes: dict[str, Any]) -> None:
    """Write columns under a new version; `entry` is brought up to date.

    Raises:
        ConflictError: The entry was changed meanwhile.
    """
    columns = {name.removesuffix("_id"): value for name, value in changes.items()}
    update = _updating(tuple(sorted(columns)))
    if update.change(entry_id=entry.id, seen=entry.version, next=entry.version + 1, **columns) != 1:
        raise conflict_error(load_entry(entry.id))
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.version += 1


@lru_cache(maxsize=64)
def _updating(names: tuple[str, ...]) -> Statement:
    """Return the statement that writes these columns of an entry whose version is the one that was seen."""

    def build() -> Any:
        fields = [getattr(QueueEntry, name) for name in names]
        values = {field: given_for(field, field.name) for field in fields}
        values[QueueEntry.version] = given_for(QueueEntry.version, "next")
        return QueueEntry.update(values).where(
            QueueEntry.id == given("entry_id"), QueueEntry.version == given("seen")
        )

    return Statement(build)


def record_transition(
    actor: Actor,
    entry: QueueEntry,
    action: EntryAction,
    from_status: str | None,
    before: dict[str, Any],
    at: datetime,
) -> int:
    """Add the event that an undo needs, and append it to the feed.

    Args:
        actor: Actor of the step.
        entry: As it is after the step.
        action: The step.
        from_status: Status before it; None for a new entry.
        before: Columns that its undo restores.
        at: Instant of the step.

    Returns:
        The feed's sequence.
    """
    create(
        QueueEvent,
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


def conflict_error(entry: QueueEntry, *, known: bool = False) -> ConflictError:
    """Return the error that names the last actor, the last action and the present state.

    Args:
        entry: As it is, with its ticket.
        known: The caller had seen this state: nobody was faster, the step just does not fit.

    Details: status, version, number; changed_by (name) and action, empty without any event; now:
    `{number, cluster}` of the open entry of the visit, when that is another one.
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
    there = open_entry_of(entry.visit_id, besides=entry.id)
    if there is not None:
        details["now"] = {"number": there.ticket.number, "cluster": there.cluster}
    return ConflictError("not_possible_now" if known else "changed_meanwhile", **details)


def refresh_visit(visit_id: str) -> None:
    """Derive a visit's status and end from its entries, and put the visit into the outbox."""
    spans = _SPANS.rows(visit=visit_id)
    is_open = any(ended_at is None for ended_at, _served_at in spans)
    served = any(served_at is not None for _ended_at, served_at in spans)
    if is_open:
        status = VisitStatus.IN_PROGRESS if served else VisitStatus.ARRIVED
    else:
        status = VisitStatus.FINISHED if served else VisitStatus.CANCELLED
    ended_at = None if is_open else max(clock.known(ended_at) for ended_at, _served_at in spans)
    _REFRESH.change(status=status, ended_at=ended_at, visit=visit_id)
    outbox.enqueue("visit", visit_id)


_SPANS = Statement(
    lambda: QueueEntry.select(QueueEntry.ended_at, QueueEntry.served_at).where(
        QueueEntry.visit == given("visit"), QueueEntry.voided_at.is_null()
    )
)
_REFRESH = Statement(
    lambda: Visit.update(
        {
            Visit.status: given_for(Visit.status, "status"),
            Visit.ended_at: given_for(Visit.ended_at, "ended_at"),
            Visit.version: Visit.version + 1,
        }
    ).where(Visit.id == given("visit"))
)
