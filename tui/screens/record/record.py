"""The record of one visit: banner, SOAP form, diagnoses, medicines, tests, outcome.

What is typed is kept on the server at each field that is left, so that a broken line loses
nothing. Laboratory and pharmacy read the same screen and enter results or hand medicines out.
"""

from __future__ import annotations

from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.schemas import EncounterShape, EntryCommand, EntryShape, VisitShape, VisitSummary
from core.vitals import VITALS
from core.vocabulary import Disposition, OrderStatus, Role
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, fit, number_text, parse_number, sex_letter
from tui.messages import RecordChanged
from tui.screens.base import Values
from tui.screens.reasons import LineDialog
from tui.screens.record.additions import Additions
from tui.screens.record.dialogs import visit_line
from tui.session import Session
from tui.terminal.inputs import ThinTextArea
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import ChoiceField, Label, Row, TextField, choices, labelled

SOAP = (("subjective", "S"), ("objective", "O"), ("assessment", "A"), ("plan", "P"))
VITAL_ROWS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("systolic", N_("BP sys")), ("diastolic", N_("dia")), ("pulse", N_("Pulse")),
        ("respiration", N_("Resp")), ("temperature", N_("Temp")),
    ),
    (
        ("oxygen_saturation", N_("SpO2")), ("weight", N_("kg")), ("height", N_("cm")),
        ("waist", N_("Belly")), ("glucose", N_("Gluc")),
    ),
)  # fmt: skip
"""Vital -> a label of at most six letters."""
VITAL_NAMES = frozenset(name for row in VITAL_ROWS for name, _label in row)


