"""Draws the page that a doctor signs: every danger sign with its source, examples, and who has reviewed it.

    python -m docs.draw_triage > docs/reference/triage.md

A test compares the page with what this prints.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from core.complaints.rules.rule_schema import DangerRow
from core.complaints.vocabulary import Vocabulary
from core.routing import danger_code

INTRODUCTION = """# Danger signs at the counter

Where a complaint has one of these, the confirmation proposes the emergency room and priority red. Drawn from
`core/data/complaints/dangers.toml`; `loket routing check` tries every example. A clinic's doctor signs a sign with
`reviewed_by = "name, day"` in the clinic's own file (`[dangers.CODE]`, with source and examples); unsigned means that no clinician of
this project or clinic has judged it. Ages: y years, d days.
"""


def page() -> str:
    """Return the page in Markdown."""
    vocabulary = Vocabulary.load()
    rules = Counter(danger_code(rule.id) for rule in vocabulary.rules if rule.kind == "red")
    unsigned = sum(not finding.reviewed_by for finding in vocabulary.dangers.values())
    summary = f"{len(vocabulary.dangers)} danger signs, {rules.total()} rules; unsigned: {unsigned}."
    signs = (
        line for code, row in sorted(vocabulary.dangers.items()) for line in _sign(code, row, rules[code])
    )
    return "\n".join([INTRODUCTION, summary, *signs, ""])


def _sign(code: str, finding: DangerRow, rules: int) -> Iterator[str]:
    yield f"\n## {code}\n"
    yield f"Source: {finding.source}. Rules: {rules}. Reviewed by: {finding.reviewed_by or 'nobody yet'}.\n"
    yield from (f"- danger: {_quoted(example)}" for example in finding.examples)
    yield from (f"- none: {_quoted(example)}" for example in finding.not_examples)


def _quoted(example: str) -> str:
    complaint, _, person = example.rpartition(" | ")
    return f'"{complaint}" ({person})'


if __name__ == "__main__":
    sys.stdout.write(page())
