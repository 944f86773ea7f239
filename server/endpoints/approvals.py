"""Requests and deeds of one person that the supervisor approves."""

from __future__ import annotations

from collections.abc import Callable

from core.foundation import approvals
from core.foundation.clinic import Clinic
from core.foundation.codes import ApprovalKind, Permission
from core.foundation.database import connection
from core.foundation.permissions import Actor
from core.models import Approval
from core.records import releases
from core.schemas.oversight import ApprovalOut
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("approvals", "/approvals")


def _approve(clinic: Clinic, actor: Actor, asked: Approval) -> None:
    """Approve what nothing but the approval itself follows from."""
    approvals.decide(actor, asked, approved=True)


APPROVERS: dict[ApprovalKind, Callable[[Clinic, Actor, Approval], None]] = {
    ApprovalKind.RELEASE: releases.grant,
    ApprovalKind.EXPORT: _approve,
    ApprovalKind.RESTORE: _approve,
    ApprovalKind.TAMPERING: _approve,
}
"""Kind -> the core's function that approves it, with what follows from it."""


@router.get("")
def list_approvals(actor: ActorNow) -> list[ApprovalOut]:
    """Return the requests, newest first; one's own, unless one approves."""
    return approvals.listed(actor)


@router.post("/{approval_id}/approve")
def approve(approval_id: str, actor: ActorNow, clinic: ClinicNow) -> ApprovalOut:
    """Approve what another person asked for."""
    actor.require(Permission.APPROVE)
    with connection():
        asked = approvals.find(approval_id)
        APPROVERS[ApprovalKind(asked.kind)](clinic, actor, asked)
        return approvals.out(approvals.find(approval_id))


@router.post("/{approval_id}/refuse")
def refuse(approval_id: str, actor: ActorNow) -> ApprovalOut:
    """Refuse what another person asked for."""
    actor.require(Permission.APPROVE)
    with connection():
        asked = approvals.find(approval_id)
        approvals.decide(actor, asked, approved=False)
        return approvals.out(approvals.find(approval_id))
