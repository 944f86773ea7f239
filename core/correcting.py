"""A patient's card is corrected: whoever it now looks like is shown first, and a card settles it.

A changed name, birth date or number can make a record look like another one's. So a correction is
checked like a new registration, and needs the same decision.
"""

from __future__ import annotations

from typing import Any

from core import matching, merging, patients
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.errors import RuleError
from core.models import Patient
from core.schemas.patients import DuplicateQuery, PatientPatch
from core.vocabulary import DuplicateBand, Permission

TELLING = frozenset({"name", "birth_date", "nik", "bpjs_number", "family_card_number"})
"""Fields that say who somebody is: a change of one is checked."""


def correct(clinic: Clinic, actor: Actor, patient_id: str, patch: PatientPatch) -> Patient:
    """Correct a patient's card; the earlier version is kept.

    Steps:
        1. A card seen now, whose NIK another verified record has without contradicting this one: the two
           are one person and become one record (`merging.merge_by_card`); the survivor is given back.
        2. A changed name, birth date or number: who else may be this person is looked for.
        3. The correction is stored.

    Raises:
        NotFoundError, ConflictError, ValidationError: As `patients.edit`.
        RuleError: `duplicate_decision_required`, with the candidates, until the patch says `new`.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with connection():
        patient = patients.find(patient_id)
        if patch.identity_verified and patch.nik:
            made = merging.merge_by_card(clinic, actor, patient.id, patch.nik)
            if made is not None:
                return patients.find(made.survivor_id)
        if not patch.duplicate_decision:
            _check_duplicates(clinic, patient, patch)
        return patients.edit(clinic, actor, patient.id, patch)


def _check_duplicates(clinic: Clinic, patient: Patient, patch: PatientPatch) -> None:
    given = patch.model_dump(exclude_unset=True, include=set(DuplicateQuery.model_fields))
    if not any(given[name] != getattr(patient, name) for name in TELLING & set(given)):
        return
    now: dict[str, Any] = {
        name: getattr(patient, name) for name in DuplicateQuery.model_fields if name != "exclude_id"
    }
    described = {name: value for name, value in {**now, **given}.items() if value is not None}
    found = matching.duplicates(clinic, DuplicateQuery(**described, exclude_id=patient.id))
    if found.band is not DuplicateBand.NEW:
        raise RuleError("duplicate_decision_required", **found.model_dump(mode="json"))
