"""Comparison level of two names: their parts are aligned, and the parts left over decide the level. Pure.

Every candidate of a check is compared, and most bear another name: the letters that two words share show
quickly that no slip makes one of the other, and only the remaining words are measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from core.linkage.mistyped import is_slip_of
from core.linkage.names import (
    COMMON_SOUNDS,
    identifying,
    is_newborn_name,
    is_nickname,
    is_wifes_name,
    own_name,
    phonetic,
    written_words,
)

SURE_NAMES = frozenset({"same_name", "same_short_name", "mistyped_name"})
"""Levels of one name, in any of its spellings."""
_SAME_MOTHERS = SURE_NAMES | {"part_of_name"}
"""Levels of newborns of one mother: they are written by her name, a second twin with `II` behind it."""
LONGEST_RHYME = 7  # letters of a word up to which another vowel makes another name
SHORTEST_RHYME = 3  # the same, from which
LONG_WORD = 6  # letters from which two slips in a word are believed
SPELLING_APART = 3  # letters by which two spellings of one word differ at most in length
JOINED_APART = 6  # letters at most that two words and the one they are written as do not share

SAME_SOUND = 1.0
"""Fitness of parts that sound the same."""
ONE_SLIP = 0.95
"""Fitness of words of `SHORT_WORD` letters or more with one slip."""
INITIAL = 0.9
"""Fitness of an initial, and least fitness of a word written as two."""
TWO_SLIPS = 0.85
"""Fitness of long words with two slips, and of short ones with one."""
CUT_SHORT = 0.82
"""Fitness of a word that the other one begins with."""
ALIKE = 0.8
"""Least fitness of a part that may be a slip of the other."""
SHORT_WORD = 4  # letters below which a slip weighs more and a cut word is not believed
SIMILAR = 0.8  # Jaro-Winkler similarity from which two words are not those of strangers
_VOWELS = frozenset("aeiou")


class Part(NamedTuple):
    """One word of a name, ready to be compared."""

    word: str
    sound: str
    letters: int
    """The word's letters as a set of bits."""
    heard: int
    """Those of its sound."""
    tolerance: int
    """Letters that a slip of the word may have gained or lost, at most."""


@lru_cache(maxsize=100_000)
def part(word: str) -> Part:
    """Return a word ready to be compared."""
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
    """Return the parts that one written word is short for, ready to be compared."""
    return tuple([part(one) for one in identifying(word)])


class _Name(NamedTuple):
    """A name, ready to be compared."""

    parts: tuple[Part, ...]
    heard: int
    """The letters of all its sounds."""
    ordered: str
    """Its words in alphabetical order."""


class _Written(NamedTuple):
    """A name as it was written."""

    name: _Name
    own: _Name
    """The name without the father's after `bin` or `binti`."""
    newborn: bool
    wife: bool
    """The name may be her husband's."""


@lru_cache(maxsize=5_000)
def _read(name: str) -> _Written:
    whole, own = _named(name), own_name(name)
    return _Written(whole, whole if own is name else _named(own), is_newborn_name(name), is_wifes_name(name))


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
    """Return the comparison level of two names; None when one is missing."""
    if not a or not b:
        return None
    left, right = _read(a), _read(b)
    if left.newborn != right.newborn:
        return "newborn_name"
    if (left.own is left.name) == (right.own is right.name):
        level = _align(left.name, right.name)
    else:  # a father's name that only one of them gives
        level = _align(left.own, right.own)
    if left.newborn and level in _SAME_MOTHERS:
        return "same_newborn_name"
    if level in _STRANGERS:
        return _otherwise_called(left, right, level)
    return level


_STRANGERS = frozenset({"other_name", "distant_name"})


def _otherwise_called(left: _Written, right: _Written, level: str) -> str:
    """Return the level of two names that share no part: one may be a nickname, or the husband's."""
    parts, others = left.name.parts, right.name.parts
    if left.wife != right.wife:
        return "husbands_name"
    one_called = len(parts) == 1 and _calls(parts[0], others)
    return "nickname" if one_called or (len(others) == 1 and _calls(others[0], parts)) else level


def _calls(called: Part, parts: Sequence[Part]) -> bool:
    """Return whether one word is a nickname of a part, by its letters or its sound; `Yati` is heard in `Sumiati`."""
    heard = [called.sound, called.sound[1:]] if called.word[0] == "y" else [called.sound]
    return any(
        is_nickname(called.word, one.word) or any(is_nickname(sound, one.sound) for sound in heard)
        for one in parts
    )


