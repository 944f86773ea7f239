"""Faults planted in Loket itself, so that it shows whether the simulator would find them; none is in the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

import peewee

from core.foundation import audit, feed, identifiers
from core.foundation import database as storage
from core.foundation.codes import EntryAction, EntryStatus
from core.models import QueueEntry, QueueEvent
from core.queues import places, service, tickets, transitions, undo, views
from core.visits import registration


@dataclass(frozen=True)
class Plant:
    """One fault, and the promises of which one has to show it."""

    patches: Callable[[], list[Any]]
    promises: tuple[str, ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Run Loket with it."""
        patches = self.patches()
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


def _skips_are_not_told() -> list[Any]:
    told = feed.append

    def append(kind: str, **data: Any) -> int:
        return feed.newest_sequence() if data.get("action") == "skip" else told(kind, **data)

    return [mock.patch.object(feed, "append", append)]


def _numbers_in_memory() -> list[Any]:
    """Numbers are counted in the process, outside the transaction: an error leaves a gap."""
    counted: dict[Any, int] = {}
    draw = tickets._draw

    def drawn(cluster: str, day: Any) -> int:
        counted[cluster, day] = max(counted.get((cluster, day), 0) + 1, draw(cluster, day))
        return counted[cluster, day]

    return [mock.patch.object(tickets, "_draw", drawn)]


def _commits_are_not_synced() -> list[Any]:
    return [mock.patch.dict(storage.SQLITE_PRAGMAS, {"synchronous": "off"})]


def _a_form_gets_another_id() -> list[Any]:
    """Each arrival of a form is saved under an id of its own."""
    register = registration.register

    def registered(clinic: Any, actor: Any, request: Any) -> Any:
        own = request.model_copy(update={"id": identifiers.new_id()})
        receipt, made = register(clinic, actor, own)
        return receipt.model_copy(update={"registration_id": request.id}), made

    return [mock.patch.object(registration, "register", registered)]


def _a_failed_save_is_answered() -> list[Any]:
    """Whoever finishes a service is told that it is done, also where the disk refused."""
    act = service.act

    def answered(clinic: Any, actor: Any, entry_id: str, action: EntryAction, command: Any) -> Any:
        before = views.entry_out(clinic, entry_id)
        try:
            return act(clinic, actor, entry_id, action, command)
        except peewee.DatabaseError:
            if action is not EntryAction.FINISH:
                raise
            return before.model_copy(update={"version": before.version + 1, "status": EntryStatus.DONE})

    return [mock.patch.object(service, "act", answered)]


def _starts_leave_no_audit() -> list[Any]:
    record = audit.record

    def recorded(actor: Any, action: str, *words: Any, **facts: Any) -> None:
        if action != "entry_start":
            record(actor, action, *words, **facts)

    return [mock.patch.object(audit, "record", recorded)]


def _a_move_takes_a_second() -> list[Any]:
    issue = tickets.issue

    def issued(*words: Any, at: Any, **more: Any) -> Any:
        return issue(*words, at=at + timedelta(seconds=1), **more)

    return [mock.patch.object(tickets, "issue", issued)]


def _second_places() -> list[Any]:
    def lets_in(*_: Any, **__: Any) -> None:
        """Refuse nobody."""

    return [
        mock.patch.object(module, "refuse_second_place", lets_in) for module in (registration, service, undo)
    ]


def _called_again() -> list[Any]:
    """Whoever calls next gets the newest one who was called already, too."""
    find = places.first_to_call

    def found(clinic: Any, cluster: str, account_id: str) -> str | None:
        called = QueueEntry.select(QueueEntry.id).where(
            QueueEntry.cluster == cluster,
            QueueEntry.status == EntryStatus.CALLED,
            QueueEntry.ended_at.is_null(),
        )
        first = called.order_by(QueueEntry.id).first()
        return find(clinic, cluster, account_id) if first is None else str(first.id)

    call = transitions.TRANSITIONS[EntryAction.CALL]
    wider = transitions.Transition(call.sources | {EntryStatus.CALLED}, call.target, call.counter)
    return [
        mock.patch.object(places, "first_to_call", found),
        mock.patch.dict(transitions.TRANSITIONS, {EntryAction.CALL: wider}),
    ]


def _an_undo_erases() -> list[Any]:
    undone = undo.undo_newest

    def erased(clinic: Any, actor: Any, entry: Any) -> Any:
        back = undone(clinic, actor, entry)
        QueueEvent.delete().where(QueueEvent.undone_at.is_null(False)).execute()
        return back

    return [
        mock.patch.object(module, "undo_newest", erased)
        for module in (undo, service)
        if hasattr(module, "undo_newest")
    ]


def _the_chain_is_rewritten() -> list[Any]:
    """A row of the audit log is changed behind Loket's back at each closing."""
    close = service.close_day

    def closed(*words: Any, **more: Any) -> int:
        ended = close(*words, **more)
        with storage.transaction():
            storage.database.execute_sql("DROP TRIGGER IF EXISTS audit_event_no_update")
            for (name,) in storage.database.execute_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'"
            ).fetchall():
                storage.database.execute_sql(f'DROP TRIGGER "{name}"')
            storage.database.execute_sql("UPDATE audit_event SET detail = '{}' WHERE sequence = 12")
        return ended

    return [mock.patch.object(service, "close_day", closed)]


PLANTS: dict[str, Plant] = {
    "skips are not told": Plant(_skips_are_not_told, ("panes show the table",)),
    "numbers counted in memory": Plant(_numbers_in_memory, ("numbers are unique and without gaps",)),
    "commits are not synced": Plant(
        _commits_are_not_synced,
        (
            "what was acknowledged is there",
            "nothing is erased",
            "panes show the table",
            "the audit chain is whole",
        ),
    ),
    "a form gets another id": Plant(_a_form_gets_another_id, ("once", "what was acknowledged is there")),
    "a failed save is answered": Plant(
        _a_failed_save_is_answered, ("what was acknowledged is there", "who did what is written down")
    ),
    "starts leave no audit": Plant(_starts_leave_no_audit, ("who did what is written down",)),
    "a move takes a second": Plant(_a_move_takes_a_second, ("a move is one instant",)),
    "second places": Plant(_second_places, ("one place in a queue",)),
    "called again": Plant(_called_again, ("nobody is called by two",)),
    "an undo erases": Plant(_an_undo_erases, ("nothing is erased", "every step has a version")),
    "the chain is rewritten": Plant(_the_chain_is_rewritten, ("the audit chain is whole",)),
}
"""Name -> fault."""
