"""A counter's own machine: how it stands with the core, and the core's questions to those at it."""

from __future__ import annotations

from core.schemas.counters import CounterOut, CounterStanding, FlaggedDelivery, QuestionOut
from tui.client.resource import ResourceClient


class CountersClient(ResourceClient):
    """Calls that a counter's own machine answers itself, and what the core knows of the machines."""

    async def standing(self) -> CounterStanding:
        """Return how the machine stands with the core."""
        return await self._connection.one(CounterStanding, "GET", "counter")

    async def machines(self) -> list[CounterOut]:
        """Return the machines of all counters, for the head of the clinic and the admin."""
        return await self._connection.many(CounterOut, "counters")

    async def flagged(self) -> list[FlaggedDelivery]:
        """List the deliveries that the head of the clinic has not looked at yet."""
        return await self._connection.many(FlaggedDelivery, "counters/flagged")

    async def look_at(self, delivery_id: str) -> None:
        """Note that a flagged delivery was looked at."""
        await self._connection.send("POST", f"counters/flagged/{delivery_id}/seen")

    async def questions(self) -> list[QuestionOut]:
        """Return the registrations that the core could not take as they were, the oldest first."""
        return await self._connection.many(QuestionOut, "counter/questions")

    async def settle(self, question: str, number: str, reason: str) -> None:
        """Note that a question was answered; a number that was not used is voided.

        Args:
            question: Id of the registration.
            number: The number that was given out for it.
            reason: Why it may not have been used.
        """
        body = {"number": number, "reason": reason}
        await self._connection.send("POST", "counters/dropped", body)
        await self._connection.send("POST", "counter/settled", {"id": question})
