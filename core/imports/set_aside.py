"""Work list of the rows of a list that are unread or in doubt: mended by a person, recognised, or left out with a reason.

Whoever mends types what the list lacks or contradicts; the same checks hold as at the counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand, Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotFoundError, RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.imports.row_decisions import Decided
from core.imports.row_reader import ImportTable
from core.models import Patient, SetAsideRow
from core.patients import deaths, duplicate_check, nik_holders, record_numbers
from core.patients import service as patients
from core.patients.fields import IMPORT_FILLED
from core.schemas.imports import MendedRow, SetAsideRowOut, SetAsideRowsOut
from core.schemas.patients import DuplicateQuery, PatientFields

STORED, KNOWN, LEFT_OUT = "stored", "known", "left_out"
NAME_LENGTH = 120  # characters of a file's name that are kept


def add(actor: Actor, list_name: str, table: ImportTable, decided: Sequence[Decided]) -> None:
    """Put the rows that somebody has to mend on the work list, in the caller's transaction.

    A row that contradicts itself, or has another's number, is stored and waits until somebody says what is right.

    Args:
        actor: The account that imports.
        list_name: Name of the file.
        table: The list.
        decided: Decisions about rows; those without anything to mend are passed over.
    """
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "list_name": list_name[-NAME_LENGTH:],
            "line": table.line(row.number),
            "values": dict(row.typed),
            "reasons": list(row.reasons),
            "alike": row.mended_beside or row.patient_id or None,
            "set_aside_at": now,
            "set_aside_by": actor.account_id,
        }
        for row in decided
        if row.typed
    ]
    if rows:
        SetAsideRow.insert_many(rows).execute()


def waiting(actor: Actor, limit: int = 100) -> SetAsideRowsOut:
    """Return the rows that wait, in the order of the lists.

    Raises:
        NotAllowedError: The actor may not decide who is who.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with connection():
        query = SetAsideRow.select().where(SetAsideRow.settled_at.is_null())
        rows = list(query.order_by(SetAsideRow.list_name, SetAsideRow.line, SetAsideRow.id).limit(limit))
        numbers = record_numbers.of_patients([row.alike_id for row in rows if row.alike_id])
        return SetAsideRowsOut(rows=[_out(row, numbers) for row in rows], waiting=query.count())


def _out(row: SetAsideRow, numbers: dict[str, str]) -> SetAsideRowOut:
    return SetAsideRowOut(
        id=row.id,
        list_name=row.list_name,
        line=row.line,
        values=row.values,
        reasons=[str(reason) for reason in row.reasons],
        alike=numbers.get(row.alike_id or ""),
        set_aside_at=row.set_aside_at,
    )


def mend(clinic: Clinic, actor: Actor, row_id: str, mended: MendedRow) -> Patient:
    """Store a mended row as a patient, or add it to the patient whom it was recognised to be.

    Args:
        clinic: The clinic.
        actor: Whoever mends.
        row_id: The row.
        mended: The fields, and the decision about look-alikes.

    Raises:
        NotAllowedError: The actor may not decide who is who.
        NotFoundError: There is no such row, or no such patient.
        ConflictError: `settled`: somebody was faster.
        RuleError: `nik_of_another` or `duplicate_decision_required`, with the doubt or the candidates in its details.
        ValidationError: `patient.<field>`, as `core.patients.service.create`.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with transaction():
        row = _open(row_id)
        moved = nik_holders.settled(
            clinic, mended.patient.model_dump(), mended.nik_holder, own_id=mended.patient_id
        )
        fields = mended.patient.model_copy(update=moved)
        if mended.patient_id is not None:
            known = patients.find(mended.patient_id)
            values = patients.checked(clinic, fields)
            patients.fill(actor, known, {name: values[name] for name in IMPORT_FILLED if values[name]})
            _report_death(actor, row, known)
            _settle(actor, row, KNOWN, known)
            return known
        if not mended.duplicate_decision:
            _refuse_unasked(clinic, fields)
        paper = record_numbers.of_paper(row.values.get("record_number"))
        made = patients.create(clinic, actor, fields, clock.now(), paper)
        _report_death(actor, row, made)
        _settle(actor, row, STORED, made)
        return made


def _report_death(actor: Actor, row: SetAsideRow, patient: Patient) -> None:
    """Mark the patient as deceased where the list says the day: a mended row is no less so."""
    if said := row.values.get("deceased_on"):
        deaths.report_death(actor, patient.id, date.fromisoformat(said))


def _refuse_unasked(clinic: Clinic, fields: PatientFields) -> None:
    described = fields.model_dump(exclude_none=True, include=set(DuplicateQuery.model_fields))
    found = duplicate_check.duplicates(clinic, DuplicateQuery(**described))
    if found.band is not DuplicateBand.NEW:
        raise RuleError("duplicate_decision_required", **found.model_dump(mode="json"))


def leave_out(actor: Actor, row_id: str, reason: str) -> None:
    """Take a row off the work list; nothing is stored of it.

    Args:
        actor: Whoever decides.
        row_id: The row.
        reason: Why it becomes nobody's record.

    Raises:
        NotAllowedError: The actor may not decide who is who.
        NotFoundError: There is no such row.
        ConflictError: `settled`: somebody was faster.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with transaction():
        _settle(actor, _open(row_id), LEFT_OUT, None, reason=reason)


def take_back(actor: Actor, row_id: str) -> None:
    """Put a row that was left out on the work list again; no effect on one that waits.

    Raises:
        NotAllowedError: The actor may not decide who is who.
        NotFoundError: There is no such row.
        ConflictError: `settled`: it became a patient, or is one; merges and corrections undo that.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with transaction():
        row = _find(row_id)
        if row.outcome in {STORED, KNOWN}:
            raise ConflictError(code="settled")
        _write(row, settled_at=None, settled_by=None, outcome=None, reason="")
        audit.record(actor, "import_row_taken_back", "import_row", row.id)


def _find(row_id: str) -> SetAsideRow:
    row: SetAsideRow | None = SetAsideRow.get_or_none(SetAsideRow.id == row_id)
    if row is None:
        raise NotFoundError("import_row", row_id)
    return row


def _open(row_id: str) -> SetAsideRow:
    row = _find(row_id)
    if row.settled_at is not None:
        raise ConflictError(code="settled")
    return row


def _settle(
    actor: Actor, row: SetAsideRow, outcome: str, patient: Patient | None, *, reason: str = ""
) -> None:
    patient_id = patient.id if patient is not None else None
    _write(
        row, settled_at=clock.now(), settled_by=actor.account_id, outcome=outcome, reason=reason, patient=patient_id
    )  # fmt: skip
    audit.record(actor, f"import_row_{outcome}", "import_row", row.id, patient_id)


def _write(row: SetAsideRow, **values: Any) -> None:
    SetAsideRow.update(**values).where(SetAsideRow.id == row.id).execute()
