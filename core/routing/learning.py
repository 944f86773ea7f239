"""Learning from corrections: a small model whose every weight can be read.

A correction (a patient moved to another cluster, an override kept) says that a complaint belongs
elsewhere. The model counts which words, concepts and ages go with which cluster (multinomial naive
Bayes with smoothing) and gives an opinion only where it has seen a word several times and is far
ahead of the next cluster. `route` lets it move general complaints and answer vague ones; red flags
and hard constraints are decided before it is asked.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.clusters import ClusterSet
from core.routing.facts import Facts
from core.routing.firing import age_years
from core.routing.reading import Reading, read
from core.routing.rules import route
from core.routing.vocabulary import Vocabulary

SMOOTHING = 0.3
LEAST_SUPPORT = 3
"""Examples in which the deciding word was seen with that cluster before it may speak."""

LEAST_CONFIDENCE = 0.85
FOLDS = 5
LEAST_EXAMPLES = 30
"""Below this no evaluation means anything."""

_FORMAT = 1


@dataclass(frozen=True)
class Example:
    """A complaint and the cluster where it turned out to belong."""

    facts: Facts
    cluster: str


@dataclass(frozen=True)
class Figures:
    """How the rules do alone and with the model, on examples that the model has not seen."""

    examples: int
    rules_right: int
    together_right: int
    helped: int
    """Wrong or unsure by the rules alone, right with the model."""
    harmed: int
    """Right by the rules alone, wrong with the model."""

    @property
    def rules_share(self) -> float:
        """Share right by the rules alone, 0 to 1."""
        return self.rules_right / self.examples if self.examples else 0.0

    @property
    def together_share(self) -> float:
        """Share right with the model, 0 to 1."""
        return self.together_right / self.examples if self.examples else 0.0

    @property
    def passed(self) -> bool:
        """True when the model may be used: enough examples, more help than harm, harm rare."""
        return (
            self.examples >= LEAST_EXAMPLES
            and self.helped > self.harmed
            and self.harmed <= self.examples * 0.02
        )


@dataclass(frozen=True)
class Model:
    """Counts, and the opinion that follows from them."""

    totals: Mapping[str, int]
    """Cluster -> examples."""
    counts: Mapping[str, Mapping[str, int]]
    """Feature (`word:garing`, `concept:fever`, `age:child`, `sex:female`) -> cluster -> examples."""
    enabled: bool = True
    """False after a failed evaluation or when the clinic switched it off: no opinions."""
    _sizes: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count the features seen with each cluster, which smoothing divides by."""
        sizes: Counter[str] = Counter()
        for by_cluster in self.counts.values():
            sizes.update(by_cluster)
        object.__setattr__(self, "_sizes", dict(sizes))

    def opinion(self, facts: Facts, reading: Reading) -> tuple[str, float, str] | None:
        """(cluster, confidence, deciding word), or None without enough to say.

        Args:
            facts: Of the visit.
            reading: Of its complaint.
        """
        seen = [feature for feature in features(facts, reading) if feature in self.counts]
        words = [feature for feature in seen if feature.startswith("word:")]
        if not self.enabled or not words or len(self.totals) < 2:
            return None
        shares = self._shares(seen)
        cluster = max(shares, key=lambda code: shares[code])
        supported = [word for word in words if self.counts[word].get(cluster, 0) >= LEAST_SUPPORT]
        if shares[cluster] < LEAST_CONFIDENCE or not supported:
            return None
        deciding = max(supported, key=lambda word: self._lean(word, cluster))
        if self._lean(deciding, cluster) < 0.5:
            return None
        return cluster, shares[cluster], deciding.removeprefix("word:")

    def _lean(self, feature: str, cluster: str) -> float:
        """The share of a feature's examples that went to the cluster."""
        by_cluster = self.counts[feature]
        return by_cluster.get(cluster, 0) / sum(by_cluster.values())

    def _shares(self, seen: Sequence[str]) -> dict[str, float]:
        """Cluster -> probability."""
        total = sum(self.totals.values())
        logs = {}
        for cluster, examples in self.totals.items():
            size = self._sizes.get(cluster, 0) + SMOOTHING * len(self.counts)
            logs[cluster] = math.log(examples / total) + sum(
                math.log((self.counts[feature].get(cluster, 0) + SMOOTHING) / size) for feature in seen
            )
        highest = max(logs.values())
        weights = {cluster: math.exp(value - highest) for cluster, value in logs.items()}
        whole = sum(weights.values())
        return {cluster: weight / whole for cluster, weight in weights.items()}

    def save(self, path: str | Path) -> None:
        """Write the model as readable JSON."""
        document = {
            "format": _FORMAT,
            "enabled": self.enabled,
            "totals": dict(self.totals),
            "counts": {feature: dict(by_cluster) for feature, by_cluster in sorted(self.counts.items())},
        }
        Path(path).write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")

    @staticmethod
    def load(path: str | Path) -> Model:
        """Read a model written by `save`.

        Raises:
            ValueError: Not such a file, or of a newer format.
            OSError: It cannot be read.
        """
        document = json.loads(Path(path).read_text("utf-8"))
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise ValueError("not a routing model of this version")
        return Model(document["totals"], document["counts"], bool(document["enabled"]))


