"""Comparison level of two birth dates: what was written for an unknown day weighs as what it is. Pure."""

from __future__ import annotations

from rapidfuzz.distance import OSA

PLACEHOLDERS = frozenset({"01-01", "07-01", "12-31", "06-30"})
"""Days of the year that registers write for a birthday that nobody knows: `MM-DD`."""
USUAL_DAYS = PLACEHOLDERS | {"08-17"}
"""Days on which far more people are on file than were born, the national holiday too: no block of candidates."""
FIRST_DAY = "-01"
"""End of the first day of a month, which also stands for a birthday of which only the month is known."""
GENERATION = 14  # years by which a parent is older at least; no slip of the hand makes so many
ESTIMATED_YEARS = 2  # years by which an age that somebody tells is off
ROUNDED_YEARS = 5  # years by which an age rounded to tens is off

SAME_DATES = frozenset({"same_birth_date", "same_first_of_month", "same_usual_date"})
"""Levels of equal birth dates."""
REAL_DATES = frozenset({"same_birth_date", "same_first_of_month"})
"""Levels of equal birth dates that are no placeholder."""
SLIPPED_DATES = frozenset({"birth_date_swapped", "birth_date_one_digit"})
SURE_DATES = REAL_DATES | SLIPPED_DATES
"""Levels of birth dates that agree but for a slip of the hand."""
SOFT_DATES = frozenset(
    {
        "same_usual_date",
        "birth_date_two_parts",
        "birth_date_estimated",
        "same_birth_year",
    }
)
"""Levels of birth dates that may be one person's: a placeholder, an age that was told, a day that was misheard."""
OTHER_DATES = frozenset({"other_birth_date", "other_generation"})

_UNREADABLE = 99  # years apart where one of the years is no number


def compare_birth_dates(a: str, b: str) -> str | None:
    """Return the comparison level of two dates `YYYY-MM-DD`; None when one is not known."""
    if not a or not b:
        return None
    if a == b:
        return _level_of_equal(a)
    if _is_placeholder(a) or _is_placeholder(b):
        return _level_of_estimate(a, b)
    if _is_swapped(a, b):
        return "birth_date_swapped"
    if _is_one_off(a, b) or _is_other_decade_or_year(a, b):
        return "birth_date_one_digit"
    return _level_of_parts(a, b)


def _is_placeholder(day: str) -> bool:
    return day[5:] in PLACEHOLDERS


def _level_of_equal(day: str) -> str:
    if _is_placeholder(day):
        return "same_usual_date"
    return "same_first_of_month" if day.endswith(FIRST_DAY) else "same_birth_date"


def _level_of_estimate(a: str, b: str) -> str:
    """Return the level of two dates of which one only says the year: day and month tell nothing."""
    apart = years_apart(a, b)
    if apart <= ESTIMATED_YEARS:
        return "birth_date_estimated"
    if apart <= ROUNDED_YEARS:
        return "birth_date_rounded"
    return _level_of_years(apart)


def _is_one_off(a: str, b: str) -> bool:
    """Return whether one digit is wrong, missing or too many, or two neighbours are swapped."""
    return OSA.distance(a, b, score_cutoff=1) <= 1


def _is_swapped(a: str, b: str) -> bool:
    """Return whether day and month are swapped."""
    return a[:4] == b[:4] and a[5:7] == b[8:] and a[8:] == b[5:7]


def _is_other_decade_or_year(a: str, b: str) -> bool:
    """Return whether the day is the same a year or ten years apart: one wrong key for the year."""
    return a[5:] == b[5:] and years_apart(a, b) in {1, 10}


def _level_of_parts(a: str, b: str) -> str:
    """Return the level of two dates by how many of year, month and day agree."""
    same_month, same_day = a[5:7] == b[5:7], a[8:] == b[8:]
    if a[:4] == b[:4]:
        return "birth_date_two_parts" if same_month or same_day else "same_birth_year"
    return "birthday_of_another_year" if same_month and same_day else _level_of_years(years_apart(a, b))


def _level_of_years(apart: int) -> str:
    return "other_birth_date" if apart < GENERATION else "other_generation"


def years_apart(a: str, b: str) -> int:
    """Return the years between two dates; many where one of them is none."""
    try:
        return abs(int(a[:4]) - int(b[:4]))
    except ValueError:
        return _UNREADABLE
