"""Patients: cards, look-alikes, merges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, get_args

from pydantic import ConfigDict, Field
from pydantic.fields import FieldInfo

from core.foundation.codes import (
    AppointmentOrigin,
    AppointmentStatus,
    DuplicateBand,
    NikHolder,
    NoIdentifierReason,
    Payer,
    Sex,
)
from core.schemas.base import ForDeceased, Identifier, Line, Name, Schema

TypedNumber = Annotated[Line, Field(max_length=32)]
"""A number of a card as typed or scanned, with spaces, dots and dashes."""
PassportNumber = Annotated[Line, Field(max_length=20)]
OtherNames = Annotated[Line, Field(max_length=200)]
PartOfName = Annotated[Line, Field(max_length=120)]
"""A name that may be empty."""
Phone = Annotated[Line, Field(max_length=20)]
StreetAddress = Annotated[Line, Field(max_length=200)]
Neighbourhood = Annotated[Line, Field(max_length=3)]
"""RT or RW."""
VillageCode = Annotated[Line, Field(max_length=13)]
IdentityCode = Annotated[Line, Field(max_length=8)]
"""A code of `core/data/identity_values.toml`, or `refused`; empty: nobody asked."""


class PatientFields(Schema):
    """Fields of a patient that a clerk may enter. Numbers may hold spaces, dots and dashes."""

    name: Name
    """What follows `alias` is kept as `other_names`."""
    other_names: OtherNames = ""
    """Called as, the husband's, former names; parted by commas."""
    sex: Sex
    birth_date: date
    birth_date_estimated: bool = False
    nik: TypedNumber | None = None
    bpjs_number: TypedNumber | None = None
    family_card_number: TypedNumber | None = None
    passport_number: PassportNumber | None = None
    mother_name: PartOfName = ""
    mother_id: Identifier | None = None
    mother_nik: TypedNumber | None = None
    guardian_nik: TypedNumber | None = None
    """NIK of another relative whose card was shown instead."""
    birth_order: Annotated[int, Field(ge=0, le=9)] | None = None
    phone: Phone = ""
    address: StreetAddress = ""
    rt: Neighbourhood = ""
    rw: Neighbourhood = ""
    village_code: VillageCode = ""
    no_identifier_reason: NoIdentifierReason | None = None
    religion: IdentityCode = ""
    education: IdentityCode = ""
    occupation: IdentityCode = ""
    marital_status: IdentityCode = ""
    identity_verified: bool = False
    """A card was seen just now."""


def longest(name: str) -> int:
    """Return the most characters of a text in `PatientFields`."""
    field = PatientFields.model_fields[name]
    return next(_longest((*field.metadata, *get_args(field.annotation))))


def _longest(rules: Iterable[object]) -> Iterator[int]:
    """Yield the lengths that the rules of a type name, those of the types it is made of too."""
    for rule in rules:
        if isinstance(rule, FieldInfo):
            yield from _longest(rule.metadata)
        elif hasattr(rule, "max_length"):
            yield int(rule.max_length)
        else:
            yield from _longest(getattr(rule, "__metadata__", ()))


class PatientPatch(Schema):
    """`PATCH patients/{id}`: only what changes; the version guards against a lost update."""

    expected_version: int | None = None
    name: Name | None = None
    other_names: OtherNames | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    birth_date_estimated: bool | None = None
    nik: TypedNumber | None = None
    bpjs_number: TypedNumber | None = None
    family_card_number: TypedNumber | None = None
    passport_number: PassportNumber | None = None
    mother_name: PartOfName | None = None
    mother_id: Identifier | None = None
    mother_nik: TypedNumber | None = None
    guardian_nik: TypedNumber | None = None
    birth_order: Annotated[int, Field(ge=0, le=9)] | None = None
    phone: Phone | None = None
    address: StreetAddress | None = None
    rt: Neighbourhood | None = None
    rw: Neighbourhood | None = None
    village_code: VillageCode | None = None
    no_identifier_reason: NoIdentifierReason | None = None
    religion: IdentityCode | None = None
    education: IdentityCode | None = None
    occupation: IdentityCode | None = None
    marital_status: IdentityCode | None = None
    identity_verified: bool | None = None
    death_reported_on: date | None = None
    """Null takes back a death that a list reported wrongly."""
    duplicate_decision: Annotated[Line, Field(max_length=60)] | None = None
    """`new`: the clerk has looked at who else may be this person, and it is nobody of them."""
    nik_holder: NikHolder | None = None
    """The holder of the NIK, after `nik_of_another` asked."""


