"""From a typed word to the words the vocabulary knows.

A word is tried as it is, without affixes, in Banjarese spelling, split where two words were run
together, and last with typing errors. Words that mean nothing here are known as such (`neutral`),
so that an ordinary word is not mistaken for a misspelt complaint.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from core.routing.language import (
    fold_keys,
    grouped,
    skeleton,
    squeeze,
    stems,
    tokens,
    undoubled,
    unreduplicated,
)
from core.routing.nearness import Nearness
from core.routing.phrases import Phrases
from core.routing.slips import SHORTEST_FUZZY, beside, in_order, shortened, swapped

NEGATION = "tidak"
"""The one form under which phrases hold every word for not."""

_SHORTEST_PART = 3
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
"""The longest first, for "not" and a word run together; a lone "g" begins too many words: "gini"."""
_SLIPPED_NEGATIONS = ("gak", "tdk")
"""Shorter than other words in which a slip is looked for: what they turn round may be all of the sign."""
_AS_IT_IS = frozenset({"exact", "affix", "neutral"})
"""How a word is known that holds no slip."""
_LONG_PART = 5
"""Letters of a word that stands without a blank beside another and is not one of those that mean something."""
_LONG_WORD = 6
_LONGEST_WORD = 30
"""Letters; more are no word but a key held down or something pasted."""
_OFTEN = 4
"""Phrases that hold a word, from which on a letter missing in it is a surer slip than any other reading."""
_MOST_STEMS = 2
"""Stems of a misspelt word that are compared with others, the longest first."""
_MANY_BONES = 4
"""Consonants that are hardly another word's in the same order."""
_LEAST_SHARE_OF_NEUTRAL = 0.4
"""What must be left of a word for its stem to call it ordinary: "dibacakan" is baca."""


@dataclass(frozen=True)
class Known:
    """What a typed word turned out to be."""

    forms: tuple[str, ...]
    """Words of the vocabulary, best first; empty for a word that says nothing here."""
    how: str
    """`exact`, `affix`, `spelling`, `split`, `typing`, `neutral` or `unknown`."""


UNKNOWN = Known((), "unknown")


