"""A clinic goes from SQLite to PostgreSQL and back, row for row, also when the move is killed in the middle."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import peewee
import pytest

from core.daily import backup, moving
from core.foundation import audit, audit_check, feed
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connect, connection, database, transaction
from core.foundation.errors import BackupError, DatabaseError
from core.models import AuditEvent, Patient
from tests.core.daily.killed_moves import move_and_be_killed
from tests.core.days import Days, open_clinic
from tests.loket_command import loket
from tests.postgres import new_database

DAY = date(2026, 3, 2)
OWN = {"schema_migration", "journal_record"}
"""Tables of which each database has its own rows: the steps it took, and what its journal waits to bring away."""


@pytest.fixture
def empty(postgres: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_database(postgres)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a clinic of some days: records, a mother and her child, one who was merged."""
    home = tmp_path_factory.mktemp("clinic") / "home"
    clinic = open_clinic(home)
    days = Days(clinic)
    with transaction():
        child = days.patient()
        mother = days.patient(name="Siti 'Aminah\" – ä")  # quotes and letters beyond ASCII
        Patient.update(mother=mother.id).where(Patient.id == child.id).execute()  # points to a later row
        for _ in range(60):
            days.visit(DAY)
        feed.append("day_closed")
        audit.record(None, "tried", "clinic", "")
    database.close()
    return home


@pytest.fixture
def source(filled: Path, tmp_path: Path) -> Iterator[Settings]:
    shutil.copytree(filled, tmp_path / "home")
    yield Settings(home=tmp_path / "home")
    database.close()


def rows_of(url: str) -> dict[str, list[Any]]:
    """Every row of every table, read with nothing of the code under test but the connection."""
    with contextlib.closing(connect(url)) as opened:
        opened.connect()
        found = {}
        for table in sorted(set(opened.get_tables()) - OWN):
            if table.startswith("sqlite_"):
                continue
            columns = ", ".join(f'"{column.name}"' for column in opened.get_columns(table))
            rows = opened.execute_sql(f'SELECT {columns} FROM "{table}"').fetchall()
            found[table] = sorted(
                (tuple(int(cell) if isinstance(cell, bool) else cell for cell in row) for row in rows),
                key=repr,
            )
        return found


def close_all() -> None:
    """Nobody else may have a database open that is moved."""
    if isinstance(database.obj, peewee.SqliteDatabase):
        database.close()
    elif database.obj is not None:
        database.obj.close_all()


def test_to_postgresql_and_back_every_row_is_the_same(source: Settings, empty: str, tmp_path: Path) -> None:
    before = rows_of(source.resolved_database_url)
    steps: list[tuple[str, str, int, int]] = []
    moved = moving.move(source.resolved_database_url, empty, lambda *step: steps.append(step))
    assert rows_of(empty) == before
    assert moved.rows == {table: len(rows) for table, rows in before.items()}
    assert ("copy", "visit", len(before["visit"]), len(before["visit"])) in steps
    back = f"sqlite:///{tmp_path / 'back' / 'loket.sqlite3'}"
    moving.move(empty, back)
    assert rows_of(back) == before
    with contextlib.closing(connect(back)) as opened:
        opened.connect()
        assert opened.execute_sql("PRAGMA foreign_key_check").fetchall() == []


def test_the_clinic_goes_on_there(source: Settings, empty: str) -> None:
    Clinic.open(source)
    with connection():
        newest, problems = feed.newest_sequence(), audit_check.verify().problems
    close_all()
    moving.move_clinic(source, empty)
    there = Clinic.open(source.model_copy(update={"database_url": empty}))
    with connection():
        assert audit_check.verify().problems == problems, "those of made-up rows, and no others"
        assert AuditEvent.select().where(AuditEvent.action == "database_moved").count() == 1
        with transaction():
            assert feed.append("day_closed") == newest + 1, "sequences go on above what came"
            Days(there, seed=7).visit(DAY)
        with pytest.raises(peewee.IntegrityError), transaction():
            Patient.update(created_by="nobody").execute()  # relations hold again
    close_all()


@pytest.mark.parametrize("way", ["to_postgresql", "back"])
def test_a_move_killed_again_and_again_goes_on_where_it_stopped(
    source: Settings, empty: str, tmp_path: Path, way: str
) -> None:
    start, end = source.resolved_database_url, empty
    if way == "back":
        moving.move(start, empty)
        start, end = empty, f"sqlite:///{tmp_path / 'back.sqlite3'}"
    before = rows_of(start)
    for step in (3, 40, 90, 130):
        assert move_and_be_killed(start, end, step) == -signal.SIGKILL
        with pytest.raises(DatabaseError) as refused:
            moving.move(end, f"sqlite:///{tmp_path / f'never-{step}.sqlite3'}")
        assert refused.value.reason == "database_half_moved"
        with pytest.raises(DatabaseError) as refused:  # nor does a server start on it
            Clinic.open(Settings(home=tmp_path / "server", database_url=end))
        assert refused.value.reason == "database_half_moved"
        close_all()
    seen: list[int] = []
    moved = moving.move(
        start, end, lambda doing, _table, done, _total: seen.append(done) if doing == "copy" else None
    )
    assert moved.resumed
    assert moved.copied_again == []
    assert rows_of(end) == before


