"""Who saw or changed what: append-only, each row bound to the one before by its hash.

Changing or removing a row breaks every hash after it, which `verify` finds. The newest
hash travels to the office with each day's manifest, so that cutting off the end shows too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from core import clock
from core.actors import Actor
from core.database import document_text, instant_text, transaction
from core.models import AuditEvent

GENESIS = "0" * 64


def record(
    actor: Actor | None,
    action: str,
    kind: str,
    target: str,
    patient_id: str | None = None,
    **detail: Any,
) -> None:
    """Append one event, in the caller's transaction or in one of its own.

    Args:
        actor: Who; None for what the system does before anyone exists.
        action: Past tense: `patient_read`, `registered`, `entry_called`.
        kind: What `target` is: `patient`, `visit`, `queue_entry`, `account`.
        target: Its id.
        patient_id: Whose record this concerns.
        **detail: JSON-safe facts: reasons, changed field names, never clinical text.
    """
    record_each(actor, action, kind, [(target, patient_id)], **detail)


def record_each(
    actor: Actor | None, action: str, kind: str, targets: Sequence[tuple[str, str | None]], **detail: Any
) -> None:
    """Append an event for each of several targets, given with whose record it concerns; as `record` else."""
    account_id = actor.account_id if actor else None
    origin = actor.origin if actor else ""
    with transaction():
        last = AuditEvent.select(AuditEvent.hash).order_by(AuditEvent.sequence.desc()).limit(1).scalar()
        previous = last or GENESIS
        at = clock.now()
        events = []
        for target, patient_id in targets:
            event = {
                "at": at,
                "account": account_id,
                "origin": origin,
                "action": action,
                "kind": kind,
                "target": target,
                "patient_id": patient_id,
                "detail": detail,
                "previous_hash": previous,
            }
            previous = _hash(
                previous, instant_text(at), account_id, origin, action, kind, target, patient_id, detail
            )
            events.append({**event, "hash": previous})
        if events:
            AuditEvent.insert_many(events).execute()


def _hash(*parts: Any) -> str:
    return hashlib.sha256(document_text(parts).encode()).hexdigest()


def verify() -> int | None:
    """Walk the chain; returns the sequence of the first event that does not fit, or None."""
    previous = GENESIS
    for event in AuditEvent.select().order_by(AuditEvent.sequence).iterator():
        expected = _hash(
            previous,
            instant_text(event.at),
            event.account_id,
            event.origin,
            event.action,
            event.kind,
            event.target,
            event.patient_id,
            event.detail,
        )
        if event.previous_hash != previous or event.hash != expected:
            return int(event.sequence)
        previous = event.hash
    return None


def newest(limit: int = 100, patient_id: str | None = None) -> list[AuditEvent]:
    """The newest events first, of one patient or of all."""
    query = AuditEvent.select().order_by(AuditEvent.sequence.desc()).limit(limit)
    if patient_id:
        query = query.where(AuditEvent.patient_id == patient_id)
    return list(query)
