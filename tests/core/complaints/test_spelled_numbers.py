"""Numbers of several words are read as digits, and other words stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.complaints.language.spelled_numbers import in_digits

DIGITS = ("", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")


def _tens(number):
    tens, ones = divmod(number, 10)
    return f"{DIGITS[tens]} puluh {DIGITS[ones]}".strip()


@given(st.integers(20, 99))
def test_tens_and_ones_are_one_number(number):
    assert in_digits(f"panas {_tens(number)} derajat") == f"panas {number} derajat"


@given(st.integers(2, 9), st.integers(20, 99))
def test_hundreds_are_one_number(hundreds, rest):
    assert in_digits(f"gula {DIGITS[hundreds]} ratus {_tens(rest)}") == f"gula {hundreds * 100 + rest}"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("suhu tiga puluh delapan koma lima", "suhu 38.5"),
        ("batuk lima belas hari", "batuk 15 hari"),
        ("tensi seratus dua puluh, pusing", "tensi 120, pusing"),
        ("dua ratus orang antri", "200 orang antri"),
    ],
)
def test_decimals_teens_and_hundreds(text, digits):
    assert in_digits(text) == digits


@pytest.mark.parametrize(
    "text", ["tiga hari demam", "puluhan tahun batuk", "ratusan semut", "batuk seratus hari", "dua koma lima"]
)
def test_other_words_stay(text):
    assert in_digits(text) == text
