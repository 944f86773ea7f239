"""One patient's work in the laboratory or the pharmacy: enter results, dispense medicines.

F10 saves what was typed and sends the patient back to where they came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.foundation.codes import EntryStatus, OrderStatus
from core.orders.laboratory_results import interpret, is_possible
from core.schemas.queues import EntryCommand
from core.schemas.record import OrderOut, PrescriptionOut, WorkItem
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.medicine_label import label_document
from tui.printing import NotPrintedError, print_document
from tui.screens.base import Values
from tui.screens.draft_autosave import KeepsDraft
from tui.screens.reasons import WHY_ALL_THE_SAME, DeceasedDialog, LettersDialog, LineDialog, told_of_death
from tui.screens.record.dialogs import TestsDialog
from tui.screens.worklist.worklist import work_kind
from tui.session import Session
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import check_words, problem_words
from tui.text.formatting import age_text, fit, sex_letter
from tui.text.result_words import INTERPRETATIONS, value_text
from tui.text.translation import N_, _
from tui.text.visit_words import who_line
from tui.widgets import Choice, ChoiceField, FieldRow, TextField
from tui.widgets.banner import Banner

BEGINS = frozenset({EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED})


class FulfilScreen(KeepsDraft[str]):
    """Shows one patient at the laboratory or the pharmacy."""

    TITLE_TEXT = N_("Results")
    HELP_TEXT = N_(
        "One line each. Enter leads on. In the laboratory: result, unit, normal range; a letter or digit picks "
        "the answer of a test without a number. In the pharmacy: what is handed out, and a note; an empty "
        "amount is not handed out; F7 prints the labels. F10 saves and sends the patient back, Ctrl+S only saves, Esc keeps what "
        "was typed for later."
    )
    BINDINGS = [
        keymap.HAND_BACK,
        keymap.SAVE_ONLY,
        keymap.ORDER,
        keymap.LABELS,
        keymap.BACK,
    ]
    CSS_PATH = "fulfil.tcss"

    def __init__(self, session: Session, visit_id: str) -> None:
        super().__init__(session)
        self._visit_id = visit_id
        self._kind = work_kind(session)
        self._item: WorkItem | None = None
        self._warned = False
        self._overrides: dict[str, dict[str, Any]] = {}
        """Id of a prescription -> what was answered when it was asked about."""
        self._dispensing: PrescriptionOut | None = None
        """The one that was sent last: a refusal is about it."""
        self._handed_out: set[str] = set()
        """Sent before another one was refused: not sent again."""
        self._critical: list[OrderOut] = []
        """Critical results that nobody has been told of."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow additional tests only in the laboratory, labels only in the pharmacy."""
        kind = {"order": "orders", "print_labels": "prescriptions"}.get(action)
        return kind in {None, self._kind}

    def compose_body(self) -> ComposeResult:
        """Yield the banner; the lines are added when the work is read."""
        yield Banner()
        yield Static("", id="headings", markup=False)
        yield VerticalScroll(id="lines", can_focus=False)

    def on_mount(self) -> None:
        """Read the work."""
        self.load()

    def after_language(self) -> None:
        """Show the work in the new language, typed values included."""
        self.load()

    # Reading

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the work and one's draft, and show a line for each item."""
        with self.saying_refusals(), hold_keys(self.app):
            item = await self.session.client.orders.work_item(self._kind, self._visit_id)
            draft = await self.session.client.drafts.get(self.draft_key)
            self._item = item
            await self._draw(item)
            typed = dict(draft.data.get("values", {})) if draft is not None else {}
            self.fill(_first_values(item) | {str(name): str(value) for name, value in typed.items()})
            self.settle_draft()
            self._focus_first()
            if typed:
                self.say(_("Your unsaved draft is back."), "warning")

    @property
    def draft_key(self) -> str:
        """Return the draft's key: one for each visit."""
        return f"work-{self._visit_id}"

    def draft(self) -> dict[str, Any] | None:
        """Return the typed results and amounts."""
        return {"values": self.field_values()} if self._item is not None else None

    async def _draw(self, item: WorkItem) -> None:
        patient = item.patient
        age = (
            age_text(patient.birth_date, self.session.clinic.today)
            if patient.birth_date
            else str(patient.age)
        )
        first = check_words.allergies_first(item.allergies, asked=item.allergies_asked)
        pregnant = "  " + _("PREGNANT") if item.pregnant else ""
        facts = f"{sex_letter(patient.sex)} {age}{pregnant}  RM {patient.medical_record_number}"
        who = who_line(item.place, patient.name, facts, self.size.width - 1)
        third = "; ".join(item.diagnoses) or _("Complaint: {text}").format(text=item.chief_complaint)
        if item.ordered_by:
            third = _("From {person}").format(person=item.ordered_by) + "   " + third
        self.query_one(Banner).say([first, who, third], {0} if item.allergies else ())
        self.query_one("#headings", Static).update(self._headings())
        lines = self.query_one("#lines")
        await lines.remove_children()
        await lines.mount_all(list(self._rows(item)))

    def _headings(self) -> str:
        if self._kind == "orders":
            columns = [("", 0), (_("Test"), 26), (_("Result"), 17), (_("Unit"), 11), (_("Normal range"), 14)]
        else:
            columns = [("", 0), (_("Medicine"), 42), (_("Handed out"), 15), (_("Note"), 14)]
        return " ".join(fit(text, cells) for text, cells in columns)

    def _rows(self, item: WorkItem) -> Iterator[FieldRow | Static]:
        if not item.orders and not item.prescriptions:
            text = (
                _("Nothing is ordered. F9 adds a test.")
                if self._kind == "orders"
                else _("Nothing is prescribed.")
            )
            yield Static(f" {text}", markup=False)
        for order in item.orders:
            yield self._order_row(order)
        for medicine in item.prescriptions:
            yield from self._medicine_rows(medicine)

    def _order_row(self, order: OrderOut) -> FieldRow:
        result: TextField | ChoiceField
        if order.choices:
            options = [
                Choice(value, value, str(number)) for number, value in enumerate(order.choices, start=1)
            ]
            result = ChoiceField(f"result-{order.id}", options, optional=True)
            result.styles.width = 17
        else:
            result = TextField(f"result-{order.id}", cells=17, longest=60)
        unit = TextField(f"unit-{order.id}", cells=11, longest=20)
        limits = TextField(f"range-{order.id}", cells=14, longest=60)
        sign = INTERPRETATIONS.get(order.interpretation, "")
        label = Static(fit(f" {order.test}", 27), classes="what", markup=False)
        return FieldRow(
            label,
            result,
            Static(" ", classes="gap"),
            unit,
            Static(" ", classes="gap"),
            limits,
            Static(f" {sign}", id=f"sign-{order.id}", classes="sign", markup=False),
        )

    def _medicine_rows(self, item: PrescriptionOut) -> Iterator[FieldRow | Static]:
        how = f"{item.dose} {item.frequency}  {item.instructions}".strip()
        if item.status is OrderStatus.COMPLETED:
            done = _("handed out") + f": {item.dispensed_amount or item.amount}"
            yield Static(f" {item.medicine}  {how}  ({done})", markup=False)
            return
        amount = TextField(f"amount-{item.id}", cells=15, longest=30)
        note = TextField(f"note-{item.id}", longest=200)
        yield FieldRow(
            Static(fit(f" {item.medicine}", 43), classes="medicine", markup=False),
            amount,
            Static(" ", classes="gap"),
            note,
        )
        yield Static(f"     {how}" + (f"   [{item.signa}]" if item.signa else ""), markup=False)
        for line in item.lines:
            yield Static(f"       {line}", markup=False)
        for check in item.checks:
            sign = check_words.answered_sign(check)
            by = " " + _("(answered by the prescriber)") if check.answered else ""
            yield Static(f"  {sign} {check_words.check_line(check)}{by}", classes="check", markup=False)

    def _focus_first(self) -> None:
        for field in self.query("TextField, ChoiceField"):
            if isinstance(field, TextField | ChoiceField) and (not field.value or self._kind != "orders"):
                field.focus()
                return

    # Typing

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show which answers a test has, and the note of the order."""
        name = event.widget.id or ""
        order = self._order(name.split("-", 1)[-1]) if name.startswith("result-") else None
        if order is None:
            return
        parts = [event.widget.hint()] if isinstance(event.widget, ChoiceField) else []
        if order.note:
            parts.append(_("Note: {text}").format(text=order.note))
        self.hint("   ".join(parts))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the result that was left, and save the draft on the server."""
        order = self._order((event.widget.id or "").split("-", 1)[-1])
        if order is not None:
            self._judge(order)
        self.keep_soon()

    def _judge(self, order: OrderOut) -> bool:
        """Show the interpretation of a result; return False, and say why, when it cannot be true."""
        values = self.field_values()
        result = values.get(f"result-{order.id}", "").strip()
        limits = values.get(f"range-{order.id}", "").strip() or order.reference_range
        unit = values.get(f"unit-{order.id}", "")
        found = interpret(order.test, result, limits, unit) if result else None
        self.query_one(f"#sign-{order.id}", Static).update(f" {INTERPRETATIONS.get(found or '', '')}")
        if is_possible(order.test, result, unit):
            if found == "unread":
                self.say(
                    _("{test}: cannot be read. A number, <4, >199, HI or LO; unit beside it.").format(
                        test=order.test
                    ),
                    "warning",
                )
            return True
        self.say(f"{order.test}: {problem_words.word(problem_words.FIELD_PROBLEMS, 'out_of_range')}", "error")
        return False

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def typed(self) -> None:
        """Clear an error that was read."""
        self.settle_status()
        self._warned = False

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Go to the next result on Enter; unit and range are reached by Tab."""
        self._lead_on(event.input.id or "")

    @on(ChoiceField.Submitted)
    def lead_on_from_choice(self, event: ChoiceField.Submitted) -> None:
        """Go to the next result after an answer was picked."""
        self._lead_on(event.field.id or "")

    def _lead_on(self, name: str) -> None:
        kind = name.split("-", 1)[0]
        if kind not in {"result", "amount"}:
            self.focus_next()
            return
        names = [
            field.id or ""
            for field in self.query("TextField, ChoiceField")
            if (field.id or "").startswith(kind)
        ]
        after = names[names.index(name) + 1 :]
        if after:
            self.query_one(f"#{after[0]}").focus()
        else:
            self.hint(_("F10 saves and sends the patient back."))

    def _order(self, order_id: str) -> OrderOut | None:
        orders = self._item.orders if self._item is not None else []
        return next((order for order in orders if order.id == order_id), None)

    # Adding a test

    def action_order(self) -> None:
        """Add tests for a patient who came straight from the counter."""

        def chosen(tests: list[str] | None) -> None:
            if tests:
                self.add_tests(tests)

        self.app.push_screen(TestsDialog(self.session), chosen)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def add_tests(self, tests: list[str], *, deceased_confirmed: bool = False) -> None:
        """Order tests and show their lines; the typed values are saved as a draft meanwhile.

        Args:
            tests: Their names.
            deceased_confirmed: It was asked about, for a patient who is recorded as dead.
        """
        left = list(tests)
        with self.saying_refusals(), hold_keys(self.app):
            await self.keep_now()
            try:
                while left:
                    await self.session.client.orders.order_test(
                        self._visit_id, left[0], deceased_confirmed=deceased_confirmed
                    )
                    left.pop(0)
            except RefusedError as refusal:
                if refusal.code != "patient_deceased":
                    raise
                self._ask_about_death(refusal, left)
                return
        self.load()

    def _ask_about_death(self, refusal: RefusedError, tests: list[str]) -> None:
        """Order the tests that are left for a patient who is recorded as dead only after a yes."""

        def knowingly(answer: str | None) -> None:
            if answer == "yes":
                self.add_tests(tests, deceased_confirmed=True)
            else:
                self.load()

        self.app.push_screen(DeceasedDialog(self.session, refusal.problem), knowingly)

    # Labels

    def action_print_labels(self) -> None:
        """Print a label for each medicine that is handed out, or was today."""
        item = self._item
        if item is None:
            return
        values = self.field_values()
        shown = [
            each
            for each in item.prescriptions
            if each.status is OrderStatus.COMPLETED or values.get(f"amount-{each.id}", "").strip()
        ]
        if shown:
            self.print_labels(item, shown, values)
        else:
            self.say(_("Nothing is handed out here."), "warning")

    @work(exclusive=True, group="print", exit_on_error=False)
    async def print_labels(self, item: WorkItem, medicines: list[PrescriptionOut], values: Values) -> None:
        """Print the labels in the background.

        Args:
            item: The patient's work.
            medicines: What is handed out.
            values: The typed amounts.
        """
        said = ""
        for medicine in medicines:
            amount = values.get(f"amount-{medicine.id}", "").strip() or medicine.dispensed_amount
            labelled = medicine.model_copy(update={"dispensed_amount": amount})
            document = label_document(self.session.clinic, item.patient, labelled)
            try:
                said = await print_document(self.session, terminal_of(self.app), document)
            except NotPrintedError as failure:
                self.say(f"{medicine.medicine}: {failure}", "warning")
                return
        self.say(_("Labels: {number}.").format(number=len(medicines)) + f" {said}", "good")

    # Saving

    def action_save_only(self) -> None:
        """Save the typed values."""
        self.save(hand_back=False)

    def action_hand_back(self) -> None:
        """Save, and send the patient back; ask once more when something is left."""
        left = self._left()
        if left and not self._warned:
            self._warned = True
            self.say(
                _("Left: {things}. F10 again sends the patient back all the same.").format(
                    things=", ".join(left)
                ),
                "warning",
            )
            return
        self.save(hand_back=True)

    def _left(self) -> list[str]:
        values = self.field_values()
        item = self._item
        if item is None:
            return []
        return [order.test for order in item.orders if not values.get(f"result-{order.id}", "").strip()] + [
            each.medicine
            for each in item.prescriptions
            if each.status is OrderStatus.ACTIVE and not values.get(f"amount-{each.id}", "").strip()
        ]

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, *, hand_back: bool) -> None:
        """Send every changed line; then the patient goes back."""
        item = self._item
        if item is None:
            return
        for order in item.orders:
            if not self._judge(order):
                self.query_one(f"#result-{order.id}").focus()
                return
        try:
            with hold_keys(self.app):
                done = await self._send(item)
                await self.session.client.drafts.drop(self.draft_key)
                self.settle_draft()
                if self._critical:
                    self._ask_told(item, hand_back=hand_back)
                    return
                if hand_back:
                    self.dismiss(await self._hand_back(item))
                    return
        except RefusedError as refusal:
            self.say(problem_words.problem_text(refusal.problem), "error")
            if refusal.code in check_words.ASKED:
                self._ask_all_the_same(refusal, hand_back=hand_back)
            return
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
            return
        self.load()
        self.say(_("Saved: {things}").format(things=", ".join(done) or "-"), "good")

    def _ask_told(self, item: WorkItem, *, hand_back: bool) -> None:
        """Ask who was told of the critical results; an empty answer leaves it to the clinician."""
        results = ", ".join(f"{order.test} {value_text(order)}" for order in self._critical)
        title = _("CRITICAL: {results}. Who was told?").format(results=results)

        def answered(told: str | None) -> None:
            self.finish_critical(item, told or "", hand_back=hand_back)

        self.app.push_screen(LineDialog(self.session, title, shortest=0, longest=80), answered)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def finish_critical(self, item: WorkItem, told: str, *, hand_back: bool) -> None:
        """Record who was told, and go on where the question came up.

        Args:
            item: The patient's work.
            told: Name of who was told; empty for nobody yet.
            hand_back: Whether the patient goes back then.
        """
        with self.saying_refusals(), hold_keys(self.app):
            if told:
                for order in self._critical:
                    await self.session.client.orders.acknowledge(order.id, told)
            self._critical = []
            if hand_back:
                self.dismiss(await self._hand_back(item))
                return
        self.load()

    async def _send(self, item: WorkItem) -> list[str]:
        values = {name: value.strip() for name, value in self.field_values().items()}
        done: list[str] = []
        for index, order in enumerate(item.orders):
            fields = {
                "result": values.get(f"result-{order.id}", ""),
                "unit": values.get(f"unit-{order.id}", ""),
                "reference_range": values.get(f"range-{order.id}", ""),
            }
            seen = {"expected_version": order.version}
            before = {
                "result": order.result or "",
                "unit": order.unit,
                "reference_range": order.reference_range,
            }
            if fields["result"] and fields != before:
                resulted = await self.session.client.orders.enter_result(order.id, fields | seen)
                item.orders[index] = resulted  # what is saved again after a refusal knows its version
                done.append(f"{order.test} {value_text(resulted)}")
                if resulted.critical and resulted.acknowledged_at is None:
                    self._critical.append(resulted)
        for medicine in item.prescriptions:
            amount = values.get(f"amount-{medicine.id}", "")
            if medicine.status is OrderStatus.ACTIVE and amount and medicine.id not in self._handed_out:
                given: dict[str, Any] = {"amount": amount, "note": values.get(f"note-{medicine.id}", "")}
                given |= self._overrides.get(medicine.id, {})
                self._dispensing = medicine
                await self.session.client.orders.dispense(medicine.id, given)
                self._handed_out.add(medicine.id)
                done.append(medicine.medicine)
        return done

    def _ask_all_the_same(self, refusal: RefusedError, *, hand_back: bool) -> None:
        """Ask whether the medicine is handed out all the same; against an allergy, why."""
        medicine = self._dispensing
        if medicine is None:
            return

        def overridden(reason: str = "") -> None:
            before = self._overrides.get(medicine.id, {})
            self._overrides[medicine.id] = check_words.override(before, refusal.code, reason)
            self.save(hand_back=hand_back)

        def because(reason: str | None) -> None:
            if reason:
                overridden(reason)

        def knowingly(answer: str | None) -> None:
            if answer != "yes":
                return
            if refusal.code == "allergy":
                self.app.push_screen(LineDialog(self.session, WHY_ALL_THE_SAME, shortest=3), because)
            else:
                overridden()

        options = [("P", "yes", _("Hand it out all the same")), ("N", "no", _("Do not hand it out"))]
        notes = [
            medicine.medicine,
            *told_of_death(refusal.problem),
            *check_words.check_lines(refusal.problem.details.get("checks", [])),
        ]
        title = N_("Hand it out all the same?")
        self.app.push_screen(LettersDialog(self.session, title, options, notes=notes), knowingly)

    async def _hand_back(self, item: WorkItem) -> str:
        """End the service here; return a sentence about where the patient goes."""
        entry, client = item.entry, self.session.client
        if entry is None:
            return _("Saved: {person}").format(person=item.patient.name)
        if entry.status in BEGINS:
            # The service begins only to end here: a patient who has died meanwhile is no question.
            entry = await client.queues.act(entry.id, "start", EntryCommand(deceased_confirmed=True))
        elif entry.status is EntryStatus.ON_HOLD:
            entry = await client.queues.act(entry.id, "resume", EntryCommand())
        if entry.returns_to:
            back = await client.queues.act(entry.id, "return", EntryCommand())
            text = _("Back to {cluster}: {number} {person}")
            return text.format(cluster=back.cluster, number=back.number, person=item.patient.name)
        await client.queues.act(entry.id, "finish", EntryCommand())
        return _("Done: {number} {person}").format(number=entry.number, person=item.patient.name)

    def action_back(self) -> None:
        """Leave; the typed values stay as a draft."""
        self.keep_and_leave()


def _first_values(item: WorkItem) -> Values:
    """Return the values of the fields before anything is typed."""
    values: Values = {}
    for order in item.orders:
        values[f"result-{order.id}"] = order.result or ""
        values[f"unit-{order.id}"] = order.unit
        values[f"range-{order.id}"] = order.reference_range
    for medicine in item.prescriptions:
        values[f"amount-{medicine.id}"] = medicine.amount or "1"
    return values
