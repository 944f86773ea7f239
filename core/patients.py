"""Patients: register, find, correct, show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from peewee import SQL, fn

from core import audit, clock, outbox, record_numbers, searching
from core.actors import Actor
from core.blocking import stored_keys
from core.clinic import Clinic, age_on
from core.database import connection, instant_text, transaction, tuples
from core.errors import ConflictError, NotFoundError, ValidationError
from core.identifiers import new_id
from core.identity import (
    Outcome,
    check_bpjs_number,
    check_family_card_number,
    check_nik,
    normalise_number,
)
from core.likeness import COMPARED, Person
from core.models import (
    Allergy,
    Appointment,
    Patient,
    PatientKey,
    PatientVersion,
    QueueEntry,
    Ticket,
    Visit,
)
from core.names import fold
from core.probing import add_keys, among
from core.schemas.patients import AppointmentShape, PatientFields, PatientPatch, PatientShape
from core.vocabulary import AppointmentStatus, Permission

OLDEST_YEARS = 120
LATELY_DAYS = 90

COLUMNS = (
    "name", "sex", "birth_date", "birth_date_estimated", "nik", "bpjs_number", "family_card_number",
    "passport_number", "mother_name", "mother_id", "birth_order", "phone", "address", "rt", "rw",
    "village_code", "no_identifier_reason",
)  # fmt: skip


def person_of(patient: Patient) -> Person:
    """A stored patient as the duplicate check compares it."""
    return person_from({name: getattr(patient, name) for name in COMPARED})


def person_from(values: Mapping[str, Any]) -> Person:
    """The columns of a patient as the duplicate check compares them."""
    return Person(
        **{**{name: values[name] for name in COMPARED}, "birth_date": values["birth_date"].isoformat()}
    )


def normalise_phone(text: str) -> str:
    """A phone number without separators, the country code +62 as the 0 that people write."""
    digits = normalise_number(text)
    if digits.startswith(("+62", "628")):
        return "0" + digits.removeprefix("+").removeprefix("62").lstrip("0")
    return digits


@dataclass(frozen=True)
class NewPatient:
    """Somebody to be stored."""

    id: str
    values: dict[str, Any]
    """As `checked` says them."""
    record_number: str | None = None
    """Of the paper file, as `record_numbers.of_paper` says it; kept unless somebody has it."""


def checked(clinic: Clinic, fields: PatientFields) -> dict[str, Any]:
    """The columns of a new patient; whether a number is taken is not looked at.

    Raises:
        ValidationError: As for `create`.
    """
    return _checked(clinic, fields.model_dump(), prefix="patient.")


def create(clinic: Clinic, actor: Actor, fields: PatientFields, now: datetime) -> Patient:
    """Store a new patient, in the caller's transaction.

    Args:
        clinic: The clinic.
        actor: Who registers.
        fields: What is known of the person.
        now: When, aware.

    Raises:
        ValidationError: `patient.<field>`: what cannot be stored and why (`nik_length`, `taken`, ...).
    """
    new = NewPatient(new_id(), checked(clinic, fields))
    with transaction():
        _refuse_taken(new.values, None, "patient.")
        store(actor, [new], now)
        patient: Patient = Patient.get_by_id(new.id)
    return patient


def store(actor: Actor, new: Sequence[NewPatient], now: datetime) -> None:
    """Write several new patients with all that goes with them, in the caller's transaction.

    Raises:
        IntegrityError: Somebody has a NIK or BPJS number of theirs.
    """
    if not new:
        return
    numbers = record_numbers.give([one.record_number for one in new])
    Patient.insert_many(
        [_row(one, number, actor, now) for one, number in zip(new, numbers, strict=True)]
    ).execute()
    ids = [one.id for one in new]
    add_keys(
        [(kind, value, one.id) for one in new for kind, value in sorted(stored_keys(person_from(one.values)))]
    )
    outbox.put("patient", *ids)
    audit.record_each(actor, "patient_created", "patient", [(id_, id_) for id_ in ids])


def _row(new: NewPatient, record_number: str, actor: Actor, now: datetime) -> dict[str, Any]:
    values = dict(new.values)
    verified = values.pop("identity_verified")
    return {
        "id": new.id,
        "medical_record_number": record_number,
        "identity_verified_at": now if verified else None,
        "created_at": now,
        "created_by": actor.account_id,
        "updated_at": now,
        "mother": values.pop("mother_id"),
        **values,
    }


def _checked(clinic: Clinic, values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Normalise and check a patient's columns; raises one error with every field that is wrong."""
    problems: dict[str, str] = {}
    today = clinic.today()
    born: date = values["birth_date"]
    if born > today:
        problems["birth_date"] = "birth_date_in_future"
    elif age_on(born, today) > OLDEST_YEARS:
        problems["birth_date"] = "birth_date_too_old"
    if not fold(values["name"]):
        problems["name"] = "required"
    for name in ("nik", "bpjs_number", "family_card_number", "passport_number"):
        values[name] = (values[name] or "").strip() or None
    if values["nik"]:
        nik = check_nik(values["nik"], birth_date=born, sex=values["sex"], today=today)
        values["nik"] = nik.value
        _note(problems, "nik", nik)
    if values["bpjs_number"]:
        card = check_bpjs_number(values["bpjs_number"])
        values["bpjs_number"] = card.value
        _note(problems, "bpjs_number", card)
    if values["family_card_number"]:
        family = check_family_card_number(values["family_card_number"], nik=values["nik"])
        values["family_card_number"] = family.value
        _note(problems, "family_card_number", family)
    values["phone"] = normalise_phone(values["phone"])
    values["village_code"] = values["village_code"].replace(".", "")
    if values["nik"]:
        values["no_identifier_reason"] = None
    if (
        values["mother_id"] is not None
        and not Patient.select().where(Patient.id == values["mother_id"]).exists()
    ):
        problems["mother_id"] = "unknown"
    if problems:
        raise ValidationError({prefix + name: code for name, code in problems.items()})
    return values


