"""The clinical record: visits, encounters, diagnoses, orders, prescriptions, letters."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from core.schemas.base import Document, Line, Prose, Shape
from core.schemas.patients import PatientShape
from core.schemas.queues import EntryPatient, EntryShape
from core.vocabulary import CaseKind, Disposition, OrderStatus, Payer


class VisitSummary(Shape):
    """One line of a timeline."""

    id: str
    service_on: date
    status: str
    chief_complaint: str
    clusters: list[str]
    diagnoses: list[str]
    """`K02.9 Karies gigi`."""


class DiagnosisFields(Shape):
    """`POST visits/{id}/diagnoses`."""

    code: Annotated[Line, Field(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")]
    case_kind: CaseKind = CaseKind.NEW


class DiagnosisShape(DiagnosisFields):
    """A recorded diagnosis."""

    id: str
    title: str
    rank: int
    recorded_at: datetime


class CodeShape(Shape):
    """One line of a list of codes: ICD-10, or procedures."""

    code: str
    title: str


class ProcedureFields(Shape):
    """`POST visits/{id}/procedures`."""

    code: Annotated[Line, Field(min_length=2, max_length=12)]
    note: Annotated[Line, Field(max_length=200)] = ""


class ProcedureShape(ProcedureFields):
    """A recorded procedure."""

    id: str
    title: str
    performed_at: datetime
    performed_by: str


class MedicineShape(Shape):
    """A medicine as it is usually prescribed."""

    medicine: str
    dose: str = ""
    frequency: str = ""
    amount: str = ""
    instructions: str = ""


class PrescriptionFields(Shape):
    """`POST visits/{id}/prescriptions`."""

    medicine: Annotated[Line, Field(min_length=1, max_length=120)]
    dose: Annotated[Line, Field(max_length=60)] = ""
    frequency: Annotated[Line, Field(max_length=60)] = ""
    amount: Annotated[Line, Field(max_length=30)] = ""
    instructions: Annotated[Line, Field(max_length=200)] = ""
    allergy_override: bool = False
    """Prescribed knowingly against a recorded allergy."""


class PrescriptionShape(PrescriptionFields):
    """A recorded prescription."""

    id: str
    status: OrderStatus
    prescribed_at: datetime
    prescribed_by: str = ""
    dispensed_at: datetime | None = None
    dispensed_amount: str = ""
    """What was handed out where it differs from `amount`."""
    dispense_note: str = ""


class DispenseFields(Shape):
    """`POST prescriptions/{id}/dispense`."""

    amount: Annotated[Line, Field(max_length=30)] = ""
    """What was handed out; empty for what was prescribed."""
    note: Annotated[Line, Field(max_length=200)] = ""


class LabTestShape(Shape):
    """One line of the list of laboratory tests."""

    test: str
    title_en: str = ""
    unit: str = ""


class OrderFields(Shape):
    """`POST visits/{id}/orders`."""

    test: Annotated[Line, Field(min_length=1, max_length=80)]
    note: Annotated[Line, Field(max_length=200)] = ""


class OrderResult(Shape):
    """A laboratory result."""

    result: Annotated[Line, Field(min_length=1, max_length=200)]
    unit: Annotated[Line, Field(max_length=20)] = ""
    reference_range: Annotated[Line, Field(max_length=60)] = ""


class OrderShape(OrderFields):
    """A recorded order."""

    id: str
    status: OrderStatus
    ordered_at: datetime
    ordered_by: str = ""
    result: str | None = None
    unit: str = ""
    reference_range: str = ""
    interpretation: str = ""
    """`low`, `high`, `abnormal`, `normal`, or empty when it cannot be said."""
    choices: list[str] = []
    """The answers of a test that gives no number."""
    resulted_at: datetime | None = None


class WorkItem(Shape):
    """What one patient has waiting in the laboratory or the pharmacy."""

    visit_id: str
    service_on: date
    patient: EntryPatient
    pregnant: bool = False
    chief_complaint: str = ""
    allergies: list[str] = []
    ordered_by: str
    """Names of those who ordered it."""
    since: datetime
    """When the oldest of it was ordered."""
    waited_minutes: int
    place: str = ""
    """Number, cluster and status of the patient's open queue entry; empty when gone."""
    entry: EntryShape | None = None
    """The open entry, when it is in one of the asker's own clusters."""
    diagnoses: list[str] = []
    orders: list[OrderShape] = []
    prescriptions: list[PrescriptionShape] = []


class EncounterFields(Shape):
    """`PUT visits/{id}/encounter`: the SOAP form as a whole."""

    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """Which cluster's contact; the visit's open one unless given."""
    expected_version: int | None = None
    vitals: dict[str, float] = {}
    subjective: Prose = ""
    objective: Prose = ""
    assessment: Prose = ""
    plan: Prose = ""
    form: Document = {}
    disposition: Disposition | None = None
    sign: bool = False


class EncounterShape(Shape):
    """A recorded contact."""

    id: str
    cluster: str
    practitioner: str
    version: int
    vitals: dict[str, float]
    vitals_warnings: dict[str, str] = {}
    """Vital -> `low` or `high` against the range for the patient's age."""
    subjective: str
    objective: str
    assessment: str
    plan: str
    form: dict[str, Any] = {}
    disposition: Disposition | None = None
    entered_at: datetime
    signed_at: datetime | None = None
    locked: bool = False
    addenda: list[str] = []


class PreviousValue(Shape):
    """What an earlier visit said."""

    value: float | str | bool
    service_on: date


class LetterFields(Shape):
    """`POST visits/{id}/letters`."""

    kind: Annotated[Line, Field(min_length=1, max_length=16)]
    answers: Document = {}
    """What the kind of letter asks for; dates as ISO text."""


class LetterShape(Shape):
    """A certificate or referral that was issued."""

    id: str
    kind: str
    number: str
    text: str
    issued_at: datetime


class VisitShape(Shape):
    """A visit with its record."""

    id: str
    patient: PatientShape
    service_on: date
    status: str
    chief_complaint: str
    payer: Payer
    pregnant: bool = False
    routing: dict[str, Any] = {}
    override_reason: str | None = None
    disposition: Disposition | None = None
    entries: list[EntryShape] = []
    encounters: list[EncounterShape] = []
    diagnoses: list[DiagnosisShape] = []
    procedures: list[ProcedureShape] = []
    prescriptions: list[PrescriptionShape] = []
    orders: list[OrderShape] = []
    letters: list[LetterShape] = []
    previous: dict[str, PreviousValue] = {}
    """Vital sign or form field -> what the newest earlier visit said."""
    alerts: list[str] = []
    """Lasting illnesses known from earlier visits: `I10 Hipertensi`."""


class AllergyFields(Shape):
    """`POST patients/{id}/allergies`."""

    substance: Annotated[Line, Field(min_length=1, max_length=120)]
    reaction: Annotated[Line, Field(max_length=120)] = ""


class AddendumFields(Shape):
    """`POST visits/{id}/addenda`."""

    text: Annotated[Prose, Field(min_length=1)]
