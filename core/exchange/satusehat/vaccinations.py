"""Vaccines at SATUSEHAT: the product of KFA, the vaccine's group and its CVX code, with dose, lot and expiry.

SATUSEHAT wants three kinds of codes of whoever gives a vaccine. A vaccine whose product or group is not known stays at
the clinic and is named; an import of KFA sends it. Which programme it belongs to is not recorded and not said.

Source: satusehat.kemkes.go.id, resource Immunization (lot and expiry of whoever gives it; three kinds of codes; the
facility as second performer); satusehat-integration (PyPI, MIT), immunization_terminology (groups and CVX of products).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache, partial
from importlib import resources

from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import CVX, UCUM, Resource
from core.exchange.satusehat.kfa_products import KfaProduct
from core.exchange.satusehat.medication_chain import ATC_ROUTE
from core.exchange.satusehat.official_displays import KFA
from core.exchange.satusehat.visit_parts import VisitParts
from core.models import Immunisation
from core.orders.medicines.quantities import read_amount
from core.orders.medicines.vaccines import listed, vaccine_of

FILE = "vaccines.csv"
SITE = "http://terminology.hl7.org/CodeSystem/v3-ActSite"
FUNCTION = "http://terminology.hl7.org/CodeSystem/v2-0443"
GIVES, ENTERS = "AP", "EP"
MILLILITRE = "ml"


@cache
def codes() -> Mapping[str, Mapping[str, str]]:
    """Return vaccine -> its groups, CVX code and route."""
    text = resources.files("core.data").joinpath(FILE).read_text(encoding="utf-8")
    return {row["ingredient"]: row for row in csv.DictReader(text.splitlines())}


def add(parts: VisitParts) -> None:
    """Add what was given and has all its codes; of the others the missing one is named."""
    for number, row in enumerate(parts.rows.immunisations, 1):
        key = parts.key(f"V{number}")
        vaccine = vaccine_of(row.vaccine) or ""
        known = codes().get(vaccine)
        product = parts.context.products.vaccine(vaccine, row.product)
        if known is None or not known["groups"]:
            parts.held[f"Immunization/{key}"] = f"vaccine {row.vaccine}"
        elif product is None:
            parts.held[f"Immunization/{key}"] = f"kfa {row.vaccine}"
        else:
            parts.add("Immunization", key, partial(_immunization, parts, key, row, product))


def _immunization(parts: VisitParts, key: str, row: Immunisation, product: KfaProduct) -> Resource:
    """Return a vaccine that was given.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        row: The stored record.
        product: The product of KFA.
    """
    context, displays = parts.context, parts.context.displays
    vaccine = vaccine_of(row.vaccine) or ""
    known = codes()[vaccine]
    coded = [{"system": KFA, "code": product.code, "display": product.display}]
    coded += [displays.coding(KFA, group) for group in known["groups"].split(";")]
    if known["cvx"]:
        coded.append(displays.coding(CVX, known["cvx"]))
    at = instant(row.given_at)
    resource: Resource = {
        "resourceType": "Immunization",
        "identifier": [parts.identifier("Immunization", key)],
        "status": "completed" if row.voided_at is None and parts.is_valid else "entered-in-error",
        "vaccineCode": {"coding": coded},
        "patient": parts.subject(),
        "encounter": context.names.reference("Encounter", parts.visit.id),
        "occurrenceDateTime": at,
        "recorded": at,
        "primarySource": True,
        "location": context.room(row.encounter.cluster),
        "lotNumber": row.lot_number,
        "expirationDate": row.expires_on.isoformat(),
        "route": displays.concept(ATC_ROUTE, known["route"]),
        "doseQuantity": _dose(vaccine),
        "performer": _performers(parts, row),
        "protocolApplied": [{"doseNumberPositiveInt": row.dose_number}],
    }
    if row.site:
        resource["site"] = displays.concept(SITE, row.site)
    return {name: value for name, value in resource.items() if value}


def _performers(parts: VisitParts, row: Immunisation) -> list[Resource]:
    """Return who gave it, where SATUSEHAT knows the person, and the facility that recorded it: one alone is refused."""
    context, displays = parts.context, parts.context.displays
    username = context.usernames.get(row.given_by_id)
    gave = context.practitioner(username) if username is not None else context.facility()
    return [
        {"function": displays.concept(FUNCTION, GIVES), "actor": gave},
        {"function": displays.concept(FUNCTION, ENTERS), "actor": context.facility()},
    ]


def _dose(vaccine: str) -> Resource | None:
    """Return the usual dose of a vaccine that is measured in millilitres."""
    product = next((each for each in listed() if each.ingredients == {vaccine}), None)
    amount = read_amount(product.dose) if product is not None else None
    if amount is None or amount.unit != MILLILITRE:
        return None
    return {"value": amount.number, "unit": "mL", "system": UCUM, "code": "mL"}
