"""The shapes that travel between terminal and core, checked on both sides.

Lengths are in characters after trimming. Every text field refuses control characters and
bidirectional overrides: what a clerk reads must be what is stored (a name that displays
backwards is a wrong patient). Characters that show nothing at all, which come along when text is
pasted, are left out. Wide and right-to-left letters themselves are welcome.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from core.identifiers import is_uuid7
from core.vocabulary import (
    CaseKind,
    Disposition,
    DuplicateBand,
    EntryStatus,
    NoIdentifierReason,
    OrderStatus,
    Payer,
    Priority,
    Role,
    Sex,
    Verdict,
)

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_INVISIBLE = dict.fromkeys([0x00AD, 0x034F, 0x180E, 0x200B, 0x2060, 0xFEFF, *range(0xE0000, 0xE0080)])
"""Soft hyphen, zero-width space, word joiner, byte order mark, tags. The joiners U+200C and U+200D stay:
scripts and emoji need them."""


def _is_unsafe(character: str, *, lines: bool) -> bool:
    if lines and character in "\n\t":
        return False
    return character in _BIDI_CONTROLS or unicodedata.category(character) in {"Cc", "Cs", "Co", "Zl", "Zp"}


def _clean(value: object, *, lines: bool) -> object:
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value.translate(_INVISIBLE)).replace("\r\n", "\n").strip()
    if any(_is_unsafe(character, lines=lines) for character in text):
        raise PydanticCustomError("control_characters", "control characters are not stored")
    return text if lines else " ".join(text.split())


def _clean_line(value: object) -> object:
    return _clean(value, lines=False)


def _clean_lines(value: object) -> object:
    return _clean(value, lines=True)


def _spaced_line(value: str) -> str:
    if any(_is_unsafe(character, lines=False) for character in value):
        raise PydanticCustomError("control_characters", "control characters are not printed")
    return value


def _registration_id(value: str) -> str:
    if not is_uuid7(value):
        raise PydanticCustomError("uuid7", "must be a UUIDv7")
    return value.lower()


DOCUMENT_BYTES = 64 * 1024


def _document(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:  # lone surrogates, NaN, infinity
        raise PydanticCustomError("control_characters", "cannot be stored as JSON") from None
    if size > DOCUMENT_BYTES:
        raise PydanticCustomError("string_too_long", "too large")
    return value


Document = Annotated[dict[str, Any], AfterValidator(_document)]
"""A JSON object of at most 64 KiB."""
Line = Annotated[str, BeforeValidator(_clean_line)]
"""One line of text: trimmed, inner white space folded."""
SpacedLine = Annotated[str, AfterValidator(_spaced_line)]
"""One line of text, its spaces kept."""
Prose = Annotated[str, BeforeValidator(_clean_lines), Field(max_length=8000)]
"""Several lines of text."""
Name = Annotated[Line, Field(min_length=1, max_length=120)]
Identifier = Annotated[Line, Field(max_length=36)]
"""An id as it was given out; one that nothing has is answered as unknown, not as malformed."""
RegistrationId = Annotated[str, AfterValidator(_registration_id)]


class Shape(BaseModel):
    """What all shapes share: unknown fields are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", use_enum_values=False)


# --- accounts


class Credentials(Shape):
    """`POST tokens`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class AccountShape(Shape):
    """Who is signed in."""

    id: str
    username: str
    name: str
    role: Role
    clusters: list[str] = []
    service_point: str = ""
    """The room where this person calls patients; empty: the cluster's own."""


class TokenShape(Shape):
    """A sign-in."""

    token: str
    expires_at: datetime
    account: AccountShape


class DoorKey(Shape):
    """What the SSH door asks about a key: `ssh-ed25519 AAAA...`."""

    username: Annotated[Line, Field(min_length=1, max_length=40)]
    public_key: Annotated[str, Field(min_length=20, max_length=8000)]


# --- clusters and queues


