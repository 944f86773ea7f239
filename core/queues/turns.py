"""The place of a ticket among those of its cluster and day.

Whoever is registered as they come has the place of their number. Whoever is registered later has the place that
their arrival earned: behind everybody who held a number by then. It is given inside the core's transaction, so
that two late entries never share one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from peewee import fn

from core.foundation.statements import Statement, given
from core.models import Ticket

BETWEEN = 1 << 32
"""Places between two numbers: more than there are milliseconds in the two days that a service day may touch."""


def of_number(sequence: int) -> int:
    """Return the place of a number of the counter."""
    return sequence * BETWEEN


def of_arrival(cluster: str, day: date, arrived_at: datetime) -> int:
    """Return the place of somebody who had come before they were registered; to be called in the transaction.

    Args:
        cluster: Code of the cluster.
        day: The service day.
        arrived_at: When they came.
    """
    last = _LAST_BY.value(cluster=cluster, day=day, at=arrived_at) or 0
    turn = int(last) // BETWEEN * BETWEEN + _milliseconds(day, arrived_at)
    while _TAKEN.first(cluster=cluster, day=day, turn=turn) is not None:
        turn += 1
    return turn


def _milliseconds(day: date, at: datetime) -> int:
    """Return a count above zero that grows with the instant, the same in every time zone."""
    day_before = datetime.combine(day, time(), UTC) - timedelta(days=1)
    return 1 + max(0, (at - day_before) // timedelta(milliseconds=1))


_LAST_BY = Statement(
    lambda: Ticket.select(fn.MAX(Ticket.turn)).where(
        Ticket.cluster == given("cluster"),
        Ticket.service_on == given("day"),
        Ticket.issued_at <= given("at"),
    )
)
_TAKEN = Statement(
    lambda: Ticket.select(Ticket.id).where(
        Ticket.cluster == given("cluster"),
        Ticket.service_on == given("day"),
        Ticket.turn == given("turn"),
    )
)
