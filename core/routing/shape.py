"""What a vocabulary file may hold: its sections, their fields, and the type of each.

A file written by hand is looked at here first, so that everything after may rely on the types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

Said = tuple[str, str]
"""(what to look for in the file, what is wrong there)."""

_TEXTS = "text: words separated by commas"
_VALUES: Mapping[str, tuple[Any, str]] = {
    "words": (str, _TEXTS),
    "grammar": (str, _TEXTS),
    "classes": (str, "text: concepts separated by commas"),
    "same": (str, "text"),
    "numbers": ((int, float), "a number"),
    "units": ((int, float), "a number"),
    "neutral": (str, _TEXTS),
}
"""Section -> the type of each of its values, and how that is called."""

_TYPE_NAMES = {
    str: "text",
    list: 'a list: ["..."]',
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
}
_ROWS: Mapping[str, Mapping[str, Any]] = {
    "rule": {
        **dict.fromkeys(("id", "kind", "priority", "sex", "question", "blocks", "says"), str),
        **dict.fromkeys(("needs", "unless", "replaces"), list),
        **dict.fromkeys(("span", "min_days", "max_days"), int),
        **dict.fromkeys(("from_months", "under_months", "from_years", "under_years"), int),
        **dict.fromkeys(("in_followup", "lasting", "pregnant"), bool),
        "service": (str, list),
    },
    "measure": {
        **dict.fromkeys(("id", "words", "units"), str),
        **dict.fromkeys(("levels", "pair"), dict),
        "plausible": list,
    },
}
"""Repeated table -> the type of each of its fields."""

_REMOVE: Mapping[str, Any] = {"words": str, "rules": list}
_DECIDING = frozenset({"id", "kind", "needs", "says", "plausible", "levels", "words"})
"""Without these nothing more can be said of a row."""


def well_formed(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[Said]]:
    """The document without what has a wrong name or type, and what was wrong.

    Args:
        document: Any parsed TOML file.
    """
    kept: dict[str, Any] = {}
    problems: list[Said] = []
    for name, part in document.items():
        if name in _ROWS:
            if not isinstance(part, list) or not all(isinstance(row, dict) for row in part):
                problems.append((name, f"{name} must be a table, written [[{name}]]"))
                continue
            kept[name] = [row for given in part for row in _row(name, given, problems)]
        elif name in _VALUES or name == "remove":
            if not isinstance(part, dict):
                problems.append((name, f"{name} must be a table, written [{name}]"))
                continue
            wrong = dict(_misused(part, _REMOVE) if name == "remove" else _misvalued(name, part))
            problems += [(key, f"[{name}] {said}") for key, said in wrong.items()]
            kept[name] = {key: value for key, value in part.items() if key not in wrong}
        else:
            problems.append((name, f"[{name}] is not a section of this file"))
    return kept, problems


def hint(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'tooth'?` for a near miss, else nothing."""
    found = extractOne(name, list(known), scorer=OSA.normalized_similarity, score_cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def _row(name: str, row: Mapping[str, Any], problems: list[Said]) -> Iterator[dict[str, Any]]:
    """The row with its good fields; nothing when a field is wrong that all else hangs on."""
    row_id = row["id"] if isinstance(row.get("id"), str) else ""
    wrong = dict(_misused(row, _ROWS[name]))
    problems += [
        (row_id or f"[[{name}]]", f"{name} {row_id or '(without id)'}: {said}") for said in wrong.values()
    ]
    if not _DECIDING & wrong.keys():
        yield {key: value for key, value in row.items() if key not in wrong}


def _misused(row: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[Said]:
    """(field, what is wrong) for fields that are unknown or hold something else than they should."""
    for name, value in row.items():
        wanted = fields.get(name)
        types = wanted if isinstance(wanted, tuple) else (wanted,)
        if wanted is None:
            yield name, f"unknown field {name!r}{hint(name, fields)}"
        elif not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield name, f"{name} must be {' or '.join(_TYPE_NAMES[kind] for kind in types)}"
        elif (
            isinstance(value, list)
            and name != "plausible"
            and not all(isinstance(part, str) for part in value)
        ):
            yield name, f"{name} must be {_TYPE_NAMES[list]}"


def _misvalued(section: str, part: Mapping[str, Any]) -> Iterator[Said]:
    wanted, called = _VALUES[section]
    for name, value in part.items():
        if not isinstance(value, wanted) or isinstance(value, bool):
            yield name, f"{name} must be {called}"