class ClusterShape(Shape):
    """A service cluster as the counter sees it."""

    code: str
    name: str
    prefix: str
    waiting: int = 0
    called_number: str | None = None
    open: bool = True
    first_destination: bool = True
    """False for a stage after the others (FARMASI)."""
    services: list[str] = []
    """The services it takes: `general`, `laboratory`, `pharmacy`, ..."""
    emergency: bool = False


class EntryPatient(Shape):
    """The little a pane shows of a patient."""

    id: str
    name: str
    age: int
    """Whole years on the day of the visit."""
    sex: Sex
    medical_record_number: str = ""
    birth_date: date | None = None


class EntryShape(Shape):
    """A queue entry as panes show it."""

    id: str
    visit_id: str
    number: str
    cluster: str
    status: EntryStatus
    priority: Priority
    priority_reason: str = ""
    version: int
    patient: EntryPatient | None
    """None for the waiting-room display."""
    chief_complaint: str = ""
    waited_minutes: int = 0
    expected_wait_minutes: int | None = None
    position: int | None = None
    """1 is next; None when not waiting."""
    service_point: str | None = None
    practitioner: str | None = None
    reserved_for: str | None = None
    """Account id of the clinician to whom the patient comes back."""
    reserved_name: str | None = None
    """That clinician's name."""
    call_count: int = 0
    calls_until_back: int = 0
    """For a skipped entry: how many others are called before its turn comes again."""
    came_from: str | None = None
    """Number and cluster of the entry before this one: `A-001 UMUM`."""
    returns_to: str | None = None
    """Cluster the patient goes back to after this round trip."""
    issued_at: datetime
    started_at: datetime
    called_at: datetime | None = None
    served_at: datetime | None = None
    ended_at: datetime | None = None


class QueueShape(Shape):
    """One cluster's queue of one day, in calling order; ended entries follow."""

    cluster: str
    date: date
    sequence: int
    entries: list[EntryShape]
    expected_wait_minutes: int | None = None
    """What a patient who joins now would probably wait; None until enough were served today."""


class BoardCluster(Shape):
    """One cluster on the supervisor's board."""

    code: str
    waiting: int
    longest_wait_minutes: int | None
    """Of those who wait now; None when nobody does."""
    at_work: int
    """Called, in service or on hold."""
    served: int
    left: int
    expected_end_at: datetime | None
    """When those who are here will have been served if nobody else comes; None when not known."""


class BoardStaff(Shape):
    """Somebody who works queues and is signed in."""

    name: str
    clusters: list[str]
    service_point: str
    number: str | None
    """The number they have called or serve."""
    last_step_at: datetime | None
    """When they last did something to a queue today."""


class BoardPeriod(Shape):
    """One half hour of the day."""

    starts_at: datetime
    arrivals: int
    """Registrations; moves are not counted again."""
    median_wait_minutes: int | None
    """Of those called in it; None when nobody was."""


class BoardShape(Shape):
    """`GET board`: all clusters at once, without patients."""

    date: date
    sequence: int
    clusters: list[BoardCluster]
    staff: list[BoardStaff]
    periods: list[BoardPeriod]


class WaitingRoomCall(Shape):
    """One number that is being called or served."""

    number: str
    cluster: str
    """Its name."""
    room: str
    """Empty when the cluster has none."""
    at: str
    """Local time of the call, `08:15`."""
    calls: int
    """Grows with each call of the number, so that it sounds again."""


class WaitingRoomShape(Shape):
    """`GET waiting-room` and the TV page: all that a waiting room may see."""

    sequence: int
    facility: str
    language: str
    waiting: dict[str, int]
    """Cluster name -> how many wait."""
    calls: list[WaitingRoomCall]
    """Newest first."""


class ChangeShape(Shape):
    """One event of the change feed."""

    sequence: int
    kind: str
    cluster: str | None = None
    entry: EntryShape | None = None
    data: dict[str, Any] = {}


class CallNext(Shape):
    """`POST queues/{cluster}/call-next`."""

    service_point: Annotated[Line, Field(max_length=40)] = ""


class ServicePoint(Shape):
    """`PUT accounts/me/service-point`."""

    service_point: Annotated[Line, Field(max_length=40)] = ""


