"""Places in a cluster's queue: the order of all who wait, the place of one, and who is called next.

A pane orders everybody, since it shows everybody. A receipt asks for one place and a call for one person:
the database counts, and only the few who were skipped are looked at one by one, so that both cost the same
however many wait. `core.queues.ordering` holds the rule, and that both ways give the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import Any

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Priority
from core.foundation.database import instant_text
from core.foundation.statements import Statement
from core.models import QueueEntry
from core.queues import service_days
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

CALLABLE = (EntryStatus.WAITING, EntryStatus.SKIPPED)
SAMPLE = 5
"""Finished services needed before a wait is estimated; fewer say nothing of the median."""
ROOMS_SEEN_IN = 20
"""Newest finished services whose practitioners are counted as the rooms at work."""
CALLS_SEEN = 50
"""Newest calls that are read first: nearly always enough to know whose turn it is, a regular or a protected patient's."""
ALL_CALLS = 1_000_000
"""More calls than a cluster makes on a day."""

_URGENT = [code for code in Priority if code.rank < Priority.ELDERLY.rank]
_REGULAR = [code for code in Priority if code.rank >= Priority.REGULAR.rank]
_PROTECTED = [code for code in Priority if code not in _URGENT and code not in _REGULAR]


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


# All SQL below is put together from constants of this module; what a user typed goes in as values.
_DAY = "CASE WHEN q.service_on < :day THEN q.service_on ELSE :day END"
"""A day that is not there yet was noted by a clock that ran ahead: they came before now."""
_OPEN = (
    "FROM queue_entry AS q JOIN ticket AS t ON t.id = q.ticket_id"
    " WHERE q.cluster = :cluster AND q.ended_at IS NULL AND q.voided_at IS NULL"
)
_MAY_CALL = (
    "(q.reserved_for_id IS NULL OR q.reserved_for_id = :account"
    " OR q.called_at IS NOT NULL OR q.started_at <= :latest)"
)
"""An entry is reserved for no other account, was called before, or has waited for the other beyond the limit."""
_KEY = f"{_DAY}, t.sequence, q.queued_at, q.id"


def _before(name: str, last: str) -> str:
    """Return the condition that an entry comes before a key; `last` compares the ids of equal ones."""
    return (
        f"({_DAY} < :{name}_day OR ({_DAY} = :{name}_day AND (t.sequence < :{name}_sequence OR"
        f" (t.sequence = :{name}_sequence AND (q.queued_at < :{name}_at OR"
        f" (q.queued_at = :{name}_at AND q.id {last} :{name}_id))))))"
    )


def _late(condition: str) -> str:
    """Return the SQL of the last one in order who has waited beyond the limit: all before do not yield any more."""
    return (
        f"SELECT {_KEY} {_OPEN} AND q.status IN ({_listed(CALLABLE)}) AND q.queued_at <= :cutoff{condition}"
        " ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 DESC LIMIT 1"
    )


def _earliest(codes: Iterable[str], order: str) -> str:
    """Return the SQL of the first one in order of some priorities, whom an account may call."""
    return (
        f"SELECT * FROM (SELECT q.priority, {_KEY} {_OPEN} AND q.status = '{EntryStatus.WAITING}'"  # noqa: S608
        f" AND q.priority IN ({_listed(codes)}) AND {_MAY_CALL} ORDER BY {order} LIMIT 1) AS earliest"
    )


