"""The clinic's complaint words and rules, read from readable TOML and compiled once.

`core.complaints.rules.shipped_rules` reads the shipped files and lays a clinic's own file over them.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pydantic

from core.complaints.language.grammar import GrammarRole
from core.complaints.language.lexicon import Lexicon
from core.complaints.language.medicine_names import medicine_names
from core.complaints.reading.experiencer import Experiencer
from core.complaints.reading.measurements import CONCEPT_PREFIX, MeasurementKind, Surroundings
from core.complaints.rules.complaint_rule import ComplaintRule
from core.complaints.rules.consistency import in_order, inconsistencies
from core.complaints.rules.rule_schema import CLASSES, DangerRow, VocabularyFile, split_words, well_formed
from core.complaints.rules.shipped_rules import everyday_words, overlay, shipped_document, shipped_texts
from core.complaints.rules.validation import check_vocabulary
from core.foundation.errors import SettingsError
from core.queues.services import SERVICES

_BESIDE_NUMBERS = frozenset({GrammarRole.VALUE_LINK, GrammarRole.COUNTED, GrammarRole.ORDINAL})
"""Roles of words that say something beside a number only, and are not looked up elsewhere."""


@dataclass(frozen=True)
class Vocabulary:
    """Concepts, rules and grammar, with the words compiled for lookup."""

    concepts: Mapping[str, tuple[str, ...]]
    """Concept -> its words and phrases, as written."""
    grammar: Mapping[str, tuple[str, ...]]
    rules: tuple[ComplaintRule, ...]
    lexicon: Lexicon = field(repr=False)
    numbers: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    """Word -> days."""
    measures: tuple[MeasurementKind, ...] = ()
    people: Mapping[str, Experiencer] = field(default_factory=dict)
    """Word -> the person it names."""
    dangers: Mapping[str, DangerRow] = field(default_factory=dict)
    """Code of a danger sign -> its source, its examples, and who has signed it."""
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name of a list that the reader knows -> its concepts."""

    @cached_property
    def signs(self) -> tuple[ComplaintRule, ...]:
        """The rules that only make a concept for others, each after those that it builds on."""
        return tuple(rule for rule in self.rules if rule.kind == "sign")

    def prepare(self) -> None:
        """Compute what is cached, so that the first complaint does not wait for it."""
        _ = self.signs, self.functions, self.last_of_measures, self.around_values, self.rules_by_concept

    @cached_property
    def functions(self) -> frozenset[str]:
        """Concepts whose absence is a danger sign, such as "breath" and "answer"."""
        dangers = (rule for rule in self.rules if rule.kind in ("red", "sign"))
        return frozenset().union(*(term.concepts for rule in dangers for term in rule.needs if term.denied))

    @cached_property
    def last_of_measures(self) -> frozenset[str]:
        """The last words of the names of measures, as the lexicon knows them."""
        lexicon = self.lexicon
        return frozenset(form for word in self._last_typed for form in lexicon.resolve(word).forms)

    @cached_property
    def _last_typed(self) -> frozenset[str]:
        """The last words of the names of measures, as they are typed."""
        return frozenset(name.split()[-1] for measure in self.measures for name in measure.names)

    @cached_property
    def around_values(self) -> Surroundings:
        """The words beside a number that tell what it counts."""
        return Surroundings(
            names=self._last_typed,
            links=frozenset(self.grammar.get(GrammarRole.VALUE_LINK, ())),
            ordinal=frozenset(self.grammar.get(GrammarRole.ORDINAL, ())),
            counted=frozenset({*self.units, *self.grammar.get(GrammarRole.COUNTED, ())}),
        )

    @cached_property
    def rules_by_concept(self) -> Mapping[tuple[str, bool], tuple[int, ...]]:
        """(concept, whether denied) -> indexes in `rules` of those that cannot match without it.

        Each rule is listed under the concepts of its narrowest term, so that most are never looked at.
        """
        found: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for index, rule in enumerate(self.rules):
            if rule.kind != "sign":
                term = min(rule.needs, key=lambda term: len(term.concepts))
                for concept in term.concepts:
                    found[concept, term.denied].append(index)
        return {key: tuple(indexes) for key, indexes in found.items()}

    @staticmethod
    def load(path: str | Path | None = None) -> Vocabulary:
        """Return the shipped vocabulary, with a clinic's file laid over it when a path is given.

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
        own, faults = well_formed(document)
        if faults:
            raise SettingsError(f"routing vocabulary {path}: {faults[0].text}")
        return compile_vocabulary(overlay(shipped_document(), own), str(path))


def told_with_line(error: SettingsError, path: Path | None) -> str:
    """Return why words cannot be used, with the line in the clinic's own file where it can be told.

    Args:
        error: From `Vocabulary.load`.
        path: The clinic's file; None: there is none.
    """
    found = [] if path is None else check_vocabulary(path)
    lines = [problem.line for problem in found if problem.text in str(error)]
    return f"line {lines[0]}: {error}" if lines else str(error)


def fingerprint(path: Path | None) -> str:
    """Return the SHA-256 of all that decides whether a vocabulary is sound: its files, and the code that compiles them.

    Args:
        path: The clinic's own file; None: there is none.

    Raises:
        OSError: A file cannot be read.
    """
    code = sorted(Path(__file__).parent.rglob("*.py"))
    around = (sys.version, pydantic.VERSION, *sorted(SERVICES), *shipped_texts().values())
    parts = [text.encode() for text in around]
    parts += [file.read_bytes() for file in (*code, *([] if path is None else [path]))]
    whole = sha256()
    for part in parts:
        whole.update(sha256(part).digest())
    return whole.hexdigest()


@cache
def _shipped() -> Vocabulary:
    return compile_vocabulary(shipped_document(), "as shipped")


def compile_vocabulary(document: Mapping[str, Any], source: str) -> Vocabulary:
    """Check a whole document and compile it.

    Args:
        document: All files joined into one.
        source: What errors call it.

    Raises:
        SettingsError: With the first problem found.
    """
    kept, faults = well_formed(document)
    first = next(iter([*faults, *inconsistencies(kept)]), None)
    if first is not None:
        raise SettingsError(f"routing vocabulary {source}: {first.text}")
    return _compiled(VocabularyFile.model_validate(document))


def _compiled(file: VocabularyFile) -> Vocabulary:
    concepts = {name: tuple(split_words(words)) for name, words in file.words.items()}
    grammar = {str(role): tuple(split_words(words)) for role, words in file.grammar.items()}
    measures = tuple(row.kind() for row in file.measure)
    vocabulary = Vocabulary(
        concepts=concepts,
        grammar=grammar,
        rules=in_order(file.rule),
        lexicon=Lexicon(
            {
                **concepts,
                **{
                    f"grammar.{role}": words for role, words in grammar.items() if role not in _BESIDE_NUMBERS
                },
                **{CONCEPT_PREFIX + measure.id: measure.names for measure in measures},
            },
            neutral=split_words(file.neutral["words"]),
            same=file.same,
            negations=_single_words(grammar["negation"]),
            fillers=_single_words(grammar["filler"]),
            counting=(*file.numbers, *file.units),
            everyday=everyday_words(),
            names=medicine_names(),
        ),
        numbers=file.numbers,
        units=file.units,
        measures=measures,
        people={word: person for person, words in file.people.items() for word in split_words(words)},
        dangers=file.dangers,
        classes={name: frozenset(split_words(file.classes.get(name, ""))) for name in CLASSES},
    )
    vocabulary.prepare()
    return vocabulary


def _single_words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word in words if " " not in word)
