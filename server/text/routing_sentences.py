"""Output of `loket routing` in the clinic's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from core.complaints.explanation import MSGIDS, Explanation
from core.complaints.learned.corrections import LEAST_EXAMPLES, EvaluationFigures
from core.complaints.rules.faults import FAULT_MESSAGES, SUGGESTION, Fault
from core.complaints.rules.validation import RuleProblem
from core.foundation.codes import SignatureState
from core.schemas.oversight import DangerOut
from core.visits.routing_trial import Answered, TrialFigures
from server.text.translation import N_, _

CORE_MSGIDS = frozenset({*FAULT_MESSAGES.values(), SUGGESTION, *MSGIDS})
"""Sentences that the core holds, for the catalogue."""

SIGNATURES: Mapping[SignatureState, str] = {
    SignatureState.SIGNED: N_("signed"),
    SignatureState.CHANGED: N_("CHANGED since signed"),
    SignatureState.UNSIGNED: N_("not signed"),
}


def problem(found: RuleProblem) -> str:
    """Return a fault of a vocabulary file as `file:line: place fault`."""
    return f"{found.file}:{found.line}: {fault(found.fault)}"


def fault(found: Fault) -> str:
    """Return a fault as `place fault`."""
    said = _(FAULT_MESSAGES[found.code]).format(**found.values)
    if found.suggestion:
        said = _(SUGGESTION).format(fault=said, name=found.suggestion)
    place = f"{found.place} " if found.place else ""
    return f"{place}{said}"


def file_accepted(file: Path) -> str:
    """Return what a file without faults still needs before it is used."""
    return _(
        "{file}: ok. It is used once LOKET_VOCABULARY names it and the server was started again."
    ).format(file=file)


def explanation(explained: Explanation, language: str) -> Iterator[str]:
    """Yield a decision word by word, line by line."""
    return explained.lines(language, gettext=_)


def learned(figures: EvaluationFigures) -> str:
    """Return the result of learning from corrections."""
    if figures.examples < LEAST_EXAMPLES:
        return _("Visits: {number}. Too few to judge by: {least} are needed. Not used.").format(
            number=figures.examples, least=LEAST_EXAMPLES
        )
    outcome = _("in use from now on") if figures.passed else _("not used")
    return _(
        "{number} visits, unseen when judged: rules alone {rules} right, with the model {together} "
        "(helped {helped}, harmed {harmed}): {outcome}"
    ).format(
        number=figures.examples,
        rules=f"{figures.rules_share:.1%}",
        together=f"{figures.together_share:.1%}",
        helped=figures.helped,
        harmed=figures.harmed,
        outcome=outcome,
    )


def switched_off() -> str:
    """Return the sentence that the rules work alone from now on."""
    return _("off")


def tried(figures: TrialFigures) -> Iterator[str]:
    """Yield the outcome of trying other words on the last month's complaints, line by line."""
    yield _(
        "Visits of the last month: {visits}; answered otherwise: {changed}; dangers no longer seen: {lost}."
    ).format(visits=figures.visits, changed=figures.changes.total(), lost=figures.dangers_lost)
    for change, number in figures.changes.items():
        yield f"{number:>4}  {_answer(change.before)} -> {_answer(change.after)}  {change.complaint}"


def _answer(answered: Answered) -> str:
    place = answered.cluster or _("unsure")
    return f"{place} {answered.priority}" if answered.priority is not None else place


def dangers(signs: Sequence[DangerOut], zone: ZoneInfo) -> Iterator[str]:
    """Yield the danger signs with who has signed them, after how many nobody has.

    Args:
        signs: Those without a valid signature first.
        zone: The clinic's.
    """
    unsigned = sum(sign.state is not SignatureState.SIGNED for sign in signs)
    yield _("{number} of {all} danger signs are not signed").format(number=unsigned, all=len(signs))
    for sign in signs:
        day = sign.signed_at.astimezone(zone).strftime("%d-%m-%Y") if sign.signed_at else ""
        yield f"{_(SIGNATURES[sign.state]):<24} {sign.code:<26} {day:<10} {sign.signed_by}".rstrip()
