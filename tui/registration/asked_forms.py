"""The core's questions about what a counter registered without it, as unfinished forms to go on with."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.patients.fields import TYPED
from core.schemas.base import Problem
from core.schemas.counters import QuestionOut
from core.schemas.registration import DraftOut
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.registration.late_entry import ARRIVED, PAPER, WRITTEN_BY
from tui.text import problem_words
from tui.text.formatting import date_text

KIND = "question"
"""Beginning of the keys of such forms."""
YES = "yes"


def is_question(key: str) -> bool:
    """Return whether a form is a question of the core's."""
    return key.startswith(f"{KIND}:")


async def asked(client: CoreClient) -> list[DraftOut]:
    """Return the questions as forms; none anywhere but at a counter's own machine."""
    try:
        found = await client.counters.questions()
    except (RefusedError, UnreachableError):
        return []
    return [as_draft(question) for question in found]


def as_draft(question: QuestionOut) -> DraftOut:
    """Return a question as a form that is gone on with: what was typed, when the patient came, and the number in hand."""
    request = question.request
    person = dict(request.get("patient") or {})
    name = str(person.get("name") or question.details.get("patient", {}).get("name") or "")
    values = {
        **_person(person),
        "chief_complaint": str(request.get("chief_complaint", "")),
        "pregnant": YES if request.get("pregnant") else "",
        "disability": YES if request.get("disability") else "",
        "payer": str(request.get("payer") or ""),
        "payer_source": str(request.get("payer_source") or ""),
        ARRIVED: question.arrived_at.isoformat(),
        WRITTEN_BY: question.account,
        PAPER: question.number,
    }
    data = {
        "id": question.id,
        "label": f"{name}: {words(question)}",
        "patient_id": request.get("patient_id"),
        "values": {field: value for field, value in values.items() if value},
    }
    return DraftOut(key=f"{KIND}:{question.id}:{question.number}", data=data, saved_at=question.arrived_at)


def _person(person: dict[str, Any]) -> dict[str, str]:
    if not person:
        return {}
    values = {field: str(person[field]) for field in TYPED if person.get(field)}
    born = str(person.get("birth_date") or "")
    return values | {
        "birth_date": date_text(date.fromisoformat(born)) if born else "",
        "sex": str(person.get("sex") or ""),
        "mother_id": str(person.get("mother_id") or ""),
        "identity_verified": YES if person.get("identity_verified") else "",
        "no_identifier_reason": str(person.get("no_identifier_reason") or ""),
    }


def words(question: QuestionOut) -> str:
    """Return what the core asks, in a sentence."""
    problem = Problem(
        title="", status=409, code=question.code, fields=question.fields, details=question.details
    )
    return problem_words.problem_text(problem)


async def settle(client: CoreClient, key: str, reason: str) -> None:
    """Note that a question was answered, by going on with its form or by throwing it away.

    Args:
        client: The person's calls.
        key: Key of the form.
        reason: Why a number that was not used is voided.
    """
    _kind, question, number = key.split(":", 2)
    await client.counters.settle(question, number, reason)
