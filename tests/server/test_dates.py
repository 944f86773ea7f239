"""Days are written as Unicode's CLDR writes them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel.dates import format_date

from server.text import dates

DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


@pytest.mark.parametrize("language", ["id", "en"])
def test_days_are_written_as_babel_writes_them(language: str) -> None:
    for day in DAYS:
        assert dates.with_weekday(day, language) == format_date(day, "EEE d MMM", locale=language)
        assert dates.short(day, language) == format_date(day, "d MMM y", locale=language)
        assert dates.in_full(day, language) == format_date(day, "d MMMM y", locale=language)


def test_a_language_without_names_of_its_own_gets_the_english_ones() -> None:
    assert dates.in_full(DAYS[0], "jv") == dates.in_full(DAYS[0], "en")
