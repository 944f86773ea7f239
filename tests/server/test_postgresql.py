"""The same clinic on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import peewee
import pytest
from playhouse.schema_diff import diff_models

from core.accounts import service as accounts
from core.foundation import audit, audit_check, audit_protection
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.models import ALL_TABLES, Change
from server import change_follower
from server.run import Background
from tests.e2e.terminals import DemoClinic
from tests.people import Caller, registration
from tests.postgres import new_database


@pytest.fixture
def server(postgres: str, tmp_path: Path) -> Iterator[Background]:
    settings = Settings(home=tmp_path / "home", database_url=new_database(postgres))
    with Background(settings) as running:
        yield running


def test_fifty_at_once_and_ten_calls_at_once(server: Background) -> None:
    callers = [Caller(server.url, "clerk") for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        jobs = [pool.submit(callers[index % 10].registered) for index in range(50)]
        numbers = sorted(job.result()["ticket"]["number"] for job in jobs)
    assert numbers == [f"B-{number:03d}" for number in range(1, 51)]
    dentists = [Caller(server.url, "dentist") for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        called = list(
            pool.map(lambda caller: caller.post("queues/GIGI/call-next", json={}).json()["id"], dentists)
        )
    assert len(set(called)) == 10
    with connection():
        sequences = [change.sequence for change in Change.select().order_by(Change.sequence)]
        assert audit_check.verify().problems == []
    assert sequences == sorted(set(sequences))


def test_the_whole_path(server: Background) -> None:
    with Caller(server.url, "clerk") as clerk, Caller(server.url, "dentist") as dentist:
        body = registration()
        assert [clerk.post("registrations", json=body).status_code for _ in range(2)] == [201, 200]
        entry = dentist.post("queues/GIGI/call-next", json={}).json()
        assert dentist.act(entry["id"], "start").json()["status"] == "in_service"
        note = {"vitals": {"systolic": 120, "diastolic": 80}, "assessment": "karies"}
        assert dentist.put(f"visits/{entry['visit_id']}/encounter", json=note).status_code == 200
        assert (
            dentist.post(f"visits/{entry['visit_id']}/diagnoses", json={"code": "K02.9"}).status_code == 201
        )
        moved = dentist.act(entry["id"], "transfer", cluster="UMUM").json()
        assert dentist.act(moved["id"], "undo").json()["id"] == entry["id"]
        assert dentist.act(entry["id"], "finish", disposition="home").json()["status"] == "done"
        assert (
            clerk.get("patients", params={"q": body["patient"]["name"]}).json()[0]["name"]
            == body["patient"]["name"]
        )
        assert clerk.get("patients").status_code == 200
        assert clerk.get("patients/unverified").status_code == 200


def test_a_pane_hears_at_once_of_what_another_server_saves(
    server: Background, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither server looks by itself within this test: only PostgreSQL's word can bring the event."""
    monkeypatch.setattr(change_follower, "POLL_SECONDS", 3600.0)
    other_home = tmp_path / "other" / "home"
    other_home.parent.mkdir()
    url = server.clinic.settings.database_url
    with (
        DemoClinic(other_home, LOKET_DATABASE_URL=url) as other,
        Caller(server.url, "dentist") as dentist,
        Caller(other.url, "clerk") as clerk,
        dentist.stream("GET", "changes", params={"after": 0}) as stream,
    ):
        lines = stream.iter_lines()
        for _ in range(2):  # the second event finds the stream waiting, whatever the first one found
            receipt = clerk.registered()
            while f"id: {receipt['sequence']}" not in next(lines):
                pass


def test_models_and_schema_agree(server: Background) -> None:
    with connection():
        assert not diff_models(database.obj, list(ALL_TABLES))


UNPROTECTING = (
    "DROP TRIGGER audit_event_no_truncate ON audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_update",
    "CREATE OR REPLACE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RETURN NEW; END $$",
)


def test_the_log_is_closed_again_and_a_change_vouches_for_nothing_before_it(server: Background) -> None:
    accounts.create_account("sari", "Sari", Role.CLERK, "panjang sekali 1")
    for statement in UNPROTECTING:
        with connection():
            assert audit_protection.lost() == {}
            database.execute_sql(statement)
            assert audit_protection.lost()
        audit.protect(accounts.system_actor("loket command: rina"))
    with connection():
        assert audit_protection.lost() == {}
    for refused in ("DELETE FROM audit_event", "UPDATE audit_event SET origin = ''", "TRUNCATE audit_event"):
        with pytest.raises(peewee.DatabaseError, match="append-only"), transaction():
            database.execute_sql(refused)
    with transaction():
        database.execute_sql("UPDATE account SET role = 'admin' WHERE username = 'sari'")
    accounts.edit_account("sari", name="Sari Dewi")
    found = [problem.code for problem in audit_check.verify().problems]
    assert found == ["was_unprotected"] * len(UNPROTECTING) + ["record_changed"]
