"""The schema of a vocabulary file, and the faults of one that does not follow it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StrictStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from core.complaints.language.grammar import GrammarRole
from core.complaints.reading.experiencer import Experiencer
from core.complaints.reading.measurements import MeasurementKind
from core.complaints.rules.complaint_rule import ComplaintRule
from core.complaints.rules.faults import Fault, near_miss, row_place
from core.queues.services import SERVICES

ConceptClass = Literal["named", "guessed", "had", "dreaded", "figures", "speakers"]

CLASSES: tuple[ConceptClass, ...] = get_args(ConceptClass)
"""Lists of concepts that the reader knows by name."""

_ONE_PAIR = 2  # [least, most]

_CODES = {
    "string_type": "text",
    "float_type": "number",
    "int_type": "whole_number",
    "bool_type": "true_or_false",
    "list_type": "list",
    "tuple_type": "list",
    "frozen_set_type": "list",
    "dict_type": "table",
    "missing": "missing",
    "too_short": "empty",
    "string_too_short": "empty",
    "extra_forbidden": "unknown_field",
    "literal_error": "unknown_value",
    "enum": "unknown_value",
}
"""pydantic's error type -> code of the fault; faults of our own validators keep their type."""


def _as_ranges(value: Any) -> tuple[tuple[float, float], ...]:
    """Return the pairs written as `[least, most]` or as a list of such pairs."""
    is_list_of_pairs = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    pairs: list[Any] = value if is_list_of_pairs else [value]
    if not all(_is_pair(pair) for pair in pairs):
        raise PydanticCustomError("ranges", "not [least, most]")
    return tuple((float(low), float(high)) for low, high in pairs)


def _is_pair(value: object) -> bool:
    if not isinstance(value, list) or len(value) != _ONE_PAIR or not all(_is_number(end) for end in value):
        return False
    return bool(value[0] <= value[1])


def _is_number(value: object) -> bool:
    # A TOML `true` is an int in Python.
    return isinstance(value, int | float) and not isinstance(value, bool)


_Number = Annotated[float, Strict()]
_Ranges = Annotated[tuple[tuple[float, float], ...], BeforeValidator(_as_ranges)]
_Texts = dict[str, StrictStr]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MeasureRow(_Table):
    """One `[[measure]]`; a clinic's own file may hold only what differs from the shipped one."""

    id: StrictStr
    words: StrictStr = ""
    """Words and phrases before the value."""
    units: StrictStr = ""
    """Words after the value."""
    plausible: _Ranges | None = None
    levels: dict[str, _Ranges] = {}
    """Concept -> the values that say it."""
    pair: dict[str, _Ranges] | None = None
    """The same for the second number of a pair such as 210/120."""

    def kind(self) -> MeasurementKind:
        """Return the kind of measurement that the reader looks for; the row must be complete."""
        assert self.plausible is not None
        return MeasurementKind(
            id=self.id,
            names=tuple(split_words(self.words)),
            units=frozenset(split_words(self.units)),
            plausible=self.plausible,
            levels=self.levels,
            pair=self.pair,
        )


class DangerRow(_Table):
    """One `[dangers.CODE]`: the finding behind all red rules of that code."""

    source: Annotated[StrictStr, Field(min_length=1)]
    """The published list that names it a danger."""
    examples: Annotated[tuple[StrictStr, ...], Field(min_length=1)]
    """Complaints that have it, each with the person: `mulut mencong | 60y`."""
    not_examples: tuple[StrictStr, ...] = Field((), alias="not")
    """Complaints that only sound like a danger."""
    reviewed_by: StrictStr = ""
    """The clinician who has signed it, with the day; empty: nobody has."""


class Removal(_Table):
    """The `[remove]` of a clinic's own file."""

    words: StrictStr = ""
    rules: list[StrictStr] = []


class VocabularyFile(_Table):
    """One vocabulary file, or several joined into one."""

    words: _Texts = {}
    """Concept -> its words and phrases, separated by commas."""
    grammar: dict[GrammarRole, StrictStr] = {}
    classes: dict[ConceptClass, StrictStr] = {}
    people: dict[Experiencer, StrictStr] = {}
    same: _Texts = {}
    """Spelling -> the word that the lists use."""
    numbers: dict[str, _Number] = {}
    units: dict[str, _Number] = {}
    """Word -> days."""
    neutral: _Texts = {}
    rule: list[ComplaintRule] = []
    measure: list[MeasureRow] = []
    dangers: dict[str, DangerRow] = {}
    """Code of a danger sign -> its finding."""
    remove: Removal = Removal()


