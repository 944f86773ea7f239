"""Bundles in: checked entry by entry, stored in one transaction, answered entry by entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import date
from typing import Any

from core.exchange.fhir import DAY_TAG, Names
from core.foundation import clock
from core.foundation.database import document_text
from server.office.models import OfficeClinic, Resource, connection, transaction, tuples
from server.office.validation import Checked, EntryRefusedError, check

MAX_ENTRIES = 20_000
CHUNK = 200  # rows a statement; below SQLite's limit of bound values

VISIT_TYPES = frozenset(
    {
        "Encounter", "Condition", "Observation", "Procedure", "ServiceRequest", "MedicationRequest",
        "Composition", "Immunization",
    }
)  # fmt: skip
"""Types that belong to a clinic's day."""


def receive(
    clinic: OfficeClinic, bundle: Any, *, strict: bool, minimal: bool, wire_bytes: int
) -> dict[str, Any]:
    """Take a transaction or batch Bundle.

    An entry that cannot be taken is answered with its OperationOutcome and the rest are stored:
    one poisoned record must not hold up a clinic's day. With `strict` all or nothing is stored.

    Args:
        clinic: Who sends.
        bundle: The parsed JSON.
        strict: `Prefer: handling=strict`.
        minimal: `Prefer: return=minimal`: statuses only.
        wire_bytes: Size of the body as received, for the page.

    Returns:
        The transaction-response Bundle, an answer an entry, in their order.

    Raises:
        EntryRefusedError: The Bundle as a whole cannot be taken.
    """
    entries, day = _open(bundle)
    names = Names(clinic.code)
    outcomes: list[Checked | EntryRefusedError] = [_try(names, entry) for entry in entries]
    with connection():
        _refuse_unresolved(clinic, outcomes)
        refused = [outcome for outcome in outcomes if isinstance(outcome, EntryRefusedError)]
        if strict and refused:
            raise refused[0]
        taken = [outcome for outcome in outcomes if isinstance(outcome, Checked)]
        with transaction():
            statuses = _store(clinic, taken, day)
            OfficeClinic.update(
                last_heard_at=clock.now(),
                bundles=OfficeClinic.bundles + 1,
                wire_bytes=OfficeClinic.wire_bytes + wire_bytes,
                refused=OfficeClinic.refused + len(refused),
            ).where(OfficeClinic.code == clinic.code).execute()
        details = {} if minimal else _details(clinic, taken)
    answers = [_answer(outcome, statuses, details) for outcome in outcomes]
    return {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": answers}


def _open(bundle: Any) -> tuple[list[Any], date | None]:
    """Return the entries of a Bundle and the day it is tagged with.

    Raises:
        EntryRefusedError: It is not a Bundle that can be processed.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise EntryRefusedError("structure", "the body must be a Bundle")
    if bundle.get("type") not in {"transaction", "batch"}:
        raise EntryRefusedError("value", "Bundle.type must be transaction or batch", "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise EntryRefusedError("too-long", f"at most {MAX_ENTRIES} entries", "Bundle.entry")
    return entries, _day_of(bundle.get("meta"))


def _day_of(meta: Any) -> date | None:
    """Return the clinic's day that a Bundle is tagged with, or None."""
    tags = (meta.get("tag") or []) if isinstance(meta, dict) else []
    codes = [tag.get("code") for tag in tags if isinstance(tag, dict) and tag.get("system") == DAY_TAG]
    if not codes:
        return None
    try:
        return date.fromisoformat(str(codes[0]))
    except ValueError:
        raise EntryRefusedError("value", "the day is not a date", "Bundle.meta.tag") from None


def _try(names: Names, entry: Any) -> Checked | EntryRefusedError:
    try:
        return check(names, entry)
    except EntryRefusedError as error:
        return error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError):
        # JSON of a shape that no check expected, such as a list where an object belongs.
        return EntryRefusedError("structure", "the resource is not shaped as FHIR says")


def _refuse_unresolved(clinic: OfficeClinic, outcomes: list[Checked | EntryRefusedError]) -> None:
    """Refuse entries with a reference that resolves neither in the Bundle nor in the office.

    Entries that refer to a refused one are refused in turn, until none is left.
    """
    taken = {index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, Checked)}
    present = {outcome.key for outcome in taken.values()}
    mentioned = {key for outcome in taken.values() for key in outcome.references}
    known = _stored(clinic, mentioned - present)
    again = True
    while again:
        again = False
        for index, outcome in list(taken.items()):
            missing = _first_missing(outcome, present, known)
            if missing is not None:
                words = f"the reference to {missing[0]} {missing[1]} does not resolve"
                outcomes[index] = EntryRefusedError("not-found", words, outcome.type)
                present.discard(taken.pop(index).key)
                again = True