class RecordScreen(Additions):
    """One patient before one clinician."""

    TITLE_TEXT = N_("Record")
    HELP_TEXT = N_(
        "Tab leads from field to field. Numbers take comma or dot. F7 adds a diagnosis, F8 a medicine, "
        "F9 a laboratory test; F6 shows earlier visits. Ctrl+S saves, F10 saves, signs and ends the "
        "service. What is typed is kept at each field; Esc leaves and keeps it as a draft."
    )
    BINDINGS = [
        keymap.SAVE_FINISH,
        keymap.SAVE_ONLY,
        keymap.HISTORY,
        keymap.DIAGNOSIS,
        keymap.PRESCRIBE,
        keymap.ORDER,
        keymap.BACK,
        Binding("f11", "allergy", N_("Allergy"), show=False),
        Binding("ctrl+d", "strike_diagnosis", N_("Strike a diagnosis out"), show=False),
        Binding("ctrl+a", "addendum", N_("Addendum"), show=False),
    ]
    CSS_PATH = "record.tcss"

    def __init__(self, session: Session, entry: EntryShape, reason: str = "") -> None:
        """Args: `reason` opens a record outside one's own queue; it goes into the audit log."""
        super().__init__(session, entry, reason)
        self._kept: Values = {}

    # Layout

    def compose_body(self) -> ComposeResult:
        """Banner and form; the timeline beside it where there is room."""
        yield Static("", id="banner", markup=False)
        with Horizontal(id="columns"):
            with Vertical(id="note"):
                for row in VITAL_ROWS:
                    with Row():
                        for name, label in row:
                            yield from labelled(label, TextField(name, cells=6, longest=6), cells=8)
                for name, letter in SOAP:
                    with Horizontal(classes="soap"):
                        yield Static(f" {letter}", classes="letter", markup=False)
                        yield ThinTextArea(id=name)
                yield Static("", id="findings", markup=False)
                with Row():
                    yield from labelled(
                        N_("Outcome"),
                        ChoiceField("disposition", choices(words.DISPOSITIONS, "123456"), optional=True),
                        cells=15,
                    )
            yield Static("", id="timeline", classes="wide-only", markup=False)

    def shown_keys(self) -> list[Binding]:
        """Without what this account may not do, and named by what it does for them."""
        role = self.session.account.role
        names = {"f8": N_("Hand out"), "f9": N_("Result")}
        hidden = {
            Role.LAB: {"f10", "ctrl+s", "f7", "f8"},
            Role.PHARMACIST: {"f10", "ctrl+s", "f7", "f9"},
        }.get(role, set())
        return [
            Binding(key.key, key.action, names[key.key]) if not self.writes and key.key in names else key
            for key in super().shown_keys()
            if key.key not in hidden
        ]

    def on_mount(self) -> None:
        """Read the record."""
        for field in (*self.query(TextField), *self.query(ThinTextArea), *self.query(ChoiceField)):
            field.disabled = not self.writes
        if self.writes:
            self.query_one("#systolic").focus()
        self.load()

    def on_screen_resume(self) -> None:
        """Nothing to catch up with: what others write is said, not put under one's hands."""
        super().on_screen_resume()

    def after_language(self) -> None:
        """Show the record again."""
        if self._visit is not None:
            self.show_record(self._visit)

    def on_record_changed(self, message: RecordChanged) -> None:
        """A result may have come in."""
        if message.kind in {"order", "prescription"}:
            self.reload()

    # Reading

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the visit, its draft and the earlier visits; ask for a reason where one is needed."""
        try:
            with hold_keys(self.app):
                visit = await self.session.client.visit(self._entry.visit_id, self._reason)
                draft = await self.session.client.draft(self._draft_key) if self.writes else None
        except Refused as refusal:
            if refusal.code == "reason_required":
                title = N_("Why do you open this record? (kept in the log)")
                self.app.push_screen(LineDialog(self.session, title, shortest=5), self._reason_given)
            else:
                self.say(words.problem_text(refusal.problem), "error")
            return
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")
            return
        self._visit = visit
        self.show_record(visit)
        note = self._own_note(visit)
        self.fill(_note_values(note) if note is not None else {})
        if draft is not None and draft.data.get("values"):
            self.fill({str(name): str(value) for name, value in dict(draft.data["values"]).items()})
            self.say(_("Your unsaved draft is back."), "warning")
        self._kept = self.field_values()
        self._show_timeline(await self._history())

    def _reason_given(self, reason: str | None) -> None:
        if reason:
            self._reason = reason
            self.load()
        else:
            self.dismiss(None)

    @property
    def _draft_key(self) -> str:
        return f"visit-{self._entry.visit_id}"

    def _own_note(self, visit: VisitShape) -> EncounterShape | None:
        return next((item for item in visit.encounters if item.cluster == self._entry.cluster), None)

    def show_record(self, visit: VisitShape) -> None:
        """Banner, diagnoses, medicines and tests."""
        patient, today = visit.patient, self.session.clinic.today
        allergies = ", ".join(patient.allergies)
        first = (
            "!! " + _("ALLERGIES: {names}").format(names=allergies) if allergies else _("No known allergies")
        )
        age = age_text(patient.birth_date, today)
        who = f"{self._entry.number}  {patient.name}  {sex_letter(patient.sex)} {age}"
        who += f"  RM {patient.medical_record_number}  {words.word(words.PAYERS, visit.payer)}"
        if visit.pregnant:
            who += "  " + _("PREGNANT")
        complaint = _("Complaint: {text}").format(text=visit.chief_complaint)
        self.query_one("#banner", Static).update(f" {first}\n {who}\n {complaint}")
        self.query_one("#banner").set_class(bool(allergies), "-alert")
        self.query_one("#findings", Static).update("\n".join(_findings(visit)))

    def _show_timeline(self, visits: list[VisitSummary]) -> None:
        earlier = [visit for visit in visits if visit.id != self._entry.visit_id]
        lines = [_("Earlier visits: {number}").format(number=len(earlier))]
        lines += [fit(visit_line(visit), 45).rstrip() for visit in earlier[:30]]
        self.query_one("#timeline", Static).update("\n".join(lines))

    # Writing

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say which values a choice field takes."""
        if isinstance(event.widget, ChoiceField):
            self.hint(event.widget.hint())

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the number that was left, and keep the note on the server."""
        name = event.widget.id or ""
        if name in VITAL_NAMES:
            self._judge(name)
        values = self.field_values()
        if self.writes and self._visit is not None and values != self._kept:
            self._kept = values
            self.keep_draft(values)

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def typed(self) -> None:
        """What was wrong has been read."""
        self.settle_status()

    @on(TextField.Submitted)
    def lead_on(self) -> None:
        """Enter leads on."""
        self.focus_next()

    @on(ChoiceField.Submitted)
    def stay(self) -> None:
        """Enter in the last field does not end a service: F10 does."""
        self.say(_("F10 saves, signs and ends the service."))

    def _judge(self, name: str) -> None:
        text = self.query_one(f"#{name}", TextField).text
        label = self.query_one(f"#label-{name}", Label)
        problem, note = self._judgement(name, text)
        label.mark(problem is not None)
        if problem is not None:
            self.say(words.field_problem(f"vitals.{name}", problem), "error")
        elif note:
            self.say(note, "warning")

    def _judgement(self, name: str, text: str) -> tuple[str | None, str]:
        """(problem code, warning) of one vital as typed."""
        if not text:
            return None, ""
        try:
            value = parse_number(text)
        except ValueError:
            return "number_format", ""
        vital = VITALS[name]
        if not vital.hard_low <= value <= vital.hard_high:
            return "out_of_range", ""
        born = self._visit.patient.birth_date if self._visit is not None else None
        limits = vital.soft_range((self.session.clinic.today - born).days) if born is not None else None
        label = words.field_name(f"vitals.{name}")
        if limits is not None and value < limits.low:
            return None, _("{vital} is low: {value}").format(vital=label, value=number_text(value))
        if limits is not None and value > limits.high:
            return None, _("{vital} is high: {value}").format(vital=label, value=number_text(value))
        return None, ""

    def _note(self, *, sign: bool) -> dict[str, Any] | None:
        """The form as `PUT encounter` takes it; None, with the field pointed at, when a number is wrong."""
        values = self.field_values()
        vitals: dict[str, float] = {}
        for name in VITAL_NAMES:
            problem, _note = self._judgement(name, values.get(name, "").strip())
            if problem is not None:
                self.point_at(f"vitals.{name}", problem)
                return None
            if values.get(name, "").strip():
                vitals[name] = parse_number(values[name])
        own = self._own_note(self._visit) if self._visit is not None else None
        note: dict[str, Any] = {name: values.get(name, "") for name, _letter in SOAP}
        note |= {"cluster": self._entry.cluster, "vitals": vitals, "sign": sign}
        note["disposition"] = values.get("disposition") or None
        note["expected_version"] = own.version if own is not None else None
        return note

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def keep_draft(self, values: Values) -> None:
        """Keep the half-typed note on the server."""
        try:
            await self.session.client.save_draft(self._draft_key, {"values": values})
        except (Refused, UnreachableError):
            self._kept = {}  # the next field tries again

    def action_save_only(self) -> None:
        """Save the note."""
        self.save(finish=False)

    def action_save_finish(self) -> None:
        """Save, sign, end the service."""
        if not self.query_one("#disposition", ChoiceField).value:
            self.point_at("disposition", "required")
        else:
            self.save(finish=True)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, *, finish: bool) -> None:
        """Write the note; then, when asked to, end the service."""
        note = self._note(sign=finish) if self.writes and self._visit is not None else None
        if note is None:
            return
        client = self.session.client
        try:
            with hold_keys(self.app):
                written = await client.write_encounter(self._entry.visit_id, note)
                await client.drop_draft(self._draft_key)
                if finish:
                    disposition = Disposition(str(note["disposition"]))
                    await client.act(self._entry.id, "finish", EntryCommand(disposition=disposition))
                    person = self._entry.patient.name if self._entry.patient else ""
                    text = _("Done: {number} {person}")
                    self.dismiss(text.format(number=self._entry.number, person=person))
                    return
        except Refused as refusal:
            self._refused(refusal)
            return
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")
            return
        self._replace_note(written)
        self._kept = self.field_values()
        self.say(_("Saved.") + _warnings(written), "warning" if written.vitals_warnings else "good")

    def _refused(self, refusal: Refused) -> None:
        if refusal.problem.fields:
            path, code = next(iter(refusal.problem.fields.items()))
            self.point_at(path, code)
        else:
            self.say(words.problem_text(refusal.problem), "error")

    def _replace_note(self, written: EncounterShape) -> None:
        if self._visit is not None:
            others = [item for item in self._visit.encounters if item.id != written.id]
            self._visit = self._visit.model_copy(update={"encounters": [*others, written]})

    def action_back(self) -> None:
        """Leave; what was typed stays as a draft."""
        values = self.field_values()
        if self.writes and self._visit is not None and values != self._kept:
            self.keep_and_leave(values)
        else:
            self.dismiss(None)

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def keep_and_leave(self, values: Values) -> None:
        """Keep the draft, then leave."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.save_draft(self._draft_key, {"values": values})
            self.dismiss(None)