_RANK = f"CASE WHEN q.priority = '{Priority.RED}' THEN 0 ELSE 1 END"
_LATE = Statement(lambda: _late(""))
_LATE_FOR_ACCOUNT = Statement(lambda: _late(f" AND {_MAY_CALL}"))
_GROUPS = Statement(
    lambda: (
        f"SELECT q.priority, CASE WHEN {_before('late', '<=')} THEN 1 ELSE 0 END,"
        f" CASE WHEN {_before('own', '<')} THEN 1 ELSE 0 END, COUNT(*)"
        f" {_OPEN} AND q.status = '{EntryStatus.WAITING}' GROUP BY 1, 2, 3"
    )
)
_EARLIEST = Statement(
    lambda: " UNION ALL ".join(
        (
            _earliest(_URGENT, f"{_RANK}, 2, 3, 4, 5"),
            _earliest(_PROTECTED, "2, 3, 4, 5"),
            _earliest(_REGULAR, "2, 3, 4, 5"),
        )
    )
)
_SKIPPED = Statement(
    lambda: (
        f"SELECT q.priority, {_KEY}, q.skipped_at, q.reserved_for_id, q.called_at, q.started_at"
        f" {_OPEN} AND q.status = '{EntryStatus.SKIPPED}'"
    )
)
_CALLS = Statement(
    lambda: (
        "SELECT called_at, priority FROM (SELECT * FROM (SELECT q.called_at, q.priority, q.id FROM queue_entry AS q"
        " WHERE q.cluster = :cluster AND q.service_on = :day AND q.voided_at IS NULL AND q.called_at IS NOT NULL"
        " ORDER BY q.called_at DESC, q.id DESC LIMIT :most) AS of_day"
        " UNION ALL SELECT q.called_at, q.priority, q.id FROM queue_entry AS q"
        " WHERE q.cluster = :cluster AND q.service_on <> :day AND q.voided_at IS NULL AND q.ended_at IS NULL"
        " AND q.called_at IS NOT NULL AND :is_present = 1) AS calls ORDER BY called_at DESC, id DESC LIMIT :most"
    )
)
_SERVICES = Statement(
    lambda: (
        "SELECT q.served_at, q.ended_at, q.practitioner_id FROM queue_entry AS q"
        " WHERE q.cluster = :cluster AND q.service_on = :day AND q.voided_at IS NULL AND q.called_at IS NOT NULL"
        " AND q.served_at IS NOT NULL AND q.ended_at IS NOT NULL ORDER BY q.ended_at, q.id"
    )
)
"""Who was served was called, or counts as called when the service began."""


@dataclass(frozen=True)
class Calls:
    """The newest calls of a cluster's present service day, as far as they decide whose turn it is."""

    times: list[str]
    """Newest first, as stored."""
    ranks: list[int]
    """`Priority.rank` of those called."""

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
    is_known = len(calls.times) < most or Priority.REGULAR.rank in calls.ranks
    return calls if is_known else _calls(cluster, day, ALL_CALLS, is_present)


def _calls(cluster: str, day: date, most: int, is_present: bool) -> Calls:
    rows = _CALLS.rows(cluster=cluster, day=day.isoformat(), most=most, is_present=int(is_present))
    return Calls([at for at, _priority in rows], [Priority(priority).rank for _at, priority in rows])


def wait_limit(clinic: Clinic) -> timedelta:
    """Return the wait after which a patient no longer yields to protected groups, nor waits for one clinician."""
    return timedelta(minutes=clinic.settings.regular_wait_limit_minutes)


def policy_of(clinic: Clinic) -> Policy:
    """Return the clinic's rule for mixing protected and regular patients."""
    return Policy(clinic.settings.priority_ratio, wait_limit(clinic))


def until_back(clinic: Clinic, row: QueueEntry, calls: Calls) -> int:
    """Return the number of others to be called before an entry's turn is back; 0 unless it is skipped.

    Args:
        clinic: For the number of calls.
        row: The entry.
        calls: The newest of its cluster.
    """
    if row.status != EntryStatus.SKIPPED or row.skipped_at is None:
        return 0
    return calls.until_back(instant_text(row.skipped_at), clinic.settings.skip_returns_after)


def order_of(clinic: Clinic, rows: Iterable[QueueEntry], day: date, calls: Calls) -> list[str]:
    """Return the ids of those of a pane's entries that can be called, in calling order.

    Args:
        clinic: For its ratio and limits.
        rows: Entries with their tickets.
        day: The cluster's present service day.
        calls: Its newest calls.
    """
    waiting = [
        Waiting(
            row.id,
            Priority(row.priority).rank,
            row.queued_at,
            until_back(clinic, row, calls),
            # A day that is not there yet was noted by a clock that ran ahead: they came before now.
            (min(row.service_on, day), row.ticket.sequence),
        )
        for row in rows
        if row.status in CALLABLE
    ]
    return calling_order(waiting, calls.ranks, policy_of(clinic), clock.now())