def _first_missing(
    outcome: Checked, present: Set[tuple[str, str]], known: Set[tuple[str, str]]
) -> tuple[str, str] | None:
    """Return the first reference of an entry that is neither in the Bundle nor in the office."""
    return next((key for key in outcome.references if key not in present and key not in known), None)


def _stored(clinic: OfficeClinic, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    by_type: dict[str, list[str]] = {}
    for kind, value in keys:
        by_type.setdefault(kind, []).append(value)
    found: set[tuple[str, str]] = set()
    for kind, values in by_type.items():
        for chunk in _chunks(values):
            rows = Resource.select(Resource.value).where(
                Resource.clinic == clinic.code, Resource.type == kind, Resource.value.in_(chunk)
            )
            found.update((kind, value) for (value,) in tuples(rows))
    return found


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def _store(clinic: OfficeClinic, taken: list[Checked], day: date | None) -> dict[tuple[str, str], str]:
    """Write what is new or differs; returns each entry's HTTP status."""
    newest = {item.key: item for item in taken}
    known = _digests(clinic, list(newest.values()))
    statuses: dict[tuple[str, str], str] = {}
    rows = []
    for key, item in newest.items():
        own_day = day if item.type in VISIT_TYPES else None
        before = known.get(key)
        statuses[key] = "201" if before is None else "200"
        if before == (item.digest, own_day) or (before is not None and item.only_if_none):
            continue
        rows.append(
            {
                "clinic": clinic.code,
                "type": item.type,
                "value": item.value,
                "body": document_text(item.resource),
                "digest": item.digest,
                "day": own_day,
                "updated_at": clock.now(),
                **item.columns,
            }
        )
    for chunk in _chunks(rows):
        Resource.insert_many(chunk).on_conflict(
            conflict_target=[Resource.clinic, Resource.type, Resource.value],
            preserve=[
                Resource.body, Resource.digest, Resource.day, Resource.updated_at, Resource.subject,
                Resource.code, Resource.nik, Resource.wait_minutes,
            ],
            update={Resource.version: Resource.version + 1},
        ).execute()  # fmt: skip
    return statuses


def _digests(clinic: OfficeClinic, items: list[Checked]) -> dict[tuple[str, str], tuple[str, date | None]]:
    by_type: dict[str, list[str]] = {}
    for item in items:
        by_type.setdefault(item.type, []).append(item.value)
    found = {}
    for kind, values in by_type.items():
        for chunk in _chunks(values):
            rows = Resource.select(Resource.value, Resource.digest, Resource.day).where(
                Resource.clinic == clinic.code, Resource.type == kind, Resource.value.in_(chunk)
            )
            found.update({(kind, value): (known, day) for value, known, day in tuples(rows)})
    return found


def _details(clinic: OfficeClinic, taken: list[Checked]) -> dict[tuple[str, str], dict[str, str]]:
    by_type: dict[str, list[str]] = {}
    for item in taken:
        by_type.setdefault(item.type, []).append(item.value)
    found = {}
    for kind, values in by_type.items():
        for chunk in _chunks(values):
            rows = Resource.select(Resource.id, Resource.value, Resource.version, Resource.updated_at).where(
                Resource.clinic == clinic.code, Resource.type == kind, Resource.value.in_(chunk)
            )
            for row in rows:
                found[(kind, row.value)] = {
                    "location": f"{kind}/{row.id}/_history/{row.version}",
                    "etag": f'W/"{row.version}"',
                    "lastModified": row.updated_at.isoformat(),
                }
    return found


def _answer(
    outcome: Checked | EntryRefusedError,
    statuses: dict[tuple[str, str], str],
    details: dict[tuple[str, str], dict[str, str]],
) -> dict[str, Any]:
    if isinstance(outcome, EntryRefusedError):
        return {"response": {"status": "422", "outcome": outcome.outcome()}}
    return {"response": {"status": statuses[outcome.key], **details.get(outcome.key, {})}}
