"""Brands that a clinic imported (KFA), beside the names that ship.

The names are read once for the whole process, so learning others forgets what was read with the earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.orders.medicines import allergies, catalogue, reading
from core.orders.medicines.catalogue import Ingredients


def learn(brands: Mapping[str, Ingredients]) -> None:
    """Take these brands, in place of those learned before; a name that ships keeps its meaning.

    Args:
        brands: Name -> its ingredients.
    """
    catalogue.set_learned(brands)
    for cache in (reading.read_medicine, reading.one_slip_away, allergies.read_allergy):
        cache.cache_clear()
