"""Patients as they are read: one card, the search box, the lists of the counter, the form sent to terminals."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from peewee import SQL, fn

from core.foundation import audit
from core.foundation.ages import age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, Payer, Permission, VisitStatus
from core.foundation.database import connection, tuples
from core.foundation.permissions import Actor
from core.models import Allergy, Appointment, Patient, QueueEntry, RemoteResource, Ticket, Visit
from core.patients import search as patient_search
from core.patients import service as patients
from core.patients import villages
from core.patients.fields import COLUMNS
from core.patients.national_ids import check_nik
from core.schemas.patients import AppointmentOut, PatientOut

LATELY_DAYS = 90  # a visit within these days puts a patient at the head of the verify-later list

_QUEUE_NUMBER = re.compile(r"([A-Z]{1,2})-?(K?)0*([1-9]\d{0,3})")
"""A number as shown on a patient's telephone or on a printed form, in capitals: `A-012`, `A12`, `A-K07`."""


def get(clinic: Clinic, actor: Actor, patient_id: str) -> Patient:
    """Return a patient's record; the read is audited.

    Args:
        clinic: The clinic.
        actor: The account that reads.
        patient_id: The patient; a merged one leads to the survivor.

    Raises:
        NotAllowedError: The actor may not read patients.
        NotFoundError: There is no such patient.
    """
    actor.require(Permission.READ_PATIENTS)
    patient = patients.find(patient_id)
    audit.record(actor, "patient_read", "patient", patient.id, patient.id)
    return patient


def search(clinic: Clinic, actor: Actor, text: str, limit: int = 20) -> list[Patient]:
    """Return the patients that the text of the search box may mean, best match first.

    Args:
        clinic: The clinic.
        actor: The account that searches.
        text: NIK, BPJS number, medical record number, phone, a ticket's or a booking's number of today, a name in any order
            and with misspellings, name and birth date or year, or address words.
        limit: Highest number of patients returned.

    Raises:
        NotAllowedError: The actor may not read patients.
    """
    actor.require(Permission.READ_PATIENTS)
    with connection():
        return _with_number(clinic, text)[:limit] or patient_search.found(text, limit)


def _with_number(clinic: Clinic, number: str) -> list[Patient]:
    """Return the patients that hold this number today: a ticket of the counter, or one taken from home."""
    match = _QUEUE_NUMBER.fullmatch(number.strip().upper())
    if match is None:
        return []
    clusters = [cluster.code for cluster in clinic.clusters.values() if cluster.prefix == match[1]]
    # The numbers of printed forms are a series of their own, below zero.
    of_today = (clusters, clinic.today(), -int(match[3]) if match[2] else int(match[3]))
    tickets = Ticket.select(Visit.patient).join(Visit).where(*_numbered(Ticket, *of_today))
    booked = Appointment.status == AppointmentStatus.BOOKED
    held = Appointment.select(Appointment.patient).where(*_numbered(Appointment, *of_today), booked)
    has_number = Patient.id.in_(tickets) | Patient.id.in_(held)
    return list(Patient.select().where(has_number, Patient.voided_at.is_null()))


def _numbered(table: Any, clusters: Sequence[str], day: date, sequence: int) -> tuple[Any, ...]:
    """Return the conditions for a number of one day.

    Args:
        table: Tickets or appointments.
        clusters: Clusters whose numbers begin with its letter.
        day: The day of the service.
        sequence: The number without letter and zeros.
    """
    return table.cluster.in_(clusters), table.service_on == day, table.sequence == sequence


def recent(clinic: Clinic, actor: Actor, limit: int = 20) -> list[Patient]:
    """Return the patients that the empty search box shows: today's last ones, then those seen before.

    Args:
        clinic: The clinic.
        actor: The account that reads.
        limit: Highest number of patients returned.

    Raises:
        NotAllowedError: The actor may not read patients.
    """
    actor.require(Permission.READ_PATIENTS)
    seen = Visit.select(Visit.patient).where(Visit.voided_at.is_null())
    # A patient may have several visits; three times as many bring enough different ones.
    ids = [row[0] for row in tuples(seen.order_by(Visit.started_at.desc()).limit(3 * limit))]
    active = Patient.voided_at.is_null()
    found = _in_order(ids, Patient.select().where(Patient.id.in_(ids), active))[:limit]
    if len(found) < limit:
        others = Patient.select().where(Patient.id.not_in(ids), active).order_by(Patient.updated_at.desc())
        found += list(others.limit(limit - len(found)))
    return found


