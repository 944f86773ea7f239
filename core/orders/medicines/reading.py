"""Reads a medicine as it was typed: which ingredients it names, and what could not be read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Ingredients, Product
from core.orders.medicines.folding import fold_words, one_slip

LONGEST_NAME = 9
"""Words of the longest name, letters and numbers parted."""
NOTHING: Ingredients = frozenset()


@dataclass(frozen=True, slots=True)
class Words:
    """Names found in the words of a text."""

    ingredients: Ingredients
    labels: frozenset[str]
    """Other names that were looked for: classes of medicines, foods, ..."""
    unread: tuple[str, ...]
    """Words, folded, that say nothing known."""
    guessed: bool
    """A name was read although it is one slip away."""


@dataclass(frozen=True, slots=True)
class MedicineReading:
    """Reading of a typed medicine."""

    ingredients: Ingredients
    unread: tuple[str, ...]
    """Words, folded, that say nothing known: they may name another ingredient."""
    guessed: bool
    """A name was read although it is one slip away."""

    @property
    def is_read(self) -> bool:
        """True where every ingredient is known; what is not read cannot be checked."""
        return bool(self.ingredients) and not self.unread

    @property
    def certain(self) -> bool:
        """True where it was read as it was typed."""
        return self.is_read and not self.guessed

    @property
    def products(self) -> tuple[Product, ...]:
        """The products that hold these ingredients and no other."""
        return tuple(each for each in catalogue.products() if each.ingredients == self.ingredients)


@lru_cache(maxsize=2000)
def read_medicine(text: str) -> MedicineReading:
    """Return the ingredients that a typed medicine names, and the words that name nothing known.

    Args:
        text: As typed, with strength, form, brand or abbreviation.
    """
    read = read_words(text, {}, frozenset(), catalogue.words("made") | catalogue.words("colours"))
    return MedicineReading(read.ingredients, read.unread, read.guessed)


def read_words(
    text: str, labels: Mapping[str, str], forgiven: frozenset[str], ignored: frozenset[str]
) -> Words:
    """Return what the words of a text name: at each word the longest name, one slip forgiven.

    Args:
        text: As typed.
        labels: Folded names beside those of medicines -> what they stand for.
        forgiven: What of that is also read where the name is one slip away.
        ignored: Folded words that name nothing.
    """
    words = fold_words(text)
    found: set[str] = set()
    seen: set[str] = set()
    unread: list[str] = []
    guessed = False
    at = 0
    while at < len(words):
        length, key, slipped = _longest(words[at : at + LONGEST_NAME], labels, forgiven, ignored)
        found |= catalogue.names().get(key, NOTHING)
        seen |= {labels[key]} & set(labels.values()) if key in labels else set()
        if not length and not _is_ignored(words[at], ignored):
            unread.append(words[at])
        guessed = guessed or slipped
        at += length or 1
    return Words(frozenset(found), frozenset(seen), tuple(unread), guessed)


def _longest(
    words: tuple[str, ...], labels: Mapping[str, str], forgiven: frozenset[str], ignored: frozenset[str]
) -> tuple[int, str, bool]:
    """Return how many words the longest name at the beginning takes, the name, and whether it slipped."""
    known = catalogue.names()
    starts = [catalogue.name_key(words[:length]) for length in range(len(words), 0, -1)]
    for key, length in zip(starts, range(len(words), 0, -1), strict=True):
        if key in known or key in labels or key in catalogue.words("makers"):
            return length, key, False
    if _is_ignored(words[0], ignored) or words[0] in _everyday():
        return 0, "", False
    for key, length in zip(starts, range(len(words), 0, -1), strict=True):
        meant = one_slip_away(key) or _label_one_slip_away(key, labels, forgiven)
        if meant:
            return length, meant, True
    return 0, "", False


def _label_one_slip_away(key: str, labels: Mapping[str, str], forgiven: frozenset[str]) -> str:
    """Return the name of a label one slip away; empty when there is none, or when it might be two."""
    meant = [name for name, label in labels.items() if label in forgiven and one_slip(key, name)]
    return meant[0] if len({labels[name] for name in meant}) == 1 else ""


def _is_ignored(word: str, ignored: frozenset[str]) -> bool:
    """Return whether the word says nothing about what it is: a strength, a form, a number."""
    return word in ignored or word.isdigit()


@cache
def _everyday() -> frozenset[str]:
    sections = ("everyday", "reactions", "not_medicines", "made", "colours")
    return frozenset().union(*(catalogue.words(section) for section in sections))


@lru_cache(maxsize=5000)
def one_slip_away(key: str) -> str:
    """Return the name one slip away; empty when there is none, or when it might be two."""
    lengths = range(len(key) - 1, len(key) + 2)
    near = [name for length in lengths for name in catalogue.names_by_length().get(length, ())]
    meant = [name for name in near if one_slip(key, name)]
    different = {catalogue.names()[name] for name in meant}
    return meant[0] if len(different) == 1 else ""
