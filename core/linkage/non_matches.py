"""Non-matches: pairs of patients that a person has judged to be two people."""

from __future__ import annotations

from core.foundation import clock
from core.foundation.database import tuples
from core.models import NonMatch

Ids = tuple[str, str]
"""Ids of two patients, the lower first: the order in which pairs are stored."""


def pair_of(left_id: str, right_id: str) -> Ids:
    """Return both ids in the order in which pairs are stored."""
    return min(left_id, right_id), max(left_id, right_id)


def is_non_match(left_id: str, right_id: str) -> bool:
    """Return whether a person has judged the two to be two people."""
    low, high = pair_of(left_id, right_id)
    return bool(NonMatch.select().where(NonMatch.low_id == low, NonMatch.high_id == high).exists())


def non_matches_of(patient_id: str) -> set[str]:
    """Return the patient's id and the ids of all confirmed non-matches; empty when there are none."""
    rows = NonMatch.select(NonMatch.low_id, NonMatch.high_id).where(
        (NonMatch.low_id == patient_id) | (NonMatch.high_id == patient_id)
    )
    return {patient for row in tuples(rows) for patient in row}


def all_pairs() -> set[Ids]:
    """Return every confirmed non-match."""
    return set(tuples(NonMatch.select(NonMatch.low_id, NonMatch.high_id)))


def add(pair: Ids, account_id: str) -> None:
    """Store a pair as a non-match, decided now by this account."""
    low, high = pair
    NonMatch.create(low_id=low, high_id=high, decided_at=clock.now(), decided_by=account_id)


def remove(pair: Ids) -> bool:
    """Delete a pair; return whether it was stored."""
    low, high = pair
    return bool(NonMatch.delete().where(NonMatch.low_id == low, NonMatch.high_id == high).execute())
