"""What is added to a record beside the note, each asked for in a dialog and sent at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import work

from core.forms import Form
from core.schemas.queues import EntryShape
from core.schemas.record import VisitShape, VisitSummary
from core.vocabulary import OrderStatus
from tui import words
from tui.client import Refused, UnreachableError
from tui.screens.base import LoketScreen
from tui.screens.reasons import LettersDialog, LineDialog
from tui.screens.record.dialogs import (
    DiagnosisDialog,
    FormDialog,
    MedicineDialog,
    ProcedureDialog,
    TestsDialog,
)
from tui.screens.record.reading import VisitDialog, VisitsDialog, medicine_text
from tui.screens.record.searching import PickDialog
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
        self._forms: dict[str, Form] = {}

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
        self.app.push_screen(DiagnosisDialog(self.session), self._add_diagnosis)

    def _add_diagnosis(self, chosen: tuple[str, str] | None) -> None:
        if chosen is not None:
            self.run_adding(self.session.client.add_diagnosis(self._entry.visit_id, *chosen))

    def action_procedure(self) -> None:
        """Add a procedure."""

        def chosen(procedure: tuple[str, str] | None) -> None:
            if procedure is not None:
                self.run_adding(self.session.client.add_procedure(self._entry.visit_id, *procedure))

        self.app.push_screen(ProcedureDialog(self.session), chosen)

    def action_prescribe(self) -> None:
        """Prescribe a medicine."""
        if self._visit is None:
            return

        def chosen(values: dict[str, str] | None) -> None:
            if values is not None:
                self.prescribe(values)

        self.app.push_screen(MedicineDialog(self.session, self._visit.patient.allergies), chosen)

    @work(exclusive=True, group="add", exit_on_error=False)
    async def prescribe(self, values: dict[str, Any]) -> None:
        """Prescribe; against an allergy only after a deliberate yes."""
        try:
            with hold_keys(self.app):
                await self.session.client.prescribe(self._entry.visit_id, values)
                self.reload()
                self.say(_("Added."), "good")
        except Refused as refusal:
            self.say(words.problem_text(refusal.problem), "error")
            if refusal.code == "allergy":
                self._ask_against_allergy(values)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")

    def _ask_against_allergy(self, values: dict[str, Any]) -> None:
        def knowingly(answer: str | None) -> None:
            if answer == "yes":
                self.prescribe({**values, "allergy_override": True})

        options = [("P", "yes", _("Prescribe all the same")), ("N", "no", _("Do not prescribe"))]
        title = N_("ALLERGY: prescribe all the same?")
        allergies = ", ".join(self._visit.patient.allergies) if self._visit is not None else ""
        notes = [values["medicine"], _("ALLERGIES: {names}").format(names=allergies)]
        self.app.push_screen(LettersDialog(self.session, title, options, notes=notes), knowingly)

    def action_order(self) -> None:
        """Order laboratory tests."""

        def chosen(tests: list[str] | None) -> None:
            if tests:
                self.run_adding(*(self.session.client.order(self._entry.visit_id, test) for test in tests))

        self.app.push_screen(TestsDialog(self.session), chosen)

    def action_allergy(self) -> None:
        """Record an allergy."""
        fields = [("substance", words.FIELDS["substance"]), ("reaction", N_("Reaction"))]

        def added(values: dict[str, str] | None) -> None:
            if values is not None:
                self.run_adding(
                    self.session.client.add_allergy(self._patient_id, values["substance"], values["reaction"])
                )

        if self._visit is not None:
            self.app.push_screen(FormDialog(self.session, N_("Allergy"), fields), added)

    def action_addendum(self) -> None:
        """Add a note to this visit's record, locked or not."""
        self._ask_addendum(self._entry.visit_id)

    def _ask_addendum(self, visit_id: str) -> None:
        def written(text: str | None) -> None:
            if text:
                self.run_adding(self.session.client.add_addendum(visit_id, text))

        self.app.push_screen(LineDialog(self.session, N_("Addendum")), written)

    @work(exclusive=True, group="add", exit_on_error=False)
    async def run_adding(self, *calls: Any) -> None:
        """Send additions one after the other, and show the record with them."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                for call in calls:
                    await call
                self.say(_("Added."), "good")
            finally:
                for call in calls:
                    call.close()  # those that were not sent; harmless for those that were
                self.reload()

    # What is taken back

    def action_strike_out(self) -> None:
        """Strike out, or take back, one thing of this record, with a reason."""
        rows, calls = self._strikeable()
        if not rows:
            self.say(_("Nothing here can be struck out."))
            return

        def chosen(key: str | None) -> None:
            def because(reason: str | None) -> None:
                if reason and key:
                    self.run_adding(calls[key](reason))

            if key:
                self.app.push_screen(LineDialog(self.session, N_("Reason"), shortest=3), because)

        self.app.push_screen(PickDialog(self.session, N_("Strike out"), rows), chosen)

    def _strikeable(self) -> tuple[list[tuple[str, str]], dict[str, Callable[[str], Any]]]:
        """(key, text) of what may be taken back, and how by key."""
        visit, client = self._visit, self.session.client
        rows: list[tuple[str, str]] = []
        calls: dict[str, Callable[[str], Any]] = {}
        if visit is None:
            return rows, calls
        for diagnosis in visit.diagnoses:
            rows.append((diagnosis.id, f"{diagnosis.code} {diagnosis.title}"))
            calls[diagnosis.id] = _call(client.void_diagnosis, visit.id, diagnosis.id)
        for procedure in visit.procedures:
            rows.append((procedure.id, f"{procedure.code} {procedure.title}"))
            calls[procedure.id] = _call(client.void_procedure, visit.id, procedure.id)
        for medicine in visit.prescriptions:
            if medicine.status is OrderStatus.ACTIVE:
                rows.append((medicine.id, medicine_text(medicine)))
                calls[medicine.id] = _call(client.revoke_prescription, medicine.id)
        for order in visit.orders:
            if order.status is OrderStatus.ACTIVE:
                rows.append((order.id, f"Lab {order.test}"))
                calls[order.id] = _call(client.revoke_order, order.id)
        return rows, calls

    # Earlier visits

    @work(exclusive=True, group="history", exit_on_error=False)
    async def action_history(self) -> None:
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
        """Show one earlier visit; its reader may add a note, or go on to the next."""

        def done(letter: str | None) -> None:
            if letter == "N":
                self._ask_addendum(visit_id)
            else:
                self.action_history()

        with self.saying_refusals(), hold_keys(self.app):
            visit = await self.session.client.visit(visit_id, self._reason)
            self.app.push_screen(VisitDialog(self.session, visit, self._forms, writes=True), done)


def _call(method: Callable[..., Any], *arguments: str) -> Callable[[str], Any]:
    """A client's call that still lacks its reason."""
    return lambda reason: method(*arguments, reason)
