"""Comparison level of two addresses: each is split into words and numbers. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from core.linkage.name_comparison import Part, fitting, part
from core.linkage.names import fold, phonetic

STREET_WORDS = 3  # shared words, without a number, that may be more than the name of a street
LONG_ADDRESS = 4  # shared words and numbers that may be one house: street, number and village or RT and RW
LEAST_SHARE = 0.5  # share of the shorter address from which two addresses are alike
SAME_SHARE = 0.8  # share of the shorter address from which two addresses are the same
SHORTEST_LETTERS = 10  # letters of an address from which it is compared as one word
LETTERS_A_SLIP = 8  # letters of an address for each slip that is believed

_ADDRESS_WORDS = frozenset(
    (
        "jl jln jalan gg gang kp kampung no nomor rt rw blok blk komp komplek kompleks perum perumahan desa kel"
        " kelurahan kec kecamatan km dusun dsn kota kab lorong lr"
    ).split()
)
_VILLAGE_LABELS = frozenset({"kel", "kelurahan", "desa"})
_NUMBERED = re.compile(r"\b(rt|rw|no|km|gg)(\d+)\b")
_DIGITS = re.compile(r"[1-9]\d*")
_NUMBER_LABELS = {
    "rt": "rt", "rw": "rw", "no": "no", "nomor": "no", "km": "km", "gg": "gg", "gang": "gg", "lr": "gg", "lorong": "gg",
}  # fmt: skip
_OF_MANY_HOUSES = ("km", "gg")
"""A kilometre of a road and a lane have numbers that do not tell houses apart."""


class Address(NamedTuple):
    """An address as the form holds it: RT and RW may be in the line, beside it or both."""

    line: str
    rt: str = ""
    rw: str = ""


class _Home(NamedTuple):
    """An address, split."""

    words: frozenset[str]
    """Sounds of the words, `rt7`, `rw3`, `km5`, `gg12` and every other number by itself."""
    spelled: tuple[Part, ...]
    """The words that do not end in a number, in alphabetical order."""
    numbers: Mapping[str, set[str]]
    """Label -> numbers: of the house (`no`), `rt`, `rw`, `km` and lane (`gg`)."""
    village: frozenset[str]
    """Sounds of the words after `kel.` or `desa`."""


@lru_cache(maxsize=50_000)
def address_words(address: str) -> frozenset[str]:
    """Return the words that tell one address from another: their sounds, and the numbers."""
    words = fold(address).split()
    return frozenset(
        word.lstrip("0") if word.isdigit() else phonetic(word) for word in words if word not in _ADDRESS_WORDS
    ) - {""}


@lru_cache(maxsize=50_000)
def _home_of(address: Address) -> _Home:
    """Return an address, split; a number after RT without a label is that of the RW: `RT.07/03`."""
    words: set[str] = set()
    village: set[str] = set()
    is_village = False
    numbers: dict[str, set[str]] = defaultdict(set)
    expected: list[str] = []
    for word in _NUMBERED.sub(r"\1 \2", fold(address.line)).split():
        if word in _NUMBER_LABELS:
            expected.append(_NUMBER_LABELS[word])
        elif word.isdigit():
            _add_number(word, expected, words, numbers)
        else:
            expected.clear()
            if word in _ADDRESS_WORDS:
                is_village = word in _VILLAGE_LABELS
            else:
                (village if is_village else words).add(part(word).sound)
    words = (words | village) - {""}
    if words:  # a number without a street is no address
        _add_written_beside(address, words, numbers)
    spelled = tuple([part(word) for word in sorted(words) if not word[-1].isdigit()])
    return _Home(frozenset(words), spelled, numbers, frozenset(village))


def _add_number(word: str, expected: list[str], words: set[str], numbers: dict[str, set[str]]) -> None:
    """Add a number under the first label that expects one.

    Args:
        word: The number.
        expected: Labels read before that have no number yet; changed in place.
        words: Words of the address; changed in place.
        numbers: Label -> numbers; changed in place.
    """
    value = word.lstrip("0")
    label = expected.pop(0) if expected else ""
    if label:
        numbers[label].add(value)
    if label == "rt" and not expected:
        expected.append("rw")
    words.add(value if label in {"", "no"} else f"{label}{value}")


def _add_written_beside(address: Address, words: set[str], numbers: dict[str, set[str]]) -> None:
    """Add RT and RW of their own fields."""
    for label, written in (("rt", address.rt), ("rw", address.rw)):
        if value := written.strip().lstrip("0"):
            numbers[label].add(value)
            words.add(f"{label}{value}")


def compare_addresses(a: Address, b: Address) -> str | None:
    """Return the comparison level of two addresses; None when one is missing or too little agrees.

    Only a number makes a street one house, and a house number, RT or RW that differs makes it two.
    """
    if not a.line or not b.line:
        return None
    home, other = _home_of(a), _home_of(b)
    fewer = min(len(home.words), len(other.words))
    if not fewer:
        return None
    both = home.words & other.words
    shared = len(both)
    if shared < fewer:
        shared = _shared_but_for_slips(a, b, both)
    if not _share_a_place(home, other, both, shared):
        return "other_address"
    share = min(shared, fewer) / fewer
    if share < LEAST_SHARE:
        return "other_address" if share == 0 else None
    has_number = any(map(_tells_houses_apart, both))
    if _elsewhere(home, other) or (shared < STREET_WORDS and not has_number):
        return "same_street"
    degree = "same" if share >= SAME_SHARE and shared >= 2 else "similar"
    return f"{degree}_long_address" if shared >= LONG_ADDRESS and has_number else f"{degree}_address"


def differ(a: Address, b: Address) -> bool:
    """Return whether two known addresses are two houses: another street, or another number in it."""
    level = compare_addresses(a, b)
    if not a.line or not b.line:
        return False
    return level in {None, "other_address"} or _elsewhere(_home_of(a), _home_of(b))


def _share_a_place(home: _Home, other: _Home, both: frozenset[str], shared: int) -> bool:
    """Return whether a street or a village agrees: RT, RW and numbers come again in every kelurahan.

    Args:
        home: One address.
        other: The other address.
        both: Words and numbers that agree without a slip.
        shared: How many agree with slips.
    """
    named = {word for word in both if not word[-1].isdigit()}
    if named <= home.village & other.village and shared == len(both):
        streets = [{one.sound for one in place.spelled} - place.village for place in (home, other)]
        return bool(named) and not all(streets)
    return True


def _shared_but_for_slips(a: Address, b: Address, both: frozenset[str]) -> int:
    """Return the number of shared words and numbers; `both` are those that agree without a slip."""
    home, other = _home_of(a), _home_of(b)
    shared = len(both) + _near_words(home, other, both)
    if shared < min(len(home.words), len(other.words)) and _run_together(a.line, b.line):
        counted = sum(word[-1].isdigit() for word in both)
        shared = max(shared, min(len(home.spelled), len(other.spelled)) + counted)
    return shared


def may_be_one_house(a: Address, b: Address) -> bool:
    """Return whether two addresses may be one house: long, with a number in common and none that differs.

    Addresses that `compare_addresses` calls long are such ones.
    """
    if _digits_of(a).isdisjoint(_digits_of(b)):  # settles most of them before they are split
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
    """Return whether both have a house number, RT or RW and none in common."""
    return any(values.isdisjoint(other.numbers.get(label, values)) for label, values in home.numbers.items())


def _near_words(home: _Home, other: _Home, both: frozenset[str]) -> int:
    """Return how many words of one address are a slip of one of the other; each is used once.

    Args:
        home: One address.
        other: The other address.
        both: Words that agree without a slip.
    """
    left, right = _open_words(home, both), _open_words(other, both)
    if not left or not right:
        return 0
    # Sorted as from either side: which of two words of equal fitness is used must not depend on it.
    close = sorted(
        (-fitness, sorted((left[i].word, right[j].word))) for fitness, i, j in fitting(left, right)
    )
    used: set[str] = set()
    for _, (x, y) in close:
        if x not in used and y not in used:
            used |= {x, y}
    return len(used) // 2


def _open_words(home: _Home, both: frozenset[str]) -> list[Part]:
    """Return the words, numbers apart, that agree with none yet; a letter (`Kelayan A`) is not short for anything."""
    return [x for x in home.spelled if len(x.word) > 1 and x.word not in both]


def _run_together(a: str, b: str) -> bool:
    """Return whether two addresses are the same letters but for slips, however they are divided: `Sungaiandai`."""
    left, right = _letters(a), _letters(b)
    longer = max(len(left), len(right))
    slips = longer // LETTERS_A_SLIP
    return longer >= SHORTEST_LETTERS and OSA.distance(left, right, score_cutoff=slips) <= slips


@lru_cache(maxsize=50_000)
def _letters(address: str) -> str:
    words = fold(address).split()
    return "".join(word for word in words if word.isalpha() and word not in _ADDRESS_WORDS)
