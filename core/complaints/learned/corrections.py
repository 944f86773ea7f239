"""A model learned from corrections, small enough that every weight can be read.

In:  corrections (a patient moved to another cluster, an override kept) and visits that stayed where the
     rules sent them.
Out: the cluster for a complaint, where the model has seen one of its words several times and is far ahead
     of the next cluster; otherwise no opinion.

It is a multinomial naive Bayes with additive smoothing over words, concepts, age, sex and pregnancy.
`core.routing.route` lets it move complaints that the rules only call general and answer words that they do
not know. Red flags, contradictions and service words are decided before it is asked. Words that say too
little ("sakit", "kontrol") are not counted, so that it cannot guess from them.

The cluster that takes general complaints at the patient's age is one label, `BY_AGE`, for all patients:
what the age decides stays with the age.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.complaints.facts import RoutingFacts
from core.complaints.learned.persons import age_band, person_features
from core.complaints.reading.reader import Reading, read
from core.complaints.subject import Subject
from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import ClusterSet
from core.routing import cluster_by_age, is_left_to_age, route

BY_AGE = "by age"
"""The label of a visit to the cluster for general complaints at that age."""

SMOOTHING = 0.3
"""Added to every count, so that a pair never seen is unlikely and not impossible."""

LEAST_SUPPORT = 3
"""Examples in which the deciding word was seen with a cluster before the model may propose it."""

LEAST_CONFIDENCE = 0.85
"""Probability, 0 to 1, below which the model gives no opinion."""

LEAST_LEAN = 0.5
"""Share, 0 to 1, of the deciding word's examples that must have gone to the proposed cluster."""

FOLDS = 5
"""Parts of a cross-validation."""

LEAST_EXAMPLES = 30
"""Fewer examples are too few for an evaluation."""

MOST_HARM = 0.02
"""Share, 0 to 1, of examples that a model in use may make worse."""

_MOST_CHANCE = 0.01
"""Significance level: the probability of so much help by luck that is still accepted."""

DAYS_PER_MONTH = 30.5  # days; a twelfth of a year, rounded up so that a whole number of months is reached

_SHORTEST_WORD = 3
"""Letters; shorter words are too often typing errors."""

_WORD = "word:"
_FORMAT = 3
"""Version of the saved file; raised whenever features or labels change their meaning."""


@dataclass(frozen=True)
class Example:
    """A complaint and the cluster where it turned out to belong."""

    facts: RoutingFacts
    cluster: str


@dataclass(frozen=True)
class EvaluationFigures:
    """Results of the rules alone and with the model, on examples that the model has not seen."""

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
            and self.harmed <= self.examples * MOST_HARM
            and self.chance <= _MOST_CHANCE
        )

    @property
    def chance(self) -> float:
        """The probability of so much more help than harm by luck alone (a one-sided sign test)."""
        changed = self.helped + self.harmed
        if not changed:
            return 1.0
        return float(sum(math.comb(changed, k) for k in range(self.helped, changed + 1)) / 2**changed)


@dataclass(frozen=True)
class NaiveBayes:
    """Counts of a trained model, and the opinion that follows from them."""

    totals: Mapping[str, int]
    """Cluster or `BY_AGE` -> examples."""
    counts: Mapping[str, Mapping[str, int]]
    """Feature (`word:garing`, `word:garing@child`, `concept:fever`, `age:child`, `sex:female`) -> cluster ->
    examples."""
    enabled: bool = True
    """False after a failed evaluation or when the clinic switched it off: no opinions."""
    _sizes: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count the features seen with each cluster, as the denominator of smoothing."""
        sizes: Counter[str] = Counter()
        for by_cluster in self.counts.values():
            sizes.update(by_cluster)
        object.__setattr__(self, "_sizes", dict(sizes))

    def opinion(self, facts: RoutingFacts, reading: Reading) -> tuple[str, float, str] | None:
        """Return (cluster or `BY_AGE`, confidence, deciding word), or None without enough evidence.

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
        deciding = self._deciding_word(words, cluster)
        if deciding is None or shares[cluster] < LEAST_CONFIDENCE:
            return None
        return cluster, shares[cluster], _bare_word(deciding)

    def _deciding_word(self, words: Sequence[str], cluster: str) -> str | None:
        """Return the word that speaks most clearly for a cluster, None when none does so clearly enough."""
        supported = [word for word in words if self.counts[word].get(cluster, 0) >= LEAST_SUPPORT]
        deciding = max(supported, key=lambda word: self._lean(word, cluster), default=None)
        if deciding is None or self._lean(deciding, cluster) < LEAST_LEAN:
            return None
        return deciding

    def _lean(self, feature: str, cluster: str) -> float:
        """Return the share of a feature's examples that went to the cluster."""
        by_cluster = self.counts[feature]
        return by_cluster.get(cluster, 0) / sum(by_cluster.values())

    def _shares(self, seen: Sequence[str]) -> dict[str, float]:
        """Return the probability of each cluster."""
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
    def load(path: str | Path) -> NaiveBayes:
        """Read a model written by `save`.

        Raises:
            ValueError: The file holds no model, or one of another format.
            OSError: The file cannot be read.
        """
        document = json.loads(Path(path).read_text("utf-8"))
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise ValueError("not a routing model of this version")
        parts = document.get("totals"), document.get("counts")
        if not all(isinstance(part, dict) for part in parts):
            raise ValueError("a routing model without counts")
        return NaiveBayes(document["totals"], document["counts"], bool(document.get("enabled")))