def _note(problems: dict[str, str], field: str, check: Any) -> None:
    if check.outcome is Outcome.REJECT:
        problems[field] = next(
            finding.code for finding in check.findings if finding.outcome is Outcome.REJECT
        )


def owners(column: str, values: Sequence[str]) -> dict[str, str]:
    """Value -> the patient who has it, of a column whose values are of one patient each."""
    field = getattr(Patient, column)
    rows = Patient.select(field, Patient.id).where(among(field, values), Patient.voided_at.is_null())
    return dict(tuples(rows))


def last_change() -> str:
    """When a patient was last stored or changed; empty before the first."""
    return str(Patient.select(fn.MAX(Patient.updated_at)).scalar() or "")


def _refuse_taken(values: dict[str, Any], own_id: str | None, prefix: str) -> None:
    problems = {}
    for name in ("nik", "bpjs_number"):
        column = getattr(Patient, name)
        if values.get(name):
            taken = Patient.select().where(column == values[name], Patient.voided_at.is_null())
            if own_id is not None:
                taken = taken.where(Patient.id != own_id)
            if taken.exists():
                problems[prefix + name] = "taken"
    if problems:
        raise ValidationError(problems)


def index(patient: Patient) -> None:
    """Write the search keys of a patient anew."""
    PatientKey.delete().where(PatientKey.patient == patient).execute()
    add_keys([(kind, value, patient.id) for kind, value in sorted(stored_keys(person_of(patient)))])


def find(patient_id: str) -> Patient:
    """A patient by id; a merged one leads to the survivor.

    Raises:
        NotFoundError: There is none, or it was voided.
    """
    patient: Patient | None = Patient.get_or_none(Patient.id == patient_id)
    if patient is not None and patient.merged_into_id:
        return find(patient.merged_into_id)
    if patient is None or patient.voided_at is not None:
        raise NotFoundError("patient", patient_id)
    return patient


def get(clinic: Clinic, actor: Actor, patient_id: str) -> Patient:
    """Read a patient's card; the read is audited."""
    actor.require(Permission.READ_PATIENTS)
    patient = find(patient_id)
    audit.record(actor, "patient_read", "patient", patient.id, patient.id)
    return patient


