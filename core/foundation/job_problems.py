"""The problems a job reports: a stable code with the facts it is about, stored as JSON.

The edges turn codes into words. In answers of the API and in the output of commands a problem is a
line, `code: facts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Fact = str | int


@dataclass(frozen=True)
class JobProblem:
    """One problem of a job, without patient data."""

    code: str
    """Stable name, snake_case, for which `server.text.problem_words` has words."""
    detail: Mapping[str, Fact] = field(default_factory=dict)
    """Facts by name (`setting`, `records`, ...), in the order in which they are told."""

    @property
    def facts(self) -> str:
        """The facts as text: the first, then the others in parentheses; empty when there are none."""
        first, *others = [str(value) for value in self.detail.values()] or [""]
        return " ".join([first, *(f"({other})" for other in others)])

    def __str__(self) -> str:
        return f"{self.code}: {self.facts}" if self.detail else self.code

    def document(self) -> dict[str, Any]:
        """Return it JSON-safe."""
        return {"code": self.code, "detail": dict(self.detail)}


def from_line(line: str) -> JobProblem:
    """Read a problem from its line; the facts after the colon have no names there."""
    code, _colon, facts = line.partition(": ")
    return JobProblem(code, {"facts": facts} if facts else {})


def from_error(error: Exception) -> JobProblem:
    """Return the problem that a `CoreError` tells."""
    problem = getattr(error, "problem", None)
    return problem if isinstance(problem, JobProblem) else from_line(str(error))


def as_lines(problems: Iterable[JobProblem]) -> str | None:
    """Return the problems one a line; None when there is none."""
    return "\n".join(str(problem) for problem in problems) or None


def to_text(problems: Iterable[JobProblem]) -> str | None:
    """Return the problems as `JobRun.error` stores them: a JSON list; None when there is none."""
    documents = [problem.document() for problem in problems]
    return json.dumps(documents, ensure_ascii=False) if documents else None


def from_text(text: str | None) -> list[JobProblem]:
    """Read what `to_text` wrote, or lines: rows of Loket 0.1 hold a problem a line."""
    if text is None:
        return []
    if text.startswith("["):
        return [JobProblem(item["code"], item["detail"]) for item in json.loads(text)]
    return [from_line(line) for line in text.splitlines()]