def unverified(clinic: Clinic, actor: Actor, limit: int = 50) -> list[Patient]:
    """Return patients whose card has not been seen yet: those seen lately first, then the longest waiting.

    An imported list may leave tens of thousands; a patient who comes again is the one to ask.

    Args:
        clinic: The clinic.
        actor: The account that reads.
        limit: Highest number of patients returned.

    Raises:
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    waiting = (Patient.identity_verified_at.is_null(), Patient.voided_at.is_null())
    since = clinic.today() - timedelta(days=LATELY_DAYS)
    came = (
        Visit.select(Visit.patient, fn.MAX(Visit.started_at).alias("last"))
        .join(Patient)
        .where(Visit.service_on >= since, Visit.voided_at.is_null(), *waiting)
        .group_by(Visit.patient)
        .order_by(SQL("last").desc())
        .limit(limit)
    )
    ids = [row[0] for row in tuples(came)]
    found = _in_order(ids, Patient.select().where(Patient.id.in_(ids)))
    if len(found) < limit:
        others = Patient.select().where(Patient.id.not_in(ids), *waiting).order_by(Patient.created_at)
        found += list(others.limit(limit - len(found)))
    return found


def _in_order(ids: Sequence[str], rows: Iterable[Patient]) -> list[Patient]:
    """Return rows in the order in which their ids come first."""
    order = {patient_id: place for place, patient_id in reversed(list(enumerate(ids)))}
    return sorted(rows, key=lambda patient: order[patient.id])


def patient_out(clinic: Clinic, patient: Patient) -> PatientOut:
    """Return one patient as sent to terminals."""
    return patients_out(clinic, [patient])[0]


def patients_out(clinic: Clinic, found: Sequence[Patient]) -> list[PatientOut]:
    """Return patients as sent to terminals, with last visit, open entry and allergies, in five queries; with IHS numbers, in six."""
    ids = [patient.id for patient in found]
    if not ids:
        return []
    today = clinic.today()
    last_visits, last_payers = _last_visits(ids), _last_payers(ids)
    open_entries = _open_entries(ids)
    appointments = _appointments(ids, today)
    allergies = _allergies(ids)
    ihs_numbers = _ihs_numbers(clinic, found)
    return [
        PatientOut(
            id=patient.id,
            medical_record_number=patient.medical_record_number,
            age=age_in_years(patient.birth_date, today),
            version=patient.version,
            identity_verified=patient.identity_verified_at is not None,
            identity_verified_at=patient.identity_verified_at,
            deceased_on=patient.deceased_on,
            last_visit_on=last_visits.get(patient.id),
            last_payer=last_payers.get(patient.id),
            open_entry=open_entries.get(patient.id),
            appointment=appointments.get(patient.id),
            allergies=allergies.get(patient.id, []),
            allergies_asked=bool(allergies.get(patient.id)) or patient.no_known_allergies_at is not None,
            merged_into=patient.merged_into_id,
            ihs_number=ihs_numbers.get(patient.medical_record_number, ""),
            village=villages.label_of(patient.village_code),
            warnings=_warnings(patient, today),
            **{name: getattr(patient, name) for name in COLUMNS},
        )
        for patient in found
    ]


def _last_visits(ids: Sequence[str]) -> dict[str, date]:
    """Return patient -> day of the last visit."""
    query = (
        Visit.select(Visit.patient, fn.MAX(Visit.service_on))
        .where(Visit.patient.in_(ids), Visit.voided_at.is_null())
        .group_by(Visit.patient)
    )
    return dict(tuples(query))


def _last_payers(ids: Sequence[str]) -> dict[str, Payer]:
    """Return patient -> payer of the last visit that was not cancelled."""
    counted = (Visit.patient.in_(ids), Visit.voided_at.is_null(), Visit.status != VisitStatus.CANCELLED)
    newest = (
        Visit.select(Visit.patient, fn.MAX(Visit.started_at).alias("at"))
        .where(*counted)
        .group_by(Visit.patient)
    )
    is_newest = (Visit.patient == newest.c.patient_id) & (Visit.started_at == newest.c.at)
    found = Visit.select(Visit.patient, Visit.payer).join(newest, on=is_newest).where(*counted)
    return {patient: Payer(payer) for patient, payer in tuples(found)}


def _open_entries(ids: Sequence[str]) -> dict[str, str]:
    """Return patient -> number and cluster of the open queue entry: `B-004 GIGI`."""
    query = (
        QueueEntry.select(QueueEntry, Ticket, Visit)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            Visit.patient.in_(ids),
            QueueEntry.ended_at.is_null(),
            QueueEntry.voided_at.is_null(),
        )
    )
    return {row.visit.patient_id: f"{row.ticket.number} {row.cluster}" for row in query}


def _appointments(ids: Sequence[str], today: date) -> dict[str, AppointmentOut]:
    """Return patient -> number taken from home for today."""
    query = Appointment.select().where(
        Appointment.patient.in_(ids),
        Appointment.service_on == today,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    return {
        row.patient_id: AppointmentOut(
            number=row.number,
            cluster=row.cluster,
            chief_complaint=row.chief_complaint,
            bpjs_number=row.card,
        )
        for row in query
    }


def _allergies(ids: Sequence[str]) -> dict[str, list[str]]:
    """Return patient -> substances."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for allergy in Allergy.select().where(Allergy.patient.in_(ids), Allergy.voided_at.is_null()):
        found[allergy.patient_id].append(allergy.substance)
    return found


def _ihs_numbers(clinic: Clinic, found: Sequence[Patient]) -> dict[str, str]:
    """Return medical record number -> SATUSEHAT's number, as far as it has told them."""
    server = clinic.settings.satusehat_url.rstrip("/")
    if not server:
        return {}
    kept = RemoteResource.select(RemoteResource.value, RemoteResource.remote_id).where(
        RemoteResource.server == server,
        RemoteResource.type == "Patient",
        RemoteResource.value.in_([patient.medical_record_number for patient in found]),
    )
    return dict(tuples(kept))


def _warnings(patient: Patient, today: date) -> list[str]:
    """Return the codes of what is unusual about the NIK."""
    if not patient.nik:
        return []
    check = check_nik(patient.nik, birth_date=patient.birth_date, sex=patient.sex, today=today)
    return [finding.code for finding in check.findings]
