"""Whatever breaks on the way: after a few more runs the office holds exactly the clinic's set."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import peewee
import pytest

from core.exchange import outbox
from core.exchange import service as synchronisation
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus
from core.foundation.database import connection, database, transaction
from core.models import Diagnosis, JobRun, Outbox, Visit
from server.office.models import database as office_database
from tests.core.days import Days, open_clinic
from tests.core.exchange import sending_process
from tests.core.exchange.test_synchronisation import QUICK, THOROUGH, everything
from tests.server.faulty_link import FAULTS, FaultyLink
from tests.server.offices import Office

DAY = date(2026, 3, 2)


@pytest.fixture
def clinic(tmp_path: Path, office: Office) -> Clinic:
    return open_clinic(tmp_path / "clinic", office_url=office.fhir, office_token=office.token)


def through(clinic: Clinic, url: str) -> Clinic:
    return Clinic(clinic.settings.model_copy(update={"office_url": url}), clinic.clusters)


def settle(clinic: Clinic, office: Office, runs: int = 3) -> None:
    for _ in range(runs):
        outcome = synchronisation.run(clinic, pace=QUICK)
        if outcome.error is None and outcome.pending == 0:
            break
    assert outcome.error is None
    assert outcome.manifest_agrees is True
    assert office.held() == everything(clinic)


@pytest.mark.parametrize("seed", range(4 if THOROUGH else 2))
def test_a_line_that_cuts_loses_and_refuses(clinic: Clinic, days: Days, office: Office, seed: int) -> None:
    days.fill(DAY, 40)
    link = FaultyLink(office.fhir, seed=seed)
    with httpx.Client(timeout=2, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for _ in range(3):
            synchronisation.run(through(clinic, link.url), pace=QUICK, client=client)
        link.share = 0.0
        settle(through(clinic, link.url), office)
    link.close()
    assert set(link.met) & set(FAULTS)


def test_answers_lost_after_the_commit_make_no_second_copy(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(DAY, 10)

    class Losing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request).read()
            raise httpx.ReadError("lost", request=request)

    with httpx.Client(transport=Losing()) as client:
        outcome = synchronisation.run(clinic, pace=QUICK, client=client)
    assert outcome.error is not None
    assert outbox.pending_count() > 0
    settle(clinic, office)
    with office.client() as caller:
        entries = caller.get("/fhir/Organization").json()["entry"]
        assert [item["resource"]["meta"]["versionId"] for item in entries] == ["1"]


def test_a_busy_office_is_given_the_time_it_asks_for(
    clinic: Clinic, days: Days, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.fill(DAY, 5)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    busy = iter([True, True])

    class Busy(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if next(busy, False):
                return httpx.Response(503, headers={"Retry-After": "7"}, request=request)
            return super().handle_request(request)

    with httpx.Client(transport=Busy()) as client:
        outcome = synchronisation.run(clinic, pace=QUICK, client=client)
    assert outcome.error is None
    assert len([seconds for seconds in waited if seconds >= 7]) == 2


def test_the_office_restarts_in_the_middle(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 30)
    small = through(clinic, office.fhir)
    restarted: list[int] = []

    def restart(done: int, total: int) -> None:
        if not restarted:
            restarted.append(office.settings.office_http.port)
            office.restart()

    synchronisation.run(small, pace=QUICK, progress=restart)
    settle(clinic, office)


def test_a_bundle_refused_as_a_whole_is_halved_until_it_shows_why(
    clinic: Clinic, days: Days, office: Office
) -> None:
    """Another FHIR server may know no lenient handling: it refuses all for one."""
    visits = days.fill(DAY, 9)
    Diagnosis.update(code="bad").where(Diagnosis.visit == visits[4]).execute()

    class Strict(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.headers["Prefer"] = "handling=strict"
            return super().handle_request(request)

    with httpx.Client(transport=Strict()) as client:
        outcome = synchronisation.run(clinic, pace=QUICK, client=client)
    assert (outcome.error, outcome.refused, outcome.pending) == (None, 1, 0)
    assert len(office.bodies("Encounter")) == 8


def test_the_clock_is_set_back_an_hour(clinic: Clinic, days: Days, office: Office) -> None:
    late = datetime(2026, 3, 2, 9, tzinfo=UTC)
    with clock.frozen(lambda: late):
        visits = days.fill(DAY, 6)
        synchronisation.run(clinic, pace=QUICK)
    with clock.frozen(lambda: late - timedelta(hours=1)):
        with transaction():
            Visit.update(chief_complaint="lain").where(Visit.id == visits[0].id).execute()
            outbox.enqueue("visit", visits[0].id)
        settle(clinic, office)
    assert "lain" in office.bodies("Encounter")[visits[0].id]


@contextmanager
def full_disk_at_the_clinic() -> Iterator[None]:
    """For the block the clinic's database has no room for a single row more."""
    pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
    database.execute_sql("CREATE TABLE IF NOT EXISTS filler (content TEXT)")
    database.execute_sql(f"PRAGMA max_page_count = {pages + 4}")
    for size in (2000, 200, 20):
        with contextlib.suppress(peewee.DatabaseError):
            while True:
                database.execute_sql("INSERT INTO filler VALUES (?)", ("x" * size,))
    try:
        yield
    finally:
        database.execute_sql("PRAGMA max_page_count = 1000000")


def test_a_full_disk_at_the_clinic_loses_nothing(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 60)
    waiting = outbox.pending_count()
    with full_disk_at_the_clinic():
        errors = [synchronisation.run(clinic, pace=QUICK).error for _ in range(8)]
    assert "disk_full" in [error.code for error in errors if error], errors
    assert outbox.pending_count() <= waiting
    settle(clinic, office)


def test_a_full_disk_at_the_office_is_an_error_there_and_nothing_is_marked_sent(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(DAY, 60)
    with office.full_disk():
        outcome = synchronisation.run(clinic, pace=QUICK)
    assert str(outcome.error) == "busy: 507"  # the office says what it lacks, and is asked again
    assert outcome.sent == 0
    settle(clinic, office)


def test_the_office_is_put_back_to_an_older_copy(clinic: Clinic, days: Days, office: Office) -> None:
    """What was acknowledged and then lost by the office is found by the manifest and sent again."""
    from server.office.models import Resource

    visits = days.fill(DAY, 8)
    settle(clinic, office)
    Resource.delete().where(Resource.type == "Condition").execute()
    Resource.update(digest="0", body="{}").where(Resource.value == visits[0].id).execute()
    with transaction():
        outbox.enqueue("visit", visits[1].id)
    settle(clinic, office)


def test_killed_at_any_moment_it_goes_on_where_it_was(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 60)
    database.close()
    chance = random.Random(5)
    killed = 0
    for _ in range(8):
        process = sending_process.begin(clinic.settings.home, office.fhir, office.token)
        time.sleep(chance.uniform(0.02, 0.5))
        killed += process.is_alive()
        process.kill()
        process.join()
    assert killed
    with connection():
        settle(clinic, office)
        stale = JobRun.select().where(JobRun.job == "sync", JobRun.status == RunStatus.RUNNING)
        assert stale.count() == 0
        assert Outbox.select().where(Outbox.status != "sent").count() == 0
    assert not office_database.is_closed()
