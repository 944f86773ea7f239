"""Patients as they are stored: registered, filled in and corrected, each with its transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from peewee import IntegrityError, fn

from core.exchange import outbox
from core.foundation import audit, clock
from core.foundation.ages import OLDEST_AGE_YEARS, age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import instant_text, transaction, tuples
from core.foundation.errors import ConflictError, NotFoundError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, given
from core.foundation.statements import create as create_row
from core.foundation.statements import find as find_row
from core.linkage.blocking import stored_keys
from core.linkage.candidates import person_of
from core.linkage.key_queries import add_keys, among
from core.linkage.names import fold, joined_names, without_alias
from core.linkage.scoring import Person, person_from
from core.linkage.search_keys import former_keys
from core.models import AuditEvent, Patient, PatientKey, PatientVersion
from core.patients import deaths, identity_values, record_numbers
from core.patients.fields import CHECKED, CODED, COLUMNS, EMPTY_TEXTS, REQUIRED, UNIQUE_NUMBERS
from core.patients.national_ids import Outcome, normalise_phone
from core.patients.nik_evidence import Described, contradictions, mother_problem
from core.schemas.patients import PatientFields, PatientPatch, longest


@dataclass(frozen=True)
class NewPatient:
    """A patient to be stored."""

    id: str
    values: dict[str, Any]
    """Columns, as `checked` returns them."""
    record_number: str | None = None
    """Number of the paper file, as `record_numbers.of_paper` returns it; kept unless a patient has it."""


def checked(clinic: Clinic, fields: PatientFields) -> dict[str, Any]:
    """Return the columns of a new patient, normalised; whether a number is taken is not checked.

    Raises:
        ValidationError: As for `create`.
    """
    return _checked(clinic, fields.model_dump(), prefix="patient.")


def create(
    clinic: Clinic,
    actor: Actor,
    fields: PatientFields,
    now: datetime,
    record_number: str | None = None,
    patient_id: str = "",
) -> Patient:
    """Store a new patient, in the caller's transaction.

    Args:
        clinic: The clinic.
        actor: The account that registers.
        fields: The patient's fields.
        now: Time of the registration, aware.
        record_number: Number of a paper file, as `record_numbers.of_paper` returns it.
        patient_id: An id that was given out before; empty: a new one.

    Raises:
        ValidationError: `patient.<field>`: code of the problem (`nik_length`, `taken`, ...).
    """
    new = NewPatient(patient_id or new_id(), checked(clinic, fields), record_number)
    with transaction():
        _refuse_taken(new.values, None, "patient.")
        store(actor, [new], now)
        patient = find_row(Patient, new.id)
        assert patient is not None
    return patient


def store(actor: Actor, new: Sequence[NewPatient], now: datetime) -> None:
    """Store new patients with search keys, outbox and audit events, in the caller's transaction.

    Args:
        actor: The account that registers.
        new: The patients.
        now: Time of the registration, aware.

    Raises:
        ValidationError: `patient.<field>`: `taken`: another server gave one of their numbers away at the same moment.
    """
    if not new:
        return
    numbers = record_numbers.give([one.record_number for one in new])
    rows = [_row(one, number, actor, now) for one, number in zip(new, numbers, strict=True)]
    with telling_taken("patient."):
        if len(rows) == 1:
            create_row(Patient, **rows[0])
        else:
            Patient.insert_many(rows).execute()
    add_keys([key for one in new for key in _keys_of(one.id, person_from(one.values))])
    ids = [one.id for one in new]
    outbox.enqueue("patient", *ids)
    audit.record_each(actor, "patient_created", "patient", [(id_, id_) for id_ in ids])


def _keys_of(patient_id: str, person: Person) -> list[tuple[str, str, str]]:
    """Return (kind, value, patient id) of each search key of a patient."""
    return [(kind, value, patient_id) for kind, value in sorted(stored_keys(person))]


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


def _checked(
    clinic: Clinic, values: dict[str, Any], prefix: str, given: Collection[str] | None = None
) -> dict[str, Any]:
    """Return a patient's columns, normalised.

    Args:
        clinic: For today's date.
        values: Columns as typed; normalised in place.
        prefix: Stands before the names of the fields in the error.
        given: The columns that a correction changes; None where all are new. A stored value that is older than
            today's rules hinders no correction of another field.

    Raises:
        ValidationError: Every field that cannot be stored, with its code.
    """
    stored = dict(values)
    today = clinic.today()
    _part_names(values)
    problems = _birth_date_problem(values["birth_date"], today)
    if not fold(values["name"]):
        problems["name"] = "required"
    elif not any(sign.isalpha() for sign in values["name"]):
        problems["name"] = "name_number"  # a card scanned into the wrong field
    if len(values["other_names"]) > longest("other_names"):
        problems["other_names"] = "too_long"
    problems |= _check_numbers(values, today)
    problems |= _coded_problems(values)
    if given is not None:
        for name in _unchanged(problems, given):
            values[name] = stored[name]
            del problems[name]
    values["phone"] = normalise_phone(values["phone"])
    values["village_code"] = values["village_code"].replace(".", "")
    if values["nik"]:
        values["no_identifier_reason"] = None
    if values["mother_nik"] and "mother_nik" not in problems:
        wrong = mother_problem(values["mother_nik"], values["birth_date"], today)
        problems |= {"mother_nik": wrong} if wrong else {}
    if values["mother_id"] is not None and not _exists(values["mother_id"]):
        problems["mother_id"] = "unknown"
    if problems:
        raise ValidationError({prefix + name: code for name, code in problems.items()})
    return values


def _coded_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """Return field -> code of what is no answer to its question."""
    listed = identity_values.lists()
    return {name: "not_a_choice" for name in CODED if not listed[name].takes(values[name])}


def _part_names(values: dict[str, Any]) -> None:
    """Keep what stands behind `alias` in the name with the other names, in place."""
    values["name"], besides = without_alias(values["name"])
    values["other_names"] = joined_names(values["other_names"] or "", besides)


NIK_FACTS = frozenset({"nik", "birth_date", "sex"})
"""Fields against which a NIK is checked."""


def _unchanged(problems: Mapping[str, str], given: Collection[str]) -> list[str]:
    """Return the wrong columns that a correction does not touch, a NIK with the facts that it is checked against."""
    touched = set(given) | ({"nik"} if NIK_FACTS & set(given) else set())
    return [name for name in problems if name not in touched]


def _birth_date_problem(born: date, today: date) -> dict[str, str]:
    if born > today:
        return {"birth_date": "birth_date_in_future"}
    if age_in_years(born, today) > OLDEST_AGE_YEARS:
        return {"birth_date": "birth_date_too_old"}
    return {}


def _check_numbers(values: dict[str, Any], today: date) -> dict[str, str]:
    """Normalise the numbers in place; return field -> code of those that cannot be such a number."""
    problems: dict[str, str] = {}
    for field in CHECKED:
        name = field.name
        text = (values[name] or "").strip()
        if not text:
            values[name] = None
            continue
        found = field.checked(text, values, today)
        values[name] = found.value
        if found.outcome is Outcome.REJECT:
            problems[name] = found.rejected_for
    return problems


def _exists(patient_id: str) -> bool:
    return bool(Patient.select().where(Patient.id == patient_id).exists())


def owners(column: str, values: Sequence[str]) -> dict[str, str]:
    """Return value -> id of the active patient that has it, for a column of `UNIQUE_NUMBERS`."""
    field = getattr(Patient, column)
    rows = Patient.select(field, Patient.id).where(among(field, values), Patient.voided_at.is_null())
    return dict(tuples(rows))


def last_change() -> str:
    """Return the time of the last change of a patient; empty before the first."""
    return str(Patient.select(fn.MAX(Patient.updated_at)).scalar() or "")


def log_position() -> int:
    """Return how far the audit log has come: unlike a time it only grows, also when the clock is set back."""
    return int(_POSITION.value() or 0)


_POSITION = Statement(lambda: AuditEvent.select(fn.MAX(AuditEvent.sequence)))


def any_written_since(position: int) -> bool:
    """Return whether a patient was stored or changed after a position of the audit log."""
    return _WRITTEN_SINCE.first(position=position) is not None


_WRITTEN_SINCE = Statement(
    lambda: (
        AuditEvent.select(AuditEvent.sequence)
        .where(AuditEvent.sequence > given("position"), AuditEvent.kind == "patient")
        .limit(1)
    )
)


TAKEN_BY_INDEX = {"nik": "nik", "bpjs_number": "bpjs", "passport_number": "passport"}
"""Column of `UNIQUE_NUMBERS` -> the part of its index's name that tells it from the others."""


