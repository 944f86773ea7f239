"""Prescriptions: written, changed, revoked, dispensed once; every step through `core.orders.medicine_gate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from peewee import fn

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import CompoundMake, OrderStatus, Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Prescription, Visit
from core.orders import kfa, medicine_gate, withdrawals
from core.orders.medicine_gate import asked_codes, check_out, find_prescription, require_answers
from core.orders.medicines import usual_medicines
from core.orders.medicines.checks import ALLERGY, TOLD_ONLY, Check
from core.orders.medicines.compounding import PIECE
from core.orders.medicines.doses import piece_of
from core.orders.medicines.medicine_search import medicines_for_child
from core.orders.medicines.signa import read_signa, with_signa
from core.patients import deaths
from core.records.access import Purpose, find_visit, open_contact, open_patient, require_right
from core.records.contacts import contact_to_write
from core.schemas.record import (
    CompoundIngredient,
    DispenseFields,
    MedicineOut,
    PrescriptionFields,
    PrescriptionOut,
    ReasonFields,
    StatedReason,
)

OWN_PRESCRIPTIONS = 200
"""A clinician's newest distinct prescriptions that are searched."""
OVERRIDES = {"allergy_override", "dose_override", "confirmed", "deceased_confirmed"}
"""Fields of a request that answer questions and are no part of the prescription."""
CHANGED = "diubah"
"""Reason with which a prescription is revoked that another one replaces."""


