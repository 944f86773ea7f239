"""The queue's rules under any sequence of actions, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from core.accounts import service as accounts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, EntryAction, EntryStatus, Payer, Priority, Role, VisitStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database, is_sqlite, transaction
from core.foundation.errors import ConflictError, CoreError, RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.models import Patient, QueueEntry, QueueEvent, Ticket, Visit
from core.queues import service as queueing
from core.queues import tickets
from core.queues.transitions import TRANSITIONS
from core.schemas.queues import EntryCommand
from tests.postgres import new_database

A, S = EntryAction, EntryStatus
CLUSTERS = ("UMUM", "LAB")
STAFF = ("dokter satu", "dokter dua")
ACTIONS = (A.CALL, A.RECALL, A.SKIP, A.HOLD, A.RESUME, A.START, A.FINISH, A.PRIORITISE, A.TRANSFER, A.SEND,
           A.RETURN, A.LEAVE, A.CANCEL)  # fmt: skip
LOOKS = ("id", "cluster", "ticket_id", "status", "priority", "priority_reason", "service_point", "practitioner_id",
         "call_count", "skipped_at", "queued_at", "started_at", "called_at", "served_at", "ended_at",
         "end_reason")  # fmt: skip
"""What an undo brings back of an entry: all but its version."""
LIMIT = timedelta(minutes=60)
RATIO, BACK_AFTER = 2, 3
DAYS = count()
PATIENTS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    opened = Clinic.open(
        Settings(
            home=tmp_path, database_url=url, priority_ratio=RATIO, regular_wait_limit_minutes=60,
            skip_returns_after=BACK_AFTER,
        )
    )  # fmt: skip
    yield opened
    if not database.is_closed():
        database.close()


class QueueMachine(RuleBasedStateMachine):
    """Two clinicians, one of them often late, and whoever comes; each run on a day of its own."""

    def __init__(self, clinic: Clinic, actors: list[Actor], pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self.clinic, self.actors, self.pool = clinic, actors, pool
        self.day = date(2026, 1, 5) + timedelta(days=next(DAYS))
        self.now = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)  # 08:00 at the clinic
        self.evening = self.now + timedelta(hours=15)
        self.clock = clock.frozen(lambda: self.now)
        self.clock.__enter__()
        self.visits: list[str] = []
        self.before: dict[str, list[Any]] = {}
        """Visit -> what it looked like before each step that is not undone, oldest first."""

    def teardown(self) -> None:
        try:
            self.close()
        finally:
            queueing.close_day(self.clinic, self.actors[0], self.day)
            self.clock.__exit__(None, None, None)

    def close(self) -> None:
        """The day's end leaves nobody in a queue, says how each ended, and can be taken back."""
        self.tick()
        open_ids = [row.id for row in self.rows() if row.ended_at is None]
        served = {row.id for row in self.rows() if row.served_at is not None}
        assert queueing.close_day(self.clinic, self.actors[0], self.day) == len(open_ids)
        for row in self.rows():
            assert row.ended_at is not None
            if row.id in open_ids:
                assert row.status == (S.DONE if row.id in served else S.LEFT)
        self.check()
        assert queueing.close_day(self.clinic, self.actors[0], self.day) == 0
        if open_ids:
            queueing.act(self.clinic, self.actors[0], open_ids[0], A.UNDO, EntryCommand())
            assert [row.id for row in self.rows() if row.ended_at is None] == open_ids[:1]

    # What stands in the database

    def rows(self, cluster: str | None = None) -> list[QueueEntry]:
        with connection():
            query = QueueEntry.select().where(
                QueueEntry.service_on == self.day, QueueEntry.voided_at.is_null()
            )
            rows = list(query.order_by(QueueEntry.queued_at, QueueEntry.id))
        return [row for row in rows if cluster in {None, row.cluster}]

    def entry(self, entry_id: str) -> QueueEntry:
        with connection():
            return QueueEntry.get_by_id(entry_id)

    def looks(self) -> dict[str, Any]:
        """Every visit with its entries, as far as an undo must bring them back."""
        with connection():
            visits = list(Visit.select().where(Visit.service_on == self.day))
            entries = self.rows()
        return {
            visit.id: (
                [[getattr(row, name) for name in LOOKS] for row in entries if row.visit_id == visit.id],
                visit.status, visit.ended_at, visit.disposition,
            )
            for visit in visits
        }  # fmt: skip

    def path(self, visit: str, rows: list[QueueEntry] | None = None) -> list[QueueEntry]:
        """A visit's entries, each after the one it came from."""
        left = {row.came_from_id: row for row in rows or self.rows() if row.visit_id == visit}
        path, at = [], None
        while at in left:
            path.append(left.pop(at))
            at = path[-1].id
        assert not left, "an entry that does not follow from the one before it"
        return path

    def tick(self) -> None:
        self.now += timedelta(seconds=1)

    def wait(self, minutes: int) -> None:
        """Time goes by, but never into the next day, whose queues are others."""
        self.now = min(self.now + timedelta(minutes=minutes), max(self.now, self.evening))

    def picked(self, number: int) -> QueueEntry:
        """Some visit's newest entry."""
        return self.path(self.visits[number % len(self.visits)])[-1]

    # Steps

    @initialize(priorities=st.lists(st.sampled_from(Priority), min_size=2, max_size=8))
    def people_wait_at_eight(self, priorities: list[Priority]) -> None:
        for priority in priorities:
            self.somebody_arrives(priority, 0)

    def newcomer(self) -> str:
        """A patient who was never here: nobody stands in one queue twice."""
        made = Patient.create(
            id=new_id(), medical_record_number=f"{next(PATIENTS):08}", name="Nama Karangan", sex="male",
            birth_date=date(1990, 1, 1), created_at=self.now, created_by=self.actors[0].account_id,
            updated_at=self.now,
        )  # fmt: skip
        return str(made.id)

    @rule(priority=st.sampled_from(Priority), place=st.sampled_from([0, 0, 0, 1]))
    def somebody_arrives(self, priority: Priority, place: int) -> None:
        self.tick()
        with transaction():
            visit = Visit.create(
                id=new_id(), patient=self.newcomer(), service_on=self.day, status=VisitStatus.ARRIVED,
                payer=Payer.GENERAL, chief_complaint="batuk", started_at=self.now,
                registered_by=self.actors[0].account_id,
            )  # fmt: skip
            tickets.issue(
                self.clinic, self.actors[0], visit, CLUSTERS[place], tickets.Place(priority), at=self.now
            )
        self.visits.append(visit.id)
        self.before[visit.id] = []

    @rule(minutes=st.integers(1, 45))
    def time_passes(self, minutes: int) -> None:
        self.wait(minutes)

    @rule(who=st.integers(0, 1), place=st.sampled_from([0, 0, 0, 1]))
    def call_next(self, who: int, place: int) -> None:
        self.tick()
        actor, cluster = self.actors[who], CLUSTERS[place]
        expected = first_by_the_rules(self.rows(cluster), actor.account_id, self.now)
        before = self.looks()
        called = queueing.call_next(self.clinic, actor, cluster, f"Ruang {who + 1}")
        assert (called.id if called else None) == expected
        if called is not None:
            assert (called.status, called.practitioner) == (S.CALLED, actor.name)
            self.before[called.visit_id].append(before[called.visit_id])

    @rule(who=st.integers(0, 1), times=st.integers(2, 5))
    def one_after_the_other(self, who: int, times: int) -> None:
        for _ in range(times):
            self.call_next(who, 0)

    @rule(place=st.sampled_from([0, 0, 0, 1]))
    def two_call_at_once(self, place: int) -> None:
        self.tick()
        cluster = CLUSTERS[place]
        before = self.looks()
        jobs = [self.pool.submit(queueing.call_next, self.clinic, actor, cluster) for actor in self.actors]
        called = [entry for entry in (job.result() for job in jobs) if entry is not None]
        assert len({entry.id for entry in called}) == len(called)
        for entry in called:
            self.before[entry.visit_id].append(before[entry.visit_id])

    @precondition(lambda self: self.visits)
    @rule(
        number=st.integers(0, 50),
        action=st.sampled_from(ACTIONS),
        who=st.integers(0, 1),
        priority=st.sampled_from(Priority),
    )
    def act(self, number: int, action: EntryAction, who: int, priority: Priority) -> None:
        self.step(self.picked(number), action, who, priority)

    @precondition(lambda self: self.visits)
    @rule(
        number=st.integers(0, 50),
        who=st.integers(0, 1),
        back=st.sampled_from([A.RETURN, A.FINISH]),
        minutes=st.sampled_from([0, 59, 61]),
    )
    def goes_elsewhere_and_comes_back(self, number: int, who: int, back: EntryAction, minutes: int) -> None:
        for action in (A.START, A.SEND, A.CALL, back):
            self.step(self.picked(number), action, who)
        self.wait(minutes)
        self.call_next(1 - who, 0)
        self.call_next(who, 0)

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 50), who=st.integers(0, 1), others=st.integers(1, 5))
    def does_not_answer(self, number: int, who: int, others: int) -> None:
        for action in (A.CALL, A.SKIP):
            self.step(self.picked(number), action, who)
        for _ in range(others):
            self.call_next(who, 0)

    def step(
        self, row: QueueEntry, action: EntryAction, who: int, priority: Priority = Priority.YELLOW
    ) -> None:
        """One action, which is done or refused as the table of transitions says."""
        self.tick()
        before = self.looks()
        command = self.command(row, action, priority)
        if action is A.RETURN and row.returns_to_id is None:
            self.refused(RuleError, "no_way_back", row, action, who, command)
        elif S(row.status) not in TRANSITIONS[action].sources:
            self.refused(ConflictError, "not_possible_now", row, action, who, command)
        else:
            after = queueing.act(self.clinic, self.actors[who], row.id, action, command)
            self.before[row.visit_id].append(before[row.visit_id])
            self.check_step(row, action, after.id)

    def refused(
        self,
        error: type[CoreError],
        code: str,
        row: QueueEntry,
        action: EntryAction,
        who: int,
        command: EntryCommand,
    ) -> None:
        """What cannot be is refused with what is true, and nothing is changed."""
        before = self.looks()
        with pytest.raises(error) as caught:
            queueing.act(self.clinic, self.actors[who], row.id, action, command)
        assert caught.value.code == code
        if error is ConflictError:
            assert isinstance(caught.value, ConflictError)
            details = caught.value.details
            assert (details["status"], details["version"]) == (row.status, row.version)
        assert self.looks() == before

    def command(self, row: QueueEntry, action: EntryAction, priority: Priority) -> EntryCommand:
        return EntryCommand(
            expected_version=row.version,
            cluster=CLUSTERS[row.cluster == CLUSTERS[0]] if action in {A.TRANSFER, A.SEND} else None,
            reason="alasan" if action in {A.CANCEL, A.PRIORITISE} else "",
            priority=priority if action is A.PRIORITISE else None,
            disposition=Disposition.HOME if action is A.FINISH else None,
        )

    def check_step(self, old: QueueEntry, action: EntryAction, new_id: str) -> None:
        new = self.entry(new_id)
        if action is A.RETURN or (action is A.FINISH and old.returns_to_id):
            assert old.returns_to_id is not None
            origin = self.entry(old.returns_to_id)
            assert (new.cluster, new.ticket_id, new.queued_at) == (
                origin.cluster, origin.ticket_id, origin.queued_at,
            )  # fmt: skip
            assert (new.reserved_for_id, new.returns_to_id) == (origin.practitioner_id, origin.returns_to_id)
        elif action is A.SEND:
            assert (new.returns_to_id, new.status) == (old.id, S.WAITING)
        elif action is A.TRANSFER:
            assert (new.returns_to_id, new.priority) == (old.returns_to_id, old.priority)
        else:
            assert new.id == old.id
        assert new.version > 0

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 50), first=st.sampled_from(ACTIONS), second=st.sampled_from(ACTIONS))
    def two_act_on_one_entry_at_once(self, number: int, first: EntryAction, second: EntryAction) -> None:
        self.tick()
        row = self.picked(number)
        before = self.looks()
        jobs = [
            self.pool.submit(
                queueing.act, self.clinic, actor, row.id, action, self.command(row, action, Priority.YELLOW)
            )
            for actor, action in zip(self.actors, (first, second), strict=True)
        ]
        errors = [error for error in (job.exception() for job in jobs) if error is not None]
        assert all(isinstance(error, CoreError) for error in errors)
        assert errors, "both won"
        if len(errors) == 1:
            self.before[row.visit_id].append(before[row.visit_id])
            if isinstance(errors[0], ConflictError):
                with connection():
                    last = QueueEvent.select().order_by(QueueEvent.sequence.desc()).first()
                winner = next(actor for actor in self.actors if actor.account_id == last.by_id)
                told = errors[0].details
                assert told["version"] == row.version or told["changed_by"] == winner.name

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 50), action=st.sampled_from(ACTIONS))
    def somebody_is_late(self, number: int, action: EntryAction) -> None:
        self.tick()
        row = self.picked(number)
        command = self.command(row, action, Priority.RED).model_copy(
            update={"expected_version": row.version - 1}
        )
        self.refused(ConflictError, "changed_meanwhile", row, action, 1, command)

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 50), who=st.integers(0, 1))
    def undo(self, number: int, who: int) -> None:
        """Steps come back one by one, newest first, each to exactly what was before it."""
        self.tick()
        visit = self.visits[number % len(self.visits)]
        row = self.path(visit)[-1]
        if self.before[visit]:
            queueing.act(self.clinic, self.actors[who], row.id, A.UNDO, EntryCommand())
            assert self.looks()[visit] == self.before[visit].pop()
        else:
            self.refused(RuleError, "nothing_to_undo", row, A.UNDO, who, EntryCommand())

    @precondition(lambda self: self.visits)
    @rule(number=st.integers(0, 50))
    def undo_of_a_move_whose_patient_was_called_there(self, number: int) -> None:
        self.tick()
        path = self.path(self.visits[number % len(self.visits)])
        if len(path) < 2 or path[-1].called_at is None:
            return
        self.refused(RuleError, "undo_not_possible", path[-2], A.UNDO, 0, EntryCommand())

    # What always holds

    @invariant()
    def check(self) -> None:
        rows = self.rows()
        opened = [row.visit_id for row in rows if row.ended_at is None]
        assert len(opened) == len(set(opened)), "two open entries of one visit"
        for visit in self.visits:
            path = self.path(visit, rows)
            assert path[0].came_from_id is None
            for earlier, later in pairwise(path):
                assert (earlier.status, earlier.ended_at) == (S.TRANSFERRED, later.started_at)
            assert path[-1].status != S.TRANSFERRED
            for row in path:
                instants = [row.started_at, row.called_at, row.served_at, row.ended_at]
                known = [instant for instant in instants if instant is not None]
                assert known == sorted(known)
                assert (row.ended_at is not None) == S(row.status).is_ended
        with connection():
            tickets = list(Ticket.select().where(Ticket.service_on == self.day))
        for cluster in CLUSTERS:
            numbers = [ticket.sequence for ticket in tickets if ticket.cluster == cluster]
            assert sorted(numbers) == list(range(1, len(numbers) + 1))


