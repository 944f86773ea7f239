"""The clinical record: visits, encounters, diagnoses, orders, prescriptions, letters."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from core.foundation.codes import (
    AccessReason,
    AllergySeverity,
    AllergySource,
    CaseKind,
    CompoundMake,
    CopyForm,
    Disposition,
    InjectionSite,
    OrderStatus,
    Payer,
    Role,
)
from core.schemas.base import Because, Document, ForDeceased, Line, Prose, Schema, says_something
from core.schemas.patients import PatientOut
from core.schemas.queues import EntryOut, EntryPatient


class StatedReason(NamedTuple):
    """Reason for opening a record outside one's own queue."""

    words: str = ""
    code: AccessReason = AccessReason.OTHER

    @property
    def is_given(self) -> bool:
        """Return whether the words say something."""
        return says_something(self.words)


NO_REASON = StatedReason()


class ReasonFields(Schema):
    """Reason for opening a record outside one's own queue; needed there only."""

    reason: Annotated[Line, Field(max_length=200)] = ""
    reason_code: AccessReason = AccessReason.OTHER


class CopyFields(ReasonFields):
    """`POST patients/{id}/copies`: the patient's own copy of the record."""

    form: CopyForm = CopyForm.TEXT


class CopyOut(Schema):
    """The patient's own copy of the record, in the form that was asked for."""

    patient_id: str
    form: CopyForm
    text: str = ""
    """Lines of at most 72 characters."""
    document: dict[str, Any] | None = None
    """A FHIR R4 Bundle of type `document`."""
    file: str = ""
    """Path of the document on the server."""


class VisitSummary(Schema):
    """One line of a timeline."""

    id: str
    service_on: date
    status: str
    chief_complaint: str
    clusters: list[str]
    diagnoses: list[str]
    """`K02.9 Karies gigi`."""


