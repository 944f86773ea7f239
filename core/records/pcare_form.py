"""P-Care's questions about a visit beyond the record: pure, for the screens, the core and the sending alike.

Source: docs/reference/bpjs.md 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.foundation.codes import JKN_PAYERS, Disposition

FORM = "bpjs"
"""Code of the form that holds what P-Care alone asks for."""
ALWAYS = ("consciousness", "prognosis")
OF_A_REFERRAL = ("refer_provider", "refer_subspecialist", "refer_on")
CHOSEN = (
    "refer_specialist", "refer_subspecialist", "refer_subspecialist_name", "refer_means", "refer_provider",
    "refer_provider_name", "refer_on", "refer_urgent",
)  # fmt: skip
"""Answers that are chosen from BPJS's lists, in a dialog of their own."""
LETTER = "bpjs_referral"
"""Kind of the letter that goes with a referral."""
REASONS = {"1": "tacc_time", "2": "tacc_age", "3": "tacc_reason", "4": "tacc_time"}
"""TACC -> the question that holds its reason."""
INSURED = frozenset(JKN_PAYERS)


def lacking(answers: Mapping[str, Any], *, disposition: str | None, non_specialist: bool | None) -> list[str]:
    """Return the questions of the form that are open: `consciousness`, `prognosis`, `tacc`, ...

    Args:
        answers: To the form.
        disposition: How the visit ends; None: not known yet.
        non_specialist: Whether primary care treats the first diagnosis to the end; None: BPJS did not say,
            and then nothing is asked for it.
    """
    open_ones = [name for name in ALWAYS if not answers.get(name)]
    if disposition != Disposition.REFERRED:
        return open_ones
    open_ones += [name for name in OF_A_REFERRAL if not answers.get(name)]
    return open_ones + lacking_tacc(answers, non_specialist=non_specialist)


def lacking_tacc(answers: Mapping[str, Any], *, non_specialist: bool | None) -> list[str]:
    """Return `tacc` or `tacc_reason` where a referral would need it.

    Args:
        answers: To the form.
        non_specialist: As for `lacking`.
    """
    if not answers.get("tacc"):
        return ["tacc"] if non_specialist else []
    return [] if reason_of(answers) else ["tacc_reason"]


def reason_of(answers: Mapping[str, Any]) -> str | None:
    """Return the reason that belongs to the TACC; None when there is none."""
    question = REASONS.get(str(answers.get("tacc") or ""))
    return str(answers.get(question) or "") or None if question is not None else None
