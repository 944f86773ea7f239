"""Says in words how a visit ends: which outcomes are asked about, and what the record lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.foundation.codes import Disposition
from core.records import pcare_form
from core.schemas.record import EncounterOut, VisitOut
from tui.text import problem_words
from tui.text.translation import _

NEED_ENTER = frozenset({Disposition.DIED, Disposition.REFERRED, Disposition.ADMITTED})
"""Outcomes that a letter alone never carries out."""


def outcome_word(code: str) -> str:
    """Return how a visit ended; in capitals where it must not be overread."""
    found = problem_words.word(problem_words.DISPOSITIONS, code)
    return found.upper() if code in NEED_ENTER else found


def is_noted(encounter: EncounterOut) -> bool:
    """Return whether anything is written in a contact."""
    texts = (encounter.subjective, encounter.objective, encounter.assessment, encounter.plan)
    return any(text.strip() for text in texts) or bool(encounter.vitals) or any(encounter.form.values())


def lacking(visit: VisitOut, disposition: str | None = None, *, asks_bpjs: bool = False) -> list[str]:
    """Return what a stored visit lacks: `no_note`, `no_diagnosis`, and what P-Care asks.

    Args:
        visit: As the core has it.
        disposition: How it is to end; None: not chosen yet.
        asks_bpjs: Whether this clinic sends visits to BPJS.
    """
    missing = [] if any(is_noted(item) for item in visit.encounters) else ["no_note"]
    missing += [] if visit.diagnoses else ["no_diagnosis"]
    answers: dict[str, Any] = {}
    for item in visit.encounters:
        answers |= item.form.get(pcare_form.FORM) or {}
    return missing + (open_at_bpjs(visit, answers, disposition) if asks_bpjs else [])


def open_at_bpjs(visit: VisitOut, answers: Mapping[str, Any], disposition: str | None) -> list[str]:
    """Return the questions of P-Care that are open at an insured visit.

    Args:
        visit: For its payer and its first diagnosis.
        answers: To the form of BPJS.
        disposition: How it is to end; None: not chosen yet.
    """
    if visit.payer not in pcare_form.INSURED:
        return []
    first = min(visit.diagnoses, key=lambda one: one.rank, default=None)
    flag = first.non_specialist if first is not None else None
    return pcare_form.lacking(answers, disposition=disposition, non_specialist=flag)


def lacking_lines(codes: Sequence[str]) -> list[str]:
    """Return what a visit lacks in words; the open questions of P-Care stand on one line."""
    lines = [
        _(problem_words.FINISH_WARNINGS[code]) for code in codes if code in problem_words.FINISH_WARNINGS
    ]
    asked = [_(problem_words.BPJS_QUESTIONS[code]) for code in codes if code in problem_words.BPJS_QUESTIONS]
    return lines + (
        [_("The form BPJS still asks for: {what}.").format(what=", ".join(asked))] if asked else []
    )
