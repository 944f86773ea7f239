"""The registration form: a new patient's data, or a known patient's visit."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core.identifiers import new_id
from core.names import mother_in
from core.schemas.base import Problem
from core.schemas.patients import DuplicateResult, PatientShape
from core.schemas.registration import Receipt, RoutingShape
from core.vocabulary import Sex, Verdict
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, date_text, fit, sex_letter
from tui.registration.drafts import DRAFT_KEY, draft_data
from tui.registration.facts import Facts
from tui.screens.base import Values
from tui.screens.keeping import KeepsDraft
from tui.screens.patients.mother import MotherDialog, of_mother
from tui.screens.patients.notes import Corrected
from tui.screens.patients.person import PersonScreen
from tui.screens.registration.confirm import ConfirmDialog, Saved
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import Choice, ChoiceField, Row, TextField, choices, labelled, set_text

FAULTS = frozenset({"internal", "http_error"})
"""Codes of answers that are the server's own fault."""
Note = tuple[str, str]


class RegistrationScreen(KeepsDraft[Note], PersonScreen[Note]):
    """One registration, from the first field to the receipt."""

    AREA = "register"
    TITLE_TEXT = N_("New patient")
    HELP_TEXT = N_(
        "Enter or the down arrow leads to the next field, the up arrow back. The NIK fills birth date and "
        "sex. Dates may be typed as 31121990. Fields in brackets take a letter, a digit or the arrows. "
        "F10, or Enter in the last field, shows the confirmation; nothing is saved before it. "
        "Leave the cluster empty to be shown the proposal. People who look alike appear below: F7 shows why."
    )
    BINDINGS = [keymap.SAVE, keymap.LOOK_ALIKES, keymap.MOTHER, keymap.EDIT, keymap.BACK]
    CSS_PATH = "form.tcss"
    LAST_FIELD = "cluster"

    def __init__(
        self,
        session: Session,
        patient: PatientShape | None,
        values: Values | None = None,
        *,
        registration_id: str | None = None,
    ) -> None:
        super().__init__(session, {**self._from_appointment(patient), **(values or {})})
        self._patient = patient
        self._registration_id = registration_id or new_id()

    @staticmethod
    def _from_appointment(patient: PatientShape | None) -> Values:
        """What a patient who took a number from home has said already; the check is the same."""
        if patient is None or patient.appointment is None:
            return {}
        held = patient.appointment
        return {"chief_complaint": held.chief_complaint, "cluster": held.cluster}

    @property
    def known(self) -> PatientShape | None:
        """The patient whose visit this is, None while somebody new is registered."""
        return self._patient

    # Layout

    def compose_body(self) -> ComposeResult:
        """Who, then why they came."""
        if self._patient is None:
            yield from self.compose_person()
        else:
            yield Static(self._banner(self._patient), id="banner", markup=False)
        yield from self._compose_visit()
        yield Static("", id="proposal", markup=False)
        yield Static("", id="duplicates", markup=False)

    def _compose_visit(self) -> ComposeResult:
        yield Static("", classes="gap")
        with Row():
            yield from labelled(N_("Complaint"), TextField("chief_complaint", longest=500))
        with Row():
            yield from labelled(N_("Payer"), ChoiceField("payer", choices(words.PAYERS), value="general"))
            if self._patient is None or self._patient.sex is Sex.FEMALE:
                yield from labelled(
                    N_("Pregnant"), ChoiceField("pregnant", self.yes_no(), value="no"), cells=10
                )
            yield from labelled(
                N_("Disability"), ChoiceField("disability", self.yes_no(), value="no"), cells=14
            )
        with Row():
            options = [
                Choice(cluster.code, cluster.name, cluster.prefix, cluster.code)
                for cluster in self.session.destinations
            ]
            yield from labelled(N_("Cluster"), ChoiceField("cluster", options, optional=True))

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Somebody new has look-alikes and perhaps a mother here; a known patient has a card to correct."""
        if action in {"look_at_duplicates", "find_mother"}:
            return self._patient is None
        return self._patient is not None if action == "edit_patient" else True

    def on_mount(self) -> None:
        """Begin in the first empty field."""
        if self._patient is not None:
            self.title_bar.set_title(_("Visit"))
        self.fill(self._values)
        self.settle_draft()
        if self._values.get("nik"):
            self.read_nik()
        self.query_one(f"#{self._first_field()}").focus()
        self.show_age()
        self.check_soon()

    def _first_field(self) -> str:
        """The number first; where that is known, the first field that still must be filled in."""
        if self._patient is None and not self._values.get("nik"):
            return "nik"
        return next(iter(self.facts().problems()), "chief_complaint")

    def after_language(self) -> None:
        """Show what depends on the fields."""
        self.show_age()
        self.checks.forget()
        self.check_soon()

    def left_field(self) -> None:
        """Keep the form on the server."""
        self.keep_soon()

    # Live checks

    def visit(self, facts: Facts) -> dict[str, Any] | None:
        """What the rules judge by, once there is a complaint."""
        return facts.routing(facts.text("cluster")) if facts.text("chief_complaint") else None

    def show_checks(self) -> None:
        """Who may be the same person and which cluster the rules propose."""
        super().show_checks()
        set_text(self.query_one("#proposal", Static), self._proposal(self.checks.routing))

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

    # Drafts

    @property
    def draft_key(self) -> str:
        """One for each account: the form that was typed into last."""
        return DRAFT_KEY

    def draft(self) -> dict[str, Any]:
        """The form with the id it is saved under."""
        return draft_data(self._registration_id, self.form_values(), self._patient, self.facts().name)

    # Saving

    def action_save(self) -> None:
        """Check what must be there, then show the confirmation that no path can skip."""
        if not self.point_at_first(self.facts().problems()):
            self.confirm()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def confirm(self) -> None:
        """Duplicates first, then the confirmation; keys typed ahead wait for each dialog."""
        try:
            with hold_keys(self.app):
                await self._check_before_saving()
                dialog = self._confirmation() if not self.must_decide() else None
            if dialog is None:
                self.action_look_at_duplicates()
            else:
                self.app.push_screen(dialog, self._confirmed)
        except Refused as refusal:
            self._refused(refusal.problem)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")

    async def _check_before_saving(self) -> None:
        """What was not asked yet of the form as it is now."""
        try:
            await self.ask()
        except Refused as refusal:
            if refusal.code not in FAULTS:
                raise
            raise Refused(refusal.problem.model_copy(update={"code": "duplicate_check_failed"})) from refusal

    def _confirmation(self) -> ConfirmDialog:
        facts = self.facts()
        client = self.session.client

        async def ask(cluster: str | None) -> RoutingShape:
            return await client.routing(facts.routing(cluster))

        def request(cluster: str, reason: str | None) -> dict[str, Any]:
            return facts.registration(self._registration_id, cluster, reason, self._duplicate_decision)

        chosen = facts.text("cluster") or None
        assert self.checks.routing is not None
        return ConfirmDialog(self.session, facts, chosen, self.checks.routing, ask, request)

    def _confirmed(self, outcome: Saved | Problem | None) -> None:
        if isinstance(outcome, Problem):
            self._refused(outcome)
        elif outcome is not None:
            self._show_receipt(outcome.receipt)

    def _refused(self, problem: Problem) -> None:
        """Everything stays typed; the focus goes to what must be corrected."""
        if problem.code == "duplicate_decision_required":
            self.checks.duplicates = DuplicateResult.model_validate(problem.details)
            self.show_duplicates()
            self.action_look_at_duplicates()
        elif problem.fields:
            self.point_at(*next(iter(problem.fields.items())))
        else:
            self.say(words.problem_text(problem), "error")

    def _show_receipt(self, receipt: Receipt) -> None:
        self.session.last_patient_id = receipt.patient_id
        self.end_draft()
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

    def is_known(self, patient: PatientShape) -> None:
        """Go on with that patient's visit."""
        visit = ("chief_complaint", "payer", "pregnant", "disability", "cluster")
        self.become(patient, {name: value for name, value in self.field_values().items() if name in visit})

    @work(exclusive=True, group="save", exit_on_error=False)
    async def become(self, patient: PatientShape, values: Values) -> None:
        """Go on as a visit of a known patient, keeping what was typed of the visit."""
        with hold_keys(self.app):
            self._patient, self._values, self._registration_id = patient, values, new_id()
            self.checks.forget()
            await self.recompose()
            self.on_mount()
            self.keep_anew()
            self.say(_("Known patient: only the visit is left to fill in."))

    def action_find_mother(self) -> None:
        """A newborn has no number of its own yet: the mother's record stands in for it."""
        typed = self.facts()
        known = typed.text("mother_name") or mother_in(typed.text("name"))
        self.app.push_screen(MotherDialog(self.session, known), self._mother_found)

    def _mother_found(self, mother: PatientShape | None) -> None:
        if mother is None:
            return
        values = {name: value for name, value in of_mother(mother).items() if value}
        if self.facts().text("name"):
            values.pop("name")
        if self.facts().text("no_identifier_reason") or self.facts().text("nik"):
            values.pop("no_identifier_reason")
        self.fill(values)
        self._mother_id = mother.id
        self.keep_soon()
        self.check_soon()
        self.say(_("Mother: {name}. Family card, address and phone are hers.").format(name=mother.name))

    def action_edit_patient(self) -> None:
        """Correct the known patient's card."""
        from tui.screens.patients.edit import EditScreen

        if self._patient is not None:
            self.app.push_screen(EditScreen(self.session, self._patient), self._corrected)

    def _corrected(self, note: Corrected | None) -> None:
        if note is not None:
            self.after_correction(note)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def after_correction(self, note: Corrected) -> None:
        """Show the card as it is now; what was typed of the visit stays."""
        values = self.field_values()
        with self.saying_refusals(), hold_keys(self.app):
            self._patient, self._values = await self.session.client.patient(note.patient_id), values
            await self.recompose()
            self.on_mount()
            self.keep_anew()
            self.say(note.text, "good")

    def action_back(self) -> None:
        """Leave; the draft stays on the server."""
        self.keep_and_leave()
