"""The vaccines among the medicines that are known. Pure."""

from __future__ import annotations

from functools import cache

from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Product
from core.orders.medicines.folding import fold_words
from core.orders.medicines.reading import read_medicine

ATC = "J07"
"""Beginning of the ATC codes of vaccines."""


@cache
def listed() -> tuple[Product, ...]:
    """Return the vaccines of the list that ships."""
    return tuple(each for each in catalogue.products() if all(map(_is_vaccine, each.ingredients)))


def _is_vaccine(ingredient: str) -> bool:
    known = catalogue.ingredients().get(ingredient)
    return known is not None and known.atc.startswith(ATC)


def vaccine_of(text: str) -> str | None:
    """Return the one vaccine that a text names for certain, by its ingredient; None for anything else."""
    read = read_medicine(text)
    if not read.is_read or len(read.ingredients) != 1:
        return None
    (name,) = read.ingredients
    return name if _is_vaccine(name) else None


def is_meant(wanted: str, text: str) -> bool:
    """Return whether each word typed begins one of a vaccine's words or other names.

    Args:
        wanted: As typed.
        text: The vaccine.
    """
    name = vaccine_of(text)
    known = catalogue.ingredients()[name].names if name else ()
    words = {word for each in (text, *known) for word in fold_words(each)}
    return all(any(word.startswith(part) for word in words) for part in fold_words(wanted))
