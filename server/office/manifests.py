"""A clinic's word for a day against what the office holds."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.exchange.manifests import Totals
from core.foundation import clock
from server.office.guards import Count
from server.office.models import Manifest, OfficeClinic, Resource, connection, transaction
from server.office.transactions import VISIT_TYPES

MAX_LISTED = 5000
"""Keys named in one answer; what is left over shows at the next comparison."""


MAX_TYPES, MAX_RECORDS = 50, 100_000
"""Types and records that one manifest names."""
TypeName = Annotated[str, Field(max_length=40)]
Digest = Annotated[str, Field(max_length=64)]
Key = Annotated[str, Field(max_length=140)]


class ManifestRequest(BaseModel):
    """`POST /fhir/manifests`."""

    model_config = ConfigDict(extra="forbid")

    day: date
    counts: Annotated[dict[TypeName, Count], Field(max_length=MAX_TYPES)]
    hashes: Annotated[dict[TypeName, Digest], Field(max_length=MAX_TYPES)]
    audit_hash: str = Field(default="", max_length=64)
    records: Annotated[dict[Key, Digest], Field(max_length=MAX_RECORDS)] | None = None
    """`Type/value` -> digest, sent when the totals differed, to learn which."""


class ManifestAnswer(BaseModel):
    """The office's counts and hashes, and the records that differ."""

    agrees: bool
    differ: list[str] = []
    """Resource types."""
    counts: dict[str, int]
    missing: list[str] = []
    """`Type/value` that the office does not hold."""
    different: list[str] = []
    extra: list[str] = []
    """`Type/value` that only the office holds."""
    audit: dict[str, Any] | None = None
    """Whether the end of the clinic's audit log was `accepted`, and the `count` that is kept."""


def compare(clinic: OfficeClinic, request: ManifestRequest) -> ManifestAnswer:
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


def _held(clinic: OfficeClinic, day: date) -> dict[str, str]:
    """Return `Type/value` -> digest of the day's visits and of their patients.

    Computed from the stored bodies, not from the digests noted earlier: a body that was changed outside
    the office differs, and its digest is corrected so that the resource is stored again when it comes.
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


def _remember(clinic: OfficeClinic, request: ManifestRequest, answer: ManifestAnswer) -> None:
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
        OfficeClinic.update(last_heard_at=clock.now()).where(OfficeClinic.code == clinic.code).execute()
