"""The one door through which time enters.

Everything stored is an aware UTC instant; a clinic's day is the calendar day in its
own time zone (WITA, UTC+8, by default).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def _system_now() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_now


def now() -> datetime:
    """The present instant, aware UTC."""
    return _source()


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The clinic's calendar day on which an aware instant falls."""
    return instant.astimezone(zone).date()


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
