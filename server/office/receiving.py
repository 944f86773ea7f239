"""Bundles in: checked entry by entry, stored in one transaction, answered entry by entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from core import clock
from core.database import document_text
from core.fhir import DAY_TAG, Names
from server.office.checking import Checked, RefusedError, check
from server.office.models import Clinic, Resource, connection, transaction, tuples

MAX_ENTRIES = 20_000
CHUNK = 200  # rows a statement; below SQLite's limit of bound values

VISIT_TYPES = frozenset(
    {
        "Encounter", "Condition", "Observation", "Procedure", "ServiceRequest", "MedicationRequest",
        "Composition",
    }
)  # fmt: skip
"""Types that belong to a clinic's day."""


def receive(clinic: Clinic, bundle: Any, *, strict: bool, minimal: bool, wire_bytes: int) -> dict[str, Any]:
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
        RefusedError: The Bundle as a whole cannot be taken.
    """
    entries, day = _open(bundle)
    names = Names(clinic.code)
    outcomes: list[Checked | RefusedError] = [_try(names, entry) for entry in entries]
    with connection():
        _refuse_unresolved(clinic, outcomes)
        refused = [outcome for outcome in outcomes if isinstance(outcome, RefusedError)]
        if strict and refused:
            raise refused[0]
        taken = [outcome for outcome in outcomes if isinstance(outcome, Checked)]
        with transaction():
            statuses = _store(clinic, taken, day)
            Clinic.update(
                last_heard_at=clock.now(),
                bundles=Clinic.bundles + 1,
                wire_bytes=Clinic.wire_bytes + wire_bytes,
                refused=Clinic.refused + len(refused),
            ).where(Clinic.code == clinic.code).execute()
        details = {} if minimal else _details(clinic, taken)
    answers = [_answer(outcome, statuses, details) for outcome in outcomes]
    return {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": answers}


def _open(bundle: Any) -> tuple[list[Any], date | None]:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise RefusedError("structure", "the body must be a Bundle")
    if bundle.get("type") not in {"transaction", "batch"}:
        raise RefusedError("value", "Bundle.type must be transaction or batch", "Bundle.type")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise RefusedError("too-long", f"at most {MAX_ENTRIES} entries", "Bundle.entry")
    meta = bundle.get("meta")
    for tag in (meta.get("tag") or []) if isinstance(meta, dict) else []:
        if isinstance(tag, dict) and tag.get("system") == DAY_TAG:
            try:
                return entries, date.fromisoformat(str(tag.get("code")))
            except ValueError:
                raise RefusedError("value", "the day is not a date", "Bundle.meta.tag") from None
    return entries, None


def _try(names: Names, entry: Any) -> Checked | RefusedError:
    try:
        return check(names, entry)
    except RefusedError as error:
        return error
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError):
        # JSON of a shape that no check expected, such as a list where an object belongs.
        return RefusedError("structure", "the resource is not shaped as FHIR says")


def _refuse_unresolved(clinic: Clinic, outcomes: list[Checked | RefusedError]) -> None:
    """Refuse entries that mention what neither Bundle nor office holds, and in turn those that mention them."""
    present = {outcome.key for outcome in outcomes if isinstance(outcome, Checked)}
    mentioned = {key for outcome in outcomes if isinstance(outcome, Checked) for key in outcome.references}
    known = _stored(clinic, mentioned - present)
    again = True
    while again:
        again = False
        for index, outcome in enumerate(outcomes):
            if not isinstance(outcome, Checked):
                continue
            for key in outcome.references:
                if key not in present and key not in known:
                    words = f"the reference to {key[0]} {key[1]} does not resolve"
                    outcomes[index] = RefusedError("not-found", words, outcome.type)
                    present.discard(outcome.key)
                    again = True
                    break


def _stored(clinic: Clinic, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
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


def _store(clinic: Clinic, taken: list[Checked], day: date | None) -> dict[tuple[str, str], str]:
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


def _digests(clinic: Clinic, items: list[Checked]) -> dict[tuple[str, str], tuple[str, date | None]]:
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


def _details(clinic: Clinic, taken: list[Checked]) -> dict[tuple[str, str], dict[str, str]]:
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
    outcome: Checked | RefusedError,
    statuses: dict[tuple[str, str], str],
    details: dict[tuple[str, str], dict[str, str]],
) -> dict[str, Any]:
    if isinstance(outcome, RefusedError):
        return {"response": {"status": "422", "outcome": outcome.outcome()}}
    return {"response": {"status": statuses[outcome.key], **details.get(outcome.key, {})}}
