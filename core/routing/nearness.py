"""Which known words a mistyped one may have been meant for, the likeliest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.routing.language import skeleton
from core.routing.slips import near_letters, plausible

_MOST_OF_A_POOL = 12
_ABOUT_EQUAL = 0.3
"""Costs that lie no farther apart do not tell two words apart."""


class Nearness:
    """Known words, arranged so that only a few are compared."""

    def __init__(
        self, words: Iterable[str], *, neutral: Collection[str], meaningful: Collection[str]
    ) -> None:
        self._neutral = neutral
        self._meaningful = meaningful
        self._words = frozenset(words)
        self._by_start: dict[tuple[str, int], list[str]] = defaultdict(list)
        """(first letter, length) -> words."""
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        """A word without its first letter -> the words that end so."""
        for word in sorted(self._words):
            self._by_tail[word[1:]].append(word)
            self._by_start[word[0], len(word)].append(word)

    def nearest(self, word: str, allowed: int) -> tuple[str, ...]:
        """Up to three words about equally near, nearest first; a neutral one only when clearly nearer.

        Args:
            word: As typed, lower case.
            allowed: Most slips in it, from 1; one more where all its consonants are right.
        """
        bones = skeleton(word)
        found_at: set[tuple[float, str]] = set()
        for pool, cutoff in self._pools(word, allowed):
            close = extract(word, pool, scorer=OSA.distance, score_cutoff=cutoff, limit=_MOST_OF_A_POOL)
            for found, distance, _ in close:
                same_bones = skeleton(found) == bones
                if plausible(word, found, int(distance), allowed, same_bones):
                    found_at.add((self._cost(word, found, distance, same_bones), found))
        if not found_at:
            return ()
        candidates = sorted(found_at)
        near = [found for cost, found in candidates if cost <= candidates[0][0] + _ABOUT_EQUAL]
        if near[0] in self._neutral:
            return (near[0],)
        return tuple(found for found in near if found not in self._neutral)[:3]

    def _cost(self, word: str, found: str, distance: float, same_bones: bool) -> float:
        cost = distance - 0.25 * (found[0] == word[0]) - 0.1 * (found[-1] == word[-1])
        cost += -0.5 * same_bones if found in self._meaningful else 0.5
        return cost - 0.2 * near_letters(word, found)

    def _pools(self, word: str, allowed: int) -> Iterator[tuple[Sequence[str], int]]:
        """The words worth comparing, with the most slips that `plausible` lets through there."""
        # One more slip is let through when all consonants are right: vowels are what people slip on.
        cutoff = allowed + (1 if len(word) >= 7 else 0)
        for length in range(len(word) - allowed, len(word) + allowed + 1):
            for first in dict.fromkeys(word[:2]):
                yield self._by_start.get((first, length), ()), cutoff
        if len(word) > 5:
            # Another first letter, one missing or one too many: what follows is as it should be.
            shorter = (word[1:],) if word[1:] in self._words else ()
            yield (*self._by_tail.get(word[1:], ()), *self._by_tail.get(word, ()), *shorter), 1
