"""The laboratory at SATUSEHAT: the order, the specimen, the result and the report of it.

A test without a LOINC code stays at the clinic: SATUSEHAT takes none in words. Loket does not record when a specimen was
taken, only that it was between the order and the result; so it is said as that period.

Source: docs/reference/satusehat.md 2; mLITE, SpecimenBuilder.php (type, request, collection).
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from core.exchange.fhir.clinical import INTERPRETATIONS, REQUEST_STATUS, RESULT, instant
from core.exchange.fhir.systems import INTERPRETATION, LOINC, OBSERVATION_CATEGORY, SNOMED, UCUM, Resource
from core.exchange.satusehat.visit_parts import VisitParts
from core.foundation.codes import OrderStatus
from core.models import Order

LABORATORY_PROCEDURE = "108252007"
REPORT_CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
LABORATORY = "LAB"
BLOOD, SERUM, URINE, SPUTUM = "119297000", "119364003", "122575003", "119334006"
SPECIMENS = {
    **dict.fromkeys(("20454-5", "25428-4", "5799-2", "5802-4", "2106-3"), URINE),
    **dict.fromkeys(
        ("1558-6", "1521-4", "2093-3", "2571-8", "2085-9", "13457-7", "3084-1", "3091-6", "2160-0", "1920-8",
         "1742-6", "2823-3", "2951-2"),
        SERUM,
    ),
    "11545-1": SPUTUM,
}  # fmt: skip
"""LOINC -> SNOMED type of the specimen, as the code's own name says it; all others of the list: blood."""
RENAMED = {"22664-7": "3091-6"}
"""Code of earlier orders -> the one that is sent: urea was ordered by LOINC's code for moles and measured in mg/dL."""
UNITS = {
    "g/dL": "g/dL", "mg/dL": "mg/dL", "g/L": "g/L", "%": "%", "U/L": "U/L", "mmol/L": "mmol/L", "umol/L": "umol/L",
    "10^3/uL": "10*3/uL", "10^6/uL": "10*6/uL", "/uL": "/uL", "mm/jam": "mm/h", "mL/min/1.73m2": "mL/min/{1.73_m2}",
}  # fmt: skip
"""Unit as the list of tests writes it -> UCUM. A number in another unit goes as words (rule 10050)."""


def add(parts: VisitParts) -> None:
    """Add what belongs to each order of the visit that has a code."""
    for number, order in enumerate(parts.rows.orders, 1):
        if order.code:
            key = parts.key(f"L{number}")
            parts.add("ServiceRequest", key, partial(_request, parts, key, order))
            if parts.has("ServiceRequest", key):
                _add_result(parts, key, order)


def _add_result(parts: VisitParts, key: str, order: Order) -> None:
    """Add specimen, result and report of an order; a result that was taken back is entered in error, once it was sent."""
    versions = parts.rows.result_versions.get(order.id) or []
    at = order.resulted_at if order.result is not None else None
    if at is None and versions:
        at = versions[-1].changed_at
    if at is None:
        return
    parts.add("Specimen", key, lambda: _specimen(parts, key, order, at))
    parts.add("Observation", key, lambda: _result(parts, key, order, at))
    if parts.has("Observation", key) and parts.has("Specimen", key):
        parts.add("DiagnosticReport", key, lambda: _report(parts, key, order, at))


def _code(order: Order) -> str:
    return RENAMED.get(order.code or "", order.code or "")


def _stands(parts: VisitParts, order: Order) -> bool:
    return parts.is_valid and order.result is not None


def _request(parts: VisitParts, key: str, order: Order) -> Resource:
    """Return the order.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        order: The stored record.
    """
    context = parts.context
    at = instant(order.ordered_at)
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "identifier": [parts.identifier("ServiceRequest", key)],
        "status": REQUEST_STATUS[OrderStatus(order.status)] if parts.is_valid else "entered-in-error",
        "intent": "order",
        "priority": "routine",
        "category": [context.displays.concept(SNOMED, LABORATORY_PROCEDURE)],
        "code": context.displays.concept(LOINC, _code(order)) | {"text": order.test},
        **parts.shared(),
        "occurrenceDateTime": at,
        "authoredOn": at,
        "requester": context.performer(order.ordered_by_id),
        "performer": [context.facility()],
        "note": [{"text": order.note}] if order.note else None,
    }
    return {name: value for name, value in resource.items() if value}


