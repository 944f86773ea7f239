"""Shows how a decision came about, word by word, for `loket routing explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.clusters import ClusterSet
from core.routing.facts import Facts, RoutingDecision, reason_text
from core.routing.firing import fired, with_signs
from core.routing.reading import Reading, read
from core.routing.rules import Model, route
from core.routing.vocabulary import Vocabulary


@dataclass(frozen=True)
class Explanation:
    """A decision with everything that led to it."""

    reading: Reading
    rules: tuple[tuple[str, str], ...]
    """(rule id, the words it matched), in the order of the file."""
    decision: RoutingDecision
    clusters: ClusterSet

    def lines(self, language: str = "id") -> Iterator[str]:
        """Plain text, one thing a line.

        Args:
            language: `id` or `en`, for the reasons; the headings are English.
        """
        for typed, forms, how in self.reading.forms:
            yield f"word      {typed} = {' / '.join(forms) or '-'} ({how})"
        for o in self.reading.occurrences:
            marks = [name for name in ("denied", "past", "followup") if getattr(o, name)]
            marks += [f"{o.days:g} days"] if o.days is not None else []
            yield f"says      {o.words}: {', '.join([*sorted(o.concepts), *marks])}"
        for rule_id, words in self.rules:
            yield f"rule      {rule_id}: {words}"
        for flag in self.decision.red_flags:
            yield f"red flag  {flag.code}: {flag.word}"
        yield f"verdict   {self.decision.verdict}"
        for detail in (self.decision.question, self.decision.blocked_code):
            if detail is not None:
                yield f"because   {detail}"
        for suggestion in self.decision.suggestions:
            reasons = "; ".join(reason_text(reason, language, self.clusters) for reason in suggestion.reasons)
            yield f"proposes  {suggestion.cluster} {suggestion.score:.2f}  {reasons}"


def explain(
    facts: Facts,
    cluster: str | None,
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
    model: Model | None = None,
) -> Explanation:
    """Decide as `route` does, and keep what led there. Same arguments, same errors."""
    vocabulary = vocabulary or Vocabulary.load()
    reading = read(facts.chief_complaint, vocabulary)
    return Explanation(
        reading=with_signs(facts, reading, vocabulary.signs),
        rules=tuple((hit.rule.id, hit.words) for hit in fired(facts, reading, vocabulary)),
        decision=route(facts, cluster, clusters, vocabulary, model),
        clusters=clusters,
    )
