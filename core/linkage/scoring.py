"""Match weight of two records of a person: they are compared field by field, and what the levels weigh adds up. Pure.

The model is that of Fellegi and Sunter: each comparison of two records yields a comparison level, each level
has a match weight (natural log-odds, `core.linkage.weights`), and the weights add up to the match weight of the
pair, within what `core.linkage.caps` allows.

Source:
    I. P. Fellegi and A. B. Sunter, "A theory for record linkage", JASA 64 (1969), 1183-1210.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rapidfuzz.distance import OSA

from core.linkage.addresses import Address, compare_addresses, differ, may_be_one_house
from core.linkage.birth_dates import REAL_DATES, SAME_DATES, compare_birth_dates
from core.linkage.caps import CAPS, FLOORS, LEAST_FOR_REVIEW, NON_MATCH, UNSURE_NAMES, Levels
from core.linkage.name_comparison import SURE_NAMES, compare_names
from core.linkage.names import is_newborn_name, listed_names, name_sounds, name_words
from core.linkage.weights import MATCH_WEIGHTS


def _most(part: str) -> float:
    """Return the most that a level with this in its code may add."""
    return max(weight for code, weight in MATCH_WEIGHTS.items() if part in code)


_MOST_OF_FAMILY = _most("_mother")
_MOST_OF_HOUSE = _most("_long_address") + _MOST_OF_FAMILY
_MOST_OF_STREET = max(_most("same_address"), _most("similar_address")) + _MOST_OF_FAMILY


@dataclass(frozen=True, slots=True)
class Person:
    """The data of a person that two records are compared by. Empty texts and None yield no level."""

    name: str = ""
    sex: str | None = None
    birth_date: str = ""
    """`YYYY-MM-DD`."""
    nik: str | None = None
    bpjs_number: str | None = None
    family_card_number: str | None = None
    mother_name: str = ""
    phone: str = ""
    address: str = ""
    rt: str = ""
    rw: str = ""
    other_names: str = ""
    """Names that the person is known by besides, parted by commas."""


HOUSEHOLD_NUMBERS = {"family_card_number": 40, "phone": 20}
"""Numbers that a household shares, the most telling first -> records of one number that are looked at; a number
of more tells too little."""
COMPARED = tuple(field.name for field in fields(Person))
"""Columns that two records are compared by, in the order of the fields of `Person`."""


def person_from(values: Mapping[str, Any]) -> Person:
    """Return the columns of a patient as records are compared; the birth date is a date."""
    compared = {name: values[name] for name in COMPARED}
    return Person(**compared | {"birth_date": values["birth_date"].isoformat()})


@dataclass(frozen=True, slots=True)
class Score:
    """Probability that two records are one person's."""

    probability: float
    reasons: tuple[str, ...]
    """Comparison levels that speak for it, highest weight first."""


def score(a: Person, b: Person, weights: Mapping[str, float] = MATCH_WEIGHTS) -> Score:
    """Compare two records; symmetric, and agreement never lowers the probability.

    Args:
        a: One record.
        b: The other record.
        weights: Match weights of the comparison levels.
    """
    found = comparison_levels(a, b)
    return _scored(found, match_weight(found, weights), weights)


def score_from(a: Person, b: Person, least: float) -> Score | None:
    """Return the result of `score` when its probability is at least `least`, else None.

    Most candidates of a block bear another name and have nothing to outweigh it: the comparison ends where the
    best that is still to come cannot make up for the levels found.

    Args:
        a: One record.
        b: The other record.
        least: Lowest probability.
    """
    bar = math.log(least / (1 - least))
    name = compare_called(a, b)
    if name == "other_name" and _is_hopeless(bar, a, b):
        return None  # most candidates: nothing else need be compared
    found = _of_person(a, b, name)
    if match_weight(found, to_come=_MOST_OF_HOUSE) < bar:
        return None
    if match_weight(found, to_come=_MOST_OF_STREET) < bar and not may_be_one_house(_home(a), _home(b)):
        return None
    found += _of_home(a, b, name)
    if match_weight(found, to_come=_MOST_OF_FAMILY) < bar:
        return None
    found += _of_family(a, b, name)
    total = match_weight(found)
    return _scored(found, total, MATCH_WEIGHTS) if total >= bar else None


