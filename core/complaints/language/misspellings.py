"""Read words with typing errors.

In:  "perrut", "daah", "mykanya", "pinsan".
Out: perut, darah, muka, pingsan.

There are three ways, from quick to slow: doubled or swapped letters, a table of the typos in common words,
and the nearest word by edit distance (`spelling`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rapidfuzz.distance import OSA

from core.complaints.language.abbreviations import MANY_CONSONANTS, Abbreviations
from core.complaints.language.morphology import (
    VOWELS,
    consonant_skeleton,
    grouped,
    stems,
    undoubled,
)
from core.complaints.language.spelling import NearestWords
from core.complaints.language.typos import SHORTEST_FUZZY, beside, shortened, swapped
from core.complaints.language.word_list import OWNED, Known, WordList

_COMMON = 4
"""Phrases that hold a word, from which on it counts as common: a typo in it is likelier than another reading."""
_LONG_SYNONYM = 6
"""Letters of the shortest other spelling or synonym that is compared with mistyped words."""
_LONG_MEANINGFUL_SYNONYM = 5
"""The same for one that carries a concept."""
_SHORTEST_MISTYPED_NAME = 8
"""Letters of the shortest proper name that a mistyped word may have meant: shorter ones look like too much else."""
_MISTYPED_NEGATIONS = ("gak", "tdk")
"""Negations whose typos are known although they are short: they turn the meaning of a danger sign round."""
_SHORTEST_OWNED = 3
"""Letters of the shortest word before "-nya"; one more before a mistyped "-nya"."""
_SHORTEST_SURE_TYPO = 6
"""Letters, as typed and as meant, from which on a typo is likelier than an affix of an ordinary word."""
_SHORTEST_STEM_TYPO = 6
"""Letters of the shortest word whose stems are compared."""
_SHORTEST_MISTYPED_STEM = 5
"""Letters of the shortest stem that is compared."""
_MOST_STEMS = 2
"""Stems that are compared, the longest first."""
_ALLOWED_TYPOS = ((9, 1), (13, 2))
"""(most letters of a word, typos allowed in it)."""
_MOST_TYPOS = 3
"""Typos allowed in longer words."""

_MISTYPED_OWNED = grouped(
    sorted({OWNED, "nay", "yna", "ya", "nyaa", "nyya", "nnya", *beside(OWNED), *shortened(OWNED)}),
    lambda ending: ending[-1],
)
"""Last letter -> the spellings of "-nya" with one typo, and "-nya" itself."""


class Misspellings:
    """Finds the word that a mistyped one was meant for."""

    def __init__(self, words: WordList, abbreviations: Abbreviations) -> None:
        self._words = words
        self._abbreviations = abbreviations
        short_names = {name for name in words.names if len(name) < _SHORTEST_MISTYPED_NAME}
        compared = (words.words - short_names) | words.neutral | set(self._long_synonyms())
        self._nearest = NearestWords(
            (word for word in compared if len(word) >= SHORTEST_FUZZY),
            neutral=words.neutral,
            meaningful={word for word in words.words | set(words.same) if words.means_something(word)},
        )
        self._common_typos = self._typos_of_common_words()
        """Mistyped word -> the word."""

    def with_jumbled_letters(self, word: str) -> Known | None:
        """Return the word with a letter doubled or two swapped: "perrut", "multu"."""
        if len(word) <= SHORTEST_FUZZY:
            return None
        for meant in (undoubled(word), *swapped(word)):
            # The two may be the last of the root and the first of "-nya": "jarniya" is jarinya.
            root = self._words.meant(meant.removesuffix(OWNED))
            if meant != word and self._is_finding(root):
                return Known((root, *self._words.stem_forms(root)), "typing")
        return None

    def with_common_typo(self, word: str) -> Known | None:
        """Return the common word with one typo, or the word with a typo beside "-nya": "daah", "mukayna"."""
        meant = self._common_typos.get(word)
        known = None if meant is None else self._words.as_written(self._words.meant(meant))
        known = known or self._with_mistyped_owned(word)
        return None if known is None else Known(known.forms, "typing")

    def with_sure_typo(self, word: str) -> Known | None:
        """Return the long word with a meaning that is one typo away: nearer than the affixes of an ordinary word."""
        if len(word) < _SHORTEST_SURE_TYPO:
            return None
        close = self._nearest.nearest(word, 1)
        if not close or close[0] not in self._words.meaningful or close[0][0] != word[0]:
            return None
        is_sure = OSA.distance(word, close[0]) == 1 and len(close[0]) >= _SHORTEST_SURE_TYPO
        return Known(close, "typing") if is_sure else None

    def nearest(self, word: str) -> Known | None:
        """Return the nearest known words, if they are near for the word's length and no neutral one is nearer."""
        abbreviated = self._sure_abbreviation(word)
        if abbreviated is not None or len(word) < SHORTEST_FUZZY:
            return abbreviated
        found = self._nearest.nearest(word, _allowed_typos(word)) or self._nearest_to_stem(word)
        if not found:
            return self._abbreviations.read(word)
        if found[0] in self._words.neutral:
            return Known((), "neutral")
        meant = tuple(self._words.meant(near) for near in found)
        return Known(tuple(dict.fromkeys((*meant, *self._words.stem_forms(meant[0])))), "typing")

    def _sure_abbreviation(self, word: str) -> Known | None:
        """The reading as an abbreviation where that is surer than the nearest word: "srawan" is sariawan, not sawan."""
        if len(word) < SHORTEST_FUZZY:
            return self._abbreviations.read(word)
        if VOWELS.isdisjoint(word.removesuffix(OWNED)):
            owned = self._abbreviations.read_owned(word)
            if owned is not None:
                return owned
        if len(consonant_skeleton(word)) >= MANY_CONSONANTS:
            return self._abbreviations.read(word)
        return None

    def _nearest_to_stem(self, word: str) -> tuple[str, ...]:
        """The nearest words to the word without affixes, which words of grammar do not take."""
        if len(word) < _SHORTEST_STEM_TYPO:
            return ()
        long = (stem for stem in stems(word) if len(stem) >= _SHORTEST_MISTYPED_STEM)
        near = (self._nearest.nearest(stem, 1) for stem in islice(long, _MOST_STEMS))
        return next((words for words in near if words and words[0] not in self._words.grammatical), ())

    def _with_mistyped_owned(self, word: str) -> Known | None:
        """The word with "-nya" and one typo in either: "mykanya", "mukayna"."""
        for ending in _MISTYPED_OWNED.get(word[-1:], ()):
            if not word.endswith(ending):
                continue
            meant = self._without_owned(word.removesuffix(ending), is_mistyped=ending != OWNED)
            if meant is not None:
                return Known((meant, *self._words.stem_forms(meant)), "typing")
        return None

    def _without_owned(self, owned: str, *, is_mistyped: bool) -> str | None:
        """The finding that a word before "-nya" is: as it is before a mistyped "-nya", or else with a common typo."""
        shortest = SHORTEST_FUZZY if is_mistyped else _SHORTEST_OWNED
        if len(owned) < shortest:
            return None
        meant = self._words.meant(owned if is_mistyped else self._common_typos.get(owned, ""))
        return meant if self._is_finding(meant) else None

    def _is_finding(self, word: str) -> bool:
        return word in self._words.meaningful and word not in self._words.grammatical

    def _long_synonyms(self) -> Iterator[str]:
        """Yield the other spellings and synonyms that are long enough to be compared."""
        for word in self._words.same:
            is_meaningful = self._words.means_something(word)
            if len(word) >= (_LONG_MEANINGFUL_SYNONYM if is_meaningful else _LONG_SYNONYM):
                yield word

    def _typos_of_common_words(self) -> dict[str, str]:
        """Mistyped word -> the word; of two the likelier typo and the commoner word stay."""
        typos: dict[str, str] = {}
        common = self._common_words()
        # From the least likely kind of typo to the likeliest: later ones replace earlier ones.
        for variants in (beside, swapped, shortened):
            for word in common:
                typos.update((wrong, word) for wrong in variants(word))
        for word in _MISTYPED_NEGATIONS:
            for wrong in (*beside(word), *swapped(word)):
                if self._abbreviations.read(wrong) is None:
                    typos[wrong] = word
        return typos

    def _common_words(self) -> list[str]:
        """Words that many phrases hold, and those of grammar; the most used last."""
        long = {word for word in self._words.words if len(word) >= SHORTEST_FUZZY}
        long |= {word for word in self._words.same if len(word) >= _LONG_SYNONYM}
        return sorted(
            (word for word in long if self._uses(word) >= _COMMON), key=lambda word: (self._uses(word), word)
        )

    def _uses(self, word: str) -> int:
        """Phrases that hold a word; a word of grammar counts as just common."""
        meant = self._words.meant(word)
        return _COMMON if meant in self._words.grammatical else self._words.uses[meant]


def _allowed_typos(word: str) -> int:
    """Typos allowed in a word of this length."""
    return next((allowed for longest, allowed in _ALLOWED_TYPOS if len(word) <= longest), _MOST_TYPOS)
