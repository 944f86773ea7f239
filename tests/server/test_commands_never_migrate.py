"""Only the server changes the tables of an existing database; every other process says that it is another version's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connect, connection, database
from core.foundation.errors import SettingsError
from core.foundation.migrations import pending
from core.queues.clusters import load_clusters
from server import worker_process
from tests.core.days import open_clinic


@pytest.fixture
def older(tmp_path: Path) -> Settings:
    """The data of the version before this one: its newest step is not noted as done."""
    settings = open_clinic(tmp_path / "clinic").settings
    with connection():
        newest = database.execute_sql(
            "SELECT name FROM schema_migration ORDER BY name DESC LIMIT 1"
        ).fetchone()[0]
        database.execute_sql("DELETE FROM schema_migration WHERE name = ?", (newest,))
    database.close()
    return settings


def steps_left(settings: Settings) -> list[str]:
    opened = connect(settings.resolved_database_url)
    opened.connect()
    try:
        return pending(opened)
    finally:
        opened.close()


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOKET_HOME": str(settings.home), "LOKET_LANGUAGE": "en"}
    command = [sys.executable, "-m", "server.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["account list", "backup now", "sync status"])
def test_a_command_leaves_the_tables_alone(older: Settings, command: str) -> None:
    before = steps_left(older)
    assert before
    done = run(older, *command.split())
    assert done.returncode == 2
    assert "an older Loket's" in done.stderr
    assert steps_left(older) == before


def test_the_doctor_says_so_and_leaves_them_alone(older: Settings) -> None:
    before = steps_left(older)
    findings = json.loads(run(older, "doctor", "--json").stdout)
    assert any(finding["level"] == "error" and before[0] in finding["words"] for finding in findings)
    assert steps_left(older) == before


def test_the_worker_of_the_closing_leaves_them_alone(older: Settings) -> None:
    before = steps_left(older)
    clinic = Clinic(older, load_clusters(older.clusters))
    assert "error" in worker_process.run(clinic, "closing")
    assert steps_left(older) == before


def test_an_empty_folder_is_prepared_by_a_command_too(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new")
    assert run(settings, "account", "list").returncode == 0
    assert steps_left(settings) == []


def test_the_doctor_makes_no_clinic_where_there_is_none(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "another")
    looked = run(settings, "doctor", "--json")
    assert looked.returncode == 1
    found = [finding for finding in json.loads(looked.stdout) if finding["level"] == "error"]
    assert any("no clinic in this data folder" in finding["words"] for finding in found)
    assert not settings.home.exists()


def test_a_newer_schema_is_refused_without_migrating_too(older: Settings) -> None:
    opened = connect(older.resolved_database_url)
    opened.connect()
    opened.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9999_from_the_future', '2026-01-01')"
    )
    opened.close()
    with pytest.raises(SettingsError, match="newer Loket"):
        Clinic.open(older, migrates=False)
