"""Two records of one person become one, and two again when that was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peewee import IntegrityError

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.linkage import non_matches, review_queue
from core.linkage.birth_dates import SAME_DATES
from core.linkage.candidates import person_of
from core.linkage.name_comparison import SURE_NAMES
from core.linkage.scoring import comparison_levels
from core.models import Allergy, Appointment, Merge, Patient, PatientKey, SharingDecision, Visit
from core.orders import medicine_gate
from core.patients import deaths
from core.patients import service as patients
from core.patients.fields import MERGEABLE, PERSONAL_NUMBERS
from core.patients.national_ids import normalise_number
from core.queues.entries import refuse_shared_queue
from core.schemas.patients import MergeOut

MOVED: dict[str, tuple[Any, Any]] = {
    "Visit": (Visit, Visit.patient),
    "Appointment": (Appointment, Appointment.patient),
    "Allergy": (Allergy, Allergy.patient),
    "SharingDecision": (SharingDecision, SharingDecision.patient),
    "Patient": (Patient, Patient.mother),
}
"""Rows that follow the patient, by the name under which the log keeps them: visits, allergies, what the
patient decided, children."""


def merge(
    clinic: Clinic, actor: Actor, patient_id: str, into: str, *, deceased_confirmed: bool = False
) -> Merge:
    """Make `patient_id` part of `into`; both histories are kept under the survivor.

    Args:
        clinic: The clinic.
        actor: The person who does it, for rights and audit.
        patient_id: The patient's id.
        into: The id of the record that remains.
        deceased_confirmed: Merged although one of them died before the other was here.

    Raises:
        NotAllowedError: The actor may not merge.
        ValidationError: `into` is the same patient.
        NotFoundError: One of them does not exist or was voided.
        RuleError: `judged_two_people` when a person has said that they are two; `patient_deceased` when one was here
            after the other had died, until `deceased_confirmed`.
        ConflictError: `both_in_queue`: both wait in one queue today; one of the two places has to end first.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with transaction():
        merged, survivor = patients.find(patient_id), patients.find(into)
        if merged.id == survivor.id:
            raise ValidationError({"into": "same"})
        refuse_shared_queue(merged.id, survivor.id)
        made = _merge(clinic, actor, merged, survivor, "patients_merged")
        now = patients.find(survivor.id)
        if deaths.has_come_since(now):
            deaths.require_asked(actor, now, "merge", confirmed=deceased_confirmed)
        return made


