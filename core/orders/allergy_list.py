"""A patient's allergies: recorded once, stated to be none, struck out with a reason."""

from __future__ import annotations

from core.exchange import outbox
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import AllergySeverity, AllergySource
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Allergy, Patient
from core.orders import medicine_gate
from core.orders.medicines import clashes, read_allergy
from core.orders.medicines.folding import fold_words
from core.patients import service as patients
from core.records.access import Purpose, open_patient, require_right
from core.schemas.record import (
    AllergiesOut,
    AllergyAdded,
    AllergyFields,
    AllergyOut,
    ReasonFields,
    StatedReason,
)


def add(clinic: Clinic, actor: Actor, patient_id: str, fields: AllergyFields) -> AllergyAdded:
    """Record an allergy; "tidak ada" records that there are none.

    Args:
        clinic: For its day.
        actor: The clinician.
        patient_id: The patient.
        fields: Substance, reaction, severity, source.

    Returns:
        Its id, whether it could be read, and the prescriptions, open or of today, that it speaks against.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such patient.
        ValidationError: `substance` holds no letter.
        RuleError: `allergy_known`: it is recorded already; `allergies_recorded`: there are some, so "none"
            contradicts them.
    """
    require_right(actor, Purpose.ALLERGY)
    if not any(sign.isalpha() for sign in fields.substance):
        raise ValidationError(
            {"substance": "required"}
        )  # `-`, `?`: neither a substance nor that there is none
    if read_allergy(fields.substance).none_known:
        state_none(clinic, actor, patient_id, fields)
        return AllergyAdded(id="", none_known=True)
    with transaction():
        patient = patients.find(patient_id)
        open_patient(
            clinic, actor, patient.id, Purpose.ALLERGY, StatedReason(fields.reason, fields.reason_code)
        )
        known = next((row for row in _rows(patient) if _is_same(row.substance, fields.substance)), None)
        if known is not None:
            raise RuleError("allergy_known", allergy_id=known.id, substance=known.substance)
        row = Allergy.create(
            id=new_id(),
            patient=patient,
            substance=fields.substance,
            reaction=fields.reaction,
            severity=fields.severity or "",
            source=fields.source or "",
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        if patient.no_known_allergies_at is not None:
            _set_none_known(actor, patient, known=False)
            audit.record(actor, "no_known_allergies_taken_back", "patient", patient.id, patient.id)
        outbox.enqueue("patient", patient.id)
        audit.record(actor, "allergy_added", "allergy", row.id, patient.id)
        return AllergyAdded(
            id=row.id,
            read=read_allergy(row.substance).is_read,
            clashes=[
                medicine_gate.clash_out(each)
                for each in medicine_gate.tell_of_allergies(clinic, patient.id)
                if any(clashes(name, [row.substance]) for name in medicine_gate.given_by(each))
            ],
        )


def state_none(clinic: Clinic, actor: Actor, patient_id: str, why: ReasonFields) -> AllergiesOut:
    """Record that the patient was asked and knows of no allergy.

    Args:
        clinic: For its day.
        actor: The clinician.
        patient_id: The patient.
        why: Why, outside the actor's own queue.

    Raises:
        NotAllowedError: The role may not write records; `reason_required` outside one's own queue.
        NotFoundError: There is no such patient.
        RuleError: `allergies_recorded`: there are some; strike them out first.
    """
    require_right(actor, Purpose.ALLERGY)
    with transaction():
        patient = patients.find(patient_id)
        open_patient(clinic, actor, patient.id, Purpose.ALLERGY, StatedReason(why.reason, why.reason_code))
        recorded = [row.substance for row in _rows(patient)]
        if recorded:
            raise RuleError("allergies_recorded", substances=recorded)
        _set_none_known(actor, patient, known=True)
        audit.record(actor, "no_known_allergies", "patient", patient.id, patient.id)
        return AllergiesOut(asked=True)


def void(clinic: Clinic, actor: Actor, allergy_id: str, reason: str) -> AllergiesOut:
    """Strike an allergy out that was entered in error; what is left is returned.

    Args:
        clinic: For its day.
        actor: The clinician.
        allergy_id: The allergy.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records.
        ValidationError: `reason` is missing.
        NotFoundError: There is no such allergy, or it was struck out already.
    """
    require_right(actor, Purpose.ALLERGY)
    if not reason:
        raise ValidationError({"reason": "required"})
    with transaction():
        row: Allergy | None = Allergy.get_or_none(Allergy.id == allergy_id, Allergy.voided_at.is_null())
        if row is None:
            raise NotFoundError("allergy", allergy_id)
        open_patient(clinic, actor, row.patient_id, Purpose.ALLERGY, StatedReason(reason))
        audit.about_to_change("allergy", row.id)
        Allergy.update(voided_at=clock.now(), voided_by=actor.account_id, void_reason=reason).where(
            Allergy.id == allergy_id
        ).execute()
        outbox.enqueue("patient", row.patient_id)
        audit.record(actor, "allergy_voided", "allergy", row.id, row.patient_id, reason=reason)
        medicine_gate.tell_of_allergies(clinic, row.patient_id)
        return _listed(row.patient)


def of_patient(clinic: Clinic, actor: Actor, patient_id: str, reason: StatedReason) -> AllergiesOut:
    """Return a patient's allergies, and whether anybody asked.

    Args:
        clinic: For its day.
        actor: Who reads it.
        patient_id: The patient.
        reason: Why, outside the actor's own queue.

    Raises:
        NotAllowedError: The role may not read records; `reason_required` outside one's own queue.
        NotFoundError: There is no such patient.
    """
    with transaction():
        patient = patients.find(patient_id)
        open_patient(clinic, actor, patient.id, Purpose.READ, reason)
        return _listed(patient)


def _listed(patient: Patient) -> AllergiesOut:
    rows = [
        AllergyOut(
            id=row.id,
            substance=row.substance,
            reaction=row.reaction,
            severity=AllergySeverity(row.severity) if row.severity else None,
            source=AllergySource(row.source) if row.source else None,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by.name,
            read=read_allergy(row.substance).is_read,
        )
        for row in _rows(patient)
    ]
    return AllergiesOut(allergies=rows, asked=bool(rows) or patient.no_known_allergies_at is not None)


def _rows(patient: Patient) -> list[Allergy]:
    query = Allergy.select().where(Allergy.patient == patient, Allergy.voided_at.is_null())
    return list(query.order_by(Allergy.recorded_at, Allergy.id))


def _set_none_known(actor: Actor, patient: Patient, *, known: bool) -> None:
    Patient.update(
        no_known_allergies_at=clock.now() if known else None,
        no_known_allergies_by=actor.account_id if known else None,
    ).where(Patient.id == patient.id).execute()


def _is_same(left: str, right: str) -> bool:
    """Return whether two texts record the same allergy: the same words, or the same one substance or class."""
    one, other = read_allergy(left), read_allergy(right)
    both_read = one.is_read and other.is_read and one.is_medicine
    same_thing = (one.ingredients, one.classes) == (other.ingredients, other.classes)
    return fold_words(left) == fold_words(right) or (both_read and same_thing)
