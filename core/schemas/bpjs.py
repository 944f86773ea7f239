"""Visits at BPJS: how far each is, what is missing, and the proof of each day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from core.schemas.base import Line, Schema
from core.schemas.clinic import ToldOut

CHANGED = "bpjs"
"""Kind of the change by which screens hear that something is elsewhere at BPJS."""
REFERRED = "referral"
"""Kind of the change by which screens hear that the number of a referral has come, or that it was refused."""


class BpjsVisitOut(Schema):
    """One visit of an insured person, as BPJS holds it."""

    visit_id: str
    what: str = "visit"
    """`visit` in P-Care, or `queue`: what Mobile JKN shows of its number."""
    patient_id: str
    patient_name: str
    service_on: date
    status: str
    """`pending`, `sent` or `refused`."""
    registration_number: str | None = None
    visit_number: str | None = None
    gaps: list[str] = []
    """Codes of what the record lacks for P-Care."""
    error: str | None = None
    """BPJS's own words."""
    updated_at: datetime | None = None


class BpjsStatusOut(Schema):
    """`GET bpjs`: how far the visits are."""

    is_set_up: bool
    waiting: int = 0
    settled_today: int = 0
    set_aside: int = 0
    last_run_at: datetime | None = None
    last_error: str | None = None
    told: list[ToldOut] = []
    """The last error in words."""
    comparison: dict[str, Any] | None = None
    """The last proof of a day: `day`, `agrees`, `here`, `there`, `missing`, `only_there`, `open_here`."""


class BpjsCodeOut(Schema):
    """Something of the clinic's, with the code that it has at BPJS."""

    kind: str
    """`poli`, `doctor`, `medicine`, `procedure` or `allergy`."""
    ours: str
    """Code of the cluster, username, folded name of the medicine or allergy, or code of the procedure."""
    title: str
    used: int = 0
    """Times that a medicine, procedure or allergy was written for an insured person of late."""
    code: str = ""
    """Empty while nobody has said; `-`: BPJS's list has none."""
    code_name: str = ""


class BpjsCodesOut(Schema):
    """`GET bpjs/codes`: what needs a code at BPJS, first what has none."""

    items: list[BpjsCodeOut] = []
    read_at: datetime | None = None
    """Instant at which BPJS's lists were read; None before the first time."""


class BpjsListItemOut(Schema):
    """`GET bpjs/lists/{kind}`: an item of a list of BPJS's."""

    code: str
    name: str = ""


class BpjsCodeFields(Schema):
    """`PUT bpjs/codes`: BPJS's code for something of the clinic's; an empty one takes it back."""

    kind: Annotated[Line, Field(max_length=12)]
    """`poli`, `doctor`, `medicine`, `procedure` or `allergy`."""
    ours: Annotated[Line, Field(min_length=1, max_length=120)]
    theirs: Annotated[Line, Field(max_length=24)] = ""
    """`-`: BPJS's list has none."""
    name: Annotated[Line, Field(max_length=200)] = ""


class ReferralItemOut(Schema):
    """An item of a list of BPJS's for a referral."""

    code: str
    name: str = ""
    note: str = ""
    """Of a facility: town, class, distance, hours, how many it has taken of how many."""


class ReferralListOut(Schema):
    """`GET bpjs/referral-lists/{kind}`: a list for a referral, as BPJS has it or as it was read last."""

    items: list[ReferralItemOut] = []
    read_at: datetime | None = None
    """Instant at which the oldest of them was read; None where there are none."""
    answered: bool = False
    """False: BPJS gave no answer, and these are what is known from before."""
    non_specialist: bool | None = None
    """True if primary care treats the diagnosis asked about to the end; None: not asked, or not known."""


class ReferralOut(Schema):
    """`GET bpjs/referrals`: a patient who was referred, and how far the referral's number is."""

    visit_id: str
    patient_id: str
    patient_name: str
    medical_record_number: str
    service_on: date
    ticket: str = ""
    """Number with which the patient waited last."""
    facility: str = ""
    department: str = ""
    refer_on: date | None = None
    urgent: bool = False
    number: str = ""
    """BPJS's; empty until it has come."""
    until: str = ""
    """Last day on which the hospital takes it, as BPJS writes it."""
    letter: str = ""
    """Number of the newest letter; empty: none was issued."""
    letter_has_number: bool = False
    """True if the newest letter bears BPJS's number."""
    error: str | None = None
    """BPJS's own words, where it refused the visit."""
    gaps: list[str] = []
    """Codes of what the record lacks for P-Care."""
