"""The day's closing: every step done, done again without harm, and caught up with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.daily import backup, closing
from core.foundation import clock, jobs
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus, VisitStatus
from core.foundation.database import connection, transaction
from core.models import Change, JobRun, QueueEntry, Visit
from core.schemas.clinic import ClosingOut, ClosingStepOut
from tests.core.days import Days, open_clinic
from tests.server.offices import Office

DAY = date(2026, 3, 2)
MORNING = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
EVENING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # 16:00 in Banjarmasin


@pytest.fixture
def clinic(tmp_path: Path, office: Office) -> Clinic:
    opened = open_clinic(tmp_path / "clinic", office_url=office.fhir, office_token=office.token)
    backup.create_recovery_key(opened.settings.home)
    return opened


@pytest.fixture
def days(clinic: Clinic) -> Iterator[Days]:
    with connection():
        made = Days(clinic)
        made.fill(DAY, 10)
        with transaction():
            Change.create(kind="test", at=MORNING)
        yield made


def step(status: ClosingOut, name: str) -> ClosingStepOut:
    return next(found for found in status.steps if found.name == name)


def waiting(days: Days, day: date = DAY) -> Visit:
    visit = days.visit(day, full=False, status=VisitStatus.ARRIVED, ended_at=None)
    QueueEntry.update(status="waiting", served_at=None, called_at=None, ended_at=None).where(
        QueueEntry.visit == visit
    ).execute()
    return visit


def test_after_the_hour_the_whole_day_is_closed(clinic: Clinic, days: Days, office: Office) -> None:
    visit = waiting(days)
    with clock.frozen(lambda: EVENING):
        status = closing.run(clinic)
        assert closing.missed_day(clinic) is None
    assert status.status == RunStatus.DONE, status
    assert [found.status for found in status.steps] == [RunStatus.DONE] * 5
    assert QueueEntry.get(QueueEntry.visit == visit).status == "left"
    assert len(backup.list_backups(clinic)) == 1
    written = {path.name for path in (clinic.settings.home / "reports" / "2026-03-02").iterdir()}
    assert {"lb1.csv", "lb1.xlsx", "daily-register.csv", "skdr.xlsx"} <= written
    assert len(office.bodies("Encounter")) == 11


def test_again_makes_no_second_backup_and_sends_nothing_twice(
    clinic: Clinic, days: Days, office: Office
) -> None:
    with clock.frozen(lambda: EVENING):
        closing.run(clinic)
        held = office.held()
        again = closing.run(clinic)
    assert again.status == RunStatus.DONE
    assert len(backup.list_backups(clinic)) == 1
    assert office.held() == held


def test_before_the_hour_nobody_is_sent_home_and_the_day_stays_open(clinic: Clinic, days: Days) -> None:
    visit = waiting(days)
    with clock.frozen(lambda: MORNING):
        status = closing.run(clinic)
    assert step(status, "queues").status == RunStatus.SKIPPED
    assert step(status, "backup").status == RunStatus.DONE
    assert QueueEntry.get(QueueEntry.visit == visit).status == "waiting"
    with clock.frozen(lambda: EVENING):
        assert closing.missed_day(clinic) == DAY


def test_days_on_which_the_machine_was_off_are_caught_up_with(
    clinic: Clinic, days: Days, office: Office
) -> None:
    earlier = date(2026, 2, 27)
    days.fill(earlier, 3)
    visit = waiting(days, earlier)
    with clock.frozen(lambda: EVENING):
        assert closing.missed_day(clinic) == earlier
        closing.run(clinic)
        assert closing.missed_day(clinic) is None
        assert closing.status(clinic, earlier).status == RunStatus.DONE
    assert QueueEntry.get(QueueEntry.visit == visit).status == "left"
    assert (clinic.settings.home / "reports" / "2026-02-27" / "daily-register.csv").exists()
    assert len(office.bodies("Encounter")) == 14
    assert len(backup.list_backups(clinic)) == 1


def test_a_failed_step_is_named_and_the_others_are_done(clinic: Clinic, days: Days, office: Office) -> None:
    (clinic.settings.home / backup.PUBLIC_KEY).unlink()
    with clock.frozen(lambda: EVENING):
        status = closing.run(clinic)
        assert status.status == RunStatus.FAILED
        assert "no_recovery_key" in (step(status, "backup").error or "")
        assert step(status, "reports").status == RunStatus.DONE
        assert step(status, "synchronise").status == RunStatus.DONE
        assert closing.missed_day(clinic) == DAY
        backup.create_recovery_key(clinic.settings.home)
        assert closing.run(clinic).status == RunStatus.DONE
        assert closing.missed_day(clinic) is None


def test_an_office_that_is_away_fails_that_step_only(
    clinic: Clinic, days: Days, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.exchange.service import Pace

    monkeypatch.setattr(Pace, "wait_after", lambda *_: 0.01)
    office.stop()
    with clock.frozen(lambda: EVENING):
        status = closing.run(clinic)
    assert step(status, "backup").status == RunStatus.DONE
    assert step(status, "synchronise").status == RunStatus.FAILED
    assert "unreachable: ConnectError" in (status.error or "").splitlines()
    office._start()


def test_without_an_office_the_sending_is_skipped_not_failed(tmp_path: Path) -> None:
    alone = open_clinic(tmp_path / "alone")
    backup.create_recovery_key(alone.settings.home)
    with connection():
        Days(alone).fill(DAY, 2)
    with clock.frozen(lambda: EVENING):
        status = closing.run(alone)
    assert step(status, "synchronise").status == RunStatus.SKIPPED
    assert status.status == RunStatus.DONE


def test_a_run_that_was_cut_off_is_marked_and_done_again(clinic: Clinic, days: Days) -> None:
    with clock.frozen(lambda: EVENING):
        cut = jobs.begin(closing.JOB, "backup", DAY)
        assert closing.status(clinic).running is False
        assert closing.run(clinic).status == RunStatus.DONE
    assert JobRun.get_by_id(cut.id).status == RunStatus.FAILED


def test_only_one_closing_at_a_time(clinic: Clinic, days: Days) -> None:
    with jobs.alone(clinic.settings.home, closing.JOB) as first:
        assert first
        with clock.frozen(lambda: EVENING):
            closing.run(clinic)
    assert JobRun.select().where(JobRun.job == closing.JOB).count() == 0


def test_a_changed_backup_file_is_noticed(clinic: Clinic, days: Days) -> None:
    with clock.frozen(lambda: EVENING):
        closing.run(clinic)
        path = Path(backup.list_backups(clinic)[0].path)
        path.write_bytes(path.read_bytes()[:-1])
        status = closing.run(clinic)
    assert step(status, "verify").error == f"backup_changed: {path}"


def test_a_failed_backup_is_known_until_it_is_done(clinic: Clinic, days: Days) -> None:
    """A full disk at the closing hour: with room again the same evening, the backup is made the same evening."""
    key = clinic.settings.home / backup.PUBLIC_KEY
    kept = key.read_text()
    with clock.frozen(lambda: EVENING):
        assert not closing.has_failed(clinic)
        key.unlink()
        closing.run(clinic)
        assert closing.has_failed(clinic)
        key.write_text(kept)
        assert closing.run(clinic).status == RunStatus.DONE
        assert not closing.has_failed(clinic)


def test_a_backup_is_enough_by_what_it_holds_not_by_the_clock(clinic: Clinic, days: Days) -> None:
    """The clock ran ahead and was set right: what came after the first closing bears earlier times."""
    with clock.frozen(lambda: EVENING):
        closing.run(clinic)
    with clock.frozen(lambda: EVENING - timedelta(hours=1)):
        days.visit(DAY)
        with transaction():
            sequence = Change.create(kind="test", at=clock.now()).sequence
    with clock.frozen(lambda: EVENING + timedelta(seconds=1)):
        closing.run(clinic)
        assert max(info.newest_change for info in backup.list_backups(clinic)) == sequence


def test_a_second_place_that_was_away_gets_the_same_backup_later(
    clinic: Clinic, days: Days, tmp_path: Path
) -> None:
    second = tmp_path / "usb"
    elsewhere = replace(clinic, settings=clinic.settings.model_copy(update={"backup_second": str(second)}))
    with clock.frozen(lambda: EVENING):
        assert closing.run(elsewhere).status == RunStatus.FAILED
        second.mkdir()
        assert step(closing.run(elsewhere), "backup").status == RunStatus.DONE
    assert len(backup.list_backups(clinic)) == 1
    assert len(list(second.glob("*.age"))) == 1


def test_a_closing_from_the_future_does_not_rule(clinic: Clinic, days: Days) -> None:
    with clock.frozen(lambda: datetime(2028, 1, 5, 8, tzinfo=UTC)):
        jobs.begin(closing.JOB)
    with clock.frozen(lambda: EVENING):
        closing.run(clinic)
        assert closing.status(clinic).day == DAY
        assert not closing.was_cut_off(clinic)


def late_patient(days: Days) -> None:
    """Somebody who comes, and is served, after the closing hour."""
    with transaction():
        visit = days.visit(DAY, started_at=clock.now())
        Change.create(kind="entry", visit=visit, at=clock.now())


def register_of(clinic: Clinic, day: date = DAY) -> str:
    return (clinic.settings.home / "reports" / day.isoformat() / "daily-register.csv").read_text("utf-8-sig")


@pytest.mark.parametrize("next_run", [timedelta(hours=1), timedelta(days=1), timedelta(days=20)])
def test_who_comes_after_the_hour_is_in_the_files_of_that_day(
    clinic: Clinic, days: Days, next_run: timedelta
) -> None:
    note = clinic.settings.home / "reports" / DAY.isoformat() / "catatan.txt"
    with clock.frozen(lambda: EVENING):
        assert closing.run(clinic).status == RunStatus.DONE
        assert closing.changed_days(clinic) == []
    before = register_of(clinic)
    with clock.frozen(lambda: EVENING + timedelta(minutes=20)):
        late_patient(days)
        assert closing.changed_days(clinic) == [DAY]
    assert not note.exists()
    with clock.frozen(lambda: EVENING + next_run):
        closing.run(clinic)
        assert closing.changed_days(clinic) == []
        assert closing.status(clinic, DAY).status == RunStatus.DONE
    assert register_of(clinic).count("\n") == before.count("\n") + 1
    assert "ditulis ulang" in note.read_text("utf-8")
    assert "Register kunjungan harian" in note.read_text("utf-8")
    with clock.frozen(lambda: EVENING + next_run + timedelta(days=1)):
        closing.run(clinic)
    assert note.read_text("utf-8").count("\n") == 1, "written again only for a reason"


def test_a_clock_set_back_hides_no_late_patient(clinic: Clinic, days: Days) -> None:
    with clock.frozen(lambda: EVENING):
        closing.run(clinic)
    with clock.frozen(lambda: EVENING - timedelta(hours=2)):
        late_patient(days)
        assert closing.changed_days(clinic) == [DAY]
