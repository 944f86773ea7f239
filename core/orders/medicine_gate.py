"""The one gate for medicines: what is found about one for a patient, and which question stops it.

Prescribing, changing, dispensing, a new allergy, a merge of two records and a letter all ask here. The judgement
itself is pure (`core.orders.medicines.checks`); this module reads the facts that it needs from the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.foundation import feed
from core.foundation.ages import age_in_months
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus, Sex
from core.foundation.errors import NotFoundError, RuleError
from core.foundation.permissions import Actor
from core.models import Allergy, Encounter, Patient, Prescription, Visit
from core.orders import kfa
from core.orders.kidney_results import kidney_function
from core.orders.medicines import clashes
from core.orders.medicines.checks import (
    ALLERGY,
    BREASTFEEDING_YEARS,
    DOSE_QUESTIONS,
    TOLD_ONLY,
    Check,
    Prescribed,
    allergy_checks,
    check,
)
from core.orders.medicines.compounding import Compound, CompoundPart
from core.orders.medicines.doses import Recipient
from core.queues.entries import open_entry_of
from core.records.access import Purpose, find_visit, open_contact
from core.schemas.record import (
    AllergyClash,
    DispenseFields,
    ImmunisationFields,
    LetterFields,
    MedicineCheckOut,
    PrescriptionFields,
)

SHORTEST_REASON = 3
"""Letters and digits of a reason for going against an allergy, as at the screens."""
WEIGHT = "weight"
"""The vital sign that a child's dose goes by."""
LONGEST_CLASH = 200
"""Characters of the allergies that are kept with a prescription they speak against."""

Overrides = PrescriptionFields | DispenseFields | LetterFields | ImmunisationFields
"""Requests that may answer what is asked about a medicine."""


# What is known of the patient


def substances_of(patient_id: str) -> list[str]:
    """Return the patient's recorded allergies, as typed."""
    rows = Allergy.select(Allergy.substance).where(Allergy.patient == patient_id, Allergy.voided_at.is_null())
    return [row.substance for row in rows.order_by(Allergy.recorded_at, Allergy.id)]


def person_at(visit: Visit) -> Recipient:
    """Return what a medicine depends on: age, weight, pregnancy, breast-feeding and kidneys on the day of the visit."""
    contacts = Encounter.select().where(Encounter.visit == visit).order_by(Encounter.entered_at)
    weights = [row.vitals.get(WEIGHT) for row in contacts]
    known = [float(weight) for weight in weights if weight]
    months = age_in_months(visit.patient.birth_date, visit.service_on)
    return Recipient(
        months,
        known[-1] if known else None,
        pregnant=visit.pregnant,
        breastfeeding=visit.breastfeeding if _may_breastfeed(visit.patient, months) else False,
        kidney=kidney_function(visit),
    )


def _may_breastfeed(patient: Patient, age_months: int) -> bool:
    """Return whether breast-feeding must be asked about before it is known."""
    return patient.sex == Sex.FEMALE and age_months // 12 in BREASTFEEDING_YEARS


def person_to_prescribe_for(clinic: Clinic, actor: Actor, visit_id: str) -> Recipient:
    """Return the same for whoever may prescribe at this visit: a dose tells age and weight.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        ValidationError: `cluster`: the visit was never in one of the actor's.
        RuleError: `record_locked`.
    """
    visit = find_visit(visit_id)
    open_contact(clinic, actor, visit, Purpose.WRITE)
    return person_at(visit)


# What is found


def at_prescribing(visit: Visit, fields: PrescriptionFields) -> list[Check]:
    """Return what is found about a new prescription, the gravest first."""
    kfa.refresh_names()
    parts = [each.model_dump() for each in fields.ingredients]
    others = Prescription.select().where(
        Prescription.visit == visit, Prescription.status != OrderStatus.REVOKED
    )
    given = [name for row in others for name in given_by(row)]
    return check(_item(fields, parts), substances_of(visit.patient_id), given, person_at(visit))


