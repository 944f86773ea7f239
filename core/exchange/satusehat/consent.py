"""Patients who do not let the record go to SATUSEHAT: the newest decision of each patient counts."""

from __future__ import annotations

from collections.abc import Collection

from core.models import SharingDecision, Visit


def refusing(patient_ids: Collection[str]) -> frozenset[str]:
    """Return those of the patients who refuse; whoever was not asked does not."""
    rows = SharingDecision.select(SharingDecision.patient, SharingDecision.agreed).where(
        SharingDecision.patient.in_(list(patient_ids) or [""])
    )
    newest = {
        row.patient_id: row.agreed for row in rows.order_by(SharingDecision.decided_at, SharingDecision.id)
    }
    return frozenset(patient_id for patient_id, agreed in newest.items() if not agreed)


def refused_visits(visit_ids: Collection[str]) -> frozenset[str]:
    """Return those of the visits whose patient refuses."""
    rows = list(Visit.select(Visit.id, Visit.patient).where(Visit.id.in_(list(visit_ids) or [""])))
    who = refusing({row.patient_id for row in rows})
    return frozenset(row.id for row in rows if row.patient_id in who)
