"""Vital signs: names, units and plausible ranges.

Hard limits refuse (a typing error), soft ones warn. Source: indonesia.md 10.1; the hard
limits are this project's own choice and wait for a clinician's review. Weight, height and head of
a child are unusual outside -3 to +3 SD of either sex between the band's first and last day
(Permenkes 2/2020, which takes WHO's standards; newborns: low birth weight); above five years the
bands only catch a slip of the comma.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import ValidationError

YEAR = 365.25  # days
ADULT = 10**6  # days: no upper limit
ADULT_FROM_DAYS = int(18 * YEAR)


@dataclass(frozen=True)
class Range:
    """Soft limits, both inclusive, for ages below `under_days`."""

    under_days: int
    low: float
    high: float


@dataclass(frozen=True)
class Vital:
    """One vital sign."""

    name: str
    label: str
    """English; the terminal translates it."""
    unit: str
    hard_low: float
    hard_high: float
    soft: tuple[Range, ...] = ()
    loinc: str | None = None
    ucum: str | None = None
    danger_below: float | None = None
    danger_from: float | None = None
    """Below, or from, these an adult is in danger now (indonesia.md 10.1)."""

    def is_danger(self, value: float, age_days: int) -> bool:
        """Whether an adult's value asks for help now."""
        if age_days < ADULT_FROM_DAYS and self.name != "oxygen_saturation":
            return False
        low = self.danger_below is not None and value < self.danger_below
        return low or (self.danger_from is not None and value >= self.danger_from)

    def soft_range(self, age_days: int) -> Range | None:
        """The range for an age, None when it depends on more than age."""
        return next((limits for limits in self.soft if age_days < limits.under_days), None)


VITALS: dict[str, Vital] = {
    vital.name: vital
    for vital in (
        Vital(
            "systolic", "Systolic", "mmHg", 40, 300,
            (Range(int(13 * YEAR), 80, 120), Range(ADULT, 90, 140)),
            "8480-6", "mm[Hg]", danger_from=180,
        ),
        Vital(
            "diastolic", "Diastolic", "mmHg", 20, 200,
            (Range(int(13 * YEAR), 45, 80), Range(ADULT, 60, 90)),
            "8462-4", "mm[Hg]", danger_from=110,
        ),
        Vital(
            "pulse", "Pulse", "/min", 20, 300,
            (
                Range(29, 100, 180), Range(366, 100, 160), Range(int(6 * YEAR), 80, 140),
                Range(int(13 * YEAR), 70, 120), Range(ADULT, 60, 100),
            ),
            "8867-4", "/min",
        ),
        Vital(
            "respiration", "Respiration", "/min", 4, 120,
            (Range(61, 30, 59), Range(366, 20, 49), Range(int(5 * YEAR), 18, 39), Range(ADULT, 12, 20)),
            "9279-1", "/min",
        ),
        Vital("temperature", "Temperature", "°C", 30, 45, (Range(ADULT, 36.0, 37.5),), "8310-5", "Cel"),
        Vital("oxygen_saturation", "SpO2", "%", 30, 100, (Range(ADULT, 95, 100),), "59408-5", "%", danger_below=90),
        Vital(
            "weight", "Weight", "kg", 0.4, 350,
            (
                Range(29, 2.5, 6.6), Range(92, 2.7, 9), Range(183, 4, 10.9), Range(366, 5.1, 13.3),
                Range(int(2 * YEAR), 6.3, 17.1), Range(int(5 * YEAR), 8.1, 29.5), Range(int(10 * YEAR), 12, 60),
                Range(int(18 * YEAR), 20, 110), Range(ADULT, 30, 150),
            ),
            "29463-7", "kg",
        ),
        Vital(
            "height", "Height", "cm", 20, 250,
            (
                Range(29, 43, 61), Range(183, 47, 74), Range(366, 58, 83), Range(int(2 * YEAR), 66, 97),
                Range(int(5 * YEAR), 76, 124), Range(int(10 * YEAR), 95, 158), Range(int(18 * YEAR), 115, 200),
                Range(ADULT, 130, 200),
            ),
            "8302-2", "cm",
        ),
        Vital("waist", "Waist", "cm", 20, 250, (), "8280-0", "cm"),
        Vital(
            "arm_circumference", "Arm circumference", "cm", 5, 60,
            (Range(183, 9, 18), Range(int(5 * YEAR), 12.5, 21), Range(ADULT, 23.5, 40)), "56072-2", "cm",
        ),
        Vital(
            "head_circumference", "Head circumference", "cm", 20, 70,
            (Range(29, 30, 41), Range(183, 33, 48), Range(366, 38, 50), Range(int(5 * YEAR), 40, 55)), "9843-4", "cm",
        ),
        Vital("glucose", "Glucose", "mg/dL", 20, 1000, (Range(ADULT, 70, 199),), "2339-0", "mg/dL"),
    )
}  # fmt: skip
"""By stable name, in the order of the form."""


def problems(values: Mapping[str, float]) -> dict[str, str]:
    """What is impossible among the values.

    Args:
        values: Vital name -> number in the vital's unit.

    Returns:
        Vital name -> `unknown`, `out_of_range`, or `not_above_diastolic`.
    """
    found = {}
    for name, value in values.items():
        vital = VITALS.get(name)
        if vital is None:
            found[name] = "unknown"
        elif not vital.hard_low <= value <= vital.hard_high:  # refuses NaN too
            found[name] = "out_of_range"
    if "systolic" in values and "diastolic" in values and values["systolic"] <= values["diastolic"]:
        found.setdefault("systolic", "not_above_diastolic")
    return found


def warnings(values: Mapping[str, float], age_days: int) -> dict[str, str]:
    """Point at what is unusual.

    Args:
        values: Vital name -> number in the vital's unit.
        age_days: Age at the visit.

    Returns:
        Vital name -> `low`, `high` or `danger`, only for values outside the soft range.
    """
    found = {}
    for name, value in values.items():
        vital = VITALS.get(name)
        limits = vital.soft_range(age_days) if vital is not None else None
        if vital is None or limits is None:
            continue
        if vital.is_danger(value, age_days):
            found[name] = "danger"
        elif value < limits.low:
            found[name] = "low"
        elif value > limits.high:
            found[name] = "high"
    return found


def check(values: Mapping[str, float]) -> None:
    """Refuse impossible values.

    Raises:
        ValidationError: `vitals.<name>`, as `problems` says.
    """
    found = problems(values)
    if found:
        raise ValidationError({f"vitals.{name}": problem for name, problem in found.items()})
