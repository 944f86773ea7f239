"""Which rules hold for a complaint: words near each other, who it concerns, how long it has lasted.

Signs come first: a `sign` rule makes one concept of several words ("kepala" and "sakit" say what
"pusing" says), so that every other rule may name either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.routing.document import Rule, Term
from core.routing.facts import Facts
from core.routing.reach import Occurrence
from core.routing.reading import Reading
from core.routing.vocabulary import Vocabulary
from core.vocabulary import Sex

_FELT = frozenset({"pain", "pressure", "tightness", "numb", "weak"})
"""What is felt somewhere."""


@dataclass(frozen=True)
class Hit:
    """A rule that the complaint and the facts satisfy."""

    rule: Rule
    words: str
    first: int
    """Position of its first word."""
    past: bool = False
    """True when all of it is said of another time."""


class _Heard:
    """What a complaint says, found by concept, and whom it is said of."""

    def __init__(self, facts: Facts, occurrences: Iterable[Occurrence], reading: Reading) -> None:
        self.is_ticked = facts.pregnant
        self.sex = facts.sex
        self.months = _months(facts, reading)
        self.is_pregnant = is_pregnant(facts, reading)
        self.said: set[str] = {"pregnant"} if facts.pregnant else set()
        """Every concept said anywhere, the parts of phrases too."""
        self.denied: set[str] = set()
        self._occurrences: list[Occurrence] = []
        self._places: dict[tuple[str, bool], list[int]] = {}
        """(concept, whether denied) -> places of the occurrences that are it."""
        self._places_within: dict[str, list[int]] = {}
        """Concept -> places of the phrases that hold a word for it."""
        for occurrence in occurrences:
            self.add(occurrence)

    def add(self, occurrence: Occurrence) -> None:
        """Take one thing more."""
        place = len(self._occurrences)
        self._occurrences.append(occurrence)
        for concept in occurrence.concepts:
            self._places.setdefault((concept, occurrence.denied), []).append(place)
        if occurrence.denied:
            self.denied |= occurrence.concepts
            return
        self.said |= occurrence.concepts | occurrence.parts
        if not occurrence.is_whole:
            for concept in occurrence.parts:
                self._places_within.setdefault(concept, []).append(place)

    def may_hold(self, rule: Rule) -> bool:
        """True unless a term is nowhere in the complaint."""
        for term in rule.needs:
            if term.concepts.isdisjoint(self.denied if term.denied else self.said):
                return False
        return True

    def of(self, term: Term, rule: Rule) -> list[Occurrence]:
        """The occurrences that satisfy a term of a rule, in the order in which they were said."""
        # A phrase must not hide what makes a danger: "bengkak" in "mata bengkak", "darah" in "keluar darah".
        looks_inside = rule.kind in ("red", "sign") and not term.denied
        places: set[int] = set()
        for concept in term.concepts:
            places.update(self._places.get((concept, term.denied), ()))
            if looks_inside:
                places.update(self._places_within.get(concept, ()))
        found = [self._occurrences[place] for place in sorted(places)]
        if rule.kind in ("red", "urgent"):
            return [o for o in found if _is_of_today(o, rule)]
        return found if rule.kind == "vague" else [o for o in found if not o.is_idle]

    def parts_with(self, concepts: Iterable[str]) -> set[int]:
        """The parts of the complaint in which one of some concepts is affirmed."""
        return {
            self._occurrences[place].part
            for concept in concepts
            for place in self._places.get((concept, False), ())
        }


def _is_of_today(occurrence: Occurrence, rule: Rule) -> bool:
    is_lasting = rule.lasting or rule.kind == "urgent"
    is_treated = occurrence.errand if is_lasting else occurrence.followup
    return not occurrence.past and (rule.in_followup or not is_treated)


def fired(facts: Facts, reading: Reading, vocabulary: Vocabulary) -> list[Hit]:
    """Every rule that holds, in the order of the vocabulary, replaced ones taken out.

    Where only vague rules hold, the words inside phrases are looked at one by one, for what is general.
    """
    reading = with_signs(facts, _with_places(reading), vocabulary.signs)
    hits = _hits(_Heard(facts, reading.occurrences, reading), vocabulary)
    if any(hit.rule.kind != "vague" for hit in hits):
        return hits
    plain = (replace(o, concepts=o.concepts | o.parts) for o in reading.occurrences)
    return _hits(_Heard(facts, plain, reading), vocabulary, kind="general") + hits


def _with_places(reading: Reading) -> Reading:
    """The reading with a place named by itself put beside what the next clause feels: "dada kiri, sakit sekali"."""
    by_clause: dict[int, list[Occurrence]] = {}
    for occurrence in reading.occurrences:
        if not occurrence.is_aside:
            by_clause.setdefault(occurrence.clause, []).append(occurrence)
    carried = []
    for clause, felt in by_clause.items():
        before = by_clause.get(clause - 1, ())
        if _FELT.isdisjoint(felt[0].concepts) or any(_is_place(o) for o in felt):
            continue
        if before and all(_is_place(o) and not o.denied and not o.past for o in before):
            carried += [replace(o, clause=clause, part=felt[0].part, is_aside=True) for o in before]
    return replace(reading, occurrences=(*reading.occurrences, *carried)) if carried else reading


def _is_place(occurrence: Occurrence) -> bool:
    return any(concept.startswith("at_") for concept in occurrence.concepts)


def with_signs(facts: Facts, reading: Reading, signs: Sequence[Rule]) -> Reading:
    """The reading with an occurrence more for every sign; a later sign may build on an earlier one."""
    heard = _Heard(facts, reading.occurrences, reading)
    found = []
    for rule in signs:
        if rule.says is None or not heard.may_hold(rule) or not _concerns(rule, heard):
            continue
        group = _match(rule, heard)
        if group:
            sign = Occurrence(
                concepts=frozenset({rule.says}),
                words=_words(group),
                first=min(o.first for o in group),
                last=max(o.last for o in group),
                clause=group[0].clause,
                part=group[0].part,
                past=all(o.past for o in group),
                followup=all(o.followup for o in group),
                errand=all(o.errand for o in group),
                days=max((o.days for o in group if o.days is not None), default=None),
            )
            heard.add(sign)
            found.append(sign)
    return replace(reading, occurrences=(*reading.occurrences, *found))


def _hits(heard: _Heard, vocabulary: Vocabulary, kind: str | None = None) -> list[Hit]:
    """The rules that hold, of one kind where that is given."""
    hits = []
    keys = [*((concept, False) for concept in heard.said), *((concept, True) for concept in heard.denied)]
    places = {place for key in keys for place in vocabulary.rules_by_concept.get(key, ())}
    for place in sorted(places):
        rule = vocabulary.rules[place]
        if kind not in (None, rule.kind):
            continue
        if not heard.may_hold(rule) or not _concerns(rule, heard):
            continue
        found = _match(rule, heard)
        if found is not None:
            first = min((o.first for o in found), default=0)
            hits.append(Hit(rule, _words(found), first, bool(found) and all(o.past for o in found)))
    silent = {other for hit in hits for other in hit.rule.replaces}
    return [hit for hit in hits if hit.rule.id not in silent]


def _words(found: Sequence[Occurrence]) -> str:
    """The clerk's words, in the order in which they were typed."""
    return " … ".join(dict.fromkeys(o.words for o in sorted(found, key=lambda o: o.first)))


