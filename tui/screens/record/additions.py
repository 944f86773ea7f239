"""What is added to a record beside the note: diagnoses, medicines, tests, allergies, addenda.

The laboratory enters results here and the pharmacy hands medicines out.
"""

from __future__ import annotations

from typing import Any

from textual import work

from core.schemas import EntryShape, VisitShape, VisitSummary
from core.vocabulary import OrderStatus, Role
from tui import words
from tui.client import Refused, UnreachableError
from tui.screens.base import LoketScreen
from tui.screens.reasons import LettersDialog, LineDialog
from tui.screens.record.dialogs import DiagnosisDialog, FormDialog, VisitDialog, VisitsDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _


class Additions(LoketScreen[str]):
    """The part of the record's screen that asks for one thing and sends it at once."""

    def __init__(self, session: Session, entry: EntryShape, reason: str = "") -> None:
        super().__init__(session)
        self._entry = entry
        self._reason = reason
        self._visit: VisitShape | None = None

    @property
    def writes(self) -> bool:
        """Whether this person writes notes, or only reads them."""
        return self.session.account.role is Role.CLINICIAN

    def show_record(self, visit: VisitShape) -> None:
        """Show what the record holds."""
        raise NotImplementedError

    @work(exclusive=True, group="load", exit_on_error=False)
    async def reload(self) -> None:
        """Read what was added; the form stays as typed."""
        with self.saying_refusals():
            self._visit = await self.session.client.visit(self._entry.visit_id, self._reason)
            self.show_record(self._visit)

    async def _history(self) -> list[VisitSummary]:
        visits: list[VisitSummary] = []
        with self.saying_refusals():
            visits = await self.session.client.history(self._patient_id, self._reason)
        return visits

    @property
    def _patient_id(self) -> str:
        return self._visit.patient.id if self._visit is not None else ""

    # What is added to the record

    def action_diagnosis(self) -> None:
        """Add a diagnosis."""
        if self.writes:
            self.app.push_screen(DiagnosisDialog(self.session), self._add_diagnosis)

    def _add_diagnosis(self, chosen: tuple[str, str] | None) -> None:
        if chosen is not None:
            self.run_adding(self.session.client.add_diagnosis(self._entry.visit_id, *chosen))

    def action_strike_diagnosis(self) -> None:
        """Strike a diagnosis out, with a reason."""
        if not self.writes or self._visit is None or not self._visit.diagnoses:
            return
        options = [(str(item.rank), item.id, f"{item.code} {item.title}") for item in self._visit.diagnoses]

        def chosen(diagnosis_id: str | None) -> None:
            def because(reason: str | None) -> None:
                if reason and diagnosis_id:
                    call = self.session.client.void_diagnosis(self._entry.visit_id, diagnosis_id, reason)
                    self.run_adding(call)

            if diagnosis_id:
                self.app.push_screen(LineDialog(self.session, N_("Reason"), shortest=3), because)

        self.app.push_screen(LettersDialog(self.session, N_("Strike a diagnosis out"), options), chosen)

    def action_prescribe(self) -> None:
        """Prescribe a medicine; the pharmacy hands one out."""
        if self.session.account.role is Role.PHARMACIST:
            self._hand_out()
        elif self.writes:
            fields = [(name, words.FIELDS[name]) for name in ("medicine", "dose", "frequency", "amount")]
            fields.append(("instructions", N_("Directions")))
            self.app.push_screen(FormDialog(self.session, N_("Medicine"), fields), self._prescribe)

    def _prescribe(self, values: dict[str, str] | None) -> None:
        if values is not None:
            self.prescribe(values)

    @work(exclusive=True, group="add", exit_on_error=False)
    async def prescribe(self, values: dict[str, Any]) -> None:
        """Prescribe; against an allergy only after a deliberate yes."""
        try:
            with hold_keys(self.app):
                await self.session.client.prescribe(self._entry.visit_id, values)
                self.reload()
        except Refused as refusal:
            if refusal.code != "allergy":
                self.say(words.problem_text(refusal.problem), "error")
                return

            def knowingly(answer: str | None) -> None:
                if answer == "yes":
                    self.prescribe({**values, "allergy_override": True})

            self.say(words.problem_text(refusal.problem), "error")
            options = [("P", "yes", _("Prescribe all the same")), ("N", "no", _("Do not prescribe"))]
            title = N_("ALLERGY: prescribe all the same?")
            self.app.push_screen(LettersDialog(self.session, title, options), knowingly)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")

    def _hand_out(self) -> None:
        active = (
            [item for item in self._visit.prescriptions if item.status is OrderStatus.ACTIVE]
            if self._visit
            else []
        )
        options = [
            (str(number), item.id, f"{item.medicine} {item.dose} {item.amount}")
            for number, item in enumerate(active[:9], start=1)
        ]
        if not options:
            self.say(_("No medicine waits to be handed out."))
            return

        def chosen(prescription_id: str | None) -> None:
            if prescription_id:
                self.run_adding(self.session.client.dispense(prescription_id, {}))

        self.app.push_screen(LettersDialog(self.session, N_("Hand out"), options), chosen)

    def action_order(self) -> None:
        """Order a test; the laboratory enters a result."""
        if self.session.account.role is Role.LAB:
            self._enter_result()
        elif self.writes:
            fields = [("test", words.FIELDS["test"]), ("note", N_("Note"))]

            def ordered(values: dict[str, str] | None) -> None:
                if values is not None:
                    call = self.session.client.order(self._entry.visit_id, values["test"], values["note"])
                    self.run_adding(call)

            self.app.push_screen(FormDialog(self.session, N_("Laboratory test"), fields), ordered)

    def _enter_result(self) -> None:
        active = (
            [item for item in self._visit.orders if item.status is OrderStatus.ACTIVE] if self._visit else []
        )
        if not active:
            self.say(_("No test waits for a result."))
            return
        options = [(str(number), item.id, item.test) for number, item in enumerate(active[:9], start=1)]
        fields = [
            ("result", words.FIELDS["result"]),
            ("unit", N_("Unit")),
            ("reference_range", N_("Normal range")),
        ]

        def chosen(order_id: str | None) -> None:
            def resulted(values: dict[str, str] | None) -> None:
                if values is not None and order_id:
                    self.run_adding(self.session.client.enter_result(order_id, values))

            if order_id:
                self.app.push_screen(FormDialog(self.session, N_("Result"), fields), resulted)

        self.app.push_screen(LettersDialog(self.session, N_("Result"), options), chosen)

    def action_allergy(self) -> None:
        """Record an allergy."""
        fields = [("substance", words.FIELDS["substance"]), ("reaction", N_("Reaction"))]

        def added(values: dict[str, str] | None) -> None:
            if values is not None:
                self.run_adding(
                    self.session.client.add_allergy(self._patient_id, values["substance"], values["reaction"])
                )

        if self.writes and self._visit is not None:
            self.app.push_screen(FormDialog(self.session, N_("Allergy"), fields), added)

    def action_addendum(self) -> None:
        """Add a note to a record, locked or not."""

        def written(text: str | None) -> None:
            if text:
                self.run_adding(self.session.client.add_addendum(self._entry.visit_id, text))

        if self.writes:
            self.app.push_screen(LineDialog(self.session, N_("Addendum")), written)

    @work(exclusive=True, group="add", exit_on_error=False)
    async def run_adding(self, call: Any) -> None:
        """Send one addition and show the record with it."""
        with self.saying_refusals(), hold_keys(self.app):
            await call
            self.reload()
            self.say(_("Added."), "good")

    def action_history(self) -> None:
        """Show earlier visits."""
        self.show_history()

    @work(exclusive=True, group="history", exit_on_error=False)
    async def show_history(self) -> None:
        """List the visits; the chosen one is shown to read."""
        with self.saying_refusals(), hold_keys(self.app):
            visits = await self._history()
            if visits:
                self.app.push_screen(VisitsDialog(self.session, visits), self._read)

    def _read(self, visit_id: str | None) -> None:
        if visit_id is not None:
            self.read_visit(visit_id)

    @work(exclusive=True, group="history", exit_on_error=False)
    async def read_visit(self, visit_id: str) -> None:
        """Show one earlier visit."""
        with self.saying_refusals(), hold_keys(self.app):
            visit = await self.session.client.visit(visit_id, self._reason)
            self.app.push_screen(VisitDialog(self.session, visit))