def _specimen(parts: VisitParts, key: str, order: Order, at: datetime) -> Resource:
    """Return what was examined.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        order: The stored record.
        at: When the result was entered.
    """
    code = SPECIMENS.get(_code(order), BLOOD)
    return {
        "resourceType": "Specimen",
        "identifier": [parts.identifier("Specimen", key)],
        "status": "available" if _stands(parts, order) else "entered-in-error",
        "type": parts.context.displays.concept(SNOMED, code),
        "subject": parts.subject(),
        "request": [parts.reference("ServiceRequest", key)],
        "collection": {"collectedPeriod": {"start": instant(order.ordered_at), "end": instant(at)}},
    }


def _result(parts: VisitParts, key: str, order: Order, at: datetime) -> Resource:
    """Return the result: a quantity where it is a number in a unit of UCUM, words otherwise.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        order: The stored record.
        at: When it was entered, or taken back.
    """
    context = parts.context
    resource: Resource = {
        "resourceType": "Observation",
        "identifier": [parts.identifier("Observation", key)],
        "status": _status(parts, order),
        "category": [context.displays.concept(OBSERVATION_CATEGORY, "laboratory")],
        "code": context.displays.concept(LOINC, _code(order)) | {"text": order.test},
        **parts.shared(),
        "basedOn": [parts.reference("ServiceRequest", key)],
        "specimen": parts.reference("Specimen", key),
        "effectiveDateTime": instant(at),
        "issued": instant(at),
        "performer": [context.performer(order.resulted_by_id)],
    }
    if order.result is None:
        return resource
    resource |= result_value(order.result, order.unit)
    if order.interpretation in INTERPRETATIONS:
        code = INTERPRETATIONS[order.interpretation]
        doubled = order.is_critical and code != "N"
        resource["interpretation"] = [context.displays.concept(INTERPRETATION, code * 2 if doubled else code)]
    if order.reference_range:
        resource["referenceRange"] = [{"text": order.reference_range}]
    return resource


def _status(parts: VisitParts, order: Order) -> str:
    if not _stands(parts, order):
        return "entered-in-error"
    return "corrected" if parts.rows.result_versions.get(order.id) else "final"


def result_value(result: str, unit: str) -> Resource:
    """Return a result as the `value[x]` that SATUSEHAT takes.

    Args:
        result: As entered: `12,5`, `< 5`, `negatif`.
        unit: As the list of tests or the laboratory writes it.
    """
    number = RESULT.match(result)
    code = UNITS.get(unit)
    if number is None or code is None:
        return {"valueString": f"{result} {unit}".strip()}
    quantity: Resource = {
        "value": float(number[2].replace(",", ".")),
        "unit": unit,
        "system": UCUM,
        "code": code,
    }
    return {"valueQuantity": quantity | ({"comparator": number[1]} if number[1] else {})}


def _report(parts: VisitParts, key: str, order: Order, at: datetime) -> Resource:
    """Return the report of one result.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        order: The stored record.
        at: When it was entered, or taken back.
    """
    context = parts.context
    return {
        "resourceType": "DiagnosticReport",
        "identifier": [parts.identifier("DiagnosticReport", key)],
        "status": _status(parts, order),
        "category": [context.displays.concept(REPORT_CATEGORY, LABORATORY)],
        "code": context.displays.concept(LOINC, _code(order)) | {"text": order.test},
        **parts.shared(),
        "effectiveDateTime": instant(at),
        "issued": instant(at),
        "performer": [context.performer(order.resulted_by_id), context.facility()],
        "result": [parts.reference("Observation", key)],
        "specimen": [parts.reference("Specimen", key)],
        "basedOn": [parts.reference("ServiceRequest", key)],
    }
