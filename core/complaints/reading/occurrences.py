"""One mention of a concept in a complaint, with its context.

In:  "tidak demam, riwayat asma".
Out: an `Occurrence` of "fever", negated, and one of "asthma", historical.

The terms are those of the ConText algorithm for clinical text (Harkema et al. 2009): a mention is
negated or affirmed, and recent, historical or hypothetical.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from core.complaints.reading.experiencer import Experiencer


class Temporality(IntEnum):
    """Time at which a mention holds. The smallest of several is the most current one."""

    RECENT = 0
    """Of today; the default."""
    HISTORICAL = 1
    """Of another time or another person: "riwayat asma", "kejang tahun lalu", "bapak meninggal karena stroke"."""
    HYPOTHETICAL = 2
    """Feared, asked about or to be prevented: "takut kena rabies", "biar tidak pingsan"."""


# Looked up once: reading a member of an enumeration takes longer than the comparison.
_RECENT = Temporality.RECENT


@dataclass(frozen=True)
class Occurrence:
    """One mention of one or more concepts."""

    concepts: frozenset[str]
    words: str
    """As typed, lower case."""
    first: int
    """Position of its first token in the complaint, fillers not counted."""
    last: int
    """Position of its last token."""
    clause: int
    """Number of its clause; punctuation ends one."""
    segment: int = 0
    """Number of its segment: a comma or "dan" begins another."""
    negated: bool = False
    temporality: Temporality = _RECENT
    is_generic: bool = False
    """True where nobody has it and nobody comes for it: "biar tidak gampang pingsan", "stroke itu gejalanya apa"."""
    is_followup: bool = False
    """True beside "kontrol" or "ambil obat": it is already being treated."""
    is_errand: bool = False
    """True with "kontrol", "ambil obat" or "minta rujukan" anywhere in the complaint, unless it is new."""
    days: float | None = None
    """Duration in days, where one is given."""
    word_concepts: frozenset[str] = frozenset()
    """Concepts of the single words of a phrase. Danger signs are looked for here too, and so are general
    rules where the phrase leads to no cluster."""
    is_aside: bool = False
    """True for a filler with a meaning ("kanan", "sudah"): rules use it, the learned model does not."""
    owner: Experiencer | None = None
    """The person that its clause names before it, if any."""
    is_acting: bool = False
    """True after "saya bawa", "saya takut": said by one who comes for another."""
    is_indivisible: bool = False
    """True for an idiom ("darah tinggi") or a phrase with "tidak": its single words are no danger sign."""

    @property
    def is_current(self) -> bool:
        """True when it holds today."""
        return self.temporality is _RECENT


def most_current(occurrences: Iterable[Occurrence]) -> Temporality:
    """Return the temporality of a group: recent as soon as one of it is."""
    return min(occurrence.temporality for occurrence in occurrences)


@lru_cache(maxsize=4096)
def is_transparent(concepts: frozenset[str]) -> bool:
    """True for places on the body and helping words: a modifier passes over them to the finding behind.

    "tidak perut sakit" negates the pain too, not the belly alone.
    """
    is_place = all(concept.startswith("at_") for concept in concepts)
    return is_place or any(concept.startswith("over_") for concept in concepts)
