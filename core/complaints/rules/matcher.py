"""Matches rules against a reading: terms near each other, age, sex, pregnancy and duration.

Signs come first: a `sign` rule makes one concept of several words ("kepala" and "sakit" say what
"pusing" says), so that every other rule may name either.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from core.complaints.facts import RoutingFacts
from core.complaints.reading.occurrences import Occurrence, most_current
from core.complaints.reading.reader import Reading
from core.complaints.rules.complaint_rule import ComplaintRule, Term
from core.complaints.subject import Subject
from core.complaints.vocabulary import Vocabulary

_SENSATIONS = frozenset({"pain", "pressure", "tightness", "numb", "weak"})
"""Concepts of something felt at a place on the body."""


@dataclass(frozen=True)
class RuleMatch:
    """A rule that the complaint and the facts satisfy."""

    rule: ComplaintRule
    words: str
    """The clerk's words that satisfy it."""
    first: int
    """Position of its first word."""
    is_historical: bool = False
    """True when all of it is said of another time."""


class _Findings:
    """The occurrences of a complaint, indexed by concept."""

    def __init__(self, subject: Subject, occurrences: Iterable[Occurrence]) -> None:
        self.subject = subject
        self.said: set[str] = {"pregnant"} if subject.is_marked_pregnant else set()
        """Every concept affirmed anywhere, the parts of phrases too."""
        self.denied: set[str] = set()
        self._occurrences: list[Occurrence] = []
        self._indexes: dict[tuple[str, bool], list[int]] = {}
        """(concept, whether denied) -> indexes of its occurrences."""
        self._indexes_within: dict[str, list[int]] = {}
        """Concept -> indexes of the phrases that contain a word for it."""
        for occurrence in occurrences:
            self.add(occurrence)

    def add(self, occurrence: Occurrence) -> None:
        """Index one more occurrence."""
        index = len(self._occurrences)
        self._occurrences.append(occurrence)
        for concept in occurrence.concepts:
            self._indexes.setdefault((concept, occurrence.negated), []).append(index)
        if occurrence.negated:
            self.denied |= occurrence.concepts
            return
        self.said |= occurrence.concepts | occurrence.word_concepts
        if not occurrence.is_indivisible:
            for concept in occurrence.word_concepts:
                self._indexes_within.setdefault(concept, []).append(index)

    def may_satisfy(self, rule: ComplaintRule) -> bool:
        """Return whether each term of a rule is found somewhere; a quick test before matching."""
        for term in rule.needs:
            if term.concepts.isdisjoint(self.denied if term.denied else self.said):
                return False
        return True

    def satisfying(self, term: Term, rule: ComplaintRule) -> list[Occurrence]:
        """Return the occurrences that satisfy a term of a rule, in the order in which they were said."""
        indexes: set[int] = set()
        for concept in term.concepts:
            indexes.update(self._indexes.get((concept, term.denied), ()))
        # A phrase must not hide a danger: "bengkak" in "mata bengkak", "darah" in "keluar darah".
        if rule.kind in ("red", "sign") and not term.denied:
            for concept in term.concepts:
                indexes.update(self._indexes_within.get(concept, ()))
        found = (self._occurrences[index] for index in sorted(indexes))
        return [occurrence for occurrence in found if _counts_for(occurrence, rule)]

    def segments_affirming(self, concepts: Iterable[str]) -> set[int]:
        """Return the segments of the complaint in which one of some concepts is affirmed."""
        return {
            self._occurrences[index].segment
            for concept in concepts
            for index in self._indexes.get((concept, False), ())
        }


def _counts_for(occurrence: Occurrence, rule: ComplaintRule) -> bool:
    """Return whether a rule of this kind may use the occurrence at all."""
    if rule.kind in ("red", "urgent"):
        return _is_current(occurrence, rule)
    return rule.kind == "vague" or not occurrence.is_generic


def _is_current(occurrence: Occurrence, rule: ComplaintRule) -> bool:
    """Return whether it is said of today and is not already being treated."""
    is_chronic = rule.lasting or rule.kind == "urgent"
    is_treated = occurrence.is_errand if is_chronic else occurrence.is_followup
    return occurrence.is_current and (rule.in_followup or not is_treated)


def matching_rules(facts: RoutingFacts, reading: Reading, vocabulary: Vocabulary) -> list[RuleMatch]:
    """Return every rule that matches, in the order of the vocabulary, without those that another replaces.

    Where only vague rules match, general rules are tried again on the single words inside phrases.

    Args:
        facts: The complaint and what is known of the person.
        reading: The complaint as read.
        vocabulary: Compiled words and rules.
    """
    reading = with_signs(facts, _with_places(reading), vocabulary.signs)
    subject = Subject.of(facts, reading)
    matches = _matches(_Findings(subject, reading.occurrences), vocabulary)
    if any(match.rule.kind != "vague" for match in matches):
        return matches
    words = (replace(o, concepts=o.concepts | o.word_concepts) for o in reading.occurrences)
    return _matches(_Findings(subject, words), vocabulary, kind="general") + matches


