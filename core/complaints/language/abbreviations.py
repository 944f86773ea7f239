"""Read words typed without vowels, as in notes and text messages.

In:  "tlt", "kpala", "mnthny".
Out: telat, kepala, muntah: known words with the same consonants in the same order.
"""

from __future__ import annotations

from collections import defaultdict

from core.complaints.language.morphology import VOWELS, consonant_skeleton
from core.complaints.language.typos import is_subsequence
from core.complaints.language.word_list import OWNED, Known, WordList

MANY_CONSONANTS = 4
"""Consonants that hardly another word has in the same order."""

_OWNED_ABBREVIATED = "ny"
_SHORTEST = 3
"""Letters of the shortest abbreviation; "-nya" makes two enough: "bbrnya" is bibirnya."""
_SHORTEST_OWNED = 2
_LONGEST = 7
"""Letters of the longest abbreviation: longer words are looked up by edit distance."""
_MOST_FOUND = 3
"""Words returned."""

# Most vowels that were left out, in letters. A word that keeps some vowels is written out, and lacks few.
_MOST_OMITTED = 2
_MOST_OMITTED_WITH_VOWELS = 1
_MOST_OMITTED_WITH_VOWELS_MANY_CONSONANTS = 3


class Abbreviations:
    """Known words by their consonants."""

    def __init__(self, words: WordList) -> None:
        self._words = words
        self._by_skeleton: dict[tuple[str, str], list[str]] = defaultdict(list)
        """(first letter, consonants) -> words. The first letter is never left out: "alrg" is alergi."""
        for word in sorted((words.words | set(words.same)) - words.grammatical - words.names):
            self._by_skeleton[word[0], consonant_skeleton(word)].append(word)

    def read(self, word: str, shortest: int = _SHORTEST) -> Known | None:
        """Return the words that an abbreviation may be, the most used first.

        Args:
            word: As typed, lower case.
            shortest: Least letters.
        """
        if not shortest <= len(word) <= _LONGEST:
            return None
        most = _most_omitted(word)
        found = [
            (-self._words.uses[self._words.meant(known)], len(known), known)
            for known in self._by_skeleton.get((word[0], consonant_skeleton(word)), ())
            if 0 < len(known) - len(word) <= most and is_subsequence(word, known)
        ]
        if not found:
            return self.read_owned(word)
        found.sort(key=lambda candidate: candidate[:2])
        meant = (self._words.meant(known) for _, _, known in found[:_MOST_FOUND])
        return Known(tuple(dict.fromkeys(meant)), "typing")

    def read_owned(self, word: str) -> Known | None:
        """Return the words that an abbreviation with "-nya" may be: "bbrnya", "mkny"."""
        for ending in (OWNED, _OWNED_ABBREVIATED):
            if word.endswith(ending):
                return self.read(word.removesuffix(ending), shortest=_SHORTEST_OWNED)
        return None


def _most_omitted(word: str) -> int:
    """Most vowels that may be missing in a word."""
    has_vowels = not VOWELS.isdisjoint(word[1:])
    consonants = sum(letter not in VOWELS for letter in word)
    if consonants < MANY_CONSONANTS:
        return _MOST_OMITTED_WITH_VOWELS if has_vowels else _MOST_OMITTED
    return _MOST_OMITTED_WITH_VOWELS_MANY_CONSONANTS if has_vowels else len(word)
