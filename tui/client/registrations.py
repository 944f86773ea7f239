"""Registrations, and the routing of complaints that comes before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from core.foundation.backoff import Backoff
from core.schemas.patients import BookingOut
from core.schemas.queues import EntryOut
from core.schemas.registration import CheckOut, Receipt, RoutingOut
from tui.client.errors import UnreachableError
from tui.client.resource import ResourceClient

RETRIES = Backoff(first=0.5, longest=8.0, jitter=(0.7, 1.3))
SILENT_SECONDS = 3.0
"""Without an answer to a save, after which whoever waits is told; a clinic's server answers in milliseconds."""


class RegistrationsClient(ResourceClient):
    """Registrations."""

    async def routing(self, facts: Mapping[str, Any]) -> RoutingOut:
        """Return the rules' answer to a complaint and, when one is chosen, to its cluster."""
        return await self._connection.one(RoutingOut, "POST", "routing", dict(facts))

    async def check(self, person: Mapping[str, Any] | None, visit: Mapping[str, Any] | None) -> CheckOut:
        """Find possible duplicates of a person and the rules' answer to a visit; None leaves one out."""
        body: dict[str, dict[str, Any]] = {}
        if person:
            body["person"] = dict(person)
        if visit:
            body["visit"] = dict(visit)
        return await self._connection.one(CheckOut, "POST", "registrations/check", body)

    async def register(
        self, registration: Mapping[str, Any], waiting: Callable[[int], None] | None = None
    ) -> Receipt:
        """Save a registration; the same id is sent again until there is an answer.

        Args:
            registration: As `core.schemas.registration.RegistrationRequest`; its `id` makes repeating safe.
            waiting: Called with the number of tries so far each time there was no answer.

        Returns:
            The receipt: the only proof that the registration is saved.

        Raises:
            RefusedError: The core answered with a problem.
        """
        tries = 0

        def tell() -> None:
            if waiting is not None:
                waiting(tries + 1)

        while True:
            try:
                return await self._answered(registration, tell)
            except (UnreachableError, ValidationError):
                # ValidationError: the answer was cut short. The registration may be saved already; asking
                # again brings its receipt.
                tell()
                tries += 1
            await asyncio.sleep(RETRIES.seconds(tries))

    async def _answered(self, registration: Mapping[str, Any], tell: Callable[[], None]) -> Receipt:
        """Send a registration once; tell whoever waits when the line stays silent, and go on waiting."""
        asking = self._connection.one(Receipt, "POST", "registrations", dict(registration))
        saving = asyncio.ensure_future(asking)
        try:
            await asyncio.wait({saving}, timeout=SILENT_SECONDS)
            if not saving.done():
                tell()
            return await saving
        finally:
            saving.cancel()

    async def receipt(self, registration_id: str) -> Receipt:
        """Return the receipt of an earlier registration."""
        return await self._connection.one(Receipt, "GET", f"registrations/{registration_id}")

    async def undo(self, registration_id: str) -> EntryOut:
        """Undo a registration while the patient is still at the counter."""
        return await self._connection.one(EntryOut, "POST", f"registrations/{registration_id}/undo")

    async def booked(self) -> list[BookingOut]:
        """List the numbers that wait for today, from home and from the rooms, those still awaited first."""
        return await self._connection.many(BookingOut, "appointments")

    async def missed(self) -> list[BookingOut]:
        """List the return dates of late at which nobody came."""
        return await self._connection.many(BookingOut, "appointments/missed")
