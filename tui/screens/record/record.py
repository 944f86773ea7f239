"""The record of one visit: banner, vital signs, SOAP note, forms, additions, outcome.

The draft is saved on the server at each field that is left, so that a broken line loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.foundation.codes import Disposition, OrderStatus
from core.records import pcare_form
from core.records.vital_signs import warnings
from core.schemas.queues import EntryCommand, EntryOut
from core.schemas.record import NO_REASON, EncounterOut, StatedReason, VisitOut, VisitSummary
from tui import keymap, theme
from tui.client.errors import RefusedError, UnreachableError
from tui.messages import RecordChanged
from tui.screens.base import LoketScreen, Values
from tui.screens.reasons import ClusterDialog, LettersDialog
from tui.screens.record import vital_fields
from tui.screens.record.dialogs import TO_LABORATORY, TO_PHARMACY, OutcomeDialog
from tui.screens.record.earlier_visits import correctable
from tui.screens.record.form_lines import RecordForms
from tui.screens.record.glass import GlassDialog
from tui.screens.record.letters import ask_letter, printed
from tui.screens.record.referral_dialog import ReferralDialog
from tui.screens.record.return_dialog import ReturnDialog
from tui.session import Session
from tui.terminal.inputs import ThinTextArea
from tui.terminal.keyboard import hold_keys
from tui.text import check_words, problem_words
from tui.text.formatting import age_text, date_text, fit, number_text, sex_letter, time_text, wrapped
from tui.text.outcomes import is_noted, open_at_bpjs, outcome_word
from tui.text.result_words import critical_texts
from tui.text.translation import N_, _
from tui.text.visit_words import FINDING_LABEL, finding_lines, visit_line, visit_text, who_line
from tui.widgets import Label, TextField
from tui.widgets.banner import Banner

SOAP = (("subjective", "S"), ("objective", "O"), ("assessment", "A"), ("plan", "P"))
VISITS_BESIDE = 2  # earlier visits that are read whole where there is room: each is a request
MOST_LINES, FEW_LINES = 30, 8  # lines of earlier visits, without and with whole ones below them
LEAST_BESIDE = 37  # cells of a line beside the note
MORE = (
    ("T", "procedure", N_("Procedure")),
    ("I", "immunisation", N_("Vaccine")),
    ("F", "open_form", N_("Form")),
    ("S", "letter", N_("Certificate or referral")),
    ("J", "refer", N_("Referral from BPJS's lists")),
    ("D", "return_date", N_("Return date")),
    ("A", "allergy", N_("Allergies")),
    ("R", "compound", N_("Compounded medicine (racikan)")),
    ("M", "change_medicine", N_("Change a medicine")),
    ("B", "breastfeeding", N_("Breast-feeding")),
    ("N", "addendum", N_("Addendum")),
    ("C", "strike_out", N_("Strike out")),
    ("K", "copy", N_("The patient's own copy")),
    ("L", "ask_release", N_("Ask for leave to correct")),
)
"""Letter, action, msgid of each less frequent addition."""


class RecordScreen(RecordForms):
    """Shows one patient's visit to one clinician."""

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

    def __init__(self, session: Session, entry: EntryOut, reason: StatedReason = NO_REASON) -> None:
        """Args: `reason` opens a record outside one's own queue; it goes into the audit log."""
        super().__init__(session, entry, reason)
        self._explained = ""
        """The last hint about the vital sign that has the focus."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether the visit can still be ended: one that is corrected later has ended already."""
        return action != "save_finish" or not self._entry.status.is_ended

    def correct_visit(self, visit: VisitOut, reason: StatedReason) -> None:
        """Open an earlier visit for correction."""
        open_correction(self, visit, reason)

    # Layout

    def compose_body(self) -> ComposeResult:
        """Yield banner and note; the timeline beside them where there is room."""
        yield Banner()
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
        """Read the record again: a result may have come in."""
        if message.kind in {"order", "prescription"}:
            self.reload()

    # Reading

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the visit, its draft and the earlier visits; ask for a reason where one is needed."""
        try:
            with hold_keys(self.app):
                client = self.session.client
                visit = await client.visits.get(self._entry.visit_id, self._reason)
                self._forms = {form.code: form for form in await client.visits.forms()}
                draft = await client.drafts.get(self.draft_key)
                self._visit = visit
                self._ask_vitals(pregnant=visit.pregnant)
                self._fill_note(visit, draft.data if draft is not None else {})
                await self.show_forms(visit)
                self.show_record(visit)
                self.ask_critical()
        except RefusedError as refusal:
            if refusal.code == "reason_required":
                self.app.push_screen(GlassDialog(self.session), self._reason_given)
            else:
                self.say(problem_words.problem_text(refusal.problem), "error")
            return
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
            return
        earlier = [item for item in await self._history() if item.id != self._entry.visit_id]
        self._show_timeline(earlier, [])
        if self.has_class("-wide"):
            self._show_timeline(earlier, await self._read_newest(earlier))

    def _fill_note(self, visit: VisitOut, draft: dict[str, Any]) -> None:
        note = self._own_note(visit)
        if note is not None:
            self.fill(_note_values(note))
            self.take_answers(note.form)
        if draft:
            self.fill({str(name): str(value) for name, value in dict(draft.get("values", {})).items()})
            self.take_typed(dict(draft.get("forms", {})))
            self.say(_("Your unsaved draft is back."), "warning")
        elif note is not None and note.locked:
            self.say(
                _("Closed for corrections: F2 N adds a note, F2 L asks for leave to correct."), "warning"
            )
        self.settle_draft()
        self._explain(self.focused.id or "" if self.focused is not None else "")

    def _reason_given(self, reason: StatedReason | None) -> None:
        if reason:
            self._reason = reason
            self.load()
        else:
            self.dismiss(None)

    @property
    def draft_key(self) -> str:
        """Return the draft's key: one for each visit."""
        return f"visit-{self._entry.visit_id}"

    @property
    def _age_days(self) -> int | None:
        if self._visit is None:
            return None
        return vital_fields.age_days_on(self._visit.patient.birth_date, self._visit.service_on)

    def _own_note(self, visit: VisitOut) -> EncounterOut | None:
        return next((item for item in visit.encounters if item.cluster == self._entry.cluster), None)

    def show_record(self, visit: VisitOut) -> None:
        """Show banner, previous values, diagnoses, procedures, medicines and tests."""
        self.query_one(Banner).say(self._banner(visit), self._alerts(visit))
        for name in vital_fields.NAMES:
            previous = visit.previous.get(name)
            text = vital_fields.previous_in_short(previous) if previous is not None else ""
            self.query_one(f"#previous-{name}", Static).update(text)
        cells = (self.query_one("#note").size.width or self.size.width) - 1
        findings = Text("\n".join(finding_lines(visit, cells, self.session.clinic.timezone)))
        findings.highlight_regex(FINDING_LABEL, theme.QUIET)
        self.query_one("#findings", Static).update(findings)

    def _banner(self, visit: VisitOut) -> list[str]:
        patient, today = visit.patient, self.session.clinic.today
        first = check_words.allergies_first(patient.allergies, asked=patient.allergies_asked)
        if patient.deceased_on is not None:
            first = "!! " + _("DIED {day}").format(day=date_text(patient.deceased_on)) + "   " + first
        if visit.alerts:
            first += "   ! " + "; ".join(visit.alerts)
        age = age_text(patient.birth_date, today)
        pregnant = "  " + _("PREGNANT") if visit.pregnant else ""
        pregnant += "  " + _("BREAST-FEEDS") if visit.breastfeeding else ""
        facts = f"{sex_letter(patient.sex)} {age}{pregnant}  RM {patient.medical_record_number}"
        facts += f"  {problem_words.word(problem_words.PAYERS, visit.payer)}"
        facts += f" {visit.bpjs_visit or visit.bpjs_registration or ''}".rstrip()
        who = who_line(self._entry.number, patient.name, facts, self.size.width - 1)
        complaint = _("Complaint: {text}").format(text=visit.chief_complaint)
        if visit.bpjs_back_referral:
            complaint = (
                _("REFERRED BACK (PRB): {what}").format(what=visit.bpjs_back_referral) + "   " + complaint
            )
        if visit.late_entry is not None:
            # The times of this visit are those of the paper, not of the screen.
            came = time_text(visit.late_entry.arrived_at, self.session.clinic.timezone)
            complaint = f"{_('LATE ENTRY')} {came}   {complaint}"
        critical = "; ".join(critical_texts(visit))
        if critical:
            complaint = _("CRITICAL: {results}").format(results=critical) + "   " + complaint
        return [first, who, complaint]

    def _alerts(self, visit: VisitOut) -> set[int]:
        """Return the lines of the banner that must be seen first: what endangers, and critical results."""
        is_danger = visit.patient.allergies or visit.patient.deceased_on is not None or visit.alerts
        return {number for number, strong in ((0, is_danger), (2, critical_texts(visit))) if strong}

    async def _read_newest(self, earlier: Sequence[VisitSummary]) -> list[VisitOut]:
        """Read the newest earlier visits whole, where there is room beside the note."""
        read: list[VisitOut] = []
        with self.saying_refusals():
            for item in earlier[:VISITS_BESIDE]:
                read.append(await self.session.client.visits.get(item.id, self._reason))
        return read

    def _show_timeline(self, earlier: Sequence[VisitSummary], read: Sequence[VisitOut]) -> None:
        """Show earlier visits, a line each, and below them the newest with results and medicines."""
        timeline = self.query_one("#timeline", Static)
        cells = max(LEAST_BESIDE, timeline.content_size.width)
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(_("Earlier visits: {number}").format(number=len(earlier)) + "\n", theme.STRONG)
        for item in earlier[: MOST_LINES if not read else FEW_LINES]:
            text.append(fit(visit_line(item), cells).rstrip() + "\n")
        for visit in read:
            first, *rest = visit_text(visit, self._forms, self.session.clinic.timezone)
            text.append("\n" + fit(first, cells).rstrip() + "\n", theme.STRONG)
            text.append("\n".join(part for line in rest for part in wrapped(line, cells)) + "\n")
        timeline.update(text)

    # Other things to add

    def action_more(self) -> None:
        """Choose a further action by its letter."""
        options = [(letter, action, _(label)) for letter, action, label in MORE]

        async def chosen(action: str | None) -> None:
            if action is not None:
                await self.run_action(action)

        self.app.push_screen(LettersDialog(self.session, N_("More"), options), chosen)

    def action_letter(self) -> None:
        """Issue a certificate or a referral."""
        if self._visit is not None:
            ask_letter(self, self._visit)

    def action_return_date(self) -> None:
        """Say when the patient is to come back: a number that waits at the counter."""
        if self._visit is not None:
            self.app.push_screen(ReturnDialog(self.session, self._visit, self._reason), self._returns)

    def _returns(self, said: str | None) -> None:
        if said is not None:
            self.say(said, "good")
            self.reload()

    def action_refer(self) -> None:
        """Choose a referral from BPJS's lists; the visit ends with F10 R."""
        if self._visit is not None and self._refers_at_bpjs(self._visit):
            self._ask_referral(self._visit, None)
        else:
            self.say(_("Only for whom BPJS pays: F2 S writes any other referral."), "warning")

    def _refers_at_bpjs(self, visit: VisitOut) -> bool:
        """Return whether a referral of this patient is chosen from BPJS's lists."""
        is_insured = self.session.clinic.asks_bpjs and visit.payer in pcare_form.INSURED
        return is_insured and pcare_form.FORM in self._forms

    def _ask_referral(self, visit: VisitOut, then: Callable[[], object] | None) -> None:
        """Ask where to and when; what is answered goes into the form of BPJS.

        Args:
            visit: The visit.
            then: Called when it was answered.
        """
        typed = self._typed_forms.get(pcare_form.FORM, {})

        async def chosen(answers: dict[str, str] | None) -> None:
            if answers is None:
                return
            self._typed_forms[pcare_form.FORM] = {**typed, **answers}
            self.keep_soon()
            await self.show_forms(visit)
            if then is not None:
                then()
            else:
                to = {"hospital": answers.get("refer_provider_name", ""), "day": answers.get("refer_on", "")}
                said = _("Referral to {hospital} on {day}: F10 R ends the visit with it.")
                if self._entry.status.is_ended:
                    said = _("Referral to {hospital} on {day}: Ctrl+S saves it.")
                self.say(said.format(**to), "good")

        form = self._forms[pcare_form.FORM]
        self.app.push_screen(ReferralDialog(self.session, visit, form, typed), chosen)

    # Writing

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show a number's meaning, usual range and earlier value."""
        self._explain(event.widget.id or "")

    def _explain(self, name: str) -> None:
        if name in vital_fields.NAMES:
            previous = self._visit.previous.get(name) if self._visit is not None else None
            self._explained = vital_fields.explain(name, self._age_days, previous)
            self.hint(self._explained)
        elif self.said == self._explained:
            self.hint("")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Judge the number that was left, and save the draft."""
        name = event.widget.id or ""
        if name in vital_fields.NAMES:
            self._judge(name)
            self.show_forms_soon()
        self.keep_soon()

    @on(TextField.Changed)
    def typed(self) -> None:
        """Clear an error that was read."""
        self.settle_status()

    @on(TextField.Submitted)
    def lead_on(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    def _judge(self, name: str) -> None:
        """Mark a vital sign that is wrong or dangerous, and say so; both pressures are judged together."""
        _numbers, wrong = self.vitals_typed()
        remark, kind = vital_fields.remark(name, self.query_one(f"#{name}", TextField).text, self._age_days)
        dangerous = {name} if kind == "error" else set()
        together = vital_fields.PRESSURE if name in vital_fields.PRESSURE else {name}
        for each in together:
            self.query_one(f"#label-{each}", Label).mark(each in wrong.keys() | dangerous)
        problem = next((each for each in (name, *sorted(together)) if each in wrong), None)
        if problem is not None:
            self.say(problem_words.field_problem(f"vitals.{problem}", wrong[problem]), "error")
        elif remark:
            self.say(remark, kind)
        elif name in {"weight", "height"}:
            self._say_mass_index()

    def _say_mass_index(self) -> None:
        if self._visit is None:
            return
        index = vital_fields.mass_index(self.field_values(), self._visit.patient.age)
        if index:
            self.say(index)

    def vitals_typed(self) -> tuple[dict[str, float], dict[str, str]]:
        """Return the typed vital signs, and the problem of each wrong one."""
        return vital_fields.read_vitals(self.field_values())

    def _note(self, *, sign: bool, disposition: str | None) -> dict[str, Any] | None:
        """Return the body of `PUT encounter`; None, with the field focused, when something is wrong."""
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
        """Return the typed note and forms."""
        if self._visit is None:
            return None
        values = {name: value for name, value in self.field_values().items() if value}
        return {"values": values, "forms": self.forms_typed()}

    # Saving

    def action_save_only(self) -> None:
        """Save the note."""
        self.save(None)

    @work(exclusive=True, group="finish", exit_on_error=False)
    async def action_save_finish(self) -> None:
        """Ask for the outcome; then save, sign and hand the patient over."""
        await self.until_added()
        self._ask_outcome()

    def _ask_outcome(self) -> None:
        visit = self._visit
        if visit is None or self._note(sign=False, disposition=None) is None:
            return
        notes = self._dangers(visit)
        own = self._own_note(visit)
        if own is not None and own.locked:
            notes.append(_("Closed for corrections: F2 N adds a note, F2 L asks for leave to correct."))
        medicines = sum(item.status is OrderStatus.ACTIVE for item in visit.prescriptions)
        tests = sum(item.status is OrderStatus.ACTIVE for item in visit.orders)
        missing = [*self._lacking(visit), *self._open_at_bpjs(visit, None)]
        dialog = OutcomeDialog(
            self.session,
            person=visit.patient.name,
            lacking=missing,
            of_referral=[
                code for code in self._open_at_bpjs(visit, Disposition.REFERRED) if code not in missing
            ],
            medicines=medicines if self._cluster_for(TO_PHARMACY) else 0,
            tests=tests if self._cluster_for(TO_LABORATORY) else 0,
            notes=notes,
        )

        def chosen(outcome: str | None) -> None:
            if outcome == Disposition.INTERNAL_REFERRAL:
                others = [item for item in self.session.clusters if item.code != self._entry.cluster]
                note = f"{self._entry.number} {visit.patient.name}"
                self.app.push_screen(ClusterDialog(self.session, others, note=note), moved)
            elif outcome == Disposition.REFERRED and self._lacks_referral(visit):
                self._ask_referral(visit, lambda: self.save(Disposition.REFERRED))
            elif outcome is not None:
                self.save(outcome)

        def moved(cluster: str | None) -> None:
            if cluster is not None:
                self.save(Disposition.INTERNAL_REFERRAL, cluster)

        self.app.push_screen(dialog, chosen)

    def _lacking(self, visit: VisitOut) -> list[str]:
        """Return what the visit would lack if it ended now: `no_note`, `no_diagnosis`."""
        values = self.field_values()
        typed = any(values.get(name, "").strip() for name, _letter in SOAP) or bool(self.vitals_typed()[0])
        noted = typed or any(given for _form, given, _problems in self.answers_typed(visit))
        elsewhere = any(is_noted(item) for item in visit.encounters if item.cluster != self._entry.cluster)
        missing = [] if noted or elsewhere else ["no_note"]
        return missing if visit.diagnoses else [*missing, "no_diagnosis"]

    def _open_at_bpjs(self, visit: VisitOut, disposition: Disposition | None) -> list[str]:
        """Return what P-Care would still ask if the visit ended now, by the form as it is typed."""
        if not self.session.clinic.asks_bpjs:
            return []
        answers: dict[str, Any] = {}
        for item in visit.encounters:
            if item.cluster != self._entry.cluster:
                answers |= item.form.get(pcare_form.FORM) or {}
        for form, typed, _problems in self.answers_typed(visit):
            answers |= typed if form.code == pcare_form.FORM else {}
        return open_at_bpjs(visit, answers, disposition)

    def _lacks_referral(self, visit: VisitOut) -> bool:
        """Return whether a referral has to be chosen before the visit can end with it."""
        if not self._refers_at_bpjs(visit):
            return False
        return bool({*self._open_at_bpjs(visit, Disposition.REFERRED)} & {*pcare_form.OF_A_REFERRAL, "tacc"})

    def _dangers(self, visit: VisitOut) -> list[str]:
        """Return the reasons why this patient should not simply go home."""
        vitals = self.vitals_typed()[0]
        sides = warnings(vitals, self._age_days or 0)
        found = [
            vital_fields.say_side(side, name, vitals[name])
            for name, side in sides.items()
            if side == "danger"
        ]
        return found + self.red_titles(visit)

    def _cluster_for(self, service: str) -> str | None:
        """Return the cluster that provides a service, unless it is this one."""
        found = (item.code for item in self.session.clusters if service in item.services)
        return next((code for code in found if code != self._entry.cluster), None)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(
        self, outcome: str | None, cluster: str | None = None, *, deceased_confirmed: bool = False
    ) -> None:
        """Write the note; then, with an outcome, hand the patient on.

        Args:
            outcome: A disposition, `pharmacy`, `laboratory`, or None to go on writing.
            cluster: Code of the cluster in which the patient goes on, if another.
            deceased_confirmed: It was asked about, for a patient who is recorded as dead.
        """
        disposition = "home" if outcome == TO_PHARMACY else None if outcome == TO_LABORATORY else outcome
        note = self._note(sign=disposition is not None, disposition=disposition)
        if note is None:
            return
        client = self.session.client
        try:
            with hold_keys(self.app):
                written = await client.visits.write_encounter(self._entry.visit_id, note)
                await client.drafts.drop(self.draft_key)
                self._replace_note(written)
                self.settle_draft()
                if outcome is not None:
                    command = EntryCommand(cluster=cluster, deceased_confirmed=deceased_confirmed)
                    letter = await self._urgent_letter(outcome, written)
                    self.dismiss(" ".join([*letter, await self._hand_on(outcome, command)]))
                    return
        except RefusedError as refusal:
            if refusal.code == "patient_deceased":
                self._ask_about_death(refusal, lambda: self.save(outcome, cluster, deceased_confirmed=True))
                return
            self._refused(refusal)
            return
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
            return
        self.say(_("Saved.") + _warnings(written), "warning" if written.vitals_warnings else "good")

    async def _urgent_letter(self, outcome: str, written: EncounterOut) -> list[str]:
        """Print the letter of an urgent referral before BPJS has given it a number; return what became of it.

        Nothing here keeps the patient: what could not be issued or printed is done from the list of referrals.
        """
        answers = written.form.get(pcare_form.FORM) or {}
        if outcome != Disposition.REFERRED or not answers.get("refer_urgent"):
            return []
        try:
            letter = await self.session.client.visits.issue_letter(
                self._entry.visit_id, pcare_form.LETTER, {}, self._reason
            )
        except RefusedError:
            return [_("NO LETTER YET: J.")]
        said, is_printed = await printed(self, letter.number, letter.text, letter.barcode)
        return [said if is_printed else _("LETTER NOT PRINTED: J.")]

    async def _hand_on(self, outcome: str, command: EntryCommand) -> str:
        """End the service, or send the patient on; return a sentence about it."""
        client = self.session.client
        person = self._entry.patient.name if self._entry.patient else ""
        if outcome == TO_PHARMACY:
            command = command.model_copy(update={"cluster": self._cluster_for(TO_PHARMACY)})
            moved = await client.queues.act(self._entry.id, "transfer", command)
            return _("To the pharmacy: {number} {person}").format(number=moved.number, person=person)
        if outcome == TO_LABORATORY:
            command = command.model_copy(update={"cluster": self._cluster_for(TO_LABORATORY)})
            moved = await client.queues.act(self._entry.id, "send", command)
            return _("Sent, and comes back: {number} {person}").format(number=moved.number, person=person)
        if command.cluster is not None:
            moved = await client.queues.act(self._entry.id, "transfer", command)
            return _("Moved: {number} {person}").format(number=moved.number, person=person)
        await client.queues.act(self._entry.id, "finish", EntryCommand(disposition=Disposition(outcome)))
        said = _("Done: {number} {person}").format(number=self._entry.number, person=person)
        return f"{said} ({outcome_word(outcome)})"

    def _refused(self, refusal: RefusedError) -> None:
        if refusal.problem.fields:
            path, code = next(iter(refusal.problem.fields.items()))
            self.point_at(path, code)
        else:
            self.say(problem_words.problem_text(refusal.problem), "error")

    def _replace_note(self, written: EncounterOut) -> None:
        if self._visit is not None:
            others = [item for item in self._visit.encounters if item.id != written.id]
            self._visit = self._visit.model_copy(update={"encounters": [*others, written]})

    def action_back(self) -> None:
        """Leave; the typed values stay as a draft."""
        self.keep_and_leave()


def open_correction(screen: LoketScreen[Any], visit: VisitOut, reason: StatedReason) -> None:
    """Open one's own contact of a visit that has ended, to be corrected.

    Args:
        screen: The screen in front.
        visit: The visit.
        reason: Why it was opened, outside one's own queue.
    """
    own = correctable(screen.session, visit)
    entry = next((item for item in visit.entries if own is not None and item.cluster == own.cluster), None)
    if entry is not None:
        screen.app.push_screen(RecordScreen(screen.session, entry, reason))


def _note_values(note: EncounterOut) -> Values:
    values: Values = {name: getattr(note, name) for name, _letter in SOAP}
    return values | {name: number_text(value) for name, value in note.vitals.items()}


def _warnings(note: EncounterOut) -> str:
    found = [
        vital_fields.say_side(side, name, note.vitals[name]) for name, side in note.vitals_warnings.items()
    ]
    return "  " + "; ".join(found) if found else ""
