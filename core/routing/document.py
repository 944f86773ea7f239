"""One parsed vocabulary file: what is wrong in it, and the rules and measures made of its tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from core.clusters import SERVICES
from core.routing.shape import Said, hint
from core.routing.vitals import Measure

KINDS = ("sign", "red", "urgent", "service", "general", "vague")
"""Rule kinds in the order in which they are listened to; a `sign` only makes a concept for the others."""

ROLES = (
    "negation",
    "contrast",
    "not_yet",
    "idiom",
    "or",
    "break",
    "joins",
    "filler",
    "past",
    "past_time",
    "turn",
    "recent",
    "onset",
    "worry",
    "about",
    "fear",
    "manifest",
    "which",
    "purpose",
    "followup",
    "request",
    "resolved",
    "gone",
    "again",
    "fine",
    "age_marker",
    "gestation_marker",
    "overdue",
    "less",
)
"""Words of grammar that the reader knows by name."""

CLASSES = ("named", "had", "dreaded")
"""Lists of concepts that the reader knows by name."""


@dataclass(frozen=True)
class Term:
    """One thing that a rule needs: any of some concepts, said or denied."""

    concepts: frozenset[str]
    denied: bool = False
    """True for `not x`: the complaint must deny it ("tidak bisa kencing")."""
    anywhere: bool = False
    """True for `@x`: anywhere in the complaint, not only near the other terms."""


@dataclass(frozen=True)
class Rule:
    """Words, close together, and what they mean for the patient's way."""

    id: str
    kind: str
    """One of `KINDS`."""
    services: tuple[str, ...]
    """The first that this clinic's clusters take themselves is used."""
    needs: tuple[Term, ...]
    unless: frozenset[str] = frozenset()
    """Concepts that, said in the same clause, take the rule back."""
    span: int = 7
    """Most words between the first and the last term."""
    priority: str | None = None
    in_followup: bool = False
    """True when "kontrol" or "ambil obat" beside it does not make it an old story."""
    lasting: bool = False
    """True when "kontrol" or "ambil obat" anywhere makes it an old story: what may stay for years."""
    min_days: float | None = None
    """Least duration said for it."""
    max_days: float | None = None
    """Longest duration said for it: what has lasted for weeks is no emergency of today."""
    from_months: int | None = None
    under_months: int | None = None
    """Age at the visit in completed months; a rule with a limit needs a known age."""
    sex: str | None = None
    pregnant: bool | None = None
    replaces: tuple[str, ...] = ()
    """Ids of rules that this one makes silent."""
    question: str | None = None
    """For `vague`: what to ask."""
    says: str | None = None
    """For `sign`: the concept that its words make together."""
    blocks: str | None = None
    """`sex:male`, `adult`: whom this cannot concern."""


def split_words(text: str) -> list[str]:
    """Words and phrases between commas or line ends, blanks left out."""
    parts = (part.strip() for line in text.splitlines() for part in line.split(","))
    return [part for part in parts if part]


def document_problems(document: dict[str, Any]) -> Iterable[Said]:
    """Yield what is wrong in a whole, overlaid document whose parts are all `well_formed`."""
    words = document.get("words", {})
    for role in document.get("grammar", {}):
        if role not in ROLES:
            yield role, f"[grammar] {role!r} is not one of {', '.join(ROLES)}"
    for name, listed in document.get("classes", {}).items():
        if name not in CLASSES:
            yield name, f"[classes] {name!r} is not one of {', '.join(CLASSES)}"
        for concept in split_words(listed):
            if concept not in words:
                yield name, f"[classes] {name}: {concept!r} is nowhere in [words]{hint(concept, words)}"
    levels: set[str] = set()
    for row in document.get("measure", []):
        measure_id = str(row.get("id", ""))
        for problem in _measure_problems(row):
            yield measure_id or "[[measure]]", f"measure {measure_id or '(without id)'}: {problem}"
        levels |= {name for part in ("levels", "pair") for name in _table(row.get(part))}
    made = {str(row["says"]) for row in document.get("rule", []) if row.get("says")}
    seen: set[str] = set()
    for row in document.get("rule", []):
        rule_id = str(row.get("id", ""))
        for problem in _rule_problems(row, {*words, *levels, *made}):
            yield rule_id or "[[rule]]", f"rule {rule_id or '(without id)'}: {problem}"
        if rule_id in seen:
            yield rule_id, f"rule {rule_id}: the id is used twice"
        seen.add(rule_id)
    for row in document.get("rule", []):
        for other in row.get("replaces", []):
            if other not in seen:
                yield str(row.get("id")), f"rule {row.get('id')}: replaces {other!r}, which is not a rule"
    yield from _sign_problems([row for row in document.get("rule", []) if row.get("kind") == "sign"])


def _sign_problems(rows: Sequence[dict[str, Any]]) -> Iterable[Said]:
    """A sign that is made of what it makes could be read in any order, so it is refused."""
    try:
        _by_need({str(row.get("id")): (str(row.get("says")), _asked_for(row)) for row in rows})
    except CycleError as error:
        around = error.args[1]
        yield around[0], f"rule {around[0]}: made of what it makes itself, by way of {', '.join(around[1:])}"


