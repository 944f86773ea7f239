"""Patients: cards, look-alikes, merges."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from core.schemas.base import Identifier, Line, Name, Shape
from core.vocabulary import DuplicateBand, NoIdentifierReason, Sex


class PatientFields(Shape):
    """What a clerk may enter of a patient. Numbers may hold spaces, dots and dashes."""

    name: Name
    sex: Sex
    birth_date: date
    birth_date_estimated: bool = False
    nik: Annotated[Line, Field(max_length=32)] | None = None
    bpjs_number: Annotated[Line, Field(max_length=32)] | None = None
    family_card_number: Annotated[Line, Field(max_length=32)] | None = None
    passport_number: Annotated[Line, Field(max_length=20)] | None = None
    mother_name: Annotated[Line, Field(max_length=120)] = ""
    mother_id: Identifier | None = None
    birth_order: Annotated[int, Field(ge=0, le=9)] | None = None
    phone: Annotated[Line, Field(max_length=20)] = ""
    address: Annotated[Line, Field(max_length=200)] = ""
    rt: Annotated[Line, Field(max_length=3)] = ""
    rw: Annotated[Line, Field(max_length=3)] = ""
    village_code: Annotated[Line, Field(max_length=13)] = ""
    no_identifier_reason: NoIdentifierReason | None = None
    identity_verified: bool = False
    """A card was seen just now."""


class PatientPatch(Shape):
    """`PATCH patients/{id}`: only what changes; the version guards against a lost update."""

    expected_version: int | None = None
    name: Name | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    birth_date_estimated: bool | None = None
    nik: Annotated[Line, Field(max_length=32)] | None = None
    bpjs_number: Annotated[Line, Field(max_length=32)] | None = None
    family_card_number: Annotated[Line, Field(max_length=32)] | None = None
    passport_number: Annotated[Line, Field(max_length=20)] | None = None
    mother_name: Annotated[Line, Field(max_length=120)] | None = None
    mother_id: Identifier | None = None
    birth_order: Annotated[int, Field(ge=0, le=9)] | None = None
    phone: Annotated[Line, Field(max_length=20)] | None = None
    address: Annotated[Line, Field(max_length=200)] | None = None
    rt: Annotated[Line, Field(max_length=3)] | None = None
    rw: Annotated[Line, Field(max_length=3)] | None = None
    village_code: Annotated[Line, Field(max_length=13)] | None = None
    no_identifier_reason: NoIdentifierReason | None = None
    identity_verified: bool | None = None
    duplicate_decision: Annotated[Line, Field(max_length=60)] | None = None
    """`new`: the clerk has looked at who else may be this person, and it is nobody of them."""


class AppointmentShape(Shape):
    """A number taken from home for today."""

    number: str
    cluster: str
    chief_complaint: str


class PatientShape(PatientFields):
    """A stored patient."""

    id: str
    medical_record_number: str
    age: int
    """Whole years today."""
    version: int
    identity_verified_at: datetime | None = None
    last_visit_on: date | None = None
    open_entry: str | None = None
    """Number and cluster when the patient is in a queue now: `B-004 GIGI`."""
    appointment: AppointmentShape | None = None
    """A number kept for the patient today."""
    allergies: list[str] = []
    merged_into: str | None = None
    warnings: list[str] = []
    """Identity findings worth a look: `nik_sex_differs`, `nik_region_unknown`, ..."""


class DuplicateQuery(Shape):
    """A half-filled form: every field may be missing."""

    name: Annotated[Line, Field(max_length=120)] = ""
    sex: Sex | None = None
    birth_date: date | None = None
    nik: Annotated[Line, Field(max_length=32)] | None = None
    bpjs_number: Annotated[Line, Field(max_length=32)] | None = None
    family_card_number: Annotated[Line, Field(max_length=32)] | None = None
    passport_number: Annotated[Line, Field(max_length=20)] | None = None
    mother_name: Annotated[Line, Field(max_length=120)] = ""
    phone: Annotated[Line, Field(max_length=20)] = ""
    address: Annotated[Line, Field(max_length=200)] = ""
    rt: Annotated[Line, Field(max_length=3)] = ""
    rw: Annotated[Line, Field(max_length=3)] = ""
    exclude_id: Identifier | None = None
    """When an existing patient is edited."""

    model_config = ConfigDict(extra="ignore")


class DuplicateCandidate(Shape):
    """A patient who may be the same person."""

    patient: PatientShape
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[str]
    """Stable codes, best first: `same_nik`, `nik_one_digit`, `same_birth_date`, `similar_name`, ..."""


class DuplicateResult(Shape):
    """What the duplicate check says."""

    band: DuplicateBand
    candidates: list[DuplicateCandidate]


class MergeRequest(Shape):
    """`POST patients/{id}/merge`."""

    into: Identifier


class MergeShape(Shape):
    """A merge that was made."""

    id: str
    survivor_id: str
    merged_id: str
    merged_at: datetime
    undone_at: datetime | None = None
    name: str = ""
    """The survivor's name."""
    survivor_number: str = ""
    merged_number: str = ""
    """Medical record numbers of both."""
    merged_by: str = ""


class NotSameRequest(Shape):
    """`POST patients/{id}/not-same`: two people, however alike their records are."""

    other: Identifier


class TwoPeopleShape(Shape):
    """Two patients whom somebody judged to be two people."""

    left_id: str
    right_id: str
    left_name: str
    left_number: str
    right_name: str
    right_number: str
    """Medical record numbers of both."""
    decided_at: datetime
    decided_by: str


class SuspectedShape(Shape):
    """Two stored patients who may be one."""

    left: PatientShape
    right: PatientShape
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[str]
    """Stable codes, as of `DuplicateCandidate`."""
