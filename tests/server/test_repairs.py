"""The doctor's repairs by a key, and by `loket doctor --repair`: each fault is made, found, mended, and gone."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.accounts import doors, sign_ins
from core.daily import backup
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.models import AuditEvent, Token
from server import doctor, repairs
from server.run import Background
from server.text.translation import speaking
from tests.loket_command import loket
from tests.people import Caller

YESTERDAY = 30 * 3600


@pytest.fixture
def clinic(settings: Settings) -> Iterator[Clinic]:
    made = Clinic.open(settings.model_copy(update={"language": "en"}), demo=True)
    yield made
    database.close()


def codes(clinic: Clinic) -> set[str]:
    return {finding.repair for finding in doctor.examine_open(clinic)} - {""}


def opened(clinic: Clinic) -> None:
    (clinic.settings.home / "door.token").write_text("x")
    (clinic.settings.home / "door.token").chmod(0o644)


def left_over(clinic: Clinic) -> None:
    home = clinic.settings.home
    folder, part = home / "backups" / ".work-cut", home / "shared.part"
    folder.mkdir(parents=True)
    (folder / "copy.sqlite3").write_text("half")
    part.write_text("half")
    for path in (folder, part):
        os.utime(path, (time.time() - YESTERDAY,) * 2)


def without_index(clinic: Clinic) -> None:
    with connection():
        rows = database.execute_sql(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'change'"
        )
        (name,) = rows.fetchall()[0]
        database.execute_sql(f'DROP INDEX "{name}"')


def signed_in_ahead(clinic: Clinic) -> None:
    later = clock.now() + timedelta(days=365)
    with clock.frozen(lambda: later), connection():
        doors.renew(doors.LOCAL)  # the door's own is renewed apart, and counts for none
        sign_ins.sign_in("clerk", "demo", hours=12)


def without_trigger(clinic: Clinic) -> None:
    with connection():
        database.execute_sql("DROP TRIGGER audit_event_no_delete")


def without_backup(clinic: Clinic) -> None:
    assert backup.list_backups(clinic) == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("permissions", opened),
        ("leftovers", left_over),
        ("searches", without_index),
        ("log", without_trigger),
        ("sign_ins", signed_in_ahead),
        ("backup", without_backup),
    ],
)
def test_a_fault_is_found_mended_and_written_down(
    clinic: Clinic, code: str, fault: Callable[[Clinic], None]
) -> None:
    fault(clinic)
    assert code in codes(clinic)
    with speaking("en"):
        done = doctor.mended(
            clinic, [finding for finding in doctor.examine_open(clinic) if finding.repair == code], "me"
        )
    assert [finding.words for finding in done] == ["Mended."]
    assert code not in codes(clinic)
    with connection():
        event = AuditEvent.select().where(AuditEvent.action == "repaired").get()
    assert event.detail == {"repair": code}


def test_every_repair_leaves_a_clinic_in_order_alone(clinic: Clinic) -> None:
    with connection():
        before = Token.select().count()
    results = list(repairs.mend(clinic, [code for code in repairs.REPAIRS if code != "closing"], "me"))
    assert [code for code, error in results if error is not None] == []
    with connection():
        assert Token.select().where(Token.revoked_at.is_null()).count() >= before


def test_files_of_work_that_goes_on_are_left_alone(clinic: Clinic) -> None:
    folder = clinic.settings.home / ".work-now"
    folder.mkdir()
    repairs.remove_leftovers(clinic)
    assert folder.is_dir()


def test_a_repair_that_fails_says_why_and_stops_no_other(clinic: Clinic, tmp_path: Path) -> None:
    opened(clinic)
    away = clinic.settings.model_copy(update={"backup_second": str(tmp_path / "away")})
    there = Clinic(away, clinic.clusters, demo=True)
    with speaking("en"):
        done = doctor.mended(there, doctor.examine_open(there), "me")
    said = {finding.subject: finding for finding in done}
    assert said["secrets"].words == "Mended."
    assert said["backup"].level == "error"
    assert "second place" in said["backup"].words


def test_the_command_mends_and_examines_again(settings: Settings) -> None:
    token = settings.home / "door.token"
    token.chmod(0o644)
    environment = {"PATH": "/usr/bin:/bin", "LOKET_HOME": str(settings.home), "LOKET_LANGUAGE": "en"}
    found = loket("doctor", "--json", environment=environment)
    assert "permissions" in {finding["repair"] for finding in json.loads(found.stdout)}
    told = loket("doctor", environment=environment)
    assert "loket doctor --repair" in told.stdout
    mended = loket("doctor", "--repair", environment=environment)
    assert "Mended." in mended.stdout
    assert f"chmod 600 {token}" not in mended.stdout
    assert token.stat().st_mode & 0o077 == 0


def test_the_admin_mends_over_http(settings: Settings) -> None:
    with Background(settings) as server, Caller(server.url, "admin") as admin:
        settings.door_token_file.chmod(0o644)
        assert admin.post("doctor/repair").status_code == 202
        until = time.monotonic() + 120
        while (found := admin.get("doctor").json())["running"]:
            assert time.monotonic() < until, "the repair does not end"
            time.sleep(0.2)
    assert settings.door_token_file.stat().st_mode & 0o077 == 0
    assert "permissions" not in {finding["repair"] for finding in found["findings"]}
    assert found["findings"][0]["level"] == "mended"
