"""Places in a cluster's queue: the order of all who wait, the place of one, and who is called next.

A pane orders everybody, since it shows everybody. A receipt asks for one place and a call for one person:
the database counts, and only the few who were skipped are looked at one by one, so that both cost the same
however many wait. `core.queues.ordering` holds the rule, and that both ways give the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import Any, NamedTuple

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Priority
from core.foundation.database import instant_text
from core.queues import place_queries as queries
from core.queues import service_days
from core.queues.entries import ShownEntry
from core.queues.ordering import (
    Candidates,
    Contender,
    Group,
    Key,
    Policy,
    Waiting,
    calling_order,
    first_called,
    place_among,
)
from core.queues.place_queries import CALLABLE

RANKS = {code.value: code.rank for code in Priority}
"""Code of a priority -> its rank."""
SAMPLE = 5
"""Finished services needed before a wait is estimated; fewer say nothing of the median."""
ROOMS_SEEN_IN = 20
"""Newest finished services whose practitioners are counted as the rooms at work."""
CALLS_SEEN = 50
"""Newest calls that are read first: nearly always enough to know whose turn it is, a regular or a protected patient's."""
ALL_CALLS = 1_000_000
"""More calls than a cluster makes on a day."""


@dataclass(frozen=True)
class Calls:
    """The newest calls of a cluster's present service day, as far as they decide whose turn it is."""

    times: list[str]
    """Newest first, as stored."""
    ranks: list[int]
    """`Priority.rank` of those called."""

    def add(self, at: str, priority: str) -> None:
        """Add the next older one."""
        self.times.append(at)
        self.ranks.append(RANKS[priority])

    def are_enough(self, most: int) -> bool:
        """Return whether they decide, where at most so many were read: all there are, or as far as a regular patient."""
        return len(self.times) < most or Priority.REGULAR.rank in self.ranks

    def until_back(self, skipped_at: str | None, after: int) -> int:
        """Return the number of others to be called before a skipped patient's turn is back."""
        if not skipped_at:
            return 0
        since = len(self.times) - bisect_right(self.times[::-1], skipped_at)
        return max(0, after - since)


def newest_calls(clinic: Clinic, cluster: str, day: date, *, is_present: bool = True) -> Calls:
    """Return the newest calls of a cluster, enough of them for its order.

    Args:
        clinic: For its ratio, and the number of calls after which a skipped patient is back.
        cluster: Code of the cluster.
        day: A service day.
        is_present: Whether it is the present one: calls of those of other days who are still there count too.
    """
    most = max(CALLS_SEEN, clinic.settings.skip_returns_after)
    calls = _calls(cluster, day, most, is_present)
    return calls if calls.are_enough(most) else _calls(cluster, day, ALL_CALLS, is_present)


def _calls(cluster: str, day: date, most: int, is_present: bool) -> Calls:
    rows = queries.CALLS.rows(cluster=cluster, day=day.isoformat(), most=most, is_present=int(is_present))
    return Calls([at for at, _priority in rows], [RANKS[priority] for _at, priority in rows])


def wait_limit(clinic: Clinic) -> timedelta:
    """Return the wait after which a patient no longer yields to protected groups, nor waits for one clinician."""
    return timedelta(minutes=clinic.settings.regular_wait_limit_minutes)


def policy_of(clinic: Clinic) -> Policy:
    """Return the clinic's rule for mixing protected and regular patients."""
    return Policy(clinic.settings.priority_ratio, wait_limit(clinic))


def until_back(clinic: Clinic, row: ShownEntry, calls: Calls) -> int:
    """Return the number of others to be called before an entry's turn is back; 0 unless it is skipped.

    Args:
        clinic: For the number of calls.
        row: The entry.
        calls: The newest of its cluster.
    """
    if row.status != EntryStatus.SKIPPED or row.skipped_at is None:
        return 0
    return calls.until_back(instant_text(row.skipped_at), clinic.settings.skip_returns_after)


def order_of(clinic: Clinic, rows: Iterable[ShownEntry], day: date, calls: Calls) -> list[str]:
    """Return the ids of those of a pane's entries that can be called, in calling order.

    Args:
        clinic: For its ratio and limits.
        rows: The entries.
        day: The cluster's present service day.
        calls: Its newest calls.
    """
    waiting = [
        Waiting(
            row.id,
            RANKS[row.priority],
            row.queued_at,
            until_back(clinic, row, calls),
            # A day that is not there yet was noted by a clock that ran ahead: they came before now.
            (min(row.service_on, day), row.turn),
        )
        for row in rows
        if row.status in CALLABLE
    ]
    return calling_order(waiting, calls.ranks, policy_of(clinic), clock.now())


