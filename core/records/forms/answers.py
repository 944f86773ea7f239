"""Checks the answers to a form, and computes the values that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from core.foundation.errors import ValidationError
from core.records.forms.computed import FUNCTIONS
from core.records.forms.conditions import Facts, is_number
from core.records.forms.definitions import FormDefinition, FormField
from core.schemas.base import is_clean

Answers = Mapping[str, Any]
"""Field -> answer; dates as `date` or as ISO text."""
LONGEST_TEXT = 200  # characters of a free answer


def computed_values(form: FormDefinition, answers: Answers, facts: Facts, day: date) -> dict[str, Any]:
    """Return the values that follow from the answers so far; those that cannot be computed are left out.

    Args:
        form: The form with the definitions.
        answers: As typed so far.
        facts: As `visit_facts` returns them.
        day: Day of the visit.
    """
    known: dict[str, Any] = {**facts, **_with_dates(form, answers)}
    found: dict[str, Any] = {}
    for item in form.computed:
        values = [known.get(name) for name in item.of]
        if any(value is None or value == "" for value in values):
            continue
        value = FUNCTIONS[item.compute](*values, today=day)
        if value is not None:
            known[item.name] = found[item.name] = value
    return found


def _with_dates(form: FormDefinition, answers: Answers) -> dict[str, Any]:
    dates = {item.name for item in form.fields() if item.type == "date"}
    parsed = dict(answers)
    for name, value in answers.items():
        if name in dates and isinstance(value, str) and value:
            parsed[name] = date.fromisoformat(value)
    return parsed


def check_answer(item: FormField, value: Any, day: date) -> str | None:
    """Return the stable code of the problem with an answer; None when it can be stored.

    Args:
        item: The question.
        value: The answer.
        day: Day of the visit.
    """
    return _CHECKS[item.type](item, value, day)


def _check_number(item: FormField, value: Any, day: date) -> str | None:
    if not is_number(value) or (item.type == "integer" and value != int(value)):
        return "number_format"
    is_refused = item.hard is not None and not item.hard[0] <= value <= item.hard[1]
    return "out_of_range" if is_refused else None


def _check_date(item: FormField, value: Any, day: date) -> str | None:
    try:
        given = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        return "date_format"
    if given > day + timedelta(days=item.ahead_days):
        return "too_far" if item.ahead_days else "in_future"
    is_too_old = item.within_days is not None and (day - given).days > item.within_days
    return "too_long_ago" if is_too_old else None


def _check_yes_no(item: FormField, value: Any, day: date) -> str | None:
    return None if isinstance(value, bool) else "unknown"


def _check_choice(item: FormField, value: Any, day: date) -> str | None:
    return None if value in {choice.value for choice in item.choices} else "unknown"


def _check_text(item: FormField, value: Any, day: date) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return "too_long"
    return None if is_clean(value) else "control_characters"


_CHECKS: dict[str, Callable[[FormField, Any, date], str | None]] = {
    "integer": _check_number,
    "number": _check_number,
    "date": _check_date,
    "yes_no": _check_yes_no,
    "choice": _check_choice,
    "text": _check_text,
}
"""By `FormField.type`."""


def check_answers(
    forms: Mapping[str, FormDefinition], given: Mapping[str, Any], day: date
) -> dict[str, dict[str, Any]]:
    """Return the answers to store; empty answers and empty forms are dropped.

    Args:
        forms: By code.
        given: Form code -> {field: answer}.
        day: Day of the visit.

    Raises:
        ValidationError: `form.<code>` is unknown, or `form.<code>.<field>` is wrong.
    """
    problems: dict[str, str] = {}
    kept: dict[str, dict[str, Any]] = {}
    for code, answers in given.items():
        form = forms.get(code)
        if form is None or not isinstance(answers, Mapping):
            problems[f"form.{code}"] = "unknown"
            continue
        stored = {name: value for name, value in answers.items() if value is not None and value != ""}
        wrong = _wrong_answers(form, stored, day)
        problems |= {f"form.{code}.{name}": problem for name, problem in wrong.items()}
        if stored:
            kept[code] = stored
    if problems:
        raise ValidationError(problems)
    return kept


def _wrong_answers(form: FormDefinition, answers: Answers, day: date) -> dict[str, str]:
    """Return field -> problem code."""
    fields = {item.name: item for item in form.fields()}
    problems: dict[str, str] = {}
    for name, value in answers.items():
        problem = check_answer(fields[name], value, day) if name in fields else "unknown"
        if problem is not None:
            problems[name] = problem
    return problems