def called_at(row: QueueEntry) -> datetime:
    assert row.called_at is not None
    return row.called_at


def first_by_the_rules(rows: list[QueueEntry], account: str, now: datetime) -> str | None:
    """Whom DESIGN.md 4 has called, said once more as plainly as possible.

    Red, yellow; then who waited beyond the limit; then `RATIO` protected for each regular one; each by time
    of issue. Who did not answer stands back until `BACK_AFTER` others were called; who comes back to another
    clinician waits for that one up to the limit.
    """
    # Nobody can tell which of two calls of one instant was later: the one with the greater id counts as it.
    called = sorted(
        (row for row in rows if row.called_at), key=lambda row: (called_at(row), row.id), reverse=True
    )
    here = [
        row
        for row in rows
        if row.status in {S.WAITING, S.SKIPPED}
        and (
            row.reserved_for_id in {None, account} or row.called_at or now - row.started_at >= LIMIT
        )
    ]  # fmt: skip

    def others_first(row: QueueEntry) -> int:
        if row.status != S.SKIPPED:
            return 0
        skipped_at = row.skipped_at
        assert skipped_at is not None
        return max(0, BACK_AFTER - sum(called_at(other) > skipped_at for other in called))

    ready = [row for row in here if others_first(row) == 0]
    if not ready:
        return min(here, key=lambda row: (others_first(row), row.queued_at, row.id)).id if here else None
    protected_in_a_row = 0
    for row in called:
        if row.priority == Priority.REGULAR:
            break
        protected_in_a_row += Priority(row.priority).rank == 2
    overdue = [row for row in ready if now - row.queued_at >= LIMIT]
    protected = [row for row in ready if Priority(row.priority).rank == 2]
    regular = [row for row in ready if row.priority == Priority.REGULAR]
    for group in (
        [row for row in ready if row.priority == Priority.RED],
        [row for row in ready if row.priority == Priority.YELLOW],
        overdue,
        regular if protected_in_a_row >= RATIO else protected,
        regular,
        protected,
    ):
        if group:
            return min(group, key=lambda row: (row.queued_at, row.id)).id
    return None


def test_the_queue_keeps_its_rules_whatever_happens(clinic: Clinic) -> None:
    if is_sqlite():
        database.execute_sql("PRAGMA synchronous=OFF")  # no power fails here
    with connection():
        people = [
            accounts.create_account(f"dokter{index}", name, Role.CLINICIAN, "rahasia-sekali", list(CLUSTERS))
            for index, name in enumerate(STAFF)
        ]
        actors = [actor_of(account) for account in people]
    with ThreadPoolExecutor(2) as pool:
        run_machine(
            lambda: QueueMachine(clinic, actors, pool),  # type: ignore[arg-type] # takes any that makes one
            settings=settings(
                max_examples=settings().max_examples // 5,
                stateful_step_count=30,
                suppress_health_check=list(HealthCheck),
            ),
        )
