"""The drill as the admin would do it: a day of 400 visits, a new machine, one command."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from core.daily import backup
from core.foundation import feed
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.models import ALL_TABLES, Change, Visit
from tests import loket_command
from tests.core.days import Days, open_clinic

DAY = date(2026, 3, 2)
VISITS = 400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A clinic after a day, its backup, and its recovery key in a file."""
    home: Path = tmp_path_factory.mktemp("clinic")
    clinic = open_clinic(home)
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text(f"# keep me off the machine\n{backup.create_recovery_key(home)}\n")
    with connection():
        Days(clinic).fill(DAY, VISITS)
        with transaction():
            feed.append("test")
        info = backup.make(clinic)
        counts = {table._meta.table_name: table.select().count() for table in ALL_TABLES}
    database.close()
    return {"clinic": clinic, "file": Path(info.path), "key": key, "info": info, "counts": counts}


def loket(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOKET_HOME": str(home), "LOKET_LANGUAGE": "en"}
    return loket_command.loket(*arguments, environment=environment)


def test_one_command_brings_a_fresh_machine_back(made: dict, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    done = loket(
        fresh,
        "restore",
        str(made["file"]),
        "--key",
        str(made["key"]),
        "--yes",
        "--because",
        "cakram lama rusak",
    )
    assert done.returncode == 0, done.stderr
    clinic = Clinic.open(Settings(home=fresh))
    with connection():
        assert Visit.select().count() == VISITS
        counts = {table._meta.table_name: table.select().count() for table in ALL_TABLES}
        newest = Change.select(Change.sequence).order_by(Change.sequence.desc()).scalar()
    database.close()
    # The first start after a restore writes into the audit log that there was one; the restore itself begins an epoch.
    one_more = {table: made["counts"][table] + 1 for table in ("audit_event", "state")}
    assert counts == {**made["counts"], **one_more}
    assert newest == made["info"].newest_change == 1
    assert (clinic.settings.home / "loket.sqlite3").exists()


def test_the_drill_by_command_proves_it_without_touching_anything(made: dict, tmp_path: Path) -> None:
    done = loket(tmp_path / "elsewhere", "backup", "verify", str(made["file"]), "--key", str(made["key"]))
    assert done.returncode == 0, done.stderr
    assert str(VISITS) in done.stdout
    assert not (tmp_path / "elsewhere" / "loket.sqlite3").exists()


def fingerprint(home: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.iterdir()
        if path.is_file() and path.name.startswith("loket.sqlite3")
    }


@pytest.mark.parametrize("fault", ["cut", "flipped", "wrong_key", "no_key", "newer"])
def test_what_must_not_be_restored_is_refused_in_a_sentence_and_the_present_stays(
    made: dict, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "present"
    clinic = open_clinic(home)
    with connection():
        Days(clinic).fill(DAY, 3)
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    file, key = tmp_path / made["file"].name, tmp_path / "key"
    file.write_bytes(made["file"].read_bytes())
    key.write_text(made["key"].read_text())
    if fault == "cut":
        file.write_bytes(file.read_bytes()[:-1000])
    elif fault == "flipped":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif fault == "wrong_key":
        key.write_text(backup.create_recovery_key(tmp_path / "another"))
    elif fault == "no_key":
        key.write_text("not a key")
    else:
        future = open_clinic(tmp_path / "future")
        key.write_text(backup.create_recovery_key(future.settings.home))
        with connection():
            database.execute_sql(
                "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_the_future', '2030-01-01')"
            )
            file = Path(backup.make(future).path)
        database.close()
    before = fingerprint(home)
    assert before
    for command in (("restore", str(file), "--key", str(key), "--yes", "--because", "cakram lama rusak"),):
        done = loket(home, *command)
        assert done.returncode == 1, done.stdout
        words = {
            "cut": "damaged", "flipped": "damaged", "wrong_key": "does not open", "no_key": "does not open",
            "newer": "newer Loket",
        }[fault]  # fmt: skip
        assert words in done.stderr
        assert "Nothing was changed" in done.stderr
        assert "Traceback" not in done.stderr
    assert fingerprint(home) == before
    assert not list(home.glob(".work-*"))
