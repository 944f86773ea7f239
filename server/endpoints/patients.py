"""Patients: search, record card, duplicates, merge."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from core.exchange import patient_copy
from core.foundation.codes import Permission
from core.foundation.database import connection
from core.linkage import review_queue
from core.orders import allergy_list
from core.patients import clerical_review, duplicate_check, edit_review, merging, sharing, villages
from core.patients import views as patients
from core.records import encounters
from core.schemas.base import Identifier, Line
from core.schemas.patients import (
    CandidatePairOut,
    DuplicateQuery,
    DuplicateResult,
    MergeOut,
    MergeRequest,
    NonMatchOut,
    NonMatchRequest,
    PatientOut,
    PatientPatch,
    SharingFields,
    SharingOut,
    VillageOut,
)
from core.schemas.record import (
    AllergiesOut,
    AllergyAdded,
    AllergyFields,
    CopyFields,
    CopyOut,
    ReasonFields,
    VisitSummary,
    VoidAllergy,
)
from server.resources import resource
from server.security import ActorNow, ClinicNow, ReasonNow

router = resource("patients")


@router.get("/patients")
def search(
    actor: ActorNow,
    clinic: ClinicNow,
    q: Annotated[Line, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[PatientOut]:
    """Search patients by number, name, name and birth date, or address words; best match first."""
    with connection():
        found = patients.search(clinic, actor, q, limit) if q else patients.recent(clinic, actor, limit)
        return patients.patients_out(clinic, found)


@router.get("/patients/recent")
def recent(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[PatientOut]:
    """Return the last patients, as the empty search box shows them."""
    with connection():
        return patients.patients_out(clinic, patients.recent(clinic, actor, limit))


@router.get("/patients/unverified")
def unverified(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[PatientOut]:
    """Return patients whose card has not been seen, to be verified later."""
    with connection():
        return patients.patients_out(clinic, patients.unverified(clinic, actor, limit))


@router.get("/patients/suspected")
def suspected(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[CandidatePairOut]:
    """Return suspected duplicate pairs for clerical review."""
    actor.require(Permission.EDIT_PATIENTS)
    with connection():
        return [
            CandidatePairOut(
                left=patients.patient_out(clinic, pair.left),
                right=patients.patient_out(clinic, pair.right),
                score=pair.score,
                reasons=list(pair.reasons),
            )
            for pair in review_queue.candidate_pairs(limit)
        ]


@router.get("/villages")
def find_villages(
    actor: ActorNow,
    clinic: ClinicNow,
    q: Annotated[Line, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 12,
) -> list[VillageOut]:
    """Find villages by words or code, those of the clinic's own area first."""
    with connection():
        return villages.find(clinic, actor, q, limit)


@router.post("/patients/duplicates")
def duplicates(body: DuplicateQuery, actor: ActorNow, clinic: ClinicNow) -> DuplicateResult:
    """Return the possible duplicates of a half-filled form."""
    actor.require(Permission.READ_PATIENTS)
    with connection():
        return duplicate_check.duplicates(clinic, body)


@router.get("/patients/{patient_id}")
def read(patient_id: str, actor: ActorNow, clinic: ClinicNow) -> PatientOut:
    """Return one patient's card; the read is audited."""
    with connection():
        return patients.patient_out(clinic, patients.get(clinic, actor, patient_id))


@router.patch("/patients/{patient_id}")
def edit(patient_id: str, body: PatientPatch, actor: ActorNow, clinic: ClinicNow) -> PatientOut:
    """Correct a patient's card; the earlier version is kept.

    Changed identifiers are checked like a new patient's. The answer is another patient when the card
    seen showed that both are one person: then the two records became one.
    """
    with connection():
        return patients.patient_out(clinic, edit_review.correct(clinic, actor, patient_id, body))


@router.get("/patients/{patient_id}/history")
def history(patient_id: str, actor: ActorNow, clinic: ClinicNow, reason: ReasonNow) -> list[VisitSummary]:
    """Return a patient's visits, newest first."""
    return encounters.history(clinic, actor, patient_id, reason)


@router.post("/patients/{patient_id}/copies", status_code=201)
def give_copy(patient_id: str, body: CopyFields, actor: ActorNow, clinic: ClinicNow) -> CopyOut:
    """Make the patient's own copy of the record: in words, or as a FHIR document.

    Args:
        patient_id: The patient.
        body: In which form, and why, outside one's own queue.
        actor: Who gives it.
        clinic: The clinic.
    """
    return patient_copy.give(clinic, actor, patient_id, body)


