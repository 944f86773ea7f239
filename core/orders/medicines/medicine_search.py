"""Finds medicines by the beginning of a name, a brand, an abbreviation or a misspelt name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Ingredients, Product
from core.orders.medicines.doses import Recipient, Suggestion, suggest, suits_children
from core.orders.medicines.folding import fold_words
from core.orders.medicines.reading import read_medicine
from core.schemas.record import MedicineOut

SHORTEST_BEGUN = 3
"""Letters of a name after which all that begins so is shown."""

EVERYTHING = 1000
"""More medicines than the list holds."""


def usual_medicines(text: str, own: Sequence[MedicineOut], limit: int) -> list[MedicineOut]:
    """Return the medicines that a text may mean, each name with its first dose.

    Args:
        text: As typed; empty returns the first medicines.
        own: The clinician's own prescriptions, newest first.
        limit: Most medicines returned.
    """
    listed = [*own, *map(_shipped, catalogue.products())]
    words = fold_words(text)
    begun = (item for item in listed if _begins(words, fold_words(item.medicine)))
    meant = _named(words, text, listed) if words else iter(())
    found: dict[tuple[str, ...], MedicineOut] = {}
    first, then = (meant, begun) if read_medicine(text).certain else (begun, meant)
    for item in (*first, *then):
        found.setdefault(fold_words(item.medicine), item)
    return _of_strength(words, list(found.values()))[:limit]


def medicines_for_child(
    text: str, own: Sequence[MedicineOut], limit: int, person: Recipient
) -> list[MedicineOut]:
    """Return the medicines that a text may mean, made for children first, with a dose by weight or none.

    Args:
        text: As typed.
        own: The clinician's own prescriptions: only their names count.
        limit: Most medicines returned.
        person: The child.
    """
    found = usual_medicines(text, own, EVERYTHING)
    found.sort(key=lambda item: not suits_children(item.medicine))
    return [_suggested(item.medicine, suggest(item.medicine, person)) for item in found[:limit]]


def _suggested(medicine: str, given: Suggestion) -> MedicineOut:
    return MedicineOut(
        medicine=medicine,
        dose=given.dose,
        frequency=given.frequency,
        amount=given.amount,
        instructions=given.instructions,
        basis=given.basis,
        source=given.source,
    )


def _of_strength(words: Sequence[str], found: list[MedicineOut]) -> list[MedicineOut]:
    """Return those of the typed strength; all, where none has it."""
    numbers = [word for word in words if word.isdigit()]
    return [item for item in found if _begins(numbers, fold_words(item.medicine))] or found


@cache
def _shipped(product: Product) -> MedicineOut:
    return MedicineOut(
        medicine=product.medicine,
        dose=product.dose,
        frequency=product.frequency,
        amount=product.amount,
        instructions=product.instructions,
    )


def _begins(words: Sequence[str], name: Sequence[str]) -> bool:
    """Return whether each word begins a word of the name; a number is the whole number."""
    return all(any(_is_beginning(word, part) for part in name) for word in words)


def _is_beginning(word: str, part: str) -> bool:
    # A `c` at the end may become `k` or `s` with the next letter.
    begun = word.removesuffix("k") if len(word) > SHORTEST_BEGUN else word
    return word == part if word.isdigit() else part.startswith(begun)


def _named(words: Sequence[str], text: str, listed: Iterable[MedicineOut]) -> Iterator[MedicineOut]:
    """Return the medicines that hold what the text names, those of the named strength and form first."""
    read = read_medicine(text)
    # A word that says nothing known may name another medicine: then nothing is offered in its place.
    sought = [*([read.ingredients] if read.is_read else []), *_begun_names(words)]
    held = [
        item for item in listed if any(each <= read_medicine(item.medicine).ingredients for each in sought)
    ]

    def rank(item: MedicineOut) -> tuple[int, int]:
        holds = read_medicine(item.medicine).ingredients
        name = fold_words(item.medicine)
        nearest = sought.index(holds) if holds in sought else len(sought)
        return nearest, -sum(_begins([word], name) for word in words)

    yield from sorted(held, key=rank)


def _begun_names(words: Sequence[str]) -> Iterator[Ingredients]:
    """Return what names mean that begin with the typed words: `pana` for Panadol.

    Numbers, and forms behind the name (`pana 500 tablet`), belong to no name.
    """
    forms = catalogue.words("made")
    named = [words[0], *(word for word in words[1:] if not word.isdigit() and word not in forms)]
    begun = catalogue.name_key(tuple(named)).removesuffix("k")
    if len(begun) >= SHORTEST_BEGUN:
        yield from {held for name, held in catalogue.names().items() if name.startswith(begun)}
