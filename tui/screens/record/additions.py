"""Additions to a record beside the note, each asked for in a dialog and sent at once."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from textual import work
from textual.worker import WorkerError

from core.foundation.codes import CaseKind, OrderStatus
from core.records.forms import FormDefinition
from core.schemas.queues import EntryOut
from core.schemas.record import (
    NO_REASON,
    AllergyOut,
    PrescriptionOut,
    StatedReason,
    VisitOut,
    VisitSummary,
)
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.base import LoketScreen
from tui.screens.reasons import WHY_ALL_THE_SAME, DeceasedDialog, LettersDialog, LineDialog, told_of_death
from tui.screens.record.allergy_dialogs import AllergyQuestions
from tui.screens.record.compound_dialog import CompoundDialog
from tui.screens.record.copy_dialog import give_copy
from tui.screens.record.dialogs import (
    ADDING,
    CriticalDialog,
    DiagnosisDialog,
    ProcedureDialog,
    TestsDialog,
    TextDialog,
)
from tui.screens.record.earlier_visits import READ_CELLS, VisitDialog, VisitsDialog
from tui.screens.record.medicine_dialog import PRESCRIBED_FIELDS, MedicineDialog
from tui.screens.record.release import ask_release
from tui.screens.record.search_dialog import PickDialog
from tui.screens.record.vaccine_dialog import VaccineDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import check_words, problem_words
from tui.text.formatting import wrapped
from tui.text.result_words import value_text
from tui.text.translation import N_, _
from tui.text.visit_words import medicine_text, medicines_of, vaccine_text

NOTHING_ANSWERED: Mapping[str, bool] = {}
"""Answers before anything was asked."""
SIGN_CELLS = 4
"""Cells of a status line that its sign and its blanks take."""


class Additions(LoketScreen[str]):
    """The part of the record's screen that asks for one entry and sends it at once."""

    def __init__(self, session: Session, entry: EntryOut, reason: StatedReason = NO_REASON) -> None:
        super().__init__(session)
        self._entry = entry
        self._reason = reason
        self._visit: VisitOut | None = None
        self._forms: dict[str, FormDefinition] = {}
        self._put_off = False
        """True if the question about allergies was put off, or answered, while this record is open."""
        self._is_unknown = False
        """True if breast-feeding could not be asked about."""

    def show_record(self, visit: VisitOut) -> None:
        """Show the record's content."""
        raise NotImplementedError

    @work(exclusive=True, group="load", exit_on_error=False)
    async def reload(self) -> None:
        """Read the additions again; the form stays as typed."""
        with self.saying_refusals():
            await self._read_again()

    async def _read_again(self) -> None:
        """Read and show the visit; an action waits for it, so that the next key meets what was added."""
        self._visit = await self.session.client.visits.get(self._entry.visit_id, self._reason)
        self.show_record(self._visit)
        self.ask_critical()

    def ask_critical(self) -> None:
        """Show critical results, and allergies against what was prescribed, until they were read with Enter."""
        visit = self._visit
        if visit is None or self.app.screen is not self:
            return
        results = [
            item
            for item in visit.orders
            if (item.critical and not item.acknowledged_at) or item.changed_unread
        ]
        clashes = [item for item in medicines_of(visit) if item.clash and not item.clash_known_at]

        def answered(read: bool | None) -> None:
            orders = self.session.client.orders
            if read:
                told = [orders.acknowledge(item.id, "", self._reason) for item in results]
                known = [orders.know_of_clash(item.id, self._reason) for item in clashes]
                self.run_adding(*told, *known, said=_("Noted that you have read it."))

        if results or clashes:
            self.app.push_screen(CriticalDialog(self.session, results, clashes), answered)

    async def until_added(self) -> None:
        """Wait for the additions that are on their way: what the record lacks is judged with them."""
        adding = [worker for worker in self.workers if worker.group == ADDING and worker.node is self]
        for worker in adding:
            with contextlib.suppress(WorkerError):  # said where it was added
                await worker.wait()

    async def _history(self) -> list[VisitSummary]:
        visits: list[VisitSummary] = []
        with self.saying_refusals():
            visits = await self.session.client.patients.history(self._patient_id, self._reason)
        return visits

    @property
    def _patient_id(self) -> str:
        return self._visit.patient.id if self._visit is not None else ""

    # What is added to the record

    def action_diagnosis(self) -> None:
        """Add a diagnosis."""
        if self._visit is not None:
            self.app.push_screen(DiagnosisDialog(self.session, self._visit), self._add_diagnosis)

    def _add_diagnosis(self, chosen: tuple[str, str | None] | None) -> None:
        if chosen is not None:
            self.diagnose(*chosen)

    @work(group=ADDING, exit_on_error=False)
    async def diagnose(
        self, code: str, case_kind: str | None, answered: Mapping[str, bool] = NOTHING_ANSWERED
    ) -> None:
        """Add a diagnosis and say as which case; one that cannot be this patient's only after a yes.

        Args:
            code: ICD-10 code.
            case_kind: `CaseKind` code; None: as the patient is known.
            answered: `confirm` and `deceased_confirmed`, as far as they were asked about.
        """
        try:
            with hold_keys(self.app):
                added = await self.session.client.orders.add_diagnosis(
                    self._entry.visit_id, code, case_kind, **answered
                )
                await self._read_again()
                case = _("OLD case (control)") if added.case_kind is CaseKind.OLD else _("NEW case")
                self.say(f"{added.code} {added.title}: {case}", "good")
        except RefusedError as refusal:
            self.say(problem_words.problem_text(refusal.problem), "error")
            if refusal.code in {"diagnosis_sex", "diagnosis_age"}:
                again = {**answered, "confirm": True}
                why = problem_words.problem_text(refusal.problem)
                self._ask_unfit(lambda: self.diagnose(code, case_kind, again), why)
            elif refusal.code == "patient_deceased":
                known = {**answered, "deceased_confirmed": True}
                self._ask_about_death(refusal, lambda: self.diagnose(code, case_kind, known))
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")

    def _ask_about_death(self, refusal: RefusedError, go_on: Callable[[], Any]) -> None:
        """Ask whether it is meant for a patient who is recorded as dead."""

        def knowingly(answer: str | None) -> None:
            if answer == "yes":
                go_on()

        self.app.push_screen(DeceasedDialog(self.session, refusal.problem), knowingly)

    def _ask_unfit(self, go_on: Callable[[], Any], why: str) -> None:
        def knowingly(answer: str | None) -> None:
            if answer == "yes":
                go_on()

        options = [("Y", "yes", _("Record it all the same")), ("N", "no", _("Do not record it"))]
        title = N_("Is this the right diagnosis?")
        self.app.push_screen(LettersDialog(self.session, title, options, notes=[why]), knowingly)

    def action_procedure(self) -> None:
        """Add a procedure."""

        def chosen(procedure: tuple[str, str] | None) -> None:
            if procedure is not None:
                add = self.session.client.orders.add_procedure
                self.add_each([partial(add, self._entry.visit_id, *procedure)])

        self.app.push_screen(ProcedureDialog(self.session), chosen)

    def action_immunisation(self) -> None:
        """Record a vaccine that was given."""
        if self._visit is None:
            return
        allergies = self._visit.patient.allergies

        def chosen(values: dict[str, Any] | None) -> None:
            if values is not None:
                self._ask_allergies_first(lambda: self.immunise(values), lambda: None)

        self.app.push_screen(VaccineDialog(self.session, allergies), chosen)

    @work(group=ADDING, exit_on_error=False)
    async def immunise(self, values: dict[str, Any]) -> None:
        """Record a vaccine; what is asked about it goes through only after a deliberate yes."""
        try:
            with hold_keys(self.app):
                await self.session.client.orders.add_immunisation(self._entry.visit_id, values)
                await self._read_again()
                self.say(_("Added."), "good")
        except RefusedError as refusal:
            self.say(problem_words.problem_text(refusal.problem), "error")
            if refusal.code in check_words.ASKED_OF_VACCINES:
                self._ask_whether_given(values, refusal)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")

    def _ask_whether_given(self, values: dict[str, Any], refusal: RefusedError) -> None:
        """Ask whether the vaccine was given all the same; against an allergy, or when it had expired, why.

        Args:
            values: The vaccine.
            refusal: The core's question.
        """

        def because(reason: str | None) -> None:
            if reason:
                self.immunise(check_words.override(values, refusal.code, reason))

        def knowingly(answer: str | None) -> None:
            if answer == "yes" and refusal.code in check_words.NEED_REASON:
                self.app.push_screen(LineDialog(self.session, WHY_ALL_THE_SAME, shortest=3), because)
            elif answer == "yes":
                self.immunise(check_words.override(values, refusal.code))

        options = [("Y", "yes", _("It was given: record it")), ("N", "no", _("Do not record it"))]
        notes = [values["vaccine"], problem_words.problem_text(refusal.problem)]
        title = N_("Was this vaccine given all the same?")
        self.app.push_screen(LettersDialog(self.session, title, options, notes=notes), knowingly)

    def action_prescribe(self) -> None:
        """Prescribe a medicine."""
        self._ask_medicine({}, self._entry.visit_id)

    def _ask_medicine(self, typed: Mapping[str, Any], visit_id: str, instead_of: str = "") -> None:
        """Ask for a medicine.

        Args:
            typed: Values that are filled in first.
            visit_id: The visit.
            instead_of: Id of the prescription that is changed; empty for a new one.
        """
        if self._visit is None:
            return

        def chosen(values: dict[str, Any] | None) -> None:
            if values is not None:
                self._ask_what_is_not_known(
                    values,
                    lambda: self.prescribe(values, instead_of),
                    lambda: self._ask_medicine(values, visit_id, instead_of),
                )

        allergies = self._visit.patient.allergies
        if "ingredients" in typed:
            self.app.push_screen(CompoundDialog(self.session, allergies, typed), chosen)
        else:
            self.app.push_screen(MedicineDialog(self.session, allergies, visit_id, typed), chosen)

    def action_compound(self) -> None:
        """Prescribe a compounded medicine."""
        self._ask_medicine({"ingredients": []}, self._entry.visit_id)

    def _ask_what_is_not_known(
        self, values: Mapping[str, Any], go_on: Callable[[], Any], go_back: Callable[[], None]
    ) -> None:
        """Ask about allergies, and about breast-feeding where the medicine depends on it, before it is sent.

        Args:
            values: The prescription.
            go_on: Sends it.
            go_back: Shows it again.
        """
        visit = self._visit
        if visit is None:
            return
        asks = check_words.asks_breastfeeding(visit, values) and not self._is_unknown
        then = (lambda: self._ask_breastfeeding(go_on, go_back)) if asks else go_on
        self._ask_allergies_first(then, go_back)

    def action_breastfeeding(self) -> None:
        """Record whether the patient breast-feeds."""
        if self._visit is not None:
            self._ask_breastfeeding(lambda: None, lambda: None)

    def _ask_breastfeeding(self, go_on: Callable[[], Any], go_back: Callable[[], None]) -> None:
        def answered(answer: str | None) -> None:
            if answer in {"yes", "no"}:
                self.state_breastfeeding(answer == "yes", go_on)
            elif answer is None:
                go_back()
            else:
                self._is_unknown = True
                go_on()

        options = [
            ("Y", "yes", _("Yes, she breast-feeds")),
            ("T", "no", _("No")),
            ("N", "unknown", _("Cannot be asked now (unconscious, alone)")),
        ]
        self.app.push_screen(LettersDialog(self.session, N_("Does she breast-feed?"), options), answered)

    @work(group=ADDING, exit_on_error=False)
    async def state_breastfeeding(self, breastfeeding: bool, go_on: Callable[[], Any]) -> None:
        """Record the answer, and go on."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.visits.state_breastfeeding(self._entry.visit_id, breastfeeding)
            await self._read_again()
            go_on()

    def _ask_allergies_first(self, go_on: Callable[[], Any], go_back: Callable[[], None]) -> None:
        """Ask about allergies before the first medicine, once while the record is open."""
        patient = self._visit.patient if self._visit is not None else None
        if patient is None or patient.allergies_asked or self._put_off:
            go_on()
            return

        def put_off() -> None:
            self._put_off = True
            go_on()

        self._allergy_questions().ask_whether_any(put_off, go_back)

    def action_change_medicine(self) -> None:
        """Change a prescription that was not handed out yet: the earlier one stays in the record, revoked."""
        waiting = (
            [item for item in medicines_of(self._visit) if item.status is OrderStatus.ACTIVE]
            if self._visit is not None
            else []
        )
        if not waiting:
            self.say(_("There is no medicine that can still be changed."), "warning")
            return

        def chosen(key: str | None) -> None:
            item = next((each for each in waiting if each.id == key), None)
            if item is not None:
                self._ask_medicine(_typed_values(item), self._entry.visit_id, item.id)

        rows = [(item.id, medicine_text(item)) for item in waiting]
        self.app.push_screen(PickDialog(self.session, N_("Which medicine is changed?"), rows), chosen)

    @work(group=ADDING, exit_on_error=False)
    async def prescribe(self, values: dict[str, Any], instead_of: str = "") -> None:
        """Prescribe; what is asked about it goes through only after a deliberate yes.

        Args:
            values: The prescription, and the answers to what was asked.
            instead_of: Id of the prescription that is changed; empty for a new one.
        """
        orders = self.session.client.orders
        try:
            with hold_keys(self.app):
                if instead_of:
                    added = await orders.change_prescription(instead_of, values)
                else:
                    added = await orders.prescribe(self._entry.visit_id, values)
                await self._read_again()
                said = [
                    check_words.check_line(each)
                    for each in added.checks
                    if each.code not in check_words.ASKED
                ]
                self._say_added(said)
        except RefusedError as refusal:
            self.say(problem_words.problem_text(refusal.problem), "error")
            if refusal.code in check_words.ASKED:
                self._ask_all_the_same(values, refusal, instead_of)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")

    def _say_added(self, said: Sequence[str]) -> None:
        """Say that it was added and what could not be looked at, in a dialog where one line does not hold it."""
        text = "; ".join([_("Added."), *said])
        self.say(text, "warning" if said else "good")
        if said and len(text) >= self.size.width - SIGN_CELLS:
            lines = [part for line in said for part in wrapped(f"? {line}", READ_CELLS)]
            self.app.push_screen(TextDialog(self.session, N_("Added, but this was not looked at:"), lines))

    def _ask_all_the_same(self, values: dict[str, Any], refusal: RefusedError, instead_of: str) -> None:
        """Ask whether it is prescribed all the same; against an allergy, why.

        Args:
            values: The prescription.
            refusal: The core's question.
            instead_of: Id of the prescription that is changed; empty for a new one.
        """

        def because(reason: str | None) -> None:
            if reason:
                self.prescribe(check_words.override(values, refusal.code, reason), instead_of)

        def knowingly(answer: str | None) -> None:
            if answer != "yes":
                return
            if refusal.code == "allergy":
                self.app.push_screen(LineDialog(self.session, WHY_ALL_THE_SAME, shortest=3), because)
            else:
                self.prescribe(check_words.override(values, refusal.code), instead_of)

        options = [("P", "yes", _("Prescribe all the same")), ("N", "no", _("Do not prescribe"))]
        title = (
            N_("ALLERGY: prescribe all the same?")
            if refusal.code == "allergy"
            else N_("Prescribe all the same?")
        )
        named = values.get("medicine") or ", ".join(each["medicine"] for each in values["ingredients"])
        notes = [
            named,
            *told_of_death(refusal.problem),
            *check_words.check_lines(refusal.problem.details.get("checks", [])),
        ]
        self.app.push_screen(LettersDialog(self.session, title, options, notes=notes), knowingly)

    def action_order(self) -> None:
        """Order laboratory tests."""

        def chosen(tests: list[str] | None) -> None:
            if tests:
                order = self.session.client.orders.order_test
                self.add_each([partial(order, self._entry.visit_id, test) for test in tests])

        self.app.push_screen(TestsDialog(self.session), chosen)

    def action_allergy(self) -> None:
        """Show the allergies: record one more, state that there are none, strike one out."""
        if self._visit is not None:
            self._allergy_questions().start()

    def _allergy_questions(self) -> AllergyQuestions:
        return AllergyQuestions(self, self._patient_id, self._reason, self._read_again)

    def action_copy(self) -> None:
        """Show the patient's own copy of the record, to print or to write as a file."""
        if self._visit is not None:
            give_copy(self, self._patient_id, self._reason)

    def action_ask_release(self) -> None:
        """Ask the head of the clinic for leave to correct this record after its time."""
        ask_release(self, self._entry.visit_id, self._entry.cluster)

    def action_addendum(self) -> None:
        """Add a note to this visit's record, locked or not."""
        self._ask_addendum(self._entry.visit_id)

    def _ask_addendum(self, visit_id: str) -> None:
        def written(text: str | None) -> None:
            if text:
                self.run_adding(self.session.client.visits.add_addendum(visit_id, text, self._reason))

        self.app.push_screen(LineDialog(self.session, N_("Addendum")), written)

    @work(group=ADDING, exit_on_error=False)
    async def add_each(
        self, sends: Sequence[Callable[..., Awaitable[Any]]], *, deceased_confirmed: bool = False
    ) -> None:
        """Send additions one after the other; for a patient who is recorded as dead only after a yes.

        Args:
            sends: Calls that still lack `deceased_confirmed`.
            deceased_confirmed: It was asked about.
        """
        left = list(sends)
        with self.saying_refusals(), hold_keys(self.app):
            try:
                while left:
                    await left[0](deceased_confirmed=deceased_confirmed)
                    left.pop(0)
                self.say(_("Added."), "good")
            except RefusedError as refusal:
                if refusal.code != "patient_deceased":
                    raise
                self._ask_about_death(refusal, lambda: self.add_each(left, deceased_confirmed=True))
            finally:
                await self._read_again()

    @work(group=ADDING, exit_on_error=False)
    async def run_adding(self, *calls: Any, said: str = "") -> None:
        """Send additions one after the other, and show the record with them; `said` is translated."""
        with self.saying_refusals(), hold_keys(self.app):
            try:
                for call in calls:
                    await call
                self.say(said or _("Added."), "good")
            finally:
                for call in calls:
                    call.close()  # those that were not sent; harmless for those that were
                await self._read_again()

    # What is taken back

    @work(exclusive=True, group="history", exit_on_error=False)
    async def action_strike_out(self) -> None:
        """Strike out or revoke one entry of this record, with a reason; an allergy entered in error too."""
        with self.saying_refusals(), hold_keys(self.app):
            allergies = await self.session.client.patients.allergies(self._patient_id, self._reason)
            self._ask_what_to_strike(allergies.allergies)

    def _ask_what_to_strike(self, allergies: Sequence[AllergyOut]) -> None:
        rows, calls = self._strikeable()
        for allergy in allergies:
            rows.append((allergy.id, _("Allergy") + f" {allergy.substance}"))
            calls[allergy.id] = _call(self.session.client.patients.void_allergy, allergy.id)
        if not rows:
            self.say(_("Nothing here can be struck out."))
            return

        words = dict(rows)

        def chosen(key: str | None) -> None:
            def because(reason: str | None) -> None:
                if reason and key:
                    said = _("Struck out: {names}").format(names=words[key])
                    self.run_adding(calls[key](reason), said=said)

            if key:
                dialog = LineDialog(self.session, N_("Struck out: why?"), note=words[key], shortest=3)
                self.app.push_screen(dialog, because)

        self.app.push_screen(PickDialog(self.session, N_("Strike out"), rows), chosen)

    def _strikeable(self) -> tuple[list[tuple[str, str]], dict[str, Callable[[str], Any]]]:
        """Return (key, text) of each entry that may be struck out, and the call for each key."""
        visit, client = self._visit, self.session.client
        rows: list[tuple[str, str]] = []
        calls: dict[str, Callable[[str], Any]] = {}
        if visit is None:
            return rows, calls
        for diagnosis in visit.diagnoses:
            rows.append((diagnosis.id, f"{diagnosis.code} {diagnosis.title}"))
            calls[diagnosis.id] = _call(client.orders.void_diagnosis, visit.id, diagnosis.id)
        for procedure in visit.procedures:
            rows.append((procedure.id, f"{procedure.code} {procedure.title}"))
            calls[procedure.id] = _call(client.orders.void_procedure, visit.id, procedure.id)
        for vaccine in visit.immunisations:
            rows.append((vaccine.id, vaccine_text(vaccine)))
            calls[vaccine.id] = _call(client.orders.void_immunisation, visit.id, vaccine.id)
        for medicine in visit.prescriptions:
            if medicine.status is OrderStatus.ACTIVE:
                rows.append((medicine.id, medicine_text(medicine)))
                calls[medicine.id] = _call(client.orders.revoke_prescription, medicine.id)
        for order in visit.orders:
            if order.status is OrderStatus.ACTIVE:
                rows.append((order.id, f"Lab {order.test}"))
                calls[order.id] = _call(client.orders.revoke_test, order.id)
            elif order.result is not None:
                rows.append((order.id, f"Lab {order.test}: {value_text(order)}"))
                calls[order.id] = _call(client.orders.void_result, order.id)
        return rows, calls

    # Earlier visits

    @work(exclusive=True, group="history", exit_on_error=False)
    async def action_history(self) -> None:
        """List the visits; the chosen one is shown."""
        with self.saying_refusals(), hold_keys(self.app):
            visits = await self._history()
            if visits:
                self.app.push_screen(VisitsDialog(self.session, visits), self._read)

    def _read(self, visit_id: str | None) -> None:
        if visit_id is not None:
            self.read_visit(visit_id)

    @work(exclusive=True, group="history", exit_on_error=False)
    async def read_visit(self, visit_id: str) -> None:
        """Show one earlier visit; the reader may add a note, or go on to the next."""

        def done(letter: str | None) -> None:
            if letter == "N":
                self._ask_addendum(visit_id)
            elif letter == "L":
                ask_release(self, visit_id)
            elif letter == "C":
                self.correct_visit(visit, self._reason)
            elif letter == "K":
                give_copy(self, visit.patient.id, self._reason)
            else:
                self.action_history()

        with self.saying_refusals(), hold_keys(self.app):
            visit = await self.session.client.visits.get(visit_id, self._reason)
            self.app.push_screen(VisitDialog(self.session, visit, self._forms, writes=True), done)

    def correct_visit(self, visit: VisitOut, reason: StatedReason) -> None:
        """Open an earlier visit for correction."""
        raise NotImplementedError


def _typed_values(item: PrescriptionOut) -> dict[str, Any]:
    """Return a prescription as its dialog takes it: a compounded one by its ingredients."""
    if not item.ingredients:
        return {name: getattr(item, name) for name in ("medicine", *PRESCRIBED_FIELDS)}
    parts = [{"medicine": part.medicine, "amount": part.amount} for part in item.ingredients]
    values = {name: getattr(item, name) for name in ("papers", "signa")}
    return {**values, "ingredients": parts, "make": item.make or "pulv", "per_paper": item.per_paper}


def _call(method: Callable[..., Any], *arguments: str) -> Callable[[str], Any]:
    """Return a client's call that still lacks its reason."""
    return lambda reason: method(*arguments, reason)
