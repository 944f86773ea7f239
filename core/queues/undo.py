"""Undoes steps: the newest one on an entry, a move, or a whole registration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus, Permission
from core.foundation.database import transaction
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError
from core.foundation.permissions import Actor
from core.models import QueueEntry, QueueEvent, Registration, Visit
from core.queues import outcomes, routing_examples, service_days, transitions
from core.queues.entries import load_entry, open_entry_of, refuse_second_place
from core.queues.people_left import TAKEN_BACK_WITHIN
from core.queues.transitions import VISIT_DISPOSITION
from core.queues.views import entry_out, for_actor
from core.schemas.queues import EntryCommand, EntryOut

SIGNED_STEPS = frozenset({EntryAction.FINISH, EntryAction.TRANSFER})
"""Steps for which the record was signed."""
MOVES = frozenset({EntryAction.TRANSFER, EntryAction.SEND, EntryAction.RETURN})


def undo_newest(clinic: Clinic, actor: Actor, entry: QueueEntry) -> QueueEntry:
    """Take back the newest action on an entry (or, for the first entry after a move, the move).

    Runs in the caller's transaction.

    Steps:
        1. Find the newest action that is not undone; the new entry of a move represents the move.
        2. If it was a move, void the new entry, unless it has been called.
        3. Restore the columns under a new version.
        4. Mark the event undone and record the undo as an event of its own.

    Args:
        clinic: The clinic.
        actor: Actor of the undo.
        entry: The entry, or the first one after a move.

    Returns:
        The entry that is the newest again.

    Raises:
        RuleError: `nothing_to_undo`; `undo_not_possible` when the patient has moved on or it is too late.
        ConflictError: `already_in_queue`: the patient has another place in that queue meanwhile.
    """
    entry, event = _undoable(entry)
    if event is None or event.action == EntryAction.ISSUE:
        raise RuleError("nothing_to_undo")
    if not _may_take_back(actor, entry, event):
        raise RuleError("undo_not_possible")
    action = EntryAction(event.action)
    at = clock.now()
    if not _is_in_time(clinic, entry, event, at):
        raise RuleError("undo_not_possible")
    if action in MOVES:
        _void_moved_entry(actor, entry, at)
    from_status = entry.status
    if entry.ended_at is not None:
        # Whoever left by mistake may have been registered again since.
        refuse_second_place(entry.visit.patient_id, entry.cluster, besides=entry.id)
    _restore(actor, entry, event)
    QueueEvent.update(undone_at=at).where(QueueEvent.sequence == event.sequence).execute()
    transitions.record_transition(actor, entry, EntryAction.UNDO, from_status, {}, at)
    audit.record(actor, "entry_undo", "queue_entry", entry.id, entry.visit.patient_id, undone=action)
    if action is EntryAction.TRANSFER and not entry.came_from_id:
        routing_examples.forget_transfer(entry.visit_id)
    transitions.refresh_visit(entry.visit_id)
    return entry


def _is_in_time(clinic: Clinic, entry: QueueEntry, event: QueueEvent, at: datetime) -> bool:
    """Return whether a step can still be undone.

    It can on its service day, while the entry is open, and for some days after a closing that nobody answered.
    """
    days = {entry.service_on, service_days.day_at(clinic, entry.cluster, event.at)}
    if entry.ended_at is None or service_days.present_day(clinic, entry.cluster) in days:
        return True
    return event.action == EntryAction.CLOSE and at - event.at <= TAKEN_BACK_WITHIN


def _restore(actor: Actor, entry: QueueEntry, event: QueueEvent) -> None:
    """Write the columns as they were before the event; outcome and signature go with a step that ended a service."""
    before = {name: _value(name, value) for name, value in event.before.items()}
    disposition = before.pop(VISIT_DISPOSITION, entry.visit.disposition)
    if event.action in SIGNED_STEPS:
        outcomes.undo_outcome(actor, entry, disposition)
    transitions.update_entry(entry, before)


def _value(name: str, value: Any) -> Any:
    """Return the column's value from the JSON of the event."""
    return datetime.fromisoformat(value) if value and name.endswith("_at") else value


