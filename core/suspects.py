"""The worklist of the quiet hour: stored patients who may be two records of one person.

Each patient is compared once with all others, and again after each change of its card: `look_through`
goes on from the last change that it has seen, in a process of its own and by small steps. What changed
since then is compared while somebody looks at the list, so that it is never behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, fn

from core import job_runs, outbox
from core.clinic import Clinic
from core.database import connection, instant_text, transaction, tuples
from core.likeness import REVIEW, Score, score
from core.matching import ranked
from core.models import NotDuplicate, Patient, SuspectedPair
from core.patients import person_of
from core.probing import among

JOB = "suspects"
SEEN = "suspects:seen"
"""The fact that says up to which change the patients were looked through."""
BATCH = 100
"""Patients whose pairs are stored at once, each some 2 ms of reading."""
LATEST = 500
"""Patients compared at most while somebody waits for the list; about 2 ms each."""

Ids = tuple[str, str]
"""Of two patients, the lower first."""


@dataclass(frozen=True)
class Suspects:
    """Two stored patients who may be one."""

    left: Patient
    right: Patient
    score: float
    reasons: tuple[str, ...]


def suspected_pairs(clinic: Clinic, limit: int = 50) -> list[Suspects]:
    """Pairs that nobody has judged yet, most suspicious first.

    Args:
        clinic: The clinic.
        limit: Pairs at most.
    """
    found = _alike(_unseen(LATEST))
    rows = _patients(id_ for ids in found for id_ in ids)
    stored = _stored(limit)
    rows |= _patients(id_ for ids in stored for id_ in ids)
    for low, high in stored:  # as they are now: one may have been corrected
        found[low, high] = score(person_of(rows[low]), person_of(rows[high]))
    judged = set(tuples(NotDuplicate.select(NotDuplicate.low_id, NotDuplicate.high_id)))
    best = sorted(
        (
            (ids, result)
            for ids, result in found.items()
            if result.probability >= REVIEW and ids not in judged
        ),
        key=lambda pair: (-pair[1].probability, pair[0]),
    )[:limit]
    return [
        Suspects(rows[low], rows[high], round(result.probability, 3), result.reasons)
        for (low, high), result in best
    ]


def _stored(limit: int) -> list[Ids]:
    """Pairs found earlier that nobody has judged, both still patients of their own, most suspicious first."""
    low, high = Patient.alias(), Patient.alias()
    judged = NotDuplicate.select(SQL("1")).where(
        NotDuplicate.low_id == SuspectedPair.low_id, NotDuplicate.high_id == SuspectedPair.high_id
    )
    query = (
        SuspectedPair.select(SuspectedPair.low_id, SuspectedPair.high_id)
        .join(low, on=(low.id == SuspectedPair.low_id))
        .join(high, on=(high.id == SuspectedPair.high_id))
        .where(low.voided_at.is_null(), high.voided_at.is_null(), ~fn.EXISTS(judged))
        .order_by(SuspectedPair.score.desc(), SuspectedPair.low_id, SuspectedPair.high_id)
        .limit(limit)
    )
    return tuples(query)


def look_through(clinic: Clinic) -> dict[str, Any]:
    """Compare every patient who is new or changed since the last time; what was cut off goes on where it was.

    Returns:
        `looked_at`: how many; `running` when another run is at it.
    """
    looked_at = 0
    with job_runs.alone(clinic.settings.home, JOB) as free, connection():
        if not free:
            return {"running": True}
        while batch := _unseen(BATCH, oldest_first=True):
            found = _alike(batch)
            last = batch[-1]
            with transaction():
                _store([patient.id for patient in batch], found)
                outbox.note(SEEN, updated_at=instant_text(last.updated_at), id=last.id)
            looked_at += len(batch)
    return {"looked_at": looked_at}


def _unseen(limit: int, *, oldest_first: bool = False) -> list[Patient]:
    """Active patients changed since the last one that was looked at."""
    query = Patient.select().where(Patient.voided_at.is_null())
    seen = outbox.fact(SEEN)
    if seen is not None:
        later = Patient.updated_at > seen["updated_at"]
        query = query.where(later | ((Patient.updated_at == seen["updated_at"]) & (Patient.id > seen["id"])))
    order = (Patient.updated_at, Patient.id)
    return list(
        query.order_by(*(order if oldest_first else (column.desc() for column in order))).limit(limit)
    )


def _alike(some: Iterable[Patient]) -> dict[Ids, Score]:
    """Who may be the same person as one of these."""
    return {
        (min(patient.id, other), max(patient.id, other)): result
        for patient in some
        for result, other, _ in ranked(person_of(patient), REVIEW)
        if other != patient.id
    }


def _store(looked_at: Sequence[str], found: Mapping[Ids, Score]) -> None:
    """Keep what was found; a pair that is alike no longer goes, one whose half is merged may come back."""
    touched = SuspectedPair.select(SuspectedPair.low_id, SuspectedPair.high_id).where(
        among(SuspectedPair.low_id, looked_at) | among(SuspectedPair.high_id, looked_at)
    )
    gone = [ids for ids in tuples(touched) if ids not in found]
    active = _patients(id_ for ids in gone for id_ in ids)
    for low, high in gone:
        if low in active and high in active:
            SuspectedPair.delete().where(SuspectedPair.low_id == low, SuspectedPair.high_id == high).execute()
    for (low, high), result in found.items():
        SuspectedPair.insert(low_id=low, high_id=high, score=result.probability).on_conflict(
            conflict_target=[SuspectedPair.low_id, SuspectedPair.high_id],
            update={SuspectedPair.score: result.probability},
        ).execute()


def _patients(ids: Iterable[str]) -> dict[str, Patient]:
    """Active patients by id."""
    query = Patient.select().where(among(Patient.id, sorted(set(ids))), Patient.voided_at.is_null())
    return {row.id: row for row in query}
