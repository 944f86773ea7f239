"""Taking steps back: the newest one on an entry, a move, or a whole registration."""

from __future__ import annotations

from datetime import datetime

from core import audit, clock
from core.actors import Actor
from core.clinic import Clinic
from core.database import transaction
from core.errors import NotAllowedError, NotFoundError, RuleError
from core.models import QueueEntry, QueueEvent, RoutingExample, Visit
from core.queue_transitions import VISIT_DISPOSITION, apply, log, refresh_visit, update
from core.queue_views import entry_shape, load_entry
from core.schemas.queues import EntryCommand, EntryShape
from core.vocabulary import EntryAction, EntryStatus, Permission

A, S = EntryAction, EntryStatus
MOVES = frozenset({A.TRANSFER, A.SEND, A.RETURN})
TRANSFER_SOURCE = "transfer"
"""`RoutingExample.source` of a label that a move out of the first cluster made."""


def undo(clinic: Clinic, actor: Actor, entry: QueueEntry) -> QueueEntry:
    """Take back the newest action on an entry (or, for the first entry after a move, the move).

    Runs in the caller's transaction.

    Steps:
        1. Find the newest action that is not undone; a move's new entry stands for the move.
        2. If it was a move, take the new entry back, unless someone has called it.
        3. Put the columns back as they were, under a new version.
        4. Mark the event undone and log the undo as an event of its own.

    Returns:
        The entry that is the newest again.

    Raises:
        RuleError: `nothing_to_undo`; `undo_not_possible` when the patient has moved on or the day is over.
        NotAllowedError: Neither the actor's own step nor their cluster.
    """
    event = _newest_event(entry)
    if event is not None and event.action == A.ISSUE and entry.came_from_id:
        entry = load_entry(entry.came_from_id)
        event = _newest_event(entry)
    if event is None or event.action == A.ISSUE:
        raise RuleError("nothing_to_undo")
    action = A(event.action)
    _check_undo_allowed(clinic, actor, entry, event)
    at = clock.now()
    if action in MOVES:
        _take_back(actor, entry, at)
    before = {
        name: datetime.fromisoformat(value) if value and name.endswith("_at") else value
        for name, value in event.before.items()
    }
    if VISIT_DISPOSITION in before:
        disposition = before.pop(VISIT_DISPOSITION)
        Visit.update(disposition=disposition).where(Visit.id == entry.visit_id).execute()
    from_status = entry.status
    update(entry, before)
    QueueEvent.update(undone_at=at).where(QueueEvent.sequence == event.sequence).execute()
    log(actor, entry, A.UNDO, from_status, {}, at)
    audit.record(actor, "entry_undo", "queue_entry", entry.id, entry.visit.patient_id, undone=action)
    if action is A.TRANSFER and not entry.came_from_id:
        RoutingExample.delete().where(
            RoutingExample.visit == entry.visit_id, RoutingExample.source == TRANSFER_SOURCE
        ).execute()
    refresh_visit(entry.visit_id)
    return entry


def _newest_event(entry: QueueEntry) -> QueueEvent | None:
    event: QueueEvent | None = (
        QueueEvent.select()
        .where(
            QueueEvent.entry == entry,
            QueueEvent.undone_at.is_null(),
            QueueEvent.action != A.UNDO,
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
    update(new, {"voided_at": at, "ended_at": at, "status": S.CANCELLED})
    log(actor, new, A.UNDO, S.WAITING, {}, at)


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
        apply(actor, entry, A.CANCEL, EntryCommand(reason="registration undone"))
        refresh_visit(visit.id)
    return entry_shape(clinic, entry.id)
