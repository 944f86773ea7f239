"""Asks the database about the order of a queue; `core.queues.places` puts the answers together.

All SQL here is put together from constants; what anybody typed goes in as values. Its named values: `cluster`, `day`
(its present service day), `cutoff` (who waits since then or earlier does not yield any more), `account` and `latest`
(who calls, and until when those came for whom another account waits in vain). Days and instants are given as stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.foundation.codes import EntryStatus, Priority
from core.foundation.statements import Statement

CALLABLE = (EntryStatus.WAITING, EntryStatus.SKIPPED)
_WITH_SOMEBODY = [
    status for status in EntryStatus if not status.is_ended and status is not EntryStatus.WAITING
]
"""Statuses of those who are there and were called."""
_URGENT = [code for code in Priority if code.rank < Priority.ELDERLY.rank]
_REGULAR = [code for code in Priority if code.rank >= Priority.REGULAR.rank]
_PROTECTED = [code for code in Priority if code not in _URGENT and code not in _REGULAR]


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


_IS_OPEN = "q.ended_at IS NULL AND q.voided_at IS NULL"
_IS_WAITING = f"q.status = '{EntryStatus.WAITING}'"
_OPEN = (
    f"FROM queue_entry AS q JOIN ticket AS t ON t.id = q.ticket_id WHERE q.cluster = :cluster AND {_IS_OPEN}"
)
_DAY = "CASE WHEN q.service_on < :day THEN q.service_on ELSE :day END"
"""A day that is not there yet was noted by a clock that ran ahead: they came before now."""
KEY = f"{_DAY}, t.turn, q.queued_at, q.id"
"""What orders an entry among all others."""
_MAY_CALL = (
    "(q.reserved_for_id IS NULL OR q.reserved_for_id = :account"
    " OR q.called_at IS NOT NULL OR q.started_at <= :latest)"
)
"""An entry is reserved for no other account, was called before, or has waited for the other beyond the limit."""


def _before(name: str, last: str) -> str:
    """Return 1 where an entry comes before a key, else 0; `last` compares the ids of equal ones."""
    return (
        f"CASE WHEN {_DAY} < :{name}_day THEN 1 WHEN {_DAY} > :{name}_day THEN 0"
        f" WHEN t.turn < :{name}_turn THEN 1 WHEN t.turn > :{name}_turn THEN 0"
        f" WHEN q.queued_at < :{name}_at THEN 1 WHEN q.queued_at > :{name}_at THEN 0"
        f" WHEN q.id {last} :{name}_id THEN 1 ELSE 0 END"
    )


def _last_late(condition: str) -> str:
    return (
        f"SELECT {KEY} {_OPEN} AND q.status IN ({_listed(CALLABLE)}) AND q.queued_at <= :cutoff{condition}"
        " ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 DESC LIMIT 1"
    )


def _first(codes: Iterable[str], order: str) -> str:
    return (
        f"SELECT * FROM (SELECT q.priority, {KEY} {_OPEN} AND {_IS_WAITING} AND q.priority IN ({_listed(codes)})"  # noqa: S608
        f" AND {_MAY_CALL} ORDER BY {order} LIMIT 1) AS earliest"
    )


_RANK = f"CASE WHEN q.priority = '{Priority.RED}' THEN 0 ELSE 1 END"

LAST_LATE = Statement(lambda: _last_late(""))
"""Key of the last one in order who has waited beyond the limit: nobody before yields any more."""
LAST_LATE_FOR_ACCOUNT = Statement(lambda: _last_late(f" AND {_MAY_CALL}"))
"""The same of those whom an account may call."""
COUNTED = Statement(
    lambda: (
        f"SELECT q.priority, {_before('late', '<=')}, {_before('own', '<')}, COUNT(*) {_OPEN} AND {_IS_WAITING}"
        " GROUP BY 1, 2, 3"
    )
)
"""Per priority, whether they come no later than the key `late`, and before the key `own`: how many wait."""
FIRST_OF_EACH = Statement(
    lambda: " UNION ALL ".join(
        (
            _first(_URGENT, f"{_RANK}, 2, 3, 4, 5"),
            _first(_PROTECTED, "2, 3, 4, 5"),
            _first(_REGULAR, "2, 3, 4, 5"),
        )
    )
)
"""Priority and key of the first urgent, protected and regular one whom an account may call."""
LOWEST = Statement(
    lambda: f"SELECT q.priority, MIN(t.turn) {_OPEN} AND {_IS_WAITING} AND {_MAY_CALL} GROUP BY q.priority"
)
"""Per priority: the first place that an account may call."""
OF_NUMBER = Statement(
    lambda: (
        "SELECT q.id FROM ticket AS t CROSS JOIN queue_entry AS q WHERE q.ticket_id = t.id AND t.cluster = :cluster"  # noqa: S608
        f" AND t.service_on = :day AND t.turn = :turn AND {_IS_OPEN}"
    )
)
"""The open entry with the place `turn`."""
SKIPPED = Statement(
    lambda: (
        f"SELECT q.priority, {KEY}, q.skipped_at, q.reserved_for_id, q.called_at, q.started_at"
        f" {_OPEN} AND q.status = '{EntryStatus.SKIPPED}'"
    )
)
"""Those who did not answer, each with its key."""
_CALLS = (
    "SELECT called_at, priority FROM (SELECT * FROM (SELECT q.called_at, q.priority, q.id FROM queue_entry AS q"  # noqa: S608
    " WHERE q.cluster = :cluster AND q.service_on = :day AND q.voided_at IS NULL AND q.called_at IS NOT NULL"
    " ORDER BY q.called_at DESC, q.id DESC LIMIT :most) AS of_day"
    " UNION ALL SELECT q.called_at, q.priority, q.id FROM queue_entry AS q WHERE q.cluster = :cluster"
    f" AND q.status IN ({_listed(_WITH_SOMEBODY)}) AND q.service_on <> :day AND {_IS_OPEN}"
    " AND q.called_at IS NOT NULL AND :is_present = 1) AS calls"
    " ORDER BY called_at DESC, id DESC LIMIT :most"
)
_SERVICES = (
    "SELECT q.served_at, q.ended_at, q.practitioner_id FROM queue_entry AS q"
    " WHERE q.cluster = :cluster AND q.service_on = :day AND q.voided_at IS NULL AND q.called_at IS NOT NULL"
    " AND q.served_at IS NOT NULL AND q.ended_at IS NOT NULL ORDER BY q.ended_at, q.id"
)
CALLS = Statement(lambda: _CALLS)
"""The newest calls of a day, at most `most`; where it is the present one, of those of other days who are there too."""
SERVICES = Statement(lambda: _SERVICES)
"""Beginning, end and practitioner of the finished services of a day. Who was served was called, or counts as called
when the service began."""

TOTAL, CALL, SERVICE, BEHIND = range(4)
"""What a row of `STATE` or `STATE_OF_PLACE` tells, its first column; the others: three texts and three numbers.

