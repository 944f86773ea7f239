"""Writes days in words, in the reader's language. The names are those of Unicode's CLDR."""

from __future__ import annotations

from datetime import date

from core.foundation.catalogues import catalogue
from server.text.translation import N_, PACKAGE

WEEKDAYS = N_("Mon Tue Wed Thu Fri Sat Sun")
"""Monday first."""
MONTHS = N_("January February March April May June July August September October November December")
LETTERS_OF_SHORT_MONTH = 3


def _name(names: str, number: int, language: str) -> str:
    return catalogue(PACKAGE, language).gettext(names).split()[number]


def _month(day: date, language: str) -> str:
    return _name(MONTHS, day.month - 1, language)


def _short_month(day: date, language: str) -> str:
    return _month(day, language)[:LETTERS_OF_SHORT_MONTH]


def with_weekday(day: date, language: str) -> str:
    """Return such as `Sen 30 Nov`."""
    return f"{_name(WEEKDAYS, day.weekday(), language)} {day.day} {_short_month(day, language)}"


def short(day: date, language: str) -> str:
    """Return such as `30 Nov 2026`."""
    return f"{day.day} {_short_month(day, language)} {day.year}"


def in_full(day: date, language: str) -> str:
    """Return such as `30 November 2026`."""
    return f"{day.day} {_month(day, language)} {day.year}"
