"""Refuses what the office does not take, entry by entry, in OperationOutcome's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.exchange.fhir import Names, digest
from core.exchange.fhir.systems import ICD10, NIK, OWN_KINDS

CONDITIONAL = re.compile(r"^([A-Za-z]+)\?identifier=([^|&]+)\|([^|&]{1,80})$")
DATE = re.compile(r"^\d{4}(-\d{2}(-\d{2})?)?$")
INSTANT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$")
ICD10_CODE = re.compile(r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")

REQUIRED = {
    "Organization": ("name",),
    "Location": ("name", "status"),
    "Practitioner": ("name",),
    "Patient": ("name", "gender", "birthDate"),
    "Encounter": ("status", "class", "subject", "period", "serviceProvider"),
    "Condition": ("code", "subject", "encounter"),
    "Observation": ("status", "code", "subject", "encounter"),
    "Procedure": ("status", "code", "subject", "encounter"),
    "Immunization": ("status", "vaccineCode", "patient", "occurrenceDateTime"),
    "ServiceRequest": ("status", "intent", "code", "subject"),
    "MedicationRequest": ("status", "intent", "medicationCodeableConcept", "subject"),
    "AllergyIntolerance": ("code", "patient"),
    "Composition": ("status", "type", "subject", "date", "author", "title"),
}
"""Elements that must be there and not be empty; the types that are taken at all."""

GENDERS = {"male", "female", "other", "unknown"}
ENCOUNTER_STATUSES = {
    "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error",
    "unknown",
}  # fmt: skip


class EntryRefusedError(Exception):
    """Reason why an entry cannot be taken.

    Attributes:
        code: FHIR IssueType: `required`, `value`, `not-found`, `forbidden`, `not-supported`, `structure`.
        words: For the clinic's admin, without a patient's name.
        expression: Where in the resource.
    """

    def __init__(self, code: str, words: str, expression: str = "") -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.expression = expression

    def outcome(self) -> dict[str, Any]:
        """Return the refusal as an OperationOutcome."""
        issue: dict[str, Any] = {"severity": "error", "code": self.code, "diagnostics": self.words}
        if self.expression:
            issue["expression"] = [self.expression]
        return {"resourceType": "OperationOutcome", "issue": [issue]}


@dataclass
class Checked:
    """An entry that may be stored, with the columns by which the office looks it up."""

    type: str
    value: str
    resource: dict[str, Any]
    digest: str
    references: list[tuple[str, str]]
    """(type, identifier value) of the clinic's own resources it mentions."""
    only_if_none: bool = False
    """POST with If-None-Exist: an existing resource stays as it is."""
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Type and identifier value."""
        return (self.type, self.value)


def check(names: Names, entry: Any) -> Checked:
    """Check one entry of a Bundle.

    Raises:
        EntryRefusedError: It cannot be stored.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        raise EntryRefusedError("structure", "an entry needs a resource")
    resource = entry["resource"]
    kind = resource.get("resourceType")
    if kind not in REQUIRED:
        raise EntryRefusedError("not-supported", f"{str(kind)[:40]} is not taken here")
    value, only_if_none = _target(names, kind, entry.get("request"))
    _check_identifier(names, kind, value, resource)
    for element in REQUIRED[kind]:
        if resource.get(element) in (None, "", [], {}):
            raise EntryRefusedError("required", f"{element} is missing", f"{kind}.{element}")
    CHECKS.get(kind, _nothing)(resource)
    references = list(_references(names, resource))
    return Checked(
        kind,
        value,
        resource,
        digest(resource).hex(),
        references,
        only_if_none,
        _columns(kind, value, resource),
    )


def _target(names: Names, kind: str, request: Any) -> tuple[str, bool]:
    """Return the identifier value that the request addresses, and whether it only creates."""
    if not isinstance(request, dict):
        raise EntryRefusedError("structure", "an entry needs a request")
    method, url = request.get("method"), str(request.get("url", "")).replace("%7C", "|")
    if method == "POST" and request.get("ifNoneExist"):
        url = f"{url}?{request['ifNoneExist']}".replace("%7C", "|")
    elif method != "PUT":
        raise EntryRefusedError("not-supported", "only PUT by identifier, or POST with ifNoneExist")
    found = CONDITIONAL.match(url)
    if found is None or found[1] != kind:
        raise EntryRefusedError("value", f"the request must address {kind}?identifier=system|value")
    if found[2] != names.system(kind):
        raise EntryRefusedError("forbidden", "the identifier system is not this clinic's")
    return found[3], method == "POST"


