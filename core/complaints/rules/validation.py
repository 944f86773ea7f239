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

from core.complaints.language.tokenizer import tokenize
from core.complaints.rules.consistency import asked_for, inconsistencies
from core.complaints.rules.faults import Fault, near_miss
from core.complaints.rules.rule_schema import split_words, well_formed
from core.complaints.rules.shipped_rules import (
    joined,
    overlay,
    repeated_names,
    shipped_document,
    shipped_texts,
)


@dataclass(frozen=True)
class RuleProblem:
    """One fault of a vocabulary file, with its place."""

    line: int
    """From 1; also 1 where no line can be named."""
    fault: Fault
    file: str = ""
    """The clinic's file as it was named, or the name of a shipped one."""

    @property
    def text(self) -> str:
        """The fault in English."""
        return self.fault.text


def check_vocabulary(path: str | Path | None = None) -> list[RuleProblem]:
    """List every problem of a clinic's vocabulary file, laid over the shipped one.

    Args:
        path: The clinic's file; None checks the shipped files themselves.

    Returns:
        In the order of the files and their lines; empty when all can be used.
    """
    try:
        texts = shipped_texts() if path is None else {str(path): Path(path).read_text("utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        return [RuleProblem(1, Fault.of("", "unreadable", detail=error), str(path))]
    parsed: dict[str, dict[str, Any]] = {}
    problems: set[RuleProblem] = set()
    for file, text in texts.items():
        try:
            parsed[file], faults = well_formed(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            problems.add(_not_toml(file, text, error))
        else:
            problems |= {_located({file: text}, fault) for fault in faults}
    if len(parsed) == len(texts):
        # Contradictions between files can only be found when all of them can be read.
        problems |= {_located({file: texts[file]}, fault) for file, fault in repeated_names(parsed)}
        problems |= {_located(texts, fault) for fault in _faults(parsed, is_overlay=path is not None)}
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.text))


def _not_toml(file: str, text: str, error: tomllib.TOMLDecodeError) -> RuleProblem:
    where = re.search(r"line (\d+)", str(error))
    line = int(where.group(1)) if where else len(text.splitlines())
    return RuleProblem(line, Fault.of("", "not_toml", detail=error), file)


def _faults(parsed: Mapping[str, dict[str, Any]], is_overlay: bool) -> Iterator[Fault]:
    if not is_overlay:
        whole = joined(parsed)
        yield from inconsistencies(whole)
        yield from _phrase_faults(whole)
        return
    (own,) = parsed.values()
    whole = overlay(shipped_document(), own)
    yield from inconsistencies(whole)
    yield from _phrase_faults(own)
    yield from _unused_faults(own, whole)


def _phrase_faults(own: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield faults of the words and phrases themselves."""
    shipped = shipped_document()
    fillers = set(split_words(shipped["grammar"]["filler"]))
    same = {**shipped["same"], **own.get("same", {})}
    for section in ("words", "grammar"):
        for name, words in own.get(section, {}).items():
            listed = split_words(words)
            found = [*_repeated(listed), *_respelled(listed, same)]
            found += [(phrase, code, {}) for phrase in listed for code in _unmatchable(phrase, same, fillers)]
            for phrase, code, values in found:
                yield Fault.of(phrase, code, f"[{section}]", field=name, name=phrase, **values)


def _repeated(listed: list[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for word, times in Counter(listed).items():
        if times > 1:
            yield word, "word_twice", {"times": str(times)}


def _respelled(listed: list[str], same: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for phrase in listed:
        if phrase in same and same[phrase] not in listed:
            yield phrase, "respelled", {"other": same[phrase]}


def _unmatchable(phrase: str, same: Mapping[str, str], fillers: set[str]) -> Iterator[str]:
    """Yield the code of the first reason why a phrase can never be found as it is written."""
    kinds = tokenize(phrase)
    typed = [same.get(word, word) for kind, word in kinds if kind in ("word", "code")]
    has_repetition = any(word == following for word, following in pairwise(phrase.split()))
    if not typed:
        yield "no_letters"
    elif any(kind == "number" for kind, _ in kinds):
        yield "holds_number"
    elif has_repetition:
        yield "word_repeated"
    elif len(typed) > 1 and _content_words(typed, fillers) < 2:
        yield "only_fillers"


def _content_words(typed: list[str], fillers: set[str]) -> int:
    return sum(word not in fillers for word in typed)


def _unused_faults(own: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield concepts that no rule asks for."""
    shipped = shipped_document()["words"]
    asked = {concept for row in whole["rule"] for concept in asked_for(row)}
    for name in own.get("words", {}):
        if name not in shipped and name not in asked:
            yield Fault.of(name, "unused_concept", "[words]", suggestion=near_miss(name, shipped), name=name)
    yield from _removal_faults(own.get("remove", {}))


def _removal_faults(removal: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield removals of what the shipped files do not hold."""
    shipped = shipped_document()
    words = {word for listed in shipped["words"].values() for word in split_words(listed)}
    rules = {row["id"] for row in shipped["rule"]}
    for code, removed, known in (
        ("removes_no_word", split_words(removal.get("words", "")), words),
        ("removes_no_rule", removal.get("rules", []), rules),
    ):
        for name in removed:
            if name not in known:
                yield Fault.of(name, code, "[remove]", suggestion=near_miss(name, known), name=name)


def _located(texts: Mapping[str, str], fault: Fault) -> RuleProblem:
    """Return a fault with the file and line of its key.

    Args:
        texts: File name -> text; never empty.
        fault: The names quoted in its text tell the line inside the rule or section.
    """
    key = re.escape(fault.key)
    lines = {file: text.splitlines() for file, text in texts.items()}
    # A line that defines the name comes before one that only mentions it.
    for pattern in (rf"^(?:id = )?[\"']?{key}[\"']?(?: =|$)", rf"(?<![\w.]){key}(?![\w.])"):
        for file, listed in lines.items():
            start = _first_with(listed, pattern, 0)
            if start is not None:
                return RuleProblem(_line_inside(listed, start, fault.text), fault, file)
    return RuleProblem(1, fault, next(iter(texts)))


def _line_inside(lines: list[str], start: int, text: str) -> int:
    """Return the line of the first name quoted in a text that is found in the table, else its first line.

    Args:
        lines: Of the file.
        start: Line at which the table or the entry begins, from 1.
        text: Of the fault.
    """
    end = next((index for index in range(start, len(lines)) if lines[index].startswith("[")), len(lines))
    for name in re.findall(r"'([^']+)'", text):
        inside = _first_with(lines[:end], rf"(?<![\w.]){re.escape(name)}(?![\w.])", start - 1)
        if inside is not None:
            return inside
    return start


def _first_with(lines: list[str], pattern: str, begin: int) -> int | None:
    """Return the first line from an index on that matches, counted from 1."""
    found = re.compile(pattern)
    return next((n for n in range(begin + 1, len(lines) + 1) if found.search(lines[n - 1])), None)