def merge_by_card(clinic: Clinic, actor: Actor, patient_id: str, nik: str) -> Merge | None:
    """Merge by itself: the card seen just now for one record carries the NIK of another.

    Only when the other's NIK was verified by a card too, name and birth date agree, and no value that
    both have contradicts the other.

    Args:
        clinic: The clinic.
        actor: The person who does it, for rights and audit.
        patient_id: The patient's id.
        nik: The NIK on the card.

    Returns:
        The merge, or None when nobody has this NIK or a person must look.

    Raises:
        ConflictError: `both_in_queue`: both wait in one queue today.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        merged = patients.find(patient_id)
        owner: Patient | None = Patient.get_or_none(
            Patient.nik == normalise_number(nik), Patient.voided_at.is_null(), Patient.id != merged.id
        )
        if owner is None or owner.identity_verified_at is None or not agree(merged, owner):
            return None
        if merged.deceased_on != owner.deceased_on:
            return None  # who shows a card is alive: a person must look
        refuse_shared_queue(merged.id, owner.id)
        return _merge(clinic, actor, merged, owner, "patients_merged_by_card")


def agree(left: Patient, right: Patient) -> bool:
    """Return whether name and birth date agree and nothing that both records hold contradicts.

    Without both nothing is merged automatically, whatever the number says.
    """
    found = set(comparison_levels(person_of(left), person_of(right)))
    if not (found & SURE_NAMES and found & SAME_DATES):
        return False
    # People move: another address does not contradict.
    if any(code.startswith("other_") and code != "other_address" for code in found):
        return False
    return not any(_differ(getattr(left, name), getattr(right, name)) for name in PERSONAL_NUMBERS)


def _differ(left: str | None, right: str | None) -> bool:
    return bool(left and right and left != right)


def _merge(clinic: Clinic, actor: Actor, merged: Patient, survivor: Patient, action: str) -> Merge:
    """Make two rows one, in the caller's transaction.

    Steps:
        1. Snapshot both rows.
        2. Void the merged row (which frees its identifiers), then fill the survivor's empty columns.
        3. Move visits, allergies and children, remembering each row's id; tell whom an allergy now concerns.
        4. Rewrite the search keys and tell office, terminals and audit log.
    """
    if non_matches.is_non_match(merged.id, survivor.id):
        raise RuleError("judged_two_people")
    at = clock.now()
    gained = _gained(merged, survivor)
    log: dict[str, Any] = {
        "merged": patients.snapshot_of(merged),
        "survivor": patients.snapshot_of(survivor),
        "gained": {name: patients.stored_value(value) for name, value in gained.items()},
        "moved": {},
    }
    for patient in (merged, survivor):
        patients.keep_version(patient, actor, "merge")
    void = {
        "voided_at": at,
        "voided_by": actor.account_id,
        "void_reason": "merged",
        "merged_into": survivor.id,
    }
    patients.update_row(merged, void, at)
    patients.update_row(survivor, gained, at)
    for name, (table, column) in MOVED.items():
        ids = [row.id for row in table.select(table.id).where(column == merged.id, table.id != survivor.id)]
        log["moved"][name] = ids
        table.update({column: survivor.id}).where(table.id.in_(ids)).execute()
    PatientKey.delete().where(PatientKey.patient == merged.id).execute()
    for before in (merged, survivor):
        patients.settle_passport(before)
    deaths.refresh_death(actor, survivor.id)
    medicine_gate.tell_of_allergies(clinic, survivor.id)
    patients.write_keys(Patient.get_by_id(survivor.id))
    made: Merge = Merge.create(
        id=new_id(),
        survivor=survivor.id,
        merged=merged.id,
        log=log,
        merged_at=at,
        merged_by=actor.account_id,
    )
    _tell(actor, made, action)
    return made


def _gained(merged: Patient, survivor: Patient) -> dict[str, Any]:
    """Return the columns that the survivor takes over: its empty ones, never itself as its own mother."""
    gained = {
        name: getattr(merged, name)
        for name in MERGEABLE
        if getattr(survivor, name) in (None, "") and getattr(merged, name) not in (None, "")
    }
    if merged.death_reported_on is not None and survivor.death_reported_on is None:
        gained["death_reported_on"] = merged.death_reported_on
    if "passport_number" in gained:
        gained["passport_doubtful"] = merged.passport_doubtful
    if gained.get("mother_id") == survivor.id:
        gained.pop("mother_id")
    if "nik" in gained:
        gained["no_identifier_reason"] = None
        if merged.identity_verified_at and not survivor.identity_verified_at:
            gained["identity_verified_at"] = merged.identity_verified_at
    return gained


def undo(clinic: Clinic, actor: Actor, merge_id: str) -> Merge:
    """Take a merge back: both rows as they were to the byte, moved rows back where they came from.

    Visits made under the survivor since then stay with the survivor. When the survivor's card was
    corrected since, the correction stays too, and only what the merge had brought goes back.

    Args:
        clinic: The clinic.
        actor: The person who does it, for rights and audit.
        merge_id: The merge to take back.

    Raises:
        NotAllowedError: The actor may not merge.
        NotFoundError: No such merge.
        RuleError: `already_undone`; `undo_not_possible` when the survivor was merged further since
            (undo that first), or a number that must go back was given to somebody else.
    """
    actor.require(Permission.MERGE_PATIENTS)
    with transaction():
        made = Merge.get_or_none(Merge.id == merge_id)
        if made is None:
            raise NotFoundError("merge", merge_id)
        if made.undone_at is not None:
            raise RuleError("already_undone")
        survivor, merged = Patient.get_by_id(made.survivor_id), Patient.get_by_id(made.merged_id)
        if survivor.voided_at is not None:
            raise RuleError("undo_not_possible")
        for patient in (survivor, merged):
            patients.keep_version(patient, actor, "unmerge")
        try:
            # The survivor first: the identifiers it gained must be free before they go back.
            _give_back(survivor, made.log)
            _write(made.log["merged"])
        except (IntegrityError, ValidationError):
            raise RuleError("undo_not_possible") from None
        for name, ids in made.log["moved"].items():
            table, column = MOVED[name]
            back = table.update({column: merged.id}).where(table.id.in_(ids), column == survivor.id)
            back.execute()
        for patient_id in (survivor.id, merged.id):
            deaths.refresh_death(actor, patient_id)
            medicine_gate.tell_of_allergies(clinic, patient_id)
            patients.write_keys(Patient.get_by_id(patient_id))
        # Both rows bear the time of before the merge, so the queue would not compare them again.
        review_queue.add(Patient.get_by_id(survivor.id), Patient.get_by_id(merged.id))
        Merge.update(undone_at=clock.now(), undone_by=actor.account_id).where(Merge.id == made.id).execute()
        made = Merge.get_by_id(made.id)
        _tell(actor, made, "merge_undone")
    return made


def _give_back(survivor: Patient, log: Mapping[str, Any]) -> None:
    before = log["survivor"]
    if survivor.version == before["version"] + 1:
        _write(before)
        return
    now = patients.snapshot_of(survivor)
    returned = {
        name: before[_column(name)] for name, value in log["gained"].items() if now[_column(name)] == value
    }
    patients.update_row(survivor, returned, clock.now())


def _column(name: str) -> str:
    """The name under which a column stands in a row's snapshot."""
    return name.removesuffix("_id") if name == "mother_id" else name


