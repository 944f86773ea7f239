"""Match weights of two records of a person: comparison levels, their weights, caps and reasons. Pure.

The model is that of Fellegi and Sunter: each comparison of two records yields a comparison level, each level
has a match weight (natural log-odds), and the weights add up to the match weight of the pair.

Families break the independence that the model assumes: twins share birth date, mother, address and phone. So
shared household data never makes a match by itself: a differing name keeps two people apart, and only the
same name (in any of its spellings) at an agreeing birth date, or a number that belongs to one person, makes a
record count as known: a son may bear his father's name in his father's house. `CAPS` holds these rules.

Source:
    I. P. Fellegi and A. B. Sunter, "A theory for record linkage", JASA 64 (1969), 1183-1210.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA

from core.linkage.addresses import Address, compare_addresses, may_be_one_house
from core.linkage.name_comparison import SURE_NAMES, compare_names
from core.linkage.names import is_newborn_name, name_sounds

MATCH_WEIGHTS = {
    # Two records that a block brings together, before they are compared.
    "prior": -7.5,
    # Numbers that belong to one person.
    "same_nik": 12.0,
    "nik_one_digit": 2.2,
    "nik_neighbour": -5.0,
    "other_nik": -3.3,
    "same_bpjs_number": 10.1,
    "bpjs_one_digit": 3.0,
    "other_bpjs_number": -5.0,
    # Birth date.
    "same_birth_date": 4.9,
    "same_usual_date": 4.9,
    "birth_date_swapped": 3.4,
    "birth_date_one_digit": 2.9,
    "birth_date_estimated": 0.8,
    "birth_date_two_parts": 0.6,
    "same_birth_year": 0.1,
    "other_birth_date": -2.6,
    "other_generation": -2.6,
    # Name.
    "same_name": 7.1,
    "same_short_name": 5.8,
    "similar_name": 6.5,
    "rhyming_name": 0.4,
    "part_of_name": 4.6,
    "similar_part_of_name": 4.5,
    "distant_name": 0.1,
    "newborn_name": 1.5,
    "same_newborn_name": 6.2,
    "shared_distant_name": 1.4,
    "shared_first_name": 1.4,
    "shared_name": 0.9,
    "other_name": -3.8,
    # The household.
    "same_mother": 0.3,
    "similar_mother": 0.3,
    "other_mother": -5.0,
    "same_family_card": 0.7,
    "same_phone": 0.1,
    "same_long_address": 6.3,
    "same_address": 3.7,
    "similar_long_address": 6.3,
    "similar_address": 3.7,
    "same_street": 2.0,
    "other_address": -0.5,
    # The household, where the names differ.
    "same_mother_of_family": 0.1,
    "similar_mother_of_family": 0.1,
    "same_family_card_of_family": 0.1,
    "same_phone_of_family": 0.1,
    "same_long_address_of_family": 8.8,
    "same_address_of_family": 3.7,
    "similar_long_address_of_family": 7.6,
    "similar_address_of_family": 3.7,
    "same_street_of_family": 1.0,
    "other_sex": -3.7,
}
"""Comparison level -> match weight in natural log-odds. A level with a positive weight is also a reason shown.

