"""Searches in the code lists: diagnoses, procedures, medicines, laboratory tests."""

from __future__ import annotations

from core.schemas.record import CodeOut, LabTestOut, MedicineOut, VaccineOut
from tui.client.resource import ResourceClient


class TerminologyClient(ResourceClient):
    """Code lists."""

    async def find_diagnoses(self, text: str, sex: str = "", age_days: int | None = None) -> list[CodeOut]:
        """Find ICD-10 codes by code or words.

        Args:
            text: Words, or the beginning of a code.
            sex: Of the patient.
            age_days: Of the patient.
        """
        patient = {"sex": sex, "age_days": age_days}
        known = {name: value for name, value in patient.items() if value not in {"", None}}
        return await self._connection.many(CodeOut, "diagnoses", q=text, **known)

    async def find_procedures(self, text: str) -> list[CodeOut]:
        """Find procedures by code or words."""
        return await self._connection.many(CodeOut, "procedures", q=text)

    async def find_vaccines(self, text: str) -> list[VaccineOut]:
        """Find vaccines by words."""
        return await self._connection.many(VaccineOut, "vaccines", q=text)

    async def find_medicines(self, text: str, visit_id: str = "") -> list[MedicineOut]:
        """Find medicines by words, each with its usual prescription; for a child's visit, by weight."""
        return await self._connection.many(MedicineOut, "medicines", q=text, visit_id=visit_id)

    async def find_tests(self, text: str) -> list[LabTestOut]:
        """Find laboratory tests by words."""
        return await self._connection.many(LabTestOut, "tests", q=text)
