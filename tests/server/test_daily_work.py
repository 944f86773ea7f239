"""The daily work by itself: at its hour, at the clinic's turn, after the machine was off, in its own process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import pytest

from core.daily import backup, closing
from core.exchange import outbox
from core.foundation import clock, jobs
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, RunStatus
from core.foundation.config import Settings
from core.foundation.database import transaction
from core.models import JobRun, Outbox, Visit
from core.schemas.clinic import ClosingOut
from server import scheduler, worker_process
from tests.core.days import Days, open_clinic
from tests.core.exchange.test_synchronisation import everything
from tests.server.offices import Office

DAY = date(2026, 3, 2)
CLOSES = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # 15:00 in Banjarmasin


@pytest.fixture
def clinic(tmp_path: Path, office: Office) -> Clinic:
    made = open_clinic(
        tmp_path / "clinic", office_url=office.fhir, office_token=office.token, sync_offset_minutes=30
    )
    backup.create_recovery_key(made.settings.home)
    return made


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def steps(status: ClosingOut) -> dict[str, str | None]:
    return {step.name: step.status for step in status.steps}


def test_the_sending_waits_for_the_clinics_turn(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 3)
    with clock.frozen(lambda: CLOSES + timedelta(minutes=1)):
        assert not closing.is_its_turn(clinic)
        early = closing.run(clinic, send=closing.is_its_turn(clinic))
    assert steps(early) == {
        "queues": "done", "backup": "done", "reports": "done", "synchronise": "skipped", "verify": "skipped",
    }  # fmt: skip
    assert {step.name: step.detail for step in early.steps}["synchronise"] == {"why": "begins_at: 15:30"}
    assert early.status == RunStatus.SKIPPED
    assert not office.held()
    with clock.frozen(lambda: CLOSES + timedelta(minutes=31)):
        assert closing.missed_day(clinic) == DAY
        assert closing.is_its_turn(clinic)
        late = closing.run(clinic, send=closing.is_its_turn(clinic))
    assert set(steps(late).values()) == {"done"}
    assert late.status == RunStatus.DONE
    assert len(backup.list_backups(clinic)) == 1
    assert office.held() == everything(clinic)


def test_by_hand_it_is_sent_at_once(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 2)
    with clock.frozen(lambda: CLOSES + timedelta(minutes=1)):
        assert closing.run(clinic).status == RunStatus.DONE
    assert office.held() == everything(clinic)


def test_many_clinics_are_spread_over_the_hour() -> None:
    offsets = [
        Settings(facility_code=f"P{number:010d}").resolved_sync_offset_minutes for number in range(400)
    ]
    quarters = Counter(offset // 15 for offset in offsets)
    assert set(quarters) == {0, 1, 2, 3}
    assert min(quarters.values()) > 60
    assert Settings(sync_offset_minutes=0).resolved_sync_offset_minutes == 0


def test_closing_late_in_the_evening_sends_after_midnight(clinic: Clinic) -> None:
    late = clinic.settings.model_copy(update={"close_at": clock_time(23, 50)})
    assert closing.sends_at(late) == clock_time(0, 20)
    night = Clinic(late, clinic.clusters)
    with clock.frozen(lambda: datetime(2026, 3, 2, 16, 10, tzinfo=UTC)):  # 00:10
        assert not closing.is_its_turn(night)
    with clock.frozen(lambda: datetime(2026, 3, 2, 16, 21, tzinfo=UTC)):  # 00:21
        assert closing.is_its_turn(night)


def test_both_hours_are_scheduled(clinic: Clinic) -> None:
    running = scheduler.start(clinic)
    try:
        times = {job.id: job.next_run_time.timetz() for job in running.get_jobs()}
        assert times["closing"].replace(tzinfo=None) == clock_time(15, 0)
        assert times["sending"].replace(tzinfo=None) == clock_time(15, 30)
        assert "catch-up" not in times
    finally:
        running.shutdown(wait=True)


def test_a_day_on_which_the_machine_was_off_is_closed_at_the_next_start(
    clinic: Clinic, days: Days, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    yesterday = clinic.today() - timedelta(days=1)
    days.fill(yesterday, 4)
    monkeypatch.setattr(scheduler, "CATCH_UP_SECONDS", 0)
    always = clinic.settings.model_copy(update={"sync_offset_minutes": 0})
    running = scheduler.start(Clinic(always, clinic.clusters))
    try:
        until(lambda: closing.status(clinic, yesterday).status == RunStatus.DONE)
    finally:
        running.shutdown(wait=True)
    assert closing.missed_day(clinic) is None
    assert office.held() == everything(clinic)
    assert (clinic.settings.home / "reports" / yesterday.isoformat() / "lb1.csv").exists()


def test_twice_at_once_is_once(clinic: Clinic, days: Days, office: Office) -> None:
    """The hour strikes while somebody starts it by hand."""
    days.fill(clinic.today() - timedelta(days=1), 4)
    runs = [threading.Thread(target=worker_process.run, args=(clinic, "closing")) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(backup.list_backups(clinic)) == 1
    wholes = JobRun.select().where(JobRun.job == "closing", JobRun.step == "")
    assert {run.status for run in wholes} <= {RunStatus.DONE, RunStatus.SKIPPED}
    assert office.held() == everything(clinic)


def test_cut_off_by_the_servers_end_it_goes_on_at_the_next_start(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(clinic.today() - timedelta(days=1), 30)
    answers: list[dict[str, Any]] = []
    run = threading.Thread(target=lambda: answers.append(worker_process.run(clinic, "closing")))
    run.start()
    until(lambda: JobRun.select().where(JobRun.job == "closing").exists())
    worker_process.end_all()
    run.join()
    assert "ended with code" in answers[0]["error"]
    assert not jobs.is_running(clinic.settings.home, "closing")
    assert worker_process.run(clinic, "closing")["running"] is False
    assert Outbox.select().where(Outbox.status != OutboxStatus.SENT).count() == 0
    assert office.held() == everything(clinic)


def test_killed_while_the_server_lives_it_goes_on_by_itself(
    clinic: Clinic, days: Days, office: Office
) -> None:
    days.fill(clinic.today() - timedelta(days=1), 10)
    always = Clinic(clinic.settings.model_copy(update={"sync_offset_minutes": 0}), clinic.clusters)
    run = threading.Thread(target=worker_process.run, args=(always, "closing"))
    run.start()
    until(lambda: JobRun.select().where(JobRun.job == "closing", JobRun.step == "backup").exists())
    for child in worker_process._children:
        child.kill()
    run.join()
    assert closing.was_cut_off(always)
    scheduler._retry(always)
    assert not closing.was_cut_off(always)
    assert office.held() == everything(clinic)


def test_what_is_left_is_tried_again_in_the_evening(clinic: Clinic, days: Days, office: Office) -> None:
    days.fill(DAY, 2)
    with clock.frozen(lambda: CLOSES - timedelta(hours=2)):
        scheduler._retry(clinic)
    assert outbox.pending_count()
    with clock.frozen(lambda: CLOSES + timedelta(minutes=40)):
        scheduler._retry(clinic)
    assert outbox.pending_count() == 0
    assert office.held() == everything(clinic)


def test_registrations_go_on_while_the_day_is_closed(clinic: Clinic, days: Days, office: Office) -> None:
    """Another process holds the database for moments only."""
    yesterday = clinic.today() - timedelta(days=1)
    days.fill(yesterday, 120)
    run = threading.Thread(target=worker_process.run, args=(clinic, "closing"))
    run.start()
    made = 0
    while run.is_alive():
        with transaction():
            days.visit(clinic.today(), days.patients[made % len(days.patients)])
        made += 1
        time.sleep(0.05)
    run.join()
    assert made > 10
    assert Visit.select().count() == 120 + made
    assert closing.status(clinic, yesterday).status == RunStatus.DONE