def _newest_event(entry: QueueEntry) -> QueueEvent | None:
    event: QueueEvent | None = (
        QueueEvent.select()
        .where(
            QueueEvent.entry == entry,
            QueueEvent.undone_at.is_null(),
            QueueEvent.action != EntryAction.UNDO,
        )
        .order_by(QueueEvent.sequence.desc())
        .first()
    )
    return event


def _undoable(entry: QueueEntry) -> tuple[QueueEntry, QueueEvent | None]:
    """Return the entry whose newest step an undo takes back, and that step."""
    event = _newest_event(entry)
    if event is not None and event.action == EntryAction.ISSUE and entry.came_from_id:
        entry = load_entry(entry.came_from_id)
        event = _newest_event(entry)
    return entry, event


def require_undo_right(actor: Actor, entry: QueueEntry) -> None:
    """Refuse an undo to whoever neither took the step, nor works the cluster, nor moved the patient there.

    Args:
        actor: Actor of the undo.
        entry: The entry, or the first one after a move.

    Raises:
        NotAllowedError: Neither the actor's own step, nor their cluster, nor their move.
    """
    newest, event = _undoable(entry)
    if not _may_take_back(actor, newest, event) and not _has_moved_here(actor, entry):
        raise NotAllowedError(f"{Permission.WORK_QUEUE}:{entry.cluster}")


def _may_take_back(actor: Actor, entry: QueueEntry, event: QueueEvent | None) -> bool:
    """Return whether the newest step is the actor's own, or one in their cluster."""
    if actor.works_in(entry.cluster):
        return True
    if event is None or event.action == EntryAction.ISSUE:
        return actor.can(Permission.REGISTER)  # the counter is told that there is nothing to undo
    return bool(event.by_id == actor.account_id)


def _has_moved_here(actor: Actor, entry: QueueEntry) -> bool:
    """Return whether the actor's move began this entry.

    Who moved a patient may ask for them back, and learns that somebody has gone on from there.
    """
    if not entry.came_from_id:
        return False
    event = _newest_event(load_entry(entry.came_from_id))
    return event is not None and event.by_id == actor.account_id


def _void_moved_entry(actor: Actor, entry: QueueEntry, at: datetime) -> None:
    """Void the entry that a move began, unless it has been called."""
    new = (
        QueueEntry.select()
        .where(QueueEntry.came_from == entry, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at.desc())
        .first()
    )
    if new is None or new.status != EntryStatus.WAITING or new.called_at is not None:
        raise RuleError("undo_not_possible")
    new = load_entry(new.id)
    transitions.update_entry(new, {"voided_at": at, "ended_at": at, "status": EntryStatus.CANCELLED})
    transitions.record_transition(actor, new, EntryAction.UNDO, EntryStatus.WAITING, {}, at)


def undo_registration(clinic: Clinic, actor: Actor, visit_id: str) -> EntryOut:
    """Cancel a registration while the patient is still at the counter.

    Args:
        clinic: For the time that a registration can be undone in.
        actor: Actor of the undo.
        visit_id: The visit that the registration made.

    Raises:
        NotFoundError: There is no such visit.
        RuleError: `undo_too_late`, or `undo_not_possible` once the patient was called.
    """
    actor.require(Permission.REGISTER)
    with transaction():
        visit = Visit.get_or_none(Visit.id == visit_id)
        if visit is None:
            raise NotFoundError("visit", visit_id)
        saved = Registration.get(Registration.visit == visit)
        # From the save: whoever is entered late came long before.
        if (clock.now() - saved.registered_at).total_seconds() > clinic.settings.undo_seconds:
            raise RuleError("undo_too_late", seconds=clinic.settings.undo_seconds)
        entry = open_entry_of(visit.id)
        if entry is None or entry.called_at is not None:
            raise RuleError("undo_not_possible")
        command = EntryCommand(reason="registration undone")
        transitions.apply_action(actor, entry, EntryAction.CANCEL, command)
        transitions.refresh_visit(visit.id)
    return for_actor(actor, entry_out(clinic, entry.id))
