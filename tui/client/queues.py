"""Clusters, their queues and the entries of these."""

from __future__ import annotations

from collections.abc import Sequence

from core.foundation.codes import DayEndAnswer
from core.schemas.queues import (
    BoardOut,
    ClusterOut,
    DayEndOut,
    EntryCommand,
    EntryOut,
    QueueOut,
    WaitingRoomOut,
)
from tui.client.resource import ResourceClient

NO_CONTENT = 204  # nobody waits


class QueuesClient(ResourceClient):
    """Queues."""

    async def clusters(self) -> list[ClusterOut]:
        """List all clusters with the count of people who wait and the number called last."""
        return await self._connection.many(ClusterOut, "clusters")

    async def waiting_room(self) -> WaitingRoomOut:
        """Return the numbers that are called or served now."""
        return await self._connection.one(WaitingRoomOut, "GET", "waiting-room")

    async def board(self) -> BoardOut:
        """Return all clusters at once, for their supervisor."""
        return await self._connection.one(BoardOut, "GET", "board")

    async def get(self, cluster: str, seen_by: Sequence[str] = ()) -> QueueOut:
        """Return the open entries of one cluster.

        Args:
            cluster: Its code.
            seen_by: Accounts on whose screens they go, when a door reads for many.
        """
        named = f"&seen_by={','.join(seen_by)}" if seen_by else ""
        return await self._connection.one(QueueOut, "GET", f"queues/{cluster}?open=true{named}")

    async def day_end(self, cluster: str) -> DayEndOut:
        """Return who is still there at a cluster's closing hour, and whom the closing ended."""
        return await self._connection.one(DayEndOut, "GET", f"queues/{cluster}/day-end")

    async def answer_day_end(self, cluster: str, said: DayEndAnswer) -> DayEndOut:
        """Answer for a cluster whether its people go on."""
        body = {"answer": said.value}
        return await self._connection.one(DayEndOut, "POST", f"queues/{cluster}/day-end", body)

    async def entry(self, entry_id: str) -> EntryOut:
        """Return one entry, ended or not."""
        return await self._connection.one(EntryOut, "GET", f"queue-entries/{entry_id}")

    async def call_next(
        self, cluster: str, service_point: str = "", *, deceased_confirmed: bool = False
    ) -> EntryOut | None:
        """Call the first person in a queue; None when nobody waits.

        Args:
            cluster: Code of the cluster.
            service_point: The room to call to.
            deceased_confirmed: Whether it was asked about, for a patient who is recorded as dead.
        """
        path = f"queues/{cluster}/call-next"
        body = {"service_point": service_point, "deceased_confirmed": deceased_confirmed}
        response = await self._connection.send("POST", path, body)
        return None if response.status_code == NO_CONTENT else EntryOut.model_validate_json(response.content)

    async def act(self, entry_id: str, action: str, command: EntryCommand) -> EntryOut:
        """Carry out one action on one entry.

        Args:
            entry_id: The entry.
            action: Name of the action, as in the path.
            command: Details of the action.

        Returns:
            The entry afterwards; the new entry when the action moves the patient.
        """
        body = command.model_dump(mode="json", exclude_defaults=True)
        return await self._connection.one(EntryOut, "POST", f"queue-entries/{entry_id}/{action}", body)
