"""Who is called next: a pure function of who waits and who was called.

Order (DESIGN.md 4): red, then yellow, each first come first served; then, first come first
served among themselves, patients who have waited beyond the limit; then the protected
groups and the regular patients in a set ratio, so that neither starves. A skipped patient
is passed over until some others were called, then stands at the old place again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.vocabulary import Priority

REGULAR_RANK = Priority.REGULAR.rank


@dataclass(frozen=True)
class Waiting:
    """An entry that could be called."""

    id: str
    rank: int
    """`Priority.rank`: 0 red, 1 yellow, 2 protected, 4 regular."""
    queued_at: datetime
    calls_until_back: int = 0
    """For a skipped entry: how many others must be called first; otherwise 0."""


@dataclass(frozen=True)
class Policy:
    """The clinic's choice, from the settings."""

    ratio: int
    """Protected calls for each regular one while both wait, >= 1."""
    wait_limit: timedelta
    """After this wait a regular patient no longer yields to protected ones."""


def calling_order(
    waiting: Iterable[Waiting], recent_ranks: Sequence[int], policy: Policy, now: datetime
) -> list[str]:
    """Ids in the order in which they would be called if nobody else came.

    Args:
        waiting: Entries waiting or skipped, in any order.
        recent_ranks: Ranks of today's calls, newest first; only the run of protected ones
            at its beginning matters.
        policy: Ratio and limit.
        now: Aware UTC.

    Returns:
        Every id once.
    """
    ordered = sorted(waiting, key=lambda entry: (entry.queued_at, entry.id))
    present = [entry for entry in ordered if entry.calls_until_back <= 0]
    absent = [entry for entry in ordered if entry.calls_until_back > 0]
    urgent = sorted((entry for entry in present if entry.rank < 2), key=lambda entry: entry.rank)
    rest = [entry for entry in present if entry.rank >= 2]
    overdue = [entry for entry in rest if now - entry.queued_at >= policy.wait_limit]
    timely = [entry for entry in rest if now - entry.queued_at < policy.wait_limit]
    order = [*urgent, *overdue, *_mixed(timely, _protected_run(recent_ranks), policy.ratio)]
    for entry in sorted(absent, key=lambda entry: entry.calls_until_back):
        order.insert(min(entry.calls_until_back, len(order)), entry)
    return [entry.id for entry in order]


def _protected_run(recent_ranks: Sequence[int]) -> int:
    run = 0
    for rank in recent_ranks:
        if rank == REGULAR_RANK:
            break
        run += rank == 2
    return run


def _mixed(entries: Sequence[Waiting], run: int, ratio: int) -> list[Waiting]:
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