@dataclass
class _State:
    """A cluster's queue as one statement sees it."""

    clinic: Clinic
    cluster: str
    day: str
    """Its present service day, as stored."""
    waiting: dict[int, int] = field(default_factory=dict)
    """`Priority.rank` -> number of those who wait and were not skipped."""
    has_skipped: bool = False
    is_plain: bool = True
    """Whether all came today and nobody has waited beyond the limit, so that numbers alone order them."""
    calls: Calls = field(default_factory=lambda: Calls([], []))
    services: list[tuple[str, str, str | None]] = field(default_factory=list)
    behind: dict[int, int] = field(default_factory=dict)
    """`Priority.rank` -> number of those who wait with a higher number."""

    @property
    def place(self) -> dict[str, str]:
        """The values by which statements find it."""
        return {"cluster": self.cluster, "day": self.day}

    def add(self, row: tuple[Any, ...]) -> None:
        """Take one row of the statement."""
        part, first, second, third, number, late, of_other_days = row
        if part == queries.TOTAL:
            self.is_plain = self.is_plain and not late and not of_other_days
            self.has_skipped = self.has_skipped or first == EntryStatus.SKIPPED
            if first == EntryStatus.WAITING:
                _count(self.waiting, second, number)
        elif part == queries.CALL:
            self.calls.add(first, second)
        elif part == queries.SERVICE:
            self.services.append((first, second, third))
        else:
            _count(self.behind, first, number)


def _count(counted: dict[int, int], priority: str, number: int) -> None:
    rank = RANKS[priority]
    counted[rank] = counted.get(rank, 0) + number


def _state(clinic: Clinic, cluster: str, day: date, turn: int | None = None) -> _State:
    """Return a cluster's queue now; what is told of one place too where a turn is given."""
    state = _State(clinic, cluster, day.isoformat())
    most = max(CALLS_SEEN, clinic.settings.skip_returns_after)
    asked = {**state.place, "cutoff": _cutoff(clinic), "most": most, "is_present": 1}
    rows = queries.STATE.rows(**asked) if turn is None else queries.STATE_OF_PLACE.rows(**asked, turn=turn)
    for row in rows:
        state.add(row)
    if not state.calls.are_enough(most):
        state.calls = _calls(cluster, day, ALL_CALLS, is_present=True)
    return state


class Placed(NamedTuple):
    """Place of an entry."""

    position: int | None
    """1 is next; None when it cannot be called."""
    minutes: float | None
    """As `minutes_per_call`."""
    calls_until_back: int = 0
    """For a skipped entry."""


def placed(clinic: Clinic, row: ShownEntry) -> Placed:
    """Return the place of an entry among those of its cluster that can be called.

    Equal to its place in `calling_order`, without ordering anybody. To be called in a snapshot or a transaction.

    Args:
        clinic: For its ratio and limits.
        row: The entry.
    """
    if row.status not in CALLABLE:
        return Placed(None, None)
    day = service_days.present_day(clinic, row.cluster)
    state = _state(clinic, row.cluster, day, row.turn)
    own = Contender(
        _key_of(row, day),
        RANKS[row.priority],
        until_back(clinic, row, state.calls),
        was_skipped=row.status == EntryStatus.SKIPPED,
    )
    late = None if state.is_plain else queries.LAST_LATE.first(**state.place, cutoff=_cutoff(clinic))
    groups = _by_number(state, own) if state.is_plain else _by_key(state, own, late)
    skipped = _skipped(state) if state.has_skipped else []
    index = place_among(own, groups, skipped, late, state.calls.ranks, policy_of(clinic).ratio)
    return Placed(index + 1, pace(tuple(state.services)), own.calls_until_back)


def _by_number(state: _State, own: Contender) -> list[Group]:
    """Return all who wait and were not skipped, counted by whether they came before.

    Nearly all have, where it is a receipt that asks: so those are counted who have not.
    """
    groups = []
    for rank, number in state.waiting.items():
        itself = int(rank == own.rank and not own.was_skipped)
        later = state.behind.get(rank, 0) + itself
        groups += [Group(rank, False, True, number - later), Group(rank, False, False, later)]
    return groups


