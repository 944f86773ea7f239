"""Resources of people and places: Patient, AllergyIntolerance, Practitioner, Organization, Location."""

from __future__ import annotations

from core.exchange.fhir import systems
from core.exchange.fhir.systems import Names, Resource, concept
from core.foundation.codes import AllergySeverity
from core.foundation.config import Settings
from core.linkage.names import listed_names
from core.models import Account, Allergy, Patient
from core.patients.fields import IDENTIFIERS
from core.queues.clusters import Cluster

MARITAL_STATUS = {
    "1": ("S", "Never Married"),
    "2": ("M", "Married"),
    "3": ("D", "Divorced"),
    "4": ("W", "Widowed"),
}
"""Code of `core/data/identity_values.toml` -> HL7's code and display (v3-MaritalStatus)."""


def patient(names: Names, row: Patient, *, mother_nik: str | None, survivor_number: str | None) -> Resource:
    """Return a Patient, identified by the medical record number so that one without a NIK goes too.

    Args:
        names: The facility's identifier systems.
        row: The patient. A voided one goes as inactive, its identifiers as old ones.
        mother_nik: The mother's NIK when her record is linked and has one; else the one that was shown at the counter goes.
        survivor_number: Medical record number of the record it was merged into.
    """
    active = row.voided_at is None
    born = row.birth_date
    address = _address(row)
    resource: Resource = {
        "resourceType": "Patient",
        "gender": row.sex,
        "address": [address] if address else None,
        "name": [
            {"use": "official", "text": row.name},
            *({"use": "usual", "text": name} for name in listed_names(row.other_names)),
        ],
        "active": active,
        "identifier": [
            names.identifier("Patient", row.medical_record_number),
            *_identifiers(row, mother_nik, "official" if active else "old"),
        ],
        "telecom": [{"system": "phone", "value": row.phone}] if row.phone else None,
        # FHIR says how exact a date is by its length: an estimated one is known to the year.
        "birthDate": str(born.year) if row.birth_date_estimated else born.isoformat(),
        "multipleBirthInteger": row.birth_order,
        "maritalStatus": _marital_status(row.marital_status),
        "deceasedDateTime": row.deceased_on.isoformat() if row.deceased_on else None,
    }
    if survivor_number is not None:
        resource["link"] = [{"other": names.reference("Patient", survivor_number), "type": "replaced-by"}]
    return {name: value for name, value in resource.items() if value is not None}


def _marital_status(code: str) -> Resource | None:
    """Return what was answered; None where nobody asked or the patient did not answer."""
    found = MARITAL_STATUS.get(code)
    if found is None:
        return None
    kind, display = found
    return {"coding": [{"system": systems.MARITAL_STATUS, "code": kind, "display": display}]}


def _identifiers(row: Patient, mother_nik: str | None, use: str) -> list[Resource]:
    known = {
        name: kind
        for name, kind in IDENTIFIERS.items()
        if name != "passport_number" or not row.passport_doubtful
    }
    own = {systems.national(kind): getattr(row, name) for name, kind in known.items()}
    found = {**own, systems.MOTHER_NIK: mother_nik or row.mother_nik}
    return [{"use": use, "system": system, "value": value} for system, value in found.items() if value]


def _address(row: Patient) -> Resource:
    """Address with the administrative codes (docs/reference/indonesia.md 5.4: undotted, province to village)."""
    address: Resource = {"line": [row.address]} if row.address else {}
    code = row.village_code
    parts = [
        (name, value)
        for name, value in (
            ("province", code[:2]), ("city", code[:4]), ("district", code[:6]), ("village", code),
            ("rt", row.rt), ("rw", row.rw),
        )
        if value and (name in {"rt", "rw"} or len(code) == 10)
    ]  # fmt: skip
    if parts:
        address["extension"] = [
            {
                "url": systems.ADMINISTRATIVE_CODE,
                "extension": [{"url": name, "valueCode": value} for name, value in parts],
            }
        ]
    return {"use": "home", **address} if address else {}


def allergy(names: Names, row: Allergy, record_number: str) -> Resource:
    """Return an AllergyIntolerance; a struck-out one is entered in error and has no clinical status.

    Args:
        names: The identifier systems of this clinic.
        row: The stored record.
        record_number: The patient's medical record number.
    """
    voided = row.voided_at is not None
    resource: Resource = {
        "resourceType": "AllergyIntolerance",
        "identifier": [names.identifier("AllergyIntolerance", row.id)],
        "verificationStatus": concept(
            systems.ALLERGY_VERIFIED, "entered-in-error" if voided else "confirmed"
        ),
        "code": {"text": row.substance},
        "patient": names.reference("Patient", record_number),
    }
    if not voided:
        resource["clinicalStatus"] = concept(systems.ALLERGY_CLINICAL, "active")
    return resource | reaction_of(row)


def reaction_of(row: Allergy) -> Resource:
    """Return the elements that tell how grave an allergy's reaction was, and what it was; empty where nobody said."""
    told: Resource = {}
    if row.severity:
        told["criticality"] = "high" if row.severity == AllergySeverity.SEVERE else "low"
    if row.reaction:
        reaction: Resource = {"manifestation": [{"text": row.reaction}]}
        told["reaction"] = [reaction | ({"severity": row.severity} if row.severity else {})]
    return told


def practitioner(names: Names, row: Account) -> Resource:
    """Return a Practitioner: a named account, with the NIK where it is known."""
    identifiers = [names.identifier("Practitioner", row.username)]
    if row.practitioner_nik:
        identifiers.append({"use": "official", "system": systems.NIK, "value": row.practitioner_nik})
    return {
        "resourceType": "Practitioner",
        "identifier": identifiers,
        "active": row.disabled_at is None,
        "name": [{"text": row.name}],
    }


def organization(names: Names, settings: Settings) -> Resource:
    """Return the facility."""
    return {
        "resourceType": "Organization",
        "identifier": [names.identifier("Organization", settings.facility_code)],
        "active": True,
        "type": [concept(systems.ORGANIZATION_TYPE, "prov")],
        "name": settings.facility_name,
    }


def location(names: Names, settings: Settings, cluster: Cluster) -> Resource:
    """Return a service cluster's place in the facility.

    Args:
        names: The identifier systems of this clinic.
        settings: The facility's name and codes.
        cluster: The service cluster.
    """
    return {
        "resourceType": "Location",
        "identifier": [names.identifier("Location", cluster.code)],
        "status": "active",
        "name": cluster.name,
        "physicalType": concept(systems.LOCATION_TYPE, "ro"),
        "managingOrganization": names.reference("Organization", settings.facility_code),
    }
