"""The vital signs of one patient, typed by the nurse before the clinician: no note is shown, none is written."""

from __future__ import annotations

from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.widgets import Static

from core.records.vital_signs import warnings
from core.schemas.queues import EntryOut
from core.schemas.record import NO_REASON, EncounterOut, StatedReason, VisitOut
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.draft_autosave import KeepsDraft
from tui.screens.record import vital_fields
from tui.screens.record.glass import GlassDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import check_words, problem_words
from tui.text.formatting import age_text, number_text, sex_letter
from tui.text.translation import N_, _
from tui.text.visit_words import who_line
from tui.widgets import Label, TextField
from tui.widgets.banner import Banner

WITHOUT_AGE_YEARS = 30
"""Age that decides which fields are asked for while none is known."""


class VitalsScreen(KeepsDraft[str]):
    """Takes pressure, pulse, temperature, weight ... of one patient of one's own clusters."""

    TITLE_TEXT = N_("Vital signs")
    HELP_TEXT = N_(
        "Enter and Tab lead from field to field. Numbers take comma or dot; the number behind a field is the last "
        "one measured. F10 saves, and the clinician sees them in the record. What is typed is kept at each "
        "field; Esc leaves and keeps it as a draft."
    )
    BINDINGS = [keymap.SAVE_VITALS, keymap.BACK]
    CSS_PATH = "vitals.tcss"

    def __init__(self, session: Session, entry: EntryOut) -> None:
        """Initialise the screen: `entry` is the patient's row in a queue of one's own clusters."""
        super().__init__(session)
        self._entry = entry
        self._reason = NO_REASON
        self._visit: VisitOut | None = None
        self._explained = ""
        """The last hint about the field that has the focus."""

    def compose_body(self) -> ComposeResult:
        """Yield the banner, the two rows of fields, and what is said about the numbers."""
        yield Banner()
        yield from vital_fields.compose_vitals()
        yield Static("", id="remarks", markup=False)

    def on_mount(self) -> None:
        """Read the visit, and begin with the first field."""
        age = self._entry.patient.age if self._entry.patient is not None else WITHOUT_AGE_YEARS
        self._ask(vital_fields.asked(age, False))
        self.query_one(f"#{vital_fields.first_asked(age)}").focus()
        self.load()

    def _ask(self, names: frozenset[str]) -> None:
        for name in vital_fields.NAMES:
            self.query_one(f"#cell-{name}").display = name in names

    def after_language(self) -> None:
        """Show the visit in the new language."""
        if self._visit is not None:
            self._show(self._visit)

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the visit and the draft; ask for a reason where one is needed."""
        try:
            with hold_keys(self.app):
                visit = await self.session.client.visits.get(self._entry.visit_id, self._reason)
                draft = await self.session.client.drafts.get(self.draft_key)
        except RefusedError as refusal:
            self._refused(refusal)
            return
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
            return
        self._visit = visit
        own = self._own_contact(visit)
        typed = {name: number_text(value) for name, value in own.vitals.items()} if own is not None else {}
        kept = dict(draft.data.get("values", {})) if draft is not None else {}
        self.fill(typed | {str(name): str(value) for name, value in kept.items()})
        self._show(visit)
        self.settle_draft()
        if kept:
            self.say(_("Your unsaved draft is back."), "warning")

    def _refused(self, refusal: RefusedError) -> None:
        if refusal.code == "reason_required":
            self.app.push_screen(GlassDialog(self.session), self._reason_given)
        elif refusal.problem.fields:
            self.point_at(*next(iter(refusal.problem.fields.items())))
        else:
            self.say(problem_words.problem_text(refusal.problem), "error")

    def _reason_given(self, reason: StatedReason | None) -> None:
        if reason:
            self._reason = reason
            self.load()
        else:
            self.dismiss(None)

    def _own_contact(self, visit: VisitOut) -> EncounterOut | None:
        return next((item for item in visit.encounters if item.cluster == self._entry.cluster), None)

    def _show(self, visit: VisitOut) -> None:
        patient, today = visit.patient, self.session.clinic.today
        self._ask(vital_fields.asked(patient.age, visit.pregnant))
        pregnant = "  " + _("PREGNANT") if visit.pregnant else ""
        age = age_text(patient.birth_date, today)
        facts = f"{sex_letter(patient.sex)} {age}{pregnant}  RM {patient.medical_record_number}"
        lines = [
            check_words.allergies_first(patient.allergies, asked=patient.allergies_asked),
            who_line(self._entry.number, patient.name, facts, self.size.width - 1),
            _("Complaint: {text}").format(text=visit.chief_complaint),
        ]
        self.query_one(Banner).say(lines, {0} if patient.allergies else ())
        for name in vital_fields.NAMES:
            previous = visit.previous.get(name)
            text = vital_fields.previous_in_short(previous) if previous is not None else ""
            self.query_one(f"#previous-{name}", Static).update(text)
        self._show_remarks()

    @property
    def draft_key(self) -> str:
        """Return the draft's key: one for each visit."""
        return f"vitals-{self._entry.visit_id}"

    def draft(self) -> dict[str, Any] | None:
        """Return the typed numbers."""
        if self._visit is None:
            return None
        return {"values": {name: value for name, value in self.field_values().items() if value}}

    # Typing

    @property
    def _age_days(self) -> int | None:
        if self._visit is None:
            return None
        return vital_fields.age_days_on(self._visit.patient.birth_date, self._visit.service_on)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show a number's meaning, usual range and earlier value."""
        name = event.widget.id or ""
        if name in vital_fields.NAMES:
            previous = self._visit.previous.get(name) if self._visit is not None else None
            self._explained = vital_fields.explain(name, self._age_days, previous)
            self.hint(self._explained)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the numbers, and save the draft."""
        self._show_remarks()
        self.keep_soon()

    def _show_remarks(self) -> None:
        """Say which numbers are wrong or unusual, all of them, below the fields."""
        values = self.field_values()
        numbers, wrong = vital_fields.read_vitals(values)
        for name in vital_fields.NAMES:
            self.query_one(f"#label-{name}", Label).mark(name in wrong)
        lines = ["!! " + problem_words.field_problem(f"vitals.{name}", code) for name, code in wrong.items()]
        for name, side in warnings(numbers, self._age_days or 0).items():
            sign = "!!" if side == "danger" else "! "
            lines.append(f"{sign} {vital_fields.say_side(side, name, numbers[name])}")
        index = vital_fields.mass_index(values, self._visit.patient.age) if self._visit is not None else ""
        self.query_one("#remarks", Static).update("\n".join(f" {line}" for line in [*lines, index] if line))

    @on(TextField.Changed)
    def typed(self) -> None:
        """Clear an error that was read."""
        self.settle_status()

    @on(TextField.Submitted)
    def lead_on(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    # Saving

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save_vitals(self) -> None:
        """Save, and go back to the queues; a number that cannot be is pointed at."""
        visit = self._visit
        numbers, wrong = vital_fields.read_vitals(self.field_values())
        if visit is None or wrong:
            for name, problem in list(wrong.items())[:1]:
                self.point_at(f"vitals.{name}", problem)
            return
        if not numbers:
            self.say(_("Nothing was measured yet."), "warning")
            return
        own = self._own_contact(visit)
        body = {
            "cluster": self._entry.cluster,
            "vitals": numbers,
            "expected_version": own.version if own is not None else None,
        }
        try:
            with hold_keys(self.app):
                await self.session.client.visits.write_encounter(visit.id, body)
                await self.session.client.drafts.drop(self.draft_key)
                said = _("Measured: {number} {person}")
                self.dismiss(said.format(number=self._entry.number, person=visit.patient.name))
        except RefusedError as refusal:
            self._refused(refusal)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")

    def action_back(self) -> None:
        """Leave; the typed values stay as a draft."""
        self.keep_and_leave()
