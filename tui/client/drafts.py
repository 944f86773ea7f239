"""Half-typed forms, kept by the server for the person who types them, or on this machine while it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.schemas.registration import DraftOut
from tui.client.errors import KeptHereError, RefusedError, UnreachableError
from tui.client.kept_drafts import KeptDrafts
from tui.client.resource import ResourceClient

SILENT_SECONDS = 3.0
"""Without an answer, after which a form is on this machine's disk as well."""


class DraftsClient(ResourceClient):
    """One's own drafts."""

    async def get(self, key: str) -> DraftOut | None:
        """Return one draft, None when there is none."""
        here = self._kept.get(key) if self._kept is not None else None
        try:
            there = await self._connection.one(DraftOut, "GET", f"drafts/{key}")
        except RefusedError as refusal:
            if refusal.code == "not_found":
                return here
            raise
        return _newer(there, here)

    async def all(self, kind: str) -> list[DraftOut]:
        """Return the drafts of one kind of form, the newest first; those on this machine's disk among them.

        While the core does not answer, those alone.

        Raises:
            UnreachableError: The core does not answer, and none is here.
        """
        here = self.kept_here(kind)
        try:
            there = await self._connection.many(DraftOut, "drafts", kind=kind)
        except UnreachableError:
            if not here:
                raise
            there = []
        found = {draft.key: draft for draft in there}
        for draft in here:
            found[draft.key] = _newer(draft, found.get(draft.key))
        return sorted(found.values(), key=_saved_at, reverse=True)

    def kept_here(self, kind: str) -> list[DraftOut]:
        """Return the drafts of one kind of form that lie on this machine's disk, the newest first."""
        return self._kept.all(kind) if self._kept is not None else []

    async def save(self, key: str, data: Mapping[str, Any]) -> None:
        """Keep a draft.

        Args:
            key: Key of the draft.
            data: The form.

        Raises:
            KeptHereError: The core does not answer; the form lies on this machine's disk.
        """
        asking = self._connection.send("PUT", f"drafts/{key}", {"data": dict(data)})
        saving = asyncio.ensure_future(asking)
        try:
            await asyncio.wait({saving}, timeout=SILENT_SECONDS)
            if not saving.done():
                await self._keep_here(key, data)
            await saving
        except UnreachableError as error:
            if await self._keep_here(key, data):
                raise KeptHereError(str(error)) from error
            raise
        finally:
            saving.cancel()
        if self._kept is not None:
            self._kept.drop(key)

    async def _keep_here(self, key: str, data: Mapping[str, Any]) -> bool:
        return self._kept is not None and await asyncio.to_thread(self._kept.save, key, data)

    async def drop(self, key: str) -> None:
        """Delete a draft."""
        if self._kept is not None:
            self._kept.drop(key)
        await self._connection.send("DELETE", f"drafts/{key}")

    @property
    def _kept(self) -> KeptDrafts | None:
        return self._connection.kept_drafts


def _newer(one: DraftOut, other: DraftOut | None) -> DraftOut:
    return one if other is None or _saved_at(one) >= _saved_at(other) else other


def _saved_at(draft: DraftOut) -> datetime:
    return draft.saved_at or datetime.min.replace(tzinfo=UTC)
