"""`loket upgrade` and `loket rollback`: a backup first, and a list of what the way back leaves out."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from core.daily import backup
from core.foundation import clock, migrations
from core.foundation.clinic import Clinic
from core.foundation.config import HostPort, Settings
from core.foundation.database import connect, connection, database, open_database, transaction
from core.models import Change, Visit
from tests.core.days import Days

DAY = date(2026, 3, 2)


class Machine:
    """A data folder of the version before this one, with a recovery key."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder / "home", http=HostPort(host="127.0.0.1", port=0))
        self.key = folder / "recovery.key"
        self.settings.home.mkdir(mode=0o700)
        older = folder / "older"
        shutil.copytree(migrations.FOLDER, older, ignore=shutil.ignore_patterns("__pycache__"))
        newest = max(older.glob("[0-9]*.py"))
        newest.unlink()
        self.step = newest.stem
        opened = open_database(self.settings.resolved_database_url)
        with connection():
            migrations.migrate(opened, older)
        database.close()
        self.key.write_text(backup.create_recovery_key(self.settings.home))
        self.key.chmod(0o600)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ, "LOKET_HOME": str(self.settings.home), "LOKET_LANGUAGE": "en", "LOKET_HTTP": "127.0.0.1:0",
        }  # fmt: skip
        command = [sys.executable, "-m", "server.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def steps_left(self) -> list[str]:
        opened = connect(self.settings.resolved_database_url)
        opened.connect()
        try:
            return migrations.pending(opened)
        finally:
            opened.close()

    def visits(self, count: int) -> list[Visit]:
        """People who came, with what the change feed says of them."""
        clinic = Clinic.open(self.settings)
        with connection():
            made = Days(clinic).fill(DAY, count, returning=0)
            with transaction():
                for visit in made:
                    Change.create(kind="entry", visit=visit, at=clock.now())
            counted = Visit.select().count()
        database.close()
        assert counted
        return made


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_there_and_back_with_a_list_of_what_is_left_out(machine: Machine) -> None:
    assert machine.steps_left() == [machine.step]
    done = machine.run("upgrade")
    assert done.returncode == 0, done.stderr
    assert machine.step in done.stdout
    assert machine.steps_left() == []
    (made,) = (machine.settings.home / "backups").glob("*.age")
    assert str(made) in done.stdout
    came = machine.visits(12)
    back = machine.run("rollback", "--key", str(machine.key), "--yes")
    assert back.returncode == 0, back.stderr
    assert "Visits with something recorded since: 12" in back.stdout
    assert "and 2 more" in back.stdout
    assert machine.steps_left() == [machine.step], "the data are the version's before again"
    (listed,) = machine.settings.home.glob("left-out-*.csv")
    assert listed.stat().st_mode & 0o077 == 0
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == {visit.patient.name for visit in came}
    assert all(row["numbers"] and row["new"] == "yes" for row in rows)


def test_without_a_yes_nothing_goes_back(machine: Machine) -> None:
    machine.run("upgrade")
    machine.visits(1)
    back = machine.run("rollback", "--key", str(machine.key))
    assert back.returncode == 1
    assert machine.steps_left() == []


def test_an_upgrade_without_a_backup_does_not_begin(machine: Machine) -> None:
    (machine.settings.home / backup.PUBLIC_KEY).unlink()
    done = machine.run("upgrade")
    assert done.returncode == 1
    assert machine.steps_left() == [machine.step]


def test_without_a_backup_from_before_an_upgrade_there_is_no_way_back(machine: Machine) -> None:
    Clinic.open(machine.settings)
    database.close()
    back = machine.run("rollback", "--key", str(machine.key), "--yes")
    assert back.returncode == 1
    assert back.stderr