Fitted by `bench/duplicates.py --fit`, on generated households whose second records come from one set of error
operators, and on FEBRL 1 and 2. The levels that tell namesakes apart (short names, addresses without a house,
a street) were then moved by hand, with FEBRL 1 to 4, the unseen operators and the second author's town in view,
so none of those is untouched; the bench reports on household seeds that were never looked at. Fitting all
weights jointly over-refers twins of unlike names and families, which are rare in the training households.
"""

RISING_LEVELS = (
    ("other_nik", "nik_one_digit", "same_nik"),
    ("other_bpjs_number", "bpjs_one_digit", "same_bpjs_number"),
    (
        "other_generation",
        "other_birth_date",
        "same_birth_year",
        "birth_date_two_parts",
        "birth_date_one_digit",
        "same_birth_date",
    ),
    ("birth_date_two_parts", "birth_date_estimated", "same_usual_date", "same_birth_date"),
    ("birth_date_two_parts", "birth_date_swapped", "same_birth_date"),
    ("other_name", "distant_name", "similar_part_of_name", "part_of_name", "same_short_name", "same_name"),
    ("other_name", "shared_name", "shared_distant_name", "similar_name", "same_name"),
    ("shared_name", "shared_first_name", "similar_name"),
    ("rhyming_name", "similar_name"),
    ("other_mother", "similar_mother", "same_mother"),
    ("other_address", "same_street", "similar_address", "same_address", "same_long_address"),
    ("similar_address", "similar_long_address", "same_long_address"),
    ("similar_mother_of_family", "same_mother_of_family"),
    ("same_street_of_family", "similar_address_of_family", "same_address_of_family"),
    ("same_address_of_family", "same_long_address_of_family"),
    ("similar_address_of_family", "similar_long_address_of_family", "same_long_address_of_family"),
)
"""Comparison levels in increasing order of agreement; match weights are monotone along each."""

EXISTING = 0.95
"""Probability from which a record counts as known: the counter opens it."""
REVIEW = 0.5
"""Probability from which a pair needs clerical review."""

SAME_DATES = frozenset({"same_birth_date", "same_usual_date"})
"""Levels of equal birth dates."""
OWN_NUMBERS = frozenset({"same_nik", "same_bpjs_number"})
"""Levels of a number that belongs to one person."""
_SAME_DATES_OR_NUMBERS = SAME_DATES | OWN_NUMBERS
_SLIPPED_DATES = frozenset({"birth_date_swapped", "birth_date_one_digit"})
_SURE_DATES = SAME_DATES | _SLIPPED_DATES
"""Levels of birth dates that agree but for a slip of the hand."""
_OTHER_DATES = frozenset({"other_birth_date", "other_generation"})
GENERATION = 14  # years by which a parent is older at least; no slip of the hand makes so many
_UNSURE_NAMES = frozenset(
    {"other_name", "shared_name", "shared_first_name", "shared_distant_name", "distant_name", "newborn_name"}
)
"""Levels of names that may be those of two members of a family."""
_HOUSEHOLD = frozenset(
    {
        "same_mother", "similar_mother", "same_phone", "same_family_card",
        "same_address", "same_long_address", "similar_address", "similar_long_address",
    }
)  # fmt: skip
"""Levels that tell a person from namesakes; a shared street does not."""
_NAMES = frozenset(code for code in MATCH_WEIGHTS if code.endswith("name"))
_NEAR_NUMBERS = frozenset({"nik_one_digit", "nik_neighbour", "bpjs_one_digit"})

MOST_FOR_REVIEW = math.log(EXISTING / (1 - EXISTING)) - 0.05
"""Highest match weight of a pair that always needs clerical review: just below `EXISTING`."""
LEAST_FOR_REVIEW = 0.05
"""Lowest match weight of a pair that always needs clerical review: just above `REVIEW`."""
NAMESAKE = -0.1
"""Highest match weight of a pair that agrees in the name only: just below `REVIEW`."""
NON_MATCH = -2.0
"""Highest match weight of another name at another birth date: not shown to anyone."""


class Levels(NamedTuple):
    """Comparison levels of a pair, as the caps read them."""

    codes: frozenset[str]
    weights: Mapping[str, float]
    is_complete: bool
    """False while levels of the household are still to come."""

    def has(self, some: frozenset[str]) -> bool:
        """Return whether one of these levels was found."""
        return not self.codes.isdisjoint(some)


class Cap(NamedTuple):
    """A highest match weight for pairs of a kind.

    Attributes:
        applies: Condition.
        limit: Highest match weight.
        reason: The case that it guards against.
    """

    applies: Callable[[Levels], bool]
    limit: float
    reason: str


def _is_another_person(levels: Levels) -> bool:
    """Return whether the names differ, or one was not born when the other was a newborn, and nothing else agrees."""
    if levels.has(_SAME_DATES_OR_NUMBERS):
        return False
    return "other_name" in levels.codes or ("newborn_name" in levels.codes and levels.has(_OTHER_DATES))


def _is_another_person_with_other_numbers(levels: Levels) -> bool:
    return not levels.has(_NEAR_NUMBERS) and _is_another_person(levels)


def _agrees_in_name_only(levels: Levels) -> bool:
    return levels.is_complete and all(code in _NAMES or levels.weights[code] <= 0 for code in levels.codes)


def _has_unsure_name(levels: Levels) -> bool:
    return levels.has(_UNSURE_NAMES)


def _has_own_number(levels: Levels) -> bool:
    """Return whether an own number agrees and is not the card of a twin, or of a namesake a generation older."""
    if not levels.has(OWN_NUMBERS):
        return False
    is_doubtful = levels.has(_OTHER_DATES) or "rhyming_name" in levels.codes
    return not is_doubtful or (levels.has(SURE_NAMES) and "other_generation" not in levels.codes)


def _has_nothing_sure(levels: Levels) -> bool:
    """Return whether neither the name with the birth date nor an own number agrees."""
    if levels.has(SURE_NAMES) and levels.has(_SURE_DATES):
        return False
    return not _has_own_number(levels)


def _is_namesake_elsewhere(levels: Levels) -> bool:
    """Return whether date or house differ a little, with nothing of the household to tell a namesake by."""
    if not levels.is_complete or levels.has(_HOUSEHOLD):
        return False
    return ("other_address" in levels.codes or levels.has(_SLIPPED_DATES)) and not _has_own_number(levels)


CAPS = (
    Cap(_is_another_person_with_other_numbers, NON_MATCH, "Another name at another birth date is another person."),
    Cap(_is_another_person, NAMESAKE, "A number that is one slip away brings no other name and date together."),
    Cap(_agrees_in_name_only, NAMESAKE, "A namesake is no one to decide about."),
    Cap(_has_unsure_name, MOST_FOR_REVIEW, "Twins and siblings share all but the name; cards are mixed up."),
    Cap(_has_nothing_sure, MOST_FOR_REVIEW, "Only name with birth date, or an own number, identifies a person."),
    Cap(_is_namesake_elsewhere, MOST_FOR_REVIEW, "Namesakes may be born on nearly the same day."),
)  # fmt: skip
"""In the order of their limits: the first that applies decides."""


def _is_same_name_and_date(levels: Levels) -> bool:
    """Return whether name and birth date are equal: always reviewed, since a mother is known by several names."""
    return "same_birth_date" in levels.codes and levels.has(SURE_NAMES)


def _most(part: str) -> float:
    """Return the most that a level with this in its code may add."""
    return max(weight for code, weight in MATCH_WEIGHTS.items() if part in code)


_MOST_OF_FAMILY = _most("_mother")
_MOST_OF_HOUSE = _most("_long_address") + _MOST_OF_FAMILY
_MOST_OF_STREET = max(_most("same_address"), _most("similar_address")) + _MOST_OF_FAMILY
_BEST_OF_ANOTHER_NAME = (
    "prior",
    "other_name",
    "same_birth_date",
    "same_family_card_of_family",
    "same_phone_of_family",
)
_MOST_WITHOUT_HOUSE = sum(MATCH_WEIGHTS[code] for code in _BEST_OF_ANOTHER_NAME) + _MOST_OF_STREET
"""Highest match weight of another name at the same birth date where the address is no house."""

USUAL_DAYS = frozenset({"01-01", "07-01", "12-31", "06-30", "08-17"})
"""Days of the year that are written for an unknown birthday."""


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
    name = compare_names(a.name, b.name)
    if name == "other_name" and _is_below(bar, a, b):
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


def _is_below(bar: float, a: Person, b: Person) -> bool:
    """Return whether two records with different names cannot reach a match weight, whatever else they hold."""
    if bar <= max(NON_MATCH, _MOST_WITHOUT_HOUSE) or _near_numbers(a, b):
        return False
    return a.birth_date != b.birth_date or not may_be_one_house(_home(a), _home(b))


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
    if _is_same_name_and_date(levels):
        total = max(total, LEAST_FOR_REVIEW)
    for cap in CAPS:
        if cap.applies(levels):
            return min(total, cap.limit)
    return total


def may_be_twins(a: Person, b: Person) -> bool:
    """Return whether two records have the same birth date and different names, as those of twins do."""
    return (
        compare_birth_dates(a.birth_date, b.birth_date) in SAME_DATES
        and compare_names(a.name, b.name) not in SURE_NAMES
    )


def comparison_levels(a: Person, b: Person) -> tuple[str, ...]:
    """Return the comparison levels of two records; data that one of them lacks yields none."""
    name = compare_names(a.name, b.name)
    return (*_of_person(a, b, name), *_of_home(a, b, name), *_of_family(a, b, name))


def _near_numbers(a: Person, b: Person) -> bool:
    """Return whether a number that belongs to one person is the same or one slip away."""
    return _is_near(a.nik, b.nik) or _is_near(a.bpjs_number, b.bpjs_number)


def _is_near(a: str | None, b: str | None) -> bool:
    return bool(a and b and one_off(a, b))


def _of_person(a: Person, b: Person, name: str | None) -> tuple[str, ...]:
    levels = (
        name,
        compare_birth_dates(a.birth_date, b.birth_date),
        _compare_nik(a.nik, b.nik, name),
        _compare_bpjs_numbers(a.bpjs_number, b.bpjs_number),
        "other_sex" if a.sex and b.sex and a.sex != b.sex else None,
        "same_family_card" + _suffix(name) if _is_same(a.family_card_number, b.family_card_number) else None,
        "same_phone" + _suffix(name) if _is_same(a.phone, b.phone) else None,
    )
    return tuple([level for level in levels if level])


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


def _suffix(name: str | None) -> str:
    """Return the suffix of a household level: with an unsure name it tells of the family and not of the person."""
    return "_of_family" if name in _UNSURE_NAMES else ""


def one_off(a: str, b: str) -> bool:
    """Return whether one digit is wrong, missing or too many, or two neighbours are swapped, at most."""
    return OSA.distance(a, b, score_cutoff=1) <= 1


def _compare_nik(a: str | None, b: str | None, name: str | None) -> str | None:
    if not a or not b:
        return None
    if a == b:
        return "same_nik"
    if not one_off(a, b):
        return "other_nik"
    # Children of one delivery, and others of one day and district, differ in the serial only.
    if a[:12] == b[:12] and name not in SURE_NAMES:
        return "nik_neighbour"
    return "nik_one_digit"


def _compare_bpjs_numbers(a: str | None, b: str | None) -> str | None:
    if not a or not b:
        return None
    if a == b:
        return "same_bpjs_number"
    return "bpjs_one_digit" if one_off(a, b) else "other_bpjs_number"


def compare_birth_dates(a: str, b: str) -> str | None:
    """Return the comparison level of two dates `YYYY-MM-DD`; None when one is not known."""
    if not a or not b:
        return None
    if a == b:
        return "same_usual_date" if a[5:] in USUAL_DAYS else "same_birth_date"
    if _is_swapped(a, b):
        return "birth_date_swapped"
    if one_off(a, b) or _is_other_decade_or_year(a, b):
        return "birth_date_one_digit"
    if _is_estimate(a, b):
        return "birth_date_estimated"
    return _level_of_parts(a, b)


def _is_swapped(a: str, b: str) -> bool:
    """Return whether day and month are swapped."""
    return a[:4] == b[:4] and a[5:7] == b[8:] and a[8:] == b[5:7]


def _is_other_decade_or_year(a: str, b: str) -> bool:
    """Return whether the day is the same a year or ten years apart: one wrong key for the year."""
    return a[5:] == b[5:] and _years_apart(a, b) in {1, 10}


def _is_estimate(a: str, b: str) -> bool:
    """Return whether one date is a usual day and the years are at most two apart, as where an age is told."""
    return (a[5:] in USUAL_DAYS or b[5:] in USUAL_DAYS) and _years_apart(a, b) <= 2


def _level_of_parts(a: str, b: str) -> str:
    """Return the level of two dates by how many of year, month and day agree."""
    same_year = a[:4] == b[:4]
    if same_year + (a[5:7] == b[5:7]) + (a[8:] == b[8:]) == 2:
        return "birth_date_two_parts"
    if same_year:
        return "same_birth_year"
    return "other_birth_date" if _years_apart(a, b) < GENERATION else "other_generation"


_UNREADABLE = 99  # years apart where one of the years is no number


def _years_apart(a: str, b: str) -> int:
    try:
        return abs(int(a[:4]) - int(b[:4]))
    except ValueError:
        return _UNREADABLE


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