def _with_places(reading: Reading) -> Reading:
    """Return the reading with each place that fills a clause repeated in the next: "dada kiri, sakit sekali"."""
    by_clause: dict[int, list[Occurrence]] = {}
    for occurrence in reading.occurrences:
        if not occurrence.is_aside:
            by_clause.setdefault(occurrence.clause, []).append(occurrence)
    carried: list[Occurrence] = []
    for clause, felt in by_clause.items():
        before = by_clause.get(clause - 1, ())
        if _lacks_place(felt) and _is_only_places(before):
            carried += [replace(o, clause=clause, segment=felt[0].segment, is_aside=True) for o in before]
    return replace(reading, occurrences=(*reading.occurrences, *carried)) if carried else reading


def _lacks_place(clause: Sequence[Occurrence]) -> bool:
    """Return whether a clause begins with a sensation and does not say where it is felt."""
    return not _SENSATIONS.isdisjoint(clause[0].concepts) and not any(_is_place(o) for o in clause)


def _is_only_places(clause: Sequence[Occurrence]) -> bool:
    return all(_is_place(o) and not o.negated and o.is_current for o in clause)


def _is_place(occurrence: Occurrence) -> bool:
    return any(concept.startswith("at_") for concept in occurrence.concepts)


def with_signs(facts: RoutingFacts, reading: Reading, signs: Sequence[ComplaintRule]) -> Reading:
    """Return the reading with one more occurrence for every sign found.

    Args:
        facts: The complaint and what is known of the person.
        reading: The complaint as read.
        signs: The `sign` rules, each after those that it builds on.
    """
    findings = _Findings(Subject.of(facts, reading), reading.occurrences)
    found = []
    for rule in signs:
        group = _satisfying_group(rule, findings)
        if group:
            sign = _sign(rule, group)
            findings.add(sign)
            found.append(sign)
    return replace(reading, occurrences=(*reading.occurrences, *found))


def _sign(rule: ComplaintRule, group: Sequence[Occurrence]) -> Occurrence:
    """Return the occurrence that a sign makes of those that satisfy it."""
    assert rule.says is not None
    return Occurrence(
        concepts=frozenset({rule.says}),
        words=_words(group),
        first=min(o.first for o in group),
        last=max(o.last for o in group),
        clause=group[0].clause,
        segment=group[0].segment,
        temporality=most_current(group),
        is_followup=all(o.is_followup for o in group),
        is_errand=all(o.is_errand for o in group),
        days=max((o.days for o in group if o.days is not None), default=None),
    )


def _matches(findings: _Findings, vocabulary: Vocabulary, kind: str | None = None) -> list[RuleMatch]:
    """Return the rules that match, of one kind where that is given."""
    matches = []
    for rule in _candidates(findings, vocabulary):
        if kind in (None, rule.kind):
            group = _satisfying_group(rule, findings)
            if group is not None:
                matches.append(_match(rule, group))
    replaced = {rule_id for match in matches for rule_id in match.rule.replaces}
    return [match for match in matches if match.rule.id not in replaced]


def _candidates(findings: _Findings, vocabulary: Vocabulary) -> Iterator[ComplaintRule]:
    """Yield the rules of which the narrowest term is found, in the order of the vocabulary."""
    keys = [(concept, False) for concept in findings.said]
    keys += [(concept, True) for concept in findings.denied]
    indexes = {index for key in keys for index in vocabulary.rules_by_concept.get(key, ())}
    return (vocabulary.rules[index] for index in sorted(indexes))


def _match(rule: ComplaintRule, group: Sequence[Occurrence]) -> RuleMatch:
    return RuleMatch(
        rule,
        words=_words(group),
        first=min((o.first for o in group), default=0),
        is_historical=bool(group) and not any(o.is_current for o in group),
    )


def _words(group: Sequence[Occurrence]) -> str:
    """Return the clerk's words, in the order in which they were typed."""
    return " … ".join(dict.fromkeys(o.words for o in sorted(group, key=lambda o: o.first)))


def _is_for(rule: ComplaintRule, subject: Subject) -> bool:
    """Return whether age, sex and pregnancy let the rule apply."""
    if rule.sex is not None and subject.sex not in (None, rule.sex):
        return False
    fits_age = _fits_age(rule, subject.months) and _fits_days(rule, subject.days)
    return fits_age and rule.pregnant in (None, subject.is_pregnant)