def edit(clinic: Clinic, actor: Actor, patient_id: str, patch: PatientPatch) -> Patient:
    """Correct a patient's card; the earlier version is kept.

    Raises:
        ConflictError: Someone corrected it meanwhile.
        ValidationError: As for `create`, without prefix.
    """
    actor.require(Permission.EDIT_PATIENTS)
    changes = patch.model_dump(exclude_unset=True)
    expected = changes.pop("expected_version", None)
    changes.pop("duplicate_decision", None)
    with transaction():
        patient = find(patient_id)
        if expected is not None and expected != patient.version:
            raise ConflictError(version=patient.version)
        current = {name: getattr(patient, name) for name in COLUMNS}
        required = {"name", "sex", "birth_date", "birth_date_estimated"}
        missing = {name: "required" for name in required if name in changes and changes[name] is None}
        if missing:
            raise ValidationError(missing)
        filled = {
            name: (
                ""
                if value is None and isinstance(current.get(name), str) and name not in _NULLABLE
                else value
            )
            for name, value in changes.items()
        }
        verified = filled.pop("identity_verified", None)
        values = _checked(clinic, {**current, **filled}, prefix="")
        _refuse_taken(values, patient.id, "")
        now = clock.now()
        keep_version(patient, actor, "edit")
        if verified is not None:
            values["identity_verified_at"] = now if verified else None
        update_row(patient, values, now)
        patient = Patient.get_by_id(patient.id)
        index(patient)
        outbox.put("patient", patient.id)
        audit.record(actor, "patient_edited", "patient", patient.id, patient.id, fields=sorted(changes))
    return patient


def fill(actor: Actor, patient: Patient, given: Mapping[str, Any]) -> bool:
    """Add what a list knows of a known patient where the record is empty; says whether anything was added.

    A NIK or BPJS number that somebody else has is left out.
    """
    values = {name: value for name, value in given.items() if value and not getattr(patient, name)}
    for name in ("nik", "bpjs_number"):
        taken = Patient.select().where(
            getattr(Patient, name) == values.get(name), Patient.voided_at.is_null()
        )
        if name in values and taken.exists():
            values.pop(name)
    if not values:
        return False
    added = sorted(values)
    if "nik" in values:
        values["no_identifier_reason"] = None
    with transaction():
        keep_version(patient, actor, "edit")
        update_row(patient, values, clock.now())
        index(Patient.get_by_id(patient.id))
        outbox.put("patient", patient.id)
        audit.record(actor, "patient_filled", "patient", patient.id, patient.id, fields=added)
    return True


_NULLABLE = {"nik", "bpjs_number", "family_card_number", "passport_number", "mother_id", "birth_order",
             "no_identifier_reason"}  # fmt: skip


def row_of(patient: Patient) -> dict[str, Any]:
    """Every column of a patient as JSON-safe values that can be written back to the byte."""
    return {name: plain(value) for name, value in patient.__data__.items()}


def plain(value: Any) -> Any:
    """A column's value as it is stored: instants and days as their text."""
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value


def keep_version(patient: Patient, actor: Actor, cause: str) -> None:
    """Keep what the record says now, before it changes."""
    PatientVersion.create(
        patient=patient,
        version=patient.version,
        data=row_of(patient),
        changed_at=clock.now(),
        changed_by=actor.account_id,
        cause=cause,
    )


def update_row(patient: Patient, values: dict[str, Any], now: datetime) -> None:
    """Write columns under the next version."""
    columns = {("mother" if name == "mother_id" else name): value for name, value in values.items()}
    Patient.update(version=patient.version + 1, updated_at=now, **columns).where(
        Patient.id == patient.id
    ).execute()


def search(clinic: Clinic, actor: Actor, text: str, limit: int = 20) -> list[Patient]:
    """Who may be meant by what stands in the search box, best first.

    Understands NIK, BPJS number, medical record number, phone, a name in any order and with
    misspellings, name and birth date or year, and address words.
    """
    actor.require(Permission.READ_PATIENTS)
    with connection():
        found = _holding(clinic, text) or searching.by_number(text) or searching.by_words(text, limit)
        audit.record(actor, "patients_searched", "search", "", None, found=len(found))
    return found[:limit]


def _holding(clinic: Clinic, number: str) -> list[Patient]:
    """Who took this number from home for today; typed as shown on their telephone, `A-012` or `a12`."""
    match = re.fullmatch(r"([A-Z]{1,2})-?0*([1-9]\d{0,3})", number.strip().upper())
    if match is None:
        return []
    clusters = [cluster.code for cluster in clinic.clusters.values() if cluster.prefix == match[1]]
    held = Appointment.select(Appointment.patient).where(
        Appointment.cluster.in_(clusters),
        Appointment.service_on == clinic.today(),
        Appointment.sequence == int(match[2]),
        Appointment.status == AppointmentStatus.BOOKED,
    )
    return list(Patient.select().where(Patient.id.in_(held), Patient.voided_at.is_null()))


