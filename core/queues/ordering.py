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
from typing import Any

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


Key = tuple[Any, ...]
"""What orders entries, whoever they are: service day, number, instant since which it waits, id."""


@dataclass(frozen=True)
class Contender:
    """An entry that could be called, seen alone."""

    key: Key
    rank: int
    calls_until_back: int = 0
    """As in `Waiting`."""
    was_skipped: bool = False

    @property
    def is_passed_over(self) -> bool:
        """Return whether others must be called first."""
        return self.calls_until_back > 0


@dataclass(frozen=True)
class Group:
    """Entries that could be called, counted together."""

    rank: int
    is_late: bool
    """Whether they stand no later than the last one who has waited beyond the limit."""
    is_before: bool
    """Whether they came before the entry whose place is asked for."""
    number: int


def place_among(
    own: Contender,
    groups: Iterable[Group],
    skipped: Iterable[Contender],
    late: Key | None,
    recent_ranks: Sequence[int],
    ratio: int,
) -> int:
    """Return the index of an entry in `calling_order`, from numbers of others instead of all of them.

    Args:
        own: The entry.
        groups: All that wait and were not skipped; the entry itself may be among them.
        skipped: All that were skipped; the entry itself may be among them.
        late: Key of the last one in order, of whatever class, who has waited beyond the limit; None for nobody.
        recent_ranks: As for `calling_order`.
        ratio: As in `Policy`.
    """
    counted = list(groups)
    for each in skipped:
        if not each.is_passed_over:
            counted.append(Group(each.rank, _is_late(each, late), each.key < own.key, 1))
    passed_over = sorted(
        (each for each in skipped if each.is_passed_over), key=lambda each: (each.calls_until_back, each.key)
    )
    length = _number(counted, lambda group: True)
    if own.is_passed_over:
        return _inserted(None, own, passed_over, length)
    index = _index_of_present(own, counted, _is_late(own, late), _protected_run(recent_ranks), ratio)
    return _inserted(index, own, passed_over, length)


def _is_late(entry: Contender, late: Key | None) -> bool:
    return late is not None and entry.key <= late


def _number(groups: Iterable[Group], condition: Callable[[Group], bool]) -> int:
    return sum(group.number for group in groups if condition(group))


def _index_of_present(own: Contender, groups: Sequence[Group], is_late: bool, run: int, ratio: int) -> int:
    """Return the index of an entry that is not passed over, among those that are not."""
    if own.rank < PROTECTED_RANK:
        return _number(
            groups, lambda group: group.rank < own.rank or (group.rank == own.rank and group.is_before)
        )
    urgent = _number(groups, lambda group: group.rank < PROTECTED_RANK)
    others = [group for group in groups if group.rank >= PROTECTED_RANK]
    if is_late:
        return urgent + _number(others, lambda group: group.is_late and group.is_before)
    overdue = _number(others, lambda group: group.is_late)
    timely = [group for group in others if not group.is_late]
    is_regular = own.rank >= REGULAR_RANK
    own_kind = [group for group in timely if (group.rank >= REGULAR_RANK) == is_regular]
    other_kind = _number(timely, lambda group: (group.rank >= REGULAR_RANK) != is_regular)
    ahead = _number(own_kind, lambda group: group.is_before)
    mixed_in = _protected_before(ahead, run, ratio) if is_regular else _regular_before(ahead, run, ratio)
    return urgent + overdue + ahead + min(other_kind, mixed_in)


def _protected_before(regular: int, run: int, ratio: int) -> int:
    """Return how many protected patients come before the regular one who has so many regular ones ahead."""
    return max(0, ratio - run) + regular * ratio


def _regular_before(protected: int, run: int, ratio: int) -> int:
    """Return how many regular patients come before the protected one who has so many protected ones ahead."""
    first = max(0, ratio - run)
    return 0 if protected < first else 1 + (protected - first) // ratio


def _inserted(index: int | None, own: Contender, passed_over: Iterable[Contender], length: int) -> int:
    """Return the index after those who are passed over have been put in, as `calling_order` does it.

    Args:
        index: The entry's own before that; None for one that is passed over itself.
        own: The entry.
        passed_over: All of them, in the order in which they are put in.
        length: Number of the others.
    """
    for each in passed_over:
        at = min(each.calls_until_back, length)
        length += 1
        if index is not None and at <= index:
            index += 1
        if each.key == own.key:
            index = at
    if index is None:
        raise ValueError("the entry is not among those passed over")
    return index


@dataclass(frozen=True)
class Candidates:
    """Entries of which one is called next."""

    entries: Sequence[Contender]
    """The first urgent, protected and regular one who waits, and all who were skipped."""
    late: Key | None
    """As for `place_among`."""


def first_called(candidates: Candidates, recent_ranks: Sequence[int], ratio: int) -> Contender | None:
    """Return the first one of `calling_order`, from a few candidates; None when there are none.

    Args:
        candidates: Those of whom one is first.
        recent_ranks: As for `calling_order`.
        ratio: As in `Policy`.
    """
    present = [entry for entry in candidates.entries if not entry.is_passed_over]
    if not present:
        return min(candidates.entries, key=lambda entry: (entry.calls_until_back, entry.key), default=None)
    urgent = [entry for entry in present if entry.rank < PROTECTED_RANK]
    if urgent:
        return min(urgent, key=lambda entry: (entry.rank, entry.key))
    first = min(present, key=lambda entry: entry.key)
    if _is_late(first, candidates.late):
        return first
    is_regulars_turn = _protected_run(recent_ranks) >= ratio
    wanted = [entry for entry in present if (entry.rank >= REGULAR_RANK) == is_regulars_turn]
    return min(wanted or present, key=lambda entry: entry.key)


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