def place_of(clinic: Clinic, row: QueueEntry) -> int | None:
    """Return the place of an entry among those of its cluster that can be called; 1 is next, None when it cannot.

    Equal to its place in `calling_order`, without ordering anybody.

    Args:
        clinic: For its ratio and limits.
        row: The entry with its ticket.
    """
    if row.status not in CALLABLE:
        return None
    day = service_days.present_day(clinic, row.cluster)
    calls = newest_calls(clinic, row.cluster, day)
    own = Contender(_key_of(row, day), Priority(row.priority).rank, until_back(clinic, row, calls))
    asked = {"cluster": row.cluster, "day": day.isoformat()}
    late = _LATE.first(**asked, cutoff=_cutoff(clinic))
    groups = [
        Group(Priority(priority).rank, bool(is_late), bool(is_before), number)
        for priority, is_late, is_before, number in _GROUPS.rows(
            **asked, **_named("late", late or _NOBODY), **_named("own", own.key)
        )
    ]
    skipped = _skipped(clinic, asked, calls)
    return 1 + place_among(own, groups, skipped, late, calls.ranks, policy_of(clinic).ratio)


def first_to_call(clinic: Clinic, cluster: str, account_id: str) -> str | None:
    """Return the id of the entry that an account calls next; None when nobody waits for it.

    Equal to the first one in `calling_order`. Patients who come back to another clinician are left out, unless they
    have waited for that one beyond the limit.

    Args:
        clinic: For its ratio and limits.
        cluster: Code of the cluster.
        account_id: Who calls.
    """
    day = service_days.present_day(clinic, cluster)
    calls = newest_calls(clinic, cluster, day)
    latest = instant_text(clock.now() - wait_limit(clinic))
    asked = {"cluster": cluster, "day": day.isoformat()}
    account = {"account": account_id, "latest": latest}
    late = _LATE_FOR_ACCOUNT.first(**asked, **account, cutoff=_cutoff(clinic))
    earliest = [
        Contender((*key,), Priority(priority).rank) for priority, *key in _EARLIEST.rows(**asked, **account)
    ]
    skipped = _skipped(clinic, asked, calls, account_id, latest)
    found = first_called(Candidates([*earliest, *skipped], late), calls.ranks, policy_of(clinic).ratio)
    return None if found is None else str(found.key[3])


def _skipped(
    clinic: Clinic, asked: dict[str, str], calls: Calls, account_id: str | None = None, latest: str = ""
) -> list[Contender]:
    """Return those who did not answer, with the number of calls until their turns are back.

    Args:
        clinic: For the number of calls.
        asked: Cluster and present service day.
        calls: The newest of the cluster.
        account_id: Whoever calls, if somebody does: only those whom they may call.
        latest: Instant before which those who wait for another clinician came whom everybody may call.
    """
    after = clinic.settings.skip_returns_after
    found = []
    for priority, *key, skipped_at, reserved_for, called_at, started_at in _SKIPPED.rows(**asked):
        is_free = account_id is None or reserved_for in {None, account_id}
        if is_free or called_at is not None or started_at <= latest:
            found.append(Contender((*key,), Priority(priority).rank, calls.until_back(skipped_at, after)))
    return found


def _cutoff(clinic: Clinic) -> str:
    return instant_text(clock.now() - wait_limit(clinic))


_NOBODY = ("", 0, "", "")
"""A key before everybody's."""


def _key_of(row: QueueEntry, day: date) -> tuple[Any, ...]:
    """Return what orders an entry among all others: service day, number, instant, id, as they are stored."""
    return (
        min(row.service_on, day).isoformat(), row.ticket.sequence, instant_text(row.queued_at), row.id,
    )  # fmt: skip


def _named(name: str, key: Sequence[Any]) -> dict[str, Any]:
    parts = ("day", "sequence", "at", "id")
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
    return pace(tuple(_SERVICES.rows(cluster=cluster, day=day.isoformat())))


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