def compound_of(
    prescription: Prescription | PrescriptionFields, parts: Sequence[Mapping[str, str]]
) -> Compound | None:
    """Return the ingredients of a prescription and how they are made up; None for a ready medicine.

    Args:
        prescription: How it is made up.
        parts: Its ingredients: `medicine` and `amount` of each.
    """
    if not parts:
        return None
    made = tuple(CompoundPart(each["medicine"], each.get("amount", "")) for each in parts)
    return Compound(made, prescription.papers or 1, prescription.per_paper, prescription.make or "pulv")


def given_by(row: Prescription) -> list[str]:
    """Return the medicines that a prescription gives: its ingredients, or itself."""
    return [each["medicine"] for each in row.ingredients] or [row.medicine]


def _item(
    source: Prescription | PrescriptionFields, parts: Sequence[Mapping[str, str]], amount: str = ""
) -> Prescribed:
    return Prescribed(
        source.medicine,
        source.dose,
        source.frequency,
        amount or source.amount,
        compound_of(source, parts),
        source.signa,
    )


def at_dispensing(row: Prescription, amount: str = "") -> list[Check]:
    """Return what speaks against handing it out now: much may have become known since it was prescribed.

    Args:
        row: The prescription.
        amount: What is handed out; empty for the prescribed amount.
    """
    kfa.refresh_names()
    earlier = Prescription.select().where(
        Prescription.visit == row.visit_id,
        Prescription.status != OrderStatus.REVOKED,
        Prescription.id < row.id,  # ids grow with time: what was added later was asked about then
    )
    others = [name for each in earlier for name in given_by(each)]
    item = _item(row, row.ingredients, amount)
    return check(item, substances_of(row.visit.patient_id), others, person_at(row.visit))


def allergies_against(row: Prescription, allergies: Sequence[str]) -> list[Check]:
    """Return the clashes of a prescription with allergies, each with its ingredient, and what was not read."""
    return [
        replace(each, medicine=name if row.ingredients else "")
        for name in given_by(row)
        for each in allergy_checks(name, allergies)
    ]


def in_letter(visit: Visit) -> list[Check]:
    """Return the clashes of the visit's medicines with the allergies that are known now, each with its medicine."""
    kfa.refresh_names()
    allergies = substances_of(visit.patient_id)
    rows = Prescription.select().where(
        Prescription.visit == visit, Prescription.status != OrderStatus.REVOKED
    )
    return [
        replace(each, given=row.medicine)
        for row in rows.order_by(Prescription.prescribed_at)
        for each in allergies_against(row, allergies)
    ]


# What is asked


def require_answers(found: Sequence[Check], fields: Overrides, confirmed: Iterable[str] = ()) -> None:
    """Refuse with the gravest question that nobody has answered.

    Args:
        found: What was found, the gravest first.
        fields: The overrides and their reason.
        confirmed: Codes that were answered with yes, now or when it was prescribed; never for an allergy.

    Raises:
        RuleError: The code of the question; all that was found stands in `checks`.
    """
    answered = set(confirmed) - {ALLERGY} | TOLD_ONLY
    if fields.allergy_override and says_why(fields.override_reason):
        answered |= {ALLERGY}
    if getattr(fields, "dose_override", False):
        answered |= DOSE_QUESTIONS
    asked = next((each for each in found if each.code not in answered), None)
    if asked is not None:
        raise RuleError(
            asked.code,
            substances=list(asked.things),
            checks=[check_out(each).model_dump() for each in found],
            reason_required=asked.code == ALLERGY and fields.allergy_override,
        )


def says_why(reason: str) -> bool:
    """Return whether a reason says anything: a full stop or a dash answers nothing."""
    return sum(character.isalnum() for character in reason) >= SHORTEST_REASON


