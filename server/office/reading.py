"""The stored FHIR, for reading."""

from __future__ import annotations

import json
from typing import Any

from core.clock import now
from core.database import instant_text
from core.errors import NotFoundError
from core.fhir.systems import OWN_KINDS
from server.office.models import Resource, connection

PAGE = 50
MAX_PAGE = 500


def capability_statement() -> dict[str, Any]:
    """What this server can do, as a CapabilityStatement."""
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
                        "searchParam": [{"name": "identifier", "type": "token"}],
                    }
                    for kind in OWN_KINDS
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def document(row: Resource) -> dict[str, Any]:
    """A stored resource with the office's own id and version."""
    resource: dict[str, Any] = json.loads(row.body)
    meta = {"versionId": str(row.version), "lastUpdated": instant_text(row.updated_at)}
    return {"resourceType": resource.pop("resourceType"), "id": str(row.id), "meta": meta, **resource}


def read(kind: str, key: int, clinic_code: str | None) -> dict[str, Any]:
    """One resource by the office's id.

    Raises:
        NotFoundError: There is none, or it is another clinic's.
    """
    with connection():
        query = Resource.select().where(Resource.type == kind, Resource.id == key)
        if clinic_code is not None:
            query = query.where(Resource.clinic == clinic_code)
        row: Resource | None = query.first()
    if row is None:
        raise NotFoundError(kind, str(key))
    return document(row)


def search(kind: str, clinic_code: str | None, parameters: dict[str, str]) -> dict[str, Any]:
    """A searchset: `identifier` (system|value or value), `_summary=count`, `_count`, `_offset`.

    Raises:
        NotFoundError: Not a type that is kept here.
    """
    if kind not in OWN_KINDS:
        raise NotFoundError("resource_type", kind)
    query = Resource.select().where(Resource.type == kind)
    if clinic_code is not None:
        query = query.where(Resource.clinic == clinic_code)
    if "identifier" in parameters:
        system, _, value = parameters["identifier"].rpartition("|")
        query = query.where((Resource.value == value) | (Resource.nik == value))
        facility = system.rpartition("/")[2]
        if facility and "sys-ids" in system:
            query = query.where(Resource.clinic == facility)
    with connection():
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": query.count()}
        if parameters.get("_summary") == "count":
            return bundle
        bundle["entry"] = [
            {"fullUrl": f"{kind}/{row.id}", "resource": document(row), "search": {"mode": "match"}}
            for row in _page(query, parameters)
        ]
    return bundle


def _page(query: Any, parameters: dict[str, str]) -> list[Resource]:
    limit = min(_whole(parameters.get("_count"), PAGE), MAX_PAGE)
    query = query.order_by(Resource.id).limit(limit).offset(_whole(parameters.get("_offset"), 0))
    return list(query)


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 10 else otherwise
