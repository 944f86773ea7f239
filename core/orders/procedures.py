"""Procedures carried out on patients, by ICD-9-CM or the clinic's own list (FHIR Procedure).

Source: ICD-9-CM volume 3 (public domain) as SATUSEHAT asks for it (docs/reference/indonesia.md 5.4), titles in
our own words. A clinic adds entries of its own, or a fuller list, with `loket import procedures`.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.foundation.identifiers import new_id
from core.foundation.languages import DEFAULT_LANGUAGE
from core.foundation.permissions import Actor
from core.models import Procedure, ProcedureCode
from core.orders import withdrawals
from core.patients import deaths
from core.records.access import Purpose, find_visit, require_right
from core.records.contacts import contact_to_write
from core.schemas.record import CodeOut, ProcedureFields, ProcedureOut
from core.terminology import code_search
from core.terminology.icd10 import COLUMNS, REFUSED_SHOWN, Imported

SOURCE = code_search.Source("procedure", ProcedureCode, "procedures.csv")
ICD9 = re.compile(r"^[0-9]{2}(\.[0-9]{1,2})?$")
OWN = re.compile(r"^[A-Z][A-Z0-9.-]{1,11}$")
"""A code of the clinic's own begins with a letter, so that it is never taken for ICD-9-CM."""


def load_builtin() -> None:
    """Store the procedures that ship with Loket."""
    code_search.load_shipped(SOURCE)


def import_codes(path: Path) -> Imported:
    """Import a list from CSV or XLSX: ICD-9-CM codes, or codes of the clinic's own (`TG-01`).

    Raises:
        ValidationError: `file`: `unreadable`, `columns` or `empty`.
    """
    rows: dict[str, dict[str, str]] = {}
    refused: list[str] = []
    for number, row in code_search.read_file(path, COLUMNS):
        code, titles = row["code"].upper(), code_search.imported_titles(row)
        if any(titles.values()) and (ICD9.match(code) or OWN.match(code)):
            own = "" if ICD9.match(code) else "1"
            rows[code] = {"code": code, **titles, "is_local": own}
        else:
            refused.append(f"{number}: {code[:12]}")
    if not rows:
        raise ValidationError({"file": "empty"})
    code_search.store_imported(SOURCE, list(rows.values()))
    return Imported(len(rows), tuple(refused[:REFUSED_SHOWN]))


def find(text: str, limit: int = 20, language: str = DEFAULT_LANGUAGE) -> list[CodeOut]:
    """Return procedures by code or words, the most usual first.

    Args:
        text: As typed.
        limit: Most procedures returned, >= 1.
        language: Language of the titles.
    """
    found = code_search.load(SOURCE).find(text, limit)
    return [CodeOut(code=item.code, title=item.title(language)) for item in found]


def add(clinic: Clinic, actor: Actor, visit_id: str, fields: ProcedureFields) -> ProcedureOut:
    """Record a procedure that was carried out.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        fields: Code and note.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        ValidationError: `code` is not in the list.
        RuleError: `record_locked`; `patient_deceased`, until `deceased_confirmed`.
    """
    require_right(actor, Purpose.WRITE)
    listed = code_search.load(SOURCE).by_code.get(fields.code)
    if listed is None:
        raise ValidationError({"code": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        contact = contact_to_write(clinic, actor, visit)
        deaths.require_asked(actor, visit.patient, "procedure", confirmed=fields.deceased_confirmed)
        row = Procedure.create(
            id=new_id(),
            visit=visit,
            encounter=contact,
            code=listed.code,
            is_local=listed.is_local,
            title=listed.titles[DEFAULT_LANGUAGE],
            note=fields.note,
            performed_at=clock.now(),
            performed_by=actor.account_id,
        )
        outbox.enqueue("visit", visit.id)
        audit.record(actor, "procedure_added", "procedure", row.id, visit.patient_id)
        feed.append("encounter", cluster=row.encounter.cluster, visit_id=visit.id)
        return procedure_out(row)


def void(clinic: Clinic, actor: Actor, visit_id: str, procedure_id: str, reason: str) -> None:
    """Strike a procedure out that was entered in error; it stays in the history.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        procedure_id: The procedure.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records, or it was recorded in another's cluster.
        ValidationError: `reason` is missing.
        NotFoundError: Not a procedure of this visit.
        RuleError: `record_locked`.
    """
    with transaction():
        withdrawals.void(clinic, actor, Procedure, visit_id, procedure_id, reason)


def procedure_out(row: Procedure) -> ProcedureOut:
    """Return a procedure as sent to terminals."""
    return ProcedureOut(
        id=row.id,
        code=row.code,
        title=row.title,
        note=row.note,
        performed_at=row.performed_at,
        performed_by=row.performed_by.name,
    )
