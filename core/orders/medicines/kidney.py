"""Kidney function: eGFR as an interval, from what the record holds. Pure.

Adults by CKD-EPI 2021 (Inker 2021), children by the bedside Schwartz formula (Schwartz 2009), which needs a height.
A result that is itself an interval (`<0,5`, `HI`) gives an interval; what is not known is the whole range, and every
limit then lies within it: neither well nor ill.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

ADULT_YEARS = 18
SCHWARTZ = 0.413
"""Factor of the bedside formula, for height in cm and creatinine in mg/dL."""
FEMALE = "female"
_EXPONENTS = {FEMALE: (0.7, -0.241, 1.012), "male": (0.9, -0.302, 1.0)}
"""Sex -> creatinine at the bend of the curve, exponent below it, factor."""


@dataclass(frozen=True, slots=True)
class KidneyFunction:
    """An estimate in ml/min/1.73 m2, and where it comes from."""

    least: float = 0.0
    most: float = inf
    said: str = ""
    """`kreatinin 2,1 mg/dL (12-11-2026): eGFR 34`; why it is not known; empty when nobody measured it."""

    @property
    def is_known(self) -> bool:
        """Return whether anything was measured that can be used."""
        return self.most < inf or self.least > 0

    def is_below(self, limit: float) -> bool:
        """Return whether it surely lies below a limit."""
        return self.most < limit

    def may_be_below(self, limit: float) -> bool:
        """Return whether it may lie below a limit, for all that is known."""
        return self.least < limit


UNKNOWN = KidneyFunction()
"""Nobody measured it."""


def from_creatinine(
    low: float, high: float, sex: str, age_years: int, height_cm: float | None
) -> KidneyFunction:
    """Return the estimate from a creatinine in mg/dL, which lies between two values.

    Args:
        low: The least that it may be.
        high: The most that it may be.
        sex: `Sex` code.
        age_years: On the day of the result.
        height_cm: Needed below 18 years.
    """
    if age_years < ADULT_YEARS and height_cm is None:
        return UNKNOWN

    def estimate(creatinine: float) -> float:
        if creatinine <= 0:
            return inf
        if creatinine == inf:
            return 0.0
        if age_years < ADULT_YEARS:
            return SCHWARTZ * float(height_cm or 0) / creatinine
        return _ckd_epi(creatinine, sex, age_years)

    return KidneyFunction(estimate(high), estimate(low))


def _ckd_epi(creatinine: float, sex: str, age_years: int) -> float:
    bend, exponent, factor = _EXPONENTS[sex]
    ratio = creatinine / bend
    estimated: float = 142 * min(ratio, 1) ** exponent * max(ratio, 1) ** -1.2 * 0.9938**age_years * factor
    return estimated
