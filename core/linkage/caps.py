"""Caps and floors of the match weights: what a pair may count for at most and at least, with the reason. Pure.

Families break the independence that the weights assume: twins share birth date, mother, address and phone. So shared household
data never makes a match by itself: a differing name keeps two people apart, and a record counts as known only by a number that
belongs to one person, or by the name and a birth date that somebody knew. On the other side, an exact date with the phone or
the mother is nobody to pass over in silence, whatever the name: it is asked about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from core.linkage.birth_dates import OTHER_DATES, REAL_DATES, SLIPPED_DATES, SOFT_DATES, SURE_DATES
from core.linkage.name_comparison import SURE_NAMES
from core.linkage.weights import MATCH_WEIGHTS

EXISTING = 0.95
"""Probability from which a record counts as known: the counter opens it."""
REVIEW = 0.5
"""Probability from which a pair needs clerical review."""

OWN_NUMBERS = frozenset({"same_nik", "same_bpjs_number"})
"""Levels of a number that belongs to one person."""
_REAL_DATES_OR_NUMBERS = REAL_DATES | OWN_NUMBERS
UNSURE_NAMES = frozenset(
    {
        "other_name", "shared_name", "shared_first_name", "shared_distant_name", "distant_name", "newborn_name",
        "husbands_name",
    }
)  # fmt: skip
"""Levels of names that may be those of two members of a family."""
HOUSE = frozenset({"same_address", "same_long_address", "similar_address", "similar_long_address"})
"""Levels of one house; a shared street is none."""
_HOUSEHOLD_FACTS = (
    HOUSE,
    frozenset({"same_mother", "similar_mother"}),
    frozenset({"same_phone"}),
    frozenset({"same_family_card"}),
)
"""Facts that tell a person from namesakes, each by its levels."""
_HOUSEHOLD = frozenset().union(*_HOUSEHOLD_FACTS)
_FACTS_OF_FEW = frozenset(
    {"same_mother", "same_phone", "same_family_card", "same_long_address", "similar_long_address"}
)
"""Facts that few share; an address without a number is shared by a street."""
_NEARLY_TOLD_DATES = frozenset({"birth_date_two_parts", "birth_date_estimated"})
"""Levels of dates that two people of one name and house do not have: of one month and year, or of one age that was told."""
_NAMES = frozenset(code for code in MATCH_WEIGHTS if code.endswith("name"))
_NEAR_NUMBERS = frozenset({"nik_one_digit", "nik_neighbour", "bpjs_one_digit"})
_PHONE_OR_CARD = frozenset(
    {"same_phone", "same_phone_of_family", "same_family_card", "same_family_card_of_family"}
)
_MOTHER = frozenset({"same_mother", "same_mother_of_family", "similar_mother"})
_OTHERS = frozenset({"other_sex", "nik_neighbour"})
"""Levels of brothers, sisters and twins; neighbouring numbers are those of two children."""
_OTHER_NUMBERS = frozenset({"other_nik", "other_bpjs_number", "nik_neighbour"})
ENOUGH = 2  # facts of the household that tell a person without an exact date

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


class Floor(NamedTuple):
    """Pairs of a kind that are asked about, whatever else differs.

    Attributes:
        applies: Condition.
        reason: Who would be passed over without it.
    """

    applies: Callable[[Levels], bool]
    reason: str


def _is_another_person(levels: Levels) -> bool:
    """Return whether the names differ, or one was not born when the other was a newborn, and nothing else agrees."""
    if levels.has(_REAL_DATES_OR_NUMBERS):
        return False
    return "other_name" in levels.codes or ("newborn_name" in levels.codes and levels.has(OTHER_DATES))


def _is_another_person_with_other_numbers(levels: Levels) -> bool:
    return not levels.has(_NEAR_NUMBERS) and _is_another_person(levels)


def _agrees_in_name_only(levels: Levels) -> bool:
    return levels.is_complete and all(code in _NAMES or levels.weights[code] <= 0 for code in levels.codes)


def _has_unsure_name(levels: Levels) -> bool:
    return levels.has(UNSURE_NAMES)


def _has_own_number(levels: Levels) -> bool:
    """Return whether an own number agrees and is not the card of a twin, or of a namesake a generation older."""
    if not levels.has(OWN_NUMBERS):
        return False
    is_doubtful = levels.has(OTHER_DATES) or "rhyming_name" in levels.codes
    return not is_doubtful or (levels.has(SURE_NAMES) and "other_generation" not in levels.codes)


def _household_facts(levels: Levels) -> int:
    """Return how many facts of the household agree; none counts where the mothers differ."""
    return 0 if "other_mother" in levels.codes else sum(levels.has(fact) for fact in _HOUSEHOLD_FACTS)


def _has_nothing_sure(levels: Levels) -> bool:
    """Return whether neither a number nor the name with date or household identifies the person."""
    if _has_own_number(levels) or (levels.has(SURE_NAMES) and levels.has(SURE_DATES)):
        return False
    if not levels.is_complete:
        return False
    facts = _household_facts(levels)
    if "part_of_name" in levels.codes:
        return facts < (1 if levels.has(REAL_DATES) else ENOUGH) or not levels.has(SURE_DATES)
    if not levels.has(SURE_NAMES) or not levels.has(SOFT_DATES):
        return True
    return not _has_date_of_the_house(levels) and (
        facts < ENOUGH or not levels.codes & {"same_mother", "same_usual_date"}
    )


def _has_date_of_the_house(levels: Levels) -> bool:
    """Return whether a date that is nearly told comes with a fact that few share, which tells who is meant.

    A father and his son may bear one name in one house, but none of these dates is a generation off.
    """
    if levels.has(_NEARLY_TOLD_DATES):
        return levels.has(_FACTS_OF_FEW)
    return "same_usual_date" in levels.codes and levels.has(_PHONE_OR_CARD)


def _has_another_number(levels: Levels) -> bool:
    """Return whether a number of one of them is the other's neighbour or nowhere near: they may be twins."""
    return levels.has(_OTHER_NUMBERS) and not levels.has(OWN_NUMBERS)