_ROWS: Mapping[str, type[BaseModel]] = {"rule": ComplaintRule, "measure": MeasureRow}
"""Repeated table -> the model of its rows."""
_TABLES: Mapping[str, type[BaseModel]] = {**_ROWS, "remove": Removal, "dangers": DangerRow}
"""Section with fields of its own -> their model."""


def split_words(text: str) -> list[str]:
    """Return the words and phrases between commas or line ends, without blanks."""
    parts = (part.strip() for line in text.splitlines() for part in line.split(","))
    return [part for part in parts if part]


def well_formed(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Return a parsed TOML file without the parts that break the schema, and the faults found.

    What remains can be checked further: every name and type in it is right, although a required field
    may be missing.
    """
    try:
        VocabularyFile.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        faults = dict.fromkeys(_fault(problem, document) for problem in problems)
        return _without_faults(document, problems), list(faults)
    return dict(document), []


def _fault(problem: ErrorDetails, document: Mapping[str, Any]) -> Fault:
    section, *path = problem["loc"]
    if not path or (section in _ROWS and len(path) == 1):
        return _section_fault(problem)
    if section in _ROWS:
        index, *path = path
        row_id = document[str(section)][index].get("id")
        row_id = row_id if isinstance(row_id, str) else ""
        return _field_fault(problem, path, row_id or f"[[{section}]]", row_place(str(section), row_id))
    return _field_fault(problem, path, str(path[0]), f"[{section}]")


def _section_fault(problem: ErrorDetails) -> Fault:
    """Return the fault of a section, or of an entry that is no row."""
    section = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return Fault.of(section, "not_a_section", name=section)
    example = f"[[{section}]]" if section in _ROWS else f"[{section}]"
    return Fault.of(section, "not_a_table", field=section, example=example)


def _field_fault(problem: ErrorDetails, path: Sequence[int | str], key: str, place: str) -> Fault:
    """Return the fault of a field of a row, or of an entry of a section.

    Args:
        problem: As pydantic tells it.
        path: Field or entry, and the position inside it.
        key: The name to look for in the file.
        place: The table or section.
    """
    code = _CODES.get(problem["type"], problem["type"])
    section = str(problem["loc"][0])
    if section == "dangers":
        place, path = f"[dangers.{path[0]}]", path[1:] or path
    name = str(path[0])
    if code == "unknown_field":
        return Fault.of(key, code, place, suggestion=near_miss(name, _fields_of(section)), name=name)
    if path[-1] == "[key]":
        return Fault.of(key, "unknown_name", place, name=name, expected=_expected(problem))
    given = str(problem["input"])
    if code == "unknown_service":
        return Fault.of(key, code, place, suggestion=near_miss(given, SERVICES), name=given)
    if code == "unknown_value":
        return Fault.of(key, code, place, field=name, name=given, expected=_expected(problem))
    if code == "ranges":
        return Fault.of(key, code, place, field=path[-1])
    is_entry = isinstance(path[-1], int)
    return Fault.of(key, "list" if is_entry else code, place, field=name)


def _expected(problem: ErrorDetails) -> str:
    # Only the wrong name may stand in quotes: the line is found by it.
    return str(problem["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")


def _fields_of(section: str) -> list[str]:
    model = _TABLES[section]
    return [field.alias or name for name, field in model.model_fields.items()]


def _without_faults(document: Mapping[str, Any], problems: Iterable[ErrorDetails]) -> dict[str, Any]:
    kept = copy.deepcopy(dict(document))
    for problem in problems:
        section, path = str(problem["loc"][0]), problem["loc"][1:]
        if not path:
            kept.pop(section)
        elif section not in _ROWS:
            kept[section].pop(path[0], None)
        elif section == "measure" or len(path) == 1:
            # A measure with a wrong field would be found incomplete as well, so all of it goes.
            kept[section][path[0]] = None
        else:
            kept[section][path[0]].pop(path[1], None)
    for section in _ROWS.keys() & kept.keys():
        kept[section] = [row for row in kept[section] if row is not None]
    return kept
