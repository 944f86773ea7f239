"""Figures of the code's shape, each held where it has come to: lower them, never raise them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bench import shape

ROOT = Path(__file__).parents[2]

ENTRIES_OF_CORE = 20
SHARE_HIGH = {"core": 0.02, "core/complaints": 0.05, "server": 0.02, "tui": 0.01}
"""Package -> share of functions that may exceed radon's complexity of 10."""

WITHOUT_ARGS = {"core": 0, "server": 3, "tui": 3}
WITHOUT_RAISES = {"core": 0, "server": 3, "tui": 0}
SHARE_DENSE = {"core": 0.0035, "server": 0.002, "tui": 0.002}
"""Package -> share of statements that may have two comprehensions, or three boolean operators, and more."""
TOUCHED = {"a patient field": 6, "a report": 1, "a queue action": 7, "a third language": 7}
"""Change -> modules of the program that hold an existing one of its kind. Those of English are columns of two tables,
fields of the API and their readers: a further language touches none of them (`test_third_language.py`)."""


@cache
def package(folder: str) -> shape.Package:
    return shape.Package(ROOT, folder)


@cache
def all_touched() -> dict[str, list[str]]:
    return shape.touched(ROOT)


def test_a_reader_of_core_sees_at_most_twenty_entries() -> None:
    assert package("core").entries() <= ENTRIES_OF_CORE


@pytest.mark.parametrize("folder", SHARE_HIGH)
def test_few_functions_are_complex_and_none_very(folder: str) -> None:
    measured = package(folder)
    high = measured.above(shape.HIGH)
    assert len(high) / len(measured.complexities) <= SHARE_HIGH[folder], high
    assert measured.above(shape.TOO_HIGH) == []


@pytest.mark.parametrize("folder", ["core", "server", "tui"])
def test_a_name_means_one_module(folder: str) -> None:
    assert package(folder).modules_named_twice() == {}


def test_a_public_name_means_one_class() -> None:
    assert shape.classes_named_twice(ROOT) == {}


@pytest.mark.parametrize("folder", WITHOUT_ARGS)
def test_docstrings_say_what_goes_in_and_what_goes_wrong(folder: str) -> None:
    assert len(package(folder).without_args()) <= WITHOUT_ARGS[folder], package(folder).without_args()
    assert len(package(folder).without_raises()) <= WITHOUT_RAISES[folder], package(folder).without_raises()


@pytest.mark.parametrize("folder", ["core", "server", "tui"])
def test_docstrings_say_and_do_not_ask(folder: str) -> None:
    assert package(folder).asking() == []


@pytest.mark.parametrize("folder", SHARE_DENSE)
def test_few_statements_are_dense(folder: str) -> None:
    dense = package(folder).dense()
    assert len(dense) / len(package(folder).statements) <= SHARE_DENSE[folder], dense


def test_sources_lead_somewhere() -> None:
    assert [entry for folder in ("core", "server", "tui") for entry in package(folder).dead_sources()] == []


@pytest.mark.parametrize("change", TOUCHED)
def test_a_change_touches_few_modules(change: str) -> None:
    touched = all_touched()[change]
    assert len(touched) <= TOUCHED[change], touched
