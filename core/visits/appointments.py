"""Numbers taken from home, and return dates: a place in a cluster's queue, kept until the patient comes.

An appointment draws its number from the same counter as the tickets of that day. It becomes a
ticket with this number when the clerk registers the patient in this cluster, after the same
check as every other; the patient then has the place of the number, before later ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from peewee import fn

from core.exchange import outbox
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentOrigin, AppointmentStatus, EntryStatus, Permission, VisitStatus
from core.foundation.database import transaction
from core.foundation.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, as_row, given
from core.models import Appointment, BpjsListItem, Patient, QueueEntry, Ticket, Visit
from core.patients import deaths
from core.queues import tickets, turns
from core.queues.entries import refuse_second_place
from core.visits import roster_versions
from core.visits.roster import Hours, RosterSession

COMPLAINT_LENGTH = 500  # characters that are kept
REASON_LENGTH = 200  # characters that are kept
PHONE_LENGTH = 20  # characters that are kept
DOCTOR_LENGTH = 10  # characters that are kept
LATEST_RETURN = timedelta(days=180)
"""Time ahead up to which a return date is given."""
MISSED_LOOK_BACK = timedelta(days=30)
"""Age up to which a return date at which nobody came is listed."""


@dataclass(frozen=True)
class Booking:
    """The number that somebody asks for from home.

    Attributes:
        cluster: Code of a cluster that patients are sent to from the counter.
        day: Today until closing time, or one of the next `jkn_horizon_days` on which the clinic is open.
        chief_complaint: In the patient's words, at most `COMPLAINT_LENGTH` characters are kept.
        card: BPJS number by which the number will be asked for; the patient's record may hold none, or another.
        phone: Where the patient is reached; at most `PHONE_LENGTH` characters are kept.
        doctor: BPJS's number of the clinician wanted; empty: whoever works then.
        hours: That clinician's hours, `08:00-12:00`; empty: any.
    """

    cluster: str
    day: date
    chief_complaint: str = ""
    card: str = ""
    phone: str = ""
    doctor: str = ""
    hours: str = ""


def book(clinic: Clinic, actor: Actor, patient: Patient, wanted: Booking) -> Appointment:
    """Keep the next number of a cluster for a patient.

    Args:
        clinic: The clinic.
        actor: Actor who books.
        patient: The patient who will come.
        wanted: The number.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`),
            `chief_complaint` (`required`), `doctor` (`unknown`), `hours` (`format`).
        RuleError: `day_over` after closing time; `closed_day`, `no_session`, `other_hours` and `session_over` by the
            roster; `quota_full`; `patient_deceased`.
        ConflictError: `already_booked` or `already_in_queue`, with the `number` in its details.
    """
    actor.require(Permission.REGISTER)
    check_day(clinic, wanted.cluster, wanted.day)
    _check_complaint(clinic, wanted.chief_complaint)
    sessions = _sessions(clinic, wanted)
    with transaction():
        # Nobody is there to be asked: the counter has to look at it.
        deaths.require_asked(actor, patient, "book", confirmed=False)
        _refuse_second(clinic, patient, wanted)
        doctor, hours = _place_in(clinic, wanted, sessions)
        return _keep(clinic, actor, patient, replace(wanted, doctor=doctor, hours=hours))


def book_return(clinic: Clinic, actor: Actor, visit: Visit, wanted: Booking) -> Appointment:
    """Keep the next number of a cluster for a patient whom the clinician wants to see again.

    An earlier return date of the same visit ends with it. Neither quota nor the horizon of Mobile JKN holds: the
    clinician says who comes back.

    Args:
        clinic: The clinic.
        actor: The clinician.
        visit: At which it is given.
        wanted: The number; its day lies at most `LATEST_RETURN` after the visit.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`).
        RuleError: `closed_day`, `no_session`; `patient_deceased`.
        ConflictError: `already_booked`, with the `number` in its details.
    """
    _check_cluster_and_day(clinic, wanted.cluster, wanted.day, ahead=LATEST_RETURN, first=timedelta(days=1))
    _refuse_closed(clinic, wanted.cluster, wanted.day)
    sessions = _sessions(clinic, wanted)
    with transaction():
        # A return date begins something: nobody who is recorded as dead is expected.
        deaths.require_asked(actor, visit.patient, "book", confirmed=False)
        end_return(actor, visit)
        _refuse_second(clinic, visit.patient, wanted)
        session = sessions[0] if sessions else None
        kept = replace(
            wanted,
            doctor=session.doctor if session else "",
            hours=str(session.hours) if session else "",
        )
        return _keep(clinic, actor, visit.patient, kept, AppointmentOrigin.ROOM, visit)


def end_return(actor: Actor, visit: Visit) -> None:
    """Take back the return date that was given at a visit, if one is still kept; runs in a transaction.

    Args:
        actor: Who takes it back.
        visit: At which it was given.
    """
    held = return_of(visit.id)
    if held is not None:
        held.status, held.ended_at = AppointmentStatus.CANCELLED, clock.now()
        held.save()
        facts = {"cluster": held.cluster}
        audit.record(actor, "appointment_cancelled", "appointment", held.id, held.patient_id, **facts)
        _tell_of_return(held)


def return_of(visit_id: str) -> Appointment | None:
    """Return the return date that was given at a visit and is kept; None without one."""
    found: Appointment | None = Appointment.get_or_none(
        Appointment.from_visit == visit_id, Appointment.status == AppointmentStatus.BOOKED
    )
    return found


def _keep(
    clinic: Clinic,
    actor: Actor,
    patient: Patient,
    wanted: Booking,
    origin: AppointmentOrigin = AppointmentOrigin.HOME,
    visit: Visit | None = None,
) -> Appointment:
    """Write an appointment; runs in a transaction.

    Args:
        clinic: For the form of its numbers.
        actor: Who books.
        patient: Who will come.
        wanted: Cluster, day and the rest, checked.
        origin: Who made it.
        visit: At which it was given.
    """
    sequence = tickets.next_sequence(wanted.cluster, wanted.day)
    made: Appointment = Appointment.create(
        id=new_id(),
        patient=patient,
        cluster=wanted.cluster,
        service_on=wanted.day,
        sequence=sequence,
        number=tickets.ticket_number(clinic, wanted.cluster, sequence),
        status=AppointmentStatus.BOOKED,
        chief_complaint=wanted.chief_complaint.strip()[:COMPLAINT_LENGTH],
        card=wanted.card,
        phone=wanted.phone.strip()[:PHONE_LENGTH],
        doctor=wanted.doctor,
        hours=wanted.hours,
        origin=origin,
        from_visit=visit,
        booked_at=clock.now(),
    )
    audit.record(actor, "appointment_booked", "appointment", made.id, patient.id, cluster=wanted.cluster)
    _tell_of_return(made)
    return made


def _tell_of_return(appointment: Appointment) -> None:
    """Let the visit go out again where the return date is part of what was sent of it."""
    if appointment.from_visit_id is not None:
        outbox.enqueue(outbox.VISIT, appointment.from_visit_id)


def check_day(clinic: Clinic, cluster: str, day: date) -> None:
    """Refuse a day on which a cluster takes no numbers from home.

    Args:
        clinic: The clinic.
        cluster: Code of the cluster.
        day: The day.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`).
        RuleError: `closed_day`; `day_over` after today's closing time.
    """
    horizon = timedelta(days=clinic.settings.jkn_horizon_days)
    _check_cluster_and_day(clinic, cluster, day, ahead=horizon)
    _refuse_closed(clinic, cluster, day)
    if day == clinic.today() and clock.now().astimezone(clinic.zone).time() >= clinic.settings.close_at:
        raise RuleError("day_over", closes=clinic.settings.close_at.strftime("%H:%M"))


def _check_cluster_and_day(
    clinic: Clinic, cluster: str, day: date, *, ahead: timedelta, first: timedelta = timedelta()
) -> None:
    """Refuse a cluster that nobody is sent to from the counter, and a day outside what may be booked.

    Args:
        clinic: The clinic.
        cluster: Code of the cluster.
        day: The day.
        ahead: From today to the last day.
        first: From today to the first day.

    Raises:
        ValidationError: `cluster` (`unknown`, `not_a_first_destination`), `day` (`past`, `too_far`).
    """
    problems: dict[str, str] = {}
    known = clinic.clusters.get(cluster)
    if known is None:
        problems["cluster"] = "unknown"
    elif known.stage != "first":
        problems["cluster"] = "not_a_first_destination"
    today = clinic.today()
    if day < today + first:
        problems["day"] = "past"
    elif day > today + ahead:
        problems["day"] = "too_far"
    if problems:
        raise ValidationError(problems)


def _refuse_closed(clinic: Clinic, cluster: str, day: date) -> None:
    """Refuse a day on which nobody works, but for clusters around the clock.

    Raises:
        RuleError: `closed_day`.
    """
    if roster_versions.current(clinic).is_closed(day) and clinic.clusters[cluster].day_ends_at is None:
        raise RuleError("closed_day", cluster=cluster)


def _check_complaint(clinic: Clinic, chief_complaint: str) -> None:
    if clinic.settings.jkn_complaint_required and not chief_complaint.strip():
        raise ValidationError({"chief_complaint": "required"})


def _refuse_second(clinic: Clinic, patient: Patient, wanted: Booking) -> None:
    """Refuse a second number in one cluster on one day, to a patient and to a card."""
    held = held_for(patient.id, wanted.cluster, wanted.day) or held_by_card(
        wanted.card, wanted.cluster, wanted.day
    )
    if held is not None:
        raise ConflictError("already_booked", number=held.number, cluster=wanted.cluster)
    if wanted.day == clinic.today():
        refuse_second_place(patient.id, wanted.cluster)


def _sessions(clinic: Clinic, wanted: Booking) -> list[RosterSession]:
    """Return the sessions in which the number may be; none where the roster knows nothing of the cluster.

    Raises:
        ValidationError: `hours` (`format`), `doctor` (`unknown`).
        RuleError: `no_session`, `other_hours`, `session_over`.
    """
    hours = Hours.read(wanted.hours) if wanted.hours else None
    if wanted.hours and hours is None:
        raise ValidationError({"hours": "format"})
    roster = roster_versions.current(clinic)
    known = roster.of_cluster(wanted.cluster)
    if not known:
        _check_doctor_of_bpjs(wanted.doctor)
        return []
    if wanted.doctor and all(session.doctor != wanted.doctor for session in known):
        raise ValidationError({"doctor": "unknown"})
    of_day = [
        session
        for session in roster.of_day(wanted.cluster, wanted.day)
        if wanted.doctor in ("", session.doctor)
    ]
    if not of_day:
        raise RuleError("no_session", cluster=wanted.cluster)
    fitting = [session for session in of_day if hours in (None, session.hours)]
    if not fitting:
        raise RuleError("other_hours", hours=", ".join(str(session.hours) for session in of_day))
    return _not_over(clinic, wanted.day, fitting)


def _not_over(clinic: Clinic, day: date, sessions: list[RosterSession]) -> list[RosterSession]:
    if day != clinic.today():
        return sessions
    now = clock.now().astimezone(clinic.zone).time()
    left = [session for session in sessions if session.hours.ends > now]
    if not left:
        raise RuleError("session_over", ends=f"{sessions[-1].hours.ends:%H:%M}")
    return left


def _check_doctor_of_bpjs(doctor: str) -> None:
    """Refuse a clinician whom BPJS's own list, once it was read, does not hold."""
    listed = BpjsListItem.select().where(BpjsListItem.kind == roster_versions.BPJS_DOCTORS)
    if doctor and listed.exists() and not listed.where(BpjsListItem.code == doctor).exists():
        raise ValidationError({"doctor": "unknown"})


def _place_in(clinic: Clinic, wanted: Booking, sessions: list[RosterSession]) -> tuple[str, str]:
    """Return doctor and hours of the first session that has room; what was asked for where there are none.

    Raises:
        RuleError: `quota_full`.
    """
    limit = clinic.settings.jkn_quota
    if limit and _numbers_from_home(wanted.cluster, wanted.day) >= limit:
        raise RuleError("quota_full", cluster=wanted.cluster)
    if not sessions:
        hours = Hours.read(wanted.hours) if wanted.hours else None
        return wanted.doctor[:DOCTOR_LENGTH], str(hours or "")
    for session in sessions:
        taken = _numbers_from_home(wanted.cluster, wanted.day, session)
        if not session.quota or taken < session.quota:
            return session.doctor, str(session.hours)
    raise RuleError("quota_full", cluster=wanted.cluster)


def _numbers_from_home(cluster: str, day: date, session: RosterSession | None = None) -> int:
    """Count the numbers of a cluster and day, or of one session of that day."""
    taken = Appointment.select().where(
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.origin == AppointmentOrigin.HOME,
        Appointment.status != AppointmentStatus.CANCELLED,
    )
    if session is not None:
        taken = taken.where(Appointment.doctor == session.doctor, Appointment.hours == str(session.hours))
    return int(taken.count())


def held_by_card(card: str, cluster: str, day: date) -> Appointment | None:
    """Return the appointment kept in a cluster on a day for whoever booked with a card; None without one.

    Args:
        card: BPJS number as it was sent with the booking.
        cluster: Code of the cluster.
        day: The clinic's day.
    """
    if not card:
        return None
    found: Appointment | None = Appointment.get_or_none(
        Appointment.card == card,
        Appointment.cluster == cluster,
        Appointment.service_on == day,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    return found


def newest_with_card(card: str, cluster: str, day: date) -> Appointment | None:
    """Return the last appointment that was made with a card, or for the patient who has it; cancelled ones too.

    A patient's record may hold no card, or not this one yet: newborns and new members book like everybody else.

    Args:
        card: BPJS number.
        cluster: Code of the cluster.
        day: The clinic's day.
    """
    owner = Patient.select(Patient.id).where(Patient.voided_at.is_null(), Patient.bpjs_number == card)
    found: Appointment | None = (
        Appointment.select()
        .where(
            Appointment.cluster == cluster,
            Appointment.service_on == day,
            (Appointment.card == card) | Appointment.patient.in_(owner),
        )
        .order_by(Appointment.booked_at.desc(), Appointment.sequence.desc())
        .first()
    )
    return found


def held_for(patient_id: str, cluster: str, day: date) -> Appointment | None:
    """Return the appointment with the number kept for a patient in a cluster on a day.

    Args:
        patient_id: The patient.
        cluster: Code of the cluster.
        day: The clinic's day.
    """
    cells = _BOOKED.first(patient=patient_id, cluster=cluster, day=day)
    return None if cells is None else as_row(Appointment, Appointment._meta.sorted_field_names, cells)


_BOOKED = Statement(
    lambda: Appointment.select().where(
        Appointment.patient == given("patient"),
        Appointment.cluster == given("cluster"),
        Appointment.service_on == given("day"),
        Appointment.status == AppointmentStatus.BOOKED,
    )
)


def of_day(actor: Actor, day: date) -> list[Appointment]:
    """Return the numbers that wait for a day with their patients: those still awaited first, by number.

    Args:
        actor: Somebody at the counter.
        day: The clinic's day.
    """
    actor.require(Permission.REGISTER)
    found = Appointment.select(Appointment, Patient).join(Patient).where(Appointment.service_on == day)
    return sorted(
        found,
        key=lambda row: (row.status != AppointmentStatus.BOOKED, row.cluster, row.sequence),
    )


def missed(clinic: Clinic, actor: Actor) -> list[Appointment]:
    """Return the return dates of late at which nobody came, and whose patients were not here since; newest first.

    Args:
        clinic: For its day.
        actor: Somebody at the counter.
    """
    actor.require(Permission.REGISTER)
    return missed_between(clinic.today() - MISSED_LOOK_BACK, clinic.today())


def missed_between(first: date, last: date) -> list[Appointment]:
    """Return the return dates of some days at which nobody came, and whose patients were not here since.

    Args:
        first: First day.
        last: Last day.
    """
    rows = (
        Appointment.select(Appointment, Patient)
        .join(Patient)
        .where(
            Appointment.service_on.between(first, last),
            Appointment.status == AppointmentStatus.NO_SHOW,
            Appointment.origin == AppointmentOrigin.ROOM,
            Patient.deceased_on.is_null(),
        )
        .order_by(Appointment.service_on.desc(), Appointment.cluster, Appointment.sequence)
    )
    return [row for row in rows if not _came_since(row)]


def given_between(first: date, last: date) -> int:
    """Return how many return dates were given for some days; without those taken back.

    Args:
        first: First day.
        last: Last day.
    """
    given = Appointment.select().where(
        Appointment.service_on.between(first, last),
        Appointment.origin == AppointmentOrigin.ROOM,
        Appointment.status != AppointmentStatus.CANCELLED,
    )
    return int(given.count())


def _came_since(appointment: Appointment) -> bool:
    later = Visit.select().where(
        Visit.patient == appointment.patient_id,
        Visit.service_on >= appointment.service_on,
        Visit.voided_at.is_null(),
        Visit.status != VisitStatus.CANCELLED,
    )
    return bool(later.exists())


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
            Ticket.turn > turns.of_number(appointment.sequence),
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


def cancel(actor: Actor, card: str, cluster: str, day: date, reason: str = "") -> Appointment:
    """Cancel an appointment; its number is not given to another patient.

    Args:
        actor: Actor who cancels.
        card: BPJS number with which it was made, or that of its patient.
        cluster: Code of the cluster.
        day: The clinic's day.
        reason: In words; at most `REASON_LENGTH` characters are kept.

    Raises:
        NotFoundError: No number was kept.
        RuleError: `already_served`: the patient is at the clinic with it; `already_cancelled`; `not_come`: the day is
            over.
    """
    actor.require(Permission.REGISTER)
    with transaction():
        held = newest_with_card(card, cluster, day)
        if held is None:
            raise NotFoundError("appointment")
        if held.status != AppointmentStatus.BOOKED:
            raise RuleError(_why_ended(held), number=held.number)
        held.status, held.ended_at = AppointmentStatus.CANCELLED, clock.now()
        held.end_reason = reason.strip()[:REASON_LENGTH]
        held.save()
        audit.record(actor, "appointment_cancelled", "appointment", held.id, held.patient_id, cluster=cluster)
        _tell_of_return(held)
    return held


def _why_ended(appointment: Appointment) -> str:
    """Return the code that says how a number that is kept no longer ended."""
    if appointment.status == AppointmentStatus.NO_SHOW:
        return "not_come"
    return "already_cancelled" if is_cancelled(appointment) else "already_served"


def is_cancelled(appointment: Appointment) -> bool:
    """Return whether a number was given back: from home, or at the counter, where the registration was undone."""
    if appointment.status == AppointmentStatus.CANCELLED:
        return True
    visit = appointment.visit
    return visit is not None and (visit.status == VisitStatus.CANCELLED or visit.voided_at is not None)


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
