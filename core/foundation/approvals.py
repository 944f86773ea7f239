"""Four eyes: one person asks for something, or has done it, and the supervisor approves; never the same person.

What an approval leads to belongs to the domain that asked: `core.records.releases` opens a record,
`core.daily.reports.exports` lets a file be taken; a restore (`core.daily.backup.restores`) is looked at afterwards;
breaks of the audit log are vouched for (`core.foundation.audit_vouches`).
Rights have requests of their own (`core.accounts.rights`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.foundation import audit, clock, four_eyes
from core.foundation.codes import ApprovalKind, Permission, RightsOutcome
from core.foundation.database import connection, transaction
from core.foundation.errors import ConflictError, NotFoundError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Approval, Patient, Visit
from core.schemas.oversight import ApprovalOut, AuditPerson

NEWEST = 200  # requests that are listed


def ask(actor: Actor, kind: ApprovalKind, target: str, reason: str, **detail: Any) -> Approval:
    """Ask for an approval; in the caller's transaction or one of its own.

    Args:
        actor: Who asks.
        kind: What for.
        target: The visit, the report with its day, or the backup.
        reason: Why, in words.
        **detail: JSON-safe facts of the kind; nothing clinical.

    Raises:
        ConflictError: `already_requested`: the same waits for a decision.
    """
    with transaction():
        waiting = Approval.select().where(
            Approval.kind == kind, Approval.target == target, Approval.outcome.is_null()
        )
        if any(row.detail == detail for row in waiting):
            raise ConflictError("already_requested")
        row: Approval = Approval.create(
            id=new_id(),
            kind=kind,
            target=target,
            reason=reason,
            detail=detail,
            requested_at=clock.now(),
            requested_by=actor.account_id,
        )
        _record(actor, "approval_requested", row)
        return row


def find(approval_id: str) -> Approval:
    """Return a request.

    Raises:
        NotFoundError: There is no such request.
    """
    row: Approval | None = Approval.get_or_none(Approval.id == approval_id)
    if row is None:
        raise NotFoundError("approval", approval_id)
    return row


def decide(actor: Actor, row: Approval, *, approved: bool) -> None:
    """Approve or refuse a request; in the transaction of what follows from it.

    Args:
        actor: The supervisor, another person than the one who asked.
        row: The request.
        approved: Whether it is approved.

    Raises:
        NotAllowedError: The role does not approve; as `four_eyes.require_another_person`.
        ConflictError: It was decided already.
    """
    actor.require(Permission.APPROVE)
    four_eyes.require_another_person(actor, row.requested_by_id)
    with transaction():
        outcome = RightsOutcome.APPROVED if approved else RightsOutcome.REFUSED
        audit.about_to_change("approval", row.id)
        decided = (
            Approval.update(outcome=outcome, decided_at=clock.now(), decided_by=actor.account_id)
            .where(Approval.id == row.id, Approval.outcome.is_null())
            .execute()
        )
        if not decided:
            now = find(row.id)
            raise ConflictError(
                status=now.outcome or "", changed_by=now.decided_by.name if now.decided_by else ""
            )
        _record(actor, f"approval_{outcome}", row)


def _record(actor: Actor, action: str, row: Approval) -> None:
    facts = {"approval": row.kind, "reason": row.reason, **row.detail}
    audit.record(actor, action, "approval", row.id, _patient_of(row), **facts)


def _patient_of(row: Approval) -> str | None:
    """Return whose record a request is about."""
    if row.kind != ApprovalKind.RELEASE:
        return None
    found: str | None = Visit.select(Visit.patient).where(Visit.id == row.target).scalar()
    return found


def granted(actor: Actor, kind: ApprovalKind, target: str, since: datetime) -> list[Approval]:
    """Return the approvals that the actor was given for a target, decided after an instant.

    Args:
        actor: Who asked.
        kind: What for.
        target: As it was asked for.
        since: The instant.
    """
    return list(
        Approval.select().where(
            Approval.kind == kind,
            Approval.target == target,
            Approval.requested_by == actor.account_id,
            Approval.outcome == RightsOutcome.APPROVED,
            Approval.decided_at >= since,
        )
    )


def listed(actor: Actor) -> list[ApprovalOut]:
    """Return the requests, the newest first: everybody's for who approves, otherwise one's own.

    Raises:
        NotAllowedError: The role reads no audit log and writes no records.
    """
    own_only = not actor.can(Permission.APPROVE)
    if own_only and not actor.can(Permission.WRITE_RECORDS):
        actor.require(Permission.READ_REPORTS)
    with connection():
        rows = Approval.select().order_by(Approval.requested_at.desc()).limit(NEWEST)
        if own_only:
            rows = rows.where(Approval.requested_by == actor.account_id)
        return [out(row) for row in rows]


def out(row: Approval) -> ApprovalOut:
    """Return a request as it is sent."""
    patient_id = _patient_of(row)
    patient = Patient.get_or_none(Patient.id == patient_id) if patient_id else None
    person = None
    if patient is not None:
        person = AuditPerson(
            id=patient.id, name=patient.name, medical_record_number=patient.medical_record_number
        )
    return ApprovalOut(
        id=row.id,
        kind=ApprovalKind(row.kind),
        target=row.target,
        reason=row.reason,
        detail=row.detail,
        patient_id=patient_id,
        person=person,
        requested_at=row.requested_at,
        requested_by=row.requested_by.username,
        decided_at=row.decided_at,
        decided_by=row.decided_by.username if row.decided_by else None,
        outcome=RightsOutcome(row.outcome) if row.outcome else None,
    )
