"""The answers of a specialised form as one Observation, a component each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.fhir import systems
from core.fhir.systems import Resource, concept
from core.forms import Computed, Form, FormField, computed_values, visit_facts
from core.models import Encounter, Visit


def form_components(form: Form, visit: Visit, contact: Encounter) -> list[Resource]:
    """What was answered, and what follows from it where that has a code of its own."""
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
    code = concept(systems.LOINC, item.loinc) if item.loinc else {"text": item.label_id}
    return {"code": code, **_value(item, value)}


def _value(item: FormField | Computed, value: Any) -> Resource:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, (int, float)):
        quantity: Resource = {"value": value}
        if item.ucum:
            quantity |= {"system": systems.UCUM, "code": item.ucum}
        elif item.unit:
            quantity |= {"unit": item.unit}
        return {"valueQuantity": quantity}
    if isinstance(value, date):
        return {"valueDateTime": value.isoformat()}
    if isinstance(item, FormField) and item.type == "date":
        return {"valueDateTime": str(value)}
    if isinstance(item, FormField):
        label = next((choice.label_id for choice in item.choices if choice.value == value), None)
        return {"valueString": label or str(value)}
    return {"valueString": str(value)}
