"""Duplicate check: stored patients that may be the person in a half-filled form."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand
from core.foundation.statements import find_each
from core.linkage import non_matches
from core.linkage.candidates import MEANT_AS_WELL, Match, band_of, meant_as_well, ranked
from core.linkage.names import joined_names, without_alias
from core.linkage.scoring import COMPARED, Person
from core.models import Patient
from core.patients import views
from core.patients.fields import CHECKED
from core.patients.national_ids import check_passport_number, normalise_number, normalise_phone
from core.schemas.patients import DuplicateCandidate, DuplicateQuery, DuplicateResult

SHOWN = 5  # candidates: more than a clerk can compare while the patient waits


def person_in(query: DuplicateQuery) -> Person:
    """Return the person that a half-filled form describes, numbers without separators."""
    given = query.model_dump(include=set(COMPARED))
    numbers = {
        field.name: normalise_number(given[field.name] or "") or None for field in CHECKED if field.compared
    }
    name, besides = without_alias(query.name)
    said = {
        "name": name,
        "other_names": joined_names(query.other_names, besides),
        "birth_date": query.birth_date.isoformat() if query.birth_date else "",
        "phone": normalise_phone(query.phone),
    }
    return Person(**given | numbers | said)


def duplicates(clinic: Clinic, query: DuplicateQuery) -> DuplicateResult:
    """Return the stored patients that may be the person described, best match first, at most `SHOWN`.

    When an existing patient is edited (`exclude_id`), that one and its confirmed non-matches are left out.
    """
    left_out = _left_out(query.exclude_id)
    matches = [match for match in ranked(person_in(query)) if match.patient_id not in left_out]
    ambiguous = meant_as_well(matches)
    holders = _with_passport(clinic, query, left_out)
    held = {each.patient.id for each in holders}
    best = [match for match in matches if match.patient_id not in held]
    return DuplicateResult(
        band=DuplicateBand.EXISTING if holders else band_of(matches, ambiguous),
        candidates=[*holders, *_shown(clinic, best[:SHOWN], ambiguous)],
    )


def _shown(
    clinic: Clinic, best: Sequence[Match], ambiguous: Container[Match]
) -> Iterator[DuplicateCandidate]:
    """Yield the candidates as they are sent to terminals.

    Args:
        clinic: For its day.
        best: The best matches.
        ambiguous: Those which fit as well as the best one.
    """
    ids = [match.patient_id for match in best]
    rows = {patient.id: patient for patient in find_each(Patient, ids)} if ids else {}
    found = views.patients_out(clinic, [rows[patient_id] for patient_id in ids])
    for match, patient in zip(best, found, strict=True):
        reasons = _reasons(match, is_ambiguous=match in ambiguous)
        yield DuplicateCandidate(patient=patient, score=round(match.score.probability, 3), reasons=reasons)


def _with_passport(clinic: Clinic, query: DuplicateQuery, left_out: set[str]) -> list[DuplicateCandidate]:
    """Return whoever has the passport that was typed: like a NIK it belongs to one person.

    Args:
        clinic: For its day.
        query: The half-filled form.
        left_out: Patients that it cannot be.
    """
    number = check_passport_number(query.passport_number or "").value
    if not number:
        return []
    rows = Patient.select().where(Patient.passport_number == number, Patient.voided_at.is_null())
    holders = [row for row in rows.limit(SHOWN) if row.id not in left_out]
    return [
        DuplicateCandidate(patient=patient, score=1.0, reasons=["same_passport_number"])
        for patient in views.patients_out(clinic, holders)
    ]


def _left_out(patient_id: str | None) -> set[str]:
    return {patient_id, *non_matches.non_matches_of(patient_id)} if patient_id else set()


def _reasons(match: Match, *, is_ambiguous: bool) -> list[str]:
    first = [MEANT_AS_WELL] if is_ambiguous else []
    return [*first, *match.score.reasons]