def features(facts: Facts, reading: Reading) -> list[str]:
    """What the model looks at: words as understood, concepts affirmed, age band, sex, pregnancy."""
    found = {
        f"word:{forms[0] if forms else typed}" for typed, forms, how in reading.forms if _tells(typed, how)
    }
    for occurrence in reading.occurrences:
        sign = "not:" if occurrence.denied else "concept:"
        found |= {sign + concept for concept in occurrence.concepts if not concept.startswith("over_")}
    years = age_years(facts, reading)
    if years is not None:
        found.add(
            "age:"
            + ("under5" if years < 5 else "child" if years < 18 else "adult" if years < 60 else "elderly")
        )
    if facts.pregnant:
        found.add("pregnant")
    if facts.sex is not None:
        found.add(f"sex:{facts.sex}")
    return sorted(found)


def _tells(typed: str, how: str) -> bool:
    """Ordinary words do not decide anything; words of one or two letters are too often slips."""
    return how != "neutral" and len(typed) > 2


def train(examples: Sequence[Example], vocabulary: Vocabulary | None = None) -> Model:
    """Count a model from labelled examples; an empty list gives a model without opinions."""
    vocabulary = vocabulary or Vocabulary.load()
    totals: Counter[str] = Counter()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        totals[example.cluster] += 1
        for feature in features(example.facts, read(example.facts.chief_complaint, vocabulary)):
            counts[feature][example.cluster] += 1
    return Model(dict(totals), {feature: dict(by_cluster) for feature, by_cluster in counts.items()})


def evaluate(
    model: Model | None,
    examples: Sequence[Example],
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
) -> Figures:
    """Compare the rules alone with rules and model.

    Args:
        model: Tested on `examples` as it is; None trains and tests by cross-validation over
            `FOLDS` folds, so that no example is judged by a model that has seen it.
        examples: Labelled with clusters of `clusters`.
        clusters: The clinic's clusters.
        vocabulary: None for the shipped one.
    """
    vocabulary = vocabulary or Vocabulary.load()
    rules_right = together_right = helped = harmed = 0
    for fold in range(FOLDS if model is None else 1):
        if model is None:
            tested = examples[fold::FOLDS]
            used = train([e for i, e in enumerate(examples) if i % FOLDS != fold], vocabulary)
        else:
            tested, used = examples, model
        for example in tested:
            alone = route(example.facts, None, clusters, vocabulary).proposal == example.cluster
            together = route(example.facts, None, clusters, vocabulary, used).proposal == example.cluster
            rules_right += alone
            together_right += together
            helped += together and not alone
            harmed += alone and not together
    return Figures(len(examples), rules_right, together_right, helped, harmed)
