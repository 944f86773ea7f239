"""Ends a visit: the one place that writes its outcome, and takes it back.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from core.foundation.clinic import Clinic
from core.foundation.permissions import Actor
from core.models import Diagnosis, Encounter, QueueEntry, Visit
from core.patients.deaths import refresh_death
from core.records.contacts import void_outcome
from core.records.pcare_needs import open_questions

WRITTEN = ("subjective", "objective", "assessment", "plan")
"""Parts of a note of which one says that there is a note."""


def set_outcome(actor: Actor, visit: Visit, disposition: str | None) -> None:
    """Write how a visit ends; who died is marked, and who did not after all is not.

    Args:
        actor: Actor of the step.
        visit: The visit.
        disposition: `Disposition` code, None for a visit that goes on.
    """
    Visit.update(disposition=disposition).where(Visit.id == visit.id).execute()
    refresh_death(actor, visit.patient_id)


def undo_outcome(actor: Actor, entry: QueueEntry, before: str | None) -> None:
    """Take back signature and outcome, for the undo of a step that ended a service.

    The record is signed before the step, so the outcome that the step found may be its own.

    Args:
        actor: Actor of the undo.
        entry: The entry, with its visit.
        before: The visit's outcome before the step.
    """
    taken = void_outcome(actor, entry.visit, entry.cluster)
    if taken is not None and taken == before:
        before = _outcome_elsewhere(entry.visit)
    set_outcome(actor, entry.visit, before)


def _outcome_elsewhere(visit: Visit) -> str | None:
    """Return the newest outcome that another contact of the visit has given."""
    contacts = Encounter.select().where(Encounter.visit == visit, Encounter.disposition.is_null(False))
    newest = contacts.order_by(Encounter.started_at.desc()).first()
    return newest.disposition if newest is not None else None


def finish_warnings(clinic: Clinic, visit_id: str) -> list[str]:
    """Return what a finished visit lacks: `no_note`, `no_diagnosis`, and the open questions of P-Care.

    Args:
        clinic: For its settings.
        visit_id: The visit.
    """
    missing = []
    contacts = list(Encounter.select().where(Encounter.visit == visit_id))
    if not any(_has_note(contact) for contact in contacts):
        missing.append("no_note")
    diagnoses = Diagnosis.select().where(Diagnosis.visit == visit_id, Diagnosis.voided_at.is_null())
    if not diagnoses.exists():
        missing.append("no_diagnosis")
    return missing + open_questions(clinic, Visit.get_by_id(visit_id))


def _has_note(contact: Encounter) -> bool:
    typed = any(getattr(contact, name).strip() for name in WRITTEN)
    return typed or bool(contact.vitals) or any(contact.form.values())
