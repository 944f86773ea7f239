"""Folds the spelling of medicines: what sounds alike is written alike, and one slip is forgiven. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from core.linkage.names import fold

SHORTEST_FORGIVEN = 6
"""Letters from which on one slip is forgiven: a shorter word becomes another word too easily."""

SHORTEST_FOLDED = 4
"""Letters from which on spelling is folded: `vit c` is not `vit k`, `ctm` is not `ktm`."""
SHORTEST_MIXED = 8
"""Letters from which on the same letters in another order are one slip: `kaptropil`."""

_PARTS = re.compile(r"[a-z]+|\d+|[^\sa-z\d]+")
_SPELLINGS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"rh"), "r"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"ch|ck|cq|c|q"), "k"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"y"), "i"),
    (re.compile(r"z"), "s"),
    (re.compile(r"([a-z])\1+"), r"\1"),
    (re.compile(r"(?<=[a-z]{3})e\b"), ""),
)
"""Pattern -> what stands for it, applied in this order: international spelling becomes Indonesian."""


def fold_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in folded spelling, letters and numbers parted.

    `Amoxicillin 500mg` gives `amoksisilin`, `500`, `mg`; so does `amoksisilin 500 mg`.
    """
    return tuple(_folded(word) for word in _PARTS.findall(fold(text)))


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    if len(word) < SHORTEST_FOLDED:
        return word
    for pattern, written in _SPELLINGS:
        word = pattern.sub(written, word)
    return word


def one_slip(left: str, right: str) -> bool:
    """Return whether two different words are one slip apart.

    A slip is a letter too many, too few, another one, or two neighbours changed about; in a long word
    the letters between the first and the last in another order. The words are long enough for it,
    and the slip is in no digit: another strength is no slip.
    """
    if min(len(left), len(right)) < SHORTEST_FORGIVEN or left == right or abs(len(left) - len(right)) > 1:
        return False
    if _is_mixed(left, right):
        return True
    start = _shared(left, right)
    left, right = left[start:], right[start:]
    end = _shared(left[::-1], right[::-1])
    rest = (left[: len(left) - end], right[: len(right) - end])
    if not (rest[0] + rest[1]).isalpha():
        return False
    swapped = len(rest[0]) == 2 and rest[0] == rest[1][::-1]
    return max(map(len, rest)) == 1 or swapped


def _shared(left: str, right: str) -> int:
    """Return how many letters the words share from their beginning."""
    for at, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return at
    return min(len(left), len(right))


def _is_mixed(left: str, right: str) -> bool:
    """Return whether two long words hold the same letters between the same first and last one."""
    ends = left[0] == right[0] and left[-1] == right[-1]
    return ends and len(left) >= SHORTEST_MIXED and left.isalpha() and sorted(left) == sorted(right)
