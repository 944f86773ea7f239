"""Visits with their notes, letters and forms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.records.forms import FormDefinition, LetterKind
from core.schemas.oversight import ApprovalOut
from core.schemas.record import (
    NO_REASON,
    BreastfeedingFields,
    EncounterOut,
    GlassBroken,
    LetterOut,
    ReleaseOut,
    ReturnDateOut,
    StatedReason,
    VisitOut,
)
from tui.client.resource import ResourceClient, stated


class VisitsClient(ResourceClient):
    """Visits."""

    async def get(self, visit_id: str, reason: StatedReason = NO_REASON) -> VisitOut:
        """Return a visit with its record; a reason opens one outside one's own queue."""
        return await self._connection.one(VisitOut, "GET", f"visits/{visit_id}", **stated(reason))

    async def write_encounter(self, visit_id: str, fields: Mapping[str, Any]) -> EncounterOut:
        """Write or correct the SOAP note of one's own cluster."""
        return await self._connection.one(EncounterOut, "PUT", f"visits/{visit_id}/encounter", dict(fields))

    async def state_breastfeeding(self, visit_id: str, breastfeeding: bool | None) -> BreastfeedingFields:
        """Record whether the patient breast-feeds; None takes an answer back."""
        path = f"visits/{visit_id}/breastfeeding"
        body = {"breastfeeding": breastfeeding}
        return await self._connection.one(BreastfeedingFields, "PUT", path, body)

    async def add_addendum(self, visit_id: str, text: str, reason: StatedReason = NO_REASON) -> EncounterOut:
        """Add an addendum to a record, locked or not.

        Args:
            visit_id: The visit.
            text: The note.
            reason: Why, outside one's own queue.
        """
        body = {"text": text, **stated(reason)}
        return await self._connection.one(EncounterOut, "POST", f"visits/{visit_id}/addenda", body)

    async def release(self, visit_id: str, reason: str, hours: int = 24) -> ReleaseOut:
        """Let a locked record be corrected for some hours.

        Args:
            visit_id: The visit.
            reason: Why, in words.
            hours: How long, 1 to 72.
        """
        body = {"reason": reason, "hours": hours}
        return await self._connection.one(ReleaseOut, "POST", f"visits/{visit_id}/release", body)

    async def ask_release(self, visit_id: str, reason: str, cluster: str | None = None) -> ApprovalOut:
        """Ask for leave to correct one's own contact after its time.

        Args:
            visit_id: The visit.
            reason: Why, in words.
            cluster: The contact; the newest one of one's own unless given.
        """
        body = {"reason": reason, "cluster": cluster}
        return await self._connection.one(ApprovalOut, "POST", f"visits/{visit_id}/release-requests", body)

    async def releases(self, visit_id: str, reason: StatedReason = NO_REASON) -> list[ReleaseOut]:
        """List who released this record, newest first; a reason opens one outside one's own queue."""
        return await self._connection.many(ReleaseOut, f"visits/{visit_id}/releases", **stated(reason))

    async def broken_glass(self, day: date) -> list[GlassBroken]:
        """List the records that were opened outside their readers' own queues on a day."""
        return await self._connection.many(GlassBroken, "break-glass", date=day.isoformat())

    async def forms(self) -> list[FormDefinition]:
        """List the specialised forms."""
        return await self._connection.many(FormDefinition, "forms")

    async def letter_kinds(self) -> list[LetterKind]:
        """List the kinds of letters that can be issued."""
        return await self._connection.many(LetterKind, "letters")

    async def give_return_date(
        self, visit_id: str, on: date | None, reason: StatedReason = NO_REASON
    ) -> ReturnDateOut | None:
        """Give, change or take back the return date of a visit.

        Args:
            visit_id: The visit.
            on: The day; None takes it back.
            reason: Why, outside one's own queue.
        """
        body = {"on": on.isoformat() if on else None, **stated(reason)}
        answer = await self._connection.send("PUT", f"visits/{visit_id}/return-date", body)
        return None if answer.content == b"null" else ReturnDateOut.model_validate_json(answer.content)

    async def issue_letter(
        self,
        visit_id: str,
        kind: str,
        answers: Mapping[str, Any],
        reason: StatedReason = NO_REASON,
        confirmed: Mapping[str, Any] | None = None,
    ) -> LetterOut:
        """Issue a certificate or a referral.

        Args:
            visit_id: The visit.
            kind: Code of the kind of letter.
            answers: Answers to the questions of that kind.
            reason: Why, outside one's own queue.
            confirmed: Answers to what was asked about it: an allergy, a death.

        Returns:
            The stored letter.
        """
        body = {"kind": kind, "answers": dict(answers), **stated(reason), **(confirmed or {})}
        return await self._connection.one(LetterOut, "POST", f"visits/{visit_id}/letters", body)
