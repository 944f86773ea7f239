"""The demo lives: a morning lies behind it, and colleagues go on calling, treating, testing and dispensing."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from core.accounts.sign_ins import check_password
from core.foundation import audit_check, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import CoreError
from core.foundation.permissions import actor_of
from core.models import Account, Order, Prescription, QueueEntry, QueueEvent
from core.queues import service as queues
from server.demo.colleagues import CLERK, LEFT_WAITING, ROOMS
from server.demo.morning import DemoAtWork
from server.run import _open_now

NINE = datetime(2026, 11, 2, 1, tzinfo=UTC)  # 09:00 in the clinic
STEP = timedelta(seconds=5)


@pytest.fixture
def clinic(demo_home: Path, tmp_path: Path) -> Iterator[Clinic]:
    shutil.copytree(demo_home, tmp_path / "home")
    opened = Clinic.open(Settings(home=tmp_path / "home"), demo=True)
    opened.read_files()
    yield opened
    database.close()


def entries(status: EntryStatus | None = None) -> list[QueueEntry]:
    query = QueueEntry.select().where(QueueEntry.voided_at.is_null())
    return list(query if status is None else query.where(QueueEntry.status == status))


def _itself(moment: datetime) -> datetime:
    return moment


def go_on(demo: DemoAtWork, begin: datetime, length: timedelta) -> None:
    moment = begin
    while moment < begin + length:
        moment += STEP
        with clock.frozen(partial(_itself, moment)), connection():
            demo._step()


def test_a_newcomer_finds_a_clinic_at_work(clinic: Clinic) -> None:
    with clock.frozen(lambda: NINE):
        demo = DemoAtWork(clinic)
        demo.play_the_morning()
        with connection():
            waiting = Counter(entry.cluster for entry in entries(EntryStatus.WAITING))
            assert waiting.total() >= 12
            assert len(waiting) >= 4
            assert all(entry.started_at <= NINE for entry in entries())
            assert entries(EntryStatus.IN_SERVICE) or entries(EntryStatus.CALLED)
            dentist = actor_of(Account.get(Account.username == "dentist"))
            assert queues.call_next(clinic, dentist, "GIGI") is not None
            count = len(entries())
        demo.play_the_morning()
        with connection():
            assert len(entries()) == count  # a second start finds people waiting


def test_half_an_hour_later_everything_has_moved(clinic: Clinic) -> None:
    with clock.frozen(lambda: NINE):
        demo = DemoAtWork(clinic)
        demo.play_the_morning()
    with connection():
        before = QueueEvent.select().count()
    go_on(demo, NINE, timedelta(minutes=30))
    with connection():
        done = Counter(row.action for row in QueueEvent.select().where(QueueEvent.sequence > before))
        assert {"issue", "call", "start", "finish", "return"} <= done.keys(), done
        assert Order.select().where(Order.result.is_null(False)).exists()
        assert Prescription.select().where(Prescription.dispensed_at.is_null(False)).exists()
        assert len(entries(EntryStatus.WAITING)) >= LEFT_WAITING
        assert audit_check.verify().problems == []


def test_nobody_signs_in_as_a_simulated_colleague(clinic: Clinic) -> None:
    DemoAtWork(clinic)
    with connection():
        for colleague in (CLERK, *ROOMS):
            actor = actor_of(Account.get(Account.username == colleague.username))
            for password in ("demo", colleague.username):
                with pytest.raises(CoreError):
                    check_password(actor, password)


def test_the_colleagues_leave_what_others_called(clinic: Clinic) -> None:
    with clock.frozen(lambda: NINE):
        demo = DemoAtWork(clinic)
        demo.play_the_morning()
        with connection():
            dentist = actor_of(Account.get(Account.username == "dentist"))
            called = queues.call_next(clinic, dentist, "GIGI")
            assert called is not None
    go_on(demo, NINE, timedelta(minutes=10))
    with connection():
        mine = QueueEntry.get_by_id(called.id)
        assert (mine.status, mine.practitioner_id) == (EntryStatus.CALLED, dentist.account_id)


@pytest.mark.parametrize("hour", [0, 3, 7, 15, 23])
def test_the_demo_is_open_at_every_hour(clinic: Clinic, hour: int) -> None:
    moment = (NINE - timedelta(hours=9)).replace(minute=7) + timedelta(hours=hour)
    with clock.frozen(lambda: moment):
        now = moment.astimezone(clinic.zone)
        assert now.time() < _open_now(clinic.settings).close_at
        demo = DemoAtWork(clinic)
        demo.play_the_morning()
        with connection():
            assert {entry.service_on for entry in entries()} == {now.date()}
