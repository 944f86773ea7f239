"""The answers of a specialised form as one Observation, a component each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.exchange.fhir import systems
from core.exchange.fhir.systems import Resource, concept
from core.foundation.languages import DEFAULT_LANGUAGE
from core.models import Encounter, Visit
from core.records.forms import Computed, FormDefinition, FormField, computed_values, visit_facts


def form_components(form: FormDefinition, visit: Visit, contact: Encounter) -> list[Resource]:
    """Return the answers as components, and the computed values that have a code of their own.

    Args:
        form: The definition of the form.
        visit: The visit that the record belongs to.
        contact: The encounter with one cluster.
    """
    answers: Mapping[str, Any] = contact.form.get(form.code, {})
    facts = visit_facts(
        birth_date=visit.patient.birth_date,
        sex=visit.patient.sex,
        pregnant=visit.pregnant,
        cluster=contact.cluster,
        day=visit.service_on,
        vitals=contact.vitals,
    )
    computed = computed_values(form, answers, facts, visit.service_on) if answers else {}
    made = [_component(item, answers[item.name]) for item in form.fields() if item.name in answers]
    return made + [
        _component(item, computed[item.name])
        for item in form.computed
        if item.loinc and item.name in computed
    ]


def _component(item: FormField | Computed, value: Any) -> Resource:
    code = concept(systems.LOINC, item.loinc) if item.loinc else {"text": item.label[DEFAULT_LANGUAGE]}
    return {"code": code, **_value(item, value)}


def _quantity(item: FormField | Computed, value: float) -> Resource:
    if item.ucum:
        return {"value": value, "system": systems.UCUM, "code": item.ucum}
    return {"value": value, "unit": item.unit} if item.unit else {"value": value}


def _value(item: FormField | Computed, value: Any) -> Resource:
    """Return an answer as the `value[x]` of its type."""
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, (int, float)):
        return {"valueQuantity": _quantity(item, value)}
    if isinstance(value, date):
        return {"valueDateTime": value.isoformat()}
    if isinstance(item, FormField) and item.type == "date":
        return {"valueDateTime": str(value)}
    if isinstance(item, FormField):
        label = next(
            (choice.label[DEFAULT_LANGUAGE] for choice in item.choices if choice.value == value), None
        )
        return {"valueString": label or str(value)}
    return {"valueString": str(value)}
