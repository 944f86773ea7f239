"""Find the known words that a mistyped word was meant for, by edit distance.

In:  "pinsan", one typo allowed.
Out: ("pingsan",), the nearest known words, best first.

Candidates come from pools of words with a similar beginning or end. Each is given a cost in edits: its
edit distance (optimal string alignment: insert, delete, replace, swap), adjusted by the table below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.complaints.language.morphology import consonant_skeleton
from core.complaints.language.typos import near_letters, plausible

# Adjustments of the cost, in edits; each is less than one typo. They have no source but trial:
# `bench/routing.py` shows what a change does to the labelled complaints.
_SAME_FIRST_LETTER = -0.25
"""The first letter is the one least often mistyped."""
_SAME_LAST_LETTER = -0.1
"""The last one says less: endings are dropped."""
_SAME_SKELETON = -0.5
"""All consonants are right, in a word with a meaning: people slip on vowels."""
_NO_MEANING = 0.5
"""A word without a meaning of its own must be clearly nearer than one with a meaning."""
_NEAR_KEY = -0.2
"""The one wrong letter is a neighbouring key or a similar sound."""
_ABOUT_EQUAL = 0.3
"""Words whose costs lie no farther apart are all kept."""

_MOST_OF_A_POOL = 12
"""Nearest words of a pool that are weighed further."""
_MOST_FOUND = 3
"""Words returned."""
_VOWEL_TYPO_LENGTH = 7
"""Letters of a word in which one typo more is looked for, accepted when all consonants are right."""
_OTHER_FIRST_LETTER_LENGTH = 6
"""Letters of a word in which the first may be wrong, missing or one too many."""


class NearestWords:
    """Known words in pools, so that only a few are compared with a mistyped one."""

    def __init__(
        self, words: Iterable[str], *, neutral: Collection[str], meaningful: Collection[str]
    ) -> None:
        """Arrange the words.

        Args:
            words: The known words.
            neutral: Those of them that are ordinary words without a meaning here.
            meaningful: Those of them that have a concept by themselves.
        """
        self._neutral = neutral
        self._meaningful = meaningful
        self._words = frozenset(words)
        self._by_start: dict[tuple[str, int], list[str]] = defaultdict(list)
        """(first letter, length) -> words."""
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        """All but the first letter -> words."""
        for word in sorted(self._words):
            self._by_tail[word[1:]].append(word)
            self._by_start[word[0], len(word)].append(word)

    def nearest(self, word: str, allowed: int) -> tuple[str, ...]:
        """Return the nearest known words, about equally near, nearest first.

        A neutral word is returned only by itself, when it is the nearest of all.

        Args:
            word: As typed, lower case.
            allowed: Most typos, from 1; one more in a long word with all consonants right.
        """
        candidates = sorted(self._candidates(word, allowed))
        if not candidates:
            return ()
        limit = candidates[0][0] + _ABOUT_EQUAL
        near = [found for cost, found in candidates if cost <= limit]
        if near[0] in self._neutral:
            return (near[0],)
        return tuple(found for found in near if found not in self._neutral)[:_MOST_FOUND]

    def _candidates(self, word: str, allowed: int) -> set[tuple[float, str]]:
        """The plausible words and their costs."""
        skeleton = consonant_skeleton(word)
        candidates: set[tuple[float, str]] = set()
        for pool, most_typos in self._pools(word, allowed):
            close = extract(word, pool, scorer=OSA.distance, score_cutoff=most_typos, limit=_MOST_OF_A_POOL)
            for found, distance, _ in close:
                same_skeleton = consonant_skeleton(found) == skeleton
                if plausible(word, found, int(distance), allowed, same_skeleton):
                    candidates.add((self._cost(word, found, distance, same_skeleton), found))
        return candidates

    def _cost(self, word: str, found: str, distance: float, same_skeleton: bool) -> float:
        """The edit distance, adjusted."""
        cost = distance
        if found[0] == word[0]:
            cost += _SAME_FIRST_LETTER
        if found[-1] == word[-1]:
            cost += _SAME_LAST_LETTER
        if found not in self._meaningful:
            cost += _NO_MEANING
        elif same_skeleton:
            cost += _SAME_SKELETON
        if near_letters(word, found):
            cost += _NEAR_KEY
        return cost

    def _pools(self, word: str, allowed: int) -> Iterator[tuple[Sequence[str], int]]:
        """Yield pools of words to compare, each with the most typos that are looked for in it."""
        most_typos = allowed + (1 if len(word) >= _VOWEL_TYPO_LENGTH else 0)
        for length in range(len(word) - allowed, len(word) + allowed + 1):
            # Also under the second letter, for two letters swapped at the beginning.
            for first in dict.fromkeys(word[:2]):
                yield self._by_start.get((first, length), ()), most_typos
        if len(word) >= _OTHER_FIRST_LETTER_LENGTH:
            shorter = (word[1:],) if word[1:] in self._words else ()
            yield (*self._by_tail.get(word[1:], ()), *self._by_tail.get(word, ()), *shorter), 1
