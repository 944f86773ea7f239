"""Tell a slip of the hand from another name: what cannot be said is nobody's name, nor a twin's. Pure.

Parents give twins names that sound nearly alike (`Rodiah` and `Rokiah`), so a letter that differs tells nothing by itself. But
each of these names can be said: `Rdiah` cannot, and is `Rodiah` with a key missed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

SHORTEST_TRANSPOSED = 6  # letters of a word from which no two names differ by two letters that changed places
SHORTEST_MISTYPED = 4  # letters of a word that a slip is told in: shorter ones are abbreviations too
TOLERANT = 8  # letters from which two slips in a word are told

_DIGRAPHS = re.compile(r"ng|ny|sy|kh|dh|th|ph|gh|sh|ch|dj|tj|zh|dz")
_ONE_SOUND = "1"
"""Stands for two consonants that write one sound."""
_VOWEL_Y = re.compile(r"y(?![aeiou])")
_DOUBLED = re.compile(r"(.)\1+")
_GROUPS = re.compile(r"[^aeiou]+")
_STOPS_WITH_LIQUIDS = frozenset(
    "br bl cr cl dr fr fl gr gl kr kl pr pl sr sl tr vr wr dw kw gw sw tw".split()
)
_BEGINNINGS = _STOPS_WITH_LIQUIDS | frozenset(
    "sk sm sn sp st sc ps ts tl str skr spr spl mb mp nd nj mbr ndr hj by ky py my ty".split()
)
"""Consonants that begin a name besides a single one: `Brata`, `Ndaru`, `Stanislaus`."""
_ENDS = frozenset(
    "ns nd nt nk nz nc rd rt rs rm rn rl rk rz rg lf ld lt ls lm lk ks ck st ts ms mp ps pt ft ht hd hr br fs rst rf".split()
)
"""Consonants that end a name besides a single one: `Hans`, `Robert`, `Fahd`."""
_BEFORE_THREE = frozenset("mnrlskhfptbdg1")
"""Consonants that end a syllable before two that begin the next: `Chandra`, `Sulastri`."""
_SYLLABLES = _STOPS_WITH_LIQUIDS | frozenset({"st", "sk", "sp", "sm"})


def is_slip_of(one: str, other: str) -> bool:
    """Return whether two different words are one name and a slip of the hand.

    Two letters inside a longer word changed places, a key was held too long, or a letter off leaves one of them a word
    that cannot be said.
    """
    if min(len(one), len(other)) < SHORTEST_MISTYPED:
        return False
    if _is_transposed(one, other) or _undoubled(one) == _undoubled(other):
        return True
    slips = 2 if min(len(one), len(other)) >= TOLERANT else 1
    return is_sayable(one) != is_sayable(other) and OSA.distance(one, other, score_cutoff=slips) <= slips


def _is_transposed(one: str, other: str) -> bool:
    """Return whether two neighbouring letters inside a longer word changed places; `Septian` and `Septina` are two."""
    return (
        one[-1] == other[-1]
        and len(one) == len(other) >= SHORTEST_TRANSPOSED
        and sorted(one) == sorted(other)
        and OSA.distance(one, other, score_cutoff=1) == 1
    )


@lru_cache(maxsize=20_000)
def is_sayable(word: str) -> bool:
    """Return whether a word of small letters can be said as a name: its consonants stand as they do in names."""
    plain = _undoubled(_DIGRAPHS.sub(_ONE_SOUND, _VOWEL_Y.sub("i", word)))
    groups = [(found.group(), found.start(), found.end()) for found in _GROUPS.finditer(plain)]
    if not any(letter in "aeiou" for letter in plain):
        return False
    return all(_stands(group, begins=start == 0, ends=end == len(plain)) for group, start, end in groups)


def _stands(group: str, *, begins: bool, ends: bool) -> bool:
    """Return whether a group of consonants stands in names at its place."""
    if len(group) == 1:
        return True
    if begins:
        return group in _BEGINNINGS
    if ends:
        return group in _ENDS
    return len(group) == 2 or (len(group) == 3 and group[0] in _BEFORE_THREE and group[1:] in _SYLLABLES)


def _undoubled(word: str) -> str:
    return _DOUBLED.sub(r"\1", word)