def _align(one: _Name, other: _Name) -> str | None:
    """Return the level of two names; their parts are paired, best fits first."""
    if not one.parts or not other.parts:
        return None
    if one.parts > other.parts:
        one, other = other, one
    if one.heard == other.heard and _sound_alike(one.parts, other.parts):
        return _same(one.parts)
    left, right = _joined(one.parts, other.parts)
    fits = fitting(left, right)
    if not fits:
        return _of_strangers(one.ordered, other.ordered)
    pairs, left_over, right_over = _paired(fits, left, right)
    level = _name_level(pairs, left_over, right_over)
    if level == "same_name":
        return _same(left)
    if level == "shared_name" and left[0].sound == right[0].sound and left[0].sound not in COMMON_SOUNDS:
        return "shared_first_name"
    return level


class _Pair(NamedTuple):
    """Two parts that may be one, and how well they fit."""

    fitness: float
    left: Part
    right: Part


def _paired(
    fits: Sequence[tuple[float, int, int]], left: Sequence[Part], right: Sequence[Part]
) -> tuple[list[_Pair], list[Part], list[Part]]:
    """Return the pairs, each part used once, and the parts left over on either side.

    Args:
        fits: Parts that fit, as `fitting` returns them.
        left: Parts of one name.
        right: Parts of the other name.
    """
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    pairs = []
    for fitness, i, j in sorted(fits, key=_best_fit_first):
        if i in free_left and j in free_right:
            free_left.remove(i)
            free_right.remove(j)
            pairs.append(_Pair(fitness, left[i], right[j]))
    return pairs, [left[i] for i in sorted(free_left)], [right[j] for j in sorted(free_right)]


def _best_fit_first(fit_at: tuple[float, int, int]) -> tuple[float, int, int]:
    """Return the sort key of a fit: the best first, then the nearest places, then those further in front."""
    fitness, i, j = fit_at
    return -fitness, abs(i - j), i + j


def _same(parts: Sequence[Part]) -> str:
    """Return the level of names whose parts agree: one part, or only common parts, have many namesakes."""
    telling = any(x.sound not in COMMON_SOUNDS for x in parts)
    return "same_name" if len(parts) > 1 and telling else "same_short_name"


