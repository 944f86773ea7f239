"""The laboratory's list: what can be tested, in which unit, and how a result reads. Pure.

Tests, units and ranges are data (`core/data/laboratory.toml`). A result is judged by the range
for the patient's sex, age and pregnancy at the visit; a range that the laboratory types itself
stands instead.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from core.names import fold
from core.schemas.record import LabTestShape
from core.vocabulary import Sex

YEAR = 365.25  # days
NUMBER = re.compile(r"^[<>]?\s*(\d{1,7}(?:[.,]\d{1,4})?)$")
TYPED_RANGE = re.compile(r"^(?:(\d+(?:[.,]\d+)?)\s*-\s*(\d+(?:[.,]\d+)?)|([<>]=?)\s*(\d+(?:[.,]\d+)?))$")


class Range(BaseModel):
    """Where a number is normal, both ends inclusive, and for whom."""

    model_config = ConfigDict(extra="forbid")

    low: float | None = None
    high: float | None = None
    sex: Sex | None = None
    from_years: float = 0
    under_years: float | None = None
    pregnant: bool | None = None

    def fits(self, sex: str, age_years: float, pregnant: bool) -> bool:
        """Whether it is the range of such a patient."""
        return (
            (self.sex is None or self.sex == sex)
            and self.from_years <= age_years
            and (self.under_years is None or age_years < self.under_years)
            and (self.pregnant is None or self.pregnant == pregnant)
        )

    def text(self) -> str:
        """`12-16`, `<=199` or `>=40`, with a decimal comma as it is printed here."""
        low = f"{self.low:g}".replace(".", ",") if self.low is not None else ""
        high = f"{self.high:g}".replace(".", ",") if self.high is not None else ""
        if low and high:
            return f"{low}-{high}"
        return f"<={high}" if high else f">={low}" if low else ""


class LabTest(BaseModel):
    """One test of the list."""

    model_config = ConfigDict(extra="forbid")

    title_id: str
    title_en: str = ""
    words: str = ""
    """Other words it is asked for by."""
    unit: str = ""
    loinc: str | None = None
    choices: tuple[str, ...] = ()
    """The answers of a test that gives no number."""
    normal: tuple[str, ...] = ()
    """Those of `choices` that are normal."""
    ranges: tuple[Range, ...] = ()
    """The first that fits is the patient's."""
    possible: tuple[float, float] | None = None
    """What a number can be in `unit`; beyond it is a slip of the comma or of the unit."""
    usual: int = 0

    def range_for(self, sex: str, age_years: float, pregnant: bool) -> Range | None:
        """The range of such a patient, None where there is none."""
        return next((item for item in self.ranges if item.fits(sex, age_years, pregnant)), None)


@cache
def tests() -> dict[str, LabTest]:
    """Every test by its Indonesian title, the usual ones first."""
    text = resources.files("core.data").joinpath("laboratory.toml").read_text(encoding="utf-8")
    found = [LabTest.model_validate(item) for item in tomllib.loads(text)["test"]]
    return {test.title_id: test for test in sorted(found, key=lambda test: -test.usual)}


def find_tests(text: str, limit: int = 20) -> list[LabTestShape]:
    """Tests with a word that begins with each word of the text; the usual ones first."""
    words = fold(text).split()
    found = []
    for test in tests().values():
        said = f" {fold(f'{test.title_id} {test.title_en} {test.words}')}"
        if all(f" {word}" in said for word in words):
            found.append(LabTestShape(test=test.title_id, title_en=test.title_en, unit=test.unit))
    return found[:limit]


def interpret(test: str, result: str, reference: str) -> str | None:
    """How a result reads: `low`, `high`, `normal`, `abnormal`; None when it cannot be said.

    Args:
        test: As ordered.
        result: As typed.
        reference: `12-16`, `<200`, `<=199`, `>40`, `>=40`, or normal answers parted by `/`.
    """
    listed = tests().get(test)
    if listed is not None and listed.choices:
        if not listed.normal or result not in listed.choices:
            return None
        return "normal" if result in listed.normal else "abnormal"
    number, limits = NUMBER.match(result.strip()), TYPED_RANGE.match(reference.strip())
    if number is None or limits is None:
        return None
    value = _number(number[1])
    if limits[3]:
        edge = _number(limits[4])
        if value == edge and limits[3].endswith("="):
            return "normal"
        if limits[3].startswith("<"):
            return "high" if value >= edge else "normal"
        return "low" if value <= edge else "normal"
    low, high = _number(limits[1]), _number(limits[2])
    return "low" if value < low else "high" if value > high else "normal"


def is_possible(test: str, result: str, unit: str) -> bool:
    """Whether a result can be true; words, tests outside the list and other units always can.

    Args:
        test: As ordered.
        result: As typed.
        unit: As typed, or the list's.
    """
    listed, number = tests().get(test), NUMBER.match(result.strip())
    if listed is None or listed.possible is None or number is None or unit.strip() not in {"", listed.unit}:
        return True
    lowest, highest = listed.possible
    return lowest <= _number(number[1]) <= highest


def _number(text: str) -> float:
    return float(text.replace(",", "."))
