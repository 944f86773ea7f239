"""Patients: search, record card, duplicates, merge."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from core import correcting, encounters, matching, merging, patients, prescribing, suspects, two_people
from core.database import connection
from core.schemas.base import Identifier, Line
from core.schemas.patients import (
    DuplicateQuery,
    DuplicateResult,
    MergeRequest,
    MergeShape,
    NotSameRequest,
    PatientPatch,
    PatientShape,
    SuspectedShape,
    TwoPeopleShape,
)
from core.schemas.record import AllergyFields, VisitSummary
from core.vocabulary import Permission
from server.security import ActorNow, ClinicNow

router = APIRouter(tags=["patients"])
Reason = Annotated[Line, Query(max_length=200)]


@router.get("/patients")
def search(
    actor: ActorNow,
    clinic: ClinicNow,
    q: Annotated[Line, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[PatientShape]:
    """The one search box: numbers, names, name and birth date, address words; best first."""
    with connection():
        found = patients.search(clinic, actor, q, limit) if q else patients.recent(clinic, actor, limit)
        return patients.shapes(clinic, found)


@router.get("/patients/recent")
def recent(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[PatientShape]:
    """What the empty search box shows: the last patients."""
    with connection():
        return patients.shapes(clinic, patients.recent(clinic, actor, limit))


@router.get("/patients/unverified")
def unverified(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[PatientShape]:
    """The verify-later list."""
    with connection():
        return patients.shapes(clinic, patients.unverified(clinic, actor, limit))


@router.get("/patients/suspected")
def suspected(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[SuspectedShape]:
    """Suspected duplicate pairs, for the quiet hour."""
    actor.require(Permission.EDIT_PATIENTS)
    with connection():
        return [
            SuspectedShape(
                left=patients.shape(clinic, pair.left),
                right=patients.shape(clinic, pair.right),
                score=pair.score,
                reasons=list(pair.reasons),
            )
            for pair in suspects.suspected_pairs(clinic, limit)
        ]


@router.post("/patients/duplicates")
def duplicates(body: DuplicateQuery, actor: ActorNow, clinic: ClinicNow) -> DuplicateResult:
    """Who may be the same person as a half-filled form."""
    actor.require(Permission.READ_PATIENTS)
    with connection():
        return matching.duplicates(clinic, body)


@router.get("/patients/{patient_id}")
def read(patient_id: str, actor: ActorNow, clinic: ClinicNow) -> PatientShape:
    """One patient's card; the read is audited."""
    with connection():
        return patients.shape(clinic, patients.get(clinic, actor, patient_id))


@router.patch("/patients/{patient_id}")
def edit(patient_id: str, body: PatientPatch, actor: ActorNow, clinic: ClinicNow) -> PatientShape:
    """Correct a patient's card; the earlier version is kept.

    Changed identifiers are checked like a new patient's. The answer is another patient when the card
    seen showed that both are one person: then the two records became one.
    """
    with connection():
        return patients.shape(clinic, correcting.correct(clinic, actor, patient_id, body))


@router.get("/patients/{patient_id}/history")
def history(patient_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = "") -> list[VisitSummary]:
    """A patient's visits, newest first."""
    return encounters.history(clinic, actor, patient_id, reason)


@router.post("/patients/{patient_id}/allergies", status_code=201)
def add_allergy(patient_id: str, body: AllergyFields, actor: ActorNow) -> dict[str, str]:
    """Record an allergy."""
    return {"id": prescribing.add_allergy(actor, patient_id, body)}


@router.post("/patients/{patient_id}/not-same", status_code=204)
def not_same(patient_id: str, body: NotSameRequest, actor: ActorNow) -> None:
    """Remember that two patients are two people."""
    two_people.remember(actor, patient_id, body.other)


@router.delete("/patients/{patient_id}/not-same/{other_id}", status_code=204)
def undo_not_same(patient_id: str, other_id: str, actor: ActorNow) -> None:
    """Forget that they were judged to be two people."""
    two_people.take_back(actor, patient_id, other_id)


@router.get("/not-same")
def judged_two_people(
    actor: ActorNow, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[TwoPeopleShape]:
    """The last pairs judged to be two people, newest first."""
    with connection():
        return two_people.newest(actor, limit)


@router.post("/patients/{patient_id}/merge", status_code=201)
def merge(patient_id: str, body: MergeRequest, actor: ActorNow, clinic: ClinicNow) -> MergeShape:
    """Make two records one; both histories are kept."""
    with connection():
        return merging.shape(merging.merge(clinic, actor, patient_id, body.into))


@router.get("/merges")
def merges(
    actor: ActorNow, limit: Annotated[int, Query(ge=1, le=200)] = 50, patient: Identifier | None = None
) -> list[MergeShape]:
    """The last merges, of one surviving patient or of all, newest first."""
    with connection():
        return [merging.shape(made) for made in merging.newest(actor, patient, limit)]


@router.post("/merges/{merge_id}/undo")
def undo_merge(merge_id: str, actor: ActorNow, clinic: ClinicNow) -> MergeShape:
    """Take a merge back: both rows as they were."""
    with connection():
        return merging.shape(merging.undo(clinic, actor, merge_id))
