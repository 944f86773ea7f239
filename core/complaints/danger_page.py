"""Put on one page what a clinician signs of a danger sign: source, examples, and every rule and word behind it.

The page's digest changes with anything that could raise the sign, or take it back, in other complaints than before: a
signature holds for the page that was read and for no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from core.complaints.rules.complaint_rule import ComplaintRule, Term
from core.complaints.vocabulary import Vocabulary
from core.routing import danger_code

ItemKind = Literal["source", "danger", "none", "rule", "sign", "word"]

_TOLD = ("id", "kind", "needs", "unless", "services")
"""Fields that a rule's line tells in words of its own, or that say nothing of when it counts."""


class PageItem(NamedTuple):
    """One line of a page."""

    kind: ItemKind
    """`source`; `danger` and `none`: examples; `rule`; `sign`: a rule that makes a concept; `word`: of a concept."""
    text: str


@dataclass(frozen=True)
class DangerPage:
    """All that decides whether a danger sign is raised."""

    code: str
    items: tuple[PageItem, ...]
    rules: int
    """Red rules behind the sign."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the page."""
        return sha256(json.dumps(self.items, ensure_ascii=False).encode()).hexdigest()


class PageChange(NamedTuple):
    """Items that a page has and an earlier one had not, and the other way round."""

    added: list[PageItem]
    removed: list[PageItem]


def danger_page(vocabulary: Vocabulary, code: str) -> DangerPage:
    """Return the page of a danger sign.

    Raises:
        KeyError: The vocabulary has no such sign.
    """
    finding = vocabulary.dangers[code]
    reds = (rule for rule in vocabulary.rules if rule.kind == "red")
    rules = [rule for rule in reds if danger_code(rule.id) == code]
    signs, concepts = _behind(rules, vocabulary.signs)
    items = [
        PageItem("source", finding.source),
        *(PageItem("danger", example) for example in finding.examples),
        *(PageItem("none", example) for example in finding.not_examples),
        *(PageItem("rule", _rule_line(rule)) for rule in _by_id(rules)),
        *(PageItem("sign", f"{_rule_line(rule)} = {rule.says}") for rule in _by_id(signs)),
        *_words(vocabulary, concepts),
    ]
    return DangerPage(code, tuple(items), len(rules))


def page_change(before: Iterable[Sequence[str]], page: DangerPage) -> PageChange:
    """Return what has changed since a page was signed.

    Args:
        before: Kind and text of each item then, as they were kept.
        page: As it is now.
    """
    earlier = [PageItem(*item) for item in before]  # type: ignore[arg-type]
    had, has = set(earlier), set(page.items)
    added = [item for item in page.items if item not in had]
    removed = [item for item in earlier if item not in has]
    return PageChange(added, removed)


def _behind(
    rules: Iterable[ComplaintRule], signs: Sequence[ComplaintRule]
) -> tuple[list[ComplaintRule], set[str]]:
    """Return the signs that lead to some rules, and every concept that any of them names."""
    concepts = {concept for rule in rules for concept in _named(rule)}
    leading: dict[str, ComplaintRule] = {}
    # The signs stand in the order in which they build on each other: the last ones first finds all in one pass.
    for sign in reversed(signs):
        if sign.says in concepts:
            leading[sign.id] = sign
            concepts |= _named(sign)
    return list(leading.values()), concepts


def _named(rule: ComplaintRule) -> frozenset[str]:
    return rule.unless.union(*(term.concepts for term in rule.needs))


def _by_id(rules: Iterable[ComplaintRule]) -> list[ComplaintRule]:
    return sorted(rules, key=lambda rule: rule.id)


def _rule_line(rule: ComplaintRule) -> str:
    """Return a rule in one line: `red.stroke.side: weak + side + at_limb; unless since_stroke; span 4`."""
    parts = [f"{rule.id}: {' + '.join(map(_term, rule.needs))}"]
    if rule.unless:
        parts.append("unless " + ", ".join(sorted(rule.unless)))
    limits = rule.model_dump(mode="json", exclude_defaults=True, exclude=set(_TOLD) | {"says", "replaces"})
    parts += [f"{name} {value}" for name, value in limits.items()]
    return "; ".join(parts)


def _term(term: Term) -> str:
    concepts = "|".join(sorted(term.concepts))
    return ("not " if term.denied else "") + ("@" if term.anywhere else "") + concepts


def _words(vocabulary: Vocabulary, concepts: Iterable[str]) -> Iterator[PageItem]:
    for concept in sorted(concepts):
        for word in vocabulary.concepts.get(concept, ()):
            yield PageItem("word", f"{concept}: {word}")
