"""Medicines: prescribed with an eye on allergies, handed out once; and the allergies themselves."""

from __future__ import annotations

from peewee import fn

from core import audit, clock, feed, outbox, patients
from core.actors import Actor
from core.clinic import Clinic
from core.contacts import contact_to_write, find_visit
from core.database import connection, transaction
from core.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.medicines import clashes, usual_medicines
from core.models import Allergy, Prescription
from core.schemas.record import (
    AllergyFields,
    DispenseFields,
    MedicineShape,
    PrescriptionFields,
    PrescriptionShape,
)
from core.vocabulary import OrderStatus, Permission


def find_medicines(actor: Actor, text: str, limit: int = 12) -> list[MedicineShape]:
    """Medicines whose name has a word beginning with the text, with the dose usually given.

    First what this clinician prescribed last, as it was prescribed, then the list that ships.
    """
    actor.require(Permission.WRITE_RECORDS)
    with connection():
        newest = fn.MAX(Prescription.prescribed_at)
        rows = (
            Prescription.select(
                Prescription.medicine, Prescription.dose, Prescription.frequency, Prescription.amount,
                Prescription.instructions,
            )
            .where(Prescription.prescribed_by == actor.account_id)
            .group_by(
                Prescription.medicine, Prescription.dose, Prescription.frequency, Prescription.amount,
                Prescription.instructions,
            )
            .order_by(newest.desc())
            .limit(200)
        )  # fmt: skip
        own = [
            MedicineShape(
                medicine=row.medicine,
                dose=row.dose,
                frequency=row.frequency,
                amount=row.amount,
                instructions=row.instructions,
            )
            for row in rows
        ]
    return usual_medicines(text, own, limit)


def prescribe(clinic: Clinic, actor: Actor, visit_id: str, fields: PrescriptionFields) -> PrescriptionShape:
    """Prescribe one medicine.

    Raises:
        RuleError: `allergy`: the patient reacts to the medicine or to its group; sent again with
            `allergy_override` it is kept, and the override is in the audit log. Or `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        visit = find_visit(visit_id)
        substances = [
            allergy.substance
            for allergy in Allergy.select().where(
                Allergy.patient == visit.patient_id, Allergy.voided_at.is_null()
            )
        ]
        against = clashes(fields.medicine, substances)
        if against and not fields.allergy_override:
            raise RuleError("allergy", substances=against)
        row = Prescription.create(
            id=new_id(),
            visit=visit,
            encounter=contact_to_write(clinic, actor, visit),
            status=OrderStatus.ACTIVE,
            prescribed_at=clock.now(),
            prescribed_by=actor.account_id,
            **fields.model_dump(exclude={"allergy_override"}),
        )
        outbox.put("visit", visit.id)
        audit.record(
            actor, "prescribed", "prescription", row.id, visit.patient_id, allergy_override=bool(against)
        )
        feed.append("prescription", visit_id=visit.id)
        return shape(row)


def revoke(clinic: Clinic, actor: Actor, prescription_id: str, reason: str) -> PrescriptionShape:
    """Take a prescription back that was not handed out yet.

    Raises:
        ValidationError: `reason` is missing.
        ConflictError: It was handed out, or taken back, already.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        row = _find(prescription_id)
        contact_to_write(clinic, actor, row.visit)
        changed = (
            Prescription.update(
                status=OrderStatus.REVOKED,
                revoked_at=clock.now(),
                revoked_by=actor.account_id,
                revoke_reason=reason.strip()[:200],
            )
            .where(Prescription.id == prescription_id, Prescription.status == OrderStatus.ACTIVE)
            .execute()
        )
        if not changed:
            raise ConflictError(status=row.status)
        outbox.put("visit", row.visit_id)
        audit.record(actor, "prescription_revoked", "prescription", row.id, row.visit.patient_id)
        feed.append("prescription", visit_id=row.visit_id)
        return shape(_find(prescription_id))


def dispense(clinic: Clinic, actor: Actor, prescription_id: str, fields: DispenseFields) -> PrescriptionShape:
    """Hand a prescribed medicine out, once.

    Raises:
        ConflictError: It was handed out, or taken back, already.
    """
    actor.require(Permission.DISPENSE)
    with transaction():
        row = _find(prescription_id)
        changed = (
            Prescription.update(
                status=OrderStatus.COMPLETED,
                dispensed_at=clock.now(),
                dispensed_by=actor.account_id,
                dispensed_amount=fields.amount if fields.amount not in {"", row.amount} else None,
                dispense_note=fields.note or None,
            )
            .where(Prescription.id == prescription_id, Prescription.status == OrderStatus.ACTIVE)
            .execute()
        )
        if not changed:
            raise ConflictError(status=row.status)
        outbox.put("visit", row.visit_id)
        audit.record(actor, "dispensed", "prescription", row.id, row.visit.patient_id)
        feed.append("prescription", visit_id=row.visit_id)
        return shape(_find(prescription_id))


def _find(prescription_id: str) -> Prescription:
    row: Prescription | None = Prescription.get_or_none(Prescription.id == prescription_id)
    if row is None:
        raise NotFoundError("prescription", prescription_id)
    return row


def shape(row: Prescription) -> PrescriptionShape:
    """As sent to terminals."""
    return PrescriptionShape(
        id=row.id,
        medicine=row.medicine,
        dose=row.dose,
        frequency=row.frequency,
        amount=row.amount,
        instructions=row.instructions,
        status=OrderStatus(row.status),
        prescribed_at=row.prescribed_at,
        prescribed_by=row.prescribed_by.name,
        dispensed_at=row.dispensed_at,
        dispensed_amount=row.dispensed_amount or "",
        dispense_note=row.dispense_note or "",
    )


def add_allergy(actor: Actor, patient_id: str, fields: AllergyFields) -> str:
    """Record an allergy; returns its id."""
    actor.require(Permission.WRITE_RECORDS)
    with transaction():
        patient = patients.find(patient_id)
        row = Allergy.create(
            id=new_id(),
            patient=patient,
            substance=fields.substance,
            reaction=fields.reaction,
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        outbox.put("patient", patient.id)
        audit.record(actor, "allergy_added", "allergy", row.id, patient.id)
    return str(row.id)
