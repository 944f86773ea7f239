"""Addresses taken apart, and how alike two of them are. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from core.name_likeness import Part, fitting, part
from core.names import fold, phonetic

STREET_WORDS = 3
"""Words shared without a number from which they may be more than the name of a street."""
LONG_ADDRESS = 4
"""Words and numbers shared from which an address may be one house: street, number and village or RT and RW."""

_ADDRESS_WORDS = frozenset(
    (
        "jl jln jalan gg gang kp kampung no nomor rt rw blok blk komp komplek kompleks perum perumahan desa kel"
        " kelurahan kec kecamatan km dusun dsn kota kab lorong lr"
    ).split()
)
_NUMBERED = re.compile(r"\b(rt|rw|no|km|gg)(\d+)\b")
_DIGITS = re.compile(r"[1-9]\d*")
_NUMBER_LABELS = {
    "rt": "rt", "rw": "rw", "no": "no", "nomor": "no", "km": "km", "gg": "gg", "gang": "gg", "lr": "gg", "lorong": "gg",
}  # fmt: skip
_OF_MANY_HOUSES = ("km", "gg")
"""A kilometre of a road and a lane have numbers that do not tell houses apart."""


class Address(NamedTuple):
    """Where somebody lives, as the form has it: RT and RW may stand in the line, beside it or both."""

    line: str
    rt: str = ""
    rw: str = ""


class _Home(NamedTuple):
    """An address taken apart."""

    words: frozenset[str]
    """Sounds of the words, `rt7`, `rw3`, `km5`, `gg12` and every other number by itself."""
    spelled: tuple[Part, ...]
    """Those that do not end in a number, in alphabetical order."""
    numbers: Mapping[str, set[str]]
    """What is said to be the `no`, `rt`, `rw`, `km` and lane (`gg`)."""


@lru_cache(maxsize=50_000)
def address_words(address: str) -> frozenset[str]:
    """What tells one address from another: sounds of its words and its numbers."""
    words = fold(address).split()
    return frozenset(
        word.lstrip("0") if word.isdigit() else phonetic(word) for word in words if word not in _ADDRESS_WORDS
    ) - {""}


@lru_cache(maxsize=50_000)
def _home_of(address: Address) -> _Home:
    """`Jl. Mawar No 12 RT.07/03`: a number after RT without a word of its own is that of the RW."""
    words: set[str] = set()
    numbers: dict[str, set[str]] = defaultdict(set)
    expected: list[str] = []
    for word in _NUMBERED.sub(r"\1 \2", fold(address.line)).split():
        if word in _NUMBER_LABELS:
            expected.append(_NUMBER_LABELS[word])
        elif word.isdigit():
            value = word.lstrip("0")
            label = expected.pop(0) if expected else ""
            if label:
                numbers[label].add(value)
            if label == "rt" and not expected:
                expected = ["rw"]
            words.add(value if label in {"", "no"} else f"{label}{value}")
        else:
            expected = []
            if word not in _ADDRESS_WORDS:
                words.add(part(word).sound)
    words.discard("")
    if words:  # a number without a street is no address
        for label, written in (("rt", address.rt), ("rw", address.rw)):
            if value := written.strip().lstrip("0"):
                numbers[label].add(value)
                words.add(f"{label}{value}")
    spelled = tuple([part(word) for word in sorted(words) if not word[-1].isdigit()])
    return _Home(frozenset(words), spelled, numbers)


def compare_addresses(a: Address, b: Address) -> str | None:
    """Evidence of two addresses; None when one is missing.

    Only a number makes a street one house, and a house number, RT or RW that differs makes it two.
    """
    if not a.line or not b.line:
        return None
    home, other = _home_of(a), _home_of(b)
    left, right = home.words, other.words
    if not left or not right:
        return None
    fewer = min(len(left), len(right))
    both = left & right
    shared = len(both)
    if shared < fewer:
        shared += _near_words(home, other, both)
        if shared < fewer and _run_together(a.line, b.line):
            counted = sum(word[-1].isdigit() for word in both)
            shared = max(shared, min(len(home.spelled), len(other.spelled)) + counted)
    share = min(shared, fewer) / fewer
    if share < 0.5:
        return "other_address" if share == 0 else None
    numbered = any(map(_tells_houses_apart, both))
    if _elsewhere(home, other) or (shared < STREET_WORDS and not numbered):
        return "same_street"
    one_house = shared >= LONG_ADDRESS and numbered
    if share >= 0.8 and shared >= 2:
        return "same_long_address" if one_house else "same_address"
    return "similar_long_address" if one_house else "similar_address"


def may_be_one_house(a: Address, b: Address) -> bool:
    """Whether two addresses are long enough to mean one house, and have a number in common and none that differs.

    What `compare_addresses` calls a long address is at least that.
    """
    if _digits_of(a).isdisjoint(_digits_of(b)):  # settles most of them before they are taken apart
        return False
    home, other = _home_of(a), _home_of(b)
    if min(len(home.words), len(other.words)) < LONG_ADDRESS or _elsewhere(home, other):
        return False
    return any(map(_tells_houses_apart, home.words & other.words))


@lru_cache(maxsize=50_000)
def _digits_of(address: Address) -> frozenset[str]:
    written = " ".join(address)
    return frozenset(_DIGITS.findall(written if written.isascii() else fold(written)))


def _tells_houses_apart(word: str) -> bool:
    return word[-1].isdigit() and not word.startswith(_OF_MANY_HOUSES)


def _elsewhere(home: _Home, other: _Home) -> bool:
    """Whether both give a house number, RT or RW and have none in common."""
    return any(values.isdisjoint(other.numbers.get(label, values)) for label, values in home.numbers.items())


def _near_words(home: _Home, other: _Home, both: frozenset[str]) -> int:
    """How many words of one side, numbers apart, are a slip of one of the other; each is used once."""
    # Kelayan A is not short for anything.
    left, right = (
        [x for x in side.spelled if len(x.word) > 1 and x.word not in both] for side in (home, other)
    )
    fits = fitting(left, right) if left and right else []
    # As sorted from either side: which of two words of equal fitness is taken must not depend on it.
    close = sorted((-fitness, sorted((left[i].word, right[j].word))) for fitness, i, j in fits)
    used: set[str] = set()
    for _, (x, y) in close:
        if x not in used and y not in used:
            used |= {x, y}
    return len(used) // 2


def _run_together(a: str, b: str) -> bool:
    """Whether two addresses are the same letters but for a slip, however they are parted: `Sungaiandai`."""
    left, right = _letters(a), _letters(b)
    longer = max(len(left), len(right))
    return longer >= 10 and OSA.distance(left, right, score_cutoff=longer // 8) <= longer // 8


@lru_cache(maxsize=50_000)
def _letters(address: str) -> str:
    words = fold(address).split()
    return "".join(word for word in words if word.isalpha() and word not in _ADDRESS_WORDS)
