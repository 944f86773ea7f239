"""Read words run together, and words that a blank has cut.

In:  "sakitgigi", "gabisa", "kesambarpetir"; "pin" + "gsan".
Out: sakit + gigi, tidak + bisa, kesambar + petir; one word, pingsan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.complaints.language.typos import SHORTEST_FUZZY
from core.complaints.language.word_list import AS_TYPED, NEGATION, Known, WordList

_SHORTEST_PART = 3
"""Letters of the shortest of two words run together."""
_LONG_PART = 5
"""Least letters of a part without a meaning of its own: shorter ones are there by chance."""
_LONG_MISTYPED_PART = 6
"""The same for a part with a typing error."""
_SHORTEST_COMPOUND = 2 * SHORTEST_FUZZY
"""Letters of the shortest compound with a typing error, or of words that are no phrase."""

_SHORT_NEGATIONS = (
    "enggak",
    "engga",
    "nggak",
    "kagak",
    "ngga",
    "kaga",
    "ndak",
    "gak",
    "tdk",
    "tak",
    "ga",
    "gk",
)
"""Words for not that are run together with the next word, the longest first. A lone "g" begins too many: "gini"."""


class Compounds:
    """Tells the two words of a compound."""

    def __init__(self, words: WordList, known: Callable[[str], Known | None]) -> None:
        """Prepare the phrases of two words.

        Args:
            words: The vocabulary.
            known: Returns the quick reading of a part, `Lexicon.known`.
        """
        self._words = words
        self._known = known
        self._phrases = {
            left + right: (left, right)
            for left, right in words.phrases.pairs()
            if len(left) >= _SHORTEST_PART <= len(right)
        }
        """Phrases of two words as they look without the blank: `asamurat`."""
        self._phrases_by_start: dict[str, list[str]] = defaultdict(list)
        """First two letters -> keys of `_phrases`."""
        for whole in sorted(self._phrases):
            self._phrases_by_start[whole[:2]].append(whole)

    def as_negated(self, word: str) -> Known | None:
        """Return the reading of a short "not" and a word run together: "gabisa", "gakmau", "tdkbangun"."""
        for short in _SHORT_NEGATIONS:
            rest = word.removeprefix(short)
            if rest == word or len(rest) < _SHORTEST_PART:
                continue
            known = self._words.as_written(rest)
            if known is not None and known.forms:
                return Known((NEGATION, known.forms[0]), "split")
        return None

    def as_phrase(self, word: str) -> Known | None:
        """Return the two words of a phrase run together, with at most one typo: "sakitgigi", "guladrah"."""
        if word in self._phrases:
            return Known(self._phrases[word], "split")
        if len(word) < _SHORTEST_COMPOUND:
            return None
        alike = [whole for whole in self._phrases_by_start[word[:2]] if abs(len(whole) - len(word)) <= 1]
        close = extract(word, alike, scorer=OSA.distance, score_cutoff=1, limit=1)
        return Known(self._phrases[close[0][0]], "split") if close else None

    def as_two_words(self, word: str, sure_parts: int) -> Known | None:
        """Return any two words run together: "kesambarpetir", "mntahdrah".

        Args:
            word: As typed, lower case.
            sure_parts: How many of them, 1 or 2, carry a concept as they are.
        """
        if len(word) < _SHORTEST_COMPOUND:
            return None
        for cut in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            parts = (word[:cut], word[cut:])
            sure = [part for part in parts if self._words.means_something(part)]
            if len(sure) != sure_parts:
                continue
            if sure_parts == 2 or self._may_stand_beside(parts[parts[0] in sure], sure[0]):
                return Known(parts, "split")
        return None

    def is_joined(self, left: str, right: str, *, with_affixes: bool) -> bool:
        """Return whether a blank was typed inside a word: "pin gsan".

        Args:
            left: A word.
            right: The word that follows it.
            with_affixes: Also look, which takes longer, for a word with affixes: "berda rahnya".
        """
        whole = left + right
        is_word = len(whole) >= SHORTEST_FUZZY and self._words.means_something(whole)
        if not is_word and not with_affixes:
            return False
        parts = (self._known(left), self._known(right))
        if all(map(_is_as_typed, parts)):
            return False
        if is_word or any(map(_has_typo, parts)):
            return is_word
        known = self._words.as_written(whole)
        return known is not None and any(self._is_cut(form, left, right) for form in known.forms)

    def _is_cut(self, stem: str, left: str, right: str) -> bool:
        """True when the blank lies inside the stem too: "kabr sejak" is no affixed "sejak"."""
        whole = left + right
        if stem not in self._words.meaningful or stem not in whole:
            return False
        return len(stem) > len(whole) / 2 and stem not in left and stem not in right

    def _may_stand_beside(self, part: str, sure: str) -> bool:
        """True for a known part that is long enough not to be there by chance."""
        if len(part) < _LONG_PART or len(sure) < SHORTEST_FUZZY:
            return False
        known = self._known(part)
        return _is_as_typed(known) or (_has_typo(known) and len(part) >= _LONG_MISTYPED_PART)


def _is_as_typed(known: Known | None) -> bool:
    """True for a known word without a typing error."""
    return known is not None and known.how in AS_TYPED


def _has_typo(known: Known | None) -> bool:
    """True for a word known only with a typing error."""
    return known is not None and known.how not in AS_TYPED
