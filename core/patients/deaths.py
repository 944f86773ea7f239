"""The day on which a patient died: derived from how the visits ended, else as a list reported it.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from datetime import date

from core.exchange import outbox
from core.foundation import audit
from core.foundation.codes import Disposition
from core.foundation.permissions import Actor
from core.models import Patient, Visit


def refresh_death(actor: Actor, patient_id: str) -> None:
    """Mark a patient as deceased, or no longer, as the visits say.

    Args:
        actor: Actor of the change that made it look.
        patient_id: The patient.
    """
    patient = Patient.get_by_id(patient_id)
    ended = Visit.select(Visit.service_on).where(
        Visit.patient == patient_id, Visit.disposition == Disposition.DIED, Visit.voided_at.is_null()
    )
    last = ended.order_by(Visit.service_on).first()
    day = last.service_on if last is not None else patient.death_reported_on
    if patient.deceased_on == day:
        return
    Patient.update(deceased_on=day).where(Patient.id == patient_id).execute()
    outbox.enqueue("patient", patient_id)
    action = "death_recorded" if day is not None else "death_taken_back"
    audit.record(actor, action, "patient", patient_id, patient_id)


def report_death(actor: Actor, patient_id: str, day: date) -> bool:
    """Mark a patient as deceased on a day that a list reports; return whether it was done.

    Nobody is marked twice, and nobody who was here after that day: the list is wrong about them.

    Args:
        actor: The account that imports.
        patient_id: The patient.
        day: The day of death.
    """
    patient = Patient.get_by_id(patient_id)
    seen = Visit.select().where(
        Visit.patient == patient_id, Visit.service_on > day, Visit.voided_at.is_null()
    )
    if patient.deceased_on is not None or seen.exists():
        return False
    Patient.update(death_reported_on=day).where(Patient.id == patient_id).execute()
    refresh_death(actor, patient_id)
    return True
