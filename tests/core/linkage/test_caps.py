"""Each cap of the match weights holds back a pair that would otherwise be taken for one person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.linkage.caps import CAPS, EXISTING, REVIEW, Cap, Levels
from core.linkage.scoring import Person, comparison_levels, match_weight, score
from core.linkage.weights import MATCH_WEIGHTS

AMINAH = Person(
    name="Siti Aminah Wulandari", sex="female", birth_date="1990-08-17", nik="6371015708900002",
    family_card_number="6371010101150001", mother_name="Rusmini", phone="081122334455",
    address="Jl. Sungai Andai Komp. Mandiri No. 12 RT 7", rw="4",
)  # fmt: skip
NUMBERLESS = replace(AMINAH, nik=None)

PAIRS = [
    (AMINAH, replace(AMINAH, name="Budi Santoso", birth_date="1955-01-02", nik="6371010201550009", sex=None)),
    (AMINAH, replace(AMINAH, name="Budi Santoso", birth_date="1955-01-02", nik="6371015708900003", sex=None)),
    (Person(name=AMINAH.name), Person(name=AMINAH.name)),
    (NUMBERLESS, replace(NUMBERLESS, name="Budi Santoso", sex=None)),
    (NUMBERLESS, replace(NUMBERLESS, birth_date="1955-01-02")),
    (AMINAH, replace(AMINAH, nik="6371014411850009")),
    (
        Person(name=AMINAH.name, birth_date="1990-08-17", sex="female"),
        Person(name=AMINAH.name, birth_date="1990-08-18", sex="female"),
    ),
]
"""In the order of `CAPS`."""


def first_of(levels: Levels) -> Cap:
    return next(cap for cap in CAPS if cap.applies(levels))


@pytest.mark.parametrize(("cap", "pair"), zip(CAPS, PAIRS, strict=True), ids=[cap.reason for cap in CAPS])
def test_a_pair_is_held_by_its_cap(cap: Cap, pair: tuple[Person, Person]):
    found = comparison_levels(*pair)
    assert first_of(Levels(frozenset(found), MATCH_WEIGHTS, is_complete=True)) is cap
    uncapped = MATCH_WEIGHTS["prior"] + sum(MATCH_WEIGHTS[code] for code in found)
    assert match_weight(found) == min(uncapped, cap.limit) <= cap.limit
    assert score(*pair).probability < EXISTING


def test_the_caps_rise():
    limits = [cap.limit for cap in CAPS]
    assert limits == sorted(limits)
    assert score(*PAIRS[0]).probability < REVIEW


@pytest.mark.parametrize("pair", PAIRS[:3])
def test_other_people_and_mere_namesakes_are_not_shown_for_review(pair: tuple[Person, Person]):
    assert score(*pair).probability < REVIEW


def test_the_same_name_and_birth_date_are_always_reviewed():
    one = replace(NUMBERLESS, name="Aminah", birth_date="1990-03-16")
    other = replace(one, mother_name="Salasiah", sex="male", address="Jl. Veteran 3", phone="", rw="")
    assert score(one, other).probability > REVIEW
