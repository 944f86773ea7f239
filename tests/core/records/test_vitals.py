"""Vital signs: what is refused, what is only pointed at, by age."""

from __future__ import annotations

import pytest

from core.records import vital_signs

DAY, MONTH, YEAR = 1, 31, 366


@pytest.mark.parametrize(
    ("age_days", "values", "warned"),
    [
        (40 * YEAR, {"temperature": 36.5, "weight": 62, "height": 158}, {}),
        (40 * YEAR, {"weight": 620 / 2, "height": 58}, {"weight": "high", "height": "low"}),
        (3 * DAY, {"weight": 2.4, "height": 49, "head_circumference": 34}, {"weight": "low"}),
        (12 * MONTH, {"weight": 9.3, "height": 75, "head_circumference": 46, "arm_circumference": 14}, {}),
        (12 * MONTH, {"weight": 93, "arm_circumference": 12.4}, {"weight": "high", "arm_circumference": "low"}),
        (4 * YEAR, {"weight": 1.6, "height": 10.2 * 10}, {"weight": "low"}),
        (8 * YEAR, {"weight": 25, "height": 125}, {}),
        (8 * MONTH, {"pulse": 150, "respiration": 49}, {}),
        (8 * MONTH, {"pulse": 80, "respiration": 50}, {"pulse": "low", "respiration": "high"}),
        (40 * YEAR, {"pulse": 150, "respiration": 30}, {"pulse": "high", "respiration": "high"}),
        (40 * YEAR, {"systolic": 180, "oxygen_saturation": 89}, {"systolic": "danger", "oxygen_saturation": "danger"}),
    ],
)  # fmt: skip
def test_what_is_unusual_depends_on_the_age(
    age_days: int, values: dict[str, float], warned: dict[str, str]
) -> None:
    assert vital_signs.warnings(values, age_days) == warned


@pytest.mark.parametrize(
    "vital", [vital for vital in vital_signs.VITALS.values() if vital.soft], ids=lambda v: v.name
)
def test_ranges_follow_one_another_and_lie_within_what_is_possible(vital: vital_signs.Vital) -> None:
    ages = [limits.under_days for limits in vital.soft]
    assert ages == sorted(set(ages))
    assert all(vital.hard_low <= limits.low < limits.high <= vital.hard_high for limits in vital.soft)


def test_the_upper_pressure_is_above_the_lower() -> None:
    assert vital_signs.problems({"systolic": 80, "diastolic": 95}) == {"systolic": "not_above_diastolic"}
    assert vital_signs.problems({"systolic": 120, "diastolic": 80}) == {}
    assert vital_signs.problems({"systolic": 301, "diastolic": 310}) == {
        "systolic": "out_of_range", "diastolic": "out_of_range",
    }  # fmt: skip
