"""The pharmacy in line mode: what a patient gets, with what was found about it, and handing it out."""

from __future__ import annotations

from typing import Any

from core.foundation.codes import OrderStatus
from core.schemas.queues import EntryOut
from core.schemas.record import PrescriptionOut, WorkItem
from tui.client.errors import RefusedError
from tui.lines.conversation import Conversation
from tui.medicine_label import directions, label_document
from tui.printing import NotPrintedError, print_document
from tui.session import Session
from tui.text import check_words, problem_words
from tui.text.translation import _

ALL, PRINT = "*", "p"


class PharmacyDialogue:
    """Hands out the medicines of one patient, one by one or all, until an empty line."""

    def __init__(self, session: Session, talk: Conversation, entry: EntryOut) -> None:
        self._session = session
        self._talk = talk
        self._visit_id = entry.visit_id

    async def run(self) -> None:
        """List the medicines and hand out what is answered.

        Raises:
            RefusedError: The core refuses to show them.
            UnreachableError: The core does not answer.
            HungUpError: There is no answer and will be none.
        """
        while True:
            item = await self._session.client.orders.work_item("prescriptions", self._visit_id)
            self._list(item)
            waiting = [each for each in item.prescriptions if each.status is OrderStatus.ACTIVE]
            if not waiting:
                return
            answer = await self._talk.ask(
                _("Number to hand out (* all, 1=10 tablet another amount, p1 label, Enter back):")
            )
            if not answer:
                return
            await self._answer(item, waiting, answer)

    def _list(self, item: WorkItem) -> None:
        self._talk.say(check_words.allergies_first(item.allergies, asked=item.allergies_asked))
        if not item.prescriptions:
            self._talk.say(_("Nothing is prescribed."))
        for number, medicine in enumerate(item.prescriptions, start=1):
            done = " (" + _("handed out") + ")" if medicine.status is OrderStatus.COMPLETED else ""
            self._talk.say(f"{number} {medicine.medicine}, {directions(medicine)}, {medicine.amount}{done}")
            if medicine.instructions:
                self._talk.say(f"   {medicine.instructions}")
            for line in medicine.lines:
                self._talk.say(f"   {line}")
            for check in medicine.checks:
                self._talk.say(
                    f"   {check_words.answered_sign(check).strip()} {check_words.check_line(check)}"
                )

    async def _answer(self, item: WorkItem, waiting: list[PrescriptionOut], answer: str) -> None:
        if answer == ALL:
            for medicine in waiting:
                await self._hand_out(medicine, "")
            return
        is_label = answer[0].casefold() == PRINT
        number, _mark, amount = answer[is_label:].partition("=")
        chosen = _numbered(item, number.strip())
        if chosen is None:
            self._talk.refuse(_("There is no medicine of that number."))
        elif is_label:
            await self._print(item, chosen)
        elif chosen.status is not OrderStatus.ACTIVE:
            self._talk.refuse(_("That was handed out already."))
        else:
            await self._hand_out(chosen, amount.strip())

    async def _hand_out(self, medicine: PrescriptionOut, amount: str) -> None:
        """Hand out one medicine; what is asked about it goes through only after a yes, an allergy after a reason."""
        given: dict[str, Any] = {"amount": amount}
        while True:
            try:
                await self._session.client.orders.dispense(medicine.id, given)
            except RefusedError as refusal:
                if refusal.code not in check_words.ASKED:
                    raise
                if not await self._agrees(medicine, refusal, given):
                    return
            else:
                self._talk.say(_("Handed out: {medicine}").format(medicine=medicine.medicine))
                return

    async def _agrees(self, medicine: PrescriptionOut, refusal: RefusedError, given: dict[str, Any]) -> bool:
        """Ask about a finding and put the answer into what is sent again.

        Args:
            medicine: The prescription.
            refusal: The core's question.
            given: What was sent; the answer is added.
        """
        self._talk.say("! " + problem_words.problem_text(refusal.problem))
        for line in check_words.check_lines(refusal.problem.details.get("checks", [])):
            self._talk.say(f"   {line}")
        question = _("Hand out {medicine} all the same?").format(medicine=medicine.medicine)
        answer = await self._talk.ask(question + " " + _("(Y: yes)"))
        if answer.strip().casefold() not in {"y", "ya", "yes"}:
            return False
        reason = await self._talk.ask(_("Why?")) if refusal.code == "allergy" else ""
        given.update(check_words.override(given, refusal.code, reason))
        return bool(reason) or refusal.code != "allergy"

    async def _print(self, item: WorkItem, medicine: PrescriptionOut) -> None:
        document = label_document(self._session.clinic, item.patient, medicine)
        try:
            self._talk.say(await print_document(self._session, self._talk.printer, document))
        except NotPrintedError as failure:
            self._talk.say(f"! {medicine.medicine}: {failure}")


def _numbered(item: WorkItem, number: str) -> PrescriptionOut | None:
    if not number.isdigit() or not 1 <= int(number) <= len(item.prescriptions):
        return None
    return item.prescriptions[int(number) - 1]