def features(facts: RoutingFacts, reading: Reading) -> list[str]:
    """Return what the model counts: words as understood, concepts affirmed or denied, age band, sex, pregnancy."""
    words = {
        _WORD + (forms[0] if forms else typed)
        for typed, forms, how in reading.forms
        if _is_telling(typed, how)
    }
    band = age_band(_days(Subject.of(facts, reading)))
    found = words | set(person_features(facts, band)) | _concept_features(reading)
    return sorted(found | {f"{word}@{band}" for word in words})


def _days(subject: Subject) -> int | None:
    """Return the age in days, of which the complaint may tell the months only."""
    if subject.days is not None or subject.years is None:
        return subject.days
    months = subject.months if subject.months is not None else 12 * subject.years
    return int(months * DAYS_PER_MONTH)


def _concept_features(reading: Reading) -> set[str]:
    found = set()
    for occurrence in reading.occurrences:
        if not occurrence.is_aside:
            prefix = "not:" if occurrence.negated else "concept:"
            found |= {prefix + concept for concept in occurrence.concepts if not concept.startswith("over_")}
    return found


def _is_telling(typed: str, how: str) -> bool:
    """Return whether a typed word may decide something: neither an ordinary word nor a very short one."""
    return how != "neutral" and len(typed) >= _SHORTEST_WORD


def _bare_word(feature: str) -> str:
    """Return the word of a feature such as `word:garing@child`."""
    return feature.removeprefix(_WORD).partition("@")[0]


def train(
    examples: Sequence[Example], clusters: ClusterSet, vocabulary: Vocabulary | None = None
) -> NaiveBayes:
    """Count a model from labelled examples; an empty list gives a model without opinions.

    Visits that the rules decide by danger signs or service words are left out: words said in an emergency
    would otherwise make an emergency of "kaki" and "tiba-tiba".

    Args:
        examples: Labelled with clusters of `clusters`.
        clusters: The clinic's clusters.
        vocabulary: Compiled words and rules; None for the shipped ones.
    """
    vocabulary = vocabulary or Vocabulary.load()
    vague = _vague_concepts(vocabulary)
    totals: Counter[str] = Counter()
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in examples:
        if not is_left_to_age(example.facts, clusters, vocabulary):
            continue
        reading = read(example.facts.chief_complaint, vocabulary)
        is_by_age = example.cluster == cluster_by_age(example.facts, reading, clusters)
        label = BY_AGE if is_by_age else example.cluster
        totals[label] += 1
        for feature in features(example.facts, reading):
            if not feature.startswith(_WORD) or _is_specific(_bare_word(feature), vague, vocabulary):
                counts[feature][label] += 1
    return NaiveBayes(dict(totals), {feature: dict(by_cluster) for feature, by_cluster in counts.items()})


def _vague_concepts(vocabulary: Vocabulary) -> frozenset[str]:
    """Return the concepts that by themselves only lead to a question: those of "sakit" and "kontrol"."""
    return frozenset(
        concept
        for rule in vocabulary.rules
        if rule.kind == "vague"
        for term in rule.needs
        for concept in term.concepts
    )


def _is_specific(word: str, vague: frozenset[str], vocabulary: Vocabulary) -> bool:
    """Return whether a word is unknown to the vocabulary, or means something that is not vague."""
    if word in vocabulary.lexicon.fillers:
        return False
    if not vocabulary.lexicon.holds(word):
        return True
    concepts = vocabulary.lexicon.phrases.longest([(word,)])[1]
    return not concepts & vague and any(not concept.startswith(("grammar.", "over_")) for concept in concepts)


def evaluate(
    model: NaiveBayes | None,
    examples: Sequence[Example],
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
) -> EvaluationFigures:
    """Compare the rules alone with rules and model.

    Args:
        model: Tested on `examples` as it is; None trains and tests by cross-validation over
            `FOLDS` folds, so that no example is judged by a model trained on it.
        examples: Labelled with clusters of `clusters`.
        clusters: The clinic's clusters.
        vocabulary: None for the shipped one.
    """
    vocabulary = vocabulary or Vocabulary.load()
    outcomes: Counter[tuple[bool, bool]] = Counter()
    for tested, used in _trials(model, examples, clusters, vocabulary):
        for example in tested:
            alone = route(example.facts, None, clusters, vocabulary).proposal
            together = route(example.facts, None, clusters, vocabulary, used).proposal
            outcomes[alone == example.cluster, together == example.cluster] += 1
    both, helped, harmed = outcomes[True, True], outcomes[False, True], outcomes[True, False]
    return EvaluationFigures(
        len(examples),
        rules_right=both + harmed,
        together_right=both + helped,
        helped=helped,
        harmed=harmed,
    )


def _trials(
    model: NaiveBayes | None, examples: Sequence[Example], clusters: ClusterSet, vocabulary: Vocabulary
) -> Iterator[tuple[Sequence[Example], NaiveBayes]]:
    """Yield (examples to test, the model to test on them): one pair, or one for each fold."""
    if model is not None:
        yield examples, model
        return
    for fold in range(FOLDS):
        others = [example for index, example in enumerate(examples) if index % FOLDS != fold]
        yield examples[fold::FOLDS], train(others, clusters, vocabulary)
