"""A patient's record in line mode: found, opened for a stated reason outside one's own queue, and read visit by visit."""

from __future__ import annotations

from typing import TypeVar

from core.foundation.codes import AccessReason
from core.schemas.patients import PatientOut
from core.schemas.record import NO_REASON, StatedReason, VisitSummary
from tui.client.errors import RefusedError
from tui.lines.conversation import Conversation
from tui.session import Session
from tui.text.audit_words import ACCESS_REASONS
from tui.text.formatting import date_text, sex_letter
from tui.text.translation import _
from tui.text.visit_words import patient_lines, visit_line, visit_text

ListedT = TypeVar("ListedT")

MOST_FOUND = 8
MOST_VISITS = 20


class RecordDialogue:
    """Reads one patient's record."""

    def __init__(self, session: Session, talk: Conversation) -> None:
        self._session = session
        self._talk = talk
        self._reason = NO_REASON

    async def run(self) -> None:
        """Ask for the patient, and for a reason where one is needed; then show the visits that are asked for.

        Raises:
            RefusedError: The core refuses.
            UnreachableError: The core does not answer.
            HungUpError: There is no answer and will be none.
        """
        patient = await self._patient()
        if patient is None:
            return
        visits = await self._open(patient)
        if visits is None:
            self._talk.say(_("Not opened."))
        elif not visits:
            self._talk.say(_("{person} has no visits yet.").format(person=patient.name))
        else:
            await self._read(visits[:MOST_VISITS])

    async def _patient(self) -> PatientOut | None:
        text = await self._talk.ask(_("Patient (name, number; Enter back):"))
        if not text:
            return None
        found = await self._session.client.patients.search(text, MOST_FOUND)
        if not found:
            self._talk.refuse(_("Nobody found."))
            return None
        for number, patient in enumerate(found, start=1):
            facts = f"{sex_letter(patient.sex)} {date_text(patient.birth_date)}"
            self._talk.say(f"{number} {patient.name} {facts} {patient.medical_record_number}")
        return _by_number(found, await self._asked_after_list(_("Number (Enter back):")))

    async def _open(self, patient: PatientOut) -> list[VisitSummary] | None:
        """Return the visits; None when a reason was needed and none was given."""
        patients = self._session.client.patients
        try:
            return await patients.history(patient.id)
        except RefusedError as refusal:
            if refusal.code != "reason_required":
                raise
        self._reason = await self._stated_reason()
        if not self._reason.is_given:
            return None
        return await patients.history(patient.id, self._reason)

    async def _stated_reason(self) -> StatedReason:
        """Ask for a reason of the list and for words; neither alone opens anything."""
        self._talk.say(_("Why do you open this record? (kept in the log)"))
        reasons = list(AccessReason)
        for number, code in enumerate(reasons, start=1):
            self._talk.say(f"{number} {_(ACCESS_REASONS[code])}")
        chosen = _by_number(reasons, await self._asked_after_list(_("Number (Enter back):")))
        if chosen is None:
            return NO_REASON
        stated = StatedReason(await self._talk.ask(_("in your own words:")), chosen)
        if not stated.is_given:
            self._talk.refuse(_("Say in a few words why."))
        return stated

    async def _read(self, visits: list[VisitSummary]) -> None:
        client = self._session.client.visits
        forms = {form.code: form for form in await client.forms()}
        clinic = self._session.clinic
        while True:
            for number, visit in enumerate(visits, start=1):
                self._talk.say(f"{number} {visit_line(visit)}")
            chosen = _by_number(visits, await self._asked_after_list(_("Number (Enter back):")))
            if chosen is None:
                return
            whole = await client.get(chosen.id, self._reason)
            for line in (*patient_lines(whole, clinic.today), *visit_text(whole, forms, clinic.timezone)):
                self._talk.say(line)

    async def _asked_after_list(self, question: str) -> str:
        """Ask for a number of a list; lines typed before it was seen mean nothing."""
        self._talk.discard_typed_ahead()
        return await self._talk.ask(question)


def _by_number(listed: list[ListedT], answer: str) -> ListedT | None:
    """Return what a number of a list stands for; None for anything else."""
    is_one = answer.isdigit() and 1 <= int(answer) <= len(listed)
    return listed[int(answer) - 1] if is_one else None
