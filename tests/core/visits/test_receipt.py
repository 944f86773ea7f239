"""The receipt is a proof: read after the commit, out of the pane; without that nothing is called saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.accounts import service as accounts
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus, Priority, Role, Sex
from core.foundation.database import Sqlite, after_commit, connection, database, transaction
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.models import Change, QueueEntry, Registration
from core.queues import service as queueing
from core.queues import views
from core.schemas.patients import PatientFields
from core.schemas.queues import EntryCommand
from core.schemas.registration import RegistrationRequest
from core.visits import registration
from tests.core.days import open_clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return open_clinic(tmp_path / "clinic")


@pytest.fixture
def clerk(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("petugas", "Petugas", Role.CLERK, "rahasia-sekali"))


@pytest.fixture
def dentist(clinic: Clinic) -> Actor:
    with connection():
        return actor_of(accounts.create_account("gigi", "Drg", Role.CLINICIAN, "rahasia-sekali", ["GIGI"]))


def request(number: int, **changes: Any) -> RegistrationRequest:
    letters = chr(ord("a") + number) * 4
    fields = PatientFields(
        name=f"Siti {letters}", sex=Sex.FEMALE, birth_date=date(1970 + number, 3, 1 + number)
    )
    values = {"id": new_id(), "patient": fields, "chief_complaint": "sakit gigi", "cluster": "GIGI"}
    return RegistrationRequest(**{**values, **changes})


def test_the_receipt_says_what_the_pane_shows(clinic: Clinic, clerk: Actor, dentist: Actor) -> None:
    for number, priority in enumerate((None, Priority.YELLOW, None, Priority.RED)):
        receipt, _ = registration.register(clinic, clerk, request(number, priority=priority))
        shown = {entry.id: entry for entry in views.queue(clinic, dentist, "GIGI").entries}[receipt.ticket.id]
        assert (shown.number, shown.position, shown.status, shown.visit_id) == (
            receipt.ticket.number,
            receipt.ticket.position,
            receipt.ticket.status,
            receipt.visit_id,
        )
        with connection():
            newest = Change.select().order_by(Change.sequence.desc()).first()
        assert receipt.sequence == newest.sequence
        assert newest.entry_id == receipt.ticket.id


def test_a_save_that_was_rolled_back_has_no_receipt(
    clinic: Clinic, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the database says that it has committed, and has not."""
    monkeypatch.setattr(Sqlite, "commit", lambda self: Sqlite.rollback(self))
    with pytest.raises(RuntimeError, match="not there after its commit"):
        registration.register(clinic, clerk, request(0))
    monkeypatch.undo()
    with connection():
        assert not Registration.select().exists()


def _lost(column: str, value: object) -> Callable[[str], None]:
    def lose(entry_id: str) -> None:
        QueueEntry.update({column: value}).where(QueueEntry.id == entry_id).execute()

    return lose


def _erased(entry_id: str) -> None:
    database.execute_sql("PRAGMA foreign_keys = 0")
    QueueEntry.delete().where(QueueEntry.id == entry_id).execute()


@pytest.mark.parametrize(
    "lose",
    [_erased, _lost("cluster", "UMUM"), _lost("voided_at", "2026-01-01T00:00:00.000000Z")],
    ids=["no row", "another pane", "voided"],
)
def test_an_entry_that_the_pane_does_not_show_has_no_receipt(
    clinic: Clinic, clerk: Actor, monkeypatch: pytest.MonkeyPatch, lose: Callable[[str], None]
) -> None:
    """Planted: the row of the queue is lost, or stands elsewhere, in the moment of the commit."""
    commit = Sqlite.commit

    def committed(self: Sqlite) -> Any:
        done = commit(self)
        for row in QueueEntry.select(QueueEntry.id):
            lose(row.id)
        return done

    monkeypatch.setattr(Sqlite, "commit", committed)
    with pytest.raises(RuntimeError, match="the pane does not show"):
        registration.register(clinic, clerk, request(0))


def test_who_is_called_in_the_moment_of_the_save_is_told_so_each_time(
    clinic: Clinic, clerk: Actor, dentist: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the fresh read says is what is answered, and what the same registration gets when it is sent again."""
    form = request(0)
    save = registration._save

    def call() -> None:
        assert queueing.call_next(clinic, dentist, "GIGI") is not None

    def called_meanwhile(*given: Any) -> str:
        entry_id = save(*given)
        after_commit(call)
        return entry_id

    monkeypatch.setattr(registration, "_save", called_meanwhile)
    receipt, made = registration.register(clinic, clerk, form)
    assert made
    assert receipt.ticket.status is EntryStatus.CALLED
    assert receipt.ticket.position is None
    again, made = registration.register(clinic, clerk, form)
    assert not made
    assert again == receipt


def test_a_quiet_save_is_one_transaction(
    clinic: Clinic, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[object] = []
    commit = Sqlite.commit

    def counted(self: Sqlite) -> Any:
        commits.append(self)
        return commit(self)

    monkeypatch.setattr(Sqlite, "commit", counted)
    receipt, _ = registration.register(clinic, clerk, request(0))
    assert len(commits) == 1
    with connection():
        assert Registration.get().receipt == receipt.model_dump(mode="json")


def test_the_place_is_kept_while_others_are_skipped(clinic: Clinic, clerk: Actor, dentist: Actor) -> None:
    first, _ = registration.register(clinic, clerk, request(0))
    called = queueing.call_next(clinic, dentist, "GIGI")
    assert called is not None
    assert called.id == first.ticket.id
    queueing.act(clinic, dentist, called.id, EntryAction.SKIP, EntryCommand())
    second, _ = registration.register(clinic, clerk, request(1))
    assert second.ticket.position == 1
    with transaction():
        order = views.calling_ids(clinic, "GIGI")
    assert order == [second.ticket.id, first.ticket.id]
