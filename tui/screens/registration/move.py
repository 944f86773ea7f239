"""The confirmation before a patient is moved from the receipt: the same as before the save."""

from __future__ import annotations

from typing import Any

from core.foundation.codes import DoubtAnswer
from core.schemas.queues import EntryCommand
from core.schemas.registration import Receipt, RoutingOut
from tui.registration.form_values import FormValues
from tui.screens.registration.confirm import ConfirmDialog
from tui.session import Session
from tui.text.translation import N_
from tui.ticket import ticket_of


class MoveDialog(ConfirmDialog):
    """Asks, then moves; returns the receipt with the new number, or the same one where the patient stays."""

    TITLE_TEXT = N_("Confirm before moving")

    def __init__(
        self, session: Session, facts: FormValues, receipt: Receipt, chosen: str, routing: RoutingOut
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            facts: The form that was saved.
            receipt: Its receipt.
            chosen: Code of the cluster to move to.
            routing: The rules' answer to it.
        """

        async def ask(cluster: str | None, doubt_answer: DoubtAnswer | None) -> RoutingOut:
            routing = await session.client.registrations.routing(facts.routing(cluster, doubt_answer))
            return _unasked(routing)

        def request(cluster: str, reason: str | None) -> dict[str, Any]:
            return {}  # nothing is registered: `send` moves

        super().__init__(session, facts, chosen, _unasked(routing), ask, request)
        self._receipt = receipt

    async def send(self, cluster: str, reason: str | None) -> Receipt:
        """Move the entry; nothing is done where the patient is in that cluster already."""
        ticket = self._receipt.ticket
        if cluster == ticket.cluster:
            return self._receipt
        # Whoever is recorded as dead was asked about when this receipt was made.
        command = EntryCommand(cluster=cluster, reason=reason or "", deceased_confirmed=True)
        entry = await self.session.client.queues.act(ticket.id, "transfer", command)
        return self._receipt.model_copy(update={"ticket": ticket_of(entry)})


def _unasked(routing: RoutingOut) -> RoutingOut:
    """Return the decision without its doubt: that was asked about at the registration, and is settled."""
    return routing.model_copy(update={"doubt": None})
