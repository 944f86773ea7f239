"""Medicines at SATUSEHAT: the product, its prescription, and its handing out.

SATUSEHAT takes no medicine in words. One without a product of KFA stays at the clinic and is named by `loket codes check`;
so does what the pharmacy makes up (racikan), whose ingredients would need codes of substances (91) that no import brings.

Source: docs/reference/satusehat.md 2 and 4; mLITE, MedicationRequestBuilder.php and MedicationDispenseBuilder.php (rules
10050, 10138, 10349, 10389, 10393).
"""

from __future__ import annotations

from core.exchange.fhir.clinical import MEDICATION_STATUS, instant
from core.exchange.fhir.systems import OWN, UCUM, Resource
from core.exchange.satusehat.kfa_products import KfaProduct
from core.exchange.satusehat.official_displays import KFA
from core.exchange.satusehat.visit_parts import VisitParts
from core.foundation.codes import OrderStatus
from core.models import Prescription
from core.orders.medicines.quantities import Amount, read_amount, read_frequency
from core.orders.medicines.reading import read_medicine

MEDICATION_TYPE = "https://fhir.kemkes.go.id/r4/StructureDefinition/MedicationType"
TYPE_SYSTEM = "http://terminology.kemkes.go.id/CodeSystem/medication-type"
NOT_COMPOUNDED = "NC"
FORM_SYSTEM = "http://terminology.kemkes.go.id/CodeSystem/medication-form"
REQUEST_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
DISPENSE_CATEGORY = "http://terminology.hl7.org/fhir/CodeSystem/medicationdispense-category"
ATC_ROUTE = "http://www.whocc.no/atc"
DRUG_FORM = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"
ROUTES = {"oral": "O", "parenteral": "P", "subkutan": "P", "rektal": "R", "vagina": "V", "inhalasi": "Inhal"}
"""Route as the list of medicines names it -> route of ATC; the others have none."""
UNITS = {
    **dict.fromkeys(("tablet", "tab", "tabs", "kaplet", "kapl"), (DRUG_FORM, "TAB")),
    **dict.fromkeys(("kapsul", "kaps", "kap", "caps", "cap"), (DRUG_FORM, "CAP")),
    **dict.fromkeys(("ml", "cc"), (UCUM, "mL")),
    "mg": (UCUM, "mg"),
}
"""Unit as written on prescriptions -> code system and code; a quantity in another is left out (rules 10050, 10349)."""


def add(parts: VisitParts) -> None:
    """Add what belongs to each ready medicine of the visit that has a product."""
    for number, row in enumerate(parts.rows.prescriptions, 1):
        match = parts.context.products.match(row.medicine)
        if row.papers is None and match.prescribed is not None:
            _add_medicine(parts, f"R{number}", row, match.prescribed, match.dispensed)


def _add_medicine(
    parts: VisitParts, part: str, row: Prescription, prescribed: KfaProduct, dispensed: KfaProduct | None
) -> None:
    """Add product, prescription and, where it is certain what was handed out, the dispensing.

    Args:
        parts: The visit.
        part: Which prescription of the visit it is.
        row: The stored record.
        prescribed: What was prescribed.
        dispensed: What was handed out; None: not certain.
    """
    key = parts.key(part)
    parts.add("Medication", key, lambda: _medication(parts, key, prescribed))
    if not parts.has("Medication", key):
        return
    parts.add("MedicationRequest", key, lambda: _request(parts, key, row, prescribed))
    if row.dispensed_at is None or dispensed is None or not parts.has("MedicationRequest", key):
        return
    handed_out = key
    if dispensed != prescribed:
        handed_out = parts.key(f"{part}D")
        parts.add("Medication", handed_out, lambda: _medication(parts, handed_out, dispensed))
    if parts.has("Medication", handed_out):
        parts.add("MedicationDispense", key, lambda: _dispense(parts, key, handed_out, row, dispensed))


def _medication(parts: VisitParts, key: str, product: KfaProduct) -> Resource:
    """Return the product.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        product: Of KFA.
    """
    displays = parts.context.displays
    resource: Resource = {
        "resourceType": "Medication",
        "identifier": [parts.identifier("Medication", key)],
        "code": {"coding": [{"system": KFA, "code": product.code, "display": product.display}]},
        "status": "active",
        "extension": [
            {"url": MEDICATION_TYPE, "valueCodeableConcept": displays.concept(TYPE_SYSTEM, NOT_COMPOUNDED)}
        ],
    }
    if product.form_code and displays.find(FORM_SYSTEM, product.form_code):
        resource["form"] = displays.concept(FORM_SYSTEM, product.form_code)
    return resource


