"""Explains a decision word by word, for `loket routing explain`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.complaints.facts import ClusterSuggestion, RoutingDecision, RoutingFacts, reason_text
from core.complaints.reading.occurrences import Occurrence
from core.complaints.reading.reader import Reading, read
from core.complaints.rules.matcher import matching_rules, with_signs
from core.complaints.vocabulary import Vocabulary
from core.queues.clusters import ClusterSet
from core.routing import LearnedModel, route

Gettext = Callable[[str], str]
"""Translates an English msgid."""

HEADINGS = ("word", "says", "rule", "red flag", "verdict", "because", "proposes")
"""Labels that begin a line; all lines are aligned after the longest."""

CONTEXTS = ("denied", "past", "followup")
RECOGNITIONS = ("exact", "affix", "spelling", "typing", "split", "neutral", "unknown")
"""How a typed word was recognised; `core.complaints.language.lexicon.Known.how`."""

DURATION = "{days} days"
VERDICTS = ("match", "mismatch", "blocked", "unsure")
MSGIDS = (*HEADINGS, *CONTEXTS, *RECOGNITIONS, DURATION, *VERDICTS)
"""English words of an explanation, for a catalogue of translations."""


@dataclass(frozen=True)
class Explanation:
    """A decision with everything that led to it."""

    reading: Reading
    rules: tuple[tuple[str, str], ...]
    """(rule id, the words it matched), in the order of the vocabulary."""
    decision: RoutingDecision
    clusters: ClusterSet

    def lines(self, language: str = "id", gettext: Gettext = str) -> Iterator[str]:
        """Yield the explanation as plain text, line by line.

        Args:
            language: `id` or `en`, for the reasons.
            gettext: Translates the words of `MSGIDS`; without it they are English.
        """
        width = max(len(gettext(heading)) for heading in HEADINGS)
        for heading, text in (*self._read(gettext), *self._decided(language, gettext)):
            yield f"{gettext(heading):<{width}}  {text}"

    def _read(self, gettext: Gettext) -> Iterator[tuple[str, str]]:
        """Yield (heading, text) for the words and for what they mean."""
        for typed, forms, how in self.reading.forms:
            yield "word", f"{typed} = {' / '.join(forms) or '-'} ({gettext(how)})"
        for occurrence in self.reading.occurrences:
            meanings = [*sorted(occurrence.concepts), *_context(occurrence, gettext)]
            yield "says", f"{occurrence.words}: {', '.join(meanings)}"

    def _decided(self, language: str, gettext: Gettext) -> Iterator[tuple[str, str]]:
        """Yield (heading, text) for the rules and for the decision."""
        decision = self.decision
        for rule_id, words in self.rules:
            yield "rule", f"{rule_id}: {words}"
        for flag in decision.red_flags:
            yield "red flag", f"{flag.code}: {flag.word}"
        yield "verdict", gettext(str(decision.verdict))
        for detail in (decision.question, decision.blocked_code):
            if detail is not None:
                yield "because", detail
        for suggestion in decision.suggestions:
            yield "proposes", self._proposal(suggestion, language)

    def _proposal(self, suggestion: ClusterSuggestion, language: str) -> str:
        reasons = (reason_text(reason, language, self.clusters) for reason in suggestion.reasons)
        return f"{suggestion.cluster} {suggestion.score:.2f}  {'; '.join(reasons)}"


def _context(occurrence: Occurrence, gettext: Gettext) -> list[str]:
    holds = (occurrence.negated, not occurrence.is_current, occurrence.is_followup)
    marks = [gettext(name) for name, is_so in zip(CONTEXTS, holds, strict=True) if is_so]
    if occurrence.days is not None:
        marks.append(gettext(DURATION).format(days=f"{occurrence.days:g}"))
    return marks


def explain(
    facts: RoutingFacts,
    cluster: str | None,
    clusters: ClusterSet,
    vocabulary: Vocabulary | None = None,
    model: LearnedModel | None = None,
) -> Explanation:
    """Decide as `core.routing.route` does, and keep everything that led to the decision.

    Args:
        facts: The complaint and what is known of the person.
        cluster: Code of the cluster chosen at the counter, or None.
        clusters: The clinic's clusters.
        vocabulary: Compiled words and rules; None for the shipped ones.
        model: Learned from corrections; None to use the rules alone.

    Raises:
        NotFoundError: The clinic has no cluster of that code.
    """
    vocabulary = vocabulary or Vocabulary.load()
    reading = read(facts.chief_complaint, vocabulary)
    return Explanation(
        reading=with_signs(facts, reading, vocabulary.signs),
        rules=tuple((match.rule.id, match.words) for match in matching_rules(facts, reading, vocabulary)),
        decision=route(facts, cluster, clusters, vocabulary, model),
        clusters=clusters,
    )