class DiagnosisFields(ForDeceased):
    """`POST visits/{id}/diagnoses`."""

    code: Annotated[Line, Field(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")]
    case_kind: CaseKind | None = None
    """Unless given: old for an illness that the patient is known to have, otherwise new."""
    confirm: bool = False
    """Recorded although the code is of the other sex or of an impossible age."""


class DiagnosisOut(Schema):
    """A recorded diagnosis."""

    id: str
    code: str
    case_kind: CaseKind
    title: str
    rank: int
    recorded_at: datetime
    non_specialist: bool | None = None
    """True where BPJS asks for a TACC at a referral; None: it did not say."""


class CodeOut(Schema):
    """One line of a list of codes: ICD-10, or procedures."""

    code: str
    title: str
    doubtful: bool = False
    """Guessed: a word was replaced by one like it, or some are missing."""
    unfit: str = ""
    """`sex` or `age` where the code cannot be the patient's; only a code typed as such is found then."""


class ProcedureContent(Schema):
    """A procedure and the note to it."""

    code: Annotated[Line, Field(min_length=2, max_length=12)]
    note: Annotated[Line, Field(max_length=200)] = ""


class ProcedureFields(ForDeceased, ProcedureContent):
    """`POST visits/{id}/procedures`."""


class ProcedureOut(ProcedureContent):
    """A recorded procedure."""

    id: str
    title: str
    performed_at: datetime
    performed_by: str


class VaccineOut(Schema):
    """A vaccine as it is chosen: of the list, or a product of the clinic's import of KFA."""

    vaccine: str
    product: str = ""
    """KFA (93...)."""


class ImmunisationFields(ForDeceased):
    """`POST visits/{id}/immunisations`."""

    vaccine: Annotated[Line, Field(min_length=2, max_length=120)]
    product: Annotated[Line, Field(max_length=8)] = ""
    dose_number: Annotated[int, Field(ge=1, le=9)]
    lot_number: Annotated[Line, Field(min_length=1, max_length=40)]
    expires_on: date
    site: InjectionSite | None = None
    allergy_override: bool = False
    expired_override: bool = False
    """It was given although it had expired."""
    confirmed: list[Annotated[Line, Field(max_length=40)]] = []
    """Codes of the questions that are answered with yes."""
    override_reason: Annotated[Line, Field(max_length=200)] = ""


class ImmunisationOut(Schema):
    """A vaccine that was given."""

    id: str
    vaccine: str
    product: str = ""
    dose_number: int
    lot_number: str
    expires_on: date
    site: InjectionSite | None = None
    given_at: datetime
    given_by: str
    override_reason: str = ""


class MedicineOut(Schema):
    """A medicine as it is usually prescribed."""

    medicine: str
    dose: str = ""
    frequency: str = ""
    amount: str = ""
    instructions: str = ""
    basis: str = ""
    """Where the dose comes from: empty for the usual adult dose, `by_weight`, `by_age`; or why there is none:
    `weight_needed`, `no_child_dose`."""
    source: str = ""
    """Where a child's dose stands written."""


class CompoundIngredient(Schema):
    """One ingredient of a compounded medicine."""

    medicine: Annotated[Line, Field(min_length=1, max_length=120)]
    amount: Annotated[Line, Field(max_length=30)] = ""
    """`120 mg`, `1/4 tab`: in each paper, or in all, as `per_paper` says."""


class PrescriptionFields(ForDeceased):
    """`POST visits/{id}/prescriptions`."""

    medicine: Annotated[Line, Field(max_length=120)] = ""
    """Must be filled in, unless there are ingredients: then it is made of their names."""
    ingredients: Annotated[list[CompoundIngredient], Field(max_length=12)] = []
    """Of a compounded medicine (*racikan*)."""
    papers: Annotated[int, Field(ge=1, le=200)] | None = None
    """Number of papers, capsules, ..., of a compounded medicine."""
    per_paper: bool = True
    """The amounts are for one paper each (d.t.d.)."""
    make: CompoundMake | None = None
    """Form in which a compounded medicine is made up (m.f. ...); papers unless given."""
    signa: Annotated[Line, Field(max_length=80)] = ""
    """Directions in shorthand, `s.3.d.d. tab I pc`: fills in the directions that are empty."""
    dose: Annotated[Line, Field(max_length=60)] = ""
    frequency: Annotated[Line, Field(max_length=60)] = ""
    amount: Annotated[Line, Field(max_length=30)] = ""
    instructions: Annotated[Line, Field(max_length=200)] = ""
    allergy_override: bool = False
    """Prescribed knowingly against a recorded allergy; `override_reason` says why."""
    dose_override: bool = False
    """The dose is meant as it stands, whatever was asked about it."""
    confirmed: list[Annotated[Line, Field(max_length=30)]] = []
    """Codes of other questions that were answered with yes: `contraindication`, `medicine_twice`, ..."""
    override_reason: Annotated[Line, Field(max_length=200)] = ""


class MedicineCheckOut(Schema):
    """Something found about a medicine, or something that could not be looked at."""

    code: str
    """`allergy`, `allergy_unchecked`, `contraindication`, `dose_too_much`, `medicine_twice`, ..."""
    things: list[str] = []
    """Allergies, other medicines, or the texts that could not be read."""
    given: str = ""
    expected: str = ""
    medicine: str = ""
    """The ingredient of a compounded medicine that it is about."""
    text: dict[str, str] = {}
    """Language -> sentence, where the table of the check holds one."""
    source: str = ""
    answered: bool = False
    """The prescriber was asked and said yes."""


class PrescriptionOut(PrescriptionFields):
    """A recorded prescription."""

    id: str
    lines: list[str] = []
    """A compounded medicine as a prescription writes it: its ingredients, then `m.f. pulv. d.t.d. No. X`."""
    replaces: str | None = None
    """Id of the prescription that was changed into this one."""
    clash: str = ""
    """Allergies against it that became known after it was written."""
    clash_known_at: datetime | None = None
    """Instant at which the first who relied on it read of the clash, and their name."""
    clash_known_by: str = ""
    checks: list[MedicineCheckOut] = []
    """Findings at prescribing, at dispensing, or now, for the pharmacist."""
    status: OrderStatus
    prescribed_at: datetime
    prescribed_by: str = ""
    dispensed_at: datetime | None = None
    dispensed_amount: str = ""
    """The amount dispensed, where it differs from `amount`."""
    dispense_note: str = ""


class DispenseFields(ForDeceased):
    """`POST prescriptions/{id}/dispense`."""

    amount: Annotated[Line, Field(max_length=30)] = ""
    """The amount dispensed; empty for the prescribed one."""
    note: Annotated[Line, Field(max_length=200)] = ""
    allergy_override: bool = False
    """Dispensed knowingly against a recorded allergy; `override_reason` says why."""
    dose_override: bool = False
    """The amount is meant as it stands."""
    confirmed: list[Annotated[Line, Field(max_length=30)]] = []
    """Codes of other questions that were answered with yes."""
    override_reason: Annotated[Line, Field(max_length=200)] = ""


class LabTestOut(Schema):
    """One line of the list of laboratory tests."""

    test: str
    title_en: str = ""
    unit: str = ""


class OrderFields(ForDeceased):
    """`POST visits/{id}/orders`."""

    test: Annotated[Line, Field(min_length=1, max_length=80)]
    note: Annotated[Line, Field(max_length=200)] = ""


class OrderResult(Schema):
    """A laboratory result."""

    result: Annotated[Line, Field(min_length=1, max_length=200)]
    unit: Annotated[Line, Field(max_length=20)] = ""
    reference_range: Annotated[Line, Field(max_length=60)] = ""
    expected_version: int | None = None
    """Version of the order as it was seen; another one is refused."""


class Acknowledgement(ReasonFields):
    """`POST orders/{id}/acknowledge`: somebody knows of a critical result."""

    told: Annotated[Line, Field(max_length=80)] = ""
    """Name of the person told; empty: the person who says so."""


class VoidedResult(Schema):
    """A result that was taken back."""

    result: str
    unit: str = ""
    voided_at: datetime
    voided_by: str
    reason: str


class OrderOut(OrderFields):
    """A recorded order."""

    id: str
    status: OrderStatus
    ordered_at: datetime
    ordered_by: str = ""
    result: str | None = None
    unit: str = ""
    reference_range: str = ""
    interpretation: str = ""
    """`low`, `high`, `abnormal`, `normal`; `unread`: it cannot be read; empty for a test without limits."""
    critical: bool = False
    """The clinician must be told at once."""
    entered_as: str = ""
    """As typed, where it was converted."""
    version: int = 1
    resulted_by: str = ""
    corrected_from: str | None = None
    """The result before the last correction, with its unit."""
    corrected_by: str = ""
    corrected_at: datetime | None = None
    told: str = ""
    """Acknowledgement of a critical result: told to, told by, when."""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    voided: list[VoidedResult] = []
    """Results that were taken back, newest last."""
    changed_unread: bool = False
    """Corrected or taken back, and no clinician has said that they read of it."""
    change_known_by: str = ""
    change_known_at: datetime | None = None
    choices: list[str] = []
    """The answers of a test that gives no number."""
    resulted_at: datetime | None = None


class WorkItem(Schema):
    """One patient's open orders or prescriptions."""

    visit_id: str
    service_on: date
    patient: EntryPatient
    pregnant: bool = False
    chief_complaint: str = ""
    allergies: list[str] = []
    allergies_asked: bool = False
    """False: nobody asked, so an empty list says nothing."""
    ordered_by: str
    """Names of the clinicians who ordered or prescribed."""
    since: datetime
    """Instant of the oldest order or prescription."""
    waited_minutes: int
    place: str = ""
    """Number, cluster and status of the patient's open queue entry; empty when gone."""
    entry: EntryOut | None = None
    """The open entry, when it is in one of the asker's own clusters."""
    diagnoses: list[str] = []
    orders: list[OrderOut] = []
    prescriptions: list[PrescriptionOut] = []


class EncounterFields(Schema):
    """`PUT visits/{id}/encounter`: the SOAP form as a whole."""

    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """Cluster of the contact; the visit's newest one of the actor unless given."""
    expected_version: int | None = None
    vitals: dict[str, float] = {}
    subjective: Prose = ""
    objective: Prose = ""
    assessment: Prose = ""
    plan: Prose = ""
    form: Document = {}
    disposition: Disposition | None = None
    sign: bool = False


class EncounterOut(Schema):
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


class PreviousValue(Schema):
    """A value from an earlier visit."""

    value: float | str | bool
    service_on: date


class LetterFields(ReasonFields, ForDeceased):
    """`POST visits/{id}/letters`."""

    kind: Annotated[Line, Field(min_length=1, max_length=16)]
    answers: Document = {}
    """Answers to the questions of the kind of letter; dates as ISO text."""
    allergy_override: bool = False
    """Issued knowingly although a medicine in it clashes with an allergy; `override_reason` says why."""
    override_reason: Annotated[Line, Field(max_length=200)] = ""


class LetterOut(Schema):
    """A certificate or referral that was issued."""

    id: str
    kind: str
    number: str
    text: str
    issued_at: datetime
    barcode: str = ""
    """BPJS's number of a referral, printed as a code too; empty for other letters, and until it has come."""
    checks: list[MedicineCheckOut] = []
    """Found, when it was issued, about the medicines that it names."""


class ReturnDateFields(ReasonFields):
    """`PUT visits/{id}/return-date`."""

    on: date | None
    """Day on which the patient is to come back; None takes it back."""


class ReturnDateOut(Schema):
    """A return date: a number that waits for the patient."""

    on: date
    cluster: str
    number: str
    hours: str = ""
    """Of the session by the roster; empty where it knows none."""


class BreastfeedingFields(Schema):
    """`PUT visits/{id}/breastfeeding`."""

    breastfeeding: bool | None
    """None takes an answer back."""


class LateEntryOut(Schema):
    """Late entry of a visit: registered after its patient had come."""

    arrived_at: datetime
    """The true time of arrival."""
    written_by: str
    """Name of the one who wrote it down."""
    paper_number: str = ""
    """Number of the printed form; empty for a sheet without one."""
    entered_at: datetime
    entered_by: str
    """Name of whoever typed it in."""


class VisitOut(Schema):
    """A visit with its record."""

    id: str
    patient: PatientOut
    service_on: date
    status: str
    chief_complaint: str
    payer: Payer
    pregnant: bool = False
    breastfeeding: bool | None = None
    """None: nobody asked."""
    routing: dict[str, Any] = {}
    override_reason: str | None = None
    disposition: Disposition | None = None
    entries: list[EntryOut] = []
    encounters: list[EncounterOut] = []
    diagnoses: list[DiagnosisOut] = []
    procedures: list[ProcedureOut] = []
    immunisations: list[ImmunisationOut] = []
    prescriptions: list[PrescriptionOut] = []
    orders: list[OrderOut] = []
    letters: list[LetterOut] = []
    previous: dict[str, PreviousValue] = {}
    """Vital sign or form field -> its newest earlier value."""
    alerts: list[str] = []
    """Lasting illnesses known from earlier visits: `I10 Hipertensi`."""
    bpjs_registration: str | None = None
    """Number of the registration in P-Care."""
    bpjs_visit: str | None = None
    """Number of the visit in P-Care."""
    bpjs_back_referral: str = ""
    """Programme in which a hospital referred the patient back (PRB), in BPJS's words."""
    late_entry: LateEntryOut | None = None
    """Set for a visit that was typed in from paper."""
    return_date: ReturnDateOut | None = None
    """The day on which the clinician wants to see the patient again."""


class AllergyFields(ReasonFields):
    """`POST patients/{id}/allergies`."""

    substance: Annotated[Line, Field(min_length=1, max_length=120)]
    reaction: Annotated[Line, Field(max_length=120)] = ""
    severity: AllergySeverity | None = None
    source: AllergySource | None = None


class AllergyClash(Schema):
    """An open prescription that a new allergy speaks against."""

    prescription_id: str
    medicine: str
    status: OrderStatus = OrderStatus.ACTIVE
    """`completed`: handed out today already."""
    prescribed_by: str = ""


class AllergyAdded(Schema):
    """Answer to `POST patients/{id}/allergies`."""

    id: str
    """Empty where it was stated that there are none."""
    none_known: bool = False
    read: bool = True
    """False: the substance could not be read, so nothing is checked against it."""
    clashes: list[AllergyClash] = []
    """Open prescriptions that it speaks against."""


class AllergyOut(Schema):
    """A recorded allergy."""

    id: str
    substance: str
    reaction: str = ""
    severity: AllergySeverity | None = None
    source: AllergySource | None = None
    recorded_at: datetime
    recorded_by: str
    read: bool
    """False: nothing can be checked against it."""


class AllergiesOut(Schema):
    """Allergies of a patient, and whether they were asked about."""

    allergies: list[AllergyOut] = []
    asked: bool = False
    """There are some, or the patient was asked and knew of none."""


class VoidAllergy(Schema):
    """`POST allergies/{id}/void`."""

    reason: Annotated[Line, Field(max_length=200)] = ""


class AddendumFields(ReasonFields):
    """`POST visits/{id}/addenda`."""

    text: Annotated[Prose, Field(min_length=1)]
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """Cluster of the contact; the actor's own newest, or the visit's, unless given."""


class ReleaseFields(Schema):
    """`POST visits/{id}/release`."""

    reason: Because
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """The contact that may be corrected; all of the visit's unless given."""
    hours: Annotated[int, Field(ge=1, le=72)] = 24


class ReleaseOut(Schema):
    """The supervisor's leave to correct a locked record."""

    id: str
    visit_id: str
    cluster: str | None
    reason: str
    released_at: datetime
    released_by: str
    until: datetime


class ReleaseAsked(Schema):
    """`POST visits/{id}/release-requests`: the clinician's own contact is to be corrected after its time."""

    reason: Because
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """The contact; the visit's newest one of one's own clusters unless given."""


class GlassBroken(Schema):
    """One record that was opened outside the reader's own queue."""

    at: datetime
    username: str
    name: str
    role: Role
    origin: str
    patient_id: str
    patient_name: str
    medical_record_number: str
    code: AccessReason
    reason: str
    purpose: str
