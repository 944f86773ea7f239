"""The words of a vocabulary, and the reading of a word that holds no typing error.

In:  "pemeriksaan".
Out: `Known(("pemeriksaan", "periksa"), "exact")`, and `Known(("aki",), "affix")` for "akinya".

Four kinds of words matter. Meaningful ones carry a concept by themselves ("sesak"); others only inside
phrases ("campur" in "lendir campur darah"). Grammatical ones have a role ("tidak"). Neutral ones are ordinary words
without a meaning here ("kamar"), listed so that they are not taken for misspelt complaints. Everyday words are a longer list for the same end: they
are compared with what is typed, never with what may have been meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.complaints.language.morphology import SHORTEST_STEM, stems
from core.complaints.language.phrases import Phrases
from core.complaints.language.tokenizer import tokenize

NEGATION = "tidak"
"""The one form under which phrases hold every word for not."""

OWNED = "nya"
"""The commonest ending: "his, her, the"."""

AS_TYPED = frozenset({"exact", "affix", "neutral"})
"""Values of `Known.how` for a word without a typing error."""

_SURE_SUFFIXES = frozenset({OWNED, "ku", "mu", "ne", "kah", "lah"})
"""Endings that make even a stem of three letters certain: "akinya" is aki, but "kaaki" is not."""

_MORE_GRAMMAR = frozenset({"dan", "atau", "tak", "no", "ini"})
"""Words of grammar besides negations and fillers that are never taken for the stem of another word."""

_MOST_MEANINGFUL_STEMS = 2
"""Stems with a meaning that are kept for one word."""


@dataclass(frozen=True)
class Known:
    """The reading of a typed word."""

    forms: tuple[str, ...]
    """Words of the vocabulary, best first; empty for a word without a meaning here."""
    how: str
    """`exact`, `affix`, `spelling`, `split`, `typing`, `neutral` or `unknown`."""


UNKNOWN = Known((), "unknown")


class WordList:
    """All words and phrases, compiled. Immutable after construction."""

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
        """Compile the lists of a vocabulary.

        Args:
            concepts: Concept -> its words and phrases.
            neutral: Ordinary words.
            same: Other spelling or synonym -> the word that the lists use.
            negations: Words for not.
            fillers: Words left out of phrases.
            counting: Words for numbers and units of time; ordinary words too.
            everyday: Words of the language at large, of which none is a slip of another word.
            names: Concept -> proper names, which short words are not slips of: those of medicines.
        """
        self.negations = negations
        self.fillers = fillers
        self.same = dict(same)
        self.phrases = Phrases()
        self.words: set[str] = set(negations | fillers)
        """Every word of a list or phrase."""
        self.meaningful: set[str] = set(negations | fillers)
        """Words that carry a concept by themselves."""
        self.uses: Counter[str] = Counter()
        """Word -> phrases that hold it: a common word is misspelt often."""
        self.grammatical = negations | fillers | _MORE_GRAMMAR
        """Words that take no affixes."""
        self._add_all(concepts)
        listed = frozenset(self.words)
        self._add_all(names)
        self.phrases.freeze()
        self.names = self.words - listed
        """Words of proper names that are in no other list."""
        ordinary = {*neutral, *counting}
        self.neutral = ordinary - self.words
        """Ordinary words in no list or phrase."""
        self._ordinary_parts = ordinary & self.words
        """Ordinary words that phrases need: read as they are, without stems."""
        self.everyday = frozenset(everyday)
        """Words that are right as they are typed, whatever known word lies a slip away."""

    def meant(self, word: str) -> str:
        """Return the word that the lists use for a spelling or synonym."""
        return self.same.get(word, word)

    def means_something(self, word: str) -> bool:
        """Return whether the word carries a concept by itself."""
        return self.meant(word) in self.meaningful

    def holds(self, word: str) -> bool:
        """Return whether exactly this word is in the vocabulary."""
        return word in self.words or word in self.same

    def as_written(self, word: str) -> Known | None:
        """Return the reading of a word without typing errors, or None."""
        if word in self.negations:
            return Known((NEGATION,), "exact")
        if word in self.meaningful:
            # Its stem too, for phrases: "pemeriksaan dahak" is "periksa dahak".
            return Known((word, *self.stem_forms(word)), "exact")
        if word in self.neutral:
            return Known((), "neutral")
        if word in self._ordinary_parts:
            return Known((word,), "exact")
        forms = self.stem_forms(word)
        if word in self.words:
            return Known((word, *forms), "exact")
        return Known(forms, "affix") if forms else None

    def stem_forms(self, word: str) -> tuple[str, ...]:
        """Return the known stems of a word: first those with a meaning, then a part of a phrase."""
        bare = [self.meant(stem) for stem in stems(word) if _is_safe(stem, word)]
        if word.endswith(OWNED):
            # Surer than a prefix of two letters: "matanya" is an eye (mata), no question (tanya).
            bare.insert(0, self.meant(word.removesuffix(OWNED)))
        known = [stem for stem in bare if stem in self.words and stem not in self.grammatical]
        meaningful = [stem for stem in known if stem in self.meaningful]
        return tuple(dict.fromkeys((*meaningful[:_MOST_MEANINGFUL_STEMS], *known[:1])))

    def _add_all(self, concepts: Mapping[str, Iterable[str]]) -> None:
        for concept, phrases in concepts.items():
            for phrase in phrases:
                self._add(self._words_of(phrase), concept)
        self.phrases.inherit(OWNED)

    def _words_of(self, phrase: str) -> list[str]:
        """The words of a phrase as they appear in a stream, without fillers unless there is nothing else.

        A phrase of fillers and one other word gives none: "mau ini" would give its meaning to every "mau".
        `check_vocabulary` reports such phrases.
        """
        words = [
            NEGATION if word in self.negations else self.meant(word)
            for kind, word in tokenize(phrase)
            if kind in ("word", "code")
        ]
        if len(words) < 2:
            return words
        kept = [word for word in words if word not in self.fillers]
        return [] if len(kept) == 1 else kept

    def _add(self, words: list[str], concept: str) -> None:
        if not words:
            return
        self.phrases.add(words, concept)
        self.words.update(words)
        self.uses.update(words)
        if len(words) == 1:
            self.meaningful.add(words[0])


def _is_safe(stem: str, word: str) -> bool:
    """False for three letters that look like a stem by chance: the "aki" of "kaaki", the "hit" of "hitan"."""
    return len(stem) > SHORTEST_STEM or word.removeprefix(stem) in _SURE_SUFFIXES
