"""The answers of the clusters' forms (pregnancy, sick child) in words, for a section of the summary.

SATUSEHAT's outpatient guide has one questionnaire, the review of a prescription, which is not recorded here; for the
clusters' forms it has none, and an answer without a code of the guide is no Observation there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from core.foundation.languages import DEFAULT_LANGUAGE
from core.records.forms import FormDefinition, FormField
from core.records.pcare_form import FORM

AS_CODES = frozenset({FORM})
"""Forms whose answers go as resources of their own."""
STAYS = frozenset({"hiv"})
"""Answers that no summary tells whoever opens it: the state of HIV is reported to its own programme."""
YES, NO = "ya", "tidak"


def in_words(
    forms: Mapping[str, FormDefinition], answers: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Yield title and text, a line an answer, of each form that was filled in.

    Args:
        forms: The clinic's forms by code.
        answers: Form code -> field -> answer, as the record has them.
    """
    for code, form in forms.items():
        given = answers.get(code) or {}
        lines = [
            f"{field.label[DEFAULT_LANGUAGE]}: {_answer(field, given[field.name])}"
            for field in form.fields()
            if field.name not in STAYS and given.get(field.name) not in (None, "")
        ]
        if lines and code not in AS_CODES:
            yield form.title[DEFAULT_LANGUAGE], "\n".join(lines)


def _answer(field: FormField, value: Any) -> str:
    """Return one answer as the form shows it.

    Args:
        field: The question.
        value: The stored answer.
    """
    if isinstance(value, bool):
        return YES if value else NO
    if field.type == "choice":
        labels = {choice.value: choice.label[DEFAULT_LANGUAGE] for choice in field.choices}
        return labels.get(value, str(value))
    if field.type == "date":
        return date.fromisoformat(str(value)).strftime("%d-%m-%Y")
    text = f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)
    return f"{text} {field.unit}".strip()
