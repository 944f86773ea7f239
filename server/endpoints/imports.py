"""Work list of imported rows: what an import could not read, mended by a person."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from core.foundation.database import connection
from core.imports import set_aside
from core.patients import views as patients
from core.schemas.imports import LeftOutRow, MendedRow, SetAsideRowsOut
from core.schemas.patients import PatientOut
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("patients")


@router.get("/imports/rows")
def set_aside_rows(
    actor: ActorNow, clinic: ClinicNow, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> SetAsideRowsOut:
    """Return the rows of imported lists that wait for a person to mend them."""
    return set_aside.waiting(actor, limit)


@router.post("/imports/rows/{row_id}/mend", status_code=201)
def mend_row(row_id: str, body: MendedRow, actor: ActorNow, clinic: ClinicNow) -> PatientOut:
    """Store a mended row as a patient, or add it to the patient whom it was recognised to be."""
    with connection():
        return patients.patient_out(clinic, set_aside.mend(clinic, actor, row_id, body))


@router.post("/imports/rows/{row_id}/leave-out", status_code=204)
def leave_row_out(row_id: str, body: LeftOutRow, actor: ActorNow) -> None:
    """Take a row off the work list; nothing is stored of it."""
    set_aside.leave_out(actor, row_id, body.reason)


@router.post("/imports/rows/{row_id}/take-back", status_code=204)
def take_row_back(row_id: str, actor: ActorNow) -> None:
    """Put a row that was left out on the work list again."""
    set_aside.take_back(actor, row_id)
