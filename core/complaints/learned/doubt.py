"""Doubt a danger sign of the rules, and suspect one where they see none: a small linear model of whole sentences.

The rules read one word after the other, the model hears the sentence: its words and pieces of words, what the reader
understood, and which two findings stand together. Where the rules see a danger and the model thinks it unlikely, and where
they see none and the model thinks it likely, one question is asked at the counter. The model decides nothing: without an
answer the rules stand (`core.routing`).

The weights are fitted by `bench/train_doubt.py`; the file says on what.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations

from core.complaints.facts import RoutingFacts
from core.complaints.learned.persons import age_band, person_features
from core.complaints.reading.reader import Reading

_FILE = "data/complaint_doubt.tsv"
_WORD = re.compile(r"[a-z0-9]+")
_SHORTEST_GRAM, _LONGEST_GRAM = 3, 5
"""Letters of the pieces of words, which still match where a word is mistyped."""
_MOST_WORDS = 80
"""Words that are read: a longer text is no complaint."""
_MOST_PAIRED = 12
"""Findings that are paired with each other: a longer list is a form read out."""
_SCALE = 100
"""The file holds hundredths, as whole numbers."""
_NUMBERS = frozenset({"bias", "threshold", "suspicion"})
"""Names in the file that are no features."""


@dataclass(frozen=True)
class DoubtModel:
    """A fitted logistic regression."""

    weights: Mapping[str, int]
    """Feature -> weight, in hundredths."""
    bias: int
    """The same, for no feature."""
    threshold: float
    """Likelihood of a danger below which one that the rules see is doubted."""
    suspicion: float = 1.0
    """Likelihood from which one is suspected where the rules see none; 1: never."""

    def likelihood(self, facts: RoutingFacts, reading: Reading) -> float:
        """Return how likely the complaint tells of a danger, 0 to 1."""
        total = self.bias + sum(self.weights.get(feature, 0) for feature in seen(facts, reading))
        return 1 / (1 + math.exp(-total / _SCALE))

    def doubts(self, facts: RoutingFacts, reading: Reading) -> bool:
        """Return whether a danger sign that the rules see in it should be asked about."""
        return self.likelihood(facts, reading) < self.threshold

    def suspects(self, facts: RoutingFacts, reading: Reading) -> bool:
        """Return whether a danger should be asked about although the rules see none."""
        return self.likelihood(facts, reading) >= self.suspicion

    def heaviest_word(self, facts: RoutingFacts) -> str:
        """Return the word of a complaint that speaks most for a danger; empty where it has none."""
        words = _words(facts)
        return max(words, key=lambda word: sum(self.weights.get(f, 0) for f in _pieces(word)), default="")


def seen(facts: RoutingFacts, reading: Reading) -> frozenset[str]:
    """Return everything that the model sees of a complaint and a person.

    Args:
        facts: The words, the age and the sex.
        reading: What was understood, without what is said of others.
    """
    return frozenset(features(facts)).union(meanings(reading))


def meanings(reading: Reading) -> Iterator[str]:
    """Yield what the model sees of a reading: each finding with its scope, and the pairs that are said of today."""
    current: set[str] = set()
    for occurrence in reading.occurrences:
        concepts = occurrence.concepts
        if not occurrence.is_indivisible:
            concepts = concepts | occurrence.word_concepts
        scope = ("n" if occurrence.negated else "") + ("" if occurrence.is_current else "h")
        yield from (f"k{scope}:{concept}" for concept in concepts)
        if not scope:
            current |= concepts
    yield from (f"p:{one}|{other}" for one, other in combinations(sorted(current)[:_MOST_PAIRED], 2))


def features(facts: RoutingFacts) -> Iterator[str]:
    """Yield what the model sees of a complaint's letters and a person; some of it several times."""
    words = _words(facts)
    for word, following in zip(words, (*words[1:], "."), strict=False):
        yield f"b:{word} {following}"
        yield from _pieces(word)
    if words:
        yield f"b:. {words[0]}"
    yield from person_features(facts, age_band(facts.days))


def _words(facts: RoutingFacts) -> list[str]:
    return _WORD.findall(facts.chief_complaint.lower())[:_MOST_WORDS]


def _pieces(word: str) -> Iterator[str]:
    """Yield a word and its pieces."""
    yield f"w:{word}"
    padded = f"_{word}_"
    for length in range(_SHORTEST_GRAM, _LONGEST_GRAM + 1):
        yield from (f"c:{padded[i : i + length]}" for i in range(len(padded) - length + 1))


@cache
def shipped_doubt() -> DoubtModel:
    """Return the model that ships; its file is read once."""
    text = resources.files("core").joinpath(_FILE).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    numbers = {name: value for name, value in rows if name in _NUMBERS}
    weights = {name: int(value) for name, value in rows if name not in numbers}
    threshold, suspicion = (int(numbers[name]) / _SCALE for name in ("threshold", "suspicion"))
    return DoubtModel(weights, int(numbers["bias"]), threshold, suspicion)
