"""The record of one visit: banner, vital signs, SOAP note, forms, what was added, how it ends.

What is typed is kept on the server at each field that is left, so that a broken line loses
nothing.
"""

from __future__ import annotations

from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.schemas.queues import EntryCommand, EntryShape
from core.schemas.record import EncounterShape, VisitShape, VisitSummary
from core.vitals import warnings
from core.vocabulary import Disposition, OrderStatus
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, fit, number_text, sex_letter
from tui.messages import RecordChanged
from tui.screens.base import Values
from tui.screens.reasons import ClusterDialog, LettersDialog, LineDialog
from tui.screens.record import vital_fields
from tui.screens.record.dialogs import TO_LABORATORY, TO_PHARMACY, OutcomeDialog
from tui.screens.record.forms import RecordForms
from tui.screens.record.letters import ask_letter
from tui.screens.record.reading import finding_lines, visit_line, who_line
from tui.session import Session
from tui.terminal.inputs import ThinTextArea
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import Label, TextField

SOAP = (("subjective", "S"), ("objective", "O"), ("assessment", "A"), ("plan", "P"))
MORE = (
    ("T", "procedure", N_("Procedure")),
    ("F", "open_form", N_("Form")),
    ("S", "letter", N_("Certificate or referral")),
    ("A", "allergy", N_("Allergy")),
    ("N", "addendum", N_("Addendum")),
    ("C", "strike_out", N_("Strike out")),
)
"""Letter, action, msgid: what is added less often."""


