"""A patient's card is corrected: whoever it now looks like is shown first, and a card settles it.

A changed name, birth date or number can make a record look like another one's. So a correction is
checked like a new registration, and needs the same decision.
"""

from __future__ import annotations

from typing import Any

from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand, Permission
from core.foundation.database import connection
from core.foundation.errors import RuleError
from core.foundation.permissions import Actor
from core.models import Patient
from core.patients import duplicate_check, merging, nik_holders
from core.patients import service as patients
from core.patients.fields import COLUMNS, IDENTIFYING
from core.schemas.patients import DuplicateQuery, PatientPatch


def correct(clinic: Clinic, actor: Actor, patient_id: str, patch: PatientPatch) -> Patient:
    """Correct a patient's card; the earlier version is kept.

    Steps:
        1. A card seen now, whose NIK another verified record has without contradicting this one: the two
           are one person and become one record (`merging.merge_by_card`); the survivor is given back.
        2. A NIK that is plainly another person's is asked about (`nik_holders`).
        3. A changed name, birth date or number: who else may be this person is looked for.
        4. The correction is stored.

    Args:
        clinic: The clinic.
        actor: The person who does it, for rights and audit.
        patient_id: The patient's id.
        patch: The changed fields; those not given stay.

    Raises:
        NotFoundError, ConflictError, ValidationError: As `patients.edit`.
        RuleError: `nik_of_another`, until the patch says whose it is; `duplicate_decision_required`, with the
            candidates, until the patch says `new`.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with connection():
        patient = patients.find(patient_id)
        if patch.identity_verified and patch.nik:
            made = merging.merge_by_card(clinic, actor, patient.id, patch.nik)
            if made is not None:
                return patients.find(made.survivor_id)
        patch = _with_settled_nik(clinic, patient, patch)
        if not patch.duplicate_decision:
            _check_duplicates(clinic, patient, patch)
        return patients.edit(clinic, actor, patient.id, patch)


def _with_settled_nik(clinic: Clinic, patient: Patient, patch: PatientPatch) -> PatientPatch:
    """Return the patch with another person's NIK as the mother's or guardian's.

    A number that stood on the card before, beside facts that stay, was answered for then.

    Raises:
        RuleError: `nik_of_another`, with the doubt, until `nik_holder` says whose it is.
    """
    given = patch.model_dump(exclude_unset=True)
    if not any(given[name] != getattr(patient, name) for name in patients.NIK_FACTS & set(given)):
        return patch
    values = {name: getattr(patient, name) for name in COLUMNS} | given
    moved = nik_holders.settled(clinic, values, patch.nik_holder, own_id=patient.id)
    return PatientPatch(**given | moved)


def _check_duplicates(clinic: Clinic, patient: Patient, patch: PatientPatch) -> None:
    given = patch.model_dump(exclude_unset=True, include=set(DuplicateQuery.model_fields))
    if not any(given[name] != getattr(patient, name) for name in IDENTIFYING & set(given)):
        return
    now: dict[str, Any] = {
        name: getattr(patient, name) for name in DuplicateQuery.model_fields if name != "exclude_id"
    }
    described = {name: value for name, value in {**now, **given}.items() if value is not None}
    found = duplicate_check.duplicates(clinic, DuplicateQuery(**described, exclude_id=patient.id))
    if found.band is not DuplicateBand.NEW:
        raise RuleError("duplicate_decision_required", **found.model_dump(mode="json"))
