"""Faults in vocabulary files: a stable code with values for each, and the words for it.

The English texts are the msgids of the server's catalogue, so that `loket routing check` speaks the
clinic's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

FAULT_MESSAGES: Mapping[str, str] = {
    "danger_without_finding": "the danger sign '{name}' has no [dangers.{name}] with its source and examples",
    "finding_without_rule": "no red rule raises the danger sign '{name}'",
    "example_missed": "the example '{example}' does not raise it",
    "example_raised": "'{example}' raises '{raised}' although it is no danger",
    "example_person": "'{example}' does not end with | and the person, such as | 60y m",
    "unreadable": "cannot be read: {detail}",
    "not_toml": "not TOML: {detail}",
    "not_a_section": "[{name}] is not a section of this file",
    "not_a_table": "{field} must be a table, written {example}",
    "text": "{field} must be text",
    "number": "{field} must be a number",
    "whole_number": "{field} must be a whole number",
    "true_or_false": "{field} must be true or false",
    "list": '{field} must be a list: ["..."]',
    "table": "{field} must be a table",
    "ranges": "'{field}' must be [least, most] or a list of such pairs",
    "missing": "{field} is missing",
    "empty": "{field} is empty",
    "unknown_field": "unknown field '{name}'",
    "unknown_value": "{field} '{name}' is not one of {expected}",
    "unknown_name": "'{name}' is not one of {expected}",
    "unknown_service": "unknown service '{name}'",
    "sign_concept": "says names the concept of a sign, and only of a sign",
    "sign_cycle": "made of what it makes itself, by way of {others}",
    "needs_unknown": "needs '{name}', which is nowhere in [words]",
    "unless_unknown": "unless '{name}', which is nowhere in [words]",
    "class_unknown": "{field}: '{name}' is nowhere in [words]",
    "replaces_unknown": "replaces '{name}', which is not a rule",
    "id_twice": "the id is used twice",
    "name_twice": "'{name}' stands in {file} too",
    "word_twice": "{field}: '{name}' stands there {times} times",
    "respelled": "{field}: '{name}' is read as '{other}', by [same]",
    "no_letters": "{field}: '{name}' has no letters",
    "holds_number": "{field}: '{name}' holds a number, which no phrase can match",
    "word_repeated": "{field}: '{name}' holds a word twice, which counts once",
    "only_fillers": "{field}: '{name}' is only one word without its filler words",
    "unused_concept": "'{name}' is asked for by no rule",
    "removes_no_word": "'{name}' is no word of the shipped file",
    "removes_no_rule": "'{name}' is no rule of the shipped file",
}
"""Code -> what is wrong, with names in braces where the values go."""

SUGGESTION = "{fault}; did you mean '{name}'?"
"""Follows a fault where a known name is a near miss."""

_NEAR_MISS = 0.6  # share of letters in common, 0 to 1 (optimal string alignment); lower ones suggest nonsense


@dataclass(frozen=True)
class Fault:
    """One thing to correct in a vocabulary file."""

    key: str
    """The name to look for in the file: a rule's id, a concept, a phrase."""
    code: str
    """Key of `FAULT_MESSAGES`."""
    place: str = ""
    """The table or section, as `rule dental.tooth:` or `[words]`."""
    suggestion: str = ""
    """The known name that was probably meant; empty when none is near."""
    pairs: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(key: str, code: str, place: str = "", *, suggestion: str = "", **values: object) -> Fault:
        """Return a fault.

        Args:
            key: The name to look for in the file.
            code: Key of `FAULT_MESSAGES`.
            place: The table or section.
            suggestion: The known name that was probably meant.
            values: What goes into the message.
        """
        pairs = tuple((name, str(value)) for name, value in values.items())
        return Fault(key, code, place, suggestion, pairs)

    @property
    def values(self) -> dict[str, str]:
        """Return the values of the message, by the names in braces."""
        return dict(self.pairs)

    @property
    def text(self) -> str:
        """The fault in English."""
        said = FAULT_MESSAGES[self.code].format(**self.values)
        if self.suggestion:
            said = SUGGESTION.format(fault=said, name=self.suggestion)
        return f"{self.place} {said}".lstrip()


def row_place(table: str, row_id: str) -> str:
    """Return the place of a row as faults name it: `rule dental.tooth:`."""
    return f"{table} {row_id or '(without id)'}:"


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a wrong one, empty when none is near."""
    found = extractOne(name, list(known), scorer=OSA.normalized_similarity, score_cutoff=_NEAR_MISS)
    return found[0] if found else ""
