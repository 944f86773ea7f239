"""How alike two names are: their parts put beside each other, and what is left over. Pure.

Asked of every candidate of a check, and most bear another name: what two words share of letters says in a
moment that no slip makes one of the other, and only what is left is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from core.names import COMMON_SOUNDS, identifying, is_newborn_name, own_name, phonetic, written_words

SURE_NAMES = frozenset({"same_name", "same_short_name"})
"""What `compare_names` says of one name, in any of its spellings."""
LONGEST_RHYME = 7
"""Letters of a word up to which another vowel makes another name."""

LONG_WORD = 6
"""Letters from which two slips in a word are believed."""
SPELLING_APART = 3
"""Letters by which two spellings of one word differ at most in length."""
JOINED_APART = 6
"""Letters at most that are in two words or in the one that they are written as, and not in both."""
ALIKE = 0.8
"""Fitness from which one part may be a slip of the other."""
_VOWELS = frozenset("aeiou")


class Part(NamedTuple):
    """One word, with what it is compared by."""

    word: str
    sound: str
    letters: int
    """The word's letters as a set of bits."""
    heard: int
    """Those of its sound."""
    reach: int
    """How many letters of one that slips may have made of it are not in the other."""


@lru_cache(maxsize=100_000)
def part(word: str) -> Part:
    """A word made ready to be compared."""
    sound = phonetic(word)
    # A slip takes one letter away and brings in another; in a short word one is all that is believed.
    return Part(word, sound, _bits(word), _bits(sound), 4 if len(word) >= LONG_WORD else 2)


def _bits(text: str) -> int:
    bits = 0
    for letter in text:
        bits |= 1 << (ord(letter) & 63)
    return bits


@lru_cache(maxsize=100_000)
def _parts_of(word: str) -> tuple[Part, ...]:
    """What one written word stands for, ready to be compared."""
    return tuple([part(one) for one in identifying(word)])


class _Name(NamedTuple):
    """A name made ready to be compared."""

    parts: tuple[Part, ...]
    heard: int
    """The letters of all its sounds."""
    ordered: str
    """Its words in alphabetical order."""


class _Written(NamedTuple):
    """What was written as a name."""

    name: _Name
    own: _Name
    """Without the father's after `bin` or `binti`."""
    newborn: bool


@lru_cache(maxsize=5_000)
def _read(name: str) -> _Written:
    whole, own = _named(name), own_name(name)
    return _Written(whole, whole if own is name else _named(own), is_newborn_name(name))


def _named(name: str) -> _Name:
    words = written_words(name)
    parts: list[Part] = []
    for word in words:
        parts += _parts_of(word)
    if not parts:  # nothing but titles
        parts = [part(word) for word in words]
    heard = 0
    for one in parts:
        heard |= one.heard
    return _Name(tuple(parts), heard, " ".join(sorted([one.word for one in parts])))


def compare_names(a: str, b: str) -> str | None:
    """Evidence of two names; None when one is missing."""
    if not a or not b:
        return None
    left, right = _read(a), _read(b)
    if left.newborn != right.newborn:
        return "newborn_name"
    if (left.own is left.name) == (right.own is right.name):
        level = _align(left.name, right.name)
    else:  # a father's name that only one of them gives
        level = _align(left.own, right.own)
    # It is the mother's name, which newborn twins share.
    return "same_newborn_name" if left.newborn and level in SURE_NAMES else level


def _align(one: _Name, other: _Name) -> str | None:
    """Put the parts of two names beside each other, best fits first, and say what is left over."""
    if not one.parts or not other.parts:
        return None
    if one.parts > other.parts:
        one, other = other, one
    left, right = one.parts, other.parts
    if one.heard == other.heard and _sound_alike(left, right):
        return _same(left)
    if len(left) > len(right):
        left = _joined_alike(left, right)
    elif len(right) > len(left):
        right = _joined_alike(right, left)
    fits = fitting(left, right)
    if not fits:
        return _of_strangers(one.ordered, other.ordered)
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    paired = []
    for fitness, i, j in sorted(fits, key=lambda pair: (-pair[0], abs(pair[1] - pair[2]), pair[1] + pair[2])):
        if i in free_left and j in free_right:
            free_left.remove(i)
            free_right.remove(j)
            paired.append((fitness, left[i], right[j]))
    rest = [left[i] for i in sorted(free_left)], [right[j] for j in sorted(free_right)]
    level = _name_level(paired, *rest)
    if level == "same_name":
        return _same(left)
    if level == "shared_name" and left[0].sound == right[0].sound and left[0].sound not in COMMON_SOUNDS:
        return "shared_first_name"
    return level


