"""Reads the rules of a form against the facts of a visit: forms to offer, and suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.foundation.ages import age_in_months
from core.foundation.languages import DEFAULT_LANGUAGE, in_language
from core.records.forms.answers import Answers, computed_values
from core.records.forms.conditions import Facts
from core.records.forms.definitions import Colour, FormDefinition, FormRule

URGENCY: dict[Colour, int] = {"red": 0, "yellow": 1, "green": 2}


class FormSuggestion(BaseModel):
    """A rule that holds for this patient, in the reader's language."""

    model_config = ConfigDict(extra="forbid")

    group: str
    code: str
    colour: Colour
    title: str
    advice: str = ""


def visit_facts(
    *,
    birth_date: date,
    sex: str,
    pregnant: bool,
    cluster: str,
    day: date,
    vitals: Mapping[str, float],
    payer: str = "",
) -> dict[str, Any]:
    """Return the facts that do not come from a form.

    Args:
        birth_date: The patient's.
        sex: The patient's, as `core.foundation.codes.Sex`.
        pregnant: As said at this visit.
        cluster: Code of the cluster that the patient is in.
        day: Day of the visit.
        vitals: Vital name -> number in the vital's unit.
        payer: Who pays for the visit, as `core.foundation.codes.Payer`; empty where that is not asked about.
    """
    months = age_in_months(birth_date, day)
    return {
        **vitals,
        "age_months": months,
        "age_years": months // 12,
        "sex": sex,
        "pregnant": pregnant,
        "cluster": cluster,
        "payer": payer,
    }


def suggestions(
    form: FormDefinition, answers: Answers, facts: Facts, day: date, language: str = DEFAULT_LANGUAGE
) -> list[FormSuggestion]:
    """Return the suggestions of the form's rules, the most urgent first.

    Args:
        form: The form with the rules.
        answers: As typed so far.
        facts: As `visit_facts` returns them.
        day: Day of the visit.
        language: The reader's.
    """
    known = {**facts, **answers, **computed_values(form, answers, facts, day)}
    found: dict[str, FormRule] = {}
    for rule in form.rules:
        if rule.group not in found and rule.when.holds(known):
            found[rule.group] = rule
    return [
        FormSuggestion(
            group=rule.group,
            code=rule.code,
            colour=rule.colour,
            title=in_language(rule.title, language),
            advice=in_language(rule.advice, language),
        )
        for rule in sorted(found.values(), key=lambda rule: URGENCY[rule.colour])
    ]


def offered(forms: Mapping[str, FormDefinition], facts: Facts) -> Sequence[FormDefinition]:
    """Return the forms that are shown without being asked for."""
    return [form for form in forms.values() if form.possible.holds(facts) and form.offered.holds(facts)]
