"""Learning from corrections: a small model whose every weight can be read.

A correction (a patient moved to another cluster, an override kept) says that a complaint belongs
elsewhere; a visit that stayed where the rules sent it says that they were right. The model counts
which words, concepts and ages go with which cluster (multinomial naive Bayes with smoothing) and gives
an opinion only where it has seen a word several times and is far ahead of the next cluster. `route`
lets it move complaints that the rules only call general and answer words that they do not know; red
flags, hard constraints and service words are decided before it is asked, and words that say too little
("sakit", "kontrol") are not counted, so that it cannot make a guess of them.

What the age decides stays with the age: the cluster that takes general complaints at the patient's
age is one and the same label, `BY_AGE`, whoever the patient was.
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
from core.routing.rules import cluster_by_age, leaves_room, route
from core.routing.vocabulary import Vocabulary

BY_AGE = "by age"
"""The label of a visit to the cluster for general complaints at that age."""

SMOOTHING = 0.3
LEAST_SUPPORT = 3
"""Examples in which the deciding word was seen with that cluster before it may speak."""

LEAST_CONFIDENCE = 0.85
FOLDS = 5
LEAST_EXAMPLES = 30
"""Below this no evaluation means anything."""

_MOST_CHANCE = 0.01
_WORD = "word:"
_FORMAT = 2


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
        """True when the model may be used: enough examples, harm rare, and more help than luck explains."""
        return (
            self.examples >= LEAST_EXAMPLES
            and self.harmed <= self.examples * 0.02
            and self.chance <= _MOST_CHANCE
        )

    @property
    def chance(self) -> float:
        """How likely so much more help than harm is by luck alone (a one-sided sign test)."""
        changed = self.helped + self.harmed
        if not changed:
            return 1.0
        return float(sum(math.comb(changed, k) for k in range(self.helped, changed + 1)) / 2**changed)


@dataclass(frozen=True)
class Model:
    """Counts, and the opinion that follows from them."""

    totals: Mapping[str, int]
    """Cluster or `BY_AGE` -> examples."""
    counts: Mapping[str, Mapping[str, int]]
    """Feature (`word:garing`, `word:garing@child`, `concept:fever`, `age:child`, `sex:female`) -> cluster ->
    examples."""
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
        """(cluster or `BY_AGE`, confidence, deciding word), or None without enough to say.

        Args:
            facts: Of the visit.
            reading: Of its complaint.
        """
        seen = [feature for feature in features(facts, reading) if feature in self.counts]
        words = [feature for feature in seen if feature.startswith(_WORD)]
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
        return cluster, shares[cluster], deciding.removeprefix(_WORD).partition("@")[0]

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
        parts = document.get("totals"), document.get("counts")
        if not all(isinstance(part, dict) for part in parts):
            raise ValueError("a routing model without counts")
        return Model(document["totals"], document["counts"], bool(document.get("enabled")))


def features(facts: Facts, reading: Reading) -> list[str]:
    """What the model looks at: words as understood, concepts affirmed, age band, sex, pregnancy."""
    words = {
        _WORD + (forms[0] if forms else typed) for typed, forms, how in reading.forms if _tells(typed, how)
    }
    band = _age_band(age_years(facts, reading))
    found = {*words, *(f"{word}@{band}" for word in words if band), *([f"age:{band}"] if band else [])}
    for occurrence in reading.occurrences:
        if occurrence.is_aside:
            continue
        sign = "not:" if occurrence.denied else "concept:"
        found |= {sign + concept for concept in occurrence.concepts if not concept.startswith("over_")}
    if facts.pregnant:
        found.add("pregnant")
    if facts.sex is not None:
        found.add(f"sex:{facts.sex}")
    return sorted(found)


def _age_band(years: int | None) -> str:
    if years is None:
        return ""
    return "under5" if years < 5 else "child" if years < 18 else "adult" if years < 60 else "elderly"


def _tells(typed: str, how: str) -> bool:
    """Ordinary words do not decide anything; words of one or two letters are too often slips."""
    return how != "neutral" and len(typed) > 2


def train(examples: Sequence[Example], clusters: ClusterSet, vocabulary: Vocabulary | None = None) -> Model:
    """Count a model from labelled examples; an empty list gives a model without opinions.

    Visits that the rules decide by danger signs or service words are passed over: what is said in an
    emergency would otherwise make an emergency of "kaki" and "tiba-tiba".
    """
    vocabulary = vocabulary or Vocabulary.load()
    vague = _vague_concepts(vocabulary)
    totals: Counter[str] = Counter()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        if not leaves_room(example.facts, clusters, vocabulary):
            continue
        reading = read(example.facts.chief_complaint, vocabulary)
        label = example.cluster
        if label == cluster_by_age(example.facts, reading, clusters):
            label = BY_AGE
        totals[label] += 1
        for feature in features(example.facts, reading):
            word = feature.removeprefix(_WORD).partition("@")[0]
            if not feature.startswith(_WORD) or _says_something(word, vague, vocabulary):
                counts[feature][label] += 1
    return Model(dict(totals), {feature: dict(by_cluster) for feature, by_cluster in counts.items()})


def _vague_concepts(vocabulary: Vocabulary) -> frozenset[str]:
    """Concepts that by themselves only lead to a question: those of "sakit" and "kontrol"."""
    return frozenset(
        concept
        for rule in vocabulary.rules
        if rule.kind == "vague"
        for term in rule.needs
        for concept in term.concepts
    )


def _says_something(word: str, vague: frozenset[str], vocabulary: Vocabulary) -> bool:
    """True for a word that the vocabulary does not hold, or that means something which is not vague."""
    if word in vocabulary.lexicon.fillers:
        return False
    if not vocabulary.lexicon.holds(word):
        return True
    concepts = vocabulary.lexicon.phrases.longest([(word,)])[1]
    return not concepts & vague and any(not concept.startswith(("grammar.", "over_")) for concept in concepts)


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
            used = train([e for i, e in enumerate(examples) if i % FOLDS != fold], clusters, vocabulary)
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
