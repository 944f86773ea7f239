"""Shapes for those who watch over the clinic: the audit logs, requests that wait, and signatures of danger signs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from core.foundation.codes import ApprovalKind, RightsOutcome, SignatureState
from core.schemas.base import Because, Schema


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


class DangerOut(Schema):
    """A danger sign of the complaint rules, and who has signed it."""

    code: str
    rules: int
    """Rules that raise it."""
    digest: str
    """SHA-256 of its page: source, examples, rules and words."""
    state: SignatureState
    signed_at: datetime | None = None
    """Of the newest signature, also where the page has changed since."""
    signed_by: str = ""


class DangerItem(Schema):
    """One line of a danger sign's page."""

    kind: str
    """`source`, `danger`, `none`, `rule`, `sign` or `word`."""
    text: str


class DangerPageOut(DangerOut):
    """The page that is signed."""

    items: list[DangerItem] = []
    added: list[DangerItem] = []
    """Lines that were not there when it was signed; empty unless the state is `changed`."""
    removed: list[DangerItem] = []


class DangerSignFields(Schema):
    """`POST dangers/{code}/signature`."""

    digest: Annotated[str, Field(min_length=64, max_length=64)]
    """Of the page that was read."""


class DangerTakeBackFields(Schema):
    """`POST dangers/{code}/signature/take-back`."""

    reason: Because
