"""From the oldest schema to the newest: rows kept, a copy beside, and nothing newer misread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from playhouse.schema_diff import diff_models

from core import models
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, open_database
from core.foundation.errors import SettingsError
from core.foundation.migrations import latest, migrate, pending, runner
from core.models import Account

TABLES = [
    table
    for table in vars(models).values()
    if isinstance(table, type) and issubclass(table, models.Table) and table is not models.Table
]


@pytest.fixture
def oldest(tmp_path: Path) -> Iterator[Path]:
    """A data folder of the first version, with one account in it."""
    opened = open_database(f"sqlite:///{tmp_path / 'loket.sqlite3'}")
    steps = runner(opened)
    with connection():
        steps.up(target=steps.migrations()[0].name)
        opened.execute_sql(
            "INSERT INTO account (id, username, name, role, clusters, password_hash, must_change_password, created_at)"
            " VALUES ('1', 'rina', 'Rina', 'clerk', '[]', '!', 0, '2026-01-05T00:00:00.000000Z')"
        )
    database.close()
    yield tmp_path
    database.close()


def test_the_oldest_schema_becomes_the_newest_and_keeps_its_rows(oldest: Path) -> None:
    Clinic.open(Settings(home=oldest))
    with connection():
        assert pending(database.obj) == []
        assert not diff_models(database.obj, TABLES)
        assert Account.get().username == "rina"
    copies = list(oldest.glob("*.before-*"))
    assert [copy.name for copy in copies] == ["loket.sqlite3.before-0002_procedures_letters"]
    kept = peewee.SqliteDatabase(str(copies[0]))
    assert kept.execute_sql("SELECT username FROM account").fetchall() == [("rina",)]
    assert "service_point" not in {column.name for column in kept.get_columns("account")}
    kept.close()


def test_a_second_start_changes_nothing(oldest: Path) -> None:
    Clinic.open(Settings(home=oldest))
    with connection():
        assert migrate(database.obj) == []
    assert len(list(oldest.glob("*.before-*"))) == 1


def test_a_newer_loket_s_data_is_not_opened(oldest: Path) -> None:
    Clinic.open(Settings(home=oldest))
    with connection():
        database.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', ?)",
            (clock.now().isoformat(),),
        )
    database.close()
    with pytest.raises(SettingsError, match="newer Loket's"):
        Clinic.open(Settings(home=oldest))
    assert latest() != "9999_later"