def test_rows_that_changed_between_two_runs_are_copied_again(source: Settings, empty: str) -> None:
    url = source.resolved_database_url
    move_and_be_killed(url, empty, 130)
    Clinic.open(source)
    with transaction():
        Patient.update(phone="0800").execute()
    close_all()
    moved = moving.move(url, empty)
    assert moved.copied_again == ["patient"]
    assert rows_of(empty) == rows_of(url)


def test_a_target_that_holds_a_clinic_is_refused_and_left_alone(
    source: Settings, empty: str, tmp_path: Path
) -> None:
    moving.move(source.resolved_database_url, empty)
    before = rows_of(empty)
    for target in (empty, source.resolved_database_url):
        with pytest.raises(DatabaseError) as refused:
            moving.move(source.resolved_database_url, target)
        assert refused.value.reason in {"move_holds_clinic", "move_same"}
    assert rows_of(empty) == before


def test_the_half_move_of_another_clinic_is_refused(source: Settings, empty: str, tmp_path: Path) -> None:
    move_and_be_killed(source.resolved_database_url, empty, 40)
    other = Settings(home=tmp_path / "other")
    Clinic.open(other)
    close_all()
    with pytest.raises(DatabaseError) as refused:
        moving.move(other.resolved_database_url, empty)
    assert refused.value.reason == "move_other_clinic"


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_database_in_use_is_not_moved(source: Settings, empty: str, tmp_path: Path, engine: str) -> None:
    url = source.resolved_database_url
    if engine == "postgres":
        moving.move(url, empty)
        url = empty
    with contextlib.closing(connect(url)) as user:
        user.connect()
        user.execute_sql("SELECT 1").fetchall()
        with pytest.raises(DatabaseError) as refused:
            moving.move(url, f"sqlite:///{tmp_path / 'there.sqlite3'}")
    assert refused.value.reason == "move_in_use"


def test_a_row_that_postgresql_does_not_take_is_named(source: Settings, empty: str) -> None:
    with contextlib.closing(connect(source.resolved_database_url)) as opened:
        opened.connect()
        (key,) = opened.execute_sql("SELECT MIN(id) FROM patient").fetchone()
        opened.execute_sql("UPDATE patient SET phone = ? WHERE id = ?", ("0" * 500, key))
    with pytest.raises(DatabaseError) as refused:
        moving.move(source.resolved_database_url, empty)
    assert refused.value.reason == "move_row_refused"
    assert f"patient {key}" in refused.value.detail
    assert "00000" not in refused.value.detail, "no value of a patient's"


def test_the_command_moves_and_says_what_is_left_to_do(source: Settings, empty: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LOKET_HOME": str(source.home), "LOKET_LANGUAGE": "en"}
    before = rows_of(source.resolved_database_url)
    done = loket("move-database", empty, environment=environment)
    assert done.returncode == 0, done.stderr
    assert f"visit: {len(before['visit'])} of {len(before['visit'])} rows copied" in done.stderr
    assert f"Set LOKET_DATABASE_URL={empty}" in done.stdout
    assert rows_of(empty)["visit"] == before["visit"]
    again = loket("move-database", empty, environment=environment)
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_a_backup_of_sqlite_is_restored_into_postgresql(source: Settings, empty: str, tmp_path: Path) -> None:
    clinic = Clinic.open(source)
    key = backup.create_recovery_key(source.home)
    made = backup.make(clinic)
    with connection():
        problems = audit_check.verify().problems
    before = rows_of(source.resolved_database_url)
    close_all()
    fresh = Settings(home=tmp_path / "fresh", database_url=empty)
    restored = backup.restore(Path(made.path), key, fresh, because="the machine is dead")
    assert restored.counts["visit"] == len(before["visit"])
    begun = ("epoch", '{"epoch":1}')  # a restore ends what the machine before it may still save
    before["state"] = sorted([*before["state"], begun], key=repr)
    assert rows_of(empty) == before
    there = Clinic.open(fresh)
    with connection():
        assert audit_check.verify().problems == problems
    assert backup.has_recovery_key(there.settings.home)
    close_all()


def test_a_backup_of_postgresql_needs_one(source: Settings, empty: str, tmp_path: Path) -> None:
    moving.move(source.resolved_database_url, empty)
    key = backup.create_recovery_key(source.home)
    made = backup.make(Clinic.open(source.model_copy(update={"database_url": empty})))
    close_all()
    with pytest.raises(BackupError, match="other_engine"):
        backup.restore(Path(made.path), key, Settings(home=tmp_path / "fresh"), because="tried")
