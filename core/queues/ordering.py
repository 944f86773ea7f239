"""Priority and calling order of waiting patients. Pure.

"First come" is told by the numbers, not by the clock, which may have been set meanwhile.

Order (docs/architecture.md): red, then yellow, each first come first served; then, first come first
served among themselves, patients who have waited beyond the limit; then the protected
groups and the regular patients in a set ratio, so that neither starves. A skipped patient
is passed over until some others were called, then has the old place again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.foundation.ages import age_in_months
from core.foundation.codes import Priority

REGULAR_RANK = Priority.REGULAR.rank
PROTECTED_RANK = Priority.ELDERLY.rank
"""Shared by all protected groups; lower ranks are urgent."""
ELDERLY_FROM_YEARS = 60  # UU 13/1998
TODDLER_BELOW_MONTHS = 60


@dataclass(frozen=True)
class Waiting:
    """An entry that could be called."""

    id: str
    rank: int
    """`Priority.rank`: 0 red, 1 yellow, 2 protected, 4 regular."""
    queued_at: datetime
    calls_until_back: int = 0
    """For a skipped entry: number of others that must be called first; otherwise 0."""
    turn: tuple[date, int] = (date.min, 0)
    """Service day and number: who has the lower one came first."""


@dataclass(frozen=True)
class Policy:
    """The clinic's rule for mixing protected and regular patients, from the settings."""

    ratio: int
    """Protected calls for each regular one while both wait, >= 1."""
    wait_limit: timedelta
    """After this wait a regular patient no longer yields to protected ones."""


def calling_order(
    waiting: Iterable[Waiting], recent_ranks: Sequence[int], policy: Policy, now: datetime
) -> list[str]:
    """Return the ids in calling order, as if nobody else came.

    Args:
        waiting: Entries waiting or skipped, in any order.
        recent_ranks: Ranks of today's calls, newest first; only the run of protected ones
            at its beginning counts.
        policy: Ratio and limit.
        now: Aware UTC.

    Returns:
        Every id once.
    """
    ordered = sorted(waiting, key=lambda entry: (entry.turn, entry.queued_at, entry.id))
    since = _waiting_since(ordered)
    present, passed_over = _split(ordered, lambda entry: entry.calls_until_back <= 0)
    urgent, others = _split(present, lambda entry: entry.rank < PROTECTED_RANK)
    overdue, timely = _split(others, lambda entry: now - since[entry.id] >= policy.wait_limit)
    urgent.sort(key=lambda entry: entry.rank)
    order = [*urgent, *overdue, *_mixed(timely, _protected_run(recent_ranks), policy.ratio)]
    for entry in sorted(passed_over, key=lambda entry: entry.calls_until_back):
        order.insert(min(entry.calls_until_back, len(order)), entry)
    return [entry.id for entry in order]


def _waiting_since(ordered: Sequence[Waiting]) -> dict[str, datetime]:
    """Return since when each waits: at least as long as everybody behind, whatever the clock said."""
    since: dict[str, datetime] = {}
    earliest = datetime.max.replace(tzinfo=UTC)
    for entry in reversed(ordered):
        earliest = min(earliest, entry.queued_at)
        since[entry.id] = earliest
    return since


def _split(
    entries: Iterable[Waiting], condition: Callable[[Waiting], bool]
) -> tuple[list[Waiting], list[Waiting]]:
    """Return the entries that meet the condition, and the others, each in the given order."""
    meeting: list[Waiting] = []
    others: list[Waiting] = []
    for entry in entries:
        (meeting if condition(entry) else others).append(entry)
    return meeting, others


def _protected_run(recent_ranks: Sequence[int]) -> int:
    """Return the number of protected patients called since the last regular one."""
    run = 0
    for rank in recent_ranks:
        if rank == REGULAR_RANK:
            break
        run += rank == PROTECTED_RANK
    return run


def _mixed(entries: Sequence[Waiting], run: int, ratio: int) -> list[Waiting]:
    """Return protected and regular entries in the set ratio, the first regular one after `ratio - run` others."""
    protected = deque(entry for entry in entries if entry.rank < REGULAR_RANK)
    regular = deque(entry for entry in entries if entry.rank >= REGULAR_RANK)
    order = []
    while protected and regular:
        if run >= ratio:
            order.append(regular.popleft())
            run = 0
        else:
            order.append(protected.popleft())
            run += 1
    return [*order, *protected, *regular]


def default_priority(
    birth_date: date, *, pregnant: bool, disability: bool, day: date
) -> tuple[Priority, str]:
    """Return the protected group that a patient belongs to by law and age, and the code of the reason.

    Source: docs/reference/indonesia.md 9.2 (elderly from 60 years: UU 13/1998; toddlers under 60 months).

    Args:
        birth_date: The patient's.
        pregnant: As said at the counter.
        disability: As said at the counter.
        day: Day of the visit.
    """
    months = age_in_months(birth_date, day)
    if months >= ELDERLY_FROM_YEARS * 12:
        return Priority.ELDERLY, "age"
    if pregnant:
        return Priority.PREGNANT, "pregnant"
    if disability:
        return Priority.DISABILITY, "disability"
    if months < TODDLER_BELOW_MONTHS:
        return Priority.TODDLER, "age"
    return Priority.REGULAR, ""
