"""Computes ages in whole days, months and years. Pure; the only module that does this arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

DAYS_PER_YEAR = 365.25  # mean length of a year in the Julian calendar, in days
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
OLDEST_AGE_YEARS = 120
"""Years above which no birth date is believed."""

_SAID_PART = re.compile(
    r"(?P<number>\d{1,3})\s*"
    r"(?P<unit>tahun|thn|th|t|years?|yrs?|y|bulan|bln|bl|b|months?|mo|minggu|mgg|mg|weeks?|wk|hari|hr|hours?|h|days?|d|jam|jm|menit|mnt)?"
    r"\.?(?![a-z])"
)
_UNITS = {
    "t": "years",
    "y": "years",
    "b": "months",
    "mo": "months",
    "m": "weeks",
    "w": "weeks",
    "h": "days",
    "d": "days",
    "j": "hours",
    "ho": "hours",
    "me": "minutes",
    "mn": "minutes",
}
"""First letter or letters of a unit, Indonesian or English -> what it counts."""
_MONTHS_OF_YEARS = 24
"""Months below which an age in years counts as so many months: two years and more vary by half a year."""
LAST_MONTH_OF_YEAR = 11
"""Beside years, months count to this: `36 thn 14 bln` is a slip."""
MOST_MONTHS = 60  # a number of months alone above this is not believed
MOST_DAYS = 370  # the same for days and weeks
HOURS_PER_DAY = 24
_MINUS = re.compile(r"[-−–]\s*\d")
"""Less than nothing, or one of two ages: neither is an age that was said."""
_MIDDLE_OF_YEAR = (7, 1)
"""Month and day that civil registration writes where only the age is known."""


def age_in_days(birth_date: date, day: date) -> int:
    """Return the age on `day` in days; negative when the birth date lies after it."""
    return (day - birth_date).days


def age_in_months(birth_date: date, day: date) -> int:
    """Return completed months on `day`; negative when the birth date lies after it.

    Somebody born on the 31st completes a month on the 1st of the next one where a month has no 31st.
    """
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month
    return months - (day.day < birth_date.day)


def age_in_years(birth_date: date, day: date) -> int:
    """Return completed years on `day`.

    Somebody born on 29 February completes a year on 1 March where the year has no 29 February.
    """
    return age_in_months(birth_date, day) // 12


def birth_date_of_age(text: str, today: date, unit: str = "") -> date | None:
    """Return a birth date that gives, today, exactly the age that was said.

    An age in years points to the last 1 July that makes it so; one in months, or in less than two years, to the
    first of a month; days and weeks are counted back. Hours below a day and minutes are an age of no days: born today.

    Args:
        text: `45`, `45 th`, `8 bln`, `2 tahun 3 bulan`, `45 Th 3 Bl 2 Hr`, `10 hari`, `5 jam`, `3 yr`.
        today: The clinic's calendar day.
        unit: `th`, `bl` or `hr`: unit of a number without one; empty: such a number is no age.

    Returns:
        None when the text is no age, or says zero: an age that was not filled in reads the same.
    """
    said = _said_age(text, unit)
    if said is None:
        return None
    years, months = said["years"], said["months"]
    days = said["days"] + 7 * said["weeks"] + said["hours"] // HOURS_PER_DAY
    if (
        years > OLDEST_AGE_YEARS
        or (years and months > LAST_MONTH_OF_YEAR)
        or (not years and months >= MOST_MONTHS)
        or days >= MOST_DAYS
    ):
        return None
    if months or (years and years * 12 < _MONTHS_OF_YEARS):
        return _first_of_month(today, years * 12 + months)
    if years:
        return _last_middle_of_year(today, years)
    return today - timedelta(days=days) if days or said["hours"] or said["minutes"] else None


def _said_age(text: str, unit: str) -> dict[str, int] | None:
    """Return the parts of an age, from years to minutes; None when a word of it is not understood."""
    said = dict.fromkeys(("years", "months", "weeks", "days", "hours", "minutes"), 0)
    rest = text.strip().lower().replace(",", " ")
    parts = list(_SAID_PART.finditer(rest))
    if not parts or _MINUS.search(rest) or _SAID_PART.sub("", rest).strip(" ./-"):
        return None
    for part in parts:
        counted = _unit(part["unit"] or (unit if len(parts) == 1 else ""))
        if counted is None or said[counted]:
            return None
        said[counted] = int(part["number"])
    return said


def _unit(text: str) -> str | None:
    return next((_UNITS[start] for start in _beginnings(text) if start in _UNITS), None)


def _beginnings(text: str) -> Iterable[str]:
    return text[:2], text[:1]


def _first_of_month(today: date, months: int) -> date:
    count = today.year * 12 + today.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _last_middle_of_year(today: date, years: int) -> date:
    born = date(today.year - years, *_MIDDLE_OF_YEAR)
    return born if age_in_years(born, today) == years else born.replace(year=born.year - 1)
