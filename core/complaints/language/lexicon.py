"""Look up a typed word: the words of the vocabulary that it may be, and how it was recognised.

In:  "akinya", "tasangal", "gabisa", "pinsan", "kamar".
Out: aki (affix), tersengal (spelling), tidak + bisa (split), pingsan (typing), nothing (neutral).

A word is tried in order of certainty: as written and without affixes, with a common typo, in
Banjarese spelling, as two words run together, and last by edit distance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.complaints.language.abbreviations import Abbreviations
from core.complaints.language.banjarese import BanjareseSpellings
from core.complaints.language.compounds import Compounds
from core.complaints.language.misspellings import Misspellings
from core.complaints.language.morphology import squeeze, stems, undoubled, unreduplicated
from core.complaints.language.typos import SHORTEST_FUZZY
from core.complaints.language.word_list import UNKNOWN, Known, WordList

_LONGEST_WORD = 30
"""Letters of the longest word; more are a key held down or something pasted."""
_SHORTEST_GUESSED = 3
"""Letters of the shortest word that is guessed at."""
_LEAST_SHARE_OF_NEUTRAL = 0.4
"""Share of its letters that the stem of an ordinary word must have: less than for other words, so that "menjualkan" is jual."""

# Different words whose readings are kept: about as many as a clinic types in a year.
_MOST_KEPT = 20_000
_MOST_GUESSES_KEPT = 5_000


class Lexicon:
    """All words, compiled for lookup. Immutable after construction, except for its caches."""

    def __init__(
        self,
        concepts: Mapping[str, Iterable[str]],
        *,
        neutral: Iterable[str],
        same: Mapping[str, str],
        negations: frozenset[str],
        fillers: frozenset[str],
        counting: Iterable[str],
        everyday: Iterable[str] = (),
        names: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> None:
        """Compile the lists of a vocabulary. The arguments are those of `WordList`."""
        self._words = WordList(
            concepts,
            neutral=neutral,
            same=same,
            negations=negations,
            fillers=fillers,
            counting=counting,
            everyday=everyday,
            names=names,
        )
        self.negations = negations
        self.fillers = fillers
        self.phrases = self._words.phrases
        self.known = lru_cache(maxsize=_MOST_KEPT)(self._known)
        self.resolve = lru_cache(maxsize=_MOST_KEPT)(self._resolve)
        self.guesses = lru_cache(maxsize=_MOST_GUESSES_KEPT)(self._guesses)
        self._banjarese = BanjareseSpellings(self._words)
        self._misspellings = Misspellings(self._words, Abbreviations(self._words))
        self._compounds = Compounds(self._words, self.known)
        self._parts_by_start: dict[tuple[str, int], list[str]] = defaultdict(list)
        """(first letter, length) -> words that a phrase may be mistyped in."""
        for word in sorted(self._words.words - self._words.grammatical - self._words.names):
            self._parts_by_start[word[0], len(word)].append(word)

    def holds(self, word: str) -> bool:
        """Return whether exactly this word is in the vocabulary."""
        return self._words.holds(word)

    def is_joined(self, left: str, right: str, *, with_affixes: bool) -> bool:
        """Return whether a blank was typed inside a word: "pin gsan". As `Compounds.is_joined`.

        Args:
            left: The word before the blank.
            right: The word after the blank.
            with_affixes: Also try words with prefixes and suffixes.
        """
        return self._compounds.is_joined(left, right, with_affixes=with_affixes)

    def _known(self, word: str) -> Known | None:
        """The reading of a word as written, with affixes or with a common typo; None for any other."""
        if len(word) > _LONGEST_WORD:
            return UNKNOWN
        word = self._words.meant(word)
        for spelling in _spellings(word):
            if (known := self._words.as_written(spelling)) is not None:
                return known
        negated = self._compounds.as_negated(word)
        if negated is not None or word in self._words.everyday:
            return negated or Known((), "neutral")
        return self._misspellings.with_jumbled_letters(word) or self._misspellings.with_common_typo(word)

    def _resolve(self, word: str) -> Known:
        """The reading of a word by all ways, quick and slow."""
        known = self.known(word)
        if known is not None:
            return known
        word = self._words.meant(word)
        if self._is_ordinary(word):
            return self._misspellings.with_sure_typo(word) or Known((), "neutral")
        first = None
        for reading in self._readings(word):
            if reading is None:
                continue
            # A reading with a meaning of its own is preferred: "sesa" is sesak, not the "sisa" of "sisa akar".
            if any(form in self._words.meaningful for form in reading.forms):
                return reading
            first = first or reading
        return first or UNKNOWN

    def _is_ordinary(self, word: str) -> bool:
        """True for an ordinary word with affixes, which is no misspelt complaint: "latihan" is not "letih"."""
        bare = stems(word, _LEAST_SHARE_OF_NEUTRAL)
        ordinary = (self._words.neutral, self._words.everyday)
        return any(len(stem) >= SHORTEST_FUZZY and any(stem in words for words in ordinary) for stem in bare)

    def _readings(self, word: str) -> Iterator[Known | None]:
        """Yield the readings of a word by the slow ways, the most certain way first."""
        for spelling in _spellings(word):
            yield self._banjarese.read(spelling)
        yield self._compounds.as_phrase(word)
        yield self._compounds.as_two_words(word, sure_parts=2)
        for spelling in dict.fromkeys((squeeze(word), squeeze(word, 2), undoubled(word))):
            yield self._misspellings.nearest(spelling)
        yield self._compounds.as_two_words(word, sure_parts=1)

    def _guesses(self, word: str) -> tuple[str, ...]:
        """Words one typo away, used where a whole phrase makes one likely: "dara tinggi" is darah tinggi."""
        if len(word) < _SHORTEST_GUESSED or self.resolve(word).how in ("exact", "affix"):
            return ()
        # An ordinary word can miss or double a letter, but has no other typo: "haja" is not "haji".
        is_ordinary = word in self._words.neutral or word in self._words.everyday
        steps = (-1, 1) if is_ordinary else (-1, 0, 1)
        pools = (self._parts_by_start.get((word[0], len(word) + step), ()) for step in steps)
        near = (extract(word, pool, scorer=OSA.distance, score_cutoff=1, limit=None) for pool in pools)
        return tuple(known for found in near for known, _, _ in found)


def _spellings(word: str) -> tuple[str, ...]:
    """The word as it is, and without drawn-out letters or reduplication."""
    return tuple(dict.fromkeys((word, squeeze(word), squeeze(word, 2), unreduplicated(word) or word)))
