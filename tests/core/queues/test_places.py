"""One's place and whose turn it is, counted by the database: the same as ordering everybody gives."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts import service as accounts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Payer, Priority, Role, Sex, VisitStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.permissions import Actor, actor_of
from core.foundation.statements import Statement
from core.models import Account, Patient, QueueEntry, Ticket, Visit
from core.queues import entries as entries_module
from core.queues import people_left, place_queries, places, row_alerts, tickets, transitions, turns, views
from core.queues.entries import load_shown_entry
from core.queues.ordering import (
    Candidates,
    Contender,
    Group,
    Policy,
    Waiting,
    calling_order,
    first_called,
    place_among,
)
from core.visits import registration
from tests.postgres import new_database

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # 11:00 in the clinic
TODAY = date(2026, 3, 2)
LIMIT = timedelta(minutes=60)
RATIO, BACK_AFTER = 2, 3
MOST = 14
"""Entries of an example: enough for every class, skips and leftovers at once."""

contender = st.builds(
    Waiting,
    st.uuids().map(str),
    st.sampled_from([0, 1, 2, 4]),
    st.integers(0, 120).map(lambda minute: NOW - timedelta(minutes=minute)),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.tuples(st.sampled_from([date(2026, 3, 1), TODAY]), st.integers(1, 30)),
)


def key_of(entry: Waiting) -> tuple[Any, ...]:
    return (*entry.turn, entry.queued_at, entry.id)


@given(
    st.lists(contender, unique_by=lambda entry: entry.id, min_size=1, max_size=40),
    st.lists(st.sampled_from([0, 1, 2, 4]), max_size=8),
    st.integers(1, 4),
)
def test_the_place_of_each_is_its_index_in_the_calling_order(
    entries: list[Waiting], recent: list[int], ratio: int
) -> None:
    order = calling_order(entries, recent, Policy(ratio, LIMIT), NOW)
    waited = [key_of(entry) for entry in entries if NOW - entry.queued_at >= LIMIT]
    late = max(waited, default=None)
    skipped = [
        Contender(key_of(entry), entry.rank, entry.calls_until_back)
        for entry in entries
        if entry.calls_until_back
    ]
    for entry in entries:
        own = Contender(key_of(entry), entry.rank, entry.calls_until_back)
        groups = [
            Group(other.rank, late is not None and key_of(other) <= late, key_of(other) < own.key, 1)
            for other in entries
            if not other.calls_until_back
        ]
        assert place_among(own, groups, skipped, late, recent, ratio) == order.index(entry.id)
    everybody = [Contender(key_of(entry), entry.rank, entry.calls_until_back) for entry in entries]
    first = first_called(Candidates(everybody, late), recent, ratio)
    assert first is not None
    assert first.key[-1] == order[0]


def test_nobody_is_called_where_nobody_waits() -> None:
    assert first_called(Candidates([], None), [], RATIO) is None


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    opened = Clinic.open(
        Settings(
            home=tmp_path, database_url=url, priority_ratio=RATIO, skip_returns_after=BACK_AFTER,
            regular_wait_limit_minutes=60,
        )
    )  # fmt: skip
    with connection():
        yield opened
    if not database.is_closed():
        database.close()


@pytest.fixture
def dentist(clinic: Clinic) -> Actor:
    return actor_of(accounts.create_account("gigi", "Drg", Role.CLINICIAN, "rahasia-sekali", ["GIGI"]))


@dataclass(frozen=True)
class Drawn:
    """An entry of an example."""

    status: EntryStatus
    priority: Priority
    day: date
    queued: int
    """Minutes before now since which it waits."""
    called: int
    """Minutes before now of its call, if it was called."""
    skipped: int
    reserved: bool
    started: int


drawn = st.builds(
    Drawn,
    st.sampled_from(
        [EntryStatus.WAITING] * 4 + [EntryStatus.SKIPPED] * 2 + [EntryStatus.CALLED, EntryStatus.DONE]
    ),
    st.sampled_from(Priority),
    st.sampled_from([TODAY] * 5 + [date(2026, 3, 1), date(2026, 3, 3)]),
    st.integers(0, 120),
    st.integers(1, 100),
    st.integers(0, 100),
    st.booleans(),
    st.integers(0, 120),
)


def _ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def _stored(entries: list[Drawn], other: Account) -> None:
    """Put exactly these entries into the queue of GIGI."""
    with transaction():
        QueueEntry.delete().execute()
        Ticket.delete().execute()
        for number, entry in enumerate(entries):
            # Numbers run against the order of the ids, as those that were taken from home do.
            Ticket.create(
                id=f"ticket {number:02}", cluster="GIGI", service_on=entry.day, sequence=100 - number,
                turn=turns.of_number(100 - number), number=f"B-{100 - number:03}", visit=f"visit {number:02}",
                issued_at=_ago(entry.started),
            )  # fmt: skip
            was_called = entry.status is not EntryStatus.WAITING
            QueueEntry.create(
                id=f"entry {number:02}", visit=f"visit {number:02}", ticket=f"ticket {number:02}", cluster="GIGI",
                service_on=entry.day, status=entry.status, priority=entry.priority, queued_at=_ago(entry.queued),
                started_at=_ago(entry.started), called_at=_ago(entry.called) if was_called else None,
                served_at=_ago(entry.called) if entry.status is EntryStatus.DONE else None,
                ended_at=_ago(entry.called - 1) if entry.status is EntryStatus.DONE else None,
                skipped_at=_ago(entry.skipped) if entry.status is EntryStatus.SKIPPED else None,
                reserved_for=other if entry.reserved else None,
            )  # fmt: skip


@pytest.fixture
def other(clinic: Clinic) -> Account:
    """Another clinician, and visits for the entries to come."""
    account = accounts.create_account("lain", "Drg Lain", Role.CLINICIAN, "rahasia-sekali", ["GIGI"])
    with transaction():
        patient = Patient.create(
            id="patient", medical_record_number="1", name="Ani", sex=Sex.FEMALE, birth_date=date(1990, 1, 1),
            created_at=NOW, created_by=account, updated_at=NOW,
        )  # fmt: skip
        for number in range(MOST):
            Visit.create(
                id=f"visit {number:02}", patient=patient, service_on=TODAY, status=VisitStatus.ARRIVED,
                payer=Payer.GENERAL, chief_complaint="gigi", started_at=NOW, registered_by=account,
            )  # fmt: skip
    return account


def _reference(rows: list[QueueEntry], account_id: str | None = None) -> list[str]:
    """Return the order as the rule says it, from all rows."""
    if account_id is not None:
        rows = [
            row
            for row in rows
            if row.reserved_for_id in {None, account_id}
            or row.called_at is not None
            or row.started_at <= NOW - LIMIT
        ]
    present = [row for row in rows if row.service_on == TODAY or row.ended_at is None]
    called = sorted(
        (row for row in present if row.called_at is not None),
        key=lambda row: (row.called_at or NOW, row.id),
        reverse=True,
    )
    times = sorted(row.called_at for row in called if row.called_at is not None)
    waiting = [
        Waiting(
            row.id,
            Priority(row.priority).rank,
            row.queued_at,
            max(0, BACK_AFTER - len(times) + bisect_right(times, row.skipped_at)) if row.skipped_at else 0,
            (min(row.service_on, TODAY), row.ticket.sequence),
        )
        for row in present
        if row.status in {EntryStatus.WAITING, EntryStatus.SKIPPED}
    ]
    ranks = [Priority(row.priority).rank for row in called]
    return calling_order(waiting, ranks, Policy(RATIO, LIMIT), NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(entries=st.lists(drawn, min_size=1, max_size=MOST), is_calm=st.booleans())
def test_the_database_counts_the_place_that_ordering_everybody_gives(
    clinic: Clinic, dentist: Actor, other: Account, entries: list[Drawn], is_calm: bool
) -> None:
    """Skips, ratio, overdue, reserved, leftovers of another day and those of a clock that ran ahead.

    On a calm day all came today and nobody has waited long: numbers alone tell who came first.
    """
    if is_calm:
        entries = [replace(entry, day=TODAY, queued=entry.queued // 3) for entry in entries]
    _stored(entries, other)
    with clock.frozen(lambda: NOW):
        rows = list(QueueEntry.select(QueueEntry, Ticket).join(Ticket))
        order = _reference(rows)
        assert views.calling_ids(clinic, "GIGI") == order
        pane = views.queue(clinic, dentist, "GIGI")
        assert [entry.id for entry in pane.entries if entry.position] == order
        for row in rows:
            expected = order.index(row.id) + 1 if row.id in order else None
            assert places.placed(clinic, load_shown_entry(row.id)).position == expected
            assert views.entry_out(clinic, row.id).position == expected
        mine = _reference(rows, dentist.account_id)
        assert places.first_to_call(clinic, "GIGI", dentist.account_id) == (mine[0] if mine else None)


def test_a_long_run_of_urgent_calls_does_not_hide_whose_turn_it_is(
    clinic: Clinic, dentist: Actor, other: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest calls are read first; where they do not decide, all are read."""
    monkeypatch.setattr(places, "CALLS_SEEN", 2)
    called = [
        Drawn(EntryStatus.CALLED, priority, TODAY, 50, minutes, 0, False, 50)
        for priority, minutes in (
            (Priority.REGULAR, 40), (Priority.ELDERLY, 30), (Priority.ELDERLY, 29), (Priority.RED, 20),
            (Priority.RED, 19), (Priority.YELLOW, 18), (Priority.RED, 17),
        )
    ]  # fmt: skip
    waiting = [
        Drawn(EntryStatus.WAITING, priority, TODAY, 10, 0, 0, False, 10)
        for priority in (Priority.ELDERLY, Priority.REGULAR)
    ]
    _stored([*called, *waiting], other)
    with clock.frozen(lambda: NOW):
        assert places.first_to_call(clinic, "GIGI", dentist.account_id) == f"entry {len(called) + 1:02}"


MODULES = (entries_module, people_left, place_queries, tickets, transitions, row_alerts, registration)


def statements() -> dict[str, Statement]:
    """The statements of the modules that run at every save, call and pane."""
    return {
        f"{module.__name__}.{name}": value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }


@pytest.mark.parametrize("clinic", ["sqlite"], indirect=True)
def test_no_statement_walks_over_the_years(clinic: Clinic) -> None:
    """Each is led by an index of more than the cluster: that alone holds all entries and tickets there ever were."""
    assert len(statements()) > 20
    for name, statement in statements().items():
        compiled = statement._for_database()
        plan = database.execute_sql(
            f"EXPLAIN QUERY PLAN {compiled.sql}", ["x"] * len(compiled.parameters)
        ).fetchall()
        steps = [str(step[-1]) for step in plan]
        walks = [
            step
            for step in steps
            if step.endswith("(cluster=?)") or re.fullmatch(r"SCAN (t\d|q|t|queue_entry|ticket|visit)", step)
        ]
        assert walks == [], (name, steps)