@contextmanager
def telling_taken(prefix: str) -> Iterator[None]:
    """Say which number is taken where the database's own index refuses it: no check sees what comes after it.

    Args:
        prefix: Stands before the name of the field in the error.

    Raises:
        ValidationError: `taken`, for the field.
        IntegrityError: Anything else that the database refuses.
    """
    try:
        yield
    except IntegrityError as refusal:
        words = str(refusal)
        for column, part in TAKEN_BY_INDEX.items():
            # SQLite names the column, PostgreSQL the index.
            if f"patient.{column}" in words or f"patient_{part}_active" in words:
                raise ValidationError({prefix + column: "taken"}) from None
        raise


def _refuse_taken(values: dict[str, Any], own_id: str | None, prefix: str) -> None:
    problems = {
        prefix + name: "taken"
        for name in UNIQUE_NUMBERS
        if values.get(name) and _is_taken(name, values[name], own_id)
    }
    if problems:
        raise ValidationError(problems)


def _is_taken(column: str, value: str, own_id: str | None = None) -> bool:
    """Return whether an active patient, other than `own_id`, has this number."""
    taken = Patient.select().where(getattr(Patient, column) == value, Patient.voided_at.is_null())
    if own_id is not None:
        taken = taken.where(Patient.id != own_id)
    return bool(taken.exists())


