"""Every answer that holds a person is written into the log of reads before it is sent.

One gate for all endpoints: whatever they return is looked through for patients, by the types of the
answer, so that an endpoint to come needs nothing of its own. What an endpoint's own core function has
written already (a record opened for a reason) is not written twice.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from pydantic import BaseModel

from core.foundation import audit_reads
from core.foundation.codes import Role
from core.foundation.errors import CoreError
from core.foundation.permissions import Actor
from core.schemas.patients import PatientOut
from core.schemas.queues import EntryPatient, QueueOut

IDS = ("patient_id", "survivor_id", "merged_id")
"""Fields that hold a patient's id in other shapes."""
PLAIN = frozenset({"str", "int", "float", "bool", "date", "datetime", "NoneType"})
OWN_ROWS = frozenset({"audit_log", "report", "write_report"})
"""Endpoints whose answers are rows without ids: they write what they showed by themselves."""
ACTIONS = {
    "search": "patients_searched",
    "read": "patient_read",
    "check_insurance": "insurance_asked",
}
"""Endpoint's name -> action; otherwise the name and `_read`."""
ALWAYS = frozenset(
    {
        "search", "recent", "unverified", "suspected", "duplicates", "merges", "judged_two_people", "set_aside_rows",
        "check_insurance", "broken_glass", "appointments",
    }
)  # fmt: skip
"""Searches and lists: a row also when they found nobody. BPJS tells of people who are no patients here."""
CARE = frozenset({"entry", "call_next", "work"})
"""Reads of one's own queue: a full disk does not stop them."""
ASKED = ("q", "reason", "day", "date", "limit", "cluster", "kind", "patient")
"""Arguments that tell what was asked; the words sought are kept as typed, for whoever must judge them."""


def audited(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Let an endpoint write whom its answers show; what names no actor, or writes that itself, stays as it is."""
    is_plain = not inspect.iscoroutinefunction(endpoint) and endpoint.__name__ not in OWN_ROWS
    return _audited(endpoint) if is_plain and "actor" in inspect.signature(endpoint).parameters else endpoint


def _audited(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    name = endpoint.__name__

    @functools.wraps(endpoint)
    def answer(**given: Any) -> Any:
        actor: Actor = given["actor"]
        written = audit_reads.begin_request()
        try:
            result = endpoint(**given)
        except CoreError as refusal:
            _write(name, actor, given, people_in(getattr(refusal, "details", None) or {}), written)
            raise
        if isinstance(result, QueueOut):
            _write_pane(actor, given, result)
        else:
            _write(name, actor, given, people_in(result), written)
        return result

    return answer


def _write(
    name: str, actor: Actor, given: Mapping[str, Any], people: Iterable[str], written: set[str]
) -> None:
    shown = [id_ for id_ in dict.fromkeys(people) if id_ not in written]
    if not shown and (name not in ALWAYS or written):
        return
    action = ACTIONS.get(name, f"{name}_read")
    audit_reads.shown(actor, action, shown, is_care=name in CARE, asked=_asked(given))


def _write_pane(actor: Actor, given: Mapping[str, Any], pane: QueueOut) -> None:
    """Write whom a pane shows; a door names the accounts that have it open."""
    people = [entry.patient.id for entry in pane.entries if entry.patient is not None]
    seeing = [actor.account_id]
    if actor.role is Role.DOOR:
        seeing = [id_ for id_ in str(given.get("seen_by") or "").split(",") if id_] or seeing
    for account_id in seeing:
        audit_reads.pane_shown(actor, account_id, pane.cluster, pane.date.isoformat(), people)


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in given.items()
        if name in ASKED and isinstance(value, (str, int, date)) and value != ""
    }
    body = given.get("body")
    if isinstance(body, BaseModel) and (words := _words_of(body)):
        asked["sought"] = words
    return asked


def _words_of(body: BaseModel) -> dict[str, Any]:
    """Return what a search by form asked for."""
    person = getattr(body, "person", body)
    if not isinstance(person, BaseModel):
        return {}
    wanted = ("name", "nik", "bpjs_number", "birth_date", "phone")
    values = {name: getattr(person, name, None) for name in wanted}
    return {name: str(value) for name, value in values.items() if value}


def people_in(value: Any) -> Iterator[str]:
    """Yield the ids of the patients that an answer holds."""
    if isinstance(value, (PatientOut, EntryPatient)):
        yield value.id
    elif isinstance(value, BaseModel):
        yield from _people_in_shape(value)
    elif isinstance(value, dict):
        yield from _people_in_document(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from people_in(item)


def _people_in_shape(value: BaseModel) -> Iterator[str]:
    for name in _telling_fields(type(value)):
        found = getattr(value, name)
        if name in IDS:
            yield from (found,) if found else ()
        else:
            yield from people_in(found)


@cache
def _telling_fields(shape: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a shape that can hold a person."""
    return tuple(
        name
        for name, field in shape.model_fields.items()
        if name in IDS or getattr(field.annotation, "__name__", "") not in PLAIN
    )


def _people_in_document(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the patients of a refusal's details, which are plain documents."""
    if "medical_record_number" in value and isinstance(value.get("id"), str):
        yield value["id"]
    for name, found in value.items():
        if name in IDS and isinstance(found, str):
            yield found
        elif isinstance(found, (dict, list, tuple, BaseModel)):
            yield from people_in(found)