def check_out(found: Check, answered: Iterable[str] = ()) -> MedicineCheckOut:
    """Return a check as sent to terminals.

    Args:
        found: The check.
        answered: Codes that were answered with yes when it was prescribed.
    """
    return MedicineCheckOut(
        code=found.code,
        things=list(found.things),
        given=found.given,
        expected=found.expected,
        text=dict(found.texts),
        source=found.source,
        medicine=found.medicine,
        answered=found.code in answered,
    )


def asked_codes(found: Iterable[Check]) -> list[str]:
    """Return the codes of the questions among what was found, an allergy apart: that is asked again each time."""
    return sorted({each.code for each in found} - TOLD_ONLY - {ALLERGY})


# What was relied on before an allergy was known


def tell_of_allergies(clinic: Clinic, patient_id: str) -> list[Prescription]:
    """Mark the prescriptions that an allergy speaks against which was not known when they were written.

    Called in the transaction in which the allergies of a patient change. Who prescribed, and the pharmacy, see
    the mark in the patient's row and in the record; an allergy that was struck out takes its mark away.

    Args:
        clinic: For its day.
        patient_id: The patient.

    Returns:
        The open prescriptions, and those handed out today, that are marked now.
    """
    kfa.refresh_names()
    allergies = list(
        Allergy.select()
        .where(Allergy.patient == patient_id, Allergy.voided_at.is_null())
        .order_by(Allergy.id)
    )
    marked = []
    for row in _relied_on(clinic, patient_id):
        clash = _unforeseen(row, allergies)
        if row.clash != clash:
            values = {"clash": clash, "clash_known_at": None, "clash_known_by": None}
            Prescription.update(values).where(Prescription.id == row.id).execute()
            announce(row.visit_id)
        if clash:
            marked.append(row)
    return marked


def clash_out(row: Prescription) -> AllergyClash:
    """Return a prescription that an allergy speaks against, as sent to terminals."""
    return AllergyClash(
        prescription_id=row.id,
        medicine=row.medicine,
        status=OrderStatus(row.status),
        prescribed_by=row.prescribed_by.name,
    )


def _relied_on(clinic: Clinic, patient_id: str) -> list[Prescription]:
    """Return the open prescriptions of a patient, and those of today whatever became of them but revocation."""
    rows = (
        Prescription.select(Prescription, Visit)
        .join(Visit)
        .where(
            Visit.patient == patient_id,
            Visit.voided_at.is_null(),
            (Prescription.status == OrderStatus.ACTIVE)
            | ((Prescription.status == OrderStatus.COMPLETED) & (Visit.service_on == clinic.today())),
        )
    )
    return list(rows.order_by(Prescription.prescribed_at, Prescription.id))


def _unforeseen(row: Prescription, allergies: Sequence[Allergy]) -> str:
    """Return the allergies that speak against a prescription and that nobody has answered for."""
    answered_at = row.prescribed_at if row.override_reason else None
    if row.dispense_override_reason:
        answered_at = row.dispensed_at
    new = [each.substance for each in allergies if answered_at is None or each.recorded_at > answered_at]
    against = dict.fromkeys(each for name in given_by(row) for each in clashes(name, new))
    return ", ".join(against)[:LONGEST_CLASH]


def announce(visit_id: str) -> None:
    """Tell terminals that a visit's prescriptions look different now: the record, and the row in the pane."""
    feed.append("prescription", visit_id=visit_id)
    entry = open_entry_of(visit_id)
    if entry is not None:  # its row in the pane looks different now
        feed.append("entry", cluster=entry.cluster, entry_id=entry.id, visit_id=visit_id, action="allergy")


def find_prescription(prescription_id: str) -> Prescription:
    """Return a prescription by its id.

    Raises:
        NotFoundError: There is no such prescription.
    """
    row: Prescription | None = Prescription.get_or_none(Prescription.id == prescription_id)
    if row is None:
        raise NotFoundError("prescription", prescription_id)
    return row