def _check_identifier(names: Names, kind: str, value: str, resource: dict[str, Any]) -> None:
    identifiers = resource.get("identifier")
    listed = identifiers if isinstance(identifiers, list) else [identifiers]
    wanted = names.identifier(kind, value)
    if not any(
        isinstance(item, dict) and {name: item.get(name) for name in wanted} == wanted for item in listed
    ):
        raise EntryRefusedError(
            "value", "the resource does not carry the requested identifier", f"{kind}.identifier"
        )


def _references(names: Names, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "reference" and isinstance(child, str):
                yield _reference(names, child)
            elif isinstance(child, (dict, list)):
                yield from _references(names, child)
    elif isinstance(node, list):
        for child in node:
            if isinstance(child, (dict, list)):
                yield from _references(names, child)


def _reference(names: Names, text: str) -> tuple[str, str]:
    found = CONDITIONAL.match(text.replace("%7C", "|"))
    if found is None or found[1] not in OWN_KINDS or found[2] != names.system(found[1]):
        raise EntryRefusedError("value", "a reference must be by the clinic's own identifier")
    return found[1], found[3]


def _nothing(resource: dict[str, Any]) -> None:
    """Check nothing more."""


def _check_patient(resource: dict[str, Any]) -> None:
    if resource["gender"] not in GENDERS:
        raise EntryRefusedError("value", "gender is not a FHIR code", "Patient.gender")
    if not isinstance(resource["birthDate"], str) or not DATE.match(resource["birthDate"]):
        raise EntryRefusedError("value", "birthDate is not a date", "Patient.birthDate")
    nik = _nik(resource)
    if nik is not None and not re.fullmatch(r"\d{16}", nik):
        raise EntryRefusedError("value", "a NIK has 16 digits", "Patient.identifier")


def _check_encounter(resource: dict[str, Any]) -> None:
    if resource["status"] not in ENCOUNTER_STATUSES:
        raise EntryRefusedError("value", "status is not a FHIR code", "Encounter.status")
    period = resource["period"]
    if not isinstance(period, dict):
        raise EntryRefusedError("structure", "period is not a Period", "Encounter.period")
    for name in ("start", "end"):
        value = period.get(name)
        if (name == "start" or value is not None) and not (isinstance(value, str) and INSTANT.match(value)):
            raise EntryRefusedError(
                "value", f"period.{name} is not a dateTime with offset", f"Encounter.period.{name}"
            )


def _check_condition(resource: dict[str, Any]) -> None:
    code = _icd10(resource)
    if code is None or not ICD10_CODE.match(code):
        raise EntryRefusedError("value", "code has no ICD-10 coding", "Condition.code")


CHECKS = {"Patient": _check_patient, "Encounter": _check_encounter, "Condition": _check_condition}


def _nik(resource: dict[str, Any]) -> str | None:
    for identifier in resource.get("identifier", []):
        if isinstance(identifier, dict) and identifier.get("system") == NIK:
            return str(identifier.get("value", ""))
    return None


def _icd10(resource: dict[str, Any]) -> str | None:
    codings = resource["code"].get("coding") if isinstance(resource["code"], dict) else None
    for coding in codings if isinstance(codings, list) else []:
        if isinstance(coding, dict) and coding.get("system") == ICD10:
            return str(coding.get("code", ""))
    return None


def _columns(kind: str, value: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the columns by which the office looks resources up."""
    columns: dict[str, Any] = {"subject": None, "code": None, "nik": None, "wait_minutes": None}
    about = resource.get("subject") or resource.get("patient")
    if isinstance(about, dict) and "|" in str(about.get("reference", "")):
        columns["subject"] = str(about["reference"]).rpartition("|")[2][:80]
    if kind == "Patient":
        columns["subject"] = value
        columns["nik"] = _nik(resource) if resource.get("active", True) else None
    elif kind == "Condition":
        voided = "verificationStatus" in resource and "clinicalStatus" not in resource
        columns["code"] = None if voided else _icd10(resource)
    elif kind == "Encounter":
        columns["code"] = resource["status"]
        columns["wait_minutes"] = _wait_minutes(resource)
    return columns


def _wait_minutes(resource: dict[str, Any]) -> int | None:
    """Return the minutes from arrival to the first service, None when there was none."""
    starts: dict[Any, Any] = {}
    for step in resource.get("statusHistory") or []:
        if isinstance(step, dict) and isinstance(step.get("period"), dict):
            starts.setdefault(step.get("status"), step["period"].get("start"))
    try:
        arrived, served = (datetime.fromisoformat(starts[name]) for name in ("arrived", "in-progress"))
        return max(0, int((served - arrived).total_seconds() // 60))
    except (KeyError, TypeError, ValueError):
        return None