class Lexicon:
    """All words, compiled. Immutable after construction, except for its cache of lookups."""

    def __init__(
        self,
        concepts: Mapping[str, Iterable[str]],
        *,
        neutral: Iterable[str],
        same: Mapping[str, str],
        negations: frozenset[str],
        fillers: frozenset[str],
        counting: Iterable[str],
    ) -> None:
        self.negations = negations
        self.fillers = fillers
        self._same = dict(same)
        self.phrases = Phrases()
        self._meaningful: set[str] = set()
        """Words that carry a concept by themselves."""
        self._words: set[str] = set()
        self._uses: Counter[str] = Counter()
        """Word -> phrases that hold it: what is said often is also misspelt often."""
        self._neutral = set(neutral) | set(counting)
        ordinary = frozenset(self._neutral)
        for concept, phrases in concepts.items():
            for phrase in phrases:
                self._add(phrase, concept)
        self.phrases.inherit(_OWNED)
        self.phrases.freeze()
        self._grammatical = negations | fillers | {"dan", "atau", "tak", "no", "ini"}
        self._words |= negations | fillers
        self._meaningful |= negations | fillers
        self._glued = {
            left + right: (left, right)
            for left, right in self.phrases.pairs()
            if len(left) >= _SHORTEST_PART <= len(right)
        }
        """Phrases of two words as they look without the blank: `asamurat`."""
        self._glued_by_first: dict[str, list[str]] = defaultdict(list)
        for whole in sorted(self._glued):
            self._glued_by_first[whole[:2]].append(whole)
        self._neutral -= self._words
        self._ordinary_parts = ordinary & self._words
        """Neutral words that phrases need: taken as they are, never for what is left without affixes."""
        self._index()
        self.known = lru_cache(maxsize=20_000)(self._known)
        self.resolve = lru_cache(maxsize=20_000)(self._resolve)
        self.guesses = lru_cache(maxsize=5_000)(self._guesses)

    def _add(self, phrase: str, concept: str) -> None:
        words = [
            NEGATION if word in self.negations else self._same.get(word, word)
            for kind, word in tokens(phrase)
            if kind in ("word", "code")
        ]
        if len(words) > 1:
            # Fillers are not in the stream that phrases are compared with; a lone filler is itself.
            kept = [word for word in words if word not in self.fillers]
            if len(kept) == 1:
                # "mau ini" would make every "mau" mean it; `check_vocabulary` names such phrases.
                return
            words = kept
        self.phrases.add(words, concept)
        self._words.update(words)
        self._uses.update(words)
        if len(words) == 1:
            self._meaningful.add(words[0])

    def _index(self) -> None:
        """Folded spellings and words by length, for the slower ways of looking a word up."""
        self._folded: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._words):
            for key in {*fold_keys(word), *fold_keys(_banjarese_prefix(word))}:
                # Two letters fold onto anything: "ggi" is not "ge".
                if len(key) >= _SHORTEST_PART:
                    self._folded[key].append(word)
        self._by_bones: dict[tuple[str, str], list[str]] = defaultdict(list)
        for word in sorted((self._words | set(self._same)) - self._grammatical):
            self._by_bones[word[0], skeleton(word)].append(word)
        spelt_otherwise = {
            word
            for word in self._same
            if len(word) >= (_LONG_PART if self._means_something(word) else _LONG_WORD)
        }
        self._nearest = Nearness(
            (word for word in self._words | self._neutral | spelt_otherwise if len(word) >= SHORTEST_FUZZY),
            neutral=self._neutral,
            meaningful={word for word in self._words | set(self._same) if self._means_something(word)},
        ).nearest
        self._slips: dict[str, str] = {}
        """Slip in a word that is often said -> the word; the likelier slip and the commoner word stay."""
        for slip in (beside, swapped, shortened):
            for word in self._often_said():
                self._slips.update((wrong, word) for wrong in slip(word))
        for word in _SLIPPED_NEGATIONS:
            wrong_ones = (wrong for wrong in (*beside(word), *swapped(word)) if not self._as_vowelless(wrong))
            self._slips.update((wrong, word) for wrong in wrong_ones)

        self._parts_by_start: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in sorted(self._words - self._grammatical):
            self._parts_by_start[word[0], len(word)].append(word)

    def _means_something(self, word: str) -> bool:
        return self._same.get(word, word) in self._meaningful

    def _often_said(self) -> list[str]:
        """Words of four letters or more that many phrases hold, and those of grammar; the most used last."""

        def uses(word: str) -> int:
            meant = self._same.get(word, word)
            return _OFTEN * (meant in self._grammatical) or self._uses[meant]

        long = {word for word in self._words if len(word) >= SHORTEST_FUZZY}
        long |= {word for word in self._same if len(word) >= _LONG_WORD}
        return sorted((word for word in long if uses(word) >= _OFTEN), key=lambda word: (uses(word), word))

    def holds(self, word: str) -> bool:
        """True when exactly this word stands in the vocabulary."""
        return word in self._words or word in self._same

    def _known(self, word: str) -> Known | None:
        """What a word is that stands in the vocabulary, with affixes or a common slip; None for any other."""
        if len(word) > _LONGEST_WORD:
            return UNKNOWN
        word = self._same.get(word, word)
        for spelling in _spellings(word):
            if (known := self._as_written(spelling)) is not None:
                return known
        if (known := self._as_denied(word)) is not None:
            return known
        if (known := self._as_jumbled(word)) is not None:
            return known
        return self._as_common(word)

    def _resolve(self, word: str) -> Known:
        if (known := self.known(word)) is not None:
            return known
        word = self._same.get(word, word)
        # An ordinary word with affixes is no misspelt complaint: "latihan" is not "letih".
        bare = stems(word, _LEAST_SHARE_OF_NEUTRAL)
        if any(len(stem) >= SHORTEST_FUZZY and stem in self._neutral for stem in bare):
            return self._as_slip(word) or Known((), "neutral")
        found = [self._as_banjarese(spelling) for spelling in _spellings(word)]
        found += [self._as_split(word), self._as_two(word, 2)]
        written = (squeeze(word), squeeze(word, 2), undoubled(word))
        found += [self._as_mistyped(spelling) for spelling in dict.fromkeys(written)]
        found += [self._as_two(word, 1)]
        kept = [known for known in found if known is not None]
        # First what means something by itself: "sesa" is rather "sesak" than the "sisa" of "sisa akar".
        kept.sort(key=lambda known: not any(form in self._meaningful for form in known.forms))
        return kept[0] if kept else UNKNOWN

    def _guesses(self, word: str) -> tuple[str, ...]:
        """Words one slip from one that says nothing, for what only a whole phrase makes likely: `dara tinggi`."""
        if len(word) < _SHORTEST_PART or self.resolve(word).how in ("exact", "affix"):
            return ()
        # An ordinary word is what it is, but for a letter left out or doubled: "haja" is no slip for "haji".
        steps = (-1, 1) if word in self._neutral else (-1, 0, 1)
        pools = (self._parts_by_start.get((word[0], len(word) + step), ()) for step in steps)
        near = (extract(word, pool, scorer=OSA.distance, score_cutoff=1, limit=None) for pool in pools)
        return tuple(known for found in near for known, _, _ in found)

    def is_joined(self, left: str, right: str, *, with_affixes: bool) -> bool:
        """True where a blank was struck inside a word: `pin gsan`.

        Args:
            left: A word.
            right: The word that follows it.
            with_affixes: Look, which takes longer, also for `berda rahnya`.
        """
        whole = left + right
        is_word = self._same.get(whole, whole) in self._meaningful and len(whole) >= SHORTEST_FUZZY
        if not is_word and not with_affixes:
            return False
        parts = (self.known(left), self.known(right))
        if all(known is not None and known.how in _AS_IT_IS for known in parts):
            return False
        if is_word or any(known is not None and known.how not in _AS_IT_IS for known in parts):
            return is_word
        # What is left without affixes must be cut too: "kabr sejak" is no affixed "sejak".
        known = self._as_written(whole)
        return known is not None and any(
            form in self._meaningful
            and len(form) > len(whole) / 2
            and form in whole
            and form not in left
            and form not in right
            for form in known.forms
        )

    def _as_slip(self, word: str) -> Known | None:
        """One slip in a long word that means something: nearer than the affixes of an ordinary one."""
        if len(word) < _LONG_WORD:
            return None
        close = self._nearest(word, 1)
        if not close or close[0] not in self._meaningful or close[0][0] != word[0]:
            return None
        return Known(close, "typing") if OSA.distance(word, close[0]) == 1 < len(close[0]) - 4 else None

    def _as_denied(self, word: str) -> Known | None:
        """A short "not" and a word run together: `gabisa`, `gakmau`, `tdkbangun`."""
        for short in _SHORT_NEGATIONS:
            rest = word.removeprefix(short)
            known = self._as_written(rest) if rest != word and len(rest) >= _SHORTEST_PART else None
            if known is not None and known.forms:
                return Known((NEGATION, known.forms[0]), "split")
        return None

    def _as_jumbled(self, word: str) -> Known | None:
        """A letter struck twice or two in the wrong order: `perrut`, `multu`."""
        if len(word) <= SHORTEST_FUZZY:
            return None
        for meant in (undoubled(word), *swapped(word)):
            # The two may be the root's last and the first of "-nya": "jarniya".
            root = meant.removesuffix(_OWNED)
            whole = self._same.get(root, root)
            if meant != word and whole in self._meaningful and whole not in self._grammatical:
                return Known((whole, *self._stem_forms(whole)), "typing")
        return None

    def _as_common(self, word: str) -> Known | None:
        """A word that is often said, with one slip in it: `daah`, `peut`, `prut`."""
        whole = self._slips.get(word)
        known = None if whole is None else self._as_written(self._same.get(whole, whole))
        known = known or self._as_owned(word)
        return None if known is None else Known(known.forms, "typing")

    def _as_owned(self, word: str) -> Known | None:
        """A word with "-nya" and one slip in either: `mykanya`, `mukayna`."""
        for ending in _OWNED_SLIPS.get(word[-1:], ()):
            owned = word.removesuffix(ending)
            if owned == word or len(owned) < (_SHORTEST_PART if ending == _OWNED else SHORTEST_FUZZY):
                continue
            meant = owned if ending != _OWNED else self._slips.get(owned, "")
            meant = self._same.get(meant, meant)
            if meant in self._meaningful and meant not in self._grammatical:
                return Known((meant, *self._stem_forms(meant)), "typing")
        return None

    def _as_written(self, word: str) -> Known | None:
        if word in self.negations:
            return Known((NEGATION,), "exact")
        if word in self._meaningful:
            # The stem too, for phrases: "pemeriksaan dahak" is "periksa dahak".
            return Known((word, *self._stem_forms(word)), "exact")
        if word in self._neutral:
            return Known((), "neutral")
        if word in self._ordinary_parts:
            return Known((word,), "exact")
        forms = self._stem_forms(word)
        if word in self._words:
            return Known((word, *forms), "exact")
        return Known(forms, "affix") if forms else None

    def _stem_forms(self, word: str) -> tuple[str, ...]:
        """What the word is without affixes: first a stem with a meaning, then a part of a phrase."""
        bare = [self._same.get(stem, stem) for stem in stems(word) if _is_safe(stem, word)]
        if word.endswith(_OWNED):
            # Surer than a prefix of two letters: "matanya" is an eye, not a question.
            bare.insert(0, self._same.get(owned := word.removesuffix(_OWNED), owned))
        known = [stem for stem in bare if stem in self._words and stem not in self._grammatical]
        meaningful = [stem for stem in known if stem in self._meaningful]
        return tuple(dict.fromkeys((*meaningful[:2], *known[:1])))

    def _as_banjarese(self, word: str) -> Known | None:
        # Short stems fold onto too much ("ta-nah", "ka-sih"), and words of grammar take no affixes.
        forms = [word, *(stem for stem in stems(word) if len(stem) >= SHORTEST_FUZZY)]
        for spelling in (0, 1):
            found = [
                known
                for form in forms
                for known in self._folded.get(fold_keys(form)[spelling], ())
                if form == word or known not in self._grammatical
            ]
            if found:
                found += self._stem_forms(found[0])
                return Known(tuple(dict.fromkeys(found))[:3], "spelling")
        return None

    def _as_split(self, word: str) -> Known | None:
        """The two words of a phrase run together, such as `sakitgigi`; both are kept, in order."""
        if word in self._glued:
            return Known(self._glued[word], "split")
        if len(word) >= 2 * SHORTEST_FUZZY:
            # "guladrah"
            alike = [whole for whole in self._glued_by_first[word[:2]] if abs(len(whole) - len(word)) <= 1]
            close = extract(word, alike, scorer=OSA.distance, score_cutoff=1, limit=1)
            if close:
                return Known(self._glued[close[0][0]], "split")
        return None

    def _as_two(self, word: str, sure_parts: int) -> Known | None:
        """Any two words without the blank between them: `kesambarpetir`, `mntahdrah`.

        Args:
            word: As typed, lower case.
            sure_parts: How many of them, 1 or 2, mean something as they are.
        """
        if len(word) < 2 * SHORTEST_FUZZY:
            return None
        for cut in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            parts = (word[:cut], word[cut:])
            sure = [part for part in parts if self._same.get(part, part) in self._meaningful]
            if len(sure) != sure_parts:
                continue
            if sure_parts == 1 and not self._may_stand_beside(parts[parts[0] in sure], sure[0]):
                continue
            return Known(parts, "split")
        return None

    def _may_stand_beside(self, part: str, sure: str) -> bool:
        """True for a word with affixes or a common slip that is long enough not to be there by chance."""
        if len(part) < _LONG_PART or len(sure) < SHORTEST_FUZZY:
            return False
        known = self.known(part)
        return known is not None and (known.how in _AS_IT_IS or len(part) >= _LONG_WORD)

    def _as_mistyped(self, word: str) -> Known | None:
        """The nearest known words, if they are near for the word's length and no neutral one is nearer."""
        if len(word) < SHORTEST_FUZZY:
            return self._as_vowelless(word)
        owned = self._as_vowelless_owned(word) if _VOWELS.isdisjoint(word.removesuffix(_OWNED)) else None
        if owned is not None:
            return owned
        # All of four consonants say more than the nearest word: "srawan" is sariawan, not sawan.
        if len(skeleton(word)) >= _MANY_BONES and (whole := self._as_vowelless(word)) is not None:
            return whole
        allowed = 1 if len(word) <= 9 else 2 if len(word) <= 13 else 3
        found = self._nearest(word, allowed)
        if not found and len(word) >= 6:
            # Words of grammar take no affixes.
            long = (stem for stem in stems(word) if len(stem) >= 5)
            near = (self._nearest(stem, 1) for stem in islice(long, _MOST_STEMS))
            found = next((words for words in near if words and words[0] not in self._grammatical), ())
        if not found:
            return self._as_vowelless(word)
        if found[0] in self._neutral:
            return Known((), "neutral")
        found = tuple(self._same.get(near, near) for near in found)
        return Known(tuple(dict.fromkeys((*found, *self._stem_forms(found[0])))), "typing")

    def _as_vowelless(self, word: str, shortest: int = 3) -> Known | None:
        """`dda`, `tlt`, `kpala`, `sblah`: all consonants there, in order, vowels left out."""
        if not shortest <= len(word) <= 7:
            return None
        # The first letter is never left out: "alrg".
        has_vowels = not _VOWELS.isdisjoint(word[1:])
        if sum(letter not in _VOWELS for letter in word) >= _MANY_BONES:
            most = 3 if has_vowels else len(word)
        else:
            most = 1 if has_vowels else 2
        found = [
            (known, self._same.get(known, known))
            for known in self._by_bones.get((word[0], skeleton(word)), ())
            if 0 < len(known) - len(word) <= most and in_order(word, known)
        ]
        if not found:
            return self._as_vowelless_owned(word)
        found.sort(key=lambda pair: (-self._uses[pair[1]], len(pair[0])))
        return Known(tuple(dict.fromkeys(meant for _, meant in found[:3])), "typing")

    def _as_vowelless_owned(self, word: str) -> Known | None:
        """The same with "-nya", which makes two consonants enough: `bbrnya`, `mkny`."""
        for ending in (_OWNED, _OWNED_SHORT):
            owned = word.removesuffix(ending)
            if owned != word:
                return self._as_vowelless(owned, shortest=2)
        return None


