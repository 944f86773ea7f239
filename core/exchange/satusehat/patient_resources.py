"""The patient at SATUSEHAT: whose number it is found by, how it is made there, and the allergies.

Source: docs/reference/indonesia.md 5.2 and 5.4; yy-dto/IDCore, Profile-IDCorePatient (citizenship, deceased; address with use,
line, city and country).
"""

from __future__ import annotations

from collections.abc import Sequence

from core.exchange.fhir import Entry
from core.exchange.fhir.clinical import instant
from core.exchange.fhir.people import reaction_of
from core.exchange.fhir.systems import (
    ALLERGY_CLINICAL,
    ALLERGY_VERIFIED,
    MARITAL_STATUS,
    MOTHER_NIK,
    NIK,
    Resource,
    national,
)
from core.exchange.satusehat.visit_parts import SatusehatContext
from core.models import Allergy, Patient
from core.orders.medicines.allergies import read_allergy
from core.orders.medicines.folding import fold_words
from core.patients import villages

PASSPORT = national("paspor")
PERSONAL_NUMBERS = (NIK, PASSPORT, MOTHER_NIK)
"""Systems by which a patient is found, the surest first."""
CITIZENSHIP = "https://fhir.kemkes.go.id/r4/StructureDefinition/citizenshipStatus"
NEVER_MARRIED: Resource = {"coding": [{"system": MARITAL_STATUS, "code": "S", "display": "Never Married"}]}
MADE_WITH = ("resourceType", "active", "name", "telecom", "gender", "birthDate", "address", "maritalStatus")
"""Elements of the clinic's Patient that a new one is made with."""
ENVIRONMENT = frozenset(
    folded
    for word in (
        "debu tungau bulu kucing anjing burung binatang hewan serbuk bunga polen rumput asap parfum sabun deterjen sampo"
        " kosmetik bedak perhiasan emas nikel logam karet lateks latex plester wol kain lebah tawon semut nyamuk ulat"
        " serangga gigitan kutu kecoa cuaca udara dingin panas matahari hujan keringat dust mite cat dog fur pollen cold"
        " weather bee wasp"
    ).split()
    for folded in fold_words(word)
)
"""Folded words of what is neither medicine nor food."""


def personal_number(resource: Resource) -> tuple[str, str] | None:
    """Return system and number by which a patient is found; None when there is none."""
    numbers = {item["system"]: item["value"] for item in resource["identifier"]}
    return next(((system, numbers[system]) for system in PERSONAL_NUMBERS if system in numbers), None)


def has_region(resource: Resource) -> bool:
    """Return whether the address has the codes from province to village, without which nobody is made there."""
    return any("village" in _region_codes(address) for address in resource.get("address", []))


def _region_codes(address: Resource) -> dict[str, str]:
    """Return the level of each code of an address -> the code."""
    parts = [part for extension in address.get("extension", []) for part in extension["extension"]]
    return {part["url"]: part["valueCode"] for part in parts}


def _whole_address(address: Resource) -> Resource:
    """Return an address with what the profile asks for besides: city, country, and a line even where only the village is known."""
    codes = _region_codes(address)
    village = codes.get("village", "")
    made: Resource = {"country": "ID"}
    if city := villages.name_of(codes.get("city", "")):
        made["city"] = city
    if not address.get("line") and (label := villages.label_of(village)):
        made["line"] = [f"Kel. {label}"]
    return address | made


def new_patient(resource: Resource) -> Resource:
    """Return a Patient as SATUSEHAT makes one: without the clinic's and BPJS's own numbers."""
    made = {name: resource[name] for name in MADE_WITH if name in resource}
    personal = (*PERSONAL_NUMBERS, national("kk"))
    made["identifier"] = [item for item in resource["identifier"] if item["system"] in personal]
    made["multipleBirthInteger"] = resource.get("multipleBirthInteger") or 0
    made["deceasedBoolean"] = "deceasedDateTime" in resource
    found = personal_number(resource)
    if found is not None and found[0] == MOTHER_NIK:
        made["maritalStatus"] = NEVER_MARRIED  # asked of a newborn too
    citizenship = "WNA" if found is not None and found[0] == PASSPORT else "WNI"
    made["extension"] = [{"url": CITIZENSHIP, "valueCode": citizenship}]
    made["address"] = [_whole_address(address) for address in resource.get("address", [])]
    return {name: value for name, value in made.items() if value not in ([], None)}


def allergies(context: SatusehatContext, patient_ids: Sequence[str]) -> dict[str, list[Entry]]:
    """Return patient's id -> the allergies that can be sent.

    Args:
        context: The facility's names and the official texts.
        patient_ids: The patients.
    """
    found: dict[str, list[Entry]] = {}
    rows = Allergy.select(Allergy, Patient).join(Patient, on=(Allergy.patient == Patient.id))
    for row in rows.where(Allergy.patient.in_(patient_ids)).order_by(Allergy.id):
        categories = categories_of(row.substance)
        if categories:
            made = _allergy(context, row, categories)
            found.setdefault(row.patient_id, []).append(Entry("AllergyIntolerance", row.id, made))
    return found


def categories_of(substance: str) -> list[str]:
    """Return `medication`, `food` or `environment`; empty for what cannot be read: SATUSEHAT wants a category.

    Args:
        substance: As typed.
    """
    read = read_allergy(substance)
    if read.none_known or not read.is_read:
        return []
    if read.is_medicine:
        return ["medication"]
    return ["environment" if ENVIRONMENT & set(fold_words(substance)) else "food"]


def _allergy(context: SatusehatContext, row: Allergy, categories: list[str]) -> Resource:
    """Return an allergy: in words, since neither KFA's import nor a list that ships has codes of substances.

    Args:
        context: The facility's names and the official texts.
        row: The stored record.
        categories: What kind of thing it is against.
    """
    voided = row.voided_at is not None
    displays = context.displays
    patient = context.names.reference("Patient", row.patient.medical_record_number)
    resource: Resource = {
        "resourceType": "AllergyIntolerance",
        "identifier": [context.names.identifier("AllergyIntolerance", row.id)],
        "verificationStatus": displays.concept(
            ALLERGY_VERIFIED, "entered-in-error" if voided else "confirmed"
        ),
        "type": "allergy",
        "category": categories,
        "code": {"text": row.substance},
        "patient": patient | {"display": row.patient.name},
        "recordedDate": instant(row.recorded_at),
    }
    username = context.usernames.get(row.recorded_by_id)
    if username is not None:
        resource["recorder"] = context.practitioner(username)
    if not voided:
        resource["clinicalStatus"] = displays.concept(ALLERGY_CLINICAL, "active")
    return resource | reaction_of(row)
