"""Rows of imported lists that wait for a person to mend them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.foundation.codes import NikHolder
from core.schemas.base import Identifier, Line, Schema
from core.schemas.patients import PatientFields


class SetAsideRowOut(Schema):
    """A row that is nobody's record yet."""

    id: str
    list_name: str
    line: int
    values: dict[str, str]
    """Field -> what the list says: `age` and `record_number` besides the fields of a patient."""
    reasons: list[str]
    alike: str | None = None
    """Medical record number of the patient who has the row's NIK or BPJS number."""
    set_aside_at: datetime


class SetAsideRowsOut(Schema):
    """The rows that wait, in the order of the lists, and how many there are in all."""

    rows: list[SetAsideRowOut]
    waiting: int


class MendedRow(Schema):
    """`POST imports/rows/{id}/mend`: the row as a person has mended it."""

    patient: PatientFields
    duplicate_decision: Annotated[Line, Field(max_length=60)] | None = None
    """`new`: whoever mends has looked at who else may be this person, and it is nobody of them."""
    nik_holder: NikHolder | None = None
    """The holder of the NIK, after `nik_of_another` asked."""
    patient_id: Identifier | None = None
    """The patient whom it was recognised to be: takes over what its own record lacks."""


class LeftOutRow(Schema):
    """`POST imports/rows/{id}/leave-out`."""

    reason: Annotated[Line, Field(min_length=1, max_length=200)]
