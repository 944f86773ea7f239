"""P-Care's open questions about a visit that is in the tables, as far as BPJS's lists were read here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from core.foundation.clinic import Clinic
from core.models import BpjsListItem, Diagnosis, Encounter, Visit
from core.records.pcare_form import FORM, INSURED, lacking


def non_specialist(codes: Collection[str]) -> dict[str, bool]:
    """Return the diagnoses of which BPJS says whether primary care treats them to the end."""
    rows = BpjsListItem.select().where(
        BpjsListItem.kind == "diagnosis", BpjsListItem.code.in_(list(codes)), BpjsListItem.flag.is_null(False)
    )
    return {row.code: bool(row.flag) for row in rows}


def open_questions(clinic: Clinic, visit: Visit) -> list[str]:
    """Return the questions of P-Care that are open at a visit that ends; none where BPJS is not asked.

    Args:
        clinic: For its settings.
        visit: With its outcome.
    """
    if not clinic.settings.bpjs_url or visit.payer not in INSURED:
        return []
    standing = Diagnosis.select().where(Diagnosis.visit == visit.id, Diagnosis.voided_at.is_null())
    first = standing.order_by(Diagnosis.rank).first()
    flag = non_specialist([first.code]).get(first.code) if first is not None else None
    return lacking(answers(visit), disposition=visit.disposition, non_specialist=flag)


def answers(visit: Visit) -> dict[str, Any]:
    """Return the answers to the form of BPJS; a later contact's stand before an earlier one's."""
    found: dict[str, Any] = {}
    for contact in Encounter.select().where(Encounter.visit == visit.id).order_by(Encounter.started_at):
        found |= contact.form.get(FORM) or {}
    return found
