"""The stored FHIR, for reading."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from core.exchange.fhir.systems import NIK, OWN, OWN_KINDS
from core.foundation.clock import now
from core.foundation.database import instant_text
from server.office.models import Resource, connection
from server.office.validation import EntryRefusedError

PAGE = 50
MAX_PAGE = 500
VALUES = 50
"""Most values of one parameter (`_id=1,2,3`)."""
NOBODYS = frozenset({"Organization", "Location", "Practitioner"})
"""Types that are about no patient."""
DATE = re.compile(r"(eq|ge|gt|le|lt)?(\d{4}-\d{2}-\d{2})(T\S+)?")
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt,
}  # fmt: skip

SEARCHED: dict[str, str] = {
    "_id": "token", "_lastUpdated": "date", "identifier": "token", "patient": "reference",
    "subject": "reference", "date": "date", "code": "token", "status": "token",
}  # fmt: skip
"""Search parameters and their FHIR types; which type has which is in `parameters_of`."""
PAGING = frozenset({"_count", "_after", "_summary", "_format"})


def parameters_of(kind: str) -> list[str]:
    """Return the search parameters of a resource type."""
    names = ["_id", "_lastUpdated", "identifier"]
    if kind not in NOBODYS and kind != "Patient":
        names.append("patient")
        if kind != "AllergyIntolerance":
            names += ["subject", "date"]
    return names + {"Condition": ["code"], "Encounter": ["status"]}.get(kind, [])


def capability_statement() -> dict[str, Any]:
    """Return the abilities of this server as a CapabilityStatement."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant_text(now()),
        "kind": "instance",
        "software": {"name": "Loket office"},
        "implementation": {"description": "City Health Office"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": code} for code in ("read", "search-type", "update")],
                        "conditionalCreate": True,
                        "conditionalUpdate": True,
                        "versioning": "versioned",
                        "searchParam": [
                            {"name": name, "type": SEARCHED[name]} for name in parameters_of(kind)
                        ],
                    }
                    for kind in OWN_KINDS
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def document(row: Resource) -> dict[str, Any]:
    """Return a stored resource with the office's own id and version."""
    resource: dict[str, Any] = json.loads(row.body)
    meta = {"versionId": str(row.version), "lastUpdated": instant_text(row.updated_at)}
    return {"resourceType": resource.pop("resourceType"), "id": str(row.id), "meta": meta, **resource}


def read(kind: str, key: str, clinic_code: str | None) -> dict[str, Any]:
    """Return one resource by the office's id.

    Args:
        kind: FHIR resource type.
        key: The office's id.
        clinic_code: The only clinic whose resources may be read; None: every clinic's.

    Raises:
        EntryRefusedError: There is none, or it is another clinic's.
    """
    with connection():
        query = Resource.select().where(Resource.type == kind, Resource.id == _whole(key, 0))
        if clinic_code is not None:
            query = query.where(Resource.clinic == clinic_code)
        row: Resource | None = query.first()
    if row is None:
        raise EntryRefusedError("not-found", f"there is no {kind[:40]} of this id")
    return document(row)


def search(kind: str, clinic_code: str | None, given: Sequence[tuple[str, str]], base: str) -> dict[str, Any]:
    """Return a searchset, in the order in which resources first came, with the address of its next page.

    Args:
        kind: Resource type.
        clinic_code: The clinic whose resources are searched; None for all clinics.
        given: The parameters in their order: those of `parameters_of`, and `_count` (at most
            `MAX_PAGE`), `_after` (the id before the page) and `_summary=count`.
        base: Address of the FHIR base, without a slash at its end.

    Raises:
        EntryRefusedError: Not a type that is kept here, or a parameter that it is not searched by. To
            leave out a parameter would answer with everybody's records.
    """
    query = _query(kind, clinic_code, given)
    paging = dict(given)
    limit = min(_whole(paging.get("_count"), PAGE), MAX_PAGE)
    with connection():
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": query.count()}
        if paging.get("_summary") == "count" or limit == 0:
            return bundle
        after = _whole(paging.get("_after"), 0)
        rows = list(query.where(Resource.id > after).order_by(Resource.id).limit(limit + 1))
    page = rows[:limit]
    bundle["link"] = [{"relation": "self", "url": _address(base, kind, given)}]
    if len(rows) > limit:
        following = [item for item in given if item[0] != "_after"] + [("_after", str(page[-1].id))]
        bundle["link"].append({"relation": "next", "url": _address(base, kind, following)})
    bundle["entry"] = [
        {"fullUrl": f"{base}/{kind}/{row.id}", "resource": document(row), "search": {"mode": "match"}}
        for row in page
    ]
    return bundle


def _query(kind: str, clinic_code: str | None, given: Sequence[tuple[str, str]]) -> Any:
    """Return the query of a search, without its page; raises like `search`."""
    if kind not in OWN_KINDS:
        raise EntryRefusedError("not-found", f"{kind[:40]} is not kept here")
    known = parameters_of(kind)
    query = Resource.select().where(Resource.type == kind)
    if clinic_code is not None:
        query = query.where(Resource.clinic == clinic_code)
    for name, text in given:
        if name in known:
            query = query.where(_condition(name, text))
        elif name not in PAGING:
            raise EntryRefusedError(
                "not-supported", f"{kind} is not searched by {name[:40]}, but by {', '.join(known)}"
            )
    return query


def _address(base: str, kind: str, parameters: Sequence[tuple[str, str]]) -> str:
    return f"{base}/{kind}?{urlencode(parameters)}" if parameters else f"{base}/{kind}"


def _condition(name: str, text: str) -> Any:
    """Return the condition of a parameter; values with commas between them are alternatives.

    Raises:
        EntryRefusedError: The value is not one of the parameter's kind.
    """
    if SEARCHED[name] == "date":
        return _date_condition(name, text)
    values = _alternatives(name, text)
    if name == "_id":
        return Resource.id.in_([_whole(value, 0) for value in values])
    if name == "identifier":
        return reduce(operator.or_, [_identified(value) for value in values])
    if name in {"patient", "subject"}:
        return Resource.subject.in_([value.rpartition("|")[2].rpartition("/")[2] for value in values])
    return Resource.code.in_([value.rpartition("|")[2] for value in values])


def _alternatives(name: str, text: str) -> list[str]:
    """Return the values of a parameter, of which there may be 1 to `VALUES`."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values or len(values) > VALUES:
        raise EntryRefusedError("value", f"{name} needs 1 to {VALUES} values")
    return values


def _identified(text: str) -> Any:
    """Return the condition of `system|value` or `value`; a system of a clinic's own names the clinic too."""
    system, _, value = text.rpartition("|")
    if system.startswith(OWN):
        return (Resource.value == value) & (Resource.clinic == system.rpartition("/")[2])
    if system:
        return (Resource.nik == value) if system == NIK else (Resource.id == 0)
    return (Resource.value == value) | (Resource.nik == value)


def _date_condition(name: str, text: str) -> Any:
    found = DATE.fullmatch(text)
    if found is None:
        raise EntryRefusedError("value", f"{name} is a date such as ge2026-01-31")
    compare = COMPARISONS[found[1] or "eq"]
    if name == "date":
        if found[3]:
            raise EntryRefusedError("value", "date is a clinic's day, without a time")
        return compare(Resource.day, found[2])
    # Instants are text of fixed width that sorts by time; a day stands for its beginning.
    try:
        instant = datetime.fromisoformat(text.removeprefix(found[1] or ""))
    except ValueError:
        raise EntryRefusedError("value", f"{name} is a date such as ge2026-01-31") from None
    return compare(Resource.updated_at, instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 10 else otherwise