def _identifiers(parts: VisitParts, key: str) -> list[Resource]:
    """Return the two numbers that a prescription must have: its own, and that of the item."""
    item = f"{OWN}/prescription-item/{parts.context.names.facility_code}"
    return [parts.identifier("MedicationRequest", key), {"system": item, "value": f"{key}-1"}]


def _named(parts: VisitParts, key: str, product: KfaProduct) -> Resource:
    return parts.reference("Medication", key) | {"display": product.display}


def _request(parts: VisitParts, key: str, row: Prescription, product: KfaProduct) -> Resource:
    """Return the prescription.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        row: The stored record.
        product: What was prescribed.
    """
    context = parts.context
    resource: Resource = {
        "resourceType": "MedicationRequest",
        "identifier": _identifiers(parts, key),
        "status": MEDICATION_STATUS[OrderStatus(row.status)] if parts.is_valid else "entered-in-error",
        "intent": "order",
        "category": [context.displays.concept(REQUEST_CATEGORY, "outpatient")],
        "medicationReference": _named(parts, key, product),
        **parts.shared(),
        "authoredOn": instant(row.prescribed_at),
        "requester": context.performer(row.prescribed_by_id),
        "dosageInstruction": [_dosage(parts, row)],
    }
    quantity = _quantity(read_amount(row.amount))
    if quantity is not None:
        resource["dispenseRequest"] = {"quantity": quantity, "performer": context.facility()}
    return resource


def _dispense(
    parts: VisitParts, key: str, handed_out: str, row: Prescription, product: KfaProduct
) -> Resource:
    """Return the handing out.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        handed_out: That of the product.
        row: The stored record.
        product: What was handed out.
    """
    context = parts.context
    assert row.dispensed_at is not None
    at = instant(row.dispensed_at)
    resource: Resource = {
        "resourceType": "MedicationDispense",
        "identifier": _identifiers(parts, key),
        "status": "completed" if parts.is_valid else "entered-in-error",
        "category": context.displays.concept(DISPENSE_CATEGORY, "outpatient"),
        "medicationReference": _named(parts, handed_out, product),
        "subject": parts.subject(),
        "context": context.names.reference("Encounter", parts.visit.id),
        "performer": [{"actor": context.performer(row.dispensed_by_id)}],
        "authorizingPrescription": [parts.reference("MedicationRequest", key)],
        "quantity": _quantity(read_amount(row.dispensed_amount or row.amount)),
        "whenHandedOver": at,
        "dosageInstruction": [_dosage(parts, row)],
        "note": [{"text": row.dispense_note}] if row.dispense_note else None,
    }
    return {name: value for name, value in resource.items() if value}


def _dosage(parts: VisitParts, row: Prescription) -> Resource:
    """Return how it is taken: in words, and in figures where the words say a whole number of times a day."""
    words = " ".join(part for part in (row.dose, row.frequency, row.instructions) if part)
    dosage: Resource = {"sequence": 1, "text": words or row.medicine}
    times = read_frequency(row.frequency)
    if times is not None and times >= 1 and times == int(times):
        dosage["timing"] = {"repeat": {"frequency": int(times), "period": 1, "periodUnit": "d"}}
    routes = {product.route for product in read_medicine(row.medicine).products}
    code = ROUTES.get(next(iter(routes))) if len(routes) == 1 else None
    if code is not None:
        dosage["route"] = parts.context.displays.concept(ATC_ROUTE, code)
    quantity = _quantity(read_amount(row.dose))
    if quantity is not None:
        dosage["doseAndRate"] = [{"doseQuantity": quantity}]
    return dosage


def _quantity(amount: Amount | None) -> Resource | None:
    """Return an amount in a coded unit; None for one in another, or for no amount."""
    if amount is None or amount.number <= 0 or amount.unit not in UNITS:
        return None
    system, code = UNITS[amount.unit]
    return {"value": amount.number, "unit": amount.unit, "system": system, "code": code}
