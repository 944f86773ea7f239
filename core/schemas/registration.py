"""Routing, the check of a cluster, registering, and what is half-typed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from core.schemas.base import Document, Identifier, Line, RegistrationId, Shape
from core.schemas.patients import DuplicateQuery, DuplicateResult, PatientFields
from core.vocabulary import EntryStatus, Payer, Priority, Sex, Verdict


class RoutingQuery(Shape):
    """`POST routing`."""

    chief_complaint: Annotated[Line, Field(max_length=500)] = ""
    birth_date: date | None = None
    sex: Sex | None = None
    pregnant: bool = False
    cluster: Annotated[Line, Field(max_length=12)] | None = None


class ReasonShape(Shape):
    """Why a cluster is proposed."""

    rule: str
    """Stable id of the rule."""
    word: str = ""
    """The clerk's own words that matched."""
    text: str
    """In the asker's language: `geraham -> Poli Gigi`."""


class SuggestionShape(Shape):
    """One cluster the rules propose, best first."""

    cluster: str
    score: Annotated[float, Field(ge=0, le=1)]
    reasons: list[ReasonShape] = []


class RoutingShape(Shape):
    """What the rules say of a complaint and a chosen cluster."""

    verdict: Verdict
    suggestions: list[SuggestionShape] = []
    reasons: list[ReasonShape] = []
    red_flags: list[ReasonShape] = []
    priority: Priority | None = None
    """What a red flag proposes."""
    question: str | None = None
    """Code of the one question that would settle it: `which_complaint`, `where`, `what_for`, `age`."""
    blocked_field: str | None = None
    blocked_code: str | None = None
    """Why it cannot be saved: `pregnant_male`, `birth_date_in_future`, ..."""


class CheckQuery(Shape):
    """`POST registrations/check`: a form as it stands; what is left out is not asked."""

    person: DuplicateQuery | None = None
    visit: RoutingQuery | None = None


class CheckShape(Shape):
    """What the core says of a half-filled form."""

    duplicates: DuplicateResult | None = None
    routing: RoutingShape | None = None


class RegistrationRequest(Shape):
    """`POST registrations`. The id is made by the client before the first send."""

    id: RegistrationId
    patient: PatientFields | None = None
    patient_id: Identifier | None = None
    chief_complaint: Annotated[Line, Field(min_length=1, max_length=500)]
    pregnant: bool = False
    disability: bool = False
    payer: Payer = Payer.GENERAL
    cluster: Annotated[Line, Field(min_length=1, max_length=12)]
    priority: Priority | None = None
    override_reason: Annotated[Line, Field(max_length=200)] | None = None
    duplicate_decision: Annotated[Line, Field(max_length=60)] | None = None
    """`new` after the candidates were looked at."""


class TicketShape(Shape):
    """The number a patient holds. `id` is the queue entry's."""

    id: str
    number: str
    cluster: str
    status: EntryStatus
    position: int | None
    issued_at: datetime
    expected_wait_minutes: int | None = None


class Receipt(Shape):
    """Proof of a save: committed, numbered, and in the cluster's pane as of `sequence`."""

    registration_id: str
    visit_id: str
    patient_id: str
    ticket: TicketShape
    sequence: int


class DraftFields(Shape):
    """`PUT drafts/{key}`."""

    data: Document


class DraftShape(Shape):
    """Something half-typed."""

    key: str
    data: Document
    saved_at: datetime | None = None
