"""Finds what is wrong in a vocabulary file, each problem with its line, for `loket routing check`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.routing.document import document_problems, split_words, term_from
from core.routing.language import tokens
from core.routing.shape import Said, hint, well_formed
from core.routing.vocabulary import overlay, shipped_document, shipped_text


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a vocabulary file."""

    line: int
    """From 1; 1 also where no line can be named."""
    text: str
    """What is wrong, in English."""


def check_vocabulary(path: str | Path | None = None) -> list[Problem]:
    """List every problem of a clinic's vocabulary file, laid over the shipped one.

    Args:
        path: The clinic's file; None checks the shipped file itself.

    Returns:
        In the order of the lines; empty when the file can be used.
    """
    if path is None:
        text = shipped_text()
        base = {name: type(part)() for name, part in shipped_document().items()}
    else:
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            return [Problem(1, f"cannot be read: {error}")]
        base = shipped_document()
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        last = len(text.splitlines())
        return [Problem(int(where.group(1)) if where else last, f"not TOML: {error}")]
    own, found = well_formed(own)
    found += _problems(base, own, path is not None)
    lines = text.splitlines()
    return sorted(
        {Problem(_line_of(lines, key, said), said) for key, said in found}, key=lambda p: (p.line, p.text)
    )


def _problems(base: dict[str, Any], own: dict[str, Any], is_overlay: bool) -> Iterator[Said]:
    whole = overlay({**base, "neutral": base.get("neutral") or {"words": ""}}, own)
    yield from document_problems(whole)
    yield from _own_problems(own)
    if is_overlay:
        yield from _unused_problems(own, whole)


def _own_problems(own: dict[str, Any]) -> Iterator[Said]:
    """Problems of the words themselves."""
    shipped = shipped_document()
    fillers = set(split_words(shipped["grammar"]["filler"]))
    same = {**shipped["same"], **own.get("same", {})}
    for section in ("words", "grammar"):
        for name, words in own.get(section, {}).items():
            listed = split_words(words)
            for word, times in Counter(listed).items():
                if times > 1:
                    yield word, f"[{section}] {name}: {word!r} stands there {times} times"
            for phrase in listed:
                if phrase in same and same[phrase] not in listed:
                    yield phrase, f"[{section}] {name}: {phrase!r} is read as {same[phrase]!r}, by [same]"
                typed = [same.get(word, word) for kind, word in tokens(phrase) if kind in ("word", "code")]
                if not typed:
                    yield phrase, f"[{section}] {name}: {phrase!r} has no letters"
                elif any(kind == "number" for kind, _ in tokens(phrase)):
                    yield phrase, f"[{section}] {name}: {phrase!r} holds a number, which no phrase can match"
                elif any(word == following for word, following in pairwise(phrase.split())):
                    yield phrase, f"[{section}] {name}: {phrase!r} holds a word twice, which counts once"
                elif len(typed) > 1 and len([word for word in typed if word not in fillers]) < 2:
                    yield phrase, f"[{section}] {name}: {phrase!r} is only one word without its filler words"


def _unused_problems(own: dict[str, Any], whole: dict[str, Any]) -> Iterator[Said]:
    """What the file says in vain: concepts that no rule asks for, removals of what is not there."""
    shipped = shipped_document()
    asked = {
        concept
        for row in whole["rule"]
        for term in row.get("needs", []) + row.get("unless", [])
        for concept in term_from(term).concepts
    }
    for name in own.get("words", {}):
        if name not in shipped["words"] and name not in asked:
            yield name, f"[words] {name!r} is asked for by no rule{hint(name, shipped['words'])}"
    removed = own.get("remove", {})
    known = {word for words in shipped["words"].values() for word in split_words(words)}
    for word in split_words(removed.get("words", "")):
        if word not in known:
            yield word, f"[remove] {word!r} is no word of the shipped file{hint(word, known)}"
    rules = [row["id"] for row in shipped["rule"]]
    for rule_id in removed.get("rules", []):
        if rule_id not in rules:
            yield rule_id, f"[remove] {rule_id!r} is no rule of the shipped file{hint(rule_id, rules)}"


def _line_of(lines: list[str], key: str, said: str) -> int:
    """The line of the name in question, looked for inside the rule or section that has it."""
    start = _first_with(lines, key, 0) or 1
    table = next((n for n in range(start, len(lines)) if lines[n].startswith("[")), len(lines))
    for name in re.findall(r"'([^']+)'", said):
        inside = _first_with(lines[:table], name, start - 1)
        if inside:
            return inside
    return start


def _first_with(lines: list[str], key: str, begin: int) -> int | None:
    """The first line from an index on that holds the key as a whole word, counted from 1."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(key)}(?![\w.])")
    return next((n for n in range(begin + 1, len(lines) + 1) if pattern.search(lines[n - 1])), None)
