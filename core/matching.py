"""Is this person already known? Candidates by index, the score of `core.likeness`, three bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from core import patients, two_people
from core.blocking import BLOCK_LIMIT, BLOCK_LIMITS, COLUMN_KINDS, SPANS, WHOLE, probes
from core.clinic import Clinic
from core.database import database
from core.identity import normalise_number
from core.likeness import COMPARED, EXISTING, OWN_NUMBERS, REVIEW, Person, Score, may_be_twins, score_from
from core.models import Patient
from core.name_likeness import SURE_NAMES
from core.patients import normalise_phone
from core.probing import Probe, between, in_column, keyed, united
from core.schemas.patients import DuplicateCandidate, DuplicateQuery, DuplicateResult
from core.vocabulary import DuplicateBand

SHOWN = 5
"""Candidates that a clerk is shown at most."""

MEANT_AS_WELL = "meant_as_well"
"""Reason of who may be meant as well as the best, for which nobody is taken as known."""


class Match(NamedTuple):
    """Somebody whom a person may be."""

    score: Score
    patient_id: str
    person: Person


def person_in(query: DuplicateQuery) -> Person:
    """What a half-filled form says, numbers without separators."""
    return Person(
        name=query.name,
        sex=query.sex,
        birth_date=query.birth_date.isoformat() if query.birth_date else "",
        nik=normalise_number(query.nik or "") or None,
        bpjs_number=normalise_number(query.bpjs_number or "") or None,
        family_card_number=normalise_number(query.family_card_number or "") or None,
        mother_name=query.mother_name,
        phone=normalise_phone(query.phone),
        address=query.address,
        rt=query.rt,
        rw=query.rw,
    )


def candidates(person: Person) -> dict[str, Person]:
    """Stored patients worth comparing with a person, by id. Index only: no table is read through."""
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


def _block(kind: str, values: Sequence[str], limit: int) -> Iterator[Probe]:
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
    """Who may be this person: scores of at least `least`, best first.

    `others` are whom to compare; by itself the stored patients worth comparing.
    """
    found = [
        Match(result, patient_id, other)
        for patient_id, other in (candidates(person) if others is None else others).items()
        if (result := score_from(person, other, least)) is not None
    ]
    return sorted(found, key=lambda match: (-match.score.probability, match.patient_id))


def duplicates(clinic: Clinic, query: DuplicateQuery) -> DuplicateResult:
    """Who of the stored patients may be the person described, best first, at most `SHOWN`.

    When an existing patient is edited (`exclude_id`), who was judged to be somebody else is left out.
    """
    person = person_in(query)
    left_out = {query.exclude_id, *(two_people.judged_with(query.exclude_id) if query.exclude_id else ())}
    matches = [match for match in ranked(person) if match.patient_id not in left_out]
    best = matches[:SHOWN]
    others = meant_as_well(matches)
    also = {match.patient_id for match in others}
    rows = {
        patient.id: patient
        for patient in Patient.select().where(Patient.id.in_([match.patient_id for match in best]))
    }
    shapes = patients.shapes(clinic, [rows[match.patient_id] for match in best])
    return DuplicateResult(
        band=band_of(matches, others),
        candidates=[
            DuplicateCandidate(
                patient=shape,
                score=round(match.score.probability, 3),
                reasons=[*([MEANT_AS_WELL] if match.patient_id in also else []), *match.score.reasons],
            )
            for match, shape in zip(best, shapes, strict=True)
        ],
    )


def band_of(matches: Sequence[Match], others: Sequence[Match]) -> DuplicateBand:
    """What the counter does about whom `ranked` found; a person decides where `others` are `meant_as_well`."""
    best = matches[0].score.probability if matches else 0.0
    if best >= EXISTING and not others:
        return DuplicateBand.EXISTING
    return DuplicateBand.REVIEW if best >= REVIEW else DuplicateBand.NEW


def meant_as_well(matches: Sequence[Match]) -> list[Match]:
    """Who may be meant as well as the best of `ranked`: a twin of it, or a namesake known to be another.

    One twin's name is heard for the other's, and namesakes may be of one day, so what agrees with both tells
    nothing. A number of the best's own does, unless it comes with another name than the other one's.
    """
    if not matches:
        return []
    best, *rest = matches
    numbered = not OWN_NUMBERS.isdisjoint(best.score.reasons)
    named = not SURE_NAMES.isdisjoint(best.score.reasons)
    return [
        match
        for match in rest
        if not (numbered and (named or SURE_NAMES.isdisjoint(match.score.reasons)))
        and (_is_twin(best, match) or _is_namesake(best, match))
    ]


def _is_twin(best: Match, other: Match) -> bool:
    return other.score.probability >= REVIEW and may_be_twins(best.person, other.person)


def _is_namesake(best: Match, other: Match) -> bool:
    return other.score.probability >= EXISTING and score_from(best.person, other.person, EXISTING) is None
