"""Queues: tickets, calls and moves, each one transaction.

An entry is an interval. Moving a patient ends one entry and starts the next at the same
instant, so the path through the clinic has no gap and no overlap. Every action is a row in
`queue_event` with what it takes to undo it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from core import clock, feed
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection, transaction
from core.errors import NotAllowedError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import Patient, QueueEntry, RoutingExample, Ticket, TicketCounter, Visit
from core.queue_transitions import TRANSITIONS, A, S, apply, conflict, log, refresh_visit
from core.queue_undo import TRANSFER_SOURCE, undo
from core.queue_views import calling_ids, entry_shape, load_entry
from core.schemas.queues import EntryCommand, EntryShape
from core.vocabulary import EntryAction, LeaveReason, Permission, Priority

PRIORITY_REASON_LENGTH = 80
"""Characters that `queue_entry.priority_reason` holds."""


def issue(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    cluster: str,
    priority: Priority,
    priority_reason: str = "",
    *,
    at: datetime,
    sequence: int | None = None,
    queued_at: datetime | None = None,
    came_from: QueueEntry | None = None,
    returns_to: QueueEntry | None = None,
) -> QueueEntry:
    """Give out a number of a cluster and put the visit into its queue, in the caller's transaction.

    Args:
        clinic: The clinic.
        actor: Who sends the patient there.
        visit: Whose place it is.
        cluster: Where.
        priority: Its class.
        priority_reason: Why, as a code or in words.
        at: When.
        sequence: A number that was kept for the patient; otherwise the next one.
        queued_at: Since when the patient counts as waiting, when not from now on.
        came_from: The entry that ended for this one.
        returns_to: On a round trip, the entry to go back to.
    """
    day = visit.service_on
    if sequence is None:
        sequence = next_sequence(cluster, day)
    ticket = Ticket.create(
        id=new_id(),
        cluster=cluster,
        service_on=day,
        sequence=sequence,
        number=ticket_number(clinic, cluster, sequence),
        visit=visit,
        issued_at=at,
    )
    return _enter(
        actor, visit, ticket, priority, priority_reason, at=at, queued_at=queued_at or at,
        came_from=came_from, returns_to=returns_to,
    )  # fmt: skip


def next_sequence(cluster: str, day: date) -> int:
    """Draw the next number of a cluster and day.

    A counter's row, updated under the transaction's lock: an error rolls it back, so there are no gaps.
    """
    updated = (
        TicketCounter.update(last_number=TicketCounter.last_number + 1)
        .where(TicketCounter.cluster == cluster, TicketCounter.service_on == day)
        .execute()
    )
    if not updated:
        TicketCounter.create(cluster=cluster, service_on=day, last_number=1)
    return int(TicketCounter.get_by_id((cluster, day)).last_number)


def ticket_number(clinic: Clinic, cluster: str, sequence: int) -> str:
    """A number as it is printed and called: `A-001`."""
    return f"{clinic.clusters[cluster].prefix}-{sequence:03d}"


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
    log(actor, entry, A.ISSUE, None, {}, at)
    return entry


def call_next(clinic: Clinic, actor: Actor, cluster: str, service_point: str = "") -> EntryShape | None:
    """Call whoever is first, to `service_point` or else the actor's own; None when nobody waits.

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
        apply(actor, entry, A.CALL, EntryCommand(service_point=service_point or actor.service_point))
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
            `not_possible_now`: the step does not fit the status, and the caller knew it.
        ValidationError: `cluster`, `reason` or `priority` is missing or wrong.
        RuleError: `no_way_back`; those of `core.queue_undo.undo`.
    """
    with transaction():
        entry = load_entry(entry_id)
        _check_version(entry, command.expected_version)
        if action is A.UNDO:
            result = undo(clinic, actor, entry)
        else:
            _check_allowed(actor, entry, action)
            if action is A.FINISH and entry.returns_to_id:
                # Forgetting the way back must not lose the patient.
                action = A.RETURN
            result = MOVES.get(action, _stay)(clinic, actor, entry, action, command)
    return entry_shape(clinic, result.id)


def _check_version(entry: QueueEntry, expected: int | None) -> None:
    if expected is not None and entry.version != expected:
        raise conflict(entry)


def _check_allowed(actor: Actor, entry: QueueEntry, action: EntryAction) -> None:
    if actor.can(Permission.WORK_QUEUE) and entry.cluster in actor.clusters:
        return
    if actor.can(Permission.REGISTER) and TRANSITIONS[action].counter:
        if entry.called_at is None:
            return
        raise conflict(entry)
    raise NotAllowedError(f"{Permission.WORK_QUEUE}:{entry.cluster}")


def _stay(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """Actions that keep the patient in this entry, or end it for good."""
    if action in {A.CANCEL, A.PRIORITISE} and not command.reason:
        raise ValidationError({"reason": "required"})
    if action is A.PRIORITISE and command.priority is None:
        raise ValidationError({"priority": "required"})
    if action is A.PRIORITISE and len(command.reason) > PRIORITY_REASON_LENGTH:
        raise ValidationError({"reason": "too_long"})
    apply(actor, entry, action, command)
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
    at = apply(actor, entry, action, command)
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
        source=TRANSFER_SOURCE,
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
    at = apply(actor, entry, action, command)
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
            target = S.DONE if entry.served_at is not None else S.LEFT
            apply(actor, entry, A.CLOSE, EntryCommand(reason=LeaveReason.CLOSED), status=target)
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