class RecordScreen(RecordForms):
    """One patient before one clinician."""

    TITLE_TEXT = N_("Record")
    HELP_TEXT = N_(
        "Tab leads from field to field. Numbers take comma or dot; the number behind a field is the last "
        "one measured. F7 adds a diagnosis, F8 a medicine, F9 laboratory tests, F2 anything else; F6 "
        "shows earlier visits. Ctrl+S saves, F10 asks how the visit goes on, saves and signs. What is "
        "typed is kept at each field; Esc leaves and keeps it as a draft."
    )
    BINDINGS = [
        keymap.SAVE_FINISH,
        keymap.DIAGNOSIS,
        keymap.PRESCRIBE,
        keymap.ORDER,
        keymap.MORE,
        keymap.HISTORY,
        keymap.SAVE_ONLY,
        keymap.BACK,
    ]
    CSS_PATH = "record.tcss"

    def __init__(self, session: Session, entry: EntryShape, reason: str = "") -> None:
        """Args: `reason` opens a record outside one's own queue; it goes into the audit log."""
        super().__init__(session, entry, reason)
        self._explained = ""
        """What was last said of a vital sign that has the focus."""

    # Layout

    def compose_body(self) -> ComposeResult:
        """Banner and note; the timeline beside them where there is room."""
        yield Static("", id="banner", markup=False)
        with Horizontal(id="columns"):
            with Vertical(id="note"):
                yield from vital_fields.compose_vitals()
                yield Vertical(id="forms")
                for name, letter in SOAP:
                    with Horizontal(classes="soap"):
                        yield Static(f" {letter}", classes="letter", markup=False)
                        yield ThinTextArea(id=name)
                yield Static("", id="findings", markup=False)
            yield Static("", id="timeline", classes="wide-only", markup=False)

    def on_mount(self) -> None:
        """Read the record."""
        self._ask_vitals(pregnant=False)
        age = self._entry.patient.age if self._entry.patient is not None else 30
        self.query_one(f"#{vital_fields.first_asked(age)}").focus()
        self.load()

    def _ask_vitals(self, *, pregnant: bool) -> None:
        age = self._entry.patient.age if self._entry.patient is not None else 30
        asked = vital_fields.asked(age, pregnant)
        for name in vital_fields.NAMES:
            self.query_one(f"#cell-{name}").display = name in asked

    def after_language(self) -> None:
        """Show the record again."""
        if self._visit is not None:
            self._ask_vitals(pregnant=self._visit.pregnant)
            self.show_record(self._visit)
            self.show_forms_soon()

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
                client = self.session.client
                visit = await client.visit(self._entry.visit_id, self._reason)
                self._forms = {form.code: form for form in await client.forms()}
                draft = await client.draft(self.draft_key)
                self._visit = visit
                self._ask_vitals(pregnant=visit.pregnant)
                self._fill_note(visit, draft.data if draft is not None else {})
                await self.show_forms(visit)
                self.show_record(visit)
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
        self._show_timeline(await self._history())

    def _fill_note(self, visit: VisitShape, draft: dict[str, Any]) -> None:
        note = self._own_note(visit)
        if note is not None:
            self.fill(_note_values(note))
            self.take_answers(note.form)
        if draft:
            self.fill({str(name): str(value) for name, value in dict(draft.get("values", {})).items()})
            self.take_typed(dict(draft.get("forms", {})))
            self.say(_("Your unsaved draft is back."), "warning")
        elif note is not None and note.locked:
            self.say(_("This record is closed for corrections; add an addendum."), "warning")
        self.settle_draft()
        self._explain(self.focused.id or "" if self.focused is not None else "")

    def _reason_given(self, reason: str | None) -> None:
        if reason:
            self._reason = reason
            self.load()
        else:
            self.dismiss(None)

    @property
    def draft_key(self) -> str:
        """One for each visit."""
        return f"visit-{self._entry.visit_id}"

    @property
    def _age_days(self) -> int | None:
        if self._visit is None:
            return None
        return vital_fields.age_days_on(self._visit.patient.birth_date, self._visit.service_on)

    def _own_note(self, visit: VisitShape) -> EncounterShape | None:
        return next((item for item in visit.encounters if item.cluster == self._entry.cluster), None)

    def show_record(self, visit: VisitShape) -> None:
        """Banner, previous values, diagnoses, procedures, medicines and tests."""
        self.query_one("#banner", Static).update("\n".join(self._banner(visit)))
        self.query_one("#banner").set_class(bool(visit.patient.allergies), "-alert")
        for name in vital_fields.NAMES:
            previous = visit.previous.get(name)
            text = vital_fields.previous_in_short(previous) if previous is not None else ""
            self.query_one(f"#previous-{name}", Static).update(text)
        cells = (self.query_one("#note").size.width or self.size.width) - 1
        self.query_one("#findings", Static).update("\n".join(finding_lines(visit, cells)))

    def _banner(self, visit: VisitShape) -> list[str]:
        patient, today = visit.patient, self.session.clinic.today
        allergies = ", ".join(patient.allergies)
        first = (
            "!! " + _("ALLERGIES: {names}").format(names=allergies) if allergies else _("No known allergies")
        )
        if visit.alerts:
            first += "   ! " + "; ".join(visit.alerts)
        age = age_text(patient.birth_date, today)
        pregnant = "  " + _("PREGNANT") if visit.pregnant else ""
        facts = f"{sex_letter(patient.sex)} {age}{pregnant}  RM {patient.medical_record_number}"
        facts += f"  {words.word(words.PAYERS, visit.payer)}"
        who = who_line(self._entry.number, patient.name, facts, self.size.width - 1)
        complaint = _("Complaint: {text}").format(text=visit.chief_complaint)
        return [f" {first}", f" {who}", f" {complaint}"]

    def _show_timeline(self, visits: list[VisitSummary]) -> None:
        earlier = [visit for visit in visits if visit.id != self._entry.visit_id]
        lines = [_("Earlier visits: {number}").format(number=len(earlier))]
        lines += [fit(visit_line(visit), 37).rstrip() for visit in earlier[:30]]
        self.query_one("#timeline", Static).update("\n".join(lines))

    # Other things to add

    def action_more(self) -> None:
        """Choose what else to do, by its letter."""
        options = [(letter, action, _(label)) for letter, action, label in MORE]

        async def chosen(action: str | None) -> None:
            if action is not None:
                await self.run_action(action)

        self.app.push_screen(LettersDialog(self.session, N_("More"), options), chosen)

    def action_letter(self) -> None:
        """Issue a certificate or a referral."""
        if self._visit is not None:
            ask_letter(self, self._visit)

    # Writing

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what a number means, what is usual, and what it was before."""
        self._explain(event.widget.id or "")

    def _explain(self, name: str) -> None:
        if name in vital_fields.NAMES:
            previous = self._visit.previous.get(name) if self._visit is not None else None
            self._explained = vital_fields.explain(name, self._age_days, previous)
            self.hint(self._explained)
        elif self.said == self._explained:
            self.hint("")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the number that was left, and keep the note on the server."""
        name = event.widget.id or ""
        if name in vital_fields.NAMES:
            self._judge(name)
            self.show_forms_soon()
        self.keep_soon()

    @on(TextField.Changed)
    def typed(self) -> None:
        """What was wrong has been read."""
        self.settle_status()

    @on(TextField.Submitted)
    def lead_on(self) -> None:
        """Enter leads on."""
        self.focus_next()

    def _judge(self, name: str) -> None:
        _numbers, wrong = self.vitals_typed()
        remark, kind = vital_fields.remark(name, self.query_one(f"#{name}", TextField).text, self._age_days)
        together = vital_fields.PRESSURE if name in vital_fields.PRESSURE else {name}
        for each in together:
            self.query_one(f"#label-{each}", Label).mark(each in wrong or (each == name and kind == "error"))
        problem = next((each for each in (name, *sorted(together)) if each in wrong), None)
        if problem is not None:
            self.say(words.field_problem(f"vitals.{problem}", wrong[problem]), "error")
        elif remark:
            self.say(remark, kind)
        elif name in {"weight", "height"} and self._visit is not None:
            index = vital_fields.mass_index(self.field_values(), self._visit.patient.age)
            if index:
                self.say(index)

    def vitals_typed(self) -> tuple[dict[str, float], dict[str, str]]:
        """The vital signs as typed, and what is wrong with which."""
        return vital_fields.read_vitals(self.field_values())

    def _note(self, *, sign: bool, disposition: str | None) -> dict[str, Any] | None:
        """The record as `PUT encounter` takes it; None, with the field pointed at, when something is wrong."""
        visit = self._visit
        if visit is None:
            return None
        vitals, wrong = self.vitals_typed()
        for name, problem in wrong.items():
            self.point_at(f"vitals.{name}", problem)
            return None
        answers: dict[str, dict[str, Any]] = {}
        for form, given, problems in self.answers_typed(visit):
            if problems:
                self.open_form(form)
                self.say(_("{number} fields are wrong").format(number=len(problems)), "error")
                return None
            answers[form.code] = given
        values, own = self.field_values(), self._own_note(visit)
        note: dict[str, Any] = {name: values.get(name, "") for name, _letter in SOAP}
        note |= {"cluster": self._entry.cluster, "vitals": vitals, "form": answers, "sign": sign}
        note["disposition"] = disposition or (own.disposition.value if own and own.disposition else None)
        note["expected_version"] = own.version if own is not None else None
        return note

    # Draft

    def draft(self) -> dict[str, Any] | None:
        """The note and the forms as they were typed."""
        if self._visit is None:
            return None
        values = {name: value for name, value in self.field_values().items() if value}
        return {"values": values, "forms": self.forms_typed()}

    # Saving

    def action_save_only(self) -> None:
        """Save the note."""
        self.save(None)

    def action_save_finish(self) -> None:
        """Ask how the visit goes on; then save, sign and hand the patient over."""
        visit = self._visit
        if visit is None or self._note(sign=False, disposition=None) is None:
            return
        notes = self._dangers(visit)
        own = self._own_note(visit)
        if not visit.diagnoses:
            notes.append(_("There is no diagnosis yet (F7)."))
        if own is not None and own.locked:
            notes.append(_("This record is closed for corrections; add an addendum."))
        medicines = sum(item.status is OrderStatus.ACTIVE for item in visit.prescriptions)
        tests = sum(item.status is OrderStatus.ACTIVE for item in visit.orders)
        dialog = OutcomeDialog(
            self.session,
            medicines=medicines if self._cluster_for(TO_PHARMACY) else 0,
            tests=tests if self._cluster_for(TO_LABORATORY) else 0,
            notes=notes,
        )

        def chosen(outcome: str | None) -> None:
            if outcome == Disposition.INTERNAL_REFERRAL:
                others = [item for item in self.session.clusters if item.code != self._entry.cluster]
                note = f"{self._entry.number} {visit.patient.name}"
                self.app.push_screen(ClusterDialog(self.session, others, note=note), moved)
            elif outcome is not None:
                self.save(outcome)

        def moved(cluster: str | None) -> None:
            if cluster is not None:
                self.save(Disposition.INTERNAL_REFERRAL, cluster)

        self.app.push_screen(dialog, chosen)

    def _dangers(self, visit: VisitShape) -> list[str]:
        """What says that this patient should not simply go home."""
        vitals = self.vitals_typed()[0]
        sides = warnings(vitals, self._age_days or 0)
        found = [
            vital_fields.say_side(side, name, vitals[name])
            for name, side in sides.items()
            if side == "danger"
        ]
        return found + self.red_titles(visit)

    def _cluster_for(self, service: str) -> str | None:
        """The cluster that takes a service, unless it is this one."""
        found = (item.code for item in self.session.clusters if service in item.services)
        return next((code for code in found if code != self._entry.cluster), None)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, outcome: str | None, cluster: str | None = None) -> None:
        """Write the note; then, with an outcome, hand the patient on.

        Args:
            outcome: A disposition, `pharmacy`, `laboratory`, or None to go on writing.
            cluster: Where to, for whoever goes on in another cluster.
        """
        disposition = "home" if outcome == TO_PHARMACY else None if outcome == TO_LABORATORY else outcome
        note = self._note(sign=disposition is not None, disposition=disposition)
        if note is None:
            return
        client = self.session.client
        try:
            with hold_keys(self.app):
                written = await client.write_encounter(self._entry.visit_id, note)
                await client.drop_draft(self.draft_key)
                self._replace_note(written)
                self.settle_draft()
                if outcome is not None:
                    self.dismiss(await self._hand_on(outcome, cluster))
                    return
        except Refused as refusal:
            self._refused(refusal)
            return
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")
            return
        self.say(_("Saved.") + _warnings(written), "warning" if written.vitals_warnings else "good")

    async def _hand_on(self, outcome: str, cluster: str | None) -> str:
        """End the service, or send the patient on; says what was done."""
        client = self.session.client
        person = self._entry.patient.name if self._entry.patient else ""
        if outcome == TO_PHARMACY:
            command = EntryCommand(cluster=self._cluster_for(TO_PHARMACY))
            moved = await client.act(self._entry.id, "transfer", command)
            return _("To the pharmacy: {number} {person}").format(number=moved.number, person=person)
        if outcome == TO_LABORATORY:
            command = EntryCommand(cluster=self._cluster_for(TO_LABORATORY))
            moved = await client.act(self._entry.id, "send", command)
            return _("Sent, and comes back: {number} {person}").format(number=moved.number, person=person)
        if cluster is not None:
            moved = await client.act(self._entry.id, "transfer", EntryCommand(cluster=cluster))
            return _("Moved: {number} {person}").format(number=moved.number, person=person)
        await client.act(self._entry.id, "finish", EntryCommand(disposition=Disposition(outcome)))
        return _("Done: {number} {person}").format(number=self._entry.number, person=person)

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
        self.keep_and_leave()


def _note_values(note: EncounterShape) -> Values:
    values: Values = {name: getattr(note, name) for name, _letter in SOAP}
    return values | {name: number_text(value) for name, value in note.vitals.items()}


def _warnings(note: EncounterShape) -> str:
    found = [
        vital_fields.say_side(side, name, note.vitals[name]) for name, side in note.vitals_warnings.items()
    ]
    return "  " + "; ".join(found) if found else ""
