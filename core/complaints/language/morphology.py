"""Take Indonesian and Banjarese words apart: affixes, spelling variants, doubled letters.

In:  "menyusui".
Out: the stems nyusui, susui, nyusu, susu ... of which `word_list` keeps those that it holds.

Pure functions on strings, without a vocabulary. Source of the Banjarese sounds and prefixes:
docs/reference/complaints.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import ceil
from typing import TypeVar

_A = TypeVar("_A")

VOWELS = frozenset("aeiou")

_DOUBLED = re.compile(r"(.)\1+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_LEAST_STRETCH = 2
"""Surplus letters that make a word stretched: "sakiiit" has two, "saat" one."""

_FOLD_TO_A = str.maketrans("eo", "au")
"""Banjarese has a for the schwa and u for o: "kepala" kapala, "obat" ubat."""
_FOLD_TO_I = str.maketrans("eo", "iu")
"""Banjarese has i for the clear e: "tensi" tinsi."""

# meN- and peN- with the consonant that the nasal has replaced: "menyapu" sapu; with a in Banjarese.
_NASAL_PREFIXES = tuple(
    (consonant + vowel + nasal, restored)
    for consonant, vowel in (("m", "e"), ("p", "e"), ("m", "a"), ("p", "a"))
    for nasal, restored in (
        ("nge", ""),
        ("ny", "s"),
        ("ng", "k"),
        ("ng", ""),
        ("m", "p"),
        ("m", ""),
        ("n", "t"),
        ("n", ""),
        ("", ""),
    )
)
_PLAIN_PREFIXES = (
    *(
        (prefix, "")
        for prefix in ("ber", "bel", "be", "ter", "te", "per", "pel", "di", "ke", "se", "nge", "ng")
    ),
    *((prefix, "") for prefix in ("bar", "ba", "tar", "ta", "par", "pa", "ka", "sa")),
    ("ny", "s"),
    ("n", "t"),
    ("ng", "k"),
    # Typed in a hurry: "brdarah", "trbakar".
    ("br", ""),
    ("tr", ""),
)
_SUFFIXES = (
    "kannya",
    "annya",
    "inya",
    "akan",
    "nya",
    "kan",
    "lah",
    "kah",
    "an",
    "ku",
    "mu",
    "pun",
    "in",
    "i",
    # Javanese.
    "ne",
    "en",
    "e",
)


def grouped(affixes: Iterable[_A], letter: Callable[[_A], str]) -> dict[str, tuple[_A, ...]]:
    """Return affixes by one letter, in their order, so that few are tried for a word."""
    found: dict[str, tuple[_A, ...]] = {}
    for affix in affixes:
        found[letter(affix)] = (*found.get(letter(affix), ()), affix)
    return found


_PREFIXES = grouped((*_NASAL_PREFIXES, *_PLAIN_PREFIXES), lambda pair: pair[0][0])
_SUFFIXES_BY_END = grouped(_SUFFIXES, lambda suffix: suffix[-1])
_NEVER_FIRST = frozenset({"mp", "mb", "nt", "nd", "nc", "nj", "nk", "ns"})
"""Letters that no root begins with: the "mp" of "pampers" shows that its "pa" is no prefix."""
SHORTEST_STEM = 3
"""Letters of the shortest stem: "gi" of "gigi" is none."""
_MOST_AFFIXES = 2
"""Prefixes, and suffixes, that are taken off one word: "keberadaannya" has two of each."""


def fold_keys(word: str) -> tuple[str, str]:
    """Return the two keys under which Indonesian and Banjarese spellings of a word meet."""
    squeezed = undoubled(word)
    return squeezed.translate(_FOLD_TO_A), squeezed.translate(_FOLD_TO_I)


def squeeze(word: str, keep: int = 1) -> str:
    """Shorten letters drawn out three times or more: "sakiiit" becomes "sakit", or "sakiit" with `keep` 2."""
    if len(word) - len(undoubled(word)) < _LEAST_STRETCH:
        return word
    return _STRETCHED.sub(r"\1" * keep, word)


def undoubled(word: str) -> str:
    """Reduce doubled letters to one: "gattal" becomes "gatal"."""
    return _DOUBLED.sub(r"\1", word)


def consonant_skeleton(word: str) -> str:
    """Return the consonants of a word, doubled ones once: hurried spelling drops vowels and keeps these."""
    return undoubled("".join(letter for letter in word if letter not in VOWELS))


def unreduplicated(word: str) -> str | None:
    """Return the half of a word typed twice without a hyphen ("gatalgatal"), or None."""
    half, odd = divmod(len(word), 2)
    return word[:half] if not odd and half >= SHORTEST_STEM and word[:half] == word[half:] else None


def stems(word: str, least_share: float = 0.5) -> tuple[str, ...]:
    """Return every form that is left after taking off affixes, the longest first.

    Deliberately generous: "menyusui" gives nyusui, susui, susu ...; only forms that the vocabulary holds are used.

    Args:
        word: Lower case.
        least_share: Share of its letters that must be left. By default half of them, so that "tengorokan" does
            not give "orok".
    """
    enough = max(SHORTEST_STEM, ceil(len(word) * least_share))
    return tuple(stem for stem in _all_stems(word) if len(stem) >= enough)


@lru_cache(maxsize=2048)
def _all_stems(word: str) -> tuple[str, ...]:
    # The same suffixes come off whichever prefix is gone.
    endings = dict.fromkeys(len(word) - len(bare) for bare in _without_suffixes(word, _MOST_AFFIXES))
    found: dict[str, None] = {}
    for cut in dict.fromkeys(_without_prefixes(word, _MOST_AFFIXES)):
        for ending in endings:
            stem = cut[: len(cut) - ending]
            if len(cut) - ending >= SHORTEST_STEM and stem != word and not VOWELS.isdisjoint(stem):
                found[stem] = None
    return tuple(sorted(found, key=len, reverse=True))


def _without_prefixes(word: str, depth: int) -> Iterator[str]:
    """Yield the word and its forms with up to `depth` prefixes less."""
    yield word
    if not depth:
        return
    for prefix, restored in _PREFIXES.get(word[:1], ()):
        if word.startswith(prefix) and len(word) - len(prefix) >= SHORTEST_STEM:
            rest = restored + word[len(prefix) :]
            if _may_be_root(rest, restored):
                yield from _without_prefixes(rest, depth - 1)


def _may_be_root(rest: str, restored: str) -> bool:
    """True for letters that a root can begin with, after a prefix with or without a restored consonant."""
    if restored:
        # A consonant is restored before a vowel only: "nyusu" susu, "mijat" pijat.
        return rest[1] in VOWELS
    return rest[:2] not in _NEVER_FIRST


def _without_suffixes(word: str, depth: int) -> Iterator[str]:
    """Yield the word and its forms with up to `depth` suffixes less."""
    yield word
    if not depth:
        return
    for suffix in _SUFFIXES_BY_END.get(word[-1:], ()):
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST_STEM:
            yield from _without_suffixes(word[: -len(suffix)], depth - 1)
