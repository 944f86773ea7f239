"""Keep of a complaint what is said of the patient: the findings of relatives never send or block them.

In:  a man of 25, and "kakak saya kejang tadi, saya mau cabut gigi".
Out: the reading without the seizure.

A relative who may be the patient is left out only where the speaker has a complaint of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from core.complaints.facts import RoutingFacts
from core.complaints.reading.experiencer import Experiencer
from core.complaints.reading.occurrences import Occurrence, is_transparent
from core.complaints.reading.reader import Reading
from core.foundation.codes import Sex

_CHILD_YEARS = 18
"""Years below which a child who is spoken of is the patient."""
_YOUNG_SIBLING_YEARS = 12
"""Years below which a brother or sister is spoken for by a grown one."""


class Fit(IntEnum):
    """Likelihood that the person spoken of is the patient on the form."""

    NEVER = 0
    MAYBE = 1
    LIKELY = 2


@dataclass(frozen=True)
class _Relative:
    """The sex and the age of the patient who may be that relative."""

    sex: Sex | None = None
    impossible_below: int = 0
    """Years below which nobody is one."""
    likely_from: int = 0
    """Years from which one is likely meant."""


_RELATIVES = {
    Experiencer.WIFE: _Relative(Sex.FEMALE, 12, 15),
    Experiencer.HUSBAND: _Relative(Sex.MALE, 12, 15),
    Experiencer.MOTHER: _Relative(Sex.FEMALE, 13, 35),
    Experiencer.FATHER: _Relative(Sex.MALE, 15, 35),
    Experiencer.GRANDMOTHER: _Relative(Sex.FEMALE, 30, 50),
    Experiencer.GRANDFATHER: _Relative(Sex.MALE, 30, 50),
    Experiencer.IN_LAW: _Relative(None, 30, 40),
}


def fit(person: Experiencer, facts: RoutingFacts) -> Fit:
    """Return how likely a person who is spoken of is the patient.

    Args:
        person: The relative.
        facts: Age and sex of the patient.
    """
    years = facts.years
    if person in (Experiencer.OUTSIDER, Experiencer.DEAD):
        return Fit.NEVER
    if person in (Experiencer.CHILD, Experiencer.SIBLING):
        limit = _CHILD_YEARS if person is Experiencer.CHILD else _YOUNG_SIBLING_YEARS
        return Fit.LIKELY if years is None or years < limit else Fit.MAYBE
    relative = _RELATIVES[person]
    if relative.sex is not None and facts.sex is not None and facts.sex != relative.sex:
        return Fit.NEVER
    if years is None:
        return Fit.LIKELY
    if years < relative.impossible_below:
        return Fit.NEVER
    return Fit.LIKELY if years >= relative.likely_from else Fit.MAYBE


def names_others(reading: Reading) -> bool:
    """Return whether some finding belongs to a relative."""
    return any(o.owner not in (None, Experiencer.ONESELF) for o in reading.occurrences)


def without_dead(reading: Reading) -> Reading:
    """Return the reading without what a relative has died of: no dead person stands at a counter."""
    kept = tuple(o for o in reading.occurrences if o.owner is not Experiencer.DEAD)
    return replace(reading, occurrences=kept)


def has_own_complaint(facts: RoutingFacts, reading: Reading, speakers: frozenset[str]) -> bool:
    """Return whether the speaker, or a relative who is likely the patient, has a finding of their own.

    Args:
        facts: Age and sex of the patient.
        reading: The complaint.
        speakers: Concepts that anybody says who comes for another: a fear, a letter, medicine.
    """
    return any(
        _is_own(o, facts) and not is_transparent(o.concepts) and not o.concepts <= speakers
        for o in reading.occurrences
        if not o.negated and not o.is_aside
    )


def _is_own(occurrence: Occurrence, facts: RoutingFacts) -> bool:
    owner = occurrence.owner
    if owner is None or occurrence.is_acting:
        return False
    return owner is Experiencer.ONESELF or fit(owner, facts) is Fit.LIKELY


def without_others(facts: RoutingFacts, reading: Reading, *, highest: Fit) -> Reading:
    """Return the reading without the findings of relatives.

    Args:
        facts: Age and sex of the patient.
        reading: The complaint.
        highest: Relatives who fit the patient better than this stay.
    """
    kept = tuple(o for o in reading.occurrences if _stays(o, facts, highest))
    return reading if len(kept) == len(reading.occurrences) else replace(reading, occurrences=kept)


def _stays(occurrence: Occurrence, facts: RoutingFacts, highest: Fit) -> bool:
    owner = occurrence.owner
    return owner in (None, Experiencer.ONESELF) or fit(owner, facts) > highest
