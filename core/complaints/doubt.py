"""Doubt a danger sign of the rules: a small linear model that has seen how dangers are said.

The rules read one word after the other, the model hears the whole sentence. Where the rules see a danger and the
model thinks it unlikely, one question is asked at the counter. The model never raises a danger and never takes one
back by itself: only a "no" to its question does (`core.routing`).

The weights are fitted by `bench/train_doubt.py`; the file says on what.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from core.complaints.facts import RoutingFacts

_FILE = "data/complaint_doubt.tsv"
_WORD = re.compile(r"[a-z0-9]+")
_SHORTEST_GRAM, _LONGEST_GRAM = 3, 5
"""Letters of the pieces of words, which still match where a word is mistyped."""
_MOST_WORDS = 80
"""Words that are read: a longer text is no complaint."""
_SCALE = 100
"""The file holds hundredths, as whole numbers."""
_AGE_BANDS = ((28, "newborn"), (365, "infant"), (1826, "toddler"), (6574, "child"), (21914, "adult"))
"""(days, exclusive; name), youngest first; above them comes "elderly"."""


@dataclass(frozen=True)
class DoubtModel:
    """A fitted logistic regression."""

    weights: Mapping[str, int]
    """Feature -> weight, in hundredths."""
    bias: int
    """The same, for no feature."""
    threshold: float
    """Likelihood of a danger below which one that the rules see is doubted."""

    def likelihood(self, facts: RoutingFacts) -> float:
        """Return how likely the complaint tells of a danger, 0 to 1."""
        total = self.bias + sum(self.weights.get(feature, 0) for feature in set(features(facts)))
        return 1 / (1 + math.exp(-total / _SCALE))

    def doubts(self, facts: RoutingFacts) -> bool:
        """Return whether a danger sign that the rules see in it should be asked about."""
        return self.likelihood(facts) < self.threshold


def features(facts: RoutingFacts) -> Iterator[str]:
    """Yield what the model sees of a complaint and a person; some of it several times."""
    words = _WORD.findall(facts.chief_complaint.lower())[:_MOST_WORDS]
    for word, following in zip(words, (*words[1:], "."), strict=False):
        yield f"w:{word}"
        yield f"b:{word} {following}"
        padded = f"_{word}_"
        for length in range(_SHORTEST_GRAM, _LONGEST_GRAM + 1):
            yield from (f"c:{padded[i : i + length]}" for i in range(len(padded) - length + 1))
    if words:
        yield f"b:. {words[0]}"
    yield f"age:{_age_band(facts.days)}"
    yield f"sex:{facts.sex or '?'}"
    if facts.pregnant:
        yield "pregnant"


def _age_band(days: int | None) -> str:
    if days is None:
        return "?"
    return next((name for limit, name in _AGE_BANDS if days < limit), "elderly")


@cache
def shipped_doubt() -> DoubtModel:
    """Return the model that ships; its file is read once."""
    text = resources.files("core").joinpath(_FILE).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    numbers = {name: value for name, value in rows if name in ("bias", "threshold")}
    weights = {name: int(value) for name, value in rows if name not in numbers}
    return DoubtModel(weights, int(numbers["bias"]), int(numbers["threshold"]) / _SCALE)