def owner_of_numbers(nik: str | None, bpjs_number: str | None) -> str | None:
    """Return the active patient who has one of these numbers; None where nobody does."""
    given_numbers = [(Patient.nik, nik), (Patient.bpjs_number, bpjs_number)]
    for column, value in given_numbers:
        row = Patient.get_or_none(column == value, Patient.voided_at.is_null()) if value else None
        if row is not None:
            return str(row.id)
    return None


def write_keys(patient: Patient) -> None:
    """Replace the search keys of a patient."""
    PatientKey.delete().where(PatientKey.patient == patient).execute()
    add_keys([*_keys_of(patient.id, person_of(patient)), *former_keys(patient.id)])


def find(patient_id: str) -> Patient:
    """Return a patient by id; a merged one leads to the survivor.

    Raises:
        NotFoundError: There is none, or it was voided.
    """
    patient = find_row(Patient, patient_id)
    if patient is not None and patient.merged_into_id:
        return find(patient.merged_into_id)
    if patient is None or patient.voided_at is not None:
        raise NotFoundError("patient", patient_id)
    return patient


def edit(clinic: Clinic, actor: Actor, patient_id: str, patch: PatientPatch) -> Patient:
    """Correct a patient's card; the earlier version is kept.

    Args:
        clinic: The clinic.
        actor: The account that corrects.
        patient_id: The patient; a merged one stands for the survivor.
        patch: The fields that change.

    Raises:
        NotFoundError: There is no such patient.
        ConflictError: Someone corrected it meanwhile.
        ValidationError: As for `create`, without prefix.
    """
    actor.require(Permission.EDIT_PATIENTS)
    changes = patch.model_dump(exclude_unset=True)
    expected = changes.pop("expected_version", None)
    for answer in ("duplicate_decision", "nik_holder"):
        changes.pop(answer, None)
    with transaction():
        patient = find(patient_id)
        if expected is not None and expected != patient.version:
            raise ConflictError(version=patient.version)
        given = _without_nulls(changes)
        verified = given.pop("identity_verified", None)
        current = {name: getattr(patient, name) for name in COLUMNS}
        values = _checked(clinic, {**current, **given}, prefix="", given=given)
        changed = {name: value for name, value in values.items() if value != getattr(patient, name, None)}
        _refuse_taken(changed, patient.id, "")
        now = clock.now()
        keep_version(patient, actor, "edit")
        if verified is not None:
            values["identity_verified_at"] = now if verified else None
        if "passport_number" in changed:
            values["passport_doubtful"] = False
        update_row(patient, values, now)
        settle_passport(patient)
        patient = Patient.get_by_id(patient.id)
        write_keys(patient)
        outbox.enqueue("patient", patient.id)
        if "death_reported_on" in given:
            deaths.refresh_death(actor, patient.id)
            patient = Patient.get_by_id(patient.id)
        audit.record(actor, "patient_edited", "patient", patient.id, patient.id, fields=sorted(changes))
    return patient


