"""Read words in Banjarese spelling.

In:  "tinsi", "kapala", "tasangal".
Out: tensi, kepala, tersengal: known words that fold to the same key.

Source of the sounds: docs/reference/complaints.md.
"""

from __future__ import annotations

from collections import defaultdict

from core.complaints.language.morphology import fold_keys, stems
from core.complaints.language.typos import SHORTEST_FUZZY
from core.complaints.language.word_list import Known, WordList

_SHORTEST_KEY = 3
"""Letters of the shortest key: two fold onto anything ("ggi" is not "ge")."""
_SHORTEST_PREFIXED = 7
"""Letters of the shortest word whose ber-, ter- or per- is taken for a prefix."""
_MOST_FOUND = 3
"""Words returned."""
_VOWEL_KEYS = (0, 1)
"""Indexes into `fold_keys`: a for the schwa first, then i for the clear e."""


class BanjareseSpellings:
    """Known words by their folded spellings."""

    def __init__(self, words: WordList) -> None:
        self._words = words
        self._by_key: dict[str, list[str]] = defaultdict(list)
        for word in sorted(words.words - words.names):
            for key in {*fold_keys(word), *fold_keys(_with_banjarese_prefix(word))}:
                if len(key) >= _SHORTEST_KEY:
                    self._by_key[key].append(word)

    def read(self, word: str) -> Known | None:
        """Return the words that a Banjarese spelling may be, with or without affixes."""
        # Shorter stems fold onto too much: the "nah" of "tanah", the "sih" of "kasih".
        forms = [word, *(stem for stem in stems(word) if len(stem) >= SHORTEST_FUZZY)]
        for vowel_key in _VOWEL_KEYS:
            found = [
                known
                for form in forms
                for known in self._by_key.get(fold_keys(form)[vowel_key], ())
                if form == word or known not in self._words.grammatical
            ]
            if found:
                found += self._words.stem_forms(found[0])
                return Known(tuple(dict.fromkeys(found))[:_MOST_FOUND], "spelling")
        return None


def _with_banjarese_prefix(word: str) -> str:
    """Return the word with ber-, ter- or per- as in Banjarese, without r: "tersengal" tasangal."""
    is_prefixed = word.startswith(("ber", "ter", "per")) and len(word) >= _SHORTEST_PREFIXED
    return word[0] + "a" + word[3:] if is_prefixed else word
