"""What one patient has in the laboratory or the pharmacy: results are entered, medicines handed out.

F10 saves what was typed and sends the patient back to where they came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.lab_tests import interpret, is_possible
from core.schemas.queues import EntryCommand
from core.schemas.record import OrderShape, PrescriptionShape, WorkItem
from core.vocabulary import EntryStatus, OrderStatus
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, fit, sex_letter
from tui.screens.base import Values
from tui.screens.keeping import KeepsDraft
from tui.screens.record.dialogs import TestsDialog
from tui.screens.record.reading import INTERPRETATIONS, result_text, who_line
from tui.screens.worklist.worklist import work_kind
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import Choice, ChoiceField, Row, TextField

BEGINS = frozenset({EntryStatus.WAITING, EntryStatus.SKIPPED, EntryStatus.CALLED})


class FulfilScreen(KeepsDraft[str]):
    """One patient at the laboratory or the pharmacy."""

    TITLE_TEXT = N_("Results")
    HELP_TEXT = N_(
        "One line each. Enter leads on. In the laboratory: result, unit, normal range; a letter or digit picks "
        "the answer of a test without a number. In the pharmacy: what is handed out, and a note; an empty "
        "amount is not handed out. F10 saves and sends the patient back, Ctrl+S only saves, Esc keeps what "
        "was typed for later."
    )
    BINDINGS = [
        keymap.HAND_BACK,
        keymap.SAVE_ONLY,
        keymap.ORDER,
        keymap.BACK,
    ]
    CSS_PATH = "fulfil.tcss"

    def __init__(self, session: Session, visit_id: str) -> None:
        super().__init__(session)
        self._visit_id = visit_id
        self._kind = work_kind(session)
        self._item: WorkItem | None = None
        self._warned = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the laboratory adds tests."""
        return self._kind == "orders" if action == "order" else True

    def compose_body(self) -> ComposeResult:
        """Banner, then a line for each thing; they come when the work is read."""
        yield Static("", id="banner", markup=False)
        yield Static("", id="headings", markup=False)
        yield VerticalScroll(id="lines", can_focus=False)

    def on_mount(self) -> None:
        """Read it."""
        self.load()

    def after_language(self) -> None:
        """Draw it again, what was typed included."""
        self.load()

    # Reading

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the work and one's draft, and draw a line each."""
        with self.saying_refusals(), hold_keys(self.app):
            item = await self.session.client.work_of(self._kind, self._visit_id)
            draft = await self.session.client.draft(self.draft_key)
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
        """One for each visit."""
        return f"work-{self._visit_id}"

    def draft(self) -> dict[str, Any] | None:
        """The results and amounts as they were typed."""
        return {"values": self.field_values()} if self._item is not None else None

    async def _draw(self, item: WorkItem) -> None:
        patient = item.patient
        age = (
            age_text(patient.birth_date, self.session.clinic.today)
            if patient.birth_date
            else str(patient.age)
        )
        allergies = ", ".join(item.allergies)
        first = (
            "!! " + _("ALLERGIES: {names}").format(names=allergies) if allergies else _("No known allergies")
        )
        pregnant = "  " + _("PREGNANT") if item.pregnant else ""
        facts = f"{sex_letter(patient.sex)} {age}{pregnant}  RM {patient.medical_record_number}"
        who = who_line(item.place, patient.name, facts, self.size.width - 1)
        third = "; ".join(item.diagnoses) or _("Complaint: {text}").format(text=item.chief_complaint)
        if item.ordered_by:
            third = _("From {person}").format(person=item.ordered_by) + "   " + third
        self.query_one("#banner", Static).update(f" {first}\n {who}\n {third}")
        self.query_one("#banner").set_class(bool(allergies), "-alert")
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

    def _rows(self, item: WorkItem) -> Iterator[Row | Static]:
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

    def _order_row(self, order: OrderShape) -> Row:
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
        return Row(
            label,
            result,
            Static(" ", classes="gap"),
            unit,
            Static(" ", classes="gap"),
            limits,
            Static(f" {sign}", id=f"sign-{order.id}", classes="sign", markup=False),
        )

    def _medicine_rows(self, item: PrescriptionShape) -> Iterator[Row | Static]:
        how = f"{item.dose} {item.frequency}  {item.instructions}".strip()
        if item.status is OrderStatus.COMPLETED:
            done = _("handed out") + f": {item.dispensed_amount or item.amount}"
            yield Static(f" {item.medicine}  {how}  ({done})", markup=False)
            return
        amount = TextField(f"amount-{item.id}", cells=15, longest=30)
        note = TextField(f"note-{item.id}", longest=200)
        yield Row(
            Static(fit(f" {item.medicine}", 43), classes="medicine", markup=False),
            amount,
            Static(" ", classes="gap"),
            note,
        )
        yield Static(f"     {how}", markup=False)

    def _focus_first(self) -> None:
        for field in self.query("TextField, ChoiceField"):
            if isinstance(field, TextField | ChoiceField) and (not field.value or self._kind != "orders"):
                field.focus()
                return

    # Typing

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say which answers a test has, and what was noted with the order."""
        name = event.widget.id or ""
        order = self._order(name.split("-", 1)[-1]) if name.startswith("result-") else None
        if order is None:
            return
        parts = [event.widget.hint()] if isinstance(event.widget, ChoiceField) else []
        if order.note:
            parts.append(_("Note: {text}").format(text=order.note))
        self.hint("   ".join(parts))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the result that was left, and keep what was typed on the server."""
        order = self._order((event.widget.id or "").split("-", 1)[-1])
        if order is not None:
            self._judge(order)
        self.keep_soon()

    def _judge(self, order: OrderShape) -> bool:
        """Show how a result reads; says so, and gives False, when it cannot be true."""
        values = self.field_values()
        result = values.get(f"result-{order.id}", "").strip()
        limits = values.get(f"range-{order.id}", "").strip() or order.reference_range
        sign = INTERPRETATIONS.get(interpret(order.test, result, limits) or "", "")
        self.query_one(f"#sign-{order.id}", Static).update(f" {sign}")
        if is_possible(order.test, result, values.get(f"unit-{order.id}", "")):
            return True
        self.say(f"{order.test}: {words.word(words.FIELD_PROBLEMS, 'out_of_range')}", "error")
        return False

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def typed(self) -> None:
        """What was wrong has been read."""
        self.settle_status()
        self._warned = False

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Enter leads to the next result; unit and range are reached by Tab."""
        self._lead_on(event.input.id or "")

    @on(ChoiceField.Submitted)
    def lead_on_from_choice(self, event: ChoiceField.Submitted) -> None:
        """The same from an answer that was picked."""
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

    def _order(self, order_id: str) -> OrderShape | None:
        orders = self._item.orders if self._item is not None else []
        return next((order for order in orders if order.id == order_id), None)

    # Adding a test

    def action_order(self) -> None:
        """Add tests for whoever came straight from the counter."""

        def chosen(tests: list[str] | None) -> None:
            if tests:
                self.add_tests(tests)

        self.app.push_screen(TestsDialog(self.session), chosen)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def add_tests(self, tests: list[str]) -> None:
        """Order them and draw their lines; what was typed is kept as a draft meanwhile."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.keep_now()
            for test in tests:
                await self.session.client.order(self._visit_id, test)
        self.load()

    # Saving

    def action_save_only(self) -> None:
        """Save what was typed."""
        self.save(hand_back=False)

    def action_hand_back(self) -> None:
        """Save, and send the patient back; asked once more when something is left."""
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
        """Send every line that says something new; then the patient goes back."""
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
                await self.session.client.drop_draft(self.draft_key)
                self.settle_draft()
                if hand_back:
                    self.dismiss(await self._hand_back(item))
                    return
        except Refused as refusal:
            self.say(words.problem_text(refusal.problem), "error")
            return
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")
            return
        self.load()
        self.say(_("Saved: {things}").format(things=", ".join(done) or "-"), "good")

    async def _send(self, item: WorkItem) -> list[str]:
        values = {name: value.strip() for name, value in self.field_values().items()}
        done: list[str] = []
        for order in item.orders:
            fields = {
                "result": values.get(f"result-{order.id}", ""),
                "unit": values.get(f"unit-{order.id}", ""),
                "reference_range": values.get(f"range-{order.id}", ""),
            }
            before = {
                "result": order.result or "",
                "unit": order.unit,
                "reference_range": order.reference_range,
            }
            if fields["result"] and fields != before:
                resulted = await self.session.client.enter_result(order.id, fields)
                done.append(f"{order.test} {result_text(resulted)}")
        for medicine in item.prescriptions:
            amount = values.get(f"amount-{medicine.id}", "")
            if medicine.status is OrderStatus.ACTIVE and amount:
                given: dict[str, Any] = {"amount": amount, "note": values.get(f"note-{medicine.id}", "")}
                await self.session.client.dispense(medicine.id, given)
                done.append(medicine.medicine)
        return done

    async def _hand_back(self, item: WorkItem) -> str:
        """End the service here; says where the patient goes."""
        entry, client = item.entry, self.session.client
        if entry is None:
            return _("Saved: {person}").format(person=item.patient.name)
        if entry.status in BEGINS:
            entry = await client.act(entry.id, "start", EntryCommand())
        elif entry.status is EntryStatus.ON_HOLD:
            entry = await client.act(entry.id, "resume", EntryCommand())
        if entry.returns_to:
            back = await client.act(entry.id, "return", EntryCommand())
            text = _("Back to {cluster}: {number} {person}")
            return text.format(cluster=back.cluster, number=back.number, person=item.patient.name)
        await client.act(entry.id, "finish", EntryCommand())
        return _("Done: {number} {person}").format(number=entry.number, person=item.patient.name)

    def action_back(self) -> None:
        """Leave; what was typed stays as a draft."""
        self.keep_and_leave()


def _first_values(item: WorkItem) -> Values:
    """What stands in the fields before anything is typed."""
    values: Values = {}
    for order in item.orders:
        values[f"result-{order.id}"] = order.result or ""
        values[f"unit-{order.id}"] = order.unit
        values[f"range-{order.id}"] = order.reference_range
    for medicine in item.prescriptions:
        values[f"amount-{medicine.id}"] = medicine.amount or "1"
    return values
