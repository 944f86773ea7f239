"""Rows of imported lists that wait for a person to mend them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.schemas.imports import SetAsideRowsOut
from core.schemas.patients import PatientOut
from tui.client.resource import ResourceClient


class ImportsClient(ResourceClient):
    """The work list of imported rows."""

    async def waiting(self) -> SetAsideRowsOut:
        """Return the rows that wait, and how many there are in all."""
        return await self._connection.one(SetAsideRowsOut, "GET", "imports/rows")

    async def mend(self, row_id: str, mended: Mapping[str, Any]) -> PatientOut:
        """Store a mended row: the patient's fields, and the decision about look-alikes."""
        return await self._connection.one(PatientOut, "POST", f"imports/rows/{row_id}/mend", dict(mended))

    async def leave_out(self, row_id: str, reason: str) -> None:
        """Take a row off the list for a reason."""
        await self._connection.send("POST", f"imports/rows/{row_id}/leave-out", {"reason": reason})

    async def take_back(self, row_id: str) -> None:
        """Put a row that was left out on the list again."""
        await self._connection.send("POST", f"imports/rows/{row_id}/take-back")