def _by_key(state: _State, own: Contender, late: Key | None) -> list[Group]:
    """Return all who wait and were not skipped, counted by whether they came before and still yield."""
    rows = queries.COUNTED.rows(**state.place, **_named("late", late or _NOBODY), **_named("own", own.key))
    return [
        Group(RANKS[priority], bool(is_late), bool(is_before), number)
        for priority, is_late, is_before, number in rows
    ]


def first_to_call(clinic: Clinic, cluster: str, account_id: str) -> str | None:
    """Return the id of the entry that an account calls next; None when nobody waits for it.

    Equal to the first one in `calling_order`. Patients who come back to another clinician are left out, unless they
    have waited for that one beyond the limit. To be called in the transaction of the call.

    Args:
        clinic: For its ratio and limits.
        cluster: Code of the cluster.
        account_id: Who calls.
    """
    day = service_days.present_day(clinic, cluster)
    state = _state(clinic, cluster, day)
    latest = instant_text(clock.now() - wait_limit(clinic))
    account = {"account": account_id, "latest": latest}
    if state.is_plain:
        late = None
        earliest = [
            Contender((state.day, number, "", ""), RANKS[priority])
            for priority, number in queries.LOWEST.rows(cluster=cluster, **account)
        ]
    else:
        late = queries.LAST_LATE_FOR_ACCOUNT.first(**state.place, **account, cutoff=_cutoff(clinic))
        earliest = [
            Contender((*key,), RANKS[priority])
            for priority, *key in queries.FIRST_OF_EACH.rows(**state.place, **account)
        ]
    skipped = _skipped(state, account_id, latest) if state.has_skipped else []
    found = first_called(Candidates([*earliest, *skipped], late), state.calls.ranks, policy_of(clinic).ratio)
    if found is None:
        return None
    entry_id = found.key[3] or queries.OF_NUMBER.value(**state.place, turn=found.key[1])
    return str(entry_id)


def _skipped(state: _State, account_id: str | None = None, latest: str = "") -> list[Contender]:
    """Return those who did not answer, with the number of calls until their turns are back.

    Args:
        state: The cluster's queue.
        account_id: Whoever calls, if somebody does: only those whom they may call.
        latest: Instant before which those who wait for another clinician came whom everybody may call.
    """
    after = state.clinic.settings.skip_returns_after
    found = []
    for priority, *key, skipped_at, reserved_for, called_at, started_at in queries.SKIPPED.rows(
        **state.place
    ):
        is_free = account_id is None or reserved_for in {None, account_id}
        if is_free or called_at is not None or started_at <= latest:
            back = state.calls.until_back(skipped_at, after)
            found.append(Contender((*key,), RANKS[priority], back, was_skipped=True))
    return found


def _cutoff(clinic: Clinic) -> str:
    return instant_text(clock.now() - wait_limit(clinic))


_NOBODY = ("", 0, "", "")
"""A key before everybody's."""


def _key_of(row: ShownEntry, day: date) -> tuple[Any, ...]:
    """Return what orders an entry among all others: service day, turn, instant, id, as they are stored."""
    return (
        min(row.service_on, day).isoformat(), row.turn, instant_text(row.queued_at), row.id,
    )  # fmt: skip


def _named(name: str, key: Sequence[Any]) -> dict[str, Any]:
    parts = ("day", "turn", "at", "id")
    return {f"{name}_{part}": value for part, value in zip(parts, key, strict=True)}


def minutes_per_call(cluster: str, day: date) -> float | None:
    """Return the minutes between two calls of a cluster on a day; None until `SAMPLE` services are finished.

    The median rather than the mean: one long dressing change must not frighten the whole
    waiting room. Several rooms share the queue; their number is that of the people who
    finished the last services.

    Args:
        cluster: Code of the cluster.
        day: The service day.
    """
    return pace(tuple(queries.SERVICES.rows(cluster=cluster, day=day.isoformat())))


@lru_cache(maxsize=16)
def pace(services: tuple[tuple[str, str, str | None], ...]) -> float | None:
    """Return the minutes between two calls, from the finished services of a day; as `minutes_per_call` else.

    Args:
        services: Beginning, end and practitioner of each as they are stored, the newest end last.
    """
    if len(services) < SAMPLE:
        return None
    minutes: float = median(_minutes(served_at, ended_at) for served_at, ended_at, _practitioner in services)
    return minutes / max(1, len({practitioner for *_times, practitioner in services[-ROOMS_SEEN_IN:]}))


def _minutes(served_at: str, ended_at: str) -> float:
    return (datetime.fromisoformat(ended_at) - datetime.fromisoformat(served_at)).total_seconds() / 60
