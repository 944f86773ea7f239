"""Identifier and code systems, and how one resource names another.

Every resource carries one business identifier of the clinic's own, and is named by it
wherever it is mentioned (`Patient?identifier=system|value`). No id of the receiving server
is needed, so that any request can be sent again without making a second copy.

Source: docs/reference/indonesia.md 5.2 (note that http and https differ by family); FHIR R4 http.html,
conditional update and conditional references.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]
"""One FHIR resource as JSON-safe values."""


def national(kind: str) -> str:
    """Return SATUSEHAT's system of a kind of identifier, such as `nik` or `kk` (`PatientField.identifier`)."""
    return f"https://fhir.kemkes.go.id/id/{kind}"


NIK = national("nik")
MOTHER_NIK = national("nik-ibu")
ADMINISTRATIVE_CODE = "https://fhir.kemkes.go.id/r4/StructureDefinition/administrativeCode"

ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
DISPOSITION = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFIED = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
MARITAL_STATUS = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
LOCATION_TYPE = "http://terminology.hl7.org/CodeSystem/location-physical-type"
ORGANIZATION_TYPE = "http://terminology.hl7.org/CodeSystem/organization-type"

PAYER = "urn:loket:payer"
"""`core.foundation.codes.Payer`; no national value set was found for it."""
CASE_KIND = "urn:loket:case-kind"
"""`core.foundation.codes.CaseKind`: LB1's new and old cases."""
DAY_TAG = "urn:loket:service-day"
"""On a Bundle: the clinic's day to which its visits belong."""

OWN = "http://sys-ids.kemkes.go.id"
OWN_KINDS = {
    "Organization": "organization",
    "Location": "location",
    "Practitioner": "practitioner",
    "Patient": "patient",
    "Encounter": "encounter",
    "Condition": "condition",
    "Observation": "observation",
    "Procedure": "procedure",
    "Immunization": "immunization",
    "ServiceRequest": "servicerequest",
    "MedicationRequest": "prescription",
    "AllergyIntolerance": "allergy",
    "Composition": "composition",
}
"""Resource type -> the word in its identifier system; also the types that are sent at all."""


@dataclass(frozen=True)
class Names:
    """The identifier systems of one facility."""

    facility_code: str

    def system(self, resource_type: str) -> str:
        """Return the identifier system of the facility's own resources of a type."""
        return f"{OWN}/{OWN_KINDS[resource_type]}/{self.facility_code}"

    def identifier(self, resource_type: str, value: str) -> Resource:
        """Return the business identifier."""
        return {"system": self.system(resource_type), "value": value}

    def query(self, resource_type: str, value: str) -> str:
        """`Type?identifier=system|value`: the address of a conditional request or reference."""
        return f"{resource_type}?identifier={self.system(resource_type)}|{value}"

    def reference(self, resource_type: str, value: str) -> Resource:
        """Return a conditional reference."""
        return {"reference": self.query(resource_type, value)}


def concept(system: str, code: str) -> Resource:
    """Return a CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}
