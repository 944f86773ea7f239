"""A patient's allergies in line mode: listed, one more, none known, entered in error."""

from __future__ import annotations

from collections.abc import Mapping

from core.schemas.queues import EntryOut
from core.schemas.record import AllergiesOut, AllergyAdded
from tui.lines.conversation import Conversation
from tui.lines.questions import choose
from tui.session import Session
from tui.text import allergy_words, check_words, problem_words
from tui.text.translation import _

NONE_KNOWN, STRIKE = "-", "x"


class AllergyDialogue:
    """Talks about the allergies of one patient, until an empty line."""

    def __init__(self, session: Session, talk: Conversation, entry: EntryOut) -> None:
        self._session = session
        self._talk = talk
        self._patient_id = entry.patient.id if entry.patient is not None else ""

    async def run(self) -> None:
        """List them, and do what is answered.

        Raises:
            RefusedError: The core refuses; nothing was recorded.
            UnreachableError: The core does not answer.
            HungUpError: There is no answer and will be none.
        """
        known = await self._session.client.patients.allergies(self._patient_id)
        self._list(known)
        question = _("Substance (- none known, x1 strikes the first out, Enter back):")
        answer = await self._talk.ask(question)
        if not answer:
            return
        if answer == NONE_KNOWN:
            await self._session.client.patients.state_no_allergies(self._patient_id)
            self._talk.say(_("Recorded: no known allergies."))
        elif answer[0].casefold() == STRIKE and answer[1:].strip().isdigit():
            await self._strike(known, int(answer[1:]))
        else:
            await self._add(answer)

    def _list(self, known: AllergiesOut) -> None:
        if not known.allergies:
            self._talk.say(_("No known allergies") if known.asked else _("Allergies: not asked yet"))
        for number, item in enumerate(known.allergies, start=1):
            self._talk.say(f"{number} {allergy_words.allergy_line(item)}")

    async def _add(self, substance: str) -> None:
        self._talk.say(allergy_words.reading_line(substance))
        fields = {"substance": substance, "reaction": await self._talk.ask(_("Reaction") + ":")}
        for name, label, words in (
            ("severity", _("Severity"), allergy_words.SEVERITIES),
            ("source", _("Source"), allergy_words.SOURCES),
        ):
            fields[name] = await self._one_of(label, words)
        given = {name: value for name, value in fields.items() if value}
        self._say_added(substance, await self._session.client.patients.add_allergy(self._patient_id, given))

    async def _one_of(self, label: str, words: Mapping[str, str]) -> str:
        """Ask until the answer is one of some words; only an empty line leaves it unsaid.

        Args:
            label: The question, translated.
            words: Value -> its word.
        """
        listed = ", ".join(f"{number} {_(word)}" for number, word in enumerate(words.values(), start=1))
        while answer := await self._talk.ask(f"{label} ({listed}):"):
            value = choose(words, answer)
            if value is not None:
                return value
            self._talk.refuse(f"{label}: " + problem_words.word(problem_words.FIELD_PROBLEMS, "not_a_choice"))
        return ""

    def _say_added(self, substance: str, added: AllergyAdded) -> None:
        self._talk.say(_("Recorded: no known allergies.") if added.none_known else _("Added."))
        if not added.read:
            self._talk.say("? " + check_words.unread_line([substance]))
        for clash in added.clashes:
            self._talk.say("!! " + _("Prescribed already:") + " " + allergy_words.clash_line(clash))

    async def _strike(self, known: AllergiesOut, number: int) -> None:
        if not 1 <= number <= len(known.allergies):
            self._talk.refuse(_("There is no allergy of that number."))
            return
        item = known.allergies[number - 1]
        reason = await self._talk.ask(
            _("{substance}: entered in error, why?").format(substance=item.substance)
        )
        await self._session.client.patients.void_allergy(item.id, reason)
        self._talk.say(_("Struck out."))
