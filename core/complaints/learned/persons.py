"""Say of a person what every learned model hears besides the words: age band, sex and pregnancy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.complaints.facts import RoutingFacts

AGE_BANDS = ((28, "newborn"), (365, "infant"), (1826, "toddler"), (6574, "child"), (21914, "adult"))
"""(days, exclusive; name), youngest first: to one month, one, five, eighteen and sixty years; then `OLDEST`."""
OLDEST = "elderly"
UNKNOWN = "?"
"""Stands for an age or a sex that is not known."""


def age_band(days: int | None) -> str:
    """Return the name of the age band; `UNKNOWN` without an age."""
    if days is None:
        return UNKNOWN
    return next((name for limit, name in AGE_BANDS if days < limit), OLDEST)


def person_features(facts: RoutingFacts, band: str) -> Iterator[str]:
    """Yield what a model hears of a person: `age:child`, `sex:female`, `pregnant`.

    Args:
        facts: Of the visit.
        band: The age band, by the form or by the complaint.
    """
    yield f"age:{band}"
    yield f"sex:{facts.sex or UNKNOWN}"
    if facts.pregnant:
        yield "pregnant"
