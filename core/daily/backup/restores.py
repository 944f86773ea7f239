"""Restores that were done: each is put on the list of the head of the clinic, who approves it afterwards."""

from __future__ import annotations

from core.accounts.service import system_actor
from core.foundation import approvals
from core.foundation.audit_chain import RESTORED
from core.foundation.codes import ApprovalKind
from core.foundation.database import transaction
from core.models import Approval, AuditEvent


def put_on_list() -> None:
    """Ask for the approval of each restore that the audit log tells and nobody was asked about.

    To be called by the server's start: a restored database may be an older version's until then. Restores of before
    there were reasons are left out.
    """
    with transaction():
        asked = {
            row.detail.get("row") for row in Approval.select().where(Approval.kind == ApprovalKind.RESTORE)
        }
        # Rows about the log itself have no target, which is indexed; what was done is not.
        done = AuditEvent.select().where(AuditEvent.target == "", AuditEvent.action == RESTORED)
        for event in done.order_by(AuditEvent.sequence):
            if event.sequence in asked or not event.detail.get("reason"):
                continue
            facts = {"row": event.sequence, "by": event.detail.get("by", "")}
            target = str(event.detail.get("backup", ""))[:80]
            approvals.ask(
                system_actor(facts["by"]), ApprovalKind.RESTORE, target, event.detail["reason"], **facts
            )
