"""The table of `bench.clock_and_people`: what a wrong clock, midnight and the closing hour do to people in every status."""

from __future__ import annotations

import pytest

from bench.clock_and_people import EVENTS, happens
from tests.core.queues.test_day_end import STEPS, UNANSWERED

ENDS = {status: UNANSWERED.get(status, status) for status in STEPS}
EXPECTED: dict[str, tuple[bool, int, str, str]] = {
    "nothing": (True, 5, "B-001", "B-010"),
    "the clock goes back an hour": (True, 5, "B-001", "B-010"),
    "a year ahead, somebody comes, and back": (True, 5, "B-001", "B-010"),
    "a year ahead, the day is closed, and back": (False, 0, "-", "B-010"),
    "midnight": (True, 5, "B-001", "B-006"),  # the new day's, but for those that somebody still holds
    "closing hour 15:00": (True, 5, "B-001", "B-010"),
    "latest hour 16:00, nobody answered": (False, 0, "-", "B-010"),
    "off at the hour, closed a day later": (False, 0, "-", "B-001"),
}
"""Event -> whether everybody stays as they are, people still there, who is called next, the next arrival's number."""


@pytest.mark.parametrize("event", list(EVENTS))
def test_nobody_disappears_and_no_number_is_given_twice(event: str) -> None:
    done = happens(event)
    everybody_stays, shown, called, number = EXPECTED[event]
    assert done.statuses == ({status: status for status in STEPS} if everybody_stays else ENDS)
    assert (done.shown, done.called, done.number) == (shown, called, number)
    assert done.is_whole