def _is_namesake_elsewhere(levels: Levels) -> bool:
    """Return whether date, telephone or house differ a little, with nothing of the household to tell a namesake by."""
    if not levels.is_complete or levels.has(_HOUSEHOLD) or _has_own_number(levels):
        return False
    return bool(levels.codes & {"other_address", "other_phone", "same_first_of_month"}) or levels.has(
        SLIPPED_DATES
    )


CAPS = (
    Cap(_is_another_person_with_other_numbers, NON_MATCH, "Another name at another birth date is another person."),
    Cap(_is_another_person, NAMESAKE, "A number that is one slip away brings no other name and date together."),
    Cap(_agrees_in_name_only, NAMESAKE, "A namesake is no one to decide about."),
    Cap(_has_unsure_name, MOST_FOR_REVIEW, "Twins and siblings share all but the name; cards are mixed up."),
    Cap(_has_nothing_sure, MOST_FOR_REVIEW, "Only name with birth date, or an own number, identifies a person; a placeholder "
        "date identifies nobody without the telephone or two facts of the household, nor a part of a name without one."),
    Cap(_has_another_number, MOST_FOR_REVIEW, "Whoever has another number is asked about: twins may sound alike."),
    Cap(_is_namesake_elsewhere, MOST_FOR_REVIEW, "Namesakes may be born on nearly the same day."),
)  # fmt: skip
"""In the order of their limits: the first that applies decides."""


def _is_same_name_and_date(levels: Levels) -> bool:
    return levels.has(REAL_DATES) and levels.has(SURE_NAMES)


def _has_date_and_phone(levels: Levels) -> bool:
    return levels.has(REAL_DATES) and levels.has(_PHONE_OR_CARD) and not levels.has(_OTHERS)


def _has_date_and_mother(levels: Levels) -> bool:
    if "other_name" in levels.codes or levels.has(_OTHERS):
        return False
    return levels.has(REAL_DATES) and levels.has(_MOTHER)


FLOORS = (
    Floor(_is_same_name_and_date, "A mother is known by several names, and people move."),
    Floor(
        _has_date_and_phone, "Called by a nickname or by the husband's name; twins are asked about as well."
    ),
    Floor(_has_date_and_mother, "Letters off, parts left out, joined or swapped."),
)
"""Whoever is asked about, within the caps."""
