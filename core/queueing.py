"""Queues: tickets, calls and moves, each one transaction.

An entry is an interval. Moving a patient ends one entry and starts the next at the same
instant, so the path through the clinic has no gap and no overlap. Every action is a row in
`queue_event` with what it takes to undo it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from core import audit, clock, feed, outbox
from core.accounts import Actor
from core.clinic import Clinic
from core.database import connection, transaction
from core.errors import ConflictError, NotAllowedError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import Account, Patient, QueueEntry, QueueEvent, RoutingExample, Ticket, TicketCounter, Visit
from core.queue_views import calling_ids, entry_shape, load_entry
from core.schemas import EntryCommand, EntryShape
from core.vocabulary import (
    ENDED_STATUSES,
    EntryAction,
    EntryStatus,
    Permission,
    Priority,
    Role,
    VisitStatus,
)

A, S = EntryAction, EntryStatus
OPEN = frozenset(S) - ENDED_STATUSES


@dataclass(frozen=True)
class Transition:
    """What an action needs and does."""

    sources: frozenset[EntryStatus]
    """Statuses in which it is possible."""
    target: EntryStatus
    counter: bool = False
    """Whether the registration counter may do it too, to an entry nobody has called yet."""


TRANSITIONS: dict[EntryAction, Transition] = {
    A.CALL: Transition(frozenset({S.WAITING, S.SKIPPED}), S.CALLED),
    A.RECALL: Transition(frozenset({S.CALLED}), S.CALLED),
    A.SKIP: Transition(frozenset({S.CALLED}), S.SKIPPED),
    A.HOLD: Transition(frozenset({S.CALLED, S.IN_SERVICE}), S.ON_HOLD),
    A.RESUME: Transition(frozenset({S.ON_HOLD}), S.IN_SERVICE),
    A.START: Transition(frozenset({S.WAITING, S.SKIPPED, S.CALLED}), S.IN_SERVICE),
    A.FINISH: Transition(frozenset({S.CALLED, S.IN_SERVICE}), S.DONE),
    A.TRANSFER: Transition(OPEN, S.TRANSFERRED, counter=True),
    A.SEND: Transition(frozenset({S.CALLED, S.IN_SERVICE}), S.TRANSFERRED),
    A.RETURN: Transition(frozenset({S.CALLED, S.IN_SERVICE, S.WAITING}), S.TRANSFERRED),
    A.LEAVE: Transition(OPEN, S.LEFT, counter=True),
    A.CANCEL: Transition(OPEN - {S.IN_SERVICE}, S.CANCELLED, counter=True),
}
"""The whole state machine; what is not here is refused."""

UNDONE_COLUMNS = (
    "status", "priority", "priority_reason", "service_point", "practitioner_id", "call_count", "skipped_at",
    "called_at", "served_at", "ended_at", "end_reason",
)  # fmt: skip


def issue(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    cluster: str,
    priority: Priority,
    priority_reason: str = "",
    *,
    at: datetime,
    came_from: QueueEntry | None = None,
    returns_to: QueueEntry | None = None,
) -> QueueEntry:
    """Give out the next number of a cluster and put the visit into its queue.

    Runs in the caller's transaction. The number is a counter row's, updated under the
    transaction's lock: an error rolls it back, so there are no gaps.
    """
    prefix = clinic.clusters[cluster].prefix
    day = visit.service_on
    updated = (
        TicketCounter.update(last_number=TicketCounter.last_number + 1)
        .where(TicketCounter.cluster == cluster, TicketCounter.service_on == day)
        .execute()
    )
    if not updated:
        TicketCounter.create(cluster=cluster, service_on=day, last_number=1)
    sequence = TicketCounter.get_by_id((cluster, day)).last_number
    ticket = Ticket.create(
        id=new_id(),
        cluster=cluster,
        service_on=day,
        sequence=sequence,
        number=f"{prefix}-{sequence:03d}",
        visit=visit,
        issued_at=at,
    )
    return _enter(
        actor, visit, ticket, priority, priority_reason, at=at, queued_at=at,
        came_from=came_from, returns_to=returns_to,
    )  # fmt: skip


def _enter(
    actor: Actor,
    visit: Visit,
    ticket: Ticket,
    priority: str,
    priority_reason: str,
    *,
    at: datetime,
    queued_at: datetime,
    came_from: QueueEntry | None = None,
    returns_to: QueueEntry | None = None,
    reserved_for: str | None = None,
) -> QueueEntry:
    entry: QueueEntry = QueueEntry.create(
        id=new_id(),
        visit=visit,
        ticket=ticket,
        cluster=ticket.cluster,
        service_on=visit.service_on,
        status=S.WAITING,
        priority=priority,
        priority_reason=priority_reason,
        queued_at=queued_at,
        started_at=at,
        came_from=came_from,
        returns_to=returns_to,
        reserved_for=reserved_for,
    )
    _log(actor, entry, A.ISSUE, None, {}, at)
    return entry


def _log(
    actor: Actor,
    entry: QueueEntry,
    action: EntryAction,
    from_status: str | None,
    before: dict[str, Any],
    at: datetime,
) -> int:
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


def call_next(clinic: Clinic, actor: Actor, cluster: str, service_point: str = "") -> EntryShape | None:
    """Call whoever is first; None when nobody waits.

    Two callers never get the same person: writers take turns, and the entry is taken by an
    update conditional on its version.

    Raises:
        NotAllowedError: Not the actor's cluster.
        NotFoundError: There is no such cluster.
    """
    code = clinic.clusters[cluster].code
    actor.require_cluster(code)
    with transaction():
        order = calling_ids(clinic, code, clinic.today(), for_account=actor.account_id)
        if not order:
            return None
        entry = load_entry(order[0])
        _apply(actor, entry, A.CALL, EntryCommand(service_point=service_point))
    return entry_shape(clinic, entry.id)


def act(
    clinic: Clinic, actor: Actor, entry_id: str, action: EntryAction, command: EntryCommand
) -> EntryShape:
    """Do one thing to one entry.

    Returns:
        The entry afterwards; for moves, the new entry.

    Raises:
        NotFoundError: No such entry.
        NotAllowedError: Not the actor's cluster, or the counter after the call.
        ConflictError: `changed_meanwhile`: someone was faster; details say who and what is true now.
        ValidationError: `cluster` or `reason` is missing or wrong.
        RuleError: `undo_not_possible`: the patient has moved on.
    """
    with transaction():
        entry = load_entry(entry_id)
        _check_version(entry, command.expected_version)
        if action is A.UNDO:
            result = _undo(clinic, actor, entry)
        else:
            _check_allowed(actor, entry, action)
            if action is A.FINISH and entry.returns_to_id:
                # Forgetting the way back must not lose the patient.
                action = A.RETURN
            result = MOVES.get(action, _stay)(clinic, actor, entry, action, command)
    return entry_shape(clinic, result.id)


def _check_version(entry: QueueEntry, expected: int | None) -> None:
    if expected is not None and entry.version != expected:
        raise _conflict(entry)


def _conflict(entry: QueueEntry) -> ConflictError:
    last = (
        QueueEvent.select(QueueEvent, Account)
        .join(Account)
        .where(QueueEvent.entry == entry)
        .order_by(QueueEvent.sequence.desc())
        .first()
    )
    return ConflictError(
        status=entry.status,
        version=entry.version,
        number=entry.ticket.number,
        changed_by=last.by.name if last else "",
        action=last.action if last else "",
    )


def _check_allowed(actor: Actor, entry: QueueEntry, action: EntryAction) -> None:
    if actor.can(Permission.WORK_QUEUE) and entry.cluster in actor.clusters:
        return
    if actor.can(Permission.REGISTER) and TRANSITIONS[action].counter:
        if entry.called_at is None:
            return
        raise _conflict(entry)
    raise NotAllowedError(f"{Permission.WORK_QUEUE}:{entry.cluster}")


def _apply(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, **changes: Any
) -> datetime:
    """Write one transition; `entry` is brought up to date. Returns the instant used."""
    rule = TRANSITIONS[action]
    if S(entry.status) not in rule.sources:
        raise _conflict(entry)
    at = clock.now()
    before = {name: _plain(getattr(entry, name)) for name in UNDONE_COLUMNS}
    changes = {"status": rule.target, **_marks(actor, entry, action, command, at), **changes}
    if rule.target.is_ended:
        changes["ended_at"] = at
    _update(entry, changes)
    _log(actor, entry, action, before["status"], before, at)
    audit.record(
        actor, f"entry_{action}", "queue_entry", entry.id, entry.visit.patient_id,
        **({"reason": command.reason} if command.reason else {}),
    )  # fmt: skip
    return at


def _marks(
    actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand, at: datetime
) -> dict[str, Any]:
    marks: dict[str, Any] = {}
    if action in {A.CALL, A.START}:
        marks |= {"practitioner_id": actor.account_id}
        if entry.called_at is None or action is A.CALL:
            marks["called_at"] = at
        marks["skipped_at"] = None
        if command.service_point:
            marks["service_point"] = command.service_point
    if action in {A.CALL, A.RECALL}:
        marks["call_count"] = entry.call_count + 1
    if action is A.SKIP:
        marks["skipped_at"] = at
    if action is A.START and entry.served_at is None:
        marks["served_at"] = at
    if action is A.FINISH and entry.served_at is None:
        marks["served_at"] = entry.called_at
    if command.reason:
        marks["end_reason"] = command.reason
    return marks


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _update(entry: QueueEntry, changes: dict[str, Any]) -> None:
    columns = {name.removesuffix("_id"): value for name, value in changes.items()}
    updated = (
        QueueEntry.update(version=entry.version + 1, **columns)
        .where(QueueEntry.id == entry.id, QueueEntry.version == entry.version)
        .execute()
    )
    if updated != 1:
        raise _conflict(load_entry(entry.id))
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.version += 1


def _stay(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """Actions that keep the patient in this entry, or end it for good."""
    if action is A.CANCEL and not command.reason:
        raise ValidationError({"reason": "required"})
    _apply(actor, entry, action, command)
    if command.disposition is not None:
        Visit.update(disposition=command.disposition).where(Visit.id == entry.visit_id).execute()
    refresh_visit(entry.visit_id)
    return entry


def _target(clinic: Clinic, entry: QueueEntry, command: EntryCommand) -> str:
    if not command.cluster:
        raise ValidationError({"cluster": "required"})
    try:
        code = clinic.clusters[command.cluster].code
    except NotFoundError:
        raise ValidationError({"cluster": "unknown"}) from None
    if code == entry.cluster:
        raise ValidationError({"cluster": "same"})
    return str(code)


def _transfer(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """End this entry and start one in another cluster at the same instant."""
    target = _target(clinic, entry, command)
    at = _apply(actor, entry, action, command)
    visit = entry.visit
    new = issue(
        clinic,
        actor,
        visit,
        target,
        Priority(entry.priority),
        entry.priority_reason,
        at=at,
        came_from=entry,
        returns_to=entry if action is A.SEND else entry.returns_to,
    )
    if action is A.TRANSFER and not entry.came_from_id and clinic.clusters[target].stage == "first":
        _learn(visit, target)
    refresh_visit(visit.id)
    return new


def _learn(visit: Visit, chosen: str) -> None:
    """A move out of the first cluster says where the patient belonged."""
    patient = visit.patient
    RoutingExample.create(
        id=new_id(),
        complaint=visit.chief_complaint,
        age_days=(visit.service_on - patient.birth_date).days,
        sex=patient.sex,
        pregnant=visit.pregnant,
        proposed=visit.suggested_cluster,
        chosen=chosen,
        source="transfer",
        visit=visit,
        at=clock.now(),
    )


def _return(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """Back from a round trip: same number, same place, same clinician."""
    origin = entry.returns_to
    if origin is None:
        raise RuleError("no_way_back")
    at = _apply(actor, entry, action, command)
    back = _enter(
        actor,
        entry.visit,
        origin.ticket,
        origin.priority,
        origin.priority_reason,
        at=at,
        queued_at=origin.queued_at,
        came_from=entry,
        returns_to=origin.returns_to,
        reserved_for=origin.practitioner_id,
    )
    refresh_visit(entry.visit_id)
    return back


Move = Callable[[Clinic, Actor, QueueEntry, EntryAction, EntryCommand], QueueEntry]
MOVES: dict[EntryAction, Move] = {A.TRANSFER: _transfer, A.SEND: _transfer, A.RETURN: _return}


def _undo(clinic: Clinic, actor: Actor, entry: QueueEntry) -> QueueEntry:
    """Take back the newest action on an entry (or, for the first entry after a move, the move).

    Steps:
        1. Find the newest action that is not undone; a move's new entry stands for the move.
        2. If it was a move, take the new entry back, unless someone has called it.
        3. Put the columns back as they were, under a new version.
        4. Mark the event undone and log the undo as an event of its own.
    """
    event = _newest_event(entry)
    if event is not None and event.action == A.ISSUE and entry.came_from_id:
        entry = load_entry(entry.came_from_id)
        event = _newest_event(entry)
    if event is None or event.action == A.ISSUE:
        raise RuleError("undo_not_possible")
    action = A(event.action)
    _check_undo_allowed(clinic, actor, entry, event)
    at = clock.now()
    if action in MOVES:
        _take_back(actor, entry, at)
    before = {
        name: datetime.fromisoformat(value) if value and name.endswith("_at") else value
        for name, value in event.before.items()
    }
    from_status = entry.status
    _update(entry, before)
    QueueEvent.update(undone_at=at).where(QueueEvent.sequence == event.sequence).execute()
    _log(actor, entry, A.UNDO, from_status, {}, at)
    audit.record(actor, "entry_undo", "queue_entry", entry.id, entry.visit.patient_id, undone=action)
    if action is A.TRANSFER:
        RoutingExample.delete().where(RoutingExample.visit == entry.visit_id).execute()
    refresh_visit(entry.visit_id)
    return entry


def _newest_event(entry: QueueEntry) -> QueueEvent | None:
    event: QueueEvent | None = (
        QueueEvent.select()
        .where(
            QueueEvent.entry == entry,
            QueueEvent.undone_at.is_null(),
            QueueEvent.action.not_in([A.UNDO, A.CLOSE]),
        )
        .order_by(QueueEvent.sequence.desc())
        .first()
    )
    return event


def _check_undo_allowed(clinic: Clinic, actor: Actor, entry: QueueEntry, event: QueueEvent) -> None:
    if entry.service_on != clinic.today():
        raise RuleError("undo_not_possible")
    own = event.by_id == actor.account_id
    if not own and not (actor.can(Permission.WORK_QUEUE) and entry.cluster in actor.clusters):
        raise NotAllowedError(f"{Permission.WORK_QUEUE}:{entry.cluster}")


def _take_back(actor: Actor, entry: QueueEntry, at: datetime) -> None:
    new = (
        QueueEntry.select()
        .where(QueueEntry.came_from == entry, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at.desc())
        .first()
    )
    if new is None or new.status != S.WAITING or new.called_at is not None:
        raise RuleError("undo_not_possible")
    new = load_entry(new.id)
    _update(new, {"voided_at": at, "ended_at": at, "status": S.CANCELLED})
    _log(actor, new, A.UNDO, S.WAITING, {}, at)


def undo_registration(clinic: Clinic, actor: Actor, visit_id: str) -> EntryShape:
    """Take a registration back while the patient still stands at the counter.

    Raises:
        RuleError: `undo_too_late`, or `undo_not_possible` once the patient was called.
    """
    actor.require(Permission.REGISTER)
    with transaction():
        visit = Visit.get_or_none(Visit.id == visit_id)
        if visit is None:
            raise NotFoundError("visit", visit_id)
        if (clock.now() - visit.started_at).total_seconds() > clinic.settings.undo_seconds:
            raise RuleError("undo_too_late", seconds=clinic.settings.undo_seconds)
        entry = (
            QueueEntry.select()
            .where(QueueEntry.visit == visit, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null())
            .first()
        )
        if entry is None or entry.called_at is not None:
            raise RuleError("undo_not_possible")
        entry = load_entry(entry.id)
        _apply(actor, entry, A.CANCEL, EntryCommand(reason="registration undone"))
        refresh_visit(visit.id)
    return entry_shape(clinic, entry.id)


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


def close_day(clinic: Clinic, actor: Actor, day: date) -> int:
    """End what is still open on `day` with an outcome: served -> done, otherwise left.

    Returns:
        How many entries were ended; 0 when run again.
    """
    with connection():
        ids = [
            row.id
            for row in QueueEntry.select(QueueEntry.id).where(
                QueueEntry.service_on <= day, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null()
            )
        ]
    for entry_id in ids:
        with transaction():
            entry = load_entry(entry_id)
            if entry.ended_at is not None:
                continue
            at = clock.now()
            from_status = entry.status
            before = {name: _plain(getattr(entry, name)) for name in UNDONE_COLUMNS}
            target = S.DONE if entry.served_at is not None else S.LEFT
            _update(entry, {"status": target, "ended_at": at, "end_reason": "day closed"})
            _log(actor, entry, A.CLOSE, from_status, before, at)
            refresh_visit(entry.visit_id)
    if ids:
        with transaction():
            feed.append("day_closed", day=day.isoformat())
    return len(ids)


def default_priority(patient: Patient, pregnant: bool, disability: bool, day: date) -> tuple[Priority, str]:
    """The protected group a patient belongs to by law and age, with the reason's code.

    Source: indonesia.md 9.2 (elderly from 60: UU 13/1998; toddlers under 60 months).
    """
    months = (day.year - patient.birth_date.year) * 12 + day.month - patient.birth_date.month
    months -= day.day < patient.birth_date.day
    if months >= 60 * 12:
        return Priority.ELDERLY, "age"
    if pregnant:
        return Priority.PREGNANT, "pregnant"
    if disability:
        return Priority.DISABILITY, "disability"
    if months < 60:
        return Priority.TODDLER, "age"
    return Priority.REGULAR, ""


STAFF_ROLES = frozenset({Role.CLINICIAN, Role.LAB, Role.PHARMACIST})
"""Roles that work a queue."""
