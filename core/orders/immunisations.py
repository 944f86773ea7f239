"""Vaccines given at a visit (FHIR Immunization): which, which dose of the series, from which lot, and where into the body.

Lot and expiry are asked for: SATUSEHAT wants both of whoever gives the vaccine, and a fault of a lot is found by them.
An allergy or a contraindication stands against it as against any medicine, and what has expired needs a reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import InjectionSite
from core.foundation.database import connection, transaction
from core.foundation.errors import RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Immunisation, MedicineCode, Visit
from core.orders import medicine_gate, withdrawals
from core.orders.medicines.checks import ALLERGY, CONTRAINDICATION, Check
from core.orders.medicines.vaccines import is_meant, listed, vaccine_of
from core.patients import deaths
from core.records.access import Purpose, find_visit, require_right
from core.records.contacts import contact_to_write
from core.schemas.record import ImmunisationFields, ImmunisationOut, PrescriptionFields, VaccineOut

EXPIRED = "vaccine_expired"
WITH_BRAND = "93"
"""Beginning of KFA's codes of products."""
ASKED = frozenset({ALLERGY, CONTRAINDICATION})
"""Questions about a medicine that a vaccine answers too; its dose is the vial's."""


def find_vaccines(actor: Actor, text: str, limit: int = 12) -> list[VaccineOut]:
    """Return the vaccines that the words typed begin: those of the list, then their products.

    Args:
        actor: The clinician.
        text: As typed; empty for all.
        limit: Most vaccines returned, >= 1.

    Raises:
        NotAllowedError: The role may not write records.
    """
    require_right(actor, Purpose.WRITE)
    with connection():
        return [each for each in _vaccines() if is_meant(text, each.vaccine)][:limit]


def _vaccines() -> Iterator[VaccineOut]:
    for each in listed():
        yield VaccineOut(vaccine=each.medicine)
    for each in listed():
        for row in _products_of(next(iter(each.ingredients))):
            name = f"{row.name} ({row.brand})" if row.brand else row.name
            yield VaccineOut(vaccine=name[:120], product=row.code)


def _products_of(ingredient: str) -> list[MedicineCode]:
    """Return the products of the clinic's import of KFA that are this vaccine and nothing else."""
    rows = MedicineCode.select().where(MedicineCode.code.startswith(WITH_BRAND))
    return [row for row in rows.order_by(MedicineCode.code) if row.ingredients == [ingredient]]


def add(clinic: Clinic, actor: Actor, visit_id: str, fields: ImmunisationFields) -> ImmunisationOut:
    """Record a vaccine that was given.

    Args:
        clinic: For its day, and the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        fields: Vaccine, dose, lot, expiry, site.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        ValidationError: `vaccine`: `unknown`; `product`: `unknown`, or another vaccine's.
        RuleError: `record_locked`; `allergy` (answered by `allergy_override` with a reason), `contraindication` (by
            naming it in `confirmed`), `vaccine_expired` (by `expired_override` with a reason); `patient_deceased`, until
            `deceased_confirmed`.
    """
    require_right(actor, Purpose.WRITE)
    with transaction():
        visit = find_visit(visit_id)
        contact = contact_to_write(clinic, actor, visit)
        _require_known(fields)
        deaths.require_asked(actor, visit.patient, "immunisation", confirmed=fields.deceased_confirmed)
        found = _against(visit, fields)
        _require_answers(visit, fields, found)
        kept = fields.model_dump(
            include={"vaccine", "product", "dose_number", "lot_number", "expires_on", "override_reason"}
        )
        row = Immunisation.create(
            id=new_id(), visit=visit, encounter=contact, site=fields.site or "", given_at=clock.now(),
            given_by=actor.account_id, **kept,
        )  # fmt: skip
        outbox.enqueue("visit", visit.id)
        overridden = [each.code for each in found] + ([EXPIRED] if _has_expired(visit, fields) else [])
        audit.record(
            actor, "immunisation_added", "immunisation", row.id, visit.patient_id, overridden=overridden,
            reason=fields.override_reason,
        )  # fmt: skip
        feed.append("encounter", cluster=contact.cluster, visit_id=visit.id)
        return immunisation_out(row)


def _require_known(fields: ImmunisationFields) -> None:
    """Refuse what is no vaccine of the list, and a product that is another vaccine's."""
    ingredient = vaccine_of(fields.vaccine)
    if ingredient is None:
        raise ValidationError({"vaccine": "unknown"})
    if fields.product and fields.product not in {row.code for row in _products_of(ingredient)}:
        raise ValidationError({"product": "unknown"})


def _against(visit: Visit, fields: ImmunisationFields) -> list[Check]:
    """Return the allergies and contraindications that speak against it."""
    asked = PrescriptionFields(medicine=fields.vaccine)
    return [each for each in medicine_gate.at_prescribing(visit, asked) if each.code in ASKED]


def _has_expired(visit: Visit, fields: ImmunisationFields) -> bool:
    return fields.expires_on < visit.service_on


def _require_answers(visit: Visit, fields: ImmunisationFields, found: list[Check]) -> None:
    medicine_gate.require_answers(found, fields, fields.confirmed)
    if _has_expired(visit, fields) and not (
        fields.expired_override and medicine_gate.says_why(fields.override_reason)
    ):
        raise RuleError(EXPIRED, expires_on=fields.expires_on.isoformat())


def void(clinic: Clinic, actor: Actor, visit_id: str, immunisation_id: str, reason: str) -> None:
    """Strike a vaccine out that was entered in error; it stays in the history.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        immunisation_id: The vaccine.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records, or it was recorded in another's cluster.
        ValidationError: `reason` is missing.
        NotFoundError: Not a vaccine of this visit.
        RuleError: `record_locked`.
    """
    with transaction():
        withdrawals.void(clinic, actor, Immunisation, visit_id, immunisation_id, reason)


def immunisation_out(row: Immunisation) -> ImmunisationOut:
    """Return a vaccine as sent to terminals."""
    return ImmunisationOut(
        id=row.id,
        vaccine=row.vaccine,
        product=row.product,
        dose_number=row.dose_number,
        lot_number=row.lot_number,
        expires_on=row.expires_on,
        site=InjectionSite(row.site) if row.site else None,
        given_at=row.given_at,
        given_by=row.given_by.name,
        override_reason=row.override_reason,
    )
