"""Candidates: stored patients that may match a person, found by index, scored and ranked, in three bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from core.foundation.codes import DuplicateBand
from core.foundation.database import database
from core.linkage.blocking import BLOCK_LIMIT, BLOCK_LIMITS, COLUMN_KINDS, SPANS, WHOLE, probes
from core.linkage.caps import EXISTING, OWN_NUMBERS, REVIEW
from core.linkage.key_queries import KeyQuery, between, in_column, keyed, united
from core.linkage.name_comparison import SURE_NAMES
from core.linkage.scoring import (
    COMPARED,
    Person,
    Score,
    may_be_twins,
    person_from,
    score_from,
)
from core.models import Patient

MEANT_AS_WELL = "meant_as_well"
"""Reason code of a candidate that makes the best match ambiguous."""


class Match(NamedTuple):
    """A candidate with its score."""

    score: Score
    patient_id: str
    person: Person


def person_of(patient: Patient) -> Person:
    """Return a stored patient as records are compared."""
    return person_from({name: getattr(patient, name) for name in COMPARED})


def candidates(person: Person) -> dict[str, Person]:
    """Return the stored patients worth comparing with a person, by id. Reads indexes, never a whole table."""
    blocks = [
        probe
        for kind, values in probes(person)
        for probe in _block(kind, values, BLOCK_LIMITS.get(kind, BLOCK_LIMIT))
    ]
    if not blocks:
        return {}
    ids, parameters = united(blocks, "UNION")
    rows = database.execute_sql(
        f"SELECT id, {', '.join(COMPARED)} FROM patient WHERE voided_at IS NULL AND id IN ({ids})",  # noqa: S608
        parameters,
    )
    return {row[0]: Person(*row[1:]) for row in rows.fetchall()}


def _block(kind: str, values: Sequence[str], limit: int) -> Iterator[KeyQuery]:
    if kind in COLUMN_KINDS:
        yield in_column(kind, values, limit)
    elif kind in SPANS:
        for value in values:  # joined by OR, SQLite would read every name
            about, _, days = value.rpartition(" ")
            first, last = days.split("/")
            yield between(SPANS[kind], f"{about} {first}", f"{about} {last}", limit, whole=kind in WHOLE)
    elif kind in WHOLE:
        for value in values:
            yield between(kind, value, value, limit, whole=True)
    else:
        yield keyed(kind, values, limit)


def ranked(
    person: Person, least: float = REVIEW / 2, others: Mapping[str, Person] | None = None
) -> list[Match]:
    """Return the candidates that may match a person, best match first.

    Args:
        person: The person to find.
        least: Lowest probability of a match.
        others: The candidates by id; by default the stored patients worth comparing.
    """
    compared = candidates(person) if others is None else others
    found = [
        Match(result, patient_id, other)
        for patient_id, other in compared.items()
        if (result := score_from(person, other, least)) is not None
    ]
    return sorted(found, key=lambda match: (-match.score.probability, match.patient_id))


def band_of(matches: Sequence[Match], others: Sequence[Match]) -> DuplicateBand:
    """Return the band of a ranked list; REVIEW at least whenever `meant_as_well` found `others`."""
    best = matches[0].score.probability if matches else 0.0
    if best >= EXISTING and not others:
        return DuplicateBand.EXISTING
    return DuplicateBand.REVIEW if best >= REVIEW else DuplicateBand.NEW


def meant_as_well(matches: Sequence[Match]) -> list[Match]:
    """Return the candidates that make the best match of a ranked list ambiguous.

    Such a candidate is a possible twin of the best match, or its namesake with the same birth date: the name
    of one twin is mistaken for the other's, and evidence that agrees with both tells nothing. A number of
    the best match's own settles it, unless it comes with the other candidate's name.
    """
    if not matches:
        return []
    best, *rest = matches
    return [
        match
        for match in rest
        if not _number_settles(best, match) and (_is_twin(best, match) or _is_namesake(best, match))
    ]


def _number_settles(best: Match, other: Match) -> bool:
    """Return whether an own number tells the best match from the other candidate."""
    if OWN_NUMBERS.isdisjoint(best.score.reasons):
        return False
    return _has_sure_name(best) or not _has_sure_name(other)


def _has_sure_name(match: Match) -> bool:
    return not SURE_NAMES.isdisjoint(match.score.reasons)


def _is_twin(best: Match, other: Match) -> bool:
    return other.score.probability >= REVIEW and may_be_twins(best.person, other.person)


def _is_namesake(best: Match, other: Match) -> bool:
    return other.score.probability >= EXISTING and score_from(best.person, other.person, EXISTING) is None