class SharingFields(Schema):
    """The patient's answer: whether the record may go to SATUSEHAT."""

    agreed: bool


class SharingOut(Schema):
    """The patient's decision, with the paper to sign."""

    patient_id: str
    agreed: bool | None = None
    """Null: nobody asked yet."""
    decided_at: datetime | None = None
    decided_by: str = ""
    text: str = ""
    """Lines of at most 72 characters."""


class AppointmentOut(Schema):
    """A number taken from home for today."""

    number: str
    cluster: str
    chief_complaint: str
    bpjs_number: str = ""
    """The card with which it was taken."""


class PatientOut(PatientFields):
    """A stored patient."""

    id: str
    medical_record_number: str
    age: int
    """Whole years today."""
    version: int
    identity_verified_at: datetime | None = None
    last_visit_on: date | None = None
    last_payer: Payer | None = None
    """Payer of the last visit."""
    deceased_on: date | None = None
    """The day on which the patient died: here, or as a list reported."""
    open_entry: str | None = None
    """Number and cluster when the patient is in a queue now: `B-004 GIGI`."""
    appointment: AppointmentOut | None = None
    """A number kept for the patient today."""
    allergies: list[str] = []
    allergies_asked: bool = False
    """There are some, or the patient was asked and knew of none; false: an empty list says nothing."""
    merged_into: str | None = None
    ihs_number: str = ""
    """SATUSEHAT's number of the person; empty where it is not known."""
    village: str = ""
    """Village and district of `village_code`; empty where the code is not in the list."""
    warnings: list[str] = []
    """Identity findings worth a look: `nik_sex_differs`, `nik_region_unknown`, ..."""


class BookingOut(AppointmentOut):
    """A number that waits for its patient, taken from home or given in the room."""

    id: str
    service_on: date
    origin: AppointmentOrigin = AppointmentOrigin.HOME
    status: AppointmentStatus
    patient: PatientOut
    phone: str = ""
    """As it was sent."""
    doctor: str = ""
    """BPJS's number of the clinician wanted."""
    hours: str = ""
    booked_at: datetime
    end_reason: str = ""


class DuplicateQuery(Schema):
    """A half-filled form: every field may be missing."""

    name: PartOfName = ""
    other_names: OtherNames = ""
    sex: Sex | None = None
    birth_date: date | None = None
    birth_date_estimated: bool = False
    nik: TypedNumber | None = None
    bpjs_number: TypedNumber | None = None
    family_card_number: TypedNumber | None = None
    passport_number: PassportNumber | None = None
    mother_name: PartOfName = ""
    phone: Phone = ""
    address: StreetAddress = ""
    rt: Neighbourhood = ""
    rw: Neighbourhood = ""
    exclude_id: Identifier | None = None
    """When an existing patient is edited."""

    model_config = ConfigDict(extra="ignore")


class DuplicateCandidate(Schema):
    """A patient who may be the same person."""

    patient: PatientOut
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[str]
    """Stable codes, best first: `same_nik`, `nik_one_digit`, `same_birth_date`, `similar_name`, ..."""


class DuplicateResult(Schema):
    """Answer of the duplicate check."""

    band: DuplicateBand
    candidates: list[DuplicateCandidate]


class VillageOut(Schema):
    """A village (desa, kelurahan) of the region list."""

    code: str
    """Kemendagri code, ten digits without dots."""
    name: str
    district: str = ""
    regency: str = ""


class NikDoubt(Schema):
    """The reasons against a NIK being the patient's own, and its possible holders."""

    findings: list[str]
    """`nik_sex_differs`, `nik_birth_date_differs`, `nik_of_adult`, `nik_of_patient`."""
    nik: str
    sex: Sex
    birth_date: date
    """Both as the number says them of its holder."""
    likely: NikHolder
    answers: list[NikHolder]
    """Those that `nik_holder` may give."""
    holder: PatientOut | None = None
    """The patient who has the number."""


class MergeRequest(ForDeceased):
    """`POST patients/{id}/merge`."""

    into: Identifier


class MergeOut(Schema):
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


class NonMatchRequest(Schema):
    """`POST patients/{id}/not-same`: the other record is another person's."""

    other: Identifier


class NonMatchOut(Schema):
    """Two patients that a person has judged to be two people."""

    left_id: str
    right_id: str
    left_name: str
    left_number: str
    right_name: str
    right_number: str
    """Medical record numbers of both."""
    decided_at: datetime
    decided_by: str


class CandidatePairOut(Schema):
    """Two stored patients that may be one person."""

    left: PatientOut
    right: PatientOut
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[str]
    """Stable codes, as of `DuplicateCandidate`."""
