"""Codes and words of diagnoses, procedures, medicines and laboratory tests."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from core.foundation.ages import DAYS_PER_YEAR
from core.foundation.codes import Permission, Sex
from core.orders import diagnoses, immunisations, laboratory_tests, prescribing, procedures
from core.schemas.base import Line
from core.schemas.record import (
    CodeOut,
    LabTestOut,
    MedicineOut,
    VaccineOut,
)
from server.resources import resource
from server.security import ActorNow, ClinicNow, LanguageNow

router = resource("terminology")
Identifier = Annotated[Line, Query(max_length=40)]
Words = Annotated[Line, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/diagnoses")
def find_diagnoses(
    actor: ActorNow,
    language: LanguageNow,
    q: Words = "",
    limit: Limit = 20,
    sex: Sex | None = None,
    age_days: Annotated[int | None, Query(ge=0, le=50_000)] = None,
) -> list[CodeOut]:
    """Find ICD-10 codes by code or words.

    Args:
        actor: Actor who searches.
        language: Language of the titles.
        q: Words or the beginning of a code.
        limit: Most codes.
        sex: Of the patient: codes that cannot be theirs are not found by words.
        age_days: Of the patient.
    """
    years = None if age_days is None else age_days / DAYS_PER_YEAR
    return diagnoses.find(q, limit, language, actor.clusters, diagnoses.PatientFacts(sex, years))


@router.get("/procedures")
def find_procedures(
    actor: ActorNow, language: LanguageNow, q: Words = "", limit: Limit = 20
) -> list[CodeOut]:
    """Find procedures by code or words."""
    return procedures.find(q, limit, language)


@router.get("/vaccines")
def find_vaccines(actor: ActorNow, q: Words = "", limit: Limit = 12) -> list[VaccineOut]:
    """Find vaccines by words, with the products of the clinic's import of KFA."""
    return immunisations.find_vaccines(actor, q, limit)


@router.get("/medicines")
def find_medicines(
    actor: ActorNow, clinic: ClinicNow, q: Words = "", limit: Limit = 12, visit_id: Identifier = ""
) -> list[MedicineOut]:
    """Find medicines by words, each with its usual dose.

    Args:
        actor: The clinician.
        clinic: The clinic.
        q: As typed.
        limit: Most medicines.
        visit_id: A visit at which the clinician may prescribe: a child's doses go by its weight.
    """
    return prescribing.find_medicines(clinic, actor, q, limit, visit_id)


@router.get("/tests")
def find_tests(actor: ActorNow, q: Words = "", limit: Limit = 20) -> list[LabTestOut]:
    """Find laboratory tests by words."""
    actor.require(Permission.READ_RECORDS)
    return laboratory_tests.find_tests(q, limit)