def _is_hopeless(bar: float, a: Person, b: Person) -> bool:
    """Return whether another name at another birth date, without a number near, is below what is asked for."""
    return bar > NON_MATCH and a.birth_date != b.birth_date and not _near_numbers(a, b)


def _scored(found: tuple[str, ...], total: float, weights: Mapping[str, float]) -> Score:
    reasons = sorted((code for code in found if weights[code] > 0), key=lambda code: (-weights[code], code))
    return Score(1 / (1 + math.exp(-total)), tuple(reasons))


def match_weight(
    found: tuple[str, ...], weights: Mapping[str, float] = MATCH_WEIGHTS, *, to_come: float = 0.0
) -> float:
    """Return the match weight of a pair: the sum of its levels' weights within the limits of `CAPS`.

    Args:
        found: Comparison levels of the pair.
        weights: Match weights of the comparison levels.
        to_come: The most that levels of the household may still add; the result is then an upper bound.
    """
    total = weights["prior"] + sum([weights[code] for code in found]) + to_come
    levels = Levels(frozenset(found), weights, is_complete=not to_come)
    if total < LEAST_FOR_REVIEW and _is_raised(levels):
        total = LEAST_FOR_REVIEW
    for cap in CAPS:
        if cap.applies(levels):
            return min(total, cap.limit)
    return total


def _is_raised(levels: Levels) -> bool:
    """Return whether a floor applies, or may still apply with what is to come."""
    may_come = not levels.is_complete and levels.has(REAL_DATES)
    return may_come or any(floor.applies(levels) for floor in FLOORS)


def may_be_twins(a: Person, b: Person) -> bool:
    """Return whether two records have the same birth date and different names, as those of twins do."""
    return (
        compare_birth_dates(a.birth_date, b.birth_date) in SAME_DATES
        and compare_called(a, b) not in _ONE_PERSONS_NAMES
    )


def comparison_levels(a: Person, b: Person) -> tuple[str, ...]:
    """Return the comparison levels of two records; data that one of them lacks yields none."""
    name = compare_called(a, b)
    return (*_of_person(a, b, name), *_of_home(a, b, name), *_of_family(a, b, name))


_ONE_PERSONS_NAMES = SURE_NAMES | {"same_other_name"}


def compare_called(a: Person, b: Person) -> str | None:
    """Return the comparison level of the names of two people, each with the names besides.

    One of these that is the other's name tells less than the name on the card: a wife is called by her husband's.
    """
    level = compare_names(a.name, b.name)
    if level in SURE_NAMES or level is None or not (a.other_names or b.other_names):
        return level
    left, right = ([one.name, *listed_names(one.other_names)] for one in (a, b))
    is_known_as = any(compare_names(x, y) in _KNOWN_AS for x in left for y in right)
    return max(level, "same_other_name", key=MATCH_WEIGHTS.__getitem__) if is_known_as else level


_KNOWN_AS = SURE_NAMES | {"similar_name"}


def _near_numbers(a: Person, b: Person) -> bool:
    """Return whether a number that belongs to one person is the same or one slip away."""
    return _is_near(a.nik, b.nik) or _is_near(a.bpjs_number, b.bpjs_number)


def _is_near(a: str | None, b: str | None) -> bool:
    return bool(a and b and one_off(a, b))


