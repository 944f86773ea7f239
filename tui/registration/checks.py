"""What the core says of a form as it stands, asked once for the same facts."""

from __future__ import annotations

from typing import Any

from core.schemas.patients import DuplicateResult
from core.schemas.registration import RoutingShape
from tui.client import CoreClient

Facts = dict[str, Any]


class Checks:
    """Who may be the same person, and which cluster the rules propose.

    Each request costs a thin line half a kilobyte; so what was answered for the same facts is not asked again.
    The core checks both once more when it saves.

    Attributes:
        duplicates: The last answer about the person; None while too little is known of them.
        routing: The last answer about the visit; None without a complaint.
    """

    def __init__(self, client: CoreClient) -> None:
        self._client = client
        self.forget()

    def forget(self) -> None:
        """Ask everything anew: it is about somebody else, or in another language."""
        self.duplicates: DuplicateResult | None = None
        self.routing: RoutingShape | None = None
        self._person: Facts | None = None
        self._visit: Facts | None = None

    async def ask(self, person: Facts | None, visit: Facts | None) -> bool:
        """Ask what is not known for these facts, in one request.

        Args:
            person: As `POST patients/duplicates`; None: too little to compare.
            visit: As `POST routing`; None: no complaint yet.

        Returns:
            Whether an answer is another than before.

        Raises:
            Refused, UnreachableError: As the client; then nothing has changed.
        """
        asks_person, asks_visit = person != self._person, visit != self._visit
        if not asks_person and not asks_visit:
            return False
        if (asks_person and person) or (asks_visit and visit):
            found = await self._client.check(person if asks_person else None, visit if asks_visit else None)
            duplicates, routing = found.duplicates, found.routing
        else:
            duplicates, routing = None, None
        if asks_person:
            self._person, self.duplicates = person, duplicates
        if asks_visit:
            self._visit, self.routing = visit, routing
        return True
