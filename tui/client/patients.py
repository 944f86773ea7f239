"""Patients: search, corrections, duplicates and merges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.foundation.codes import CopyForm
from core.schemas.patients import (
    CandidatePairOut,
    DuplicateResult,
    MergeOut,
    NonMatchOut,
    PatientOut,
    SharingOut,
    VillageOut,
)
from core.schemas.record import (
    NO_REASON,
    AllergiesOut,
    AllergyAdded,
    CopyOut,
    StatedReason,
    VisitSummary,
)
from tui.client.resource import ResourceClient, stated

# Patients that a search returns at most; they fill one screen.
SEARCH_LIMIT = 20


class PatientsClient(ResourceClient):
    """Patients."""

    async def search(self, text: str, limit: int = SEARCH_LIMIT) -> list[PatientOut]:
        """Find patients by name, number or date; an empty text gives the last patients."""
        if not text.strip():
            return await self._connection.many(PatientOut, "patients/recent", limit=limit)
        return await self._connection.many(PatientOut, "patients", q=text, limit=limit)

    async def get(self, patient_id: str) -> PatientOut:
        """Return one patient."""
        return await self._connection.one(PatientOut, "GET", f"patients/{patient_id}")

    async def edit(self, patient_id: str, changes: Mapping[str, Any]) -> PatientOut:
        """Correct a patient's details; `expected_version` guards against a lost update."""
        return await self._connection.one(PatientOut, "PATCH", f"patients/{patient_id}", dict(changes))

    async def find_villages(self, text: str, limit: int = 12) -> list[VillageOut]:
        """Find villages by words or code, those of the clinic's own area first."""
        return await self._connection.many(VillageOut, "villages", q=text, limit=limit)

    async def unverified(self) -> list[PatientOut]:
        """List the patients whose identity is still to be verified."""
        return await self._connection.many(PatientOut, "patients/unverified")

    async def history(self, patient_id: str, reason: StatedReason = NO_REASON) -> list[VisitSummary]:
        """List a patient's visits, newest first; a reason opens those outside one's own queue."""
        return await self._connection.many(VisitSummary, f"patients/{patient_id}/history", **stated(reason))

    async def copy(self, patient_id: str, form: CopyForm, reason: StatedReason = NO_REASON) -> CopyOut:
        """Have the patient's own copy of the record made.

        Args:
            patient_id: The patient.
            form: In words, or as a FHIR document.
            reason: Why, outside one's own queue.
        """
        body = {"form": form, **stated(reason)}
        return await self._connection.one(CopyOut, "POST", f"patients/{patient_id}/copies", body)

    async def sharing(self, patient_id: str) -> SharingOut:
        """Return whether the patient lets the record go to SATUSEHAT."""
        return await self._connection.one(SharingOut, "GET", f"patients/{patient_id}/sharing")

    async def decide_sharing(self, patient_id: str, *, agreed: bool) -> SharingOut:
        """Keep the patient's answer, and return the paper to sign."""
        path = f"patients/{patient_id}/sharing"
        return await self._connection.one(SharingOut, "PUT", path, {"agreed": agreed})

    async def allergies(self, patient_id: str, reason: StatedReason = NO_REASON) -> AllergiesOut:
        """Return a patient's allergies, and whether anybody asked; a reason opens those outside one's queue."""
        path = f"patients/{patient_id}/allergies"
        return await self._connection.one(AllergiesOut, "GET", path, **stated(reason))

    async def add_allergy(self, patient_id: str, fields: Mapping[str, Any]) -> AllergyAdded:
        """Record an allergy: substance, reaction, severity, source; outside one's own queue also why."""
        path = f"patients/{patient_id}/allergies"
        return await self._connection.one(AllergyAdded, "POST", path, dict(fields))

    async def state_no_allergies(self, patient_id: str, reason: StatedReason = NO_REASON) -> AllergiesOut:
        """Record that the patient was asked and knows of no allergy; a reason outside one's own queue."""
        path = f"patients/{patient_id}/allergies/none"
        return await self._connection.one(AllergiesOut, "POST", path, stated(reason))

    async def void_allergy(self, allergy_id: str, reason: str) -> AllergiesOut:
        """Strike an allergy out that was entered in error."""
        return await self._connection.one(
            AllergiesOut, "POST", f"allergies/{allergy_id}/void", {"reason": reason}
        )

    async def duplicates(self, fields: Mapping[str, Any]) -> DuplicateResult:
        """Find patients that may be the person of a half-filled form."""
        return await self._connection.one(DuplicateResult, "POST", "patients/duplicates", dict(fields))

    async def suspected(self) -> list[CandidatePairOut]:
        """List the pairs that wait for clerical review, the likeliest first."""
        return await self._connection.many(CandidatePairOut, "patients/suspected")

    async def not_same(self, patient_id: str, other_id: str) -> None:
        """Confirm that two patients are two people."""
        await self._connection.send("POST", f"patients/{patient_id}/not-same", {"other": other_id})

    async def undo_not_same(self, patient_id: str, other_id: str) -> None:
        """Take the confirmation back."""
        await self._connection.send("DELETE", f"patients/{patient_id}/not-same/{other_id}")

    async def judged_two_people(self) -> list[NonMatchOut]:
        """List the confirmed non-matches, newest first."""
        return await self._connection.many(NonMatchOut, "not-same")

    async def merge(self, patient_id: str, into_id: str, *, deceased_confirmed: bool = False) -> MergeOut:
        """Merge a patient into another one.

        Args:
            patient_id: The patient.
            into_id: The record that stays.
            deceased_confirmed: Whether it was asked about, where one was here after the other had died.
        """
        body = {"into": into_id, "deceased_confirmed": deceased_confirmed}
        return await self._connection.one(MergeOut, "POST", f"patients/{patient_id}/merge", body)

    async def merges(self) -> list[MergeOut]:
        """List the last merges, newest first."""
        return await self._connection.many(MergeOut, "merges")

    async def undo_merge(self, merge_id: str) -> MergeOut:
        """Undo a merge."""
        return await self._connection.one(MergeOut, "POST", f"merges/{merge_id}/undo")
