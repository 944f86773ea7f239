"""The vocabulary that comes with Loket: `core/data/complaints/`, one file a theme, joined into one document."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from core.routing.shape import Said

JOINED_TABLES = ("words", "grammar", "classes", "same", "numbers", "units")
"""Sections in which a name stands once, whichever file it is in."""

JOINED_ROWS = ("rule", "measure")


def shipped_texts() -> dict[str, str]:
    """File name -> text, in the order of the names."""
    folder = resources.files("core").joinpath("data/complaints")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name: file.read_text("utf-8") for file in files}


def shipped_document() -> dict[str, Any]:
    """All files as one document; it does not depend on their order but for rows, which keep it."""
    return joined({name: tomllib.loads(text) for name, text in shipped_texts().items()})


def joined(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Several documents as one, each `well_formed`; of a name said twice the last stays (`said_twice` tells)."""
    whole: dict[str, Any] = {section: {} for section in JOINED_TABLES}
    for document in documents.values():
        for section in JOINED_TABLES:
            whole[section].update(document.get(section, {}))
        for section in JOINED_ROWS:
            whole[section] = [*whole.get(section, []), *document.get(section, [])]
    neutral = (document.get("neutral", {}).get("words", "") for document in documents.values())
    whole["neutral"] = {"words": ", ".join(words for words in neutral if words)}
    return whole


def said_twice(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Said]]:
    """(file, problem) for every name that an earlier file has already."""
    seen: dict[tuple[str, str], str] = {}
    for file, document in documents.items():
        for section in JOINED_TABLES:
            for name in document.get(section, {}):
                first = seen.setdefault((section, name), file)
                if first != file:
                    yield file, (name, f"[{section}] {name!r} stands in {first} too")
