"""Numbers taken from home: a place in a cluster's queue, kept until the patient comes to the counter.

An appointment draws its number from the same counter as the tickets of that day. It becomes a
ticket with this number when the clerk registers the patient in this cluster, after the same
check as every other; the patient then has the place of the number, before later ones.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from peewee import fn

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, EntryStatus, Permission
from core.foundation.database import transaction
from core.foundation.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Appointment, Patient, QueueEntry, Ticket, Visit
from core.queues import tickets
from core.queues.entries import refuse_second_place

COMPLAINT_LENGTH = 500  # characters that are kept
REASON_LENGTH = 200  # characters that are kept


def book(
    clinic: Clinic, actor: Actor, patient: Patient, cluster: str, day: date, chief_complaint: str
) -> Appointment:
    """Keep the next number of a cluster for a patient.

    Args:
        clinic: The clinic.
        actor: Actor who books.
        patient: The patient who will come.
        cluster: Code of a cluster that patients are sent to from the counter.
        day: Today until closing time, or one of the next `jkn_horizon_days`.
        chief_complaint: In the patient's words, at most `COMPLAINT_LENGTH` characters are kept.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`),
            `chief_complaint` (`required`).
        RuleError: `day_over` after closing time; `quota_full`; `patient_deceased`.
        ConflictError: `already_booked` or `already_in_queue`, with the `number` in its details.
    """
    actor.require(Permission.REGISTER)
    _check(clinic, cluster, day, chief_complaint)
    with transaction():
        if patient.deceased_on is not None:
            # Nobody is there to be asked: the counter has to look at it.
            raise RuleError("patient_deceased", deceased_on=patient.deceased_on.isoformat())
        held = held_for(patient.id, cluster, day)
        if held is not None:
            raise ConflictError("already_booked", number=held.number, cluster=cluster)
        if day == clinic.today():
            refuse_second_place(patient.id, cluster)
        limit = clinic.settings.jkn_quota
        if limit and _numbers_from_home(cluster, day) >= limit:
            raise RuleError("quota_full", cluster=cluster)
        sequence = tickets.next_sequence(cluster, day)
        made: Appointment = Appointment.create(
            id=new_id(),
            patient=patient,
            cluster=cluster,
            service_on=day,
            sequence=sequence,
            number=tickets.ticket_number(clinic, cluster, sequence),
            status=AppointmentStatus.BOOKED,
            chief_complaint=chief_complaint.strip()[:COMPLAINT_LENGTH],
            booked_at=clock.now(),
        )
        audit.record(actor, "appointment_booked", "appointment", made.id, patient.id, cluster=cluster)
    return made


def _check(clinic: Clinic, cluster: str, day: date, chief_complaint: str) -> None:
    problems: dict[str, str] = {}
    known = clinic.clusters.get(cluster)
    if known is None:
        problems["cluster"] = "unknown"
    elif known.stage != "first":
        problems["cluster"] = "not_a_first_destination"
    today = clinic.today()
    if day < today:
        problems["day"] = "past"
    elif day > today + timedelta(days=clinic.settings.jkn_horizon_days):
        problems["day"] = "too_far"
    if not chief_complaint.strip():
        problems["chief_complaint"] = "required"
    if problems:
        raise ValidationError(problems)
    if day == today and clock.now().astimezone(clinic.zone).time() >= clinic.settings.close_at:
        raise RuleError("day_over", closes=clinic.settings.close_at.strftime("%H:%M"))


def _numbers_from_home(cluster: str, day: date) -> int:
    taken = Appointment.select().where(
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.status != AppointmentStatus.CANCELLED,
    )
    return int(taken.count())


def held_for(patient_id: str, cluster: str, day: date) -> Appointment | None:
    """Return the appointment with the number kept for a patient in a cluster on a day.

    Args:
        patient_id: The patient.
        cluster: Code of the cluster.
        day: The clinic's day.
    """
    found: Appointment | None = Appointment.get_or_none(
        Appointment.patient == patient_id,
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    return found


def place_of(appointment: Appointment, at: datetime) -> datetime:
    """Return the instant since which a patient who arrives at `at` counts as waiting.

    It lies just before that of the next number that waits.
    """
    later = (
        QueueEntry.select(fn.MIN(QueueEntry.queued_at))
        .join(Ticket)
        .where(
            QueueEntry.cluster == appointment.cluster,
            QueueEntry.service_on == appointment.service_on,
            QueueEntry.status == EntryStatus.WAITING,
            QueueEntry.voided_at.is_null(),
            Ticket.cluster == appointment.cluster,
            Ticket.sequence > appointment.sequence,
        )
        .scalar()
    )
    return at if later is None else min(at, later - timedelta(microseconds=1))


def fulfil(appointment: Appointment, visit: Visit, at: datetime) -> None:
    """Note that the patient came; runs in the registration's transaction.

    Args:
        appointment: The one that was held.
        visit: The visit it became.
        at: Instant of the registration.
    """
    appointment.status = AppointmentStatus.FULFILLED
    appointment.visit, appointment.ended_at = visit, at
    appointment.save()


def cancel(actor: Actor, patient_id: str, cluster: str, day: date, reason: str = "") -> Appointment:
    """Cancel an appointment; its number is not given to another patient.

    Args:
        actor: Actor who cancels.
        patient_id: The patient.
        cluster: Code of the cluster.
        day: The clinic's day.
        reason: In words; at most `REASON_LENGTH` characters are kept.

    Raises:
        NotFoundError: No number is kept for the patient.
        RuleError: `already_served`: the patient is at the clinic with it.
    """
    actor.require(Permission.REGISTER)
    with transaction():
        held = held_for(patient_id, cluster, day)
        if held is None:
            came = Appointment.get_or_none(
                Appointment.patient == patient_id,
                Appointment.cluster == cluster,
                Appointment.service_on == day,
                Appointment.status == AppointmentStatus.FULFILLED,
            )
            if came is not None:
                raise RuleError("already_served", number=came.number)
            raise NotFoundError("appointment")
        held.status, held.ended_at = AppointmentStatus.CANCELLED, clock.now()
        held.end_reason = reason.strip()[:REASON_LENGTH]
        held.save()
        audit.record(actor, "appointment_cancelled", "appointment", held.id, patient_id, cluster=cluster)
    return held


def close_day(day: date) -> int:
    """End the appointments still booked: fulfilled where the patient came another way, otherwise no-show.

    Returns:
        Number of appointments ended.
    """
    with transaction():
        left = list(
            Appointment.select().where(
                Appointment.service_on <= day, Appointment.status == AppointmentStatus.BOOKED
            )
        )
        for appointment in left:
            visit = Visit.get_or_none(
                Visit.patient == appointment.patient_id,
                Visit.service_on == appointment.service_on,
                Visit.voided_at.is_null(),
            )
            appointment.status = AppointmentStatus.NO_SHOW if visit is None else AppointmentStatus.FULFILLED
            appointment.visit, appointment.ended_at = visit, clock.now()
            appointment.save()
    return len(left)
