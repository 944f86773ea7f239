"""Half-typed forms, kept by the server for the person who types them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.schemas.registration import DraftOut
from tui.client.errors import RefusedError
from tui.client.resource import ResourceClient


class DraftsClient(ResourceClient):
    """One's own drafts."""

    async def get(self, key: str) -> DraftOut | None:
        """Return one draft, None when there is none."""
        try:
            return await self._connection.one(DraftOut, "GET", f"drafts/{key}")
        except RefusedError as refusal:
            if refusal.code == "not_found":
                return None
            raise

    async def all(self, kind: str) -> list[DraftOut]:
        """Return the drafts of one kind of form, the newest first."""
        return await self._connection.many(DraftOut, "drafts", kind=kind)

    async def save(self, key: str, data: Mapping[str, Any]) -> None:
        """Keep a draft."""
        await self._connection.send("PUT", f"drafts/{key}", {"data": dict(data)})

    async def drop(self, key: str) -> None:
        """Delete a draft."""
        await self._connection.send("DELETE", f"drafts/{key}")
