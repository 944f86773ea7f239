"""The person a complaint is about: age, sex and pregnancy from the record, else from the complaint."""

from __future__ import annotations

from dataclasses import dataclass

from core.complaints.facts import RoutingFacts
from core.complaints.reading.reader import Reading
from core.foundation.codes import Sex

_MONTHS_BY_CONCEPT = {"newborn": 0, "infant": 6, "toddler": 36, "elderly": 65 * 12}
"""Concept -> age in months that is assumed where the complaint says no figure; the first one said counts."""

_READ_DAYS_PER_MONTH = 30  # days; the reader counts 30 days for each month of a written age ("bayi 3 bulan")


@dataclass(frozen=True)
class Subject:
    """Person whom a complaint concerns, as far as the facts and the reading tell."""

    days: int | None
    """Whole days, None when no figure of the age is known."""
    months: int | None
    """Completed months, None when the age is not known."""
    years: int | None
    """Completed years, None when the age is not known."""
    sex: Sex | str | None
    is_pregnant: bool
    """True when the form or the complaint says so, and the sex does not forbid it."""
    is_marked_pregnant: bool
    """True when the form says so."""

    @staticmethod
    def of(facts: RoutingFacts, reading: Reading) -> Subject:
        """Return the person that the facts and the complaint describe; the facts come first."""
        months = facts.months if facts.months is not None else _months_said(reading)
        years = facts.years
        if years is None and months is not None:
            years = months // 12
        return Subject(
            days=facts.days if facts.days is not None else _days_said(reading),
            months=months,
            years=years,
            sex=facts.sex,
            is_pregnant=facts.pregnant or (facts.sex != Sex.MALE and _says_pregnant(reading)),
            is_marked_pregnant=facts.pregnant,
        )


def _days_said(reading: Reading) -> int | None:
    return None if reading.age_days is None else int(reading.age_days)


def _months_said(reading: Reading) -> int | None:
    """Return the age that the complaint tells: "anak 3 tahun", "bayi", "lansia"."""
    if reading.age_days is not None:
        # Half a day of slack, as for an age in days from the record.
        return int((reading.age_days + 0.5) // _READ_DAYS_PER_MONTH)
    return next((months for concept, months in _MONTHS_BY_CONCEPT.items() if reading.affirms(concept)), None)


def _says_pregnant(reading: Reading) -> bool:
    return any("pregnant" in o.concepts and not o.negated and o.is_current for o in reading.occurrences)
