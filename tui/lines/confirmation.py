"""The confirmation that no path skips, and the save, in line mode."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from core.foundation.codes import DoubtAnswer, Verdict
from core.schemas.base import Problem
from core.schemas.registration import Receipt
from tui.client.errors import RefusedError
from tui.lines.conversation import Conversation
from tui.registration import late_entry
from tui.registration.decision import Decision, identity_text, who_text
from tui.registration.form_values import FormValues
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import _

KEEP = "!"
DOUBT_ANSWERS = {
    **dict.fromkeys(("y", "ya", "yes"), DoubtAnswer.YES),
    **dict.fromkeys(("t", "tidak", "n", "no"), DoubtAnswer.NO),
}
SHORTEST_REASON = 3  # letters; minimum length of a typed reason


@dataclass(frozen=True)
class Agreed:
    """The confirmed cluster, with a reason when it is not the proposed one."""

    cluster: str
    reason: str | None = None
    doubt_answer: DoubtAnswer | None = None


class Questionnaire(Protocol):
    """The form behind the confirmation."""

    def took_command(self, answer: str) -> bool:
        """Obey `<`, `<name`, `<<` and `=`."""

    def reopen(self, field: str | None) -> None:
        """Ask a field again."""


async def confirm(
    session: Session, talk: Conversation, facts: FormValues, form: Questionnaire, *, asks_doubt: bool = True
) -> Agreed | None:
    """Show the patient, the complaint and the cluster, and wait for a confirmation.

    Enter saves only when the rules agree with the cluster, or after a cluster was picked here by its
    letter. When the rules propose another cluster, its letter saves there and `!` keeps the chosen one.

    Args:
        session: The session, with the clinic's clusters.
        talk: The conversation in which the question is asked.
        facts: The values of the form.
        form: The form, which takes its commands (`<`, `=`).
        asks_doubt: Ask about a danger sign that is doubted; a move does not, the registration has.

    Returns:
        The confirmed cluster, or None when the clerk went back to a question.

    Raises:
        RefusedError: The core refuses the facts.
        UnreachableError: The core does not answer.
    """
    chosen = facts.text("cluster") or None
    client = session.client
    decision = Decision(await client.registrations.routing(facts.routing(chosen)), chosen)
    _show(session, talk, facts, decision)
    if asks_doubt and decision.doubted_sign():
        await _ask_doubt(session, talk, facts, decision)
    while True:
        answer = await talk.ask(_prompt(session, decision))
        agreed = await _agreed(session, talk, decision, answer)
        if agreed is not None:
            return replace(agreed, doubt_answer=decision.doubt_answer)
        picked = _picked(session, decision, answer)
        if form.took_command(answer):
            if answer.startswith("<"):
                _reopen_blocked(form, decision, answer)
                return None
        elif answer == "?":
            talk.say(_("< back, << cancel, = show all, - clear"))
        elif picked is not None:
            routing = await client.registrations.routing(facts.routing(picked, decision.doubt_answer))
            decision.pick(picked, routing)
            _show(session, talk, facts, decision)
        elif not _keeps_other(decision, answer):
            talk.refuse(_("That is no answer here; nothing was saved."))


async def _ask_doubt(session: Session, talk: Conversation, facts: FormValues, decision: Decision) -> None:
    """Ask once whether the doubted danger sign is there now; anything but yes or no leaves it as it is."""
    talk.discard_typed_ahead()
    if decision.is_suspected:
        talk.say(_("These words are like those of a danger sign."))
        question = _("Emergency now? Y / N, Enter: not known:")
    else:
        question = _("Danger sign now ({name})? Y / N, Enter: not known:").format(
            name=decision.doubted_sign()
        )
    typed = await talk.ask(question)
    answer = DOUBT_ANSWERS.get(typed.casefold())
    if answer is None:
        return
    routing = await session.client.registrations.routing(facts.routing(decision.chosen, answer))
    decision.answer_doubt(answer, routing)
    _show(session, talk, facts, decision)


def _picked(session: Session, decision: Decision, answer: str) -> str | None:
    """Return the code of the cluster whose letter was typed, when another one can be picked."""
    if not decision.can_pick:
        return None
    letter = answer.upper()
    return next((item.code for item in session.destinations if item.prefix == letter), None)


def _keeps_other(decision: Decision, answer: str) -> bool:
    """Return whether the clerk keeps the cluster that the rules do not propose."""
    return answer == KEEP and decision.can_keep


def _reopen_blocked(form: Questionnaire, decision: Decision, answer: str) -> None:
    """Ask the blocking field again after a plain `<`."""
    if decision.verdict is Verdict.BLOCKED and answer == "<":
        form.reopen(decision.routing.blocked_field)


async def _agreed(session: Session, talk: Conversation, decision: Decision, answer: str) -> Agreed | None:
    target = decision.target
    if target is None:
        return None
    if decision.verdict is not Verdict.MISMATCH:
        return Agreed(target) if not answer else None
    if answer.upper() == session.prefix_of(target):
        return Agreed(target)
    if _keeps_other(decision, answer) and decision.chosen is not None:
        reason = await _reason(talk)
        return Agreed(decision.chosen, reason) if reason else None
    return None


async def _reason(talk: Conversation) -> str | None:
    """Return a reason chosen from the list by its number, or typed; None when the clerk went back."""
    for number, reason in enumerate(problem_words.OVERRIDE_REASONS, start=1):
        talk.say(f"{number} {_(reason)}")
    while True:
        answer = await talk.ask(_("Number, or type the reason:"))
        if answer.startswith("<"):
            return None
        if answer.isdigit() and 1 <= int(answer) <= len(problem_words.OVERRIDE_REASONS):
            return problem_words.OVERRIDE_REASONS[int(answer) - 1]
        if len(answer) >= SHORTEST_REASON and not answer.isdigit():
            return answer
        talk.refuse(problem_words.field_problem("override_reason", "too_short"))


def _label(session: Session, code: str | None) -> str:
    return f"{session.prefix_of(code)} {session.cluster_name(code)}"


def _show(session: Session, talk: Conversation, facts: FormValues, decision: Decision) -> None:
    for name, found in decision.danger_signs():
        talk.say(_("!! DANGER SIGN: {name}").format(name=name) + f" ({found})")
    for name in decision.cleared_signs():
        talk.say(_("Denied: {name}. Priority YELLOW, a nurse is told.").format(name=name))
    if decision.routing.red_flags:
        talk.say(_("Emergency first, priority RED."))
    talk.say(f"{who_text(facts)}, {identity_text(facts)}")
    complaint = facts.text("chief_complaint")
    talk.say(f"{complaint}, " + _("pregnant") if facts.is_pregnant else complaint)
    if late := late_entry.told(facts.values, session.clinic):
        talk.say(f"{_('Late entry')}: {late}")
    if decision.chosen is not None and decision.chosen != decision.proposal:
        talk.say(f"{_('Chosen')}: {_label(session, decision.chosen)}")
    if decision.proposal is not None:
        why = "; ".join(decision.reasons(2))
        talk.say(f"{_('Proposed')}: {_label(session, decision.proposal)}" + (f" ({why})" if why else ""))
    if decision.verdict is not Verdict.MATCH:
        talk.say(decision.judgement())


def _prompt(session: Session, decision: Decision) -> str:
    if decision.verdict is Verdict.BLOCKED:
        return _("Cannot be saved.") + " " + _("< back:")
    letters = " ".join(cluster.prefix for cluster in session.destinations)
    if decision.target is None:
        return _("Letter of the cluster ({letters}):").format(letters=letters)
    place = session.cluster_name(decision.target)
    if decision.verdict is Verdict.MISMATCH:
        take = _("{letter}: SAVE TO {cluster}").format(
            letter=session.prefix_of(decision.target), cluster=place
        )
        if not decision.can_keep:
            return f"{take}:"
        keep = _("!: keep {cluster}, with a reason").format(cluster=session.cluster_name(decision.chosen))
        return f"{take}, {keep}:"
    return _("Enter: SAVE TO {cluster}").format(cluster=place) + ":"


async def save(session: Session, talk: Conversation, request: Mapping[str, Any]) -> Receipt | Problem | None:
    """Save and wait for the receipt, however often it must be sent; only then is "saved" said.

    The save goes on when the line breaks: its receipt is found by the draft's id. `<` leads back only
    while the core does not answer. A repeated request is still saved once.

    Args:
        session: The signed-in session.
        talk: The conversation in which delays are reported.
        request: Body of `POST registrations`.

    Returns:
        The receipt, the core's refusal, or None when the clerk went back.
    """
    unanswered = asyncio.Event()
    tries = 0

    def waiting(number: int) -> None:
        nonlocal tries
        tries = number
        unanswered.set()

    saving = asyncio.ensure_future(session.client.registrations.register(request, waiting))
    try:
        first = asyncio.ensure_future(unanswered.wait())
        await asyncio.wait({saving, first}, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        while not saving.done():
            talk.refuse(
                _("NOT CONFIRMED YET: no answer from the server ({number} tries). Still trying.").format(
                    number=tries
                )
            )
            if await _goes_back(talk, saving):
                return None
        return saving.result()
    except RefusedError as refusal:
        saved = refusal.problem.details.get("receipt")
        if refusal.code == "registration_id_reused" and saved:
            return Receipt.model_validate(saved)
        return refusal.problem
    finally:
        saving.cancel()


async def _goes_back(talk: Conversation, saving: asyncio.Future[Receipt]) -> bool:
    """Wait for a line or for the save, whichever comes first; return whether the line was `<`."""
    asking = asyncio.ensure_future(talk.ask(_("< back, it is never saved twice:")))
    either: set[asyncio.Future[Any]] = {saving, asking}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not asking.done():
        asking.cancel()
        return False
    return asking.result().startswith("<")
