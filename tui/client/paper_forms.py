"""Numbered paper forms for the hours without a computer."""

from __future__ import annotations

from core.foundation.codes import NumberStatus
from core.schemas.queues import PaperFormOut, PaperFormsMade
from tui.client.resource import ResourceClient


class PaperFormsClient(ResourceClient):
    """Forms with numbers of their own."""

    async def all(self, status: NumberStatus | None = None) -> list[PaperFormOut]:
        """Return the forms, those printed last first; of one state where it is given."""
        wanted = {"status": status.value} if status is not None else {}
        return await self._connection.many(PaperFormOut, "paper-forms", **wanted)

    async def make(self, cluster: str, count: int) -> PaperFormsMade:
        """Reserve numbers of a cluster for forms that are printed now, and return what to print."""
        body = {"cluster": cluster, "count": count}
        return await self._connection.one(PaperFormsMade, "POST", "paper-forms", body)

    async def end(self, number: str, outcome: NumberStatus, reason: str) -> PaperFormOut:
        """End a form that nobody will use.

        Args:
            number: As printed.
            outcome: `returned` or `voided`.
            reason: In words.
        """
        body = {"outcome": outcome.value, "reason": reason}
        return await self._connection.one(PaperFormOut, "POST", f"paper-forms/{number}/end", body)
