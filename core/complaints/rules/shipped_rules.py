"""The vocabulary that comes with Loket, and how several vocabulary files become one document.

The shipped files are in `core/data/complaints/`, one for each theme.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from core.complaints.rules.faults import Fault
from core.complaints.rules.rule_schema import split_words

Document = Mapping[str, Any]

JOINED_TABLES = ("words", "grammar", "classes", "people", "same", "numbers", "units", "dangers")
"""Sections in which each name may appear once in all files."""

JOINED_ROWS = ("rule", "measure")


def shipped_texts() -> dict[str, str]:
    """Return the texts of the shipped files by file name, in the order of the names."""
    folder = resources.files("core").joinpath("data/complaints")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name: file.read_text("utf-8") for file in files}


@cache
def shipped_document() -> Document:
    """Return all shipped files as one document, read once; nobody may change it."""
    return joined({name: tomllib.loads(text) for name, text in shipped_texts().items()})


@cache
def everyday_words() -> frozenset[str]:
    """Return the words of everyday Indonesian; their source and licence are in `everyday_words.LICENSE`."""
    return frozenset(resources.files("core").joinpath("data/everyday_words.txt").read_text("utf-8").split())


def joined(documents: Mapping[str, Document]) -> dict[str, Any]:
    """Return several `well_formed` documents as one; of a repeated name the last counts (see `repeated_names`)."""
    whole: dict[str, Any] = {section: {} for section in JOINED_TABLES}
    for document in documents.values():
        for section in JOINED_TABLES:
            whole[section].update(document.get(section, {}))
        for section in JOINED_ROWS:
            whole[section] = [*whole.get(section, []), *document.get(section, [])]
    neutral = (document.get("neutral", {}).get("words", "") for document in documents.values())
    whole["neutral"] = {"words": ", ".join(words for words in neutral if words)}
    return whole


def repeated_names(documents: Mapping[str, Document]) -> Iterator[tuple[str, Fault]]:
    """Yield (file, fault) for every name that an earlier file has already."""
    seen: dict[tuple[str, str], str] = {}
    for file, document in documents.items():
        for section in JOINED_TABLES:
            for name in document.get(section, {}):
                first = seen.setdefault((section, name), file)
                if first != file:
                    yield file, Fault.of(name, "name_twice", f"[{section}]", name=name, file=first)


def overlay(base: Document, extra: Document) -> dict[str, Any]:
    """Return a clinic's document laid over another.

    Words are added, a rule replaces the one with its id, a measure changes the fields that it names, and
    `[remove]` removes.

    Args:
        base: A whole document.
        extra: The clinic's, `well_formed`.
    """
    removal = extra.get("remove", {})
    removed_words = set(split_words(removal.get("words", "")))
    merged = dict(base)
    for section in ("words", "grammar", "classes", "people"):
        merged[section] = _with_words(base.get(section, {}), extra.get(section, {}), removed_words)
    for section in ("same", "numbers", "units", "dangers"):
        merged[section] = {**base.get(section, {}), **extra.get(section, {})}
    merged["neutral"] = {"words": f"{base['neutral']['words']}, {extra.get('neutral', {}).get('words', '')}"}
    own = extra.get("rule", [])
    replaced = {row.get("id") for row in own}.union(removal.get("rules", []))
    merged["rule"] = [*(row for row in base.get("rule", []) if row["id"] not in replaced), *own]
    merged["measure"] = _with_measures(base.get("measure", []), extra.get("measure", []))
    return merged


def _with_words(base: Mapping[str, str], extra: Mapping[str, str], removed: set[str]) -> dict[str, str]:
    """Return lists of words with others added and some removed."""
    merged = dict(base)
    for name, words in extra.items():
        merged[name] = f"{merged.get(name, '')}, {words}"
    return {
        name: ", ".join(word for word in split_words(words) if word not in removed)
        for name, words in merged.items()
    }


def _with_measures(base: Iterable[Document], extra: Iterable[Document]) -> list[Document]:
    """Return measures with the fields, and the entries of `levels` and `pair`, that others change."""
    merged = {row["id"]: row for row in base}
    for row in extra:
        shipped = merged.get(row.get("id"), {})
        tables = {name: {**shipped.get(name, {}), **row[name]} for name in ("levels", "pair") if name in row}
        merged[row.get("id")] = {**shipped, **row, **tables}
    return list(merged.values())