def _same(parts: Sequence[Part]) -> str:
    """Parts that agree: one by itself, or what everybody bears, has many namesakes."""
    telling = any(x.sound not in COMMON_SOUNDS for x in parts)
    return "same_name" if len(parts) > 1 and telling else "same_short_name"


def _sound_alike(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """Whether two names are the same sounds, in another order or parted otherwise."""
    sounds, others = ([x.sound for x in parts] for parts in (left, right))
    return sorted(sounds) == sorted(others) or "".join(sounds) == "".join(others)


def _joined_alike(words: tuple[Part, ...], others: tuple[Part, ...]) -> tuple[Part, ...]:
    """Two neighbouring parts made one where the other name writes them as one."""
    long = [(len(other.word), other.letters, other) for other in others if len(other.word) >= LONG_WORD]
    for index in range(len(words) - 1 if long else 0):
        first, second = words[index], words[index + 1]
        length, letters = len(first.word) + len(second.word), first.letters | second.letters
        for longest, its, other in long:
            if abs(length - longest) > SPELLING_APART or (letters ^ its).bit_count() > JOINED_APART:
                continue
            joined = part(first.word + second.word)
            if fit(joined, other) >= 0.9 and fit(first, other) < ALIKE and fit(second, other) < ALIKE:
                return (*words[:index], joined, *words[index + 2 :])
    return words


def _of_strangers(one: str, other: str) -> str:
    """What is said by the words of two names, in alphabetical order, when none of them fits another."""
    return "distant_name" if JaroWinkler.similarity(one, other, score_cutoff=0.8) else "other_name"


def _name_level(paired: list[tuple[float, Part, Part]], left: list[Part], right: list[Part]) -> str:
    """What the paired parts and the ones left over on either side say."""
    telling = [x for fitness, x, _ in paired if fitness == 1.0 and x.sound not in COMMON_SOUNDS]
    near = [(x, y) for fitness, x, y in paired if fitness < 1.0]
    if left and right:
        if not telling and not near:
            return _of_strangers(*(" ".join(sorted([x.word for x in rest])) for rest in (left, right)))
        alike = any(JaroWinkler.similarity(x.word, y.word) >= 0.8 for x in left for y in right)
        return "shared_distant_name" if alike else "shared_name"
    if any(_rhymes(x, y) for x, y in near):
        return "rhyming_name"
    if left or right:
        if telling:
            return "similar_part_of_name" if near else "part_of_name"
        return "similar_part_of_name" if near else "distant_name"
    return "similar_name" if near else "same_name"


def _rhymes(one: Part, other: Part) -> bool:
    """Another vowel or another first letter, nothing else: as twins are named, `Rina` and `Rini`.

    A long word and one that everybody bears are not what tells twins apart: `Mihammad` is a slip.
    """
    a, b = one.word, other.word
    if len(a) != len(b) or not 3 <= len(a) <= LONGEST_RHYME:
        return False
    if one.sound in COMMON_SOUNDS or other.sound in COMMON_SOUNDS:
        return False
    differing = [index for index, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if differing == [0]:
        return True
    return all(a[index] in _VOWELS and b[index] in _VOWELS for index in differing)


def fitting(left: Sequence[Part], right: Sequence[Part]) -> list[tuple[float, int, int]]:
    """Which parts fit, at least `ALIKE`: how well, and their places on either side."""
    found = []
    for i, x in enumerate(left):
        word, _, letters, heard, reach = x
        for j, y in enumerate(right):
            other, _, others, heard_too, furthest = y
            if furthest > reach:
                furthest = reach
            if (
                (letters ^ others).bit_count() <= furthest
                or (heard ^ heard_too).bit_count() <= furthest
                # It may begin the other.
                or (word[0] == other[0] and letters & others in (letters, others))
            ) and (fitness := fit(x, y)) >= ALIKE:
                found.append((fitness, i, j))
    return found


def fit(one: Part, other: Part) -> float:
    """0..1 for two parts: 1 sounds the same, 0.9 an initial, at least 0.8 for what may be a slip."""
    a, b = one.word, other.word
    if one.sound == other.sound:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return 0.9 if a[0] == b[0] else 0.0
    shorter, longer = (a, b) if len(a) < len(b) else (b, a)
    apart = len(longer) - len(shorter)
    if apart <= 2:
        distance = OSA.distance(a, b, score_cutoff=2)
        if distance > 1:
            distance = min(distance, OSA.distance(one.sound, other.sound, score_cutoff=2))
        if distance == 1:
            return 0.95 if len(shorter) >= 4 else 0.85
        if distance == 2 and len(shorter) >= LONG_WORD:
            return 0.85
    return 0.82 if apart >= 2 and len(shorter) >= 4 and longer.startswith(shorter) else 0.0
