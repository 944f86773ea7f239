"""The closing hour with people in every status: what happens to each, what is asked, and what can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from core.accounts import service as accounts
from core.daily import backup, closing
from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import DayEndAnswer, EntryAction, EntryStatus, RunStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import NotAllowedError, RuleError, SettingsError
from core.models import QueueEntry
from core.queues import day_end
from core.queues import service as queueing
from core.schemas.clinic import ClosingOut
from core.schemas.queues import DayEndOut, EntryCommand
from server import scheduler
from tests.core.queues.test_service_days import ROUND_THE_CLOCK, Hands

A, S = EntryAction, EntryStatus
DAY = date(2026, 3, 2)


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """An hour at the clinic."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


STEPS: dict[EntryStatus, tuple[EntryAction, ...]] = {
    S.WAITING: (),
    S.CALLED: (A.CALL,),
    S.SKIPPED: (A.CALL, A.SKIP),
    S.IN_SERVICE: (A.START,),
    S.ON_HOLD: (A.START, A.HOLD),
    S.DONE: (A.START, A.FINISH),
    S.LEFT: (A.LEAVE,),
    S.CANCELLED: (A.CANCEL,),
    S.TRANSFERRED: (A.TRANSFER,),
}
"""Status of an entry -> the steps that lead to it."""
UNANSWERED: dict[EntryStatus, EntryStatus] = {
    S.WAITING: S.LEFT,
    S.CALLED: S.LEFT,
    S.SKIPPED: S.LEFT,
    S.IN_SERVICE: S.DONE,
    S.ON_HOLD: S.DONE,
}
"""Status at the latest hour -> status after it; the others had ended before."""


class Day(Hands):
    """The counter and the dentist of one day, at the closing."""

    def people(self, cluster: str = "GIGI") -> dict[EntryStatus, str]:
        """One person in each status; gives status -> entry."""
        found = {}
        for status, steps in STEPS.items():
            found[status] = self.comes(cluster).ticket.id
            for action in steps:
                command = EntryCommand(reason="salah daftar", cluster="IGD" if cluster == "GIGI" else "GIGI")
                act(self, action, found[status], command)
        return found

    def statuses(self, people: dict[EntryStatus, str]) -> dict[EntryStatus, EntryStatus]:
        return {status: EntryStatus(QueueEntry.get_by_id(entry).status) for status, entry in people.items()}

    def at(self, hour: int, minute: int = 0, day: int = 2) -> DayEndOut:
        self.now = at(hour, minute, day)
        return day_end.day_end(self.clinic, self.dentist, "GIGI")

    def says(self, answer: DayEndAnswer) -> DayEndOut:
        return day_end.answer(self.clinic, self.dentist, "GIGI", answer)

    def closes(self, hour: int, minute: int = 0, day: int = 2) -> ClosingOut:
        self.now = at(hour, minute, day)
        return closing.run(self.clinic)


def act(day: Day, action: EntryAction, entry: str, command: EntryCommand) -> None:
    queueing.act(day.clinic, day.dentist, entry, action, command)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    (tmp_path / "clusters.toml").write_text(ROUND_THE_CLOCK)
    clinic = Clinic.open(Settings(home=tmp_path, clusters=str(tmp_path / "clusters.toml")))
    backup.create_recovery_key(tmp_path)
    made: list[Day] = []
    with clock.frozen(lambda: made[0].now if made else at(9)), connection():
        made.append(Day(clinic))
        yield made[0]
    database.close()


def queues_step(status: ClosingOut) -> tuple[str | None, dict[str, object]]:
    step = next(step for step in status.steps if step.name == "queues")
    return step.status, step.detail


