"""BPJS's answer in a dialogue of lines: asked in the background, told before the next question."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Set

from core.foundation.codes import PayerSource
from tui.client.errors import RefusedError, UnreachableError
from tui.lines.conversation import Conversation
from tui.registration.form_values import FormValues
from tui.registration.participant import (
    Numbers,
    ParticipantCheck,
    differing,
    person_line,
    sentence,
    values_of,
)
from tui.session import Session
from tui.text.translation import _


class InsuranceLines:
    """Asks BPJS about the person of one dialogue, tells the answer once, and what differs from it when it is typed."""

    def __init__(self, session: Session, talk: Conversation) -> None:
        self._talk = talk
        self._is_asked = session.clinic.asks_bpjs
        self._participant = ParticipantCheck(session.client)
        self._task: asyncio.Task[None] | None = None
        self._compared: set[str] = set()
        """Fields of which it was said that BPJS has something else."""

    def follow(self, facts: FormValues, answered: Set[str]) -> dict[str, str]:
        """Ask as soon as a number is complete; tell an answer that has come.

        Args:
            facts: The values given so far.
            answered: Fields that the clerk has answered.

        Returns:
            Values for the fields that are still to be asked; Enter keeps them there.
        """
        numbers = self._participant.numbers(facts) if self._is_asked else None
        if numbers is not None:
            self.stop()
            self._compared.clear()
            self._task = asyncio.create_task(self._ask(numbers))
        if self._task is None:
            self._compare(facts, answered)
            return self._open_values(facts, answered)
        if not self._task.done():
            return {}
        self._task = None
        return self._told(facts, answered)

    def stop(self) -> None:
        """Wait for no answer any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _ask(self, numbers: Numbers) -> None:
        with contextlib.suppress(RefusedError, UnreachableError):
            await self._participant.ask(numbers)

    def _told(self, facts: FormValues, answered: Set[str]) -> dict[str, str]:
        answer = self._participant.answer
        if answer is None:
            return {}
        self._talk.say(sentence(answer))
        self._compare(facts, answered)
        return {**self._open_values(facts, answered), "insurance_status": self._participant.status}

    def _open_values(self, facts: FormValues, answered: Set[str]) -> dict[str, str]:
        """Return what BPJS has for fields that are empty and still to be asked, or asked again after going back."""
        answer = self._participant.answer
        if answer is None:
            return {}
        told = {
            name: value
            for name, value in values_of(answer, facts).items()
            if self._is_open(name, facts, answered)
        }
        return told | ({"payer_source": PayerSource.BPJS.value} if "payer" in told else {})

    def _compare(self, facts: FormValues, answered: Set[str]) -> None:
        """Say whom BPJS has when somebody else was typed: before its answer came, or after."""
        answer = self._participant.answer
        if answer is None:
            return
        others = differing(answer, facts).keys() & answered
        if others - self._compared and person_line(answer):
            self._talk.say(
                _("BPJS has: {person} (< goes back to correct)").format(person=person_line(answer))
            )
        self._compared |= others

    @staticmethod
    def _is_open(name: str, facts: FormValues, answered: Set[str]) -> bool:
        """Return whether a field is still to be asked and empty; the payer is asked within the visit."""
        if name == "payer":
            return "visit" not in answered and facts.payer[1] is not PayerSource.CLERK
        return name not in answered and not facts.text(name)
