"""The return date that a clinician gives at a visit: a booking of the clinic's own."""

from __future__ import annotations

from core.foundation.clinic import Clinic
from core.foundation.database import transaction
from core.foundation.permissions import Actor
from core.models import Appointment, Diagnosis, Encounter, QueueEntry, Visit
from core.records.access import Purpose, find_visit, require_right
from core.records.contacts import contact_to_write
from core.schemas.record import ReturnDateFields, ReturnDateOut, StatedReason
from core.visits import appointments

WORDS = "Kontrol"
"""Begins the complaint with which a patient is expected."""


def give(clinic: Clinic, actor: Actor, visit_id: str, fields: ReturnDateFields) -> ReturnDateOut | None:
    """Give, change or take back the return date of a visit.

    Args:
        clinic: The clinic.
        actor: The clinician.
        visit_id: The visit.
        fields: The day; None takes it back.

    Raises:
        NotAllowedError: The role may not write records; `reason_required` outside one's own queue.
        NotFoundError: There is no such visit.
        ValidationError: As `core.visits.appointments.book_return`.
        RuleError: `record_locked`; `closed_day`, `no_session`; `patient_deceased`.
        ConflictError: `already_booked`.
    """
    require_right(actor, Purpose.LETTER)
    with transaction():
        visit = find_visit(visit_id)
        reason = StatedReason(fields.reason, fields.reason_code)
        contact = contact_to_write(clinic, actor, visit, Purpose.LETTER, reason)
        if fields.on is None:
            appointments.end_return(actor, visit)
            return None
        wanted = appointments.Booking(
            cluster=_cluster(clinic, visit, contact), day=fields.on, chief_complaint=_complaint(visit)
        )
        return out(appointments.book_return(clinic, actor, visit, wanted))


def of_visit(visit_id: str) -> ReturnDateOut | None:
    """Return the return date that was given at a visit and still holds."""
    held = appointments.return_of(visit_id)
    return None if held is None else out(held)


def out(row: Appointment) -> ReturnDateOut:
    """Return a return date as sent to terminals."""
    return ReturnDateOut(on=row.service_on, cluster=row.cluster, number=row.number, hours=row.hours)


def _cluster(clinic: Clinic, visit: Visit, contact: Encounter) -> str:
    """Return where the patient comes back to: the contact's cluster, or where the visit began."""
    if clinic.clusters[contact.cluster].stage == "first":
        return contact.cluster
    entries = QueueEntry.select().where(QueueEntry.visit == visit, QueueEntry.voided_at.is_null())
    first: QueueEntry | None = entries.order_by(QueueEntry.started_at, QueueEntry.id).first()
    return first.cluster if first is not None else contact.cluster


def _complaint(visit: Visit) -> str:
    """Return what the patient comes back for, by the first diagnosis."""
    standing = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
    first: Diagnosis | None = standing.order_by(Diagnosis.rank).first()
    return f"{WORDS} {first.title}" if first is not None else f"{WORDS}: {visit.chief_complaint}"
