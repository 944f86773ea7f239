"""The day on which a patient died: derived from how the visits ended, else as a list reported it.

One gate, `require_asked`, asks before anything is begun for somebody who is recorded as dead: a registration, a
call, a move, a medicine, a test, a letter. What was done before the death, or follows it, goes on after a yes.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from datetime import date

from core.exchange import outbox
from core.foundation import audit
from core.foundation.codes import Disposition
from core.foundation.errors import RuleError
from core.foundation.permissions import Actor
from core.models import Patient, Visit


def require_asked(actor: Actor, patient: Patient, step: str, *, confirmed: bool) -> None:
    """Ask about a step for a patient who is recorded as dead; a yes goes into the audit log.

    Args:
        actor: Actor of the step.
        patient: The patient, as read in the step's transaction.
        step: The step in one word, for the audit log.
        confirmed: It was asked about.

    Raises:
        RuleError: `patient_deceased`, with the day, until it was confirmed.
    """
    if patient.deceased_on is None:
        return
    if not confirmed:
        raise RuleError("patient_deceased", deceased_on=patient.deceased_on.isoformat())
    audit.record(actor, "deceased_confirmed", "patient", patient.id, patient.id, step=step)


def is_late_entry(visit: Visit) -> bool:
    """Return whether a visit took place no later than its patient's death: its record says what was before."""
    day = visit.patient.deceased_on
    return day is not None and visit.service_on <= day


def has_come_since(patient: Patient) -> bool:
    """Return whether somebody was here after the day on which they are recorded to have died."""
    return patient.deceased_on is not None and _visits_after(patient.id, patient.deceased_on)


def _visits_after(patient_id: str, day: date) -> bool:
    seen = Visit.select().where(
        Visit.patient == patient_id, Visit.service_on > day, Visit.voided_at.is_null()
    )
    return bool(seen.exists())


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
    if patient.deceased_on is not None or _visits_after(patient_id, day):
        return False
    Patient.update(death_reported_on=day).where(Patient.id == patient_id).execute()
    refresh_death(actor, patient_id)
    return True