def _without_nulls(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes as they are stored: a text that is taken away is empty, not null.

    Raises:
        ValidationError: A required field is taken away.
    """
    missing = {name: "required" for name in REQUIRED if name in changes and changes[name] is None}
    if missing:
        raise ValidationError(missing)
    return {name: "" if value is None and _is_empty_text(name) else value for name, value in changes.items()}


def _is_empty_text(name: str) -> bool:
    """Return whether a missing value of this column is the empty text."""
    return name in EMPTY_TEXTS


def fill(actor: Actor, patient: Patient, given: Mapping[str, Any]) -> bool:
    """Store values of a list in the empty fields of a known patient; return whether any was stored.

    Args:
        actor: The account that imports.
        patient: The known patient.
        given: Columns of the list. A NIK or BPJS number that another patient has is left out, and so is a NIK that
            sex or birth date of the known patient contradict.
    """
    values = {name: value for name, value in given.items() if value and not getattr(patient, name)}
    if "nik" in values and not _may_own(patient, values["nik"]):
        del values["nik"]
    for name in UNIQUE_NUMBERS:
        if name in values and _is_taken(name, values[name]):
            del values[name]
    if not values:
        return False
    added = sorted(values)
    if "nik" in values:
        values["no_identifier_reason"] = None
    with transaction():
        keep_version(patient, actor, "edit")
        update_row(patient, values, clock.now())
        write_keys(Patient.get_by_id(patient.id))
        outbox.enqueue("patient", patient.id)
        audit.record(actor, "patient_filled", "patient", patient.id, patient.id, fields=added)
    return True


def _may_own(patient: Patient, nik: str) -> bool:
    """Return whether nothing that is stored of a patient contradicts a NIK."""
    facts = {"nik": nik, "sex": patient.sex, "birth_date": patient.birth_date}
    described = Described.of(facts | {"birth_date_estimated": patient.birth_date_estimated})
    return not contradictions(described, clock.now().date())


def snapshot_of(patient: Patient) -> dict[str, Any]:
    """Return every column of a patient as JSON-safe values that can be written back to the byte."""
    return {name: stored_value(value) for name, value in patient.__data__.items()}


def stored_value(value: Any) -> Any:
    """Return a column's value as it is stored: instants and days as text."""
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value


def keep_version(patient: Patient, actor: Actor, cause: str) -> None:
    """Store the record as it is before a change.

    Args:
        patient: The record.
        actor: The account that changes it.
        cause: `edit`, `merge` or `unmerge`.
    """
    PatientVersion.create(
        patient=patient,
        version=patient.version,
        data=snapshot_of(patient),
        changed_at=clock.now(),
        changed_by=actor.account_id,
        cause=cause,
    )


def update_row(patient: Patient, values: dict[str, Any], now: datetime) -> None:
    """Write columns of a patient and raise its version by one, in the caller's transaction.

    Args:
        patient: The patient as read.
        values: Column -> new value.
        now: The instant of the change, UTC.

    Raises:
        ValidationError: A number is `taken`: another server gave it away at the same moment.
    """
    columns = {("mother" if name == "mother_id" else name): value for name, value in values.items()}
    with telling_taken(""):
        Patient.update(version=patient.version + 1, updated_at=now, **columns).where(
            Patient.id == patient.id
        ).execute()


def settle_passport(before: Patient) -> None:
    """Take the doubt from a passport's last holder, once the others have another number or are one with them.

    Args:
        before: A patient as it was before the change that may have settled it.
    """
    if not before.passport_doubtful:
        return
    left = Patient.select().where(
        Patient.passport_number == before.passport_number, Patient.voided_at.is_null()
    )
    ids = [row.id for row in left]
    if len(ids) == 1:
        Patient.update(passport_doubtful=False).where(Patient.id == ids[0]).execute()


def doubtful_passports() -> dict[str, list[str]]:
    """Return each passport number that several patients have -> their record numbers."""
    found: dict[str, list[str]] = {}
    rows = Patient.select().where(Patient.passport_doubtful, Patient.voided_at.is_null())
    for row in rows.order_by(Patient.passport_number, Patient.medical_record_number):
        found.setdefault(str(row.passport_number), []).append(row.medical_record_number)
    return found
