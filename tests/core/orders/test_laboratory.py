"""How a result reads against a range, listed or typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.orders import laboratory_tests
from core.orders.laboratory_results import interpret, is_possible


@pytest.mark.parametrize(
    ("result", "reference", "read"),
    [
        ("9,4", "12-16", "low"),
        ("12", "12-16", "normal"),
        ("16", "12-16", "normal"),
        ("16.1", "12-16", "high"),
        ("199", "<=199", "normal"),
        ("200", "<=199", "high"),
        ("200", "<200", "high"),
        ("199", "<200", "normal"),
        ("11", ">=11", "normal"),
        ("11", ">11", "low"),
        ("10,9", ">=11", "low"),
        ("<0,5", "1-2", "low"),
        ("keruh", "12-16", "unread"),
        ("12", "lihat lembar", None),
        ("12", "", None),
    ],
)
def test_a_number_reads_against_its_range(result: str, reference: str, read: str | None) -> None:
    assert interpret("Tes lain", result, reference) == read


@pytest.mark.parametrize(
    ("test", "result", "read"),
    [("Protein urin", "negatif", "normal"), ("Protein urin", "+1", "abnormal"), ("Protein urin", "ungu", "unread"),
     ("Golongan darah ABO", "O", None)],
)  # fmt: skip
def test_an_answer_reads_against_the_normal_ones(test: str, result: str, read: str | None) -> None:
    assert interpret(test, result, "") == read


@given(
    test=st.sampled_from([item for item in laboratory_tests.tests().values() if item.ranges]),
    sex=st.sampled_from(["male", "female"]),
    age_years=st.floats(0, 110),
    pregnant=st.booleans(),
    value=st.floats(0, 1000).map(lambda value: round(value, 1)),
)
def test_a_printed_range_judges_like_the_listed_one(test, sex, age_years, pregnant, value) -> None:
    """What stands on the paper and what the flag says never part."""
    limits = test.range_for(sex, age_years, pregnant)
    assert limits is not None
    read = interpret("Tes lain", f"{value:g}".replace(".", ","), limits.text())
    if limits.low is not None and value < limits.low:
        assert read == "low"
    elif limits.high is not None and value > limits.high:
        assert read == "high"
    else:
        assert read == "normal"


@pytest.mark.parametrize(
    ("test", "result", "unit", "possible"),
    [
        ("Hemoglobin", "9,4", "g/dL", True),
        ("Hemoglobin", "94", "g/dL", False),
        ("Hemoglobin", "94", "g/L", True),
        ("Hemoglobin", "94", "", False),
        ("Leukosit", "8500", "10^3/uL", False),
        ("Gula darah sewaktu", ">600", "mg/dL", True),
        ("Gula darah sewaktu", "HI", "mg/dL", True),
        ("Protein urin", "+1", "", True),
        ("Tes lain", "12345", "", True),
    ],
)
def test_a_slip_of_the_comma_or_the_unit_is_no_result(
    test: str, result: str, unit: str, possible: bool
) -> None:
    assert is_possible(test, result, unit) is possible


def test_every_normal_result_is_possible() -> None:
    for test in laboratory_tests.tests().values():
        for limits in test.ranges if test.possible else ():
            edges = [edge for edge in (limits.low, limits.high) if edge is not None]
            assert all(is_possible(test.name, f"{edge:g}", test.unit) for edge in edges)


def test_the_list_is_right() -> None:
    for test in laboratory_tests.tests().values():
        assert test.title["en"]
        assert set(test.normal) <= set(test.choices)
        assert not (test.choices and test.ranges)
