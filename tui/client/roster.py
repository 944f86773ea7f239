"""The roster: closed days, and who works when."""

from __future__ import annotations

from core.schemas.roster import RosterChange, RosterOut
from tui.client.resource import ResourceClient


class RosterClient(ResourceClient):
    """The roster, as the admin sees and changes it."""

    async def roster(self) -> RosterOut:
        """Return the roster that holds now."""
        return await self._connection.one(RosterOut, "GET", "roster")

    async def change_roster(self, wanted: RosterChange) -> RosterOut:
        """Save the whole roster."""
        return await self._connection.one(RosterOut, "PUT", "roster", wanted.model_dump(mode="json"))