class EntryCommand(Shape):
    """What any action on a queue entry may carry."""

    expected_version: int | None = None
    service_point: Annotated[Line, Field(max_length=40)] = ""
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """Where to, for `transfer` and `send`."""
    reason: Annotated[Line, Field(max_length=200)] = ""
    """Required for `cancel` and `prioritise`; at most 80 characters for the latter."""
    priority: Priority | None = None
    """The new class, for `prioritise`."""
    disposition: Disposition | None = None


# --- patients


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


# --- routing and registration


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


# --- clinical record


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


class DraftFields(Shape):
    """`PUT drafts/{key}`."""

    data: Document


class AddendumFields(Shape):
    """`POST visits/{id}/addenda`."""

    text: Annotated[Prose, Field(min_length=1)]


class PasswordCheck(Shape):
    """`POST tokens/check`."""

    password: Annotated[str, Field(min_length=1, max_length=200)]


class ClinicShape(Shape):
    """`GET clinic`: what a terminal needs to know once."""

    facility_name: str
    language: str
    timezone: str
    today: date
    undo_seconds: int
    calls_before_skip: int
    wait_warning_minutes: int
    """A wait from here on is marked."""
    wait_limit_minutes: int
    """And from here on it is marked as too long."""
    idle_lock_minutes: float
    preset: str
    demo: bool
    public_url: str
    """Where patients' phones find this server; empty: tickets carry no address."""
    has_printer: bool
    """Whether the server has a printer; otherwise only one at the terminal prints."""
    print_tickets: bool
    """Whether each ticket is printed without a key."""
    printer_columns: int
    """Letters in a row of the paper."""


class DraftShape(Shape):
    """Something half-typed."""

    key: str
    data: Document
    saved_at: datetime | None = None


# --- the admin's view


class ToldShape(Shape):
    """Something that went wrong, in the language that was asked for."""

    text: str
    remedy: str = ""
    """What to do; empty when there is nothing to do."""


class SyncShape(Shape):
    """Where synchronisation stands."""

    receiver: str = "office"
    """`office` or `satusehat`."""
    pending: int
    sent: int
    refused: int
    last_contact_at: datetime | None = None
    last_error: str | None = None
    """As a problem line, `code: detail`; `told` says it in words."""
    told: list[ToldShape] = []
    running: bool = False
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    """At the speed so far, while it runs."""
    manifest_agrees: bool | None = None
    only_there: int = 0
    """Resources of the compared days that only the receiver holds."""
    refusals: list[dict[str, Any]] = []
    """Each: kind, target, error (the receiver's own words), remedy (a code), todo (it in words)."""


class ClosingStepShape(Shape):
    """One step of the day's closing."""

    name: str
    """`queues`, `backup`, `reports`, `synchronise` or `verify`."""
    status: str | None
    """`running`, `done`, `failed`, `skipped`; empty when it was not begun."""
    done: int = 0
    total: int = 0
    error: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    detail: dict[str, Any] = {}
    told: list[ToldShape] = []
    note: str = ""
    """Why it was skipped, in words."""


class ClosingShape(Shape):
    """How far a day's closing is."""

    day: date
    running: bool
    status: str | None
    done: int
    """Steps ended."""
    total: int
    error: str | None = None
    """Problem lines, `code: detail`, with line breaks between them; `told` says them in words."""
    told: list[ToldShape] = []
    seconds_left: float | None = None
    steps: list[ClosingStepShape]


class BackupShape(Shape):
    """One backup."""

    path: str
    made_at: datetime
    bytes: int
    newest_change: int
    verified: bool
    problems: list[str] = []
    told: list[ToldShape] = []


class ReportShape(Shape):
    """One report with its meaning."""

    name: str
    title: str
    definition: str
    source: str
    columns: list[str]
    rows: list[list[str | int | float]]


class WrittenShape(Shape):
    """Files a report was written to, on the server."""

    files: list[str]


class Problem(BaseModel):
    """RFC 9457 problem details as Loket sends them."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    fields: dict[str, str] = {}
    """Field path -> stable problem code."""
    details: dict[str, Any] = {}
    """Facts the screen needs: candidates, receipt, verdict."""
