"""Clusters, their queues, the supervisor's board and the waiting room."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from core.schemas.base import Line, Shape
from core.vocabulary import Disposition, EntryStatus, Priority, Sex


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
