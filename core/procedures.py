"""Procedures: what is done to a patient, by ICD-9-CM or the clinic's own list (FHIR Procedure).

Source: ICD-9-CM volume 3 (public domain) as SATUSEHAT asks for it (indonesia.md 5.4), titles in
our own words. A clinic adds entries of its own, or a fuller list, with `loket import procedures`.
"""

from __future__ import annotations

import re
from pathlib import Path

from core import audit, clock, code_lists, feed, outbox
from core.actors import Actor
from core.clinic import Clinic
from core.contacts import contact_to_write, find_visit
from core.database import transaction
from core.errors import NotFoundError, ValidationError
from core.icd10 import COLUMNS, Imported
from core.identifiers import new_id
from core.models import Procedure, ProcedureCode
from core.schemas.record import CodeShape, ProcedureFields, ProcedureShape
from core.vocabulary import Permission

SOURCE = code_lists.Source("procedure", ProcedureCode, "procedures.csv")
ICD9 = re.compile(r"^[0-9]{2}(\.[0-9]{1,2})?$")
OWN = re.compile(r"^[A-Z][A-Z0-9.-]{1,11}$")
"""A code of the clinic's own begins with a letter, so that it is never taken for ICD-9-CM."""


def load_builtin() -> None:
    """Bring in the procedures that ship with Loket."""
    code_lists.load_shipped(SOURCE)


def import_codes(path: Path) -> Imported:
    """Take a list from CSV or XLSX: ICD-9-CM codes, or codes of the clinic's own (`TG-01`).

    Raises:
        ValidationError: `file`: `unreadable`, `columns` or `empty`.
    """
    rows: dict[str, dict[str, str]] = {}
    refused: list[str] = []
    for number, row in code_lists.read_file(path, COLUMNS):
        code, title = row["code"].upper(), row["title_id"] or row["title_en"]
        if title and (ICD9.match(code) or OWN.match(code)):
            own = "" if ICD9.match(code) else "1"
            rows[code] = {"code": code, "title_id": title, "title_en": row["title_en"], "is_local": own}
        else:
            refused.append(f"{number}: {code[:12]}")
    if not rows:
        raise ValidationError({"file": "empty"})
    code_lists.store_imported(SOURCE, list(rows.values()))
    return Imported(len(rows), tuple(refused[:50]))


def find(text: str, limit: int = 20, language: str = "id") -> list[CodeShape]:
    """Procedures by code or words, the usual ones first."""
    found = code_lists.load(SOURCE).find(text, limit)
    return [CodeShape(code=item.code, title=item.title(language)) for item in found]


def add(clinic: Clinic, actor: Actor, visit_id: str, fields: ProcedureFields) -> ProcedureShape:
    """Record that something was done.

    Raises:
        ValidationError: `code` is not in the list.
        RuleError: `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    listed = code_lists.load(SOURCE).by_code.get(fields.code)
    if listed is None:
        raise ValidationError({"code": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        row = Procedure.create(
            id=new_id(),
            visit=visit,
            encounter=contact_to_write(clinic, actor, visit),
            code=listed.code,
            is_local=listed.is_local,
            title=listed.title_id,
            note=fields.note,
            performed_at=clock.now(),
            performed_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "procedure_added", "procedure", row.id, visit.patient_id)
        feed.append("encounter", cluster=row.encounter.cluster, visit_id=visit.id)
        return shape(row)


def void(clinic: Clinic, actor: Actor, visit_id: str, procedure_id: str, reason: str) -> None:
    """Strike a procedure out that was entered in error; it stays in the history.

    Raises:
        ValidationError: `reason` is missing.
        NotFoundError: Not a procedure of this visit.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        visit = find_visit(visit_id)
        contact_to_write(clinic, actor, visit)
        changed = (
            Procedure.update(
                voided_at=clock.now(), voided_by=actor.account_id, void_reason=reason.strip()[:200]
            )
            .where(Procedure.id == procedure_id, Procedure.visit == visit, Procedure.voided_at.is_null())
            .execute()
        )
        if not changed:
            raise NotFoundError("procedure", procedure_id)
        outbox.put("visit", visit.id)
        audit.record(actor, "procedure_voided", "procedure", procedure_id, visit.patient_id, reason=reason)
        feed.append("encounter", visit_id=visit.id)


def shape(row: Procedure) -> ProcedureShape:
    """As sent to terminals."""
    return ProcedureShape(
        id=row.id,
        code=row.code,
        title=row.title,
        note=row.note,
        performed_at=row.performed_at,
        performed_by=row.performed_by.name,
    )
