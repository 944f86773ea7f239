"""Strikes out entries made in error, and revokes orders that are still open.

Everything here runs in the caller's transaction.
"""

from __future__ import annotations

from typing import Any

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus
from core.foundation.errors import ConflictError, NotFoundError, ValidationError
from core.foundation.permissions import Actor
from core.models import Diagnosis, Immunisation, Order, Prescription, Procedure, Table, Visit
from core.records.access import Purpose, find_visit, open_contact, require_right

REASON_LENGTH = 200  # characters that are kept
_NAMES: dict[type[Table], str] = {
    Diagnosis: "diagnosis",
    Immunisation: "immunisation",
    Order: "order",
    Prescription: "prescription",
    Procedure: "procedure",
}
"""Names in errors, in the audit log and in the feed."""


def void(
    clinic: Clinic,
    actor: Actor,
    table: type[Diagnosis] | type[Immunisation] | type[Procedure],
    visit_id: str,
    row_id: str,
    reason: str,
) -> Visit:
    """Strike a row of a visit's record out; it stays in the history.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: Actor of the correction.
        table: The table of the row.
        visit_id: The visit.
        row_id: The row.
        reason: In words; at most `REASON_LENGTH` characters are kept.

    Returns:
        The visit.

    Raises:
        NotAllowedError: The role may not write records, or it was recorded in another's cluster.
        ValidationError: `reason` is missing.
        NotFoundError: Not a row of this visit, or struck out already.
        RuleError: `record_locked`.
    """
    require_right(actor, Purpose.STRIKE)
    kept = kept_reason(reason)
    name = _NAMES[table]
    visit = find_visit(visit_id)
    row: Any = table.get_or_none(table.id == row_id, table.visit == visit, table.voided_at.is_null())
    if row is None:
        raise NotFoundError(name, row_id)
    open_contact(clinic, actor, visit, Purpose.STRIKE, contact=row.encounter)
    audit.about_to_change(name, row_id)
    table.update(voided_at=clock.now(), voided_by=actor.account_id, void_reason=kept).where(
        table.id == row_id
    ).execute()
    outbox.enqueue("visit", visit.id)
    audit.record(actor, f"{name}_voided", name, row_id, visit.patient_id, reason=reason)
    feed.append("encounter", visit_id=visit.id)
    return visit


def revoke(
    clinic: Clinic, actor: Actor, table: type[Order] | type[Prescription], row_id: str, reason: str
) -> None:
    """Revoke an order or a prescription that has not been carried out.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: Actor who revokes.
        table: The table of the row.
        row_id: The row.
        reason: In words; at most `REASON_LENGTH` characters are kept.

    Raises:
        NotAllowedError: The role may not write records, or it was recorded in another's cluster.
        ValidationError: `reason` is missing.
        NotFoundError: There is no such row.
        ConflictError: It was carried out, or revoked, already.
        RuleError: `record_locked`.
    """
    require_right(actor, Purpose.STRIKE)
    kept = kept_reason(reason)
    name = _NAMES[table]
    row: Any = table.get_or_none(table.id == row_id)
    if row is None:
        raise NotFoundError(name, row_id)
    open_contact(clinic, actor, row.visit, Purpose.STRIKE, contact=row.encounter)
    audit.about_to_change(name, row_id)
    changed = (
        table.update(
            status=OrderStatus.REVOKED,
            revoked_at=clock.now(),
            revoked_by=actor.account_id,
            revoke_reason=kept,
        )
        .where(table.id == row_id, table.status == OrderStatus.ACTIVE)
        .execute()
    )
    if not changed:
        raise ConflictError(status=row.status)
    outbox.enqueue("visit", row.visit_id)
    audit.record(actor, f"{name}_revoked", name, row.id, row.visit.patient_id)
    feed.append(name, visit_id=row.visit_id)


def kept_reason(reason: str) -> str:
    """Return the reason as it is stored.

    Raises:
        ValidationError: `reason` is missing.
    """
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    return reason.strip()[:REASON_LENGTH]
