"""Words for the roster: the days of the week as they are written and as they are typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from core.visits.roster import WEEKDAYS, Weekday
from tui.text.translation import N_, _

SHORT = {
    "monday": N_("Mon"),
    "tuesday": N_("Tue"),
    "wednesday": N_("Wed"),
    "thursday": N_("Thu"),
    "friday": N_("Fri"),
    "saturday": N_("Sat"),
    "sunday": N_("Sun"),
}
"""Weekday -> its three letters, a msgid."""
TYPED: dict[str, Weekday] = {
    "mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday", "sat": "saturday",
    "sun": "sunday", "sen": "monday", "sel": "tuesday", "rab": "wednesday", "kam": "thursday", "jum": "friday",
    "sab": "saturday", "min": "sunday",
}  # fmt: skip
"""First three letters, in English and in Indonesian -> weekday; both are read whatever the screen speaks."""
TYPED_LETTERS = 3


def weekday_text(day: date) -> str:
    """Return the three letters of a day's weekday."""
    return _(SHORT[WEEKDAYS[day.weekday()]])


def weekdays_text(weekdays: Sequence[str]) -> str:
    """Return days as they are shown: `Mon-Thu, Sat`.

    Args:
        weekdays: In any order.
    """
    runs: list[list[Weekday]] = []
    for number, day in enumerate(WEEKDAYS):
        if day not in weekdays:
            continue
        goes_on = bool(runs) and runs[-1][-1] == WEEKDAYS[number - 1] and number > 0
        runs[-1].append(day) if goes_on else runs.append([day])
    return ", ".join(_run_text(run) for run in runs)


def _run_text(run: Sequence[str]) -> str:
    first, last = _(SHORT[run[0]]), _(SHORT[run[-1]])
    if len(run) == 1:
        return first
    return f"{first}-{last}" if len(run) > 2 else f"{first}, {last}"


def weekdays_typed(text: str) -> list[Weekday] | None:
    """Return the days that a text names, `sen-kam, sab` or `mon tue`; None where a word of it is none.

    Args:
        text: As typed; an empty one names no day.
    """
    found: set[Weekday] = set()
    spaced = re.sub(r"\s*-\s*", "-", text.casefold())
    for word in re.split(r"[\s,;]+", spaced.strip(" ,;")):
        if not word:
            continue
        days = _days_of(word)
        if days is None:
            return None
        found.update(days)
    return [day for day in WEEKDAYS if day in found]


def _days_of(word: str) -> Sequence[Weekday] | None:
    """Return the days of one word, a day or a range; a range may go over the end of the week."""
    named = [TYPED[part[:TYPED_LETTERS]] for part in word.split("-") if part[:TYPED_LETTERS] in TYPED]
    if len(named) != word.count("-") + 1 or len(named) > 2:
        return None
    first, last = (WEEKDAYS.index(day) for day in (named[0], named[-1]))
    number = (last - first) % len(WEEKDAYS) + 1
    return [WEEKDAYS[(first + step) % len(WEEKDAYS)] for step in range(number)]