def _of_person(a: Person, b: Person, name: str | None) -> tuple[str, ...]:
    levels = (
        name,
        compare_birth_dates(a.birth_date, b.birth_date),
        _compare_nik(a, b, name),
        _compare_bpjs_numbers(a.bpjs_number, b.bpjs_number),
        "other_sex" if a.sex and b.sex and a.sex != b.sex else None,
        "same_family_card" + _suffix(name) if _is_same(a.family_card_number, b.family_card_number) else None,
        _compare_phones(a.phone, b.phone, name),
    )
    return tuple([level for level in levels if level])


def _compare_phones(a: str, b: str, name: str | None) -> str | None:
    if not a or not b:
        return None
    return "same_phone" + _suffix(name) if a == b else "other_phone"


def _is_same(a: str | None, b: str | None) -> bool:
    return bool(a) and a == b


def _of_home(a: Person, b: Person, name: str | None) -> tuple[str, ...]:
    home = compare_addresses(_home(a), _home(b))
    if home is None:
        return ()
    return (home if home == "other_address" else home + _suffix(name),)


def _home(person: Person) -> Address:
    return Address(person.address, person.rt, person.rw)


def _of_family(a: Person, b: Person, name: str | None) -> tuple[str, ...]:
    mother = compare_mothers(a, b)
    if mother is None:
        return ()
    return (mother if mother == "other_mother" else mother + _suffix(name),)


_OF_FAMILY = UNSURE_NAMES | {"rhyming_name"}
"""Levels of names that brothers and sisters have."""


def _suffix(name: str | None) -> str:
    """Return the suffix of a household level: with an unsure name it tells of the family and not of the person."""
    return "_of_family" if name in _OF_FAMILY else ""


def one_off(a: str, b: str) -> bool:
    """Return whether one digit is wrong, missing or too many, or two neighbours are swapped, at most."""
    return OSA.distance(a, b, score_cutoff=1) <= 1


def _compare_nik(one: Person, other: Person, name: str | None) -> str | None:
    a, b = one.nik, other.nik
    if not a or not b:
        return None
    if a == b:
        return "same_nik"
    slips = OSA.distance(a, b, score_cutoff=2)
    # Children of one delivery, and others of one day and district, differ in the serial only; their names may sound alike.
    are_neighbours = a[:12] == b[:12]
    if slips == 1:
        is_written_alike = sorted(name_words(one.name)) == sorted(name_words(other.name))
        return "nik_neighbour" if are_neighbours and not is_written_alike else "nik_one_digit"
    if slips == 2:
        return "other_nik" if are_neighbours and (name is None or name in _OF_FAMILY) else "nik_two_digits"
    return "other_nik"


def _compare_bpjs_numbers(a: str | None, b: str | None) -> str | None:
    if not a or not b:
        return None
    if a == b:
        return "same_bpjs_number"
    return "bpjs_one_digit" if one_off(a, b) else "other_bpjs_number"


def household_differs(a: Person, b: Person) -> bool:
    """Return whether house, phone or mother of two records are two."""
    has_moved = differ(_home(a), _home(b))
    return has_moved or bool(a.phone and b.phone and a.phone != b.phone) or mothers_differ(a, b)


def mothers_differ(a: Person, b: Person) -> bool:
    """Return whether both mothers are known and their names do not agree, not even in part."""
    return bool(_mother_of(a) and _mother_of(b)) and compare_mothers(a, b) not in _ONE_MOTHER


_ONE_MOTHER = frozenset({"same_mother", "similar_mother"})


def compare_mothers(a: Person, b: Person) -> str | None:
    """Return the comparison level of the mothers' names; a newborn's name holds the mother's."""
    left, right = (_mother_of(person) for person in (a, b))
    level = compare_names(left, right)
    if level in {"same_name", "same_short_name"}:
        return "same_mother"
    if level in {"similar_name", "part_of_name", "similar_part_of_name"}:
        return "similar_mother"
    return "other_mother" if level in {"other_name", "shared_name"} else None


def _mother_of(person: Person) -> str:
    if person.mother_name:
        return person.mother_name
    return " ".join(name_sounds(person.name)) if is_newborn_name(person.name) else ""
