"""Looks patients up at SATUSEHAT: the IHS number, found by NIK, passport or the mother's NIK, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from core.exchange import outbox
from core.exchange.fhir import Resource
from core.exchange.fhir.systems import MOTHER_NIK
from core.exchange.satusehat import patient_resources
from core.exchange.satusehat.identities import Identities
from core.exchange.satusehat.requests import Access, SatusehatRefusedError
from core.exchange.target import LATER
from core.foundation.database import transaction
from core.models import Patient, Visit

NO_NIK = "nik-missing"
NO_REGION = "region-missing"


class SetAsideError(Exception):
    """A record that cannot go as it is; the words begin with a stable code."""


class PatientRegistry:
    """The patients of SATUSEHAT, for one run."""

    def __init__(self, access: Access, ids: Identities) -> None:
        self._access = access
        self._ids = ids

    def is_known(self, record_number: str, number: tuple[str, str]) -> bool:
        """Return whether the IHS number is kept, and was found by the number that the card has now.

        Args:
            record_number: The medical record number.
            number: System and value of the number that finds the patient.
        """
        known = self._ids.find("Patient", record_number)
        return known is not None and known.digest == number_mark("|".join(number))

    def stands_for(self, record_number: str, resource: Resource) -> bool:
        """Return whether the kept IHS number was found by the number that the card has now; nobody is asked.

        Args:
            record_number: The medical record number.
            resource: The clinic's Patient.
        """
        number = patient_resources.personal_number(resource)
        return number is not None and self.is_known(record_number, number)

    def look_up(self, record_number: str, resource: Resource) -> bool:
        """Ask for the IHS number and keep it; return whether SATUSEHAT knows the patient. Nobody is made.

        Args:
            record_number: The medical record number.
            resource: The clinic's Patient.

        Raises:
            SetAsideError: No number finds the patient, or it finds several.
        """
        number = personal_number(resource)
        found = self._find(*number, resource)
        if found is not None:
            self._keep(record_number, number, found)
        return found is not None

    def learn_or_make(self, record_number: str, resource: Resource, *, may_make: bool) -> None:
        """Keep the IHS number; a patient whom SATUSEHAT does not know is made there where that is allowed.

        Args:
            record_number: The medical record number.
            resource: The clinic's Patient.
            may_make: Whether patients are made there.

        Raises:
            SetAsideError: The patient can be neither found nor made.
        """
        try:
            number = personal_number(resource)
            if self.is_known(record_number, number):
                return
            found = self._find(*number, resource) or self._make(*number, resource, may_make=may_make)
        except (SetAsideError, SatusehatRefusedError):
            self.let_go(record_number)
            raise
        self._keep(record_number, number, found)

    def _keep(self, record_number: str, number: tuple[str, str], remote_id: str) -> None:
        """Keep the IHS number; where it was another person's before, what was sent under that one is sent again."""
        known = self._ids.find("Patient", record_number)
        with transaction():
            if known is not None and known.remote_id != remote_id:
                self._send_again(record_number)
            self._ids.remember("Patient", record_number, remote_id, number_mark("|".join(number)))

    def let_go(self, record_number: str) -> None:
        """Forget an IHS number that a corrected card no longer stands for: nothing more may go under it.

        Its visits are looked at again, and are taken back there until the person is found.
        """
        if self._ids.find("Patient", record_number) is None:
            return
        with transaction():
            self._send_again(record_number)
            self._ids.forget("Patient", record_number)

    def _send_again(self, record_number: str) -> None:
        visits = Visit.select(Visit.id).join(Patient).where(Patient.medical_record_number == record_number)
        ids = [visit.id for visit in visits if self._ids.find("Encounter", visit.id) is not None]
        for visit_id in ids:
            self._ids.reopen(visit_id)
        outbox.enqueue(outbox.VISIT, *ids)

    def _find(self, system: str, number: str, resource: Resource) -> str | None:
        found = self._access.search("Patient", {"identifier": f"{system}|{number}"})
        if system == MOTHER_NIK:  # one mother may have several children, and twins are born together
            others = set(self._ids.of("Patient").values())
            order = resource.get("multipleBirthInteger") or 0
            found = [
                child
                for child in found
                if child.get("birthDate") == resource["birthDate"]
                and child.get("multipleBirthInteger", order) == order
                and str(child["id"]) not in others
            ]
        if len(found) > 1:
            raise SetAsideError("ambiguous: SATUSEHAT knows several patients by this NIK")
        return str(found[0]["id"]) if found else None

    def _make(self, system: str, number: str, resource: Resource, *, may_make: bool) -> str:
        if not may_make:
            raise SetAsideError(f"{NO_NIK}: SATUSEHAT does not know this NIK")
        if not patient_resources.has_region(resource):
            raise SetAsideError(
                f"{NO_REGION}: SATUSEHAT does not know this patient, and makes none without it"
            )
        try:
            return id_of(self._access.send("POST", "/Patient", patient_resources.new_patient(resource)))
        except SatusehatRefusedError as error:
            if not error.duplicate:
                raise
        found = self._find(system, number, resource)
        if found is None:
            raise SetAsideError(f"{LATER}: SATUSEHAT has this patient but does not show it yet")
        return found


def personal_number(resource: Resource) -> tuple[str, str]:
    """Return system and number by which a patient is found.

    Raises:
        SetAsideError: There is none.
    """
    number = patient_resources.personal_number(resource)
    if number is None:
        raise SetAsideError(f"{NO_NIK}: neither the patient's nor the mother's NIK is known")
    return number


def number_mark(number: str | None) -> str:
    """Return a digest of the values a lookup was made by, without keeping the number twice."""
    return hashlib.sha256((number or "").encode()).hexdigest()


def id_of(document: Mapping[str, Any]) -> str:
    """Return the id in an answer to a POST; some answers wrap it (`data`).

    Raises:
        SetAsideError: It names none.
    """
    inner = document.get("data")
    found = document.get("id") or (inner.get("Patient_id") if isinstance(inner, dict) else None)
    if not isinstance(found, str) or not found:
        raise SetAsideError(f"{LATER}: the answer names no id")
    return found
