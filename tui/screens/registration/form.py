"""The registration form: a new patient's data, or a known patient's visit."""

from __future__ import annotations

from typing import Any

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from core.identifiers import new_id
from core.identity import Outcome
from core.schemas import DuplicateResult, PatientShape, Problem, Receipt, RoutingShape
from core.vocabulary import DuplicateBand, Sex, Verdict
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, date_text, fit, sex_letter
from tui.registration.drafts import DRAFT_KEY, draft_data
from tui.registration.facts import NIK_DIGITS, YES, Facts, from_nik
from tui.screens.base import LoketScreen, Values
from tui.screens.registration.confirm import ConfirmDialog, Saved
from tui.screens.registration.duplicates import DuplicateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import Choice, ChoiceField, Label, Row, TextField, choices, labelled

DEBOUNCE_SECONDS = 0.35
Note = tuple[str, str]


class RegistrationScreen(LoketScreen[Note]):
    """One registration, from the first field to the receipt."""

    AREA = "register"
    TITLE_TEXT = N_("New patient")
    HELP_TEXT = N_(
        "Enter or the down arrow leads to the next field, the up arrow back. The NIK fills birth date and "
        "sex. Dates may be typed as 31121990. Fields in brackets take a letter, a digit or the arrows. "
        "F10, or Enter in the last field, shows the confirmation; nothing is saved before it. "
        "Leave the cluster empty to be shown the proposal. People who look alike appear below: F7 shows why."
    )
    BINDINGS = [
        keymap.SAVE,
        Binding("f7", "look_at_duplicates", N_("Look-alikes")),
        keymap.BACK,
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    CSS_PATH = "form.tcss"

    def __init__(
        self,
        session: Session,
        patient: PatientShape | None,
        values: Values | None = None,
        *,
        registration_id: str | None = None,
    ) -> None:
        super().__init__(session)
        self._patient = patient
        self._values = {**self._from_appointment(patient), **(values or {})}
        self._registration_id = registration_id or new_id()
        self._duplicates: DuplicateResult | None = None
        self._duplicate_decision: str | None = None
        self._asked: tuple[Any, Any] = (None, None)
        self._timer: Timer | None = None
        self._kept: Values = {}

    @staticmethod
    def _from_appointment(patient: PatientShape | None) -> Values:
        """What a patient who took a number from home has said already; the check is the same."""
        if patient is None or patient.appointment is None:
            return {}
        held = patient.appointment
        return {"chief_complaint": held.chief_complaint, "cluster": held.cluster}

    # Layout

    def compose_body(self) -> ComposeResult:
        """Who, then why they came."""
        if self._patient is None:
            yield from self._compose_person()
        else:
            yield Static(self._banner(self._patient), id="banner", markup=False)
        yield from self._compose_visit()
        yield Static("", id="proposal", markup=False)
        yield Static("", id="duplicates", markup=False)

    def _compose_person(self) -> ComposeResult:
        with Row():
            yield from labelled(N_("NIK"), TextField("nik", cells=21, longest=32))
            yield from labelled(
                N_("Without card"),
                ChoiceField("no_identifier_reason", choices(words.NO_IDENTIFIER_REASONS), optional=True),
                cells=14,
            )
        with Row():
            yield from labelled(N_("Name"), TextField("name", cells=46, longest=120))
        with Row():
            yield from labelled(N_("Birth date"), TextField("birth_date", cells=11, longest=10))
            yield Static("", id="age", markup=False)
            yield from labelled(N_("Sex"), ChoiceField("sex", self._sexes(), optional=True), cells=14)
        with Row():
            yield from labelled(N_("BPJS number"), TextField("bpjs_number", cells=21, longest=32))
            yield from labelled(
                N_("Family card"), TextField("family_card_number", cells=21, longest=32), cells=14
            )
        with Row():
            yield from labelled(N_("Mother"), TextField("mother_name", cells=30, longest=120))
            yield from labelled(N_("Phone"), TextField("phone", cells=16, longest=20), cells=10)
        with Row():
            yield from labelled(N_("Address"), TextField("address", cells=42, longest=200))
            yield from labelled(N_("RT"), TextField("rt", cells=4, longest=3), cells=4)
            yield from labelled(N_("RW"), TextField("rw", cells=4, longest=3), cells=4)
        with Row():
            yield from labelled(N_("Card seen"), ChoiceField("identity_verified", self._yes_no(), value="no"))

    def _compose_visit(self) -> ComposeResult:
        yield Static("", classes="gap")
        with Row():
            yield from labelled(N_("Complaint"), TextField("chief_complaint", longest=500))
        with Row():
            yield from labelled(N_("Payer"), ChoiceField("payer", choices(words.PAYERS), value="general"))
            if self._patient is None or self._patient.sex is Sex.FEMALE:
                yield from labelled(
                    N_("Pregnant"), ChoiceField("pregnant", self._yes_no(), value="no"), cells=10
                )
            yield from labelled(
                N_("Disability"), ChoiceField("disability", self._yes_no(), value="no"), cells=14
            )
        with Row():
            options = [
                Choice(cluster.code, cluster.name, cluster.prefix, cluster.code)
                for cluster in self.session.destinations
            ]
            yield from labelled(N_("Cluster"), ChoiceField("cluster", options, optional=True))

    def _sexes(self) -> list[Choice]:
        return [Choice("male", N_("Male"), _("M")), Choice("female", N_("Female"), _("F"))]

    def _yes_no(self) -> list[Choice]:
        return [Choice(YES, N_("Yes"), _("Y")), Choice("no", N_("No"), _("N"))]

    def _banner(self, patient: PatientShape) -> str:
        today = self.session.clinic.today
        lines = [
            f" {patient.name}   {sex_letter(patient.sex)}  {age_text(patient.birth_date, today)}"
            f"  ({date_text(patient.birth_date)})   RM {patient.medical_record_number}",
            f" NIK {patient.nik or '-'}   BPJS {patient.bpjs_number or '-'}   {patient.address}",
        ]
        notes = []
        if patient.open_entry:
            notes.append(_("in a queue now: {entry}").format(entry=patient.open_entry))
        if patient.appointment:
            notes.append(
                _("number from Mobile JKN: {number}, {cluster}").format(
                    number=patient.appointment.number,
                    cluster=self.session.cluster_name(patient.appointment.cluster),
                )
            )
        if patient.identity_verified_at is None:
            notes.append(_("identity not verified: ask for the card"))
        if patient.allergies:
            notes.append(_("ALLERGIES: {names}").format(names=", ".join(patient.allergies)))
        notes += [words.word(words.IDENTITY_WARNINGS, code) for code in patient.warnings]
        lines.append(" " + ("! " + "; ".join(notes) if notes else _("identity verified")))
        return "\n".join(fit(line, 200).rstrip() for line in lines)

    def shown_keys(self) -> list[Binding]:
        """Without look-alikes when the patient is known."""
        keys = super().shown_keys()
        return [key for key in keys if self._patient is None or key.key != "f7"]

    def on_mount(self) -> None:
        """Begin in the first empty field."""
        if self._patient is not None:
            self.query_one("TitleBar").set_title(_("Visit"))  # type: ignore[attr-defined]
        self.fill(self._values)
        self._kept = self.field_values()
        first = (
            "chief_complaint"
            if self._patient is not None
            else "nik"
            if not self._values.get("nik")
            else "name"
        )
        if self._values.get("name") and not self._values.get("nik"):
            first = "nik"
        self.query_one(f"#{first}").focus()
        if self._values.get("nik"):
            self._read_nik()
        self._show_age()
        self._check_soon()

    def after_language(self) -> None:
        """Show what depends on the fields."""
        self._show_age()
        self._asked = (None, None)
        self._check_soon()

    # Moving through the form

    def facts(self) -> Facts:
        """What the form holds now."""
        values = {name: value.strip() for name, value in self.field_values().items()}
        return Facts(values, self._patient, self.session.clinic.today)

    @on(TextField.Submitted)
    def next_after_text(self, event: TextField.Submitted) -> None:
        """Enter leads on."""
        self._next(event.input)

    @on(ChoiceField.Submitted)
    def next_after_choice(self, event: ChoiceField.Submitted) -> None:
        """Enter leads on; in the last field it asks for the confirmation."""
        self._next(event.field)

    def _next(self, field: Widget) -> None:
        if field.id == "cluster":
            self.action_save()
        else:
            self.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say which values a choice field takes."""
        if isinstance(event.widget, ChoiceField):
            self.hint(event.widget.hint())
        elif event.widget.id == "birth_date":
            self.hint(_("Day, month, year: 31121990 or 31-12-1990; not known: the age in years"))
        else:
            self.hint("")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Check the field that was left, and keep the form on the server."""
        name = event.widget.id or ""
        if name == "nik":
            self._read_nik()
        born = self.facts().birth_date
        if name == "birth_date" and born is not None and not self.facts().is_estimated:
            self.fill({"birth_date": date_text(born)})
        if name in {"birth_date", "name"}:
            problem = self.facts().problems().get(name)
            self._mark(name, problem if problem != "required" else None)
        self._keep_draft()

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def changed(self, event: TextField.Changed | ChoiceField.Changed) -> None:
        """Follow what is typed."""
        self.settle_status()
        field = event.control
        if field.id == "nik" and len(self.facts().text("nik")) >= NIK_DIGITS:
            self._read_nik()
        if field.id in {"birth_date", "sex"}:
            self._show_age()
        if field.id in {"name", "nik", "birth_date", "bpjs_number"}:
            self._duplicate_decision = None  # about somebody else now
        self._mark(field.id or "", None)
        self._check_soon()

    def _read_nik(self) -> None:
        nik = self.facts().text("nik")
        if self._patient is not None or not nik:
            return
        check, filled = from_nik(nik, self.facts().values, self.session.clinic.today)
        self.fill(filled)
        self._show_age()
        rejected = check.outcome is Outcome.REJECT
        self._mark("nik", check.findings[0].code if rejected else None)
        if check.findings and not rejected:
            notes = [words.word(words.IDENTITY_WARNINGS, finding.code) for finding in check.findings]
            self.say("; ".join(notes), "warning")

    def _show_age(self) -> None:
        if self._patient is not None:
            return
        born = self.facts().birth_date
        text = age_text(born, self.session.clinic.today) if born is not None else ""
        if self.facts().is_estimated:
            text = "~" + text
        self.query_one("#age", Static).update(text, layout=False)

    def _mark(self, field: str, problem: str | None) -> None:
        for label in self.query(f"#label-{field}"):
            if isinstance(label, Label):
                label.mark(problem is not None)
        if problem is not None:
            self.say(words.field_problem(field, problem), "error")

    # Live checks

    def _check_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self.check_live)

    @work(exclusive=True, group="check", exit_on_error=False)
    async def check_live(self) -> None:
        """Show who may be the same person and which cluster the rules propose."""
        facts = self.facts()
        person = facts.duplicates() if self._patient is None else None
        routing = facts.routing(facts.text("cluster")) if facts.text("chief_complaint") else None
        before, self._asked = self._asked, (person, routing)
        try:
            if person != before[0]:
                self._duplicates = await self.session.client.duplicates(person) if person else None
                self._show_duplicates()
            if routing != before[1]:
                proposal = await self.session.client.routing(routing) if routing else None
                self.query_one("#proposal", Static).update(self._proposal(proposal), layout=False)
        except (Refused, UnreachableError):
            # Only a help while typing; saving asks again and says what is wrong.
            self._asked = (None, None)

    def _proposal(self, routing: RoutingShape | None) -> str:
        if routing is None:
            return ""
        flags = "".join(f"!! {words.word(words.RED_FLAGS, flag.rule)}  " for flag in routing.red_flags)
        if routing.verdict is Verdict.BLOCKED:
            text = "!! " + words.word(words.BLOCKS, routing.blocked_code or "")
        elif routing.verdict is Verdict.UNSURE:
            text = "? " + words.word(words.QUESTIONS, routing.question or "which_complaint")
        else:
            best = routing.suggestions[0]
            why = "; ".join(reason.text for reason in best.reasons[:2])
            text = _("Proposal: {cluster}").format(cluster=self._cluster(best.cluster)) + f"  ({why})"
        return fit(" " + flags + text, max(20, self.size.width - 1)).rstrip()

    def _cluster(self, code: str) -> str:
        return f"{self.session.prefix_of(code)} {self.session.cluster_name(code)}"

    def _show_duplicates(self) -> None:
        found = self._duplicates
        lines: list[str] = []
        if found is not None and found.band is not DuplicateBand.NEW and not self._duplicate_decision:
            sure = found.band is DuplicateBand.EXISTING
            lines.append(" ! " + (_("KNOWN ALREADY? F7 opens") if sure else _("Perhaps known: F7 compares")))
            for candidate in found.candidates[:3]:
                patient = candidate.patient
                why = ", ".join(words.word(words.LIKENESS, code) for code in candidate.reasons[:3])
                lines.append(
                    f"   {fit(patient.name, 24)} {sex_letter(patient.sex)} {date_text(patient.birth_date)}"
                    f" {patient.medical_record_number} {why}"
                )
        width = max(20, self.size.width - 1)
        self.query_one("#duplicates", Static).update("\n".join(fit(line, width).rstrip() for line in lines))

    # Drafts

    def _keep_draft(self) -> None:
        values = self.field_values()
        if values != self._kept:
            self._kept = values
            self.save_draft(values)

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def save_draft(self, values: Values) -> None:
        """Keep the half-typed form on the server: even a dead machine loses one field at most."""
        data = draft_data(self._registration_id, values, self._patient, self.facts().name)
        try:
            await self.session.client.save_draft(DRAFT_KEY, data)
        except (Refused, UnreachableError):
            self._kept = {}  # the next field tries again

    # Saving

    def action_save(self) -> None:
        """Check what must be there, then show the confirmation that no path can skip."""
        problems = self.facts().problems()
        for label in self.query(Label):
            label.mark((label.id or "").removeprefix("label-") in problems)
        if problems:
            self.point_at(*next(iter(problems.items())))
        else:
            self.confirm()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def confirm(self) -> None:
        """Duplicates first, then the confirmation; keys typed ahead wait for each dialog."""
        try:
            with hold_keys(self.app):
                if self._patient is None and not self._duplicate_decision:
                    self._duplicates = await self.session.client.duplicates(self.facts().duplicates() or {})
                    self._show_duplicates()
                dialog = None
                if not self._must_decide():
                    dialog = await self._confirmation()
            if dialog is None:
                self.action_look_at_duplicates()
            else:
                self.app.push_screen(dialog, self._confirmed)
        except Refused as refusal:
            self._refused(refusal.problem)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")

    def _must_decide(self) -> bool:
        found = self._duplicates
        return (
            self._patient is None
            and self._duplicate_decision is None
            and found is not None
            and found.band is not DuplicateBand.NEW
        )

    async def _confirmation(self) -> ConfirmDialog:
        facts = self.facts()
        client = self.session.client

        async def ask(cluster: str | None) -> RoutingShape:
            return await client.routing(facts.routing(cluster))

        def request(cluster: str, reason: str | None) -> dict[str, Any]:
            return facts.registration(self._registration_id, cluster, reason, self._duplicate_decision)

        chosen = facts.text("cluster") or None
        return ConfirmDialog(self.session, facts, chosen, await ask(chosen), ask, request)

    def _confirmed(self, outcome: Saved | Problem | None) -> None:
        if isinstance(outcome, Problem):
            self._refused(outcome)
        elif outcome is not None:
            self._show_receipt(outcome.receipt)

    def _refused(self, problem: Problem) -> None:
        """Everything stays typed; the focus goes to what must be corrected."""
        if problem.code == "duplicate_decision_required":
            self._duplicates = DuplicateResult.model_validate(problem.details)
            self._show_duplicates()
            self.action_look_at_duplicates()
        elif problem.fields:
            self.point_at(*next(iter(problem.fields.items())))
        else:
            self.say(words.problem_text(problem), "error")

    def _show_receipt(self, receipt: Receipt) -> None:
        self.session.last_patient_id = receipt.patient_id
        self.drop_draft()
        screen = ReceiptScreen(self.session, receipt, self.facts().name)
        self.app.push_screen(screen, self.dismiss)

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def drop_draft(self) -> None:
        """The form is saved: nothing is left half-typed."""
        try:
            await self.session.client.drop_draft(DRAFT_KEY)
        except (Refused, UnreachableError):
            return  # it is offered once more, and its id finds the receipt

    def action_look_at_duplicates(self) -> None:
        """Show who may be the same person, with the reasons."""
        found = self._duplicates
        if found is None or not found.candidates:
            self.say(_("Nobody like this is known."))
            return
        self.app.push_screen(DuplicateDialog(self.session, found), self._decided)

    def _decided(self, decision: str | None) -> None:
        if decision is None:
            return
        if decision == DuplicateDialog.NEW:
            self._duplicate_decision = "new"
            self._show_duplicates()
            self.say(_("Registered as a new person. F10 goes on."))
            return
        assert self._duplicates is not None
        known = next(item.patient for item in self._duplicates.candidates if item.patient.id == decision)
        visit = ("chief_complaint", "payer", "pregnant", "disability", "cluster")
        values = {name: value for name, value in self.field_values().items() if name in visit}
        self.become(known, values)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def become(self, patient: PatientShape, values: Values) -> None:
        """Go on as a visit of a known patient, keeping what was typed of the visit."""
        with hold_keys(self.app):
            self._patient, self._values, self._registration_id = patient, values, new_id()
            self._duplicates, self._asked = None, (None, None)
            await self.recompose()
            self.on_mount()
            self.say(_("Known patient: only the visit is left to fill in."))

    def action_back(self) -> None:
        """Leave; the draft stays on the server."""
        self._keep_draft()
        self.dismiss(None)
