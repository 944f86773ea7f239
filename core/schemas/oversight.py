"""Shapes for those who watch over the clinic: rows of the audit logs, and requests that wait for an approval."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.foundation.codes import ApprovalKind, RightsOutcome
from core.schemas.base import Schema


class AuditPerson(Schema):
    """A patient whom a row is about."""

    id: str
    name: str
    medical_record_number: str


class AuditLineOut(Schema):
    """One row of either audit log."""

    log: str
    """`changes` or `reads`."""
    sequence: int
    at: datetime
    account: str | None
    """User name; None for the system, and for whom nobody was signed in."""
    account_name: str
    origin: str
    action: str
    kind: str
    target: str
    patient_id: str | None
    detail: dict[str, Any]
    patients: list[str] = []
    """Ids of the patients who were shown."""
    people: list[AuditPerson] = []
    """The same and the row's own patient, by name; those that are no longer there are left out."""


class ApprovalOut(Schema):
    """Something that one person asks for, or has done, and another approves."""

    id: str
    kind: ApprovalKind
    target: str
    """Id of the visit, the report with its day, or when the backup was made."""
    reason: str
    detail: dict[str, Any] = {}
    patient_id: str | None = None
    person: AuditPerson | None = None
    """Whose record is to be corrected."""
    requested_at: datetime
    requested_by: str
    """User name."""
    decided_at: datetime | None = None
    decided_by: str | None = None
    outcome: RightsOutcome | None = None
    """Empty while it waits."""
