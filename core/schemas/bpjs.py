"""Visits at BPJS: how far each is, what is missing, and the proof of each day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from core.schemas.base import Line, Schema
from core.schemas.clinic import ToldOut


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
