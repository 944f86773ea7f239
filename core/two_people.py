"""Two patients whom somebody judged to be two people, however alike their records are."""

from __future__ import annotations

from core import audit, clock, patients
from core.actors import Actor
from core.database import transaction, tuples
from core.errors import ValidationError
from core.models import Account, NotDuplicate, Patient
from core.schemas.patients import TwoPeopleShape
from core.vocabulary import Permission


def remember(actor: Actor, left_id: str, right_id: str) -> None:
    """Remember that two patients are two people; saying it again changes nothing.

    Raises:
        NotFoundError: One of them does not exist.
        ValidationError: Both are the same patient.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        low, high = _found(left_id, right_id)
        if low == high:
            raise ValidationError({"right": "same"})
        if not is_judged(low, high):
            NotDuplicate.create(low_id=low, high_id=high, decided_at=clock.now(), decided_by=actor.account_id)
            audit.record(actor, "judged_two_people", "patient", low, low, other=high)


def take_back(actor: Actor, left_id: str, right_id: str) -> None:
    """Forget that two patients were judged to be two people; nothing changes where nobody said so.

    Raises:
        NotFoundError: One of them does not exist.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        low, high = _found(left_id, right_id)
        judged = NotDuplicate.delete().where(NotDuplicate.low_id == low, NotDuplicate.high_id == high)
        if judged.execute():
            audit.record(actor, "two_people_taken_back", "patient", low, low, other=high)


def _found(left_id: str, right_id: str) -> tuple[str, str]:
    """Both as they are stored: the lower id first."""
    left, right = patients.find(left_id).id, patients.find(right_id).id
    return min(left, right), max(left, right)


def is_judged(left_id: str, right_id: str) -> bool:
    """Whether somebody judged them to be two people."""
    low, high = min(left_id, right_id), max(left_id, right_id)
    judged = NotDuplicate.select().where(NotDuplicate.low_id == low, NotDuplicate.high_id == high)
    return bool(judged.exists())


def judged_with(patient_id: str) -> set[str]:
    """A patient and everybody judged to be somebody else than that one; empty when nobody was."""
    judged = NotDuplicate.select(NotDuplicate.low_id, NotDuplicate.high_id).where(
        (NotDuplicate.low_id == patient_id) | (NotDuplicate.high_id == patient_id)
    )
    return {other for row in tuples(judged) for other in row}


def newest(actor: Actor, limit: int = 50) -> list[TwoPeopleShape]:
    """The last judgements that can be taken back, newest first: of two who are both active.

    Raises:
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    low, high = Patient.alias(), Patient.alias()
    judged = (
        NotDuplicate.select(
            NotDuplicate,
            Account,
            low.name,
            low.medical_record_number,
            high.name,
            high.medical_record_number,
        )
        .join(Account)
        .switch(NotDuplicate)
        .join(low, on=(low.id == NotDuplicate.low_id), attr="low")
        .switch(NotDuplicate)
        .join(high, on=(high.id == NotDuplicate.high_id), attr="high")
        .where(low.voided_at.is_null(), high.voided_at.is_null())
        .order_by(NotDuplicate.decided_at.desc())
        .limit(limit)
    )
    return [
        TwoPeopleShape(
            left_id=row.low_id,
            right_id=row.high_id,
            left_name=row.low.name,
            left_number=row.low.medical_record_number,
            right_name=row.high.name,
            right_number=row.high.medical_record_number,
            decided_at=row.decided_at,
            decided_by=row.decided_by.name,
        )
        for row in judged
    ]
