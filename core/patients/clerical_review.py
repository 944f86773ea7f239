"""Clerical review: a person decides that two look-alike patients are two people."""

from __future__ import annotations

from core.foundation import audit
from core.foundation.codes import Permission
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.foundation.permissions import Actor
from core.linkage import non_matches
from core.models import Account, NonMatch, Patient
from core.patients import service as patients
from core.schemas.patients import NonMatchOut


def mark_non_match(actor: Actor, left_id: str, right_id: str) -> None:
    """Remember that two patients are two people; a second time changes nothing.

    Args:
        actor: The account that decides.
        left_id: One patient; a merged one stands for the survivor.
        right_id: The other patient.

    Raises:
        NotAllowedError: The actor may not correct patients.
        NotFoundError: One of them does not exist.
        ValidationError: Both are the same patient.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        pair = _active_pair(left_id, right_id)
        low, high = pair
        if low == high:
            raise ValidationError({"right": "same"})
        if not non_matches.is_non_match(low, high):
            non_matches.add(pair, actor.account_id)
            audit.record(actor, "judged_two_people", "patient", low, low, other=high)


def take_back(actor: Actor, left_id: str, right_id: str) -> None:
    """Take back that two patients are two people; no effect where nobody decided so.

    Args:
        actor: The account that decides.
        left_id: One patient; a merged one stands for the survivor.
        right_id: The other patient.

    Raises:
        NotAllowedError: The actor may not correct patients.
        NotFoundError: One of them does not exist.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        pair = _active_pair(left_id, right_id)
        low, high = pair
        if non_matches.remove(pair):
            audit.record(actor, "two_people_taken_back", "patient", low, low, other=high)


def _active_pair(left_id: str, right_id: str) -> non_matches.Ids:
    return non_matches.pair_of(patients.find(left_id).id, patients.find(right_id).id)


def newest(actor: Actor, limit: int = 50) -> list[NonMatchOut]:
    """Return the last non-matches that can be taken back, newest first: both patients are active.

    Raises:
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    low, high = Patient.alias(), Patient.alias()
    query = (
        NonMatch.select(
            NonMatch,
            Account,
            low.name,
            low.medical_record_number,
            high.name,
            high.medical_record_number,
        )
        .join(Account)
        .switch(NonMatch)
        .join(low, on=(low.id == NonMatch.low_id), attr="low")
        .switch(NonMatch)
        .join(high, on=(high.id == NonMatch.high_id), attr="high")
        .where(low.voided_at.is_null(), high.voided_at.is_null())
        .order_by(NonMatch.decided_at.desc())
        .limit(limit)
    )
    return [
        NonMatchOut(
            left_id=row.low_id,
            right_id=row.high_id,
            left_name=row.low.name,
            left_number=row.low.medical_record_number,
            right_name=row.high.name,
            right_number=row.high.medical_record_number,
            decided_at=row.decided_at,
            decided_by=row.decided_by.name,
        )
        for row in query
    ]
