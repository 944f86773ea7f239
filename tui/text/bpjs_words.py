"""Words for what keeps a visit from BPJS, each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.schemas.bpjs import BpjsCodeOut, BpjsVisitOut
from tui.text.formatting import date_text
from tui.text.translation import N_, _

GAPS: Mapping[str, str] = {
    "card": N_("There is neither NIK nor card number: correct the card (F9)."),
    "unknown_participant": N_("BPJS knows nobody with this number: correct the card (F9), or the payer."),
    "other_birth_date": N_("BPJS has another birth date for this number: is it this person's card?"),
    "second_visit": N_("A second visit on one day in one poli: BPJS takes only one."),
    "poli": N_("{what} has no code at BPJS: the admin says it (F7, K)."),
    "well_poli": N_(
        "A healthy visit, and nobody said which poli of BPJS takes these: the admin says it (F7, K)."
    ),
    "doctor": N_("{what} has no code at BPJS: the admin says it (F7, K)."),
    "record": N_("Nothing was recorded at this visit."),
    "diagnosis": N_("The diagnosis is missing in the record."),
    "disposition": N_("How the visit ended is missing in the record."),
    "consciousness": N_("Consciousness is missing: the form BPJS in the record."),
    "prognosis": N_("Prognosis is missing: the form BPJS in the record."),
    "refer_provider": N_("The hospital is missing: F2 J in the record."),
    "refer_subspecialist": N_("The subspecialist is missing: F2 J in the record."),
    "refer_on": N_("The day of the referral is missing: F2 J in the record."),
    "frequency": N_("The frequency cannot be read as 3x1: {what}"),
    "amount": N_("The amount cannot be read as a whole number: {what}"),
    "no_answer": N_("BPJS fails at this visit again and again ({what}); it is tried again by itself."),
    "medicine": N_("{what} has no code at BPJS: the admin says it (F7, K)."),
    "procedure": N_("Procedure {what} has no code at BPJS: the admin says it (F7, K)."),
    "allergy": N_("The allergy to {what} has no code at BPJS: the admin says it (F7, K)."),
    "tacc": N_(
        "BPJS treats this diagnosis as one of primary care: the referral needs a TACC, in the form BPJS."
    ),
    "queue_doctor": N_("BPJS has no doctor with hours in this poli today; it is looked again by itself."),
    "tacc_reason": N_("The reason for the TACC is missing: the form BPJS in the record."),
}
"""Code of a gap -> what is missing and where to mend it."""


KINDS: Mapping[str, str] = {
    "poli": N_("Cluster"),
    "doctor": N_("Clinician"),
    "medicine": N_("Medicine"),
    "procedure": N_("Procedure"),
    "allergy": N_("Allergy"),
}
"""Kinds of what needs a code at BPJS."""
WELL = "well"
"""Stands for the poli of healthy visits: only a clinic that has some needs it."""


def is_optional(item: BpjsCodeOut) -> bool:
    """Return whether nothing waits for this code."""
    return item.ours == WELL


def code_title(item: BpjsCodeOut) -> str:
    """Return what it is here."""
    return item.title or _("healthy visits (promotive)")


def code_text(item: BpjsCodeOut) -> str:
    """Return code and name at BPJS, or that there is none."""
    if not item.code:
        return _("(not said)") if is_optional(item) else _("NONE YET")
    return f"{item.code} {item.code_name}".strip() if item.code != "-" else _("- not in BPJS's list")


def gap_text(gap: str) -> str:
    """Return a gap in words."""
    code, _colon, what = gap.partition(": ")
    return _(GAPS[code]).format(what=what or "?") if code in GAPS else gap


def troubles(visit: BpjsVisitOut) -> list[str]:
    """Return everything that keeps a visit from BPJS; its own words as they came."""
    own = [_("BPJS says: {words}").format(words=visit.error)] if visit.error else []
    told = own + [gap_text(gap) for gap in visit.gaps]
    return [_("Queue: {trouble}").format(trouble=one) for one in told] if visit.what == "queue" else told


def proof_text(comparison: Mapping[str, Any] | None) -> str:
    """Return the last comparison of a day in words, its differences named; empty before the first."""
    if comparison is None:
        return ""
    day = date_text(date.fromisoformat(comparison["day"]))
    if comparison["agrees"]:
        return _("{day}: the same as at BPJS.").format(day=day)
    parts = []
    if comparison["missing"]:
        parts.append(_("{number} sent again").format(number=len(comparison["missing"])))
    if comparison["only_there"]:
        parts.append(_("only at BPJS: {numbers}").format(numbers=", ".join(comparison["only_there"][:5])))
    if comparison["open_here"]:
        parts.append(_("{number} not there yet").format(number=len(comparison["open_here"])))
    return _("{day} DIFFERS: {what}.").format(day=day, what="; ".join(parts))
