"""Checks of a half-filled form by the core, asked once for the same facts."""

from __future__ import annotations

from typing import Any

from core.schemas.patients import DuplicateResult, NikDoubt
from core.schemas.registration import CheckOut, RoutingOut
from tui.client.core_client import CoreClient

Facts = dict[str, Any]


class Checks:
    """The possible duplicates of the person in a form, and the cluster that the rules propose.

    A request costs half a kilobyte on a thin line, so the same facts are never sent twice. The core
    repeats both checks when it saves.

    Attributes:
        duplicates: The last answer about the person; None while too little is known of them.
        nik: What speaks against the NIK being this person's own; None when nothing does.
        routing: The last answer about the visit; None without a complaint.
    """

    def __init__(self, client: CoreClient) -> None:
        self._client = client
        self.forget()

    def forget(self) -> None:
        """Forget the answers: the form is about another person, or in another language."""
        self.duplicates: DuplicateResult | None = None
        self.nik: NikDoubt | None = None
        self.routing: RoutingOut | None = None
        self._person: Facts | None = None
        self._visit: Facts | None = None

    async def ask(self, person: Facts | None, visit: Facts | None) -> bool:
        """Ask for the answers that these facts have not had yet, in one request.

        Args:
            person: Body of `POST patients/duplicates`; None: too little to compare.
            visit: Body of `POST routing`; None: no complaint yet.

        Returns:
            Whether the facts have changed, and with them the answers.

        Raises:
            RefusedError: The core refuses the facts; the answers stay as they were.
            UnreachableError: The core does not answer; the answers stay as they were.
        """
        asks_person, asks_visit = person != self._person, visit != self._visit
        if not asks_person and not asks_visit:
            return False
        found = await self._answer(person if asks_person else None, visit if asks_visit else None)
        if asks_person:
            self._person, self.duplicates, self.nik = person, found.duplicates, found.nik
        if asks_visit:
            self._visit, self.routing = visit, found.routing
        return True

    async def _answer(self, person: Facts | None, visit: Facts | None) -> CheckOut:
        """Return the core's answer, without asking when there is nothing to ask about."""
        if not person and not visit:
            return CheckOut(duplicates=None, routing=None)
        return await self._client.registrations.check(person, visit)
