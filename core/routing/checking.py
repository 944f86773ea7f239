"""Finds what is wrong in a vocabulary file, each problem with its line, for `loket routing check`."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.routing.document import document_problems, split_words, term_from
from core.routing.language import tokens
from core.routing.shape import Said, hint, well_formed
from core.routing.shipped import joined, said_twice, shipped_document, shipped_texts
from core.routing.vocabulary import overlay


@dataclass(frozen=True)
class Problem:
    """One thing to mend in a vocabulary file."""

    line: int
    """From 1; 1 also where no line can be named."""
    text: str
    """What is wrong, in English."""
    file: str = ""
    """The clinic's file as it was named, or the name of a shipped one."""


def check_vocabulary(path: str | Path | None = None) -> list[Problem]:
    """List every problem of a clinic's vocabulary file, laid over the shipped one.

    Args:
        path: The clinic's file; None checks the shipped files themselves.

    Returns:
        In the order of the files and their lines; empty when all can be used.
    """
    if path is None:
        texts = shipped_texts()
    else:
        try:
            texts = {str(path): Path(path).read_text("utf-8")}
        except (OSError, UnicodeDecodeError) as error:
            return [Problem(1, f"cannot be read: {error}", str(path))]
    parsed: dict[str, dict[str, Any]] = {}
    problems: set[Problem] = set()
    for file, text in texts.items():
        try:
            parsed[file], found = well_formed(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+)", str(error))
            last = len(text.splitlines())
            problems.add(Problem(int(where.group(1)) if where else last, f"not TOML: {error}", file))
        else:
            problems |= {_placed({file: text}, key, said) for key, said in found}
    if len(parsed) == len(texts):
        # What one file says of another can only be told when all can be read.
        problems |= {_placed({file: texts[file]}, key, said) for file, (key, said) in said_twice(parsed)}
        problems |= {_placed(texts, key, said) for key, said in _problems(parsed, path is not None)}
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.text))


def _problems(parsed: Mapping[str, dict[str, Any]], is_overlay: bool) -> Iterator[Said]:
    if not is_overlay:
        whole = joined(parsed)
        yield from document_problems(whole)
        yield from _own_problems(whole)
        return
    (own,) = parsed.values()
    whole = overlay(shipped_document(), own)
    yield from document_problems(whole)
    yield from _own_problems(own)
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


def _placed(texts: Mapping[str, str], key: str, said: str) -> Problem:
    """A problem with the file and line of the name in question.

    Args:
        texts: File name -> text; never empty.
        key: The name to look for: a rule's id, a concept, a phrase.
        said: What is wrong; the names quoted in it tell the line inside the rule or section.
    """
    lines = {file: text.splitlines() for file, text in texts.items()}
    # Where it is defined comes before where it is only mentioned.
    for pattern in (
        rf"^(?:id = )?[\"']?{re.escape(key)}[\"']?(?: =|$)",
        rf"(?<![\w.]){re.escape(key)}(?![\w.])",
    ):
        for file, listed in lines.items():
            start = _first_with(listed, pattern, 0)
            if start is not None:
                return Problem(_line_inside(listed, start, said), said, file)
    return Problem(1, said, next(iter(texts)))


def _line_inside(lines: list[str], start: int, said: str) -> int:
    """The line of a name quoted in the problem, from a line (from 1) to the end of its table; else that line."""
    table = next((n for n in range(start, len(lines)) if lines[n].startswith("[")), len(lines))
    for name in re.findall(r"'([^']+)'", said):
        inside = _first_with(lines[:table], rf"(?<![\w.]){re.escape(name)}(?![\w.])", start - 1)
        if inside is not None:
            return inside
    return start


def _first_with(lines: list[str], pattern: str, begin: int) -> int | None:
    """The first line from an index on that matches, counted from 1."""
    found = re.compile(pattern)
    return next((n for n in range(begin + 1, len(lines) + 1) if found.search(lines[n - 1])), None)
