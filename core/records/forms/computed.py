"""Functions that a computed value of a form may name. Pure.

Each takes facts in the order of the form's `of`, and the day of the visit as `today`; it returns
None where nothing can be said.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

LAST_WEEK_OF_TRIMESTER_1 = 12  # completed weeks
LAST_WEEK_OF_TRIMESTER_2 = 27  # completed weeks


def weeks_since(start: date, *, today: date) -> int | None:
    """Return completed weeks; None for a date in the future."""
    return (today - start).days // 7 if start <= today else None


def weeks_and_days(start: date, *, today: date) -> str | None:
    """Return completed weeks and days as obstetrics writes them: `24+3`; None for a date in the future."""
    days = (today - start).days
    return f"{days // 7}+{days % 7}" if days >= 0 else None


def naegele(last_period: date, *, today: date) -> date:
    """Return the expected day of birth: a year on, three months back, seven days on (Naegele's rule).

    A day that the month does not have rolls on into the next month, as it does on a paper wheel.
    """
    year, month = last_period.year, last_period.month + 9
    if month > 12:
        year, month = year + 1, month - 12
    return date(year, month, 1) + timedelta(days=last_period.day - 1 + 7)


def trimester(start: date, *, today: date) -> int | None:
    """Return the trimester, 1 to 3; None for a date in the future.

    Source: docs/reference/indonesia.md 10.2.
    """
    weeks = weeks_since(start, today=today)
    if weeks is None:
        return None
    if weeks <= LAST_WEEK_OF_TRIMESTER_1:
        return 1
    return 2 if weeks <= LAST_WEEK_OF_TRIMESTER_2 else 3


def gpa(gravida: float, para: float, abortus: float, *, today: date) -> str:
    """Return `G2P1A0`.

    Args:
        gravida: Pregnancies, this one included.
        para: Births.
        abortus: Pregnancies that ended early.
        today: The day of the visit; not needed here.
    """
    return f"G{gravida:g}P{para:g}A{abortus:g}"


def gravida_of(para: float, abortus: float, *, today: date) -> float:
    """Return the G of a pregnant woman: P + A + 1 (twins count once).

    Args:
        para: Births.
        abortus: Pregnancies that ended early.
        today: The day of the visit; not needed here.
    """
    return para + abortus + 1


def difference(left: float, right: float, *, today: date) -> float:
    """Return the first less the second.

    Args:
        left: The first number.
        right: The number taken away.
        today: The day of the visit; not needed here.
    """
    return round(left - right, 2)


def body_mass_index(weight: float, height: float, *, today: date) -> float | None:
    """Return kilograms per square metre with one decimal; None without a height.

    Args:
        weight: In kilograms.
        height: In centimetres.
        today: Not used; all functions take it.
    """
    return round(weight / (height / 100) ** 2, 1) if height else None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "weeks_since": weeks_since,
    "weeks_and_days": weeks_and_days,
    "naegele": naegele,
    "trimester": trimester,
    "gpa": gpa,
    "gravida_of": gravida_of,
    "difference": difference,
    "body_mass_index": body_mass_index,
}
"""The names that `compute` may have."""