def _fits_age(rule: ComplaintRule, months: int | None) -> bool:
    if rule.age_months is None:
        return True
    lowest, limit = rule.age_months
    return months is not None and lowest <= months < limit


def _fits_days(rule: ComplaintRule, days: int | None) -> bool:
    return rule.under_days is None or (days is not None and 0 <= days < rule.under_days)


def _satisfying_group(rule: ComplaintRule, findings: _Findings) -> list[Occurrence] | None:
    """Return occurrences that satisfy a rule, the near ones first; None when it does not match.

    What its `unless` takes back and what has lasted too long is passed over, because the same word in
    another clause may still satisfy the rule.
    """
    if not findings.may_satisfy(rule) or not _is_for(rule, findings.subject):
        return None
    near = _near_group(rule, findings)
    if near is None or not _lasts_long_enough(near, rule):
        return None
    elsewhere = _elsewhere_group(rule, findings)
    return None if elsewhere is None else near + elsewhere


def _near_group(rule: ComplaintRule, findings: _Findings) -> list[Occurrence] | None:
    """Return one occurrence for each term that must be near the others; None when one is missing."""
    terms = [term for term in rule.needs if not term.anywhere]
    if not terms:
        return []
    excluded = findings.segments_affirming(rule.unless)
    candidates = [
        _usable(findings.satisfying(term, rule), rule, excluded, findings.subject) for term in terms
    ]
    return _closest(candidates, rule) if all(candidates) else None


def _elsewhere_group(rule: ComplaintRule, findings: _Findings) -> list[Occurrence] | None:
    """Return the first occurrence of each `@` term, wherever it is said; None when one is missing."""
    has_near = any(not term.anywhere for term in rule.needs)
    excluded = set() if has_near else findings.segments_affirming(rule.unless)
    group: list[Occurrence] = []
    for term in rule.needs:
        if not term.anywhere:
            continue
        candidates = findings.satisfying(term, rule)
        if not has_near:
            candidates = _usable(candidates, rule, excluded, findings.subject)
        # The form's own mark stands for the word.
        is_marked = "pregnant" in term.concepts and findings.subject.is_marked_pregnant
        if not candidates and not is_marked:
            return None
        group += candidates[:1]
    return group


def _usable(
    occurrences: Iterable[Occurrence], rule: ComplaintRule, excluded: Collection[int], subject: Subject
) -> list[Occurrence]:
    """Return those outside the excluded segments that have not lasted too long.

    Args:
        occurrences: Of one term of the rule.
        rule: Gives the longest duration.
        excluded: Numbers of segments.
        subject: Nothing has lasted longer than the patient has lived: "sejak lahir".
    """
    return [o for o in occurrences if o.segment not in excluded and not _is_too_old(o, rule, subject)]


def _is_too_old(occurrence: Occurrence, rule: ComplaintRule, subject: Subject) -> bool:
    lived = math.inf if subject.days is None else max(subject.days, 0)
    return min(occurrence.days or 0.0, lived) > rule.longest_days


def _lasts_long_enough(group: Iterable[Occurrence], rule: ComplaintRule) -> bool:
    if rule.min_days is None:
        return True
    return max((o.days or 0.0 for o in group), default=0.0) >= rule.min_days


def _closest(candidates: Sequence[list[Occurrence]], rule: ComplaintRule) -> list[Occurrence] | None:
    """Return one occurrence for each near term, all in one clause and within the span; None when there is none.

    A single word may satisfy several terms ("pendarahan" is both blood and much of it).

    Args:
        candidates: For each term the occurrences that satisfy it; none of them empty.
        rule: Gives the span, and says whether the order counts.
    """
    if len(candidates) == 1:
        return [candidates[0][0]]
    for anchor in candidates[0]:
        found = _beside(anchor, candidates[1:], rule)
        if found is not None:
            return [anchor, *found]
    return None


def _beside(
    anchor: Occurrence, candidates: Iterable[list[Occurrence]], rule: ComplaintRule
) -> list[Occurrence] | None:
    """Return the occurrence of each further term nearest to the anchor; None when one is missing."""
    found: list[Occurrence] = []
    before = anchor
    for group in candidates:
        later = [o for o in group if o.first >= before.first] if rule.ordered else group
        nearest = _nearest(anchor, later, rule.span)
        if nearest is None:
            return None
        found.append(nearest)
        before = nearest
    return found


def _nearest(anchor: Occurrence, group: Iterable[Occurrence], span: int) -> Occurrence | None:
    """Return the occurrence nearest to the anchor in its clause; None when all are farther than the span."""
    near = [o for o in group if o.clause == anchor.clause and abs(o.first - anchor.last) <= span]
    return min(near, key=lambda o: abs(o.first - anchor.first), default=None)
