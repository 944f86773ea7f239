"""Allergies at BPJS: one code each for food, air and medicine, from three lists that somebody chose from. Pure.

A code is written with its list: `01/02` is the second of the list of food. What is not mapped is never guessed from
the words.

Source: docs/reference/bpjs.md 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALLERGY = "allergy"
"""Kind of such a code among the clinic's."""
LISTS = {"01": "allergy_food", "02": "allergy_air", "03": "allergy_drug"}
"""BPJS's number of a list -> the kind under which it is kept."""
FIELDS = {"01": "alergiMakan", "02": "alergiUdara", "03": "alergiObat"}
"""BPJS's number of a list -> the field of a visit."""
TITLES = {"01": "Makanan", "02": "Udara", "03": "Obat"}
"""BPJS's number of a list -> what BPJS calls it."""
NONE = "00"
NOT_LISTED = "-"
"""Said of what BPJS's list does not have."""


@dataclass(frozen=True)
class AllergyItem:
    """One item of the three lists."""

    code: str
    """With its list: `01/02`."""
    name: str


def fields(
    substances: Iterable[str], codes: Mapping[str, str], *, none_known: bool
) -> tuple[dict[str, str | None], list[str]]:
    """Return the fields of a visit, and the substances that have no code yet.

    BPJS holds one of each list: the first that was recorded. An empty field is left open, not called free of allergies.

    Args:
        substances: The patient's, as recorded, oldest first.
        codes: Folded substance -> code with its list, or `NOT_LISTED`.
        none_known: Whether the patient was asked and knew of none.
    """
    found: dict[str, str | None] = dict.fromkeys(FIELDS.values(), NONE if none_known else None)
    unmapped = []
    for substance in substances:
        code = codes.get(fold(substance))
        if code is None:
            unmapped.append(substance)
            continue
        number, _slash, value = code.partition("/")
        if number in FIELDS and found[FIELDS[number]] is None:
            found[FIELDS[number]] = value
    return found, unmapped


def fold(name: str) -> str:
    """Return the name of a medicine or an allergy as it is looked up."""
    return " ".join(name.casefold().split())