def _sound_alike(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """Return whether two names are the same sounds, in another order or divided otherwise."""
    sounds, others = ([x.sound for x in parts] for parts in (left, right))
    return sorted(sounds) == sorted(others) or "".join(sounds) == "".join(others)


def _joined(left: tuple[Part, ...], right: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the parts of two names, with two neighbours joined where the other name writes them as one."""
    if len(left) > len(right):
        return _joined_alike(left, right), right
    if len(right) > len(left):
        return left, _joined_alike(right, left)
    return left, right


def _joined_alike(words: tuple[Part, ...], others: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return words with the first two neighbours joined that are one of the others."""
    long = [other for other in others if len(other.word) >= LONG_WORD]
    for index in range(len(words) - 1 if long else 0):
        first, second = words[index], words[index + 1]
        if any(_is_joined(first, second, other) for other in long):
            return (*words[:index], part(first.word + second.word), *words[index + 2 :])
    return words


def _is_joined(first: Part, second: Part, other: Part) -> bool:
    """Return whether two words together are the other one, and neither of them alone is."""
    if abs(len(first.word) + len(second.word) - len(other.word)) > SPELLING_APART:
        return False
    if ((first.letters | second.letters) ^ other.letters).bit_count() > JOINED_APART:
        return False
    if fit(part(first.word + second.word), other) < INITIAL:
        return False
    return fit(first, other) < ALIKE and fit(second, other) < ALIKE


def _of_strangers(one: str, other: str) -> str:
    """Return the level of two names none of whose parts fit, by their words in alphabetical order."""
    return "distant_name" if JaroWinkler.similarity(one, other, score_cutoff=SIMILAR) else "other_name"


def _name_level(pairs: list[_Pair], left: list[Part], right: list[Part]) -> str:
    """Return the level of two names.

    Args:
        pairs: Parts that fit.
        left: Parts of one name that fit none of the other.
        right: The same of the other name.
    """
    has_telling = any(pair.fitness == SAME_SOUND and pair.left.sound not in COMMON_SOUNDS for pair in pairs)
    near = [pair for pair in pairs if pair.fitness < SAME_SOUND]
    if left and right:
        return _level_of_rests(left, right, is_shared=has_telling or bool(near))
    if any(_rhymes(pair.left, pair.right) for pair in near):
        return "rhyming_name"
    if not left and not right:
        return _level_of_slips(near)
    return _level_of_part(near, has_telling=has_telling)


def _level_of_part(near: Sequence[_Pair], *, has_telling: bool) -> str:
    """Return the level of a name of which the other lacks a part; `near` are the parts that do not sound the same."""
    if not all(_is_slip(pair) for pair in near):
        return "similar_part_of_name"
    return "part_of_name" if has_telling or near else "distant_name"


def _level_of_slips(near: Sequence[_Pair]) -> str:
    """Return the level of names all of whose parts fit; `near` are those that do not sound the same."""
    if not near:
        return "same_name"
    return "mistyped_name" if all(map(_is_slip, near)) else "similar_name"


def _is_slip(pair: _Pair) -> bool:
    return is_slip_of(pair.left.word, pair.right.word)


def _level_of_rests(left: list[Part], right: list[Part], *, is_shared: bool) -> str:
    """Return the level of names that both have parts of their own; `is_shared`: others tell that they agree."""
    if not is_shared:
        return _of_strangers(*(" ".join(sorted([x.word for x in rest])) for rest in (left, right)))
    if any(JaroWinkler.similarity(x.word, y.word) >= SIMILAR for x in left for y in right):
        return "shared_distant_name"
    return "shared_name"


def _rhymes(one: Part, other: Part) -> bool:
    """Return whether only vowels or the first letter differ, as twins are named: `Rina` and `Rini`.

    Long and common words do not tell twins apart: `Mihammad` is a slip.
    """
    a, b = one.word, other.word
    if len(a) != len(b) or not SHORTEST_RHYME <= len(a) <= LONGEST_RHYME:
        return False
    if one.sound in COMMON_SOUNDS or other.sound in COMMON_SOUNDS:
        return False
    differing = [index for index, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if differing == [0]:
        return True
    return all(a[index] in _VOWELS and b[index] in _VOWELS for index in differing)


def fitting(left: Sequence[Part], right: Sequence[Part]) -> list[tuple[float, int, int]]:
    """Return the parts that fit, at least `ALIKE`: fitness, and their places on either side."""
    found = []
    for i, x in enumerate(left):
        word, _, letters, heard, tolerance = x
        for j, y in enumerate(right):
            other, _, others, heard_too, furthest = y
            if furthest > tolerance:
                furthest = tolerance
            if (
                (letters ^ others).bit_count() <= furthest
                or (heard ^ heard_too).bit_count() <= furthest
                # One may begin the other.
                or (word[0] == other[0] and letters & others in (letters, others))
            ) and (fitness := fit(x, y)) >= ALIKE:
                found.append((fitness, i, j))
    return found


def fit(one: Part, other: Part) -> float:
    """Return the fitness of two parts, 0 to 1; at least `ALIKE` for parts that may be one."""
    a, b = one.word, other.word
    if one.sound == other.sound:
        return SAME_SOUND
    if len(a) == 1 or len(b) == 1:
        return INITIAL if a[0] == b[0] else 0.0
    shorter, longer = (a, b) if len(a) < len(b) else (b, a)
    apart = len(longer) - len(shorter)
    fitness = _fit_of_slips(one, other, len(shorter)) if apart <= 2 else 0.0
    if fitness or apart < 2:
        return fitness
    return CUT_SHORT if len(shorter) >= SHORT_WORD and longer.startswith(shorter) else 0.0


def _fit_of_slips(one: Part, other: Part, letters: int) -> float:
    """Return the fitness of parts by the slips between them, in spelling or sound; `letters` of the shorter."""
    distance = OSA.distance(one.word, other.word, score_cutoff=2)
    if distance > 1:
        distance = min(distance, OSA.distance(one.sound, other.sound, score_cutoff=2))
    if distance == 1:
        return ONE_SLIP if letters >= SHORT_WORD else TWO_SLIPS
    return TWO_SLIPS if distance == 2 and letters >= LONG_WORD else 0.0
