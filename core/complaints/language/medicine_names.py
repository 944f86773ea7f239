"""The names of medicines, from the clinic's medicine list, so that a complaint may call one by any of them.

In:  "habis minum co amoxiclav bibir bengkak".
Out: "co amoxiclav" is a medicine, as "obat" is.

Vaccines, contraceptives, vitamins and solutions are left out: most have a service or a meaning of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from core.complaints.language.tokenizer import tokenize

CONCEPT = "drug"
"""Concept of every medicine by its name."""

THINNER_CONCEPT = "blood_thinner"
"""Concept of the medicines after which a bleeding does not stop by itself."""

_OTHER_ERRANDS = ("J06", "J07", "G03A", "V", "B05", "P02", "A07C", "A11", "A12", "B03", "D08")
"""ATC groups of sera, vaccines, contraceptives, infusions, worm cures, rehydration, vitamins, minerals and antiseptics."""
_THINNERS = ("B01A",)
"""ATC group of the antithrombotic agents."""
_SHORTEST_NAME = 5
"""Letters of the shortest name: "tt", "fe" and "rl" are other things too."""


@cache
def medicine_names() -> Mapping[str, tuple[str, ...]]:
    """Return concept -> the names and phrases that say it."""
    names: dict[str, None] = {}
    thinners: dict[str, None] = {}
    for row in _rows("ingredients.csv"):
        if row["atc"].startswith(_OTHER_ERRANDS):
            continue
        called = ";".join((row["ingredient"], row["inn"], row["brands"], row["spellings"]))
        found = dict.fromkeys(_usable(called))
        names |= found
        if row["atc"].startswith(_THINNERS):
            thinners |= found
    for row in _rows("combinations.csv"):
        if "besi" not in row["ingredients"]:
            names |= dict.fromkeys(_usable(row["names"]))
    return {CONCEPT: tuple(names), THINNER_CONCEPT: tuple(thinners)}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with resources.files("core").joinpath("data", name).open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _usable(names: str) -> Iterator[str]:
    """Yield the names between semicolons that are words only, lower case, and long enough to be no other thing."""
    for name in names.split(";"):
        tokens = list(tokenize(name))
        written = " ".join(word for _, word in tokens)
        if len(written) >= _SHORTEST_NAME and all(kind == "word" for kind, _ in tokens):
            yield written