def _write(row: Mapping[str, Any]) -> None:
    """Put a snapshot back, every column as it was."""
    columns = {name: value for name, value in row.items() if name != "id"}
    Patient.update(**columns).where(Patient.id == row["id"]).execute()


def newest(actor: Actor, patient_id: str | None = None, limit: int = 50) -> list[Merge]:
    """Merges, newest first: of one patient, or the clinic's last; those not undone can be.

    Args:
        actor: The person who does it, for rights and audit.
        patient_id: The patient's id.
        limit: At most so many.

    Raises:
        NotAllowedError: The actor may not see patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    merges = Merge.select().order_by(Merge.merged_at.desc()).limit(limit)
    if patient_id is not None:
        merges = merges.where(Merge.survivor == patient_id)
    return list(merges)


def merge_out(made: Merge) -> MergeOut:
    """A merge as sent to terminals."""
    survivor = Patient.get_by_id(made.survivor_id)
    return MergeOut(
        id=made.id,
        survivor_id=made.survivor_id,
        merged_id=made.merged_id,
        merged_at=made.merged_at,
        undone_at=made.undone_at,
        name=survivor.name,
        survivor_number=survivor.medical_record_number,
        merged_number=made.log["merged"]["medical_record_number"],
        merged_by=made.merged_by.name,
    )


def _tell(actor: Actor, made: Merge, action: str) -> None:
    for patient_id in {made.survivor_id, made.merged_id, *made.log["moved"]["Patient"]}:
        outbox.enqueue("patient", patient_id)
    outbox.enqueue("visit", *made.log["moved"]["Visit"])
    if made.log["moved"].get("SharingDecision"):
        # Another answer may count now: what was kept back goes, or what is there is looked at again.
        both = Visit.patient.in_([made.survivor_id, made.merged_id])
        outbox.enqueue("visit", *[visit.id for visit in Visit.select(Visit.id).where(both)])
    audit.record(actor, action, "merge", made.id, made.survivor_id, merged=made.merged_id)
    people = [(patient_id, patient_id) for patient_id in (made.survivor_id, made.merged_id)]
    audit.record_each(actor, action, "patient", people, merge=made.id)
    feed.append("patient", action=action)
