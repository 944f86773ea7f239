"""A clinic's word for a day against what the office holds."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core import clock
from core.manifests import Totals
from server.office.models import Clinic, Manifest, Resource, connection, transaction
from server.office.receiving import VISIT_TYPES

MAX_LISTED = 5000
"""Keys named in one answer; what is left over shows at the next comparison."""


class ManifestRequest(BaseModel):
    """`POST /fhir/manifests`."""

    model_config = ConfigDict(extra="forbid")

    day: date
    counts: dict[str, int]
    hashes: dict[str, str]
    audit_hash: str = Field(default="", max_length=64)
    records: dict[str, str] | None = None
    """`Type/value` -> digest, sent when the totals differed, to learn which."""


class ManifestAnswer(BaseModel):
    """What the office holds, and what differs."""

    agrees: bool
    differ: list[str] = []
    """Resource types."""
    counts: dict[str, int]
    missing: list[str] = []
    """`Type/value` that the office does not hold."""
    different: list[str] = []
    extra: list[str] = []
    """`Type/value` that only the office holds."""


def compare(clinic: Clinic, request: ManifestRequest) -> ManifestAnswer:
    """Compare, remember the outcome, and say which records differ when asked record by record."""
    with connection():
        held = _held(clinic, request.day)
        totals = Totals()
        for key, known in held.items():
            totals.add(key, known)
        names = set(totals.counts) | {name for name, count in request.counts.items() if count}
        differ = sorted(
            name
            for name in names
            if totals.counts.get(name, 0) != request.counts.get(name, 0)
            or totals.hashes().get(name) != request.hashes.get(name)
        )
        answer = ManifestAnswer(agrees=not differ, differ=differ, counts=totals.counts)
        if request.records is not None:
            theirs = request.records
            answer.missing = sorted(theirs.keys() - held.keys())[:MAX_LISTED]
            answer.extra = sorted(held.keys() - theirs.keys())[:MAX_LISTED]
            answer.different = sorted(key for key in theirs.keys() & held.keys() if theirs[key] != held[key])
            answer.different = answer.different[:MAX_LISTED]
        _remember(clinic, request, answer)
    return answer


def _held(clinic: Clinic, day: date) -> dict[str, str]:
    """`Type/value` -> digest of the day's visits, and of the patients who made them.

    Taken from what is stored, not from what was once noted of it: a body that was changed behind
    the office's back differs, and its note is corrected so that it is stored anew when it comes.
    """
    columns = (Resource.id, Resource.type, Resource.value, Resource.digest, Resource.body)
    own = Resource.select(*columns).where(
        Resource.clinic == clinic.code, Resource.day == day, Resource.type.in_(sorted(VISIT_TYPES))
    )
    visitors = Resource.select(Resource.subject).where(
        Resource.clinic == clinic.code, Resource.day == day, Resource.type == "Encounter"
    )
    people = Resource.select(*columns).where(
        Resource.clinic == clinic.code, Resource.type == "Patient", Resource.value.in_(visitors)
    )
    allergies = Resource.select(*columns).where(
        Resource.clinic == clinic.code,
        Resource.type == "AllergyIntolerance",
        Resource.subject.in_(visitors),
    )
    held: dict[str, str] = {}
    changed: dict[int, str] = {}
    for query in (own, people, allergies):
        for key, kind, value, noted, body in query.tuples().iterator():
            held[f"{kind}/{value}"] = found = hashlib.sha256(body.encode()).hexdigest()
            if found != noted:
                changed[key] = found
    with transaction():
        for key, found in changed.items():
            Resource.update(digest=found).where(Resource.id == key).execute()
    return held


def _remember(clinic: Clinic, request: ManifestRequest, answer: ManifestAnswer) -> None:
    values: dict[str, Any] = {
        "clinic": clinic.code,
        "day": request.day,
        "agrees": answer.agrees,
        "visits": request.counts.get("Encounter", 0),
        "audit_hash": request.audit_hash,
        "at": clock.now(),
    }
    with transaction():
        Manifest.insert(**values).on_conflict(
            conflict_target=[Manifest.clinic, Manifest.day],
            preserve=[Manifest.agrees, Manifest.visits, Manifest.audit_hash, Manifest.at],
        ).execute()
        Clinic.update(last_heard_at=clock.now()).where(Clinic.code == clinic.code).execute()
