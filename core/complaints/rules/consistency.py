"""Checks of a whole vocabulary, and the order of its rules.

The document must be `well_formed` already, and a clinic's own file laid over the shipped ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from core.complaints.language.medicine_names import medicine_names
from core.complaints.rules.complaint_rule import KINDS, ComplaintRule, Term
from core.complaints.rules.faults import Fault, near_miss, row_place
from core.complaints.rules.rule_schema import split_words

_Row = Mapping[str, Any]


def inconsistencies(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what contradicts or misses something else in the document."""
    rules = document.get("rule", [])
    measures = document.get("measure", [])
    yield from _class_faults(document.get("classes", {}), document.get("words", {}))
    for row in measures:
        yield from _measure_faults(row)
    known = _concepts(document)
    for row in rules:
        yield from _concept_faults(row, known)
    yield from _id_faults(rules)
    yield from _sign_faults([row for row in rules if row.get("kind") == "sign"])


def _concepts(document: Mapping[str, Any]) -> set[str]:
    """Return the concepts that words, measures and signs make."""
    found = set(document.get("words", {})).union(medicine_names())
    for row in document.get("measure", []):
        found.update(row.get("levels") or (), row.get("pair") or ())
    return found.union(row["says"] for row in document.get("rule", []) if "says" in row)


def asked_for(row: _Row) -> frozenset[str]:
    """Return the concepts that a rule asks for, in `needs` or `unless`."""
    terms = (Term.parse(term).concepts for term in row.get("needs", []))
    return frozenset(row.get("unless", [])).union(*terms)


def in_order(rules: Iterable[ComplaintRule]) -> tuple[ComplaintRule, ...]:
    """Return rules in an order that does not depend on where they were written.

    By precedence of their kinds; signs after those that they build on, other rules with more terms first.
    """
    listed = sorted(rules, key=lambda rule: (KINDS.index(rule.kind), -len(rule.needs), rule.id))
    signs = {rule.id: rule for rule in listed if rule.kind == "sign"}
    needed = {
        sign.id: (sign.says or "", sign.unless.union(*(term.concepts for term in sign.needs)))
        for sign in signs.values()
    }
    return (*(signs[sign_id] for sign_id in _makers_first(needed)), *listed[len(signs) :])


def _class_faults(classes: Mapping[str, str], words: Collection[str]) -> Iterator[Fault]:
    for name, listed in classes.items():
        for concept in split_words(listed):
            if concept not in words:
                yield Fault.of(
                    concept, "class_unknown", "[classes]",
                    suggestion=near_miss(concept, words), field=name, name=concept,
                )  # fmt: skip


def _measure_faults(row: _Row) -> Iterator[Fault]:
    missing = [field for field in ("plausible", "levels") if not row.get(field)]
    if not row.get("words") and not row.get("units"):
        missing.append("words")
    row_id = row.get("id", "")
    for field in missing:
        yield Fault.of(row_id or "[[measure]]", "missing", row_place("measure", row_id), field=field)


def _concept_faults(row: _Row, known: Collection[str]) -> Iterator[Fault]:
    """Yield the concepts of a rule that no word, measure or sign makes."""
    row_id = row.get("id", "")
    needed = [concept for term in row.get("needs", []) for concept in Term.parse(term).concepts]
    for code, concepts in (("needs_unknown", needed), ("unless_unknown", row.get("unless", []))):
        for concept in concepts:
            if concept not in known:
                yield Fault.of(
                    row_id or "[[rule]]", code, row_place("rule", row_id),
                    suggestion=near_miss(concept, known), name=concept,
                )  # fmt: skip


def _id_faults(rules: Iterable[_Row]) -> Iterator[Fault]:
    rules = list(rules)
    times = Counter(row["id"] for row in rules if "id" in row)
    for rule_id in times:
        if times[rule_id] > 1:
            yield Fault.of(rule_id, "id_twice", row_place("rule", rule_id))
    for row in rules:
        for other in row.get("replaces", []):
            if other not in times:
                row_id = row.get("id", "")
                yield Fault.of(row_id, "replaces_unknown", row_place("rule", row_id), name=other)


def _sign_faults(rows: Iterable[_Row]) -> Iterator[Fault]:
    """Yield a sign that is made of the concept it makes: no order would be right for it."""
    try:
        _makers_first({row.get("id", ""): (row.get("says", ""), asked_for(row)) for row in rows})
    except CycleError as error:
        first, *others = error.args[1]
        yield Fault.of(first, "sign_cycle", row_place("rule", first), others=", ".join(others))


def _makers_first(signs: Mapping[str, tuple[str, frozenset[str]]]) -> list[str]:
    """Return the ids of signs, each after those that make a concept it asks for.

    Args:
        signs: id -> (the concept it makes, the concepts it asks for).

    Raises:
        CycleError: Some are made of each other.
    """
    makers: dict[str, set[str]] = {}
    for sign_id, (says, _) in signs.items():
        makers.setdefault(says, set()).add(sign_id)
    needed = {
        sign_id: sorted(maker for concept in asked for maker in makers.get(concept, ()))
        for sign_id, (_, asked) in sorted(signs.items())
    }
    return list(TopologicalSorter(needed).static_order())
