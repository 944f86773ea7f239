"""The one door through which time enters.

Everything stored is an aware UTC instant; a clinic's day is the calendar day in its
own time zone (WITA, UTC+8, by default).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def own_now() -> datetime:
    """Return what this machine's own clock says, whatever the clinic's time is taken from."""
    return datetime.now(UTC)


APART = timedelta(minutes=5)
"""How far the clocks of a clinic's machines may be apart."""
_source: Callable[[], datetime] = own_now


def now() -> datetime:
    """The present instant, aware UTC."""
    return _source()


def is_future(instant: datetime) -> bool:
    """Return whether an instant was noted by a clock that ran ahead: it is later than now can explain."""
    return instant > now() + APART


def known(instant: datetime | None) -> datetime:
    """Return an instant from a column that may be empty, where the row's state says that it is not.

    Raises:
        ValueError: It is empty.
    """
    if instant is None:
        raise ValueError("the instant is missing")
    return instant


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The clinic's calendar day on which an aware instant falls."""
    return instant.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a clinic's calendar day begins."""
    return datetime.combine(day, time(), zone)


def follow(source: Callable[[], datetime] | None) -> None:
    """Take the time from somewhere else than this machine's clock, for the whole process.

    Args:
        source: Returns aware UTC instants; None: the machine's clock again.
    """
    global _source
    _source = source or own_now


@contextmanager
def frozen(source: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock for a test: `source` returns aware UTC instants.

    The whole process sees it, worker threads too.
    """
    global _source
    previous, _source = _source, source
    try:
        yield
    finally:
        _source = previous
