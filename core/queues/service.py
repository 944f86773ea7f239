"""Queues: calls and moves, each one transaction.

An entry is an interval. Moving a patient ends one entry and starts the next at the same
instant, so the path through the clinic has no gap and no overlap. Every action is a row in
`queue_event` with the columns it takes to undo it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus, LeaveReason, Permission, Role
from core.foundation.database import connection, transaction
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import QueueEntry
from core.patients import deaths
from core.queues import outcomes, places, routing_examples, tickets, transitions
from core.queues.entries import load_entry, open_entries, refuse_second_place
from core.queues.undo import require_undo_right, undo_newest
from core.queues.views import entry_out, for_actor
from core.schemas.queues import EntryCommand, EntryOut

PRIORITY_REASON_LENGTH = 80
"""Characters that `queue_entry.priority_reason` holds."""


ASKED_OF_THE_DEAD = frozenset({EntryAction.CALL, EntryAction.START, EntryAction.TRANSFER, EntryAction.SEND})
"""Steps that begin something for a patient; ending it, and going back to who sent them, is not asked about."""


def call_next(
    clinic: Clinic, actor: Actor, cluster: str, service_point: str = "", *, deceased_confirmed: bool = False
) -> EntryOut | None:
    """Call the first patient in the queue; return None when nobody waits.

    Two callers never get the same patient: writers take turns, and the entry is taken by an
    update conditional on its version.

    Args:
        clinic: The clinic.
        actor: Actor who calls.
        cluster: Code of the cluster.
        service_point: The room to call to; otherwise the actor's own.
        deceased_confirmed: Called although the patient is recorded as dead.

    Raises:
        NotAllowedError: The cluster is not one of the actor's.
        NotFoundError: There is no such cluster.
        RuleError: `patient_deceased`, with the `number`, until `deceased_confirmed`.
    """
    code = clinic.clusters[cluster].code
    actor.require_cluster(code)
    with transaction():
        found = places.first_to_call(clinic, code, actor.account_id)
        if found is None:
            return None
        entry = load_entry(found)
        command = EntryCommand(
            service_point=service_point or actor.service_point, deceased_confirmed=deceased_confirmed
        )
        _ask_about_death(actor, entry, EntryAction.CALL, command)
        transitions.apply_action(actor, entry, EntryAction.CALL, command)
    return for_actor(actor, entry_out(clinic, entry.id))


def act(clinic: Clinic, actor: Actor, entry_id: str, action: EntryAction, command: EntryCommand) -> EntryOut:
    """Apply one action to one entry.

    Args:
        clinic: The clinic.
        actor: Actor of the step.
        entry_id: The entry.
        action: The step.
        command: Room, target, reason, priority.

    Returns:
        The entry afterwards; for moves, the new entry.

    Raises:
        NotFoundError: There is no such entry.
        NotAllowedError: The cluster is not one of the actor's, or the counter comes after the call.
        ConflictError: `changed_meanwhile`: someone was faster; details name them and the present state.
            `not_possible_now`: the step does not fit the status, and the caller knew it.
            `already_in_queue`: a move, or an undo, into a queue in which the patient stands already.
        ValidationError: `cluster`, `reason` or `priority` is missing or wrong.
        RuleError: `no_way_back`; `patient_deceased`, until `deceased_confirmed`; those of `core.queues.undo.undo_newest`.
    """
    with transaction():
        entry = load_entry(entry_id)
        # The right first: who may not act learns nothing of the entry from a conflict.
        if action is EntryAction.UNDO:
            require_undo_right(actor, entry)
            _check_version(entry, command.expected_version)
            result = undo_newest(clinic, actor, entry)
        else:
            _check_allowed(actor, entry, action)
            _check_version(entry, command.expected_version)
            if action is EntryAction.FINISH and entry.returns_to_id:
                # Forgetting the way back must not lose the patient.
                action = EntryAction.RETURN
            _ask_about_death(actor, entry, action, command)
            result = MOVES.get(action, _stay)(clinic, actor, entry, action, command)
    shown = for_actor(actor, entry_out(clinic, result.id))
    if action is EntryAction.FINISH and actor.role is Role.CLINICIAN:
        shown = shown.model_copy(update={"warnings": outcomes.finish_warnings(clinic, entry.visit_id)})
    return shown


def _check_version(entry: QueueEntry, expected: int | None) -> None:
    if expected is not None and entry.version != expected:
        raise transitions.conflict_error(entry)


def _ask_about_death(actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand) -> None:
    """Ask before a step for somebody who is recorded as dead; who was called was asked about.

    Raises:
        RuleError: `patient_deceased`, with the day and the `number`.
    """
    was_asked = action is EntryAction.START and entry.status == EntryStatus.CALLED
    if action not in ASKED_OF_THE_DEAD or was_asked:
        return
    confirmed = command.deceased_confirmed
    try:
        deaths.require_asked(actor, entry.visit.patient, str(action), confirmed=confirmed)
    except RuleError as question:
        raise RuleError(question.code, **question.details, number=entry.ticket.number) from None


def _check_allowed(actor: Actor, entry: QueueEntry, action: EntryAction) -> None:
    if actor.works_in(entry.cluster):
        return
    if actor.can(Permission.REGISTER) and transitions.TRANSITIONS[action].counter:
        if entry.called_at is None:
            return
        raise transitions.conflict_error(entry)
    raise NotAllowedError(f"{Permission.WORK_QUEUE}:{entry.cluster}")


def _stay(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """Apply an action that keeps the patient in this entry, or ends it for good."""
    needs_reason = action in {EntryAction.CANCEL, EntryAction.PRIORITISE}
    if needs_reason and not command.reason:
        raise ValidationError({"reason": "required"})
    if action is EntryAction.PRIORITISE:
        _check_priority(command)
    transitions.apply_action(actor, entry, action, command)
    transitions.refresh_visit(entry.visit_id)
    return entry


def _check_priority(command: EntryCommand) -> None:
    if command.priority is None:
        raise ValidationError({"priority": "required"})
    if len(command.reason) > PRIORITY_REASON_LENGTH:
        raise ValidationError({"reason": "too_long"})


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
    refuse_second_place(entry.visit.patient_id, target, besides=entry.id)
    at = transitions.apply_action(actor, entry, action, command)
    place = tickets.Place(
        priority=entry.priority,
        priority_reason=entry.priority_reason,
        came_from=entry,
        returns_to=entry if action is EntryAction.SEND else entry.returns_to,
    )
    new = tickets.issue(clinic, actor, entry.visit, target, place, at=at)
    is_first_move = action is EntryAction.TRANSFER and not entry.came_from_id
    if is_first_move and clinic.clusters[target].stage == "first":
        routing_examples.add(entry.visit, target, routing_examples.TRANSFER_SOURCE, clock.now())
    transitions.refresh_visit(entry.visit_id)
    return new


def _return(
    clinic: Clinic, actor: Actor, entry: QueueEntry, action: EntryAction, command: EntryCommand
) -> QueueEntry:
    """End a round trip: same number, same place, same clinician as before it."""
    origin = entry.returns_to
    if origin is None:
        raise RuleError("no_way_back")
    refuse_second_place(entry.visit.patient_id, origin.cluster, besides=entry.id)
    at = transitions.apply_action(actor, entry, action, command)
    place = tickets.Place(
        priority=origin.priority,
        priority_reason=origin.priority_reason,
        queued_at=origin.queued_at,
        came_from=entry,
        returns_to=origin.returns_to,
        reserved_for=origin.practitioner_id,
    )
    back = tickets.enter_queue(actor, entry.visit, origin.ticket, place, at)
    transitions.refresh_visit(entry.visit_id)
    return back


Move = Callable[[Clinic, Actor, QueueEntry, EntryAction, EntryCommand], QueueEntry]
MOVES: dict[EntryAction, Move] = {
    EntryAction.TRANSFER: _transfer,
    EntryAction.SEND: _transfer,
    EntryAction.RETURN: _return,
}


def close_day(
    clinic: Clinic, actor: Actor, day: date, *, stays: Callable[[QueueEntry], bool] = lambda entry: False
) -> int:
    """End the entries that are still open on `day` with an outcome: served -> done, otherwise left.

    Args:
        clinic: The clinic.
        actor: Actor of the closing.
        day: The clinic's day; earlier ones, and those that a clock that ran ahead has noted, are closed too.
        stays: Says which entries stay open.

    Returns:
        Number of entries ended; 0 when run again.
    """
    with connection():
        left = list(open_entries(QueueEntry.select()))
    return close_entries(
        actor,
        [
            entry.id
            for entry in left
            if (entry.service_on <= day or clock.is_future(entry.started_at)) and not stays(entry)
        ],
        day=day,
        reason=LeaveReason.CLOSED,
    )


def close_entries(
    actor: Actor, ids: Iterable[str], *, day: date | None = None, reason: LeaveReason = LeaveReason.ENDED
) -> int:
    """End entries with an outcome: served -> done, otherwise left; each in a transaction unless there is one.

    Args:
        actor: Actor who ends them.
        ids: The entries; those that have ended meanwhile are left alone.
        day: The day that is closed, if one is.
        reason: Why they end.

    Returns:
        Number of entries ended.
    """
    ended = 0
    for entry_id in ids:
        with transaction():
            entry = load_entry(entry_id)
            if entry.ended_at is not None:
                continue
            outcome = EntryStatus.DONE if entry.served_at is not None else EntryStatus.LEFT
            command = EntryCommand(reason=reason)
            transitions.apply_action(actor, entry, EntryAction.CLOSE, command, status=outcome)
            transitions.refresh_visit(entry.visit_id)
            ended += 1
    if ended:
        with transaction():
            feed.append("day_closed", **({"day": day.isoformat()} if day is not None else {}))
    return ended
