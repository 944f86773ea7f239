"""The clinic's complaint words and rules, read from readable TOML and compiled once.

What is shipped is in `core.routing.shipped`; a clinic's own file is laid over it: words are added to
concepts, a rule with the same id replaces the shipped one, `[remove]` takes away.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from core.routing.document import (
    CLASSES,
    Rule,
    document_problems,
    in_order,
    measure_from,
    rule_from,
    split_words,
)
from core.routing.lexicon import Lexicon
from core.routing.shape import well_formed
from core.routing.shipped import shipped_document
from core.routing.vitals import CONCEPT, Measure


@dataclass(frozen=True)
class Vocabulary:
    """Concepts, rules and grammar, with the words compiled for lookup."""

    concepts: Mapping[str, tuple[str, ...]]
    """Concept -> its words and phrases, as written."""
    grammar: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    lexicon: Lexicon = field(repr=False)
    numbers: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    """Word -> days."""
    measures: tuple[Measure, ...] = ()
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name of a list that the reader knows -> its concepts."""

    @cached_property
    def signs(self) -> tuple[Rule, ...]:
        """The rules that only make a concept for the others; what one builds on stands before it."""
        return tuple(rule for rule in self.rules if rule.kind == "sign")

    def prepare(self) -> None:
        """Work out what is kept, so that not the first complaint waits for it."""
        _ = self.signs, self.last_of_measures, self.rules_by_concept

    @cached_property
    def last_of_measures(self) -> frozenset[str]:
        """The last words of the names of figures, as the lexicon knows them."""
        forms = (
            self.lexicon.resolve(name.split()[-1]).forms
            for measure in self.measures
            for name in measure.names
        )
        return frozenset(form for known in forms for form in known)

    @cached_property
    def rules_by_concept(self) -> Mapping[tuple[str, bool], tuple[int, ...]]:
        """(concept, whether denied) -> places in `rules` of those that cannot hold without it or another of its term.

        Each rule stands under its narrowest term, so that most are never looked at.
        """
        found: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for place, rule in enumerate(self.rules):
            if rule.kind != "sign":
                term = min(rule.needs, key=lambda term: len(term.concepts))
                for concept in term.concepts:
                    found[concept, term.denied].append(place)
        return {key: tuple(places) for key, places in found.items()}

    @staticmethod
    def load(path: str | Path | None = None) -> Vocabulary:
        """The shipped vocabulary, with a clinic's file laid over it when a path is given.

        The shipped one is compiled once for the life of the process.

        Raises:
            SettingsError: The file cannot be read or is wrong; one line. `check_vocabulary` lists
                every problem with its line.
        """
        if path is None:
            return _shipped()
        try:
            document = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise SettingsError(f"routing vocabulary {path}: {error}") from error
        document, problems = well_formed(document)
        if problems:
            raise SettingsError(f"routing vocabulary {path}: {problems[0][1]}")
        return compile_vocabulary(overlay(shipped_document(), document), str(path))


@cache
def _shipped() -> Vocabulary:
    return compile_vocabulary(shipped_document(), "as shipped")


def overlay(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Lay a clinic's document over another: words add, rules replace by id, `[remove]` removes."""
    removed = extra.get("remove", {})
    gone_words = set(split_words(removed.get("words", "")))
    gone_rules = set(removed.get("rules", []))
    merged = dict(base)
    for section in ("words", "grammar", "classes"):
        merged[section] = dict(base.get(section, {}))
        for name, words in extra.get(section, {}).items():
            merged[section][name] = f"{merged[section].get(name, '')}, {words}"
        for name, words in merged[section].items():
            merged[section][name] = ", ".join(word for word in split_words(words) if word not in gone_words)
    for section in ("same", "numbers", "units"):
        merged[section] = {**base.get(section, {}), **extra.get(section, {})}
    merged["neutral"] = {"words": f"{base['neutral']['words']}, {extra.get('neutral', {}).get('words', '')}"}
    own = extra.get("rule", [])
    replaced = {rule.get("id") for rule in own} | gone_rules
    merged["rule"] = [rule for rule in base.get("rule", []) if rule["id"] not in replaced] + list(own)
    measures = {row["id"]: row for row in base.get("measure", [])}
    for row in extra.get("measure", []):
        shipped = measures.get(row.get("id"), {})
        tables = {name: {**shipped.get(name, {}), **row[name]} for name in ("levels", "pair") if name in row}
        measures[row.get("id")] = {**shipped, **row, **tables}
    merged["measure"] = list(measures.values())
    return merged


def compile_vocabulary(document: dict[str, Any], source: str) -> Vocabulary:
    """Check a parsed document and compile it.

    Raises:
        SettingsError: With the first problem found.
    """
    problems = list(document_problems(document))
    if problems:
        raise SettingsError(f"routing vocabulary {source}: {problems[0][1]}")
    concepts = {name: tuple(split_words(words)) for name, words in document["words"].items()}
    grammar = {role: tuple(split_words(words)) for role, words in document["grammar"].items()}
    measures = tuple(measure_from(row) for row in document.get("measure", []))
    vocabulary = Vocabulary(
        concepts=concepts,
        grammar=grammar,
        rules=in_order(rule_from(row) for row in document["rule"]),
        lexicon=Lexicon(
            {
                **concepts,
                **{f"grammar.{role}": words for role, words in grammar.items()},
                **{CONCEPT + measure.id: measure.names for measure in measures},
            },
            neutral=split_words(document["neutral"]["words"]),
            same=document["same"],
            negations=_single_words(grammar["negation"]),
            fillers=_single_words(grammar["filler"]),
            counting=(*document["numbers"], *document["units"]),
        ),
        numbers={word: float(value) for word, value in document["numbers"].items()},
        units={word: float(value) for word, value in document["units"].items()},
        measures=measures,
        classes={name: frozenset(split_words(document.get("classes", {}).get(name, ""))) for name in CLASSES},
    )
    vocabulary.prepare()
    return vocabulary


def _single_words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word in words if " " not in word)
