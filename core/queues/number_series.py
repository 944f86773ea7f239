"""Counters of numbers that are drawn many at a time: printed forms, and the blocks lent to counters' machines.

A ticket's number is drawn by `core.queues.tickets`, one at a time and by a prepared statement.
"""

from __future__ import annotations

from datetime import date

from core.models import TicketCounter


def draw(series: str, day: date, count: int) -> int:
    """Move a series on by so many numbers, and return the last of them; in the caller's transaction.

    Args:
        series: Name of the series.
        day: The day that it is counted for.
        count: How many numbers, at least one.
    """
    first = {
        TicketCounter.cluster: series,
        TicketCounter.service_on: day,
        TicketCounter.last_number: count,
    }
    drawn = (
        TicketCounter.insert(first)
        .on_conflict(
            conflict_target=[TicketCounter.cluster, TicketCounter.service_on],
            update={TicketCounter.last_number: TicketCounter.last_number + count},
        )
        .returning(TicketCounter.last_number)
        .execute()
    )
    return int(next(iter(drawn)).last_number)


def last_drawn(series: str, day: date) -> int:
    """Return the last number of a series; 0 while none was drawn."""
    row = TicketCounter.get_or_none(TicketCounter.cluster == series, TicketCounter.service_on == day)
    return int(row.last_number) if row else 0