@router.get("/patients/{patient_id}/sharing")
def sharing_decision(patient_id: str, actor: ActorNow, clinic: ClinicNow) -> SharingOut:
    """Return whether the patient lets the record go to SATUSEHAT, with the paper to sign."""
    return sharing.of_patient(clinic, actor, patient_id)


@router.put("/patients/{patient_id}/sharing")
def decide_sharing(patient_id: str, body: SharingFields, actor: ActorNow, clinic: ClinicNow) -> SharingOut:
    """Keep whether the patient lets the record go to SATUSEHAT; it can be changed at any time.

    Args:
        patient_id: The patient.
        body: The answer.
        actor: Who asked.
        clinic: The clinic.
    """
    return sharing.decide(clinic, actor, patient_id, body)


@router.get("/patients/{patient_id}/allergies")
def allergies(patient_id: str, actor: ActorNow, clinic: ClinicNow, reason: ReasonNow) -> AllergiesOut:
    """Return a patient's allergies, and whether anybody asked."""
    return allergy_list.of_patient(clinic, actor, patient_id, reason)


@router.post("/patients/{patient_id}/allergies", status_code=201)
def add_allergy(patient_id: str, body: AllergyFields, actor: ActorNow, clinic: ClinicNow) -> AllergyAdded:
    """Record an allergy; the open prescriptions that it speaks against are named.

    Args:
        patient_id: The patient.
        body: Substance, reaction, severity, source; outside one's own queue also why.
        actor: The clinician.
        clinic: The clinic.
    """
    return allergy_list.add(clinic, actor, patient_id, body)


@router.post("/patients/{patient_id}/allergies/none")
def state_no_allergies(
    patient_id: str, actor: ActorNow, clinic: ClinicNow, body: ReasonFields | None = None
) -> AllergiesOut:
    """Record that the patient was asked and knows of no allergy."""
    return allergy_list.state_none(clinic, actor, patient_id, body or ReasonFields())


@router.post("/allergies/{allergy_id}/void")
def void_allergy(
    allergy_id: str, actor: ActorNow, clinic: ClinicNow, body: VoidAllergy | None = None
) -> AllergiesOut:
    """Strike an allergy out that was entered in error, with a reason."""
    return allergy_list.void(clinic, actor, allergy_id, body.reason if body is not None else "")


@router.post("/patients/{patient_id}/not-same", status_code=204)
def not_same(patient_id: str, body: NonMatchRequest, actor: ActorNow) -> None:
    """Store that two patients are two people."""
    clerical_review.mark_non_match(actor, patient_id, body.other)


@router.delete("/patients/{patient_id}/not-same/{other_id}", status_code=204)
def undo_not_same(patient_id: str, other_id: str, actor: ActorNow) -> None:
    """Undo the judgement that they are two people."""
    clerical_review.take_back(actor, patient_id, other_id)


@router.get("/not-same")
def judged_two_people(actor: ActorNow, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[NonMatchOut]:
    """Return the last pairs judged to be two people, newest first."""
    with connection():
        return clerical_review.newest(actor, limit)


@router.post("/patients/{patient_id}/merge", status_code=201)
def merge(patient_id: str, body: MergeRequest, actor: ActorNow, clinic: ClinicNow) -> MergeOut:
    """Merge two records; both histories are kept."""
    with connection():
        return merging.merge_out(
            merging.merge(clinic, actor, patient_id, body.into, deceased_confirmed=body.deceased_confirmed)
        )


@router.get("/merges")
def merges(
    actor: ActorNow, limit: Annotated[int, Query(ge=1, le=200)] = 50, patient: Identifier | None = None
) -> list[MergeOut]:
    """Return the last merges, of one surviving patient or of all, newest first."""
    with connection():
        return [merging.merge_out(made) for made in merging.newest(actor, patient, limit)]


@router.post("/merges/{merge_id}/undo")
def undo_merge(merge_id: str, actor: ActorNow, clinic: ClinicNow) -> MergeOut:
    """Undo a merge: both records become as they were."""
    with connection():
        return merging.merge_out(merging.undo(clinic, actor, merge_id))
