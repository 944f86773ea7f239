"""Allergies against medicines: which substance or class an allergy names, and what it speaks against. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Ingredients
from core.orders.medicines.folding import SHORTEST_FOLDED, fold_words
from core.orders.medicines.reading import MedicineReading, read_medicine, read_words

_NOT_MEDICINE = "not_medicine"


@dataclass(frozen=True, slots=True)
class AllergyClass:
    """Medicines that are named together, and may stand for each other in an allergy."""

    code: str
    ingredients: Ingredients
    crosses: bool
    """Whether an allergy to one member is asked about before any other is given."""


@dataclass(frozen=True, slots=True)
class AllergyReading:
    """Substances or class of a recorded allergy."""

    ingredients: Ingredients
    classes: frozenset[str]
    """Codes of the classes that it names."""
    none_known: bool
    """It says that there is none."""
    is_read: bool
    """Every word of it is understood; a food is understood, and is no medicine."""
    unread: tuple[str, ...]
    """Words, folded, that say nothing known."""
    guessed: bool
    """A name was read although it is one slip away."""

    @property
    def is_medicine(self) -> bool:
        """True where it names a medicine or a class of them."""
        return bool(self.ingredients or self.classes)


@cache
def classes() -> dict[str, AllergyClass]:
    """Return code -> class of medicines."""
    return {
        row["code"]: AllergyClass(row["code"], _members(row["atc"], row.get("extra", [])), row["crosses"])
        for row in catalogue.document("allergy_groups.toml")["class"]
    }


def _members(codes: list[str], extra: list[str]) -> Ingredients:
    return frozenset(
        each.name
        for each in catalogue.ingredients().values()
        if each.atc.startswith(tuple(codes)) or each.name in extra
    )


@cache
def _labels() -> dict[str, str]:
    """Return folded name -> code of the class, or that it is no medicine."""
    labels = dict.fromkeys(catalogue.words("not_medicines"), _NOT_MEDICINE)
    for row in catalogue.document("allergy_groups.toml")["class"]:
        for names in row["names"].values():
            labels |= {catalogue.name_key(fold_words(name)): row["code"] for name in names}
    return labels


@lru_cache(maxsize=2000)
def read_allergy(text: str) -> AllergyReading:
    """Return what a recorded allergy is against.

    Args:
        text: As typed: a substance, a brand, a class, a food, with or without what it did.
    """
    if catalogue.name_key(fold_words(text)) in catalogue.words("none"):
        return AllergyReading(frozenset(), frozenset(), True, True, (), False)
    ignored = catalogue.words("made") | catalogue.words("reactions")
    read = read_words(text, _labels(), frozenset(classes()), ignored)
    named = read.labels - {_NOT_MEDICINE}
    something = bool(read.ingredients or named) or _is_a_thing(text, read.labels)
    return AllergyReading(
        read.ingredients, named, False, something and not read.unread, read.unread, read.guessed
    )


def _is_a_thing(text: str, labels: frozenset[str]) -> bool:
    """Return whether it names a food or a thing, and does not speak of a medicine of that taste."""
    spoken_of = set(fold_words(text)) & catalogue.words("drug_signs")
    return _NOT_MEDICINE in labels and not spoken_of


def speaks_against(allergy: AllergyReading, medicine: MedicineReading) -> bool:
    """Return whether the medicine holds what the patient reacts to, or a relative of it."""
    if allergy.ingredients & medicine.ingredients:
        return True
    return any(
        medicine.ingredients & group.ingredients
        for group in classes().values()
        if group.code in allergy.classes or (group.crosses and _belongs(allergy, group))
    )


def _belongs(allergy: AllergyReading, group: AllergyClass) -> bool:
    """Return whether the allergy is to a member of the class, or to a class within it."""
    within = any(classes()[code].ingredients <= group.ingredients for code in allergy.classes)
    return within or bool(allergy.ingredients & group.ingredients)


def clashes(medicine: str, substances: Iterable[str]) -> list[str]:
    """Return the allergies that a medicine clashes with.

    Args:
        medicine: As prescribed, with strength and form.
        substances: Recorded allergies, as typed.
    """
    read = read_medicine(medicine)
    return [
        each for each in substances if speaks_against(read_allergy(each), read) or _same_name(each, medicine)
    ]


def _same_name(allergy: str, medicine: str) -> bool:
    """Return whether both name the same thing that is not known: it is the same thing all the same."""
    unknown = {word for word in read_allergy(allergy).unread if len(word) >= SHORTEST_FOLDED}
    return bool(unknown & set(read_medicine(medicine).unread))


def unchecked(medicine: str, substances: Iterable[str]) -> list[str]:
    """Return the texts, the medicine's or an allergy's, that could not be read and so were not compared.

    Args:
        medicine: As prescribed.
        substances: Recorded allergies, as typed.
    """
    substances = list(substances)
    unread = [each for each in substances if not read_allergy(each).is_read]
    compared = any(not read_allergy(each).none_known for each in substances)
    if compared and not read_medicine(medicine).is_read:
        unread.insert(0, medicine)
    return unread
