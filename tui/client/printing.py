"""The clinic's printer."""

from __future__ import annotations

from core.printing.documents import PrintDocument
from tui.client.resource import ResourceClient


class PrintingClient(ResourceClient):
    """Print jobs."""

    async def print_document(self, document: PrintDocument) -> None:
        """Print a document on the clinic's printer."""
        body = document.model_dump(mode="json", exclude_defaults=True)
        await self._connection.send("POST", "print-jobs", body)