def _spellings(word: str) -> tuple[str, ...]:
    """The word as it is, and without what a held-down key or a doubled word adds."""
    return tuple(dict.fromkeys((word, squeeze(word), squeeze(word, 2), unreduplicated(word) or word)))


def _is_safe(stem: str, word: str) -> bool:
    """False for three letters that look like a word by chance: the "aki" of "kaaki", the "hit" of "hitan"."""
    return len(stem) > _SHORTEST_STEM or word.removeprefix(stem) in _SURE_SUFFIXES


_SHORTEST_STEM = 3
_VOWELS = frozenset("aeiou")
_OWNED = "nya"
_OWNED_SHORT = "ny"
_OWNED_SLIPS = grouped(
    sorted({_OWNED, "nay", "yna", "ya", "nyaa", "nyya", "nnya", *beside(_OWNED), *shortened(_OWNED)}),
    lambda ending: ending[-1],
)
"""What "-nya" becomes by one slip, by its last letter."""
_SURE_SUFFIXES = frozenset({_OWNED, "ku", "mu", "ne", "kah", "lah"})


def _banjarese_prefix(word: str) -> str:
    """ber-, ter- and per- lose their r in Banjarese: `tersengal` tasangal, `berdarah` badarah."""
    return word[0] + "a" + word[3:] if word.startswith(("ber", "ter", "per")) and len(word) > 6 else word
