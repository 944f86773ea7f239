"""Clusters, their queues, the supervisor's board and the waiting room."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from core.foundation.codes import DayEndAnswer, Disposition, EntryStatus, NumberStatus, Priority, Sex
from core.printing.documents import PrintDocument
from core.schemas.base import ForDeceased, Line, Schema


class ClusterOut(Schema):
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


class EntryPatient(Schema):
    """The facts of a patient that a pane shows."""

    id: str
    name: str
    age: int
    """Whole years on the day of the visit."""
    sex: Sex
    medical_record_number: str = ""
    birth_date: date | None = None


class CriticalTold(Schema):
    """Somebody who was told of a critical result."""

    result: str
    """`Trombosit 45`."""
    told: str
    at: datetime


class EntryOut(Schema):
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
    """For a skipped entry: number of others called before its turn comes again."""
    came_from: str | None = None
    """Number and cluster of the entry before this one: `A-001 UMUM`."""
    returns_to: str | None = None
    """Cluster the patient goes back to after this round trip."""
    issued_at: datetime
    started_at: datetime
    called_at: datetime | None = None
    served_at: datetime | None = None
    ended_at: datetime | None = None
    warnings: list[str] = []
    """Gaps of a finished visit, in the answer to `finish`: `no_note`, `no_diagnosis`, `consciousness`, `tacc`, ...;
    `against_complaint`, in the answer to the counter's `transfer` to another cluster than the complaint points to."""
    told: list[CriticalTold] = []
    """Lines that tell who was told of which critical result, and when."""
    corrected: list[str] = []
    """Results that were corrected, or taken back, and that no clinician has read since: `Hemoglobin 6,2 (5,2)`."""
    clashes: list[str] = []
    """Prescriptions that an allergy speaks against which became known later: `penisilin: Amoksisilin 500 mg`."""
    critical: list[str] = []
    """Results of the visit that the clinician must know at once: `Trombosit 45`."""

    def without_findings(self) -> EntryOut:
        """Return the same entry without why the patient came, and what was found."""
        findings = ("critical", "told", "corrected", "clashes")
        if not self.chief_complaint and not any(getattr(self, name) for name in findings):
            return self
        return self.model_copy(update={"chief_complaint": "", **{name: [] for name in findings}})


class DayEndOut(Schema):
    """`GET queues/{cluster}/day-end`: who is still there at the closing hour."""

    cluster: str
    closes_at: datetime
    latest_at: datetime
    """Instant at which the closing ends those who are still there, unless the cluster goes on."""
    people: int
    """Those who came before that instant and are still there."""
    asks: bool
    """True if the cluster's people are asked about them now."""
    goes_on_until: datetime | None = None
    """Until when an answer keeps them."""
    untold: int = 0
    """Number of people whom the closing ended by itself since somebody of the cluster has looked."""
    ended: list[EntryOut] = []
    """Those whom it ended in the last days, the newest first; a pane leaves them out."""


class DayEndCommand(Schema):
    """`POST queues/{cluster}/day-end`."""

    answer: DayEndAnswer


class QueueOut(Schema):
    """One cluster's queue of one day, in calling order; ended entries follow."""

    cluster: str
    date: date
    sequence: int
    entries: list[EntryOut]
    expected_wait_minutes: int | None = None
    """Expected wait of a patient who joins now; None until enough were served today."""
    day_end: DayEndOut | None = None
    """End of the present day; None for another day."""


class BoardCluster(Schema):
    """One cluster on the supervisor's board."""

    code: str
    waiting: int
    longest_wait_minutes: int | None
    """Of the patients waiting now; None when nobody waits."""
    at_work: int
    """Called, in service or on hold."""
    served: int
    left: int
    expected_end_at: datetime | None
    """Instant at which all present patients will have been served; None when not known."""


class BoardStaff(Schema):
    """A member of staff who works queues and is signed in."""

    name: str
    clusters: list[str]
    service_point: str
    number: str | None
    """The number called or in service."""
    last_step_at: datetime | None
    """Instant of the last action on a queue today."""


class BoardPeriod(Schema):
    """One half hour of the day."""

    starts_at: datetime
    arrivals: int
    """Registrations; moves are not counted again."""
    median_wait_minutes: int | None
    """Of the patients called in it; None when nobody was called."""


class BoardOut(Schema):
    """`GET board`: all clusters at once, without patients."""

    date: date
    sequence: int
    clusters: list[BoardCluster]
    staff: list[BoardStaff]
    periods: list[BoardPeriod]


class WaitingRoomCall(Schema):
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


class WaitingRoomOut(Schema):
    """`GET waiting-room` and the TV page: numbers only."""

    sequence: int
    facility: str
    language: str
    waiting: dict[str, int]
    """Cluster name -> number of waiting patients."""
    calls: list[WaitingRoomCall]
    """Newest first."""


class ChangeOut(Schema):
    """One event of the change feed."""

    sequence: int
    kind: str
    cluster: str | None = None
    entry: EntryOut | None = None
    data: dict[str, Any] = {}


class CallNext(ForDeceased):
    """`POST queues/{cluster}/call-next`."""

    service_point: Annotated[Line, Field(max_length=40)] = ""


class ServicePoint(Schema):
    """`PUT accounts/me/service-point`."""

    service_point: Annotated[Line, Field(max_length=40)] = ""


class EntryCommand(ForDeceased):
    """The arguments of an action on a queue entry; each action uses some."""

    expected_version: int | None = None
    service_point: Annotated[Line, Field(max_length=40)] = ""
    cluster: Annotated[Line, Field(max_length=12)] | None = None
    """The target, for `transfer` and `send`."""
    reason: Annotated[Line, Field(max_length=200)] = ""
    """Required for `cancel` and `prioritise`; at most 80 characters for the latter."""
    priority: Priority | None = None
    """The new class, for `prioritise`."""
    disposition: Disposition | None = None


class PaperFormOut(Schema):
    """A numbered form on which a counter writes while no computer answers."""

    number: str
    """As printed: `A-K07`."""
    cluster: str
    status: NumberStatus
    lent_at: datetime
    ended_at: datetime | None = None
    reason: str = ""
    """Why it was returned or voided."""
    visit_id: str | None = None
    """The visit that was registered from it."""


class PaperFormsAsked(Schema):
    """`POST paper-forms`."""

    cluster: Annotated[Line, Field(min_length=1, max_length=12)]
    count: Annotated[int, Field(ge=1, le=100)]


class PaperFormsMade(Schema):
    """Forms whose numbers are reserved, each to be printed once."""

    forms: list[PaperFormOut]
    documents: list[PrintDocument]
    """One for each form."""


class PaperFormEnd(Schema):
    """`POST paper-forms/{number}/end`."""

    outcome: NumberStatus
    """`returned` or `voided`."""
    reason: Annotated[Line, Field(min_length=1, max_length=200)]
