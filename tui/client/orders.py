"""Diagnoses, procedures, prescriptions and laboratory tests of a visit, and the worklists of those who fulfil them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.schemas.record import (
    NO_REASON,
    DiagnosisOut,
    ImmunisationOut,
    OrderOut,
    PrescriptionOut,
    ProcedureOut,
    StatedReason,
    WorkItem,
)
from tui.client.resource import ResourceClient, stated


class OrdersClient(ResourceClient):
    """Diagnoses, procedures, prescriptions, laboratory tests and worklists."""

    async def add_diagnosis(
        self,
        visit_id: str,
        code: str,
        case_kind: str | None = None,
        *,
        confirm: bool = False,
        deceased_confirmed: bool = False,
    ) -> DiagnosisOut:
        """Record one diagnosis.

        Args:
            visit_id: The visit.
            code: ICD-10 code.
            case_kind: "new" or "old", as the monthly report counts them; None: as the patient is known.
            confirm: Whether it was asked about, for a code of the other sex or an impossible age.
            deceased_confirmed: Whether it was asked about, for a patient who is recorded as dead.

        Returns:
            The stored diagnosis.
        """
        body = {
            "code": code,
            "case_kind": case_kind,
            "confirm": confirm,
            "deceased_confirmed": deceased_confirmed,
        }
        return await self._connection.one(DiagnosisOut, "POST", f"visits/{visit_id}/diagnoses", body)

    async def void_diagnosis(self, visit_id: str, diagnosis_id: str, reason: str) -> None:
        """Void a diagnosis.

        Args:
            visit_id: The visit.
            diagnosis_id: The diagnosis.
            reason: Kept in the record.
        """
        path = f"visits/{visit_id}/diagnoses/{diagnosis_id}"
        await self._connection.send("DELETE", path, params={"reason": reason})

    async def add_procedure(
        self, visit_id: str, code: str, note: str = "", *, deceased_confirmed: bool = False
    ) -> ProcedureOut:
        """Record one procedure that was carried out.

        Args:
            visit_id: The visit.
            code: Code of the procedure.
            note: Free text.
            deceased_confirmed: Whether it was asked about, for a patient who is recorded as dead.

        Returns:
            The stored procedure.
        """
        body = {"code": code, "note": note, "deceased_confirmed": deceased_confirmed}
        return await self._connection.one(ProcedureOut, "POST", f"visits/{visit_id}/procedures", body)

    async def void_procedure(self, visit_id: str, procedure_id: str, reason: str) -> None:
        """Void a procedure.

        Args:
            visit_id: The visit.
            procedure_id: The procedure.
            reason: Kept in the record.
        """
        path = f"visits/{visit_id}/procedures/{procedure_id}"
        await self._connection.send("DELETE", path, params={"reason": reason})

    async def add_immunisation(self, visit_id: str, fields: Mapping[str, Any]) -> ImmunisationOut:
        """Record one vaccine that was given."""
        path = f"visits/{visit_id}/immunisations"
        return await self._connection.one(ImmunisationOut, "POST", path, dict(fields))

    async def void_immunisation(self, visit_id: str, immunisation_id: str, reason: str) -> None:
        """Void a vaccine.

        Args:
            visit_id: The visit.
            immunisation_id: The vaccine.
            reason: Kept in the record.
        """
        path = f"visits/{visit_id}/immunisations/{immunisation_id}"
        await self._connection.send("DELETE", path, params={"reason": reason})

    async def prescribe(self, visit_id: str, fields: Mapping[str, Any]) -> PrescriptionOut:
        """Prescribe one medicine."""
        path = f"visits/{visit_id}/prescriptions"
        return await self._connection.one(PrescriptionOut, "POST", path, dict(fields))

    async def change_prescription(self, prescription_id: str, fields: Mapping[str, Any]) -> PrescriptionOut:
        """Replace a prescription that was not handed out yet."""
        path = f"prescriptions/{prescription_id}"
        return await self._connection.one(PrescriptionOut, "PUT", path, dict(fields))

    async def know_of_clash(self, prescription_id: str, reason: StatedReason = NO_REASON) -> PrescriptionOut:
        """Record that one has read of an allergy against it; a reason outside one's own queue."""
        path = f"prescriptions/{prescription_id}/acknowledge"
        return await self._connection.one(PrescriptionOut, "POST", path, stated(reason))

    async def revoke_prescription(self, prescription_id: str, reason: str) -> None:
        """Revoke a prescription."""
        await self._connection.send("DELETE", f"prescriptions/{prescription_id}", params={"reason": reason})

    async def dispense(self, prescription_id: str, fields: Mapping[str, Any]) -> PrescriptionOut:
        """Record that a prescribed medicine was handed out."""
        path = f"prescriptions/{prescription_id}/dispense"
        return await self._connection.one(PrescriptionOut, "POST", path, dict(fields))

    async def order_test(
        self, visit_id: str, test: str, note: str = "", *, deceased_confirmed: bool = False
    ) -> OrderOut:
        """Order one laboratory test.

        Args:
            visit_id: The visit.
            test: Code of the test.
            note: Free text for the laboratory.
            deceased_confirmed: Whether it was asked about, for a patient who is recorded as dead.

        Returns:
            The stored order.
        """
        body = {"test": test, "note": note, "deceased_confirmed": deceased_confirmed}
        return await self._connection.one(OrderOut, "POST", f"visits/{visit_id}/orders", body)

    async def revoke_test(self, order_id: str, reason: str) -> None:
        """Revoke the order of a laboratory test."""
        await self._connection.send("DELETE", f"orders/{order_id}", params={"reason": reason})

    async def enter_result(self, order_id: str, fields: Mapping[str, Any]) -> OrderOut:
        """Enter the result of a laboratory test."""
        return await self._connection.one(OrderOut, "POST", f"orders/{order_id}/result", dict(fields))

    async def void_result(self, order_id: str, reason: str, expected_version: int | None = None) -> OrderOut:
        """Take a result back that is not this patient's.

        Args:
            order_id: The order.
            reason: Kept in the record.
            expected_version: Version of the order as it was seen.
        """
        params: dict[str, Any] = {"reason": reason}
        if expected_version is not None:
            params["expected_version"] = expected_version
        return await self._connection.one(OrderOut, "DELETE", f"orders/{order_id}/result", **params)

    async def acknowledge(self, order_id: str, told: str, reason: StatedReason = NO_REASON) -> OrderOut:
        """Record who was told of a critical result.

        Args:
            order_id: The order.
            told: Who was told; empty: who is signed in.
            reason: Why, outside one's own queue.
        """
        body = {"told": told, **stated(reason)}
        return await self._connection.one(OrderOut, "POST", f"orders/{order_id}/acknowledge", body)

    async def worklist(self, kind: str) -> list[WorkItem]:
        """List the open work of the laboratory (`orders`) or the pharmacy (`prescriptions`)."""
        return await self._connection.many(WorkItem, f"worklists/{kind}")

    async def work_item(self, kind: str, visit_id: str) -> WorkItem:
        """Return the work of one visit in such a list."""
        return await self._connection.one(WorkItem, "GET", f"worklists/{kind}/{visit_id}")