def _asked_for(row: dict[str, Any]) -> frozenset[str]:
    terms = (term_from(str(term)).concepts for term in row.get("needs", []))
    return frozenset(row.get("unless", [])).union(*terms)


def _by_need(signs: Mapping[str, tuple[str, frozenset[str]]]) -> list[str]:
    """Ids of signs, each after those that make what it asks for.

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


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules in an order that does not depend on where they were written.

    By kind as they are listened to; signs after those they build on; else what asks for more first.
    """
    listed = sorted(rules, key=lambda rule: (KINDS.index(rule.kind), -len(rule.needs), rule.id))
    signs = {rule.id: rule for rule in listed if rule.kind == "sign"}
    asked = {
        rule.id: (rule.says or "", rule.unless.union(*(term.concepts for term in rule.needs)))
        for rule in signs.values()
    }
    return (*(signs[sign_id] for sign_id in _by_need(asked)), *listed[len(signs) :])


def _rule_problems(row: dict[str, Any], words: Collection[str]) -> Iterable[str]:
    if not row.get("id"):
        yield "id is missing"
    if row.get("kind") not in KINDS:
        yield f"kind {row.get('kind')!r} is not one of {', '.join(KINDS)}"
    services = _as_list(row.get("service", "general"))
    for service in services:
        if service not in SERVICES:
            yield f"unknown service {service!r}{hint(service, SERVICES)}"
    if not row.get("needs"):
        yield "needs is empty"
    if row.get("priority") not in (None, "red", "yellow"):
        yield "priority must be red or yellow"
    if row.get("sex") not in (None, "male", "female"):
        yield "sex must be male or female"
    if row.get("blocks") not in (None, "male", "adult"):
        yield "blocks must be male or adult"
    if (row.get("kind") == "sign") != bool(row.get("says")):
        yield "says names the concept of a sign, and only of a sign"
    for term in row.get("needs", []):
        for concept in term_from(str(term)).concepts:
            if concept not in words:
                yield f"needs {concept!r}, which is nowhere in [words]{hint(concept, words)}"
    for concept in row.get("unless", []):
        if concept not in words:
            yield f"unless {concept!r}, which is nowhere in [words]{hint(concept, words)}"


def _measure_problems(row: dict[str, Any]) -> Iterable[str]:
    for name in ("id", "plausible", "levels"):
        if not row.get(name):
            yield f"{name} is missing"
    if not row.get("words") and not row.get("units"):
        yield "words is missing"
    ranges = {"plausible": row.get("plausible"), **_table(row.get("levels")), **_table(row.get("pair"))}
    for name, value in ranges.items():
        if value is not None and not _is_ranges(value):
            yield f"{name!r} must be [least, most] or a list of such pairs"


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_ranges(value: object) -> bool:
    pairs = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    return all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(end, int | float) and not isinstance(end, bool) for end in pair)
        and pair[0] <= pair[1]
        for pair in pairs
    )


def measure_from(row: dict[str, Any]) -> Measure:
    """A checked `[[measure]]` table."""
    return Measure(
        id=row["id"],
        names=tuple(split_words(row.get("words", ""))),
        units=frozenset(split_words(row.get("units", ""))),
        plausible=_ranges(row["plausible"]),
        levels={concept: _ranges(value) for concept, value in row["levels"].items()},
        pair={concept: _ranges(value) for concept, value in row["pair"].items()} if "pair" in row else None,
    )


def _ranges(value: list[Any]) -> tuple[tuple[float, float], ...]:
    pairs = value if isinstance(value[0], list) else [value]
    return tuple((float(low), float(high)) for low, high in pairs)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def term_from(text: str) -> Term:
    """`pain|pressure`, `not urinate`, `@pregnant`."""
    denied = text.startswith("not ")
    body = text.removeprefix("not ").strip()
    return Term(frozenset(body.removeprefix("@").split("|")), denied, body.startswith("@"))


def rule_from(row: dict[str, Any]) -> Rule:
    """A checked `[[rule]]` table."""
    plain = (
        "span",
        "priority",
        "in_followup",
        "lasting",
        "min_days",
        "max_days",
        "sex",
        "pregnant",
        "question",
        "blocks",
        "says",
    )
    given: dict[str, Any] = {name: row[name] for name in plain if name in row}
    for bound in ("from", "under"):
        if f"{bound}_months" in row:
            given[f"{bound}_months"] = row[f"{bound}_months"]
        elif f"{bound}_years" in row:
            given[f"{bound}_months"] = row[f"{bound}_years"] * 12
    return Rule(
        id=row["id"],
        kind=row["kind"],
        services=tuple(_as_list(row.get("service", "general"))),
        needs=tuple(term_from(term) for term in row["needs"]),
        unless=frozenset(row.get("unless", [])),
        replaces=tuple(row.get("replaces", [])),
        **given,
    )
