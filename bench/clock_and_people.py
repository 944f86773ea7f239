"""Shows what happens to people in every status when the clock is wrong, at midnight and at the closing hour.

Each row is a clinic of its own with one person in each status of the dentist's queue. Prints every status after the event, who
is called next, the number that the next arrival gets, and whether the audit chain is whole. Nothing is measured.

    python -m bench.clock_and_people
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.daily import backup, closing
from core.foundation import audit_check, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import CoreError
from tests.core.queues.test_day_end import STEPS, Day, at

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)


def _nothing(day: Day) -> None:
    """Leave the clock as it is."""


def _back_an_hour(day: Day) -> None:
    day.now -= HOUR


def _a_year_ahead_and_back(day: Day) -> None:
    day.now += YEAR
    day.comes("UMUM")
    day.now -= YEAR


def _closed_a_year_ahead_and_back(day: Day) -> None:
    day.now = at(16) + YEAR
    closing.run(day.clinic, send=False)
    day.now -= YEAR


def _midnight(day: Day) -> None:
    day.now = at(0, 5, day=3)


def _closing_hour(day: Day) -> None:
    day.closes(15)


def _latest_hour(day: Day) -> None:
    day.closes(16)


def _closed_again_next_day(day: Day) -> None:
    """The machine was off at the hour: the next day's closing closes both."""
    day.closes(16, day=3)


EVENTS: dict[str, Callable[[Day], None]] = {
    "nothing": _nothing,
    "the clock goes back an hour": _back_an_hour,
    "a year ahead, somebody comes, and back": _a_year_ahead_and_back,
    "a year ahead, the day is closed, and back": _closed_a_year_ahead_and_back,
    "midnight": _midnight,
    "closing hour 15:00": _closing_hour,
    "latest hour 16:00, nobody answered": _latest_hour,
    "off at the hour, closed a day later": _closed_again_next_day,
}
"""Event -> the function that brings it about."""


@dataclass(frozen=True)
class Happened:
    """The outcome of an event."""

    statuses: dict[EntryStatus, EntryStatus]
    """Status before -> status after."""
    shown: int
    """People on the pane who are still there."""
    called: str
    """Number that is called next; - when nobody waits."""
    number: str
    """Number of the next arrival."""
    is_whole: bool
    """True if the audit chain is unbroken."""


def happens(event: str) -> Happened:
    """Let one thing happen to a clinic of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        clinic = Clinic.open(Settings(home=home))
        backup.create_recovery_key(home)
        days: list[Day] = []
        with clock.frozen(lambda: days[0].now if days else at(9)), connection():
            day = Day(clinic)
            days.append(day)
            people = day.people()
            EVENTS[event](day)
            after = day.statuses(people)
            shown = len(day.numbers())
            called = "-"
            with suppress(CoreError):
                called = day.calls() or "-"
            number = day.comes().ticket.number
            whole = not audit_check.verify().problems
        database.close()
    return Happened(after, shown, called, number, whole)


def main() -> None:
    """Print the table."""
    names = [status.value for status in STEPS]
    print(
        f"{'':42}"
        + "".join(f"{name[:10]:>11}" for name in names)
        + f"{'shown':>7}{'called':>8}{'next':>7} audit"
    )
    for event in EVENTS:
        done = happens(event)
        cells = "".join(
            f"{'.' if after is before else after.value[:10]:>11}" for before, after in done.statuses.items()
        )
        print(
            f"{event:42}{cells}{done.shown:7}{done.called:>8}{done.number:>7} {'whole' if done.is_whole else 'BROKEN'}"
        )
    print("\n. as before; shown: on the dentist's pane and still there; called, next: numbers")


if __name__ == "__main__":
    main()
