"""Routing, the check of a cluster, registration, and drafts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from core.foundation.codes import (
    DoubtAnswer,
    EntryStatus,
    NikHolder,
    Payer,
    PayerSource,
    Priority,
    Sex,
    Verdict,
)
from core.schemas.base import Document, Identifier, Line, RegistrationId, Schema
from core.schemas.patients import DuplicateQuery, DuplicateResult, NikDoubt, PatientFields


class RoutingQuery(Schema):
    """`POST routing`."""

    chief_complaint: Annotated[Line, Field(max_length=500)] = ""
    birth_date: date | None = None
    sex: Sex | None = None
    pregnant: bool = False
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    doubt_answer: DoubtAnswer | None = None
    """Answer to `RoutingOut.doubt`."""


class ReasonOut(Schema):
    """A reason for which a cluster is proposed."""

    rule: str
    """Stable id of the rule."""
    word: str = ""
    """The clerk's own words that matched."""
    text: str
    """In the asker's language: `geraham -> Poli Gigi`."""


class SuggestionOut(Schema):
    """One cluster the rules propose, best first."""

    cluster: str
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[ReasonOut] = []


class RoutingOut(Schema):
    """The routing decision on a complaint and a chosen cluster."""

    verdict: Verdict
    suggestions: list[SuggestionOut] = []
    reasons: list[ReasonOut] = []
    red_flags: list[ReasonOut] = []
    priority: Priority | None = None
    """The priority that a red flag proposes."""
    question: str | None = None
    """Code of the one question that would settle the decision: `which_complaint`, `where`, `what_for`, `age`."""
    blocked_field: str | None = None
    blocked_code: str | None = None
    """Reason for which it cannot be saved: `pregnant_male`, `birth_date_in_future`, ..."""
    doubt: ReasonOut | None = None
    """A danger sign to ask about: "is it there now?". It counts until `doubt_answer` says no; `suspected` only with a yes."""
    cleared: list[ReasonOut] = []
    """Danger signs that the answer took back: priority yellow, and a nurse is told."""
    says_pregnant: bool = False
    """True if the words tell of a pregnancy that the form does not mark: to be asked about before the save."""


class CheckQuery(Schema):
    """`POST registrations/check`: a form as typed so far; parts left out are not checked."""

    person: DuplicateQuery | None = None
    visit: RoutingQuery | None = None


class CheckOut(Schema):
    """The findings on a half-filled form."""

    duplicates: DuplicateResult | None = None
    nik: NikDoubt | None = None
    """The reasons against the NIK being this person's own."""
    routing: RoutingOut | None = None


class LateEntryFields(Schema):
    """Facts about somebody who came before they are registered: written on paper, most often."""

    arrived_at: AwareDatetime
    """The true time of arrival."""
    written_by: Annotated[Line, Field(min_length=1, max_length=80)]
    """Name of the one who wrote it down."""
    paper_number: Annotated[Line, Field(max_length=12)] | None = None
    """Number in the patient's hand: of a printed form, `A-K07`, or of a ticket whose row was lost with a disk,
    `A-017`. None for a sheet without one."""


class RegistrationRequest(Schema):
    """`POST registrations`. The id is made by the client before the first send."""

    id: RegistrationId
    patient: PatientFields | None = None
    patient_id: Identifier | None = None
    chief_complaint: Annotated[Line, Field(min_length=1, max_length=500)]
    pregnant: bool = False
    disability: bool = False
    payer: Payer = Payer.GENERAL
    payer_source: PayerSource | None = None
    """Origin of the payer; the clerk's choice where a payer is given and nothing else is said."""
    cluster: Annotated[Line, Field(min_length=1, max_length=12)]
    priority: Priority | None = None
    override_reason: Annotated[Line, Field(max_length=200)] | None = None
    duplicate_decision: Annotated[Line, Field(max_length=60)] | None = None
    """`new` after the candidates were looked at."""
    doubt_answer: DoubtAnswer | None = None
    """Answer to the routing's `doubt`: no makes its danger sign yellow, yes makes a suspected one red; without it the rules
    stand."""
    nik_holder: NikHolder | None = None
    """The holder of the NIK, after `nik_of_another` asked; another person's is kept as the mother's or guardian's."""
    deceased_confirmed: bool = False
    """Registered although the patient is marked as deceased: the mark was looked at."""
    late: LateEntryFields | None = None
    """Set where the patient had come before."""


class TicketOut(Schema):
    """The number a patient holds. `id` is the queue entry's."""

    id: str
    number: str
    cluster: str
    status: EntryStatus
    position: int | None
    issued_at: datetime
    expected_wait_minutes: int | None = None
    priority: Priority | None = None
    """None in a receipt that was stored before priorities stood in it."""


class Receipt(Schema):
    """Proof of a save: committed, numbered, and in the cluster's pane as of `sequence`."""

    registration_id: str
    visit_id: str
    patient_id: str
    ticket: TicketOut
    sequence: int
    medical_record_number: str = ""
    """Number of the paper folder to be fetched; empty in a receipt that was stored before it stood in it."""


class DraftFields(Schema):
    """`PUT drafts/{key}`."""

    data: Document


class DraftOut(Schema):
    """A half-typed form."""

    key: str
    data: Document
    saved_at: datetime | None = None
