"""The machine for the admin: disks, settings, the server's log, and its restart."""

from __future__ import annotations

from core.schemas.machine import LogOut, MachineOut, SettingOut, SettingsOut
from tui.client.resource import ResourceClient


class MachineClient(ResourceClient):
    """Calls by which the admin sees and changes the server."""

    async def state(self) -> MachineOut:
        """Return the disks, and what waits for the server's next start."""
        return await self._connection.one(MachineOut, "GET", "machine")

    async def settings(self) -> SettingsOut:
        """Return every setting."""
        return await self._connection.one(SettingsOut, "GET", "settings")

    async def change_setting(self, name: str, value: str) -> SettingOut:
        """Write one setting; it applies at the next start.

        Args:
            name: Its variable, such as `LOKET_TIMEZONE`.
            value: As it is written in `.env`; empty: the default.
        """
        return await self._connection.one(SettingOut, "PUT", f"settings/{name}", {"value": value})

    async def log(self, level: str, text: str = "") -> LogOut:
        """Return the newest lines of the server's log.

        Args:
            level: The least grave: `INFO`, `WARNING` or `ERROR`.
            text: Letters that a line holds; empty: any.
        """
        return await self._connection.one(LogOut, "GET", "log", level=level, text=text)

    async def restart(self) -> MachineOut:
        """Have the server start again."""
        return await self._connection.one(MachineOut, "POST", "machine/restart")
