"""The roster, as the admin sees and changes it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from core.schemas.base import Line, Schema
from core.visits.roster import DOCTOR, LICENCE_LENGTH, MOST_NUMBERS, Hours, Weekday

CHANGED = "roster"
"""Kind of the change by which screens hear that the roster is another."""
MOST_SESSIONS = 200
"""More than any clinic has; a document stays small."""
MOST_CLOSED_DAYS = 400
"""A few years of holidays."""


def _hours(text: str) -> str:
    hours = Hours.read(text)
    if hours is None:
        raise PydanticCustomError("hours", "such as 08:00-12:00")
    return str(hours)


class SessionFields(Schema):
    """Somebody's hours in a cluster, on some days of the week."""

    cluster: Annotated[Line, Field(min_length=1, max_length=16)]
    doctor: Annotated[Line, Field(pattern=f"^{DOCTOR.pattern}$")]
    """BPJS's number of the clinician (kodedokter)."""
    name: Annotated[Line, Field(min_length=1, max_length=80)]
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    hours: Annotated[Line, Field(max_length=20), AfterValidator(_hours)]
    quota: Annotated[int, Field(ge=0, le=MOST_NUMBERS)] = 0
    """Most numbers taken from home for it on a day; 0: no limit of its own."""
    licence: Annotated[Line, Field(max_length=LICENCE_LENGTH)] = ""
    """Number of the licence to practise here (SIP)."""


class RosterFields(Schema):
    """Closed days and sessions."""

    closed_weekdays: Annotated[list[Weekday], Field(max_length=7)] = ["sunday"]
    closed_on: Annotated[list[date], Field(max_length=MOST_CLOSED_DAYS)] = []
    """Holidays."""
    sessions: Annotated[list[SessionFields], Field(max_length=MOST_SESSIONS)] = []


class RosterChange(RosterFields):
    """`PUT roster`: the whole roster as it is from now on."""

    version: Annotated[int, Field(ge=0)]
    """The version that was changed: `RosterOut.version`."""


class RosterOut(RosterFields):
    """`GET roster`."""

    version: int
    """Counts from 1; 0: nobody has saved one."""
    file: str = ""
    """The file it stands in, where a setting names one: it is changed there, not here."""
    changed_at: datetime | None = None
    changed_by: str = ""
    """Name of who saved it."""
