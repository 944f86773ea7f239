"""Laboratory tests with their units, ranges and critical limits. Pure.

Tests, units and ranges are data (`core/data/laboratory.toml`). A result is judged by the range
for the patient's sex, age and pregnancy at the visit; a range typed by the laboratory replaces it.
`core.orders.laboratory_results` judges.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.foundation.codes import Sex
from core.foundation.languages import DEFAULT_LANGUAGE, SOURCE_LANGUAGE, LocalizedText
from core.linkage.names import fold
from core.schemas.localized import LocalizedModel
from core.schemas.record import LabTestOut


class PatientGroup(BaseModel):
    """The patients that a range or a limit applies to."""

    model_config = ConfigDict(extra="forbid")

    sex: Sex | None = None
    from_years: float = 0
    under_years: float | None = None
    pregnant: bool | None = None

    def fits(self, sex: str, age_years: float, pregnant: bool) -> bool:
        """Return whether it applies to a patient.

        Args:
            sex: `Sex` code.
            age_years: Age at the visit, with its fraction.
            pregnant: As said at the visit.
        """
        fits_age = self.from_years <= age_years and (self.under_years is None or age_years < self.under_years)
        return fits_age and self.sex in {None, sex} and self.pregnant in {None, pregnant}


class CriticalLimits(PatientGroup):
    """Values, in the unit of the list, that somebody must be told of at once."""

    below: float | None = None
    """A value below it is critical."""
    above: float | None = None
    """A value above it is critical."""
    source: str
    """Where the limit is from."""


class ReferenceRange(PatientGroup):
    """A normal range, both ends inclusive, and the patients it applies to."""

    low: float | None = None
    high: float | None = None

    def text(self) -> str:
        """Return `12-16`, `<=199` or `>=40`, with a decimal comma as it is printed in Indonesia."""
        low, high = _printed(self.low), _printed(self.high)
        if low and high:
            return f"{low}-{high}"
        if high:
            return f"<={high}"
        return f">={low}" if low else ""


def _printed(number: float | None) -> str:
    return "" if number is None else f"{number:g}".replace(".", ",")


class LabTest(LocalizedModel):
    """One test of the list."""

    title: LocalizedText
    words: str = ""
    """Other words it is asked for by."""
    unit: str = ""
    loinc: str | None = None
    choices: tuple[str, ...] = ()
    """The answers of a test that gives no number."""
    normal: tuple[str, ...] = ()
    """Those of `choices` that are normal."""
    ranges: tuple[ReferenceRange, ...] = ()
    """The first that fits is the patient's."""
    possible: tuple[float, float] | None = None
    """CriticalLimits of a number in `unit`, both inclusive; beyond them the comma or the unit is wrong."""
    critical: tuple[CriticalLimits, ...] = ()
    """The first that fits is the patient's."""
    critical_choices: tuple[str, ...] = ()
    """Those of `choices` that somebody must be told of at once."""
    meter: tuple[float, float] | None = None
    """Range of the meter, in `unit`; beyond it the meter shows LO or HI."""
    units: dict[str, float] = {}
    """Other unit -> factor that turns its number into `unit`; only conversions that are certain."""
    usual: int = 0
    """How often it is ordered; higher comes first."""

    @property
    def name(self) -> str:
        """The title that orders are stored under."""
        return self.title[DEFAULT_LANGUAGE]

    @property
    def is_numeric(self) -> bool:
        """True where it gives a number."""
        return bool(self.ranges or self.possible)

    def critical_for(self, sex: str, age_years: float, pregnant: bool) -> tuple[CriticalLimits, ...]:
        """Return the first critical limits that apply to a patient; empty where there are none.

        Args:
            sex: `Sex` code.
            age_years: Age at the visit, with its fraction.
            pregnant: As said at the visit.
        """
        return tuple(item for item in self.critical if item.fits(sex, age_years, pregnant))[:1]

    def range_for(self, sex: str, age_years: float, pregnant: bool) -> ReferenceRange | None:
        """Return the first range that applies to a patient; None where there is none.

        Args:
            sex: `Sex` code.
            age_years: Age at the visit, with its fraction.
            pregnant: As said at the visit.
        """
        return next((item for item in self.ranges if item.fits(sex, age_years, pregnant)), None)


@cache
def _data() -> dict[str, Any]:
    text = resources.files("core.data").joinpath("laboratory.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def tests() -> dict[str, LabTest]:
    """Return every test by its name, the most usual first."""
    found = [LabTest.model_validate(item) for item in _data()["test"]]
    return {test.name: test for test in sorted(found, key=lambda test: -test.usual)}


@cache
def _unit_names() -> dict[str, str]:
    """Return every spelling of a unit, in short -> the unit as the list writes it."""
    found = {}
    for unit, spellings in _data()["units"].items():
        for spelling in [unit, *spellings.split(",")]:
            found[_short(spelling)] = unit
    return found


def _short(unit: str) -> str:
    """Return a unit without what is written differently: `10³ / µL` -> `103/ul`."""
    plain = unit.casefold().replace("µ", "u").replace("μ", "u").replace("³", "3").replace("⁶", "6")
    return "".join(character for character in plain if character.isalnum() or character in "/%")


def unit_factor(test: LabTest, unit: str) -> float | None:
    """Return the factor that turns a number in this unit into one of the list's; None where none is certain.

    Args:
        test: Of the list.
        unit: As typed; empty for the list's own.
    """
    if not unit.strip() or _short(unit) == _short(test.unit):
        return 1.0
    known = _unit_names().get(_short(unit))
    if known is not None and _short(known) == _short(test.unit):
        return 1.0
    by_name = {_short(name): factor for name, factor in test.units.items()}
    return by_name.get(_short(unit), by_name.get(_short(known)) if known else None)


def find_tests(text: str, limit: int = 20) -> list[LabTestOut]:
    """Return the tests with a word that begins with each word of the text, the most usual first."""
    words = fold(text).split()
    found = []
    for test in tests().values():
        searched = f" {fold(' '.join([*test.title.values(), test.words]))}"
        if all(f" {word}" in searched for word in words):
            found.append(
                LabTestOut(test=test.name, title_en=test.title.get(SOURCE_LANGUAGE, ""), unit=test.unit)
            )
    return found[:limit]
