"""A cell of which only a part reads as a date, or whose writer was not sure, is no date: it goes on the work list."""

from __future__ import annotations

from datetime import date

import pytest

from core.foundation.ages import birth_date_of_age
from core.imports.dates import read_cell

TODAY = date(2026, 12, 2)


@pytest.mark.parametrize(
    "cell",
    [
        "l7/08/1990", "1 7/08/1990", "17/08/1990?", "±17-08-1990", "17/08/1990; 17/08/1991", "sekitar 17-08-1990",
        "17-08-1990/36", "17/O8/1990", "l7 Agustus 1990", "kira2 17 Agustus 1990", "17-08-1990 atau 18-08-1990",
        "~1990-08-17", "x17-08-1990", "17-08-1990a", "lupa, 17-08-1990",
    ],
)  # fmt: skip
def test_what_is_not_a_date_as_a_whole_is_none(cell: str) -> None:
    assert read_cell(cell, TODAY).day is None


@pytest.mark.parametrize(
    "cell",
    [
        "17/08/1990", "17 / 08 / 1990", "Banjarmasin, 17-08-1990", "tgl. 17-08-1990", "(17-08-1990)", "17-08-1990 (36 th)",
        "Jumat, 17 Agustus 1990", "17 Agustus 1990 WIB", "1990-08-17T00:00:00Z", "17-08-1990.", "17--08--1990",
    ],
)  # fmt: skip
def test_words_and_signs_around_a_date_hide_nothing(cell: str) -> None:
    assert read_cell(cell, TODAY).day == date(1990, 8, 17)


@pytest.mark.parametrize("age", ["36 thn 14 bln", "2 th 12 bln", "-3 bln", "40-50", "±40", "36 + 2 bln"])
def test_an_age_that_cannot_be_meant_is_none(age: str) -> None:
    assert birth_date_of_age(age, TODAY) is None
