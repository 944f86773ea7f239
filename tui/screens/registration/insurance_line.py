"""The line of a form on which BPJS answers, in the background and never in the way of a key."""

from __future__ import annotations

from typing import TypeVar

from textual import events, work
from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation.codes import InsuranceStatus, PayerSource
from tui.client.errors import RefusedError, UnreachableError
from tui.registration.participant import ParticipantCheck, differing, person_line, sentence, values_of
from tui.screens.base import Values
from tui.screens.patients.person_form import PersonScreen
from tui.session import Session
from tui.text.formatting import fit
from tui.text.translation import _
from tui.widgets import set_text

ResultT = TypeVar("ResultT")


class AsksInsurance(PersonScreen[ResultT]):
    """A form about a person that asks BPJS as soon as a NIK or a card's number is complete.

    A late answer fills fields that are empty, untouched and without the focus. Whatever else differs
    stands in the line, and one key takes it.
    """

    def __init__(self, session: Session, values: Values | None = None) -> None:
        super().__init__(session, values)
        self.participant = ParticipantCheck(session.client)
        self._left: set[str] = set()
        """Fields that the clerk has been in: what stands there, even nothing, is meant."""

    def compose_insurance(self) -> ComposeResult:
        """Yield the line."""
        yield Static("", id="insurance", markup=False)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Remember the field that was left."""
        self._left.add(event.widget.id or "")

    def check_soon(self) -> None:
        """Ask BPJS too, at once: a number that is complete changes no more."""
        super().check_soon()
        if not self.session.clinic.asks_bpjs:
            return  # a request costs half a kilobyte on a thin line
        numbers = self.participant.numbers(self.facts())
        if numbers is not None:
            self.ask_insurance(*numbers)

    @work(exclusive=True, group="insurance", exit_on_error=False)
    async def ask_insurance(self, nik: str, bpjs_number: str) -> None:
        """Ask, then fill what may be filled and show the rest."""
        try:
            await self.participant.ask((nik, bpjs_number))
        except (RefusedError, UnreachableError):
            return  # only a help while typing; the visit is entered at BPJS by the daily work
        self._fill_untouched()
        self.show_insurance()

    def _fill_untouched(self) -> None:
        answer = self.participant.answer
        if answer is None:
            return
        facts, present = self.facts(), self.field_values()
        focused = self.focused.id if self.focused is not None else None
        free = {
            name: value
            for name, value in values_of(answer, facts).items()
            if name in present and self._is_free(name, present) and name != focused
        }
        if free:
            self.fill(free)
            self._note_payer(free)
            self.show_age()
            super().check_soon()

    def _is_free(self, name: str, present: Values) -> bool:
        """Return whether a field is empty and was never entered; a payer, whether the clerk did not choose it."""
        if name in self._left:
            return False
        if name == "payer":
            return self.facts().payer[1] is not PayerSource.CLERK
        return not present.get(name, "").strip()

    def _note_payer(self, filled: Values) -> None:
        if "payer" in filled:
            self.payer_answered()

    def payer_answered(self) -> None:
        """Remember that the payer is BPJS's answer; a form without a payer has nothing to remember."""

    def insurance_to_take(self) -> dict[str, str]:
        """Return the fields that BPJS has otherwise than the form."""
        answer = self.participant.answer
        return differing(answer, self.facts()) if answer is not None else {}

    def show_insurance(self) -> None:
        """Show the answer, and what may be taken over."""
        answer = self.participant.answer
        line = self.query_one("#insurance", Static)
        line.display = answer is not None
        self.refresh_bindings()
        if answer is None:
            return
        is_fine = answer.status is InsuranceStatus.ACTIVE and answer.is_own_member is not False
        lines = [(" " if is_fine else " ! ") + sentence(answer)]
        if self.insurance_to_take() and person_line(answer):
            lines.append("   " + _("F5 takes it: {person}").format(person=person_line(answer)))
        width = max(20, self.size.width - 1)
        set_text(line, "\n".join(fit(text, width).rstrip() for text in lines), layout=True)

    def action_take_insurance(self) -> None:
        """Take over what BPJS has."""
        taken = self.insurance_to_take()
        if not taken:
            self.say(_("There is nothing of BPJS to take over."))
            return
        self.fill(taken)
        self._note_payer(taken)
        self.show_age()
        self.check_soon()
        self.show_insurance()
        self.say(_("Taken over from BPJS."), "good")
