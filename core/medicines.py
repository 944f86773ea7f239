"""Medicines as they are usually given here, and which ones an allergy speaks against. Pure."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from core.names import fold
from core.schemas.record import MedicineShape


@cache
def _shipped() -> tuple[MedicineShape, ...]:
    text = resources.files("core.data").joinpath("medicines.csv").read_text(encoding="utf-8")
    return tuple(MedicineShape(**row) for row in csv.DictReader(text.splitlines()))


@cache
def _groups() -> tuple[frozenset[str], ...]:
    """Folded names of substances that stand for each other in an allergy."""
    text = resources.files("core.data").joinpath("allergy_groups.toml").read_text(encoding="utf-8")
    return tuple(frozenset(fold(name) for name in group["names"]) for group in tomllib.loads(text)["group"])


def usual_medicines(text: str, own: Sequence[MedicineShape], limit: int) -> list[MedicineShape]:
    """Medicines with a word that begins with each word of the text, each name with its first dose.

    Args:
        text: As typed; empty gives the first of them.
        own: What this clinician prescribed, newest first.
        limit: At most so many.
    """
    words = fold(text).split()
    found: dict[str, MedicineShape] = {}
    for item in (*own, *_shipped()):
        name = f" {fold(item.medicine)}"
        if all(f" {word}" in name for word in words):
            found.setdefault(name, item)
    return list(found.values())[:limit]


def clashes(medicine: str, substances: Iterable[str]) -> list[str]:
    """Which of the patient's allergies speak against a medicine.

    By name (one contains the other), or because both belong to one group: who is allergic to
    penicillin is allergic to amoxicillin.

    Args:
        medicine: As prescribed, with strength and form.
        substances: Recorded allergies, as typed.
    """
    name = fold(medicine)
    against = []
    for substance in substances:
        allergy = fold(substance)
        shared = any(_names_one(group, name) and _names_one(group, allergy) for group in _groups())
        if allergy and (allergy in name or name in allergy or shared):
            against.append(substance)
    return against


def _names_one(group: frozenset[str], text: str) -> bool:
    return any(f" {name}" in f" {text}" for name in group)
