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
`core/data/complaints/dangers.toml`; `loket routing check` tries every example. The head of each clinic reads and signs them at the
counter (F6, S): source, examples, rules and words of a sign on one page. A signature holds for the page that was read; when a
rule or a word of it changes, the sign is unsigned again. `loket doctor` and `loket routing dangers` say how many are unsigned in the
clinic; this page counts the signs as they ship, where only `reviewed_by` in the file tells of a clinician who has judged one.
Ages: y years, d days.
"""


def page() -> str:
    """Return the page in Markdown."""
    vocabulary = Vocabulary.load()
    rules = Counter(danger_code(rule.id) for rule in vocabulary.rules if rule.kind == "red")
    unsigned = [code for code, finding in vocabulary.dangers.items() if not finding.reviewed_by]
    summary = (
        f"{len(vocabulary.dangers)} danger signs, {rules.total()} rules; "
        f"unsigned: {len(unsigned)} signs, {sum(rules[code] for code in unsigned)} rules."
    )
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