def _note_values(note: EncounterShape) -> Values:
    values: Values = {name: getattr(note, name) for name, _letter in SOAP}
    values |= {name: number_text(value) for name, value in note.vitals.items()}
    values["disposition"] = note.disposition.value if note.disposition is not None else ""
    return values


def _findings(visit: VisitShape) -> list[str]:
    """Diagnoses, medicines and tests, one line each kind and more where there are more."""
    diagnoses = "; ".join(f"{item.code} {item.title}" for item in visit.diagnoses)
    medicines = "; ".join(
        f"{item.medicine} {item.dose} {item.frequency}".strip()
        + (" (" + _("handed out") + ")" if item.status is OrderStatus.COMPLETED else "")
        for item in visit.prescriptions
    )
    waiting = _("no result yet")
    tests = "; ".join(f"{item.test}: {item.result or waiting} {item.unit}".strip() for item in visit.orders)
    rows = ((_("Diagnosis"), diagnoses), (_("Medicine"), medicines), (_("Lab"), tests))
    return [f" {fit(label, 10)}  {text or '-'}" for label, text in rows]


def _warnings(note: EncounterShape) -> str:
    found = []
    for name, side in note.vitals_warnings.items():
        msgid = N_("{vital} is low: {value}") if side == "low" else N_("{vital} is high: {value}")
        value = number_text(note.vitals[name])
        found.append(_(msgid).format(vital=words.field_name(f"vitals.{name}"), value=value))
    return "  " + "; ".join(found) if found else ""