def age_years(facts: Facts, reading: Reading) -> int | None:
    """Completed years from the record, else as the complaint tells ("anak 3 tahun", "bayi", "lansia")."""
    if facts.years is not None:
        return facts.years
    months = _months(facts, reading)
    return None if months is None else months // 12


def _months(facts: Facts, reading: Reading) -> int | None:
    if facts.months is not None:
        return facts.months
    if reading.age_days is not None:
        return int((reading.age_days + 0.5) // 30)
    for concept, months in (("newborn", 0), ("infant", 6), ("toddler", 36), ("elderly", 65 * 12)):
        if reading.said(concept):
            return months
    return None


def _concerns(rule: Rule, heard: _Heard) -> bool:
    """True when age, sex and pregnancy let the rule apply."""
    if rule.from_months is not None or rule.under_months is not None:
        if heard.months is None:
            return False
        if rule.from_months is not None and heard.months < rule.from_months:
            return False
        if rule.under_months is not None and heard.months >= rule.under_months:
            return False
    if rule.sex is not None and heard.sex is not None and heard.sex != rule.sex:
        return False
    return rule.pregnant is None or rule.pregnant == heard.is_pregnant


def is_pregnant(facts: Facts, reading: Reading) -> bool:
    """True when the form or the complaint says so, and nothing in the facts forbids it."""
    return facts.pregnant or (
        facts.sex != Sex.MALE
        and any("pregnant" in o.concepts and not o.denied and not o.past for o in reading.occurrences)
    )


def _match(rule: Rule, heard: _Heard) -> list[Occurrence] | None:
    """The occurrences that satisfy a rule, closest together first; None when they do not.

    Where `unless` is said, and what has lasted too long, is passed over: the same word in another clause
    may still hold.
    """
    spoilt = heard.parts_with(rule.unless) if rule.unless else set()
    has_near = any(not term.anywhere for term in rule.needs)
    near: list[list[Occurrence]] = []
    found: list[Occurrence] = []
    for term in rule.needs:
        candidates = heard.of(term, rule)
        if (spoilt or rule.max_days is not None) and not (term.anywhere and has_near):
            candidates = [o for o in candidates if o.part not in spoilt and not _is_too_old(o, rule)]
        if term.anywhere:
            if not candidates and not ("pregnant" in term.concepts and heard.is_ticked):
                return None
            found += candidates[:1]
        elif candidates:
            near.append(candidates)
        else:
            return None
    group = _closest(near, rule.span) if near else []
    if group is None:
        return None
    if rule.min_days is not None and max((o.days or 0.0 for o in group), default=0.0) < rule.min_days:
        return None
    return group + found


def _is_too_old(occurrence: Occurrence, rule: Rule) -> bool:
    return rule.max_days is not None and (occurrence.days or 0.0) > rule.max_days


def _closest(groups: list[list[Occurrence]], span: int) -> list[Occurrence] | None:
    """One occurrence for each term, all in one clause and within the span; None when there is none.

    A single word may serve several terms ("pendarahan" is both blood and much of it).
    """
    if len(groups) == 1:
        return [groups[0][0]]
    for anchor in groups[0]:
        chosen = [anchor]
        for group in groups[1:]:
            near = [o for o in group if o.clause == anchor.clause and abs(o.first - anchor.last) <= span]
            if not near:
                break
            chosen.append(min(near, key=lambda o: abs(o.first - anchor.first)))
        else:
            return chosen
    return None
