"""The conditions of a clinic's own forms: what is no condition is refused, what is unknown holds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.records.forms.conditions import Condition


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "an empty condition"),
        ({"fact": "systolic"}, "compares it with nothing"),
        ({"count_of": [{"fact": "fever", "equals": True}]}, "count_of needs at_least"),
        ({"fact": "systolic", "above": 3}, "above"),
    ],
)
def test_what_is_no_condition_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Condition.model_validate(written)


@pytest.mark.parametrize(
    ("written", "holds", "does_not"),
    [
        ({"fact": "systolic", "at_least": 140}, [140, 190.5], [139.9, None, "", "tinggi", "150"]),
        ({"fact": "systolic", "at_least": 90, "below": 140}, [90, 139], [89, 140]),
        ({"fact": "fever", "equals": True}, [True], [False, None, "yes"]),
        ({"fact": "danger", "one_of": ["kejang", "sesak"]}, ["sesak"], ["batuk", "", None]),
        ({"fact": "systolic", "differs_from": "before"}, [119], [120, None]),
        ({"fact": "systolic", "differs_from": "never_asked"}, [], [119, 120]),
        ({"none_of": [{"fact": "systolic", "at_least": 140}]}, [139, None, "tinggi"], [140]),
    ],
)
def test_a_condition_holds_for_known_facts_alone(
    written: dict[str, Any], holds: list[Any], does_not: list[Any]
) -> None:
    condition = Condition.model_validate(written)
    name = written.get("fact") or "systolic"
    for value in holds:
        assert condition.holds({name: value, "before": 120}), value
    for value in does_not:
        assert not condition.holds({name: value, "before": 120}), value


def test_so_many_of_several_must_hold() -> None:
    signs = [{"fact": name, "equals": True} for name in ("fever", "rash", "cough")]
    condition = Condition.model_validate({"count_of": signs, "at_least": 2})
    assert condition.holds({"fever": True, "cough": True})
    assert not condition.holds({"fever": True, "rash": None})