def find_medicines(
    clinic: Clinic, actor: Actor, text: str, limit: int = 12, visit_id: str = ""
) -> list[MedicineOut]:
    """Return the medicines that a text may mean, with the dose usually given.

    First those that this clinician prescribed last, as they were prescribed, then the list that ships.
    For a child, what is made for children comes first, and each dose goes by the day's weight: no
    adult dose, and no dose of another patient, stands there below twelve years.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: The clinician.
        text: As typed: a name in any usual spelling, a brand, an abbreviation.
        limit: Most medicines returned, >= 1.
        visit_id: Whom it is for; empty for an adult.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        ValidationError: `cluster`: the visit was never in one of the actor's.
        RuleError: `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    with connection():
        kfa.refresh_names()
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
            .limit(OWN_PRESCRIPTIONS)
        )  # fmt: skip
        own = [
            MedicineOut(
                medicine=row.medicine,
                dose=row.dose,
                frequency=row.frequency,
                amount=row.amount,
                instructions=row.instructions,
            )
            for row in rows
        ]
        own += kfa.find_brands(text, limit)
        person = medicine_gate.person_to_prescribe_for(clinic, actor, visit_id) if visit_id else None
    if person is None or not person.is_child:
        return usual_medicines(text, own, limit)
    return medicines_for_child(text, own, limit, person)


def prescribe(clinic: Clinic, actor: Actor, visit_id: str, fields: PrescriptionFields) -> PrescriptionOut:
    """Prescribe one medicine.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        fields: Medicine, dose, frequency, amount.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        RuleError: `record_locked`; or the code of the gravest question that nobody has answered: `allergy`
            (answered by `allergy_override` with a reason), `dose_too_much`, `dose_too_little`,
            `dose_not_positive`, `dose_impossible`, `weight_needed` (by `dose_override`),
            `contraindication`, `medicine_twice`, `interaction` (by naming the code in `confirmed`);
            `patient_deceased`, until `deceased_confirmed`.
    """
    require_right(actor, Purpose.WRITE)
    with transaction():
        return _write(clinic, actor, find_visit(visit_id), fields)


def change(clinic: Clinic, actor: Actor, prescription_id: str, fields: PrescriptionFields) -> PrescriptionOut:
    """Replace a prescription that has not been dispensed; the earlier one stays in the record, revoked.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        prescription_id: The prescription that is replaced.
        fields: The whole new prescription.

    Returns:
        The new prescription; `replaces` names the earlier one.

    Raises:
        NotAllowedError: The role may not write records, or it was prescribed in another's cluster.
        NotFoundError: There is no such prescription.
        ConflictError: It was dispensed, or revoked, already.
        RuleError: As `prescribe`.
    """
    require_right(actor, Purpose.WRITE)
    with transaction():
        row = find_prescription(prescription_id)
        withdrawals.revoke(clinic, actor, Prescription, prescription_id, CHANGED)
        return _write(clinic, actor, row.visit, fields, replaces=row.id)


def _write(
    clinic: Clinic, actor: Actor, visit: Visit, fields: PrescriptionFields, replaces: str = ""
) -> PrescriptionOut:
    contact = contact_to_write(clinic, actor, visit)
    deaths.require_asked(actor, visit.patient, "prescribe", confirmed=fields.deceased_confirmed)
    fields = _completed(fields)
    found = medicine_gate.at_prescribing(visit, fields)
    require_answers(found, fields, fields.confirmed)
    row = Prescription.create(
        id=new_id(),
        visit=visit,
        encounter=contact,
        status=OrderStatus.ACTIVE,
        prescribed_at=clock.now(),
        prescribed_by=actor.account_id,
        replaces=replaces or None,
        confirmed=asked_codes(found),
        **fields.model_dump(exclude=OVERRIDES),
    )
    outbox.enqueue("visit", visit.id)
    audit.record(
        actor,
        "prescribed",
        "prescription",
        row.id,
        visit.patient_id,
        allergy_override=any(each.code == ALLERGY for each in found),
        overridden=[each.code for each in found if each.code not in TOLD_ONLY],
        reason=fields.override_reason,
    )
    feed.append("prescription", visit_id=visit.id)
    return prescription_out(row, found)


def _completed(fields: PrescriptionFields) -> PrescriptionFields:
    """Return the prescription with its name, made of the ingredients, and with what the shorthand says.

    Raises:
        ValidationError: `medicine`, or `papers` of a compounded one, must be filled in (`required`).
    """
    parts = [each.model_dump() for each in fields.ingredients]
    compound = medicine_gate.compound_of(fields, parts)
    if not fields.medicine and compound is None:
        raise ValidationError({"medicine": "required"})
    if compound is not None and fields.papers is None:
        raise ValidationError({"papers": "required"})
    values: dict[str, Any] = {}
    unit = ""
    if compound is not None:
        unit = PIECE[compound.make]
        values = {"medicine": compound.name, "make": CompoundMake(compound.make)}
        values["amount"] = fields.amount or f"{compound.papers} {unit}"
    if fields.signa:
        read = read_signa(fields.signa, unit or piece_of(fields.medicine))
        filled = with_signa(fields.dose, fields.frequency, fields.instructions, read)
        values["dose"], values["frequency"] = filled.dose[:60], filled.frequency[:60]
        values["instructions"] = filled.instructions[:200]
    return fields.model_copy(update=values)


def revoke(clinic: Clinic, actor: Actor, prescription_id: str, reason: str) -> PrescriptionOut:
    """Revoke a prescription that has not been dispensed.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        prescription_id: The prescription.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records.
        ValidationError: `reason` is missing.
        NotFoundError: There is no such prescription.
        ConflictError: It was dispensed, or revoked, already.
    """
    with transaction():
        withdrawals.revoke(clinic, actor, Prescription, prescription_id, reason)
        return prescription_out(find_prescription(prescription_id))


def dispense(clinic: Clinic, actor: Actor, prescription_id: str, fields: DispenseFields) -> PrescriptionOut:
    """Dispense a prescribed medicine, once.

    Args:
        clinic: The clinic.
        actor: The pharmacist.
        prescription_id: The prescription.
        fields: Amount, where it differs, and note.

    Raises:
        NotAllowedError: The role may not dispense.
        NotFoundError: There is no such prescription.
        ConflictError: It was dispensed, or revoked, already.
        RuleError: `allergy`, until `allergy_override` with a reason; any other question that the prescriber did
            not answer, because what it rests on was not known then; `patient_deceased`, until `deceased_confirmed`.
    """
    require_right(actor, Purpose.DISPENSE)
    with transaction():
        row = find_prescription(prescription_id)
        open_contact(clinic, actor, row.visit, Purpose.DISPENSE, contact=row.encounter)
        found = medicine_gate.at_dispensing(row, fields.amount)
        if row.status == OrderStatus.ACTIVE:
            deaths.require_asked(actor, row.visit.patient, "dispense", confirmed=fields.deceased_confirmed)
            require_answers(found, fields, {*row.confirmed, *fields.confirmed})
        audit.about_to_change("prescription", row.id)
        changed = (
            Prescription.update(
                status=OrderStatus.COMPLETED,
                dispensed_at=clock.now(),
                dispensed_by=actor.account_id,
                dispensed_amount=fields.amount if fields.amount not in {"", row.amount} else None,
                dispense_note=fields.note or None,
                dispense_override_reason=fields.override_reason,
            )
            .where(Prescription.id == prescription_id, Prescription.status == OrderStatus.ACTIVE)
            .execute()
        )
        if not changed:
            raise ConflictError(status=row.status)
        outbox.enqueue("visit", row.visit_id)
        audit.record(
            actor,
            "dispensed",
            "prescription",
            row.id,
            row.visit.patient_id,
            overridden=[each.code for each in found if each.code not in TOLD_ONLY],
            reason=fields.override_reason,
        )
        feed.append("prescription", visit_id=row.visit_id)
        return prescription_out(find_prescription(prescription_id), found)


def know_of_clash(
    clinic: Clinic, actor: Actor, prescription_id: str, reason: ReasonFields
) -> PrescriptionOut:
    """Keep who has read that an allergy speaks against a prescription; the first to read it stays.

    Args:
        clinic: For its day.
        actor: Who prescribed, or a colleague who treats the patient now, or the pharmacy.
        prescription_id: The prescription.
        reason: Why, outside the actor's own queue.

    Raises:
        NotAllowedError: The role neither writes records nor dispenses; `reason_required`.
        NotFoundError: There is no such prescription.
        RuleError: `no_clash`: nothing speaks against it any more.
    """
    dispenses = actor.can(Permission.DISPENSE)
    require_right(actor, Purpose.DISPENSE if dispenses else Purpose.ALLERGY)
    with transaction():
        row = find_prescription(prescription_id)
        if dispenses:
            open_contact(clinic, actor, row.visit, Purpose.DISPENSE, contact=row.encounter)
        elif row.prescribed_by_id != actor.account_id:
            why = StatedReason(reason.reason, reason.reason_code)
            open_patient(clinic, actor, row.visit.patient_id, Purpose.ALLERGY, why)
        if not row.clash:
            raise RuleError("no_clash")
        known = {"clash_known_at": clock.now(), "clash_known_by": actor.account_id}
        is_first = Prescription.id == row.id, Prescription.clash_known_at.is_null()
        audit.about_to_change("prescription", row.id)
        if Prescription.update(known).where(*is_first).execute():
            audit.record(actor, "clash_known", "prescription", row.id, row.visit.patient_id)
            medicine_gate.announce(row.visit_id)
        return checked_out(find_prescription(row.id))


def prescription_out(row: Prescription, found: Sequence[Check] = ()) -> PrescriptionOut:
    """Return a prescription as sent to terminals, with what was found about it."""
    compound = medicine_gate.compound_of(row, row.ingredients)
    return PrescriptionOut(
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
        override_reason=row.override_reason,
        ingredients=[CompoundIngredient(**each) for each in row.ingredients],
        papers=row.papers,
        per_paper=row.per_paper,
        make=CompoundMake(row.make) if row.make else None,
        signa=row.signa,
        lines=compound.lines() if compound else [],
        replaces=row.replaces_id,
        clash=row.clash,
        clash_known_at=row.clash_known_at,
        clash_known_by=row.clash_known_by.name if row.clash_known_by else "",
        checks=[check_out(each, row.confirmed) for each in found],
    )


def seen_in_record(visit: Visit, rows: Sequence[Prescription]) -> list[PrescriptionOut]:
    """Return a visit's prescriptions with the allergies that speak against them now, read once for all."""
    allergies = medicine_gate.substances_of(visit.patient_id) if rows else []
    return [
        prescription_out(row, medicine_gate.allergies_against(row, allergies))
        if row.status != OrderStatus.REVOKED
        else prescription_out(row)
        for row in rows
    ]


def checked_out(row: Prescription) -> PrescriptionOut:
    """Return a prescription with what is found now, for whoever dispenses it."""
    return prescription_out(row, medicine_gate.at_dispensing(row))