def recent(clinic: Clinic, actor: Actor, limit: int = 20) -> list[Patient]:
    """Today's last patients first, then those seen before: what the empty box shows."""
    actor.require(Permission.READ_PATIENTS)
    seen = Visit.select(Visit.patient).where(Visit.voided_at.is_null())
    ids = [row[0] for row in tuples(seen.order_by(Visit.started_at.desc()).limit(3 * limit))]
    order = {patient_id: place for place, patient_id in reversed(list(enumerate(ids)))}
    active = Patient.voided_at.is_null()
    came = Patient.select().where(Patient.id.in_(ids), active)
    found = sorted(came, key=lambda patient: order[patient.id])[:limit]
    if len(found) < limit:
        others = Patient.select().where(Patient.id.not_in(ids), active).order_by(Patient.updated_at.desc())
        found += list(others.limit(limit - len(found)))
    return found


def unverified(clinic: Clinic, actor: Actor, limit: int = 50) -> list[Patient]:
    """Patients whose card has not been seen yet: who came lately first, then the longest waiting.

    A list that was brought in may leave tens of thousands; whoever comes is the one to ask.
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
    order = {patient_id: place for place, patient_id in enumerate(ids)}
    found = sorted(Patient.select().where(Patient.id.in_(ids)), key=lambda patient: order[patient.id])
    if len(found) < limit:
        others = Patient.select().where(Patient.id.not_in(ids), *waiting).order_by(Patient.created_at)
        found += list(others.limit(limit - len(found)))
    return found


# --- shapes


def shape(clinic: Clinic, patient: Patient) -> PatientShape:
    """One patient as sent to terminals."""
    return shapes(clinic, [patient])[0]


def shapes(clinic: Clinic, found: Sequence[Patient]) -> list[PatientShape]:
    """Patients as sent to terminals, with last visit, open entry and allergies, in four queries."""
    ids = [patient.id for patient in found]
    if not ids:
        return []
    today = clinic.today()
    last_visits: dict[str, date] = dict(
        tuples(
            Visit.select(Visit.patient, fn.MAX(Visit.service_on))
            .where(Visit.patient.in_(ids), Visit.voided_at.is_null())
            .group_by(Visit.patient)
        )
    )
    open_entries = {
        row.visit.patient_id: f"{row.ticket.number} {row.cluster}"
        for row in QueueEntry.select(QueueEntry, Ticket, Visit)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            Visit.patient.in_(ids),
            QueueEntry.service_on == today,
            QueueEntry.ended_at.is_null(),
            QueueEntry.voided_at.is_null(),
        )
    }
    held = {
        row.patient_id: AppointmentShape(
            number=row.number, cluster=row.cluster, chief_complaint=row.chief_complaint
        )
        for row in Appointment.select().where(
            Appointment.patient.in_(ids),
            Appointment.service_on == today,
            Appointment.status == AppointmentStatus.BOOKED,
        )
    }
    allergies: dict[str, list[str]] = {}
    for allergy in Allergy.select().where(Allergy.patient.in_(ids), Allergy.voided_at.is_null()):
        allergies.setdefault(allergy.patient_id, []).append(allergy.substance)
    return [
        PatientShape(
            id=patient.id,
            medical_record_number=patient.medical_record_number,
            age=age_on(patient.birth_date, today),
            version=patient.version,
            identity_verified=patient.identity_verified_at is not None,
            identity_verified_at=patient.identity_verified_at,
            last_visit_on=last_visits.get(patient.id),
            open_entry=open_entries.get(patient.id),
            appointment=held.get(patient.id),
            allergies=allergies.get(patient.id, []),
            merged_into=patient.merged_into_id,
            warnings=_warnings(patient, today),
            **{name: getattr(patient, name) for name in COLUMNS},
        )
        for patient in found
    ]


def _warnings(patient: Patient, today: date) -> list[str]:
    if not patient.nik:
        return []
    check = check_nik(patient.nik, birth_date=patient.birth_date, sex=patient.sex, today=today)
    return [finding.code for finding in check.findings]
