"""Counters' own machines: the copy that they keep, the numbers lent to them, what they deliver."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from core.schemas.base import Identifier, Line, RegistrationId, Schema
from core.schemas.registration import Receipt, RegistrationRequest

Rows = list[dict[str, Any]]


class CopyAsked(Schema):
    """`POST counters/copy`: what a counter's machine holds already, and how it stands."""

    after: Annotated[int, Field(ge=0)] = 0
    """Sequence of the change feed up to which it is fresh; 0: nothing is there."""
    day: date | None = None
    """The day of what it holds."""
    has: dict[str, str] = {}
    """Small table -> digest of its rows there."""
    has_secret: bool = False
    waiting: Annotated[int, Field(ge=0)] = 0
    asked: Annotated[int, Field(ge=0)] = 0
    away_since: AwareDatetime | None = None
    holds: list[Line] = []
    """Numbers of earlier days that are still in use there; the core takes the others back."""


class StoreCopy(Schema):
    """The rows that are new to a counter's machine."""

    sequence: int
    day: date
    now: datetime
    """The core's clock."""
    is_whole: bool
    """True if people and visits that are not named are to be dropped."""
    tables: dict[str, Rows] = {}
    """Table -> rows, columns as they are stored; in an order in which they can be stored."""
    digests: dict[str, str] = {}


class StoreKeyFields(Schema):
    """`PUT counters/store-key`."""

    key: Annotated[Line, Field(max_length=64)]
    """Base64 of 32 bytes."""


class StoreKeyOut(Schema):
    """`GET counters/store-key`."""

    name: str
    key: str
    """Empty where the machine has not made one yet."""


class MadeHere(Schema):
    """Ids and numbers that a counter gave out for a registration."""

    patient_id: Identifier
    visit_id: Identifier
    entry_id: Identifier
    ticket_id: Identifier
    number: Annotated[Line, Field(max_length=8)]
    """Number in the patient's hand."""
    is_lent: bool = True
    """False where it is the number of a booking."""
    medical_record_number: Annotated[Line, Field(max_length=16)] = ""
    """Of a patient who was new."""


class DeliveryFields(Schema):
    """`POST counters/deliveries`: one registration that was made without the core."""

    request: RegistrationRequest
    made: MadeHere
    account_id: Identifier
    """The account that registered."""
    arrived_at: AwareDatetime
    is_uncertain: bool = False


class DeliveryOut(Schema):
    """The outcome of a delivery: `delivered`, or a question to those at the counter."""

    outcome: str
    receipt: Receipt | None = None
    code: str = ""
    """Code of the question."""
    fields: dict[str, str] = {}
    details: dict[str, Any] = {}


class UndoneFields(Schema):
    """`POST counters/undone`: registrations that the counter took back before the core heard of them."""

    numbers: list[Line]


class ChainRow(Schema):
    """One row of a counter's own audit chain."""

    row: dict[str, Any]
    hash: Annotated[Line, Field(max_length=64)]


class ChainFields(Schema):
    """`POST counters/chain`: the rows after those that the core has."""

    after: Annotated[int, Field(ge=0)]
    rows: Annotated[list[ChainRow], Field(max_length=500)]


class CounterOut(Schema):
    """One counter's machine, for the head of the clinic and the admin."""

    id: str
    name: str
    contact_at: datetime | None
    away_since: datetime | None
    waiting: int
    asked: int
    numbers_lent: int
    people: int
    """Patients whose cards it holds."""
    days: int
    has_secret: bool
    lost_at: datetime | None
    is_away: bool
    """True if it has not spoken to the core for a while, and numbers of today are with it."""


class FlaggedDelivery(Schema):
    """A delivery that the head of the clinic should look at."""

    id: RegistrationId
    counter: str
    account: str
    visit_id: str
    number: str
    flag: str
    delivered_at: datetime


class CounterStanding(Schema):
    """`GET counter`, of a counter's own machine: how it stands with the core."""

    name: str
    is_away: bool
    away_since: datetime | None = None
    waiting: int = 0
    asked: int = 0
    numbers_left: dict[str, int] = {}
    """Cluster -> numbers that it can still give out without the core."""
    is_open: bool = True
    """False while the store is closed: somebody who has signed in here before has to sign in."""
    has_secret: bool = False
    """True if the store needs a secret of this machine besides a password."""
    sequence: int = 0
    """Newest change of the core that the store holds."""
    hours_left: float | None = None
    """Until nobody can sign in any more without the core."""


class QuestionOut(Schema):
    """A registration that the core could not take as it was."""

    id: str
    account: str
    number: str
    arrived_at: datetime
    is_uncertain: bool = False
    code: str
    fields: dict[str, str] = {}
    details: dict[str, Any] = {}
    request: dict[str, Any]
    medical_record_number: str = ""


class DroppedFields(Schema):
    """`POST counters/dropped`."""

    number: Annotated[Line, Field(max_length=8)]
    reason: Annotated[Line, Field(min_length=1, max_length=200)]


class ProfileOut(Schema):
    """`GET counters/profile`."""

    settings: dict[str, str]
    """Name of a setting -> its value as it is written in `.env`."""
    files: dict[str, str]
    """Name of a setting -> content of the file that it names."""
    demo: bool = False
