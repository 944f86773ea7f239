"""Vital signs: names, units and plausible ranges.

Hard limits refuse a value (a typing error), soft ones warn. Weight, height and head of a child are
unusual outside -3 to +3 SD of either sex between the band's first and last day; above five years
the bands only catch a misplaced decimal comma.

Source: docs/reference/indonesia.md 10.1; for children Permenkes 2/2020, which takes WHO's standards
(newborns: low birth weight). The hard limits are Loket's own and await a clinician's review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.foundation.ages import DAYS_PER_YEAR
from core.foundation.errors import ValidationError

YEAR = DAYS_PER_YEAR
ADULT = 10**6  # days, beyond any age: no upper limit
ADULT_FROM_DAYS = int(18 * YEAR)


@dataclass(frozen=True)
class PlausibleRange:
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
    soft: tuple[PlausibleRange, ...] = ()
    loinc: str | None = None
    ucum: str | None = None
    snomed: str | None = None
    """For what LOINC names only with a side that nobody recorded."""
    danger_below: float | None = None
    danger_from: float | None = None
    """Limits of danger for an adult: below the one, from the other (docs/reference/indonesia.md 10.1)."""

    @property
    def code(self) -> str | None:
        """The code by which it is sent: LOINC's, else SNOMED's."""
        return self.loinc or self.snomed

    def is_danger(self, value: float, age_days: int) -> bool:
        """Return whether the value needs help now: an adult's, or a low oxygen saturation at any age.

        Args:
            value: In the vital's unit.
            age_days: Age at the visit.
        """
        if age_days < ADULT_FROM_DAYS and self.name != "oxygen_saturation":
            return False
        is_low = self.danger_below is not None and value < self.danger_below
        return is_low or (self.danger_from is not None and value >= self.danger_from)

    def warning(self, value: float, age_days: int) -> str | None:
        """Return `danger`, `low` or `high`; None for a usual value, and where age alone sets no range.

        Args:
            value: In the vital's unit.
            age_days: Age at the visit.
        """
        limits = self.soft_range(age_days)
        if limits is None:
            return None
        if self.is_danger(value, age_days):
            return "danger"
        if value < limits.low:
            return "low"
        return "high" if value > limits.high else None

    def soft_range(self, age_days: int) -> PlausibleRange | None:
        """Return the range for an age; None when it depends on more than age."""
        return next((limits for limits in self.soft if age_days < limits.under_days), None)


VITALS: dict[str, Vital] = {
    vital.name: vital
    for vital in (
        Vital(
            "systolic", "Systolic", "mmHg", 40, 300,
            (PlausibleRange(int(13 * YEAR), 80, 120), PlausibleRange(ADULT, 90, 140)),
            "8480-6", "mm[Hg]", danger_from=180,
        ),
        Vital(
            "diastolic", "Diastolic", "mmHg", 20, 200,
            (PlausibleRange(int(13 * YEAR), 45, 80), PlausibleRange(ADULT, 60, 90)),
            "8462-4", "mm[Hg]", danger_from=110,
        ),
        Vital(
            "pulse", "Pulse", "/min", 20, 300,
            (
                PlausibleRange(29, 100, 180), PlausibleRange(366, 100, 160), PlausibleRange(int(6 * YEAR), 80, 140),
                PlausibleRange(int(13 * YEAR), 70, 120), PlausibleRange(ADULT, 60, 100),
            ),
            "8867-4", "/min",
        ),
        Vital(
            "respiration", "Respiration", "/min", 4, 120,
            (PlausibleRange(61, 30, 59), PlausibleRange(366, 20, 49), PlausibleRange(int(5 * YEAR), 18, 39), PlausibleRange(ADULT, 12, 20)),
            "9279-1", "/min",
        ),
        Vital("temperature", "Temperature", "°C", 30, 45, (PlausibleRange(ADULT, 36.0, 37.5),), "8310-5", "Cel"),
        Vital("oxygen_saturation", "SpO2", "%", 30, 100, (PlausibleRange(ADULT, 95, 100),), "59408-5", "%", danger_below=90),
        Vital(
            "weight", "Weight", "kg", 0.4, 350,
            (
                PlausibleRange(29, 2.5, 6.6), PlausibleRange(92, 2.7, 9), PlausibleRange(183, 4, 10.9), PlausibleRange(366, 5.1, 13.3),
                PlausibleRange(int(2 * YEAR), 6.3, 17.1), PlausibleRange(int(5 * YEAR), 8.1, 29.5), PlausibleRange(int(10 * YEAR), 12, 60),
                PlausibleRange(int(18 * YEAR), 20, 110), PlausibleRange(ADULT, 30, 150),
            ),
            "29463-7", "kg",
        ),
        Vital(
            "height", "Height", "cm", 20, 250,
            (
                PlausibleRange(29, 43, 61), PlausibleRange(183, 47, 74), PlausibleRange(366, 58, 83), PlausibleRange(int(2 * YEAR), 66, 97),
                PlausibleRange(int(5 * YEAR), 76, 124), PlausibleRange(int(10 * YEAR), 95, 158), PlausibleRange(int(18 * YEAR), 115, 200),
                PlausibleRange(ADULT, 130, 200),
            ),
            "8302-2", "cm",
        ),
        Vital("waist", "Waist", "cm", 20, 250, (), "8280-0", "cm"),
        Vital(
            "arm_circumference", "Arm circumference", "cm", 5, 60,
            (PlausibleRange(183, 9, 18), PlausibleRange(int(5 * YEAR), 12.5, 21), PlausibleRange(ADULT, 23.5, 40)),
            ucum="cm", snomed="284473002",
        ),
        Vital(
            "head_circumference", "Head circumference", "cm", 20, 70,
            (PlausibleRange(29, 30, 41), PlausibleRange(183, 33, 48), PlausibleRange(366, 38, 50), PlausibleRange(int(5 * YEAR), 40, 55)), "9843-4", "cm",
        ),
        Vital("glucose", "Glucose", "mg/dL", 20, 1000, (PlausibleRange(ADULT, 70, 199),), "2339-0", "mg/dL"),
    )
}  # fmt: skip
"""By stable name, in the order of the form."""


def problems(values: Mapping[str, float]) -> dict[str, str]:
    """Return the problems of impossible values.

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
    pressures = [values[name] for name in ("diastolic", "systolic") if name in values]
    if len(pressures) == 2 and pressures[1] <= pressures[0]:
        found.setdefault("systolic", "not_above_diastolic")
    return found


def warnings(values: Mapping[str, float], age_days: int) -> dict[str, str]:
    """Return the warnings of unusual values.

    Args:
        values: Vital name -> number in the vital's unit.
        age_days: Age at the visit.

    Returns:
        Vital name -> `low`, `high` or `danger`, only for values outside the soft range.
    """
    found: dict[str, str] = {}
    for name, value in values.items():
        vital = VITALS.get(name)
        warning = vital.warning(value, age_days) if vital is not None else None
        if warning is not None:
            found[name] = warning
    return found


def check(values: Mapping[str, float]) -> None:
    """Refuse impossible values.

    Raises:
        ValidationError: `vitals.<name>`, with the code from `problems`.
    """
    found = problems(values)
    if found:
        raise ValidationError({f"vitals.{name}": problem for name, problem in found.items()})
