"""Clerical review queue of candidate pairs: stored patients that may be two records of one person.

Each patient is compared once with all others, and again after each change of its card: `compare_changed`
continues after the last change that it has seen, in a process of its own and by small steps. Patients that
changed since then are compared while the list is read, so that the list is never behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SQL, fn

from core.foundation import jobs, state
from core.foundation.clinic import Clinic
from core.foundation.database import connection, instant_text, transaction, tuples
from core.linkage import non_matches
from core.linkage.candidates import person_of, ranked
from core.linkage.caps import REVIEW
from core.linkage.key_queries import among
from core.linkage.non_matches import Ids
from core.linkage.scoring import Score, score
from core.models import CandidatePair, NonMatch, Patient

JOB = "suspects"
SEEN = "suspects:seen"
"""Name of the state that holds the last change that was compared."""
BATCH = 100
"""Patients whose pairs are stored in one transaction; reading takes about 2 ms each."""
LATEST = 500
"""Highest number of patients compared while the list is read; about 2 ms each."""


@dataclass(frozen=True)
class ScoredPair:
    """Two stored patients that may be one person, with the score of the pair."""

    left: Patient
    right: Patient
    score: float
    reasons: tuple[str, ...]


def candidate_pairs(limit: int = 50) -> list[ScoredPair]:
    """Return at most `limit` pairs that nobody has judged yet, highest score first."""
    found = _pairs_of(_unseen(LATEST))
    stored = _stored(limit)
    rows = _patients(id_ for ids in (*found, *stored) for id_ in ids)
    for low, high in stored:  # scored again: a record may have been corrected since
        found[low, high] = score(person_of(rows[low]), person_of(rows[high]))
    judged = non_matches.all_pairs()
    open_pairs = [
        (ids, result) for ids, result in found.items() if result.probability >= REVIEW and ids not in judged
    ]
    open_pairs.sort(key=lambda pair: (-pair[1].probability, pair[0]))
    return [
        ScoredPair(rows[low], rows[high], round(result.probability, 3), result.reasons)
        for (low, high), result in open_pairs[:limit]
    ]


def _stored(limit: int) -> list[Ids]:
    """Return stored pairs that nobody has judged and whose patients are both active, highest score first."""
    low, high = Patient.alias(), Patient.alias()
    judged = NonMatch.select(SQL("1")).where(
        NonMatch.low_id == CandidatePair.low_id, NonMatch.high_id == CandidatePair.high_id
    )
    query = (
        CandidatePair.select(CandidatePair.low_id, CandidatePair.high_id)
        .join(low, on=(low.id == CandidatePair.low_id))
        .join(high, on=(high.id == CandidatePair.high_id))
        .where(low.voided_at.is_null(), high.voided_at.is_null(), ~fn.EXISTS(judged))
        .order_by(CandidatePair.score.desc(), CandidatePair.low_id, CandidatePair.high_id)
        .limit(limit)
    )
    return tuples(query)


def compare_changed(clinic: Clinic) -> dict[str, Any]:
    """Compare every patient that is new or changed since the last run; an interrupted run is continued.

    Returns:
        `looked_at`: number of patients compared; `running` when another run is active.
    """
    looked_at = 0
    with jobs.alone(clinic.settings.home, JOB) as free, connection():
        if not free:
            return {"running": True}
        while batch := _unseen(BATCH, oldest_first=True):
            found = _pairs_of(batch)
            last = batch[-1]
            with transaction():
                _store([patient.id for patient in batch], found)
                state.note(SEEN, updated_at=instant_text(last.updated_at), id=last.id)
            looked_at += len(batch)
    return {"looked_at": looked_at}


def add(left: Patient, right: Patient) -> None:
    """Store the pair of two patients with its score, in the caller's transaction, unless it is stored."""
    low, high = non_matches.pair_of(left.id, right.id)
    probability = score(person_of(left), person_of(right)).probability
    CandidatePair.insert(low_id=low, high_id=high, score=probability).on_conflict_ignore().execute()


def _unseen(limit: int, *, oldest_first: bool = False) -> list[Patient]:
    """Return active patients changed since the last one that was compared."""
    query = Patient.select().where(Patient.voided_at.is_null())
    seen = state.fact(SEEN)
    if seen is not None:
        later = Patient.updated_at > seen["updated_at"]
        query = query.where(later | ((Patient.updated_at == seen["updated_at"]) & (Patient.id > seen["id"])))
    order = (Patient.updated_at, Patient.id)
    return list(
        query.order_by(*(order if oldest_first else (column.desc() for column in order))).limit(limit)
    )


def _pairs_of(patients: Iterable[Patient]) -> dict[Ids, Score]:
    """Return the pairs of these patients with stored ones that are scored for review or higher."""
    return {
        non_matches.pair_of(patient.id, other): result
        for patient in patients
        for result, other, _ in ranked(person_of(patient), REVIEW)
        if other != patient.id
    }


def _store(compared: Sequence[str], found: Mapping[Ids, Score]) -> None:
    """Store the pairs found and delete those of the compared patients that match no longer.

    A pair with a merged patient is kept: it counts again when the merge is undone.
    """
    touched = CandidatePair.select(CandidatePair.low_id, CandidatePair.high_id).where(
        among(CandidatePair.low_id, compared) | among(CandidatePair.high_id, compared)
    )
    gone = [ids for ids in tuples(touched) if ids not in found]
    active = _patients(id_ for ids in gone for id_ in ids)
    for low, high in gone:
        if low in active and high in active:
            CandidatePair.delete().where(CandidatePair.low_id == low, CandidatePair.high_id == high).execute()
    for (low, high), result in found.items():
        CandidatePair.insert(low_id=low, high_id=high, score=result.probability).on_conflict(
            conflict_target=[CandidatePair.low_id, CandidatePair.high_id],
            update={CandidatePair.score: result.probability},
        ).execute()


def _patients(ids: Iterable[str]) -> dict[str, Patient]:
    """Return active patients by id."""
    query = Patient.select().where(among(Patient.id, sorted(set(ids))), Patient.voided_at.is_null())
    return {row.id: row for row in query}
