"""The audit logs, and what the supervisor watches over."""

from __future__ import annotations

from core.schemas.oversight import ApprovalOut, AuditLineOut, DangerOut, DangerPageOut
from tui.client.resource import ResourceClient


class OversightClient(ResourceClient):
    """Rows of the audit logs, requests that wait for an approval, and signatures under danger signs."""

    async def audit(
        self,
        *,
        patient_id: str = "",
        account: str = "",
        action: str = "",
        since: str = "",
        until: str = "",
        watched: bool = False,
        limit: int = 200,
    ) -> list[AuditLineOut]:
        """List rows of the audit logs, newest first; what is empty does not narrow.

        Args:
            patient_id: About this patient.
            account: Of the account with this user name.
            action: Of this action.
            since: ISO instant of the oldest row.
            until: ISO instant after the newest row.
            watched: Only what the supervisor looks at each day.
            limit: Most rows.
        """
        wanted = {
            "patient_id": patient_id, "account": account, "action": action, "since": since, "until": until,
            "watched": watched,
        }  # fmt: skip
        given = {name: value for name, value in wanted.items() if value}
        return await self._connection.many(AuditLineOut, "audit", limit=limit, **given)

    async def approvals(self) -> list[ApprovalOut]:
        """List the requests, newest first; one's own, unless one approves."""
        return await self._connection.many(ApprovalOut, "approvals")

    async def approve(self, approval_id: str) -> ApprovalOut:
        """Approve what another person asked for."""
        return await self._connection.one(ApprovalOut, "POST", f"approvals/{approval_id}/approve")

    async def refuse(self, approval_id: str) -> ApprovalOut:
        """Refuse what another person asked for."""
        return await self._connection.one(ApprovalOut, "POST", f"approvals/{approval_id}/refuse")

    async def dangers(self) -> list[DangerOut]:
        """List the danger signs, those without a valid signature first."""
        return await self._connection.many(DangerOut, "dangers")

    async def danger(self, code: str) -> DangerPageOut:
        """Return a danger sign's page."""
        return await self._connection.one(DangerPageOut, "GET", f"dangers/{code}")

    async def sign_danger(self, code: str, digest: str) -> DangerPageOut:
        """Sign the page that was read."""
        body = {"digest": digest}
        return await self._connection.one(DangerPageOut, "POST", f"dangers/{code}/signature", body)

    async def take_signature_back(self, code: str, reason: str) -> DangerPageOut:
        """Take the signature under a danger sign back."""
        path, body = f"dangers/{code}/signature/take-back", {"reason": reason}
        return await self._connection.one(DangerPageOut, "POST", path, body)
