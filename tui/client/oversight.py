"""The audit logs, and what the supervisor watches over."""

from __future__ import annotations

from core.schemas.oversight import ApprovalOut, AuditLineOut
from tui.client.resource import ResourceClient


class OversightClient(ResourceClient):
    """Rows of the audit logs, and requests that wait for an approval."""

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