`TOTAL`: status, priority; how many can be called, whether any came today and waited beyond the limit, whether any are of
another day. `CALL`: as `CALLS`.
`SERVICE`: as `SERVICES`. `BEHIND`: priority; how many of the day wait behind the place `turn`.
"""
_SAME_KIND = (
    f"SELECT 1 FROM queue_entry AS q WHERE q.cluster = :cluster AND q.status = counted.status"  # noqa: S608
    f" AND q.priority = counted.priority AND {_IS_OPEN}"
)
_STATE = (
    # Only the number is counted, along the index; whether anybody is late or of another day is looked up in it.
    f"SELECT {TOTAL}, status, priority, '', number,"  # noqa: S608
    f" CASE WHEN EXISTS ({_SAME_KIND} AND q.service_on = :day AND q.queued_at <= :cutoff) THEN 1 ELSE 0 END,"
    f" CASE WHEN EXISTS ({_SAME_KIND} AND q.service_on < :day) OR EXISTS ({_SAME_KIND} AND q.service_on > :day)"
    " THEN 1 ELSE 0 END FROM (SELECT q.status, q.priority, COUNT(*) AS number FROM queue_entry AS q"
    f" WHERE q.cluster = :cluster AND q.status IN ({_listed(CALLABLE)}) AND {_IS_OPEN}"
    " GROUP BY q.status, q.priority) AS counted"
    f" UNION ALL SELECT {CALL}, called_at, priority, '', 0, 0, 0 FROM ({_CALLS}) AS newest"
)
_MORE_OF_PLACE = (
    f" UNION ALL SELECT {SERVICE}, served_at, ended_at, practitioner_id, 0, 0, 0 FROM ({_SERVICES}) AS finished"  # noqa: S608
    # No index is to be chosen by the entry's own cluster, which is its ticket's: by that thousands are walked over.
    f" UNION ALL SELECT {BEHIND}, q.priority, '', '', SUM(CASE WHEN q.cluster = :cluster THEN 1 ELSE 0 END), 0, 0"
    " FROM ticket AS t CROSS JOIN queue_entry AS q"
    " WHERE q.ticket_id = t.id AND t.cluster = :cluster AND t.service_on = :day AND t.turn > :turn"
    f" AND {_IS_WAITING} AND {_IS_OPEN} GROUP BY q.priority"
)
STATE = Statement(lambda: _STATE)
"""What it takes to call somebody, at once."""
STATE_OF_PLACE = Statement(lambda: _STATE + _MORE_OF_PLACE)
"""What it takes to tell one's place and wait, at once."""