def test_at_the_hour_everybody_stays_and_at_the_latest_hour_they_end_as_the_table_says(day: Day) -> None:
    people = day.people()
    assert not day.at(14, 49).asks
    asked = day.at(14, 50)
    assert (asked.asks, asked.people) == (True, len(UNANSWERED))
    assert queues_step(day.closes(15)) == (RunStatus.SKIPPED, {"why": "people_here: 5"})
    assert day.statuses(people) == {status: status for status in STEPS}, "nobody is thrown out at the hour"
    assert closing.missed_day(day.clinic) == DAY
    status = day.closes(16)
    assert queues_step(status) == (RunStatus.DONE, {"ended": 5, "not_come": 0})
    assert status.status == RunStatus.DONE
    assert day.statuses(people) == {status: UNANSWERED.get(status, status) for status in STEPS}
    assert closing.missed_day(day.clinic) is None


def test_the_next_morning_it_is_told_and_each_is_brought_back(day: Day) -> None:
    people = day.people()
    day.closes(16)
    morning = day.at(8, 0, day=3)
    assert morning.untold == 5
    assert {entry.id for entry in morning.ended} == {people[status] for status in UNANSWERED}
    for status in UNANSWERED:
        assert day.does(A.UNDO, people[status]).status is status
    assert day.at(8, 1, day=3).ended == []
    assert not day.at(8, 1, day=3).asks, "who was brought back is here since this morning"
    closing.run(day.clinic, DAY)
    assert day.statuses(people) == {status: status for status in STEPS}, (
        "a closing done again ends nobody twice"
    )
    assert day.at(14, 50, day=3).people == 5
    day.closes(16, day=3)
    assert day.statuses(people) == {status: UNANSWERED.get(status, status) for status in STEPS}


def test_it_is_told_until_somebody_has_looked(day: Day) -> None:
    day.people()
    day.closes(16)
    assert day.at(8, 0, day=3).untold == 5
    assert day.says(DayEndAnswer.SEEN).untold == 0
    assert len(day.at(8, 1, day=3).ended) == 5, "they can still be brought back"
    assert day.at(8, 1, day=6).ended == []


def test_a_cluster_that_goes_on_keeps_its_people_for_an_hour_at_a_time(day: Day) -> None:
    people = day.people()
    day.at(15, 30)
    assert day.says(DayEndAnswer.GO_ON).goes_on_until == at(16, 30)
    assert not day.at(15, 31).asks
    assert queues_step(day.closes(16)) == (RunStatus.SKIPPED, {"why": "people_here: 5"})
    assert not closing.waits_for_nobody(day.clinic)
    for status in UNANSWERED:
        act(day, A.LEAVE, people[status], EntryCommand())
    assert closing.waits_for_nobody(day.clinic)
    assert day.closes(16, 15).status == RunStatus.DONE
    assert not closing.waits_for_nobody(day.clinic)


def test_an_answer_that_ran_out_is_asked_for_again_and_then_they_end(day: Day) -> None:
    people = day.people()
    day.at(15, 30)
    day.says(DayEndAnswer.GO_ON)
    day.closes(16)
    assert day.at(16, 31).asks
    assert closing.waits_for_nobody(day.clinic)
    day.closes(16, 45)
    assert day.statuses(people)[S.WAITING] is S.LEFT


def test_the_cluster_can_end_its_people_itself(day: Day) -> None:
    people = day.people()
    day.at(14, 55)
    assert day.says(DayEndAnswer.END).people == 0
    assert day.statuses(people) == {status: UNANSWERED.get(status, status) for status in STEPS}
    assert day.at(15).untold == 0, "it was their own answer"
    assert day.closes(15).status == RunStatus.DONE


@pytest.mark.parametrize("answer", [DayEndAnswer.GO_ON, DayEndAnswer.END])
def test_in_the_middle_of_the_day_there_is_nothing_to_answer(day: Day, answer: DayEndAnswer) -> None:
    people = day.people()
    day.at(14, 49)
    with pytest.raises(RuleError, match="not_closing_yet"):
        day.says(answer)
    assert day.statuses(people) == {status: status for status in STEPS}


