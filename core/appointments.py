"""Numbers taken from home: a place in a cluster's queue, kept until the patient stands at the counter.

An appointment draws its number from the same counter as the tickets of that day. It becomes a
ticket with this number when the clerk registers the patient in this cluster, after the same
check as everybody's; the patient then stands where the number belongs, before later ones.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from peewee import fn

from core import audit, clock
from core.actors import Actor
from core.clinic import Clinic
from core.database import transaction
from core.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import Appointment, Patient, QueueEntry, Ticket, Visit
from core.queueing import next_sequence, ticket_number
from core.vocabulary import AppointmentStatus, EntryStatus, Permission

COMPLAINT_LENGTH = 500


def book(
    clinic: Clinic, actor: Actor, patient: Patient, cluster: str, day: date, chief_complaint: str
) -> Appointment:
    """Keep the next number of a cluster for a patient.

    Args:
        clinic: The clinic.
        actor: Who asks.
        patient: For whom.
        cluster: Code of a cluster that patients are sent to from the counter.
        day: Today until closing time, or one of the next `jkn_horizon_days`.
        chief_complaint: In the patient's words, at most 500 characters are kept.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`),
            `chief_complaint` (`required`).
        RuleError: `day_over` after closing time; `quota_full`.
        ConflictError: `already_booked` or `already_in_queue`, with the `number` in its details.
    """
    actor.require(Permission.REGISTER)
    _check(clinic, cluster, day, chief_complaint)
    with transaction():
        held = held_for(patient.id, cluster, day)
        if held is not None:
            raise ConflictError("already_booked", number=held.number, cluster=cluster)
        _refuse_second_place(patient, cluster, day)
        limit = clinic.settings.jkn_quota
        if limit and _numbers_from_home(cluster, day) >= limit:
            raise RuleError("quota_full", cluster=cluster)
        sequence = next_sequence(cluster, day)
        made: Appointment = Appointment.create(
            id=new_id(),
            patient=patient,
            cluster=cluster,
            service_on=day,
            sequence=sequence,
            number=ticket_number(clinic, cluster, sequence),
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


def _refuse_second_place(patient: Patient, cluster: str, day: date) -> None:
    entry = (
        QueueEntry.select(QueueEntry, Ticket)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            Visit.patient == patient,
            QueueEntry.cluster == cluster,
            QueueEntry.service_on == day,
            QueueEntry.voided_at.is_null(),
            QueueEntry.ended_at.is_null(),
        )
        .first()
    )
    if entry is not None:
        raise ConflictError("already_in_queue", number=entry.ticket.number, cluster=cluster)


def _numbers_from_home(cluster: str, day: date) -> int:
    taken = Appointment.select().where(
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.status != AppointmentStatus.CANCELLED,
    )
    return int(taken.count())


def held_for(patient_id: str, cluster: str, day: date) -> Appointment | None:
    """The number kept for a patient in a cluster on a day."""
    found: Appointment | None = Appointment.get_or_none(
        Appointment.patient == patient_id,
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    return found


def place_of(appointment: Appointment, at: datetime) -> datetime:
    """Since when a patient who arrives at `at` counts as waiting: just before the next number that waits."""
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
    """The patient came; runs in the registration's transaction."""
    appointment.status = AppointmentStatus.FULFILLED
    appointment.visit, appointment.ended_at = visit, at
    appointment.save()


def cancel(actor: Actor, patient_id: str, cluster: str, day: date, reason: str = "") -> Appointment:
    """Give a number back; it is not given to anybody else.

    Raises:
        NotFoundError: No number is kept.
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
        held.end_reason = reason.strip()[:200]
        held.save()
        audit.record(actor, "appointment_cancelled", "appointment", held.id, patient_id, cluster=cluster)
    return held


def close_day(day: date) -> int:
    """Tell those who came another way from those who did not come; returns how many were ended."""
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
