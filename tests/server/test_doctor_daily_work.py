"""What broke in the daily work is told by the doctor, with what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest

from core.accounts.service import system_actor
from core.daily import backup, closing
from core.foundation import clock, jobs
from core.foundation.clinic import Clinic
from core.foundation.codes import NumberStatus, RunStatus
from core.foundation.config import HostPort, Settings
from core.foundation.database import connection, database
from core.foundation.errors import BackupError
from core.queues import paper_forms
from server.doctor import CheckResult, examine
from server.text.translation import speaking
from tests.core.days import Days, open_clinic
from tests.server.offices import CODE, Office


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = open_clinic(tmp_path / "clinic", backup_second=str(tmp_path / "disk"), language="en")
    with connection(), speaking("en"):
        yield made


def told(clinic: Clinic, subject: str, **changes: Any) -> list[CheckResult]:
    settings = clinic.settings.model_copy(update=changes)
    return [finding for finding in examine(settings) if finding.subject == subject]


def errors(clinic: Clinic, subject: str, **changes: Any) -> str:
    return " ".join(finding.words for finding in told(clinic, subject, **changes) if finding.level == "error")


def test_a_missing_key_and_a_missing_disk_are_told(clinic: Clinic, tmp_path: Path) -> None:
    assert "recovery key" in errors(clinic, "backup")
    backup.create_recovery_key(clinic.settings.home)
    backup.make(clinic)
    assert f"did not reach the second place: missing: {tmp_path / 'disk'}" in errors(clinic, "backup")
    (tmp_path / "disk").mkdir()
    backup.make(clinic)
    findings = told(clinic, "backup")
    assert [finding.level for finding in findings] == ["ok", "warning"]
    assert "same disk" in findings[1].words
    (newest,) = (tmp_path / "disk").glob("*.age")
    newest.unlink()
    assert "not at the second place" in errors(clinic, "backup")


def test_a_second_place_that_takes_nothing_is_told(clinic: Clinic) -> None:
    # Root may write everywhere but where nothing can be written.
    assert "cannot be written" in errors(clinic, "backup", backup_second="/proc/self")
    assert "LOKET_BACKUP_COMMAND" in errors(clinic, "backup", backup_command="no-such-program --fast")


def test_a_closing_that_failed_or_never_was_is_told(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    yesterday = clinic.today() - timedelta(days=1)
    Days(clinic).fill(yesterday, 2)
    assert "never closed" in told(clinic, "closing")[0].words
    closing.run(clinic)  # without a recovery key
    failed = errors(clinic, "closing")
    assert "There is no recovery key" in failed
    assert "loket backup key" in failed
    backup.create_recovery_key(clinic.settings.home)
    closing.run(clinic)
    assert [finding.level for finding in told(clinic, "closing")] == ["ok"]


def test_a_closing_that_was_killed_half_way_is_told(clinic: Clinic) -> None:
    jobs.begin(closing.JOB, day=clinic.today(), total=5)
    assert "cut off" in errors(clinic, "closing")
    with jobs.alone(clinic.settings.home, closing.JOB):
        assert closing.status(clinic).status == RunStatus.RUNNING
        assert errors(clinic, "closing") == ""


def test_a_clock_that_went_back_is_told(clinic: Clinic) -> None:
    Days(clinic).fill(clinic.today(), 1)
    assert errors(clinic, "clock") == ""
    before = clock.now() - timedelta(days=400)
    with clock.frozen(lambda: before):
        assert "Set the clock" in errors(clinic, "clock")


def test_the_office_is_asked_whether_it_is_there_and_knows_the_clinic(clinic: Clinic, tmp_path: Path) -> None:
    nobody = {"office_url": "http://127.0.0.1:9/fhir", "office_token": "x"}
    assert "cannot be reached" in errors(clinic, "sync", **nobody)
    office = Office(tmp_path / "office")
    try:
        known = {"office_url": office.fhir, "office_token": office.token}
        assert [finding.level for finding in told(clinic, "sync", **known)] == ["ok"]
        assert "token" in errors(clinic, "sync", **{**known, "office_token": "another"})
        assert "Correct the address" in errors(
            clinic, "sync", **{**known, "office_url": f"{office.url}/elsewhere"}
        )
        ahead = clock.now() + timedelta(hours=2)
        with clock.frozen(lambda: ahead):
            assert "differs from the other end's by 120 minutes" in errors(clinic, "clock", **known)
    finally:
        office.stop()
    assert clinic.settings.facility_code == CODE


def test_another_program_at_the_servers_port_is_told(clinic: Clinic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = HostPort(host="127.0.0.1", port=other.getsockname()[1])
        assert "Something else" in errors(clinic, "server", http=taken)
    assert "loket serve" in told(clinic, "server", http=taken)[0].words


def damage(file: Path) -> None:
    """Overwrite the middle of a database, as a failing disk does."""
    with apsw.Connection(str(file)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with file.open("r+b") as writer:
        writer.seek(3 * 4096)
        writer.write(b"\xff" * 40 * 4096)


def test_a_damaged_database_is_told_and_no_backup_is_made_of_it(tmp_path: Path) -> None:
    good = open_clinic(tmp_path / "clinic")
    backup.create_recovery_key(good.settings.home)
    with connection():
        Days(good).fill(good.today(), 5)
    database.close()
    damage(good.settings.home / "loket.sqlite3")
    with speaking("en"):
        assert "loket restore FILE" in errors(good, "database")
        with pytest.raises(BackupError) as refused:
            backup.make(good)
    assert refused.value.reason == "database_damaged"
    assert backup.list_backups(good) == []


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "loket.sqlite3").write_bytes(b"not a database" * 1000)
    with speaking("en"):
        findings = {finding.subject: finding for finding in examine(Settings(home=home))}
    assert findings["database"].level == "error"
    assert "is damaged" in findings["database"].words


def test_a_stack_of_forms_that_runs_low_is_told(clinic: Clinic) -> None:
    first = [cluster.code for cluster in clinic.clusters.values() if cluster.stage == "first"]
    (none,) = told(clinic, "paper")
    assert (none.level, ", ".join(first) in none.words) == ("warning", True)
    for code in first:
        paper_forms.print_forms(clinic, system_actor(), code, paper_forms.LEAST_READY)
    assert [finding.level for finding in told(clinic, "paper")] == ["ok"]
    form = paper_forms.listed(system_actor())[0]
    paper_forms.end(clinic, system_actor(), form.number, NumberStatus.VOIDED, "kena hujan")
    (low,) = told(clinic, "paper")
    assert f"for: {form.cluster}. " in low.words