def test_only_the_cluster_answers_for_its_people(day: Day) -> None:
    day.people()
    day.at(14, 55)
    for actor in (day.clerk, day.boss):
        with pytest.raises(NotAllowedError):
            day_end.answer(day.clinic, actor, "GIGI", DayEndAnswer.END)
    with pytest.raises(NotAllowedError):
        day_end.answer(day.clinic, day.dentist, "UMUM", DayEndAnswer.END)


def test_who_comes_after_the_latest_hour_is_left_to_the_next_closing(day: Day) -> None:
    day.closes(16)
    day.now = at(20)
    late = day.comes().ticket.id
    for hour, minute, on in ((20, 15, 2), (0, 10, 3), (8, 0, 3), (15, 0, 3)):
        day.closes(hour, minute, on)
        assert QueueEntry.get_by_id(late).status == S.WAITING, (hour, on)
    assert day.numbers() == ["B-001"]
    day.closes(16, day=3)
    assert QueueEntry.get_by_id(late).status == S.LEFT


def test_a_cluster_around_the_clock_is_not_closed_by_the_hour_but_by_its_shift(day: Day) -> None:
    people = day.people("IGD")
    assert day.closes(16).status == RunStatus.DONE
    assert day.statuses(people) == {status: status for status in STEPS}
    day.now = at(2, day=3)
    night = day.comes("IGD").ticket.id
    system = accounts.system_actor("closing")
    day.now = at(6, 50, day=3)
    assert day_end.asking(day.clinic) == ["IGD"]
    day_end.answer(day.clinic, day.dentist, "IGD", DayEndAnswer.GO_ON)
    day.now = at(7, 45, day=3)
    assert day_end.end_of_night(day.clinic, system) == 0
    day.now = at(8, 1, day=3)
    assert day_end.end_of_night(day.clinic, system) == len(UNANSWERED) + 1
    assert QueueEntry.get_by_id(night).status == S.LEFT
    act(day, A.UNDO, night, EntryCommand())
    assert day_end.end_of_night(day.clinic, system) == 0


def test_the_machine_was_off_at_the_hour(day: Day) -> None:
    people = day.people()
    day.closes(7, 30, day=3)
    assert day.statuses(people) == {status: UNANSWERED.get(status, status) for status in STEPS}
    assert closing.status(day.clinic, DAY).status == RunStatus.DONE


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_a_clock_that_ran_ahead_keeps_nobody_for_ever(day: Day, ahead: timedelta) -> None:
    day.now = at(9) + ahead
    waiting = day.comes().ticket.id
    assert day.at(14, 55).people == 1
    day.now = at(14, 55) + ahead
    day.says(DayEndAnswer.GO_ON)
    day.closes(17)
    assert QueueEntry.get_by_id(waiting).status == S.LEFT


def test_the_hours_are_scheduled(day: Day) -> None:
    running = scheduler.start(day.clinic)
    try:
        times = {job.id: f"{job.next_run_time:%H:%M}" for job in running.get_jobs()}
    finally:
        running.shutdown(wait=True)
    assert times["latest"] == "16:00"
    assert {times["ask-1450"], times["ask-0650"]} == {"14:50", "06:50"}


def test_panes_are_told_at_the_hour_and_not_before(day: Day) -> None:
    day.people()
    before = feed.newest_sequence()
    day.now = at(14, 30)
    scheduler._remind(day.clinic)
    assert feed.newest_sequence() == before
    day.now = at(14, 50)
    scheduler._remind(day.clinic)
    assert [change.kind for change in feed.since(before)] == ["day_closing"]


def test_the_latest_hour_is_not_before_the_closing_hour() -> None:
    with pytest.raises(SettingsError, match="LOKET_CLOSE_LATEST"):
        Settings.load({"LOKET_CLOSE_AT": "15:00", "LOKET_CLOSE_LATEST": "14:00"}, Path("/nowhere"))
    assert Settings(close_at=time(23, 30)).resolved_close_latest == time.max
    assert Settings(close_latest=time(18, 0)).resolved_close_latest == time(18, 0)
