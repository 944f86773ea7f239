"""The medicines that are known: products with their usual dose, and ingredients with all their names. Pure."""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from core.orders.medicines.folding import fold_words

Ingredients = frozenset[str]
_learned: dict[str, Ingredients] = {}
"""Brands of the clinic's own import -> their ingredients."""


@dataclass(frozen=True, slots=True)
class Product:
    """A medicine as it stands on the shelf, with the dose usually given to an adult."""

    medicine: str
    ingredients: Ingredients
    form: str
    """`tablet`, `sirup`, `tetes`, `injeksi`, ... as the list names it."""
    route: str
    dose: str
    frequency: str
    amount: str
    instructions: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A substance: its name here, its ATC code, and all it is called."""

    name: str
    atc: str
    names: tuple[str, ...]
    """Name here, international name, brands and usual spellings."""


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a shipped table."""
    text = resources.files("core.data").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def document(name: str) -> dict[str, Any]:
    """Return a shipped TOML document."""
    return tomllib.loads(resources.files("core.data").joinpath(name).read_text(encoding="utf-8"))


@cache
def products() -> tuple[Product, ...]:
    """Return the list that ships."""
    return tuple(
        Product(**{**row, "ingredients": frozenset(row["ingredients"].split("+"))})  # type: ignore[arg-type]
        for row in rows("medicines.csv")
    )


@cache
def ingredients() -> Mapping[str, Ingredient]:
    """Return name -> ingredient."""
    found = {}
    for row in rows("ingredients.csv"):
        names = (row["ingredient"], row["inn"], *row["brands"].split(";"), *row["spellings"].split(";"))
        found[row["ingredient"]] = Ingredient(row["ingredient"], row["atc"], tuple(filter(None, names)))
    return found


@cache
def names() -> Mapping[str, Ingredients]:
    """Return every folded name, words run together -> the ingredients that it stands for.

    A name of two ingredients (a brand that holds both) stands for both.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for ingredient in ingredients().values():
        for name in ingredient.names:
            found[name_key(fold_words(name))].add(ingredient.name)
    for product in products():
        found[name_key(fold_words(product.medicine))] = set(product.ingredients)
    for name, ingredients_of in _combined():
        found[name_key(fold_words(name))] = set(ingredients_of)
    for brand, held in _learned.items():
        found.setdefault(name_key(fold_words(brand)), set(held))
    return {key: frozenset(value) for key, value in found.items()}


def set_learned(brands: Mapping[str, Ingredients]) -> None:
    """Take these brands beside the names that ship: see `core.orders.medicines.learned_names`."""
    _learned.clear()
    _learned.update(brands)
    names.cache_clear()
    names_by_length.cache_clear()


def _combined() -> Iterator[tuple[str, list[str]]]:
    for row in rows("combinations.csv"):
        for name in row["names"].split(";"):
            yield name, row["ingredients"].split("+")


def name_key(words: Sequence[str]) -> str:
    """Return words run together, so that a space more or less makes no other name.

    Two numbers stay apart: `b1 2 mg` is not `b12`.
    """
    key = ""
    for word in words:
        apart = bool(key) and key[-1].isdigit() and word[0].isdigit()
        key += f" {word}" if apart else word
    return key


@cache
def names_by_length() -> Mapping[int, tuple[str, ...]]:
    """Return length -> folded names of that length: only those can be one slip away."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for key in names():
        found[len(key)].append(key)
    return {length: tuple(keys) for length, keys in found.items()}


@cache
def words(section: str) -> frozenset[str]:
    """Return the folded words of a section of `medicine_words.toml`."""
    listed: str | list[str] = document("medicine_words.toml")[section]
    texts: Iterable[str] = listed.split() if isinstance(listed, str) else listed
    return frozenset(name_key(fold_words(text)) for text in texts)
