"""The registration form: a new patient's data, or a known patient's visit."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation import clock
from core.foundation.codes import DoubtAnswer, NikHolder, PayerSource, Sex, Verdict
from core.foundation.identifiers import new_id
from core.linkage.names import mother_in
from core.schemas.base import Problem
from core.schemas.patients import PatientOut
from core.schemas.registration import Receipt, RoutingOut
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.registration import late_entry
from tui.registration.beside import last_visit, waits
from tui.registration.drafts import draft_data, drop, new_draft_key
from tui.registration.form_values import YES, FormValues
from tui.registration.late_entry import ARRIVED, LATE_FIELDS, WRITTEN_BY
from tui.screens.base import Values
from tui.screens.draft_autosave import KeepsDraft
from tui.screens.patients.mother import MotherDialog, of_mother
from tui.screens.patients.notes import Corrected
from tui.screens.reasons import LettersDialog
from tui.screens.registration.confirm import ConfirmDialog, Saved
from tui.screens.registration.insurance_line import AsksInsurance
from tui.screens.registration.late_dialog import LateDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, fit, sex_letter
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, TextField, choices, labelled, set_text

SILENT_SECONDS = 6.0
"""Without an answer to the checks before a save, after which the clerk is offered paper."""
FAULTS = frozenset({"internal", "http_error"})
"""Codes of answers that report the server's own fault."""
Note = tuple[str, str]


class RegistrationScreen(KeepsDraft[Note], AsksInsurance[Note]):
    """One registration, from the first field to the receipt."""

    AREA = "register"
    TITLE_TEXT = N_("New patient")
    HELP_TEXT = N_(
        "Enter or the down arrow leads to the next field, the up arrow back. The NIK fills birth date and "
        "sex. Dates may be typed as 31121990. Fields in brackets take a letter, a digit or the arrows. "
        "F4 leads straight to the complaint, F6 finds the kelurahan in the region list. F10, or Enter in the last field, shows the confirmation; nothing is "
        "saved before it. "
        "Leave the cluster empty to be shown the proposal. People who look alike appear below: F7 shows why. "
        "BPJS is asked about a complete NIK or card in the background; F5 takes over what it has otherwise. "
        "Ctrl+T: somebody who was written on paper before; the place in the queue is that of the arrival."
    )
    BINDINGS = [
        keymap.SAVE,
        keymap.COMPLAINT,
        keymap.LOOK_ALIKES,
        keymap.MOTHER,
        keymap.EDIT,
        keymap.TAKE_INSURANCE,
        keymap.LATE,
        keymap.BACK,
    ]
    CSS_PATH = "form.tcss"
    LAST_FIELD = "cluster"

    def __init__(
        self,
        session: Session,
        patient: PatientOut | None,
        values: Values | None = None,
        *,
        registration_id: str | None = None,
        draft_key: str | None = None,
        confirms: bool = False,
    ) -> None:
        """Initialise the form.

        Args:
            session: Session of the terminal.
            patient: The patient, when already known.
            values: Field -> value that is known before.
            registration_id: Id of a registration that was begun before.
            draft_key: Key of the draft of a form that was begun before.
            confirms: Whether the confirmation comes at once, where nothing is left to fill in.
        """
        super().__init__(session, {**self._from_appointment(patient), **(values or {})})
        self._draft_key = draft_key or new_draft_key()
        self._payer_source = self._values.pop("payer_source", "") or PayerSource.DEFAULT.value
        self._late: Values = {name: self._values.pop(name, "") for name in LATE_FIELDS}
        self._not_pregnant_in = ""
        """The complaint of which the clerk said that it tells of no pregnancy."""
        self._patient = patient
        self._registration_id = registration_id or new_id()
        self._begun_at = clock.now()
        self._deceased_confirmed = False
        self._confirms = confirms

    @staticmethod
    def _from_appointment(patient: PatientOut | None) -> Values:
        """Return the facts that a patient gave when taking a number from home; the checks are the same."""
        if patient is None or patient.appointment is None:
            return {}
        held = patient.appointment
        return {"chief_complaint": held.chief_complaint, "cluster": held.cluster}

    @property
    def known(self) -> PatientOut | None:
        """The patient of the visit; None while a new one is registered."""
        return self._patient

    # Layout

    def compose_body(self) -> ComposeResult:
        """Yield the person's fields, then the visit's."""
        if self._patient is None:
            yield from self.compose_person()
        else:
            yield Static(self._banner(self._patient), id="banner", markup=False)
        yield from self._compose_visit()
        yield from self.compose_insurance()
        yield Static("", id="proposal", markup=False)
        yield Static("", id="duplicates", markup=False)
        yield Static("", id="beside", classes="wide-only", markup=False)

    def _compose_visit(self) -> ComposeResult:
        yield Static(" " + _("This visit"), id="visit-heading", classes="group", markup=False)
        with FieldRow():
            yield from labelled(N_("Complaint"), TextField("chief_complaint", longest=500))
        with FieldRow():
            yield from labelled(
                N_("Payer"), ChoiceField("payer", choices(problem_words.PAYERS), value=self.facts().payer[0])
            )
            if self._patient is None or self._patient.sex is Sex.FEMALE:
                yield from labelled(
                    N_("Pregnant"), ChoiceField("pregnant", self.yes_no(), value="no"), cells=10
                )
            yield from labelled(
                N_("Disability"), ChoiceField("disability", self.yes_no(), value="no"), cells=14
            )
        with FieldRow():
            options = [
                Choice(cluster.code, cluster.name, cluster.prefix, cluster.code)
                for cluster in self.session.destinations
            ]
            yield from labelled(N_("Cluster"), ChoiceField("cluster", options, optional=True))

    def minute_passed(self) -> None:
        """Show how many wait now."""
        self.show_beside()

    @work(exclusive=True, group="beside", exit_on_error=False)
    async def show_beside(self) -> None:
        """Show where there is room: the known patient's last visit, and how many wait in each cluster."""
        if not self.has_class("-wide"):
            return
        try:
            clusters = await self.session.client.queues.clusters()
        except (RefusedError, UnreachableError):
            clusters = []  # only a help: the form works without
        text = "\n".join([*last_visit(self._patient), *waits(clusters)])
        set_text(self.query_one("#beside", Static), text, layout=True)

    def _banner(self, patient: PatientOut) -> str:
        today = self.session.clinic.today
        lines = [
            f" {patient.name}   {sex_letter(patient.sex)}  {age_text(patient.birth_date, today)}"
            f"  ({date_text(patient.birth_date)})   RM {patient.medical_record_number}",
            f" NIK {patient.nik or '-'}   BPJS {self._cards(patient)}   {patient.address}",
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
        notes += [problem_words.word(problem_words.IDENTITY_WARNINGS, code) for code in patient.warnings]
        lines.append(" " + ("! " + "; ".join(notes) if notes else _("identity verified")))
        return "\n".join(fit(line, 200).rstrip() for line in lines)

    @staticmethod
    def _cards(patient: PatientOut) -> str:
        """Return the BPJS number of the record, and one with which a number was taken from home if it is another."""
        held = patient.appointment
        sent = held.bpjs_number if held is not None else ""
        if sent in ("", patient.bpjs_number):
            return patient.bpjs_number or "-"
        other = _("at home: {number}").format(number=sent)
        return f"{patient.bpjs_number or '-'} ({other})"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow duplicates and the mother for a new patient, and correction for a known one."""
        if action in {"look_at_duplicates", "find_mother"}:
            return self._patient is None
        if action == "take_insurance":
            return bool(self.insurance_to_take())
        return (
            self._patient is not None
            if action == "edit_patient"
            else super().check_action(action, parameters)
        )

    def on_mount(self) -> None:
        """Focus the first empty field."""
        self._show_title()
        self.fill(self._values)
        self.propose_payer()
        self.settle_draft()
        if self._values.get("nik"):
            self.read_nik()
        self.query_one(f"#{self._first_field()}").focus()
        self.show_age()
        if self._patient is None:
            self.show_village()
        self.show_beside()
        self.check_soon()
        if self._confirms:
            self._confirms = False
            self.action_save()

    def _show_title(self) -> None:
        title = _("Visit") if self._patient is not None else _(self.TITLE_TEXT)
        clinic = self.session.clinic
        late = late_entry.summary(self._late, clinic)
        self.title_bar.set_title(f"{title}   {late}".rstrip())

    def action_late_entry(self) -> None:
        """Say when somebody came who was written on paper before."""
        self._ask_late()

    def _ask_late(self, problem: str = "", known: Values | None = None, *, leaves: bool = False) -> None:
        """Ask for the late entry.

        Args:
            problem: What is shown first.
            known: Its values; those of the form unless given.
            leaves: Whether the form waits from then on, and the next patient comes.
        """

        def given(values: Values | None) -> None:
            if values is None:
                return
            self._late = {name: values.get(name, "") for name in LATE_FIELDS}
            self._show_title()
            if leaves:
                self.keep_and_leave()
            else:
                self.keep_soon()

        self.app.push_screen(LateDialog(self.session, known or self._late, problem), given)

    def _first_field(self) -> str:
        """Return the number's field; when it is known, the first field that must still be filled in."""
        if self._patient is None and not self._values.get("nik"):
            return "nik"
        return next(iter(self.facts().problems()), "chief_complaint")

    def after_language(self) -> None:
        """Show the texts that depend on the fields."""
        self._show_title()
        self.query_one("#visit-heading", Static).update(" " + _("This visit"))
        self.show_age()
        if self._patient is None:
            self.show_village()
        self.show_beside()
        self.checks.forget()
        self.check_soon()

    def left_field(self) -> None:
        """Save the form as a draft on the server."""
        self.keep_soon()

    # The payer

    def form_values(self) -> Values:
        """Return the values of the form, with the payer's origin."""
        told = {"insurance_status": self.participant.status} if self.participant.status else {}
        late = {name: value for name, value in self._late.items() if value}
        return {**super().form_values(), "payer_source": self._payer_source, **told, **late}

    @on(ChoiceField.Changed, "#payer")
    def payer_chosen(self) -> None:
        """Keep the clerk's choice from here on."""
        self._payer_source = PayerSource.CLERK.value

    def payer_answered(self) -> None:
        """Remember that the payer is BPJS's answer."""
        self._payer_source = PayerSource.BPJS.value

    @on(TextField.Changed, "#bpjs_number")
    def propose_payer(self) -> None:
        """Show the payer that the number or the last visit tells, until the clerk chooses one."""
        payer, source = self.facts().payer
        if self._payer_source not in {PayerSource.CLERK, PayerSource.BPJS}:
            self._payer_source = source.value
            self.fill({"payer": payer.value})

    # Live checks

    def visit(self, facts: FormValues) -> dict[str, Any] | None:
        """Return the facts for the rules, once there is a complaint."""
        return facts.routing(facts.text("cluster")) if facts.text("chief_complaint") else None

    def show_checks(self) -> None:
        """Show the possible duplicates and the proposed cluster."""
        super().show_checks()
        set_text(self.query_one("#proposal", Static), self._proposal(self.checks.routing))

    def _proposal(self, routing: RoutingOut | None) -> str:
        if routing is None:
            return ""
        flags = "".join(
            f"!! {problem_words.word(problem_words.RED_FLAGS, flag.rule)}  " for flag in routing.red_flags
        )
        if routing.verdict is Verdict.BLOCKED:
            text = "!! " + problem_words.word(problem_words.BLOCKS, routing.blocked_code or "")
        elif routing.verdict is Verdict.UNSURE:
            text = "? " + problem_words.word(problem_words.QUESTIONS, routing.question or "which_complaint")
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
        """Return the draft's key: each form has a draft of its own."""
        return self._draft_key

    def draft(self) -> dict[str, Any]:
        """Return the form with the id under which it will be saved."""
        return draft_data(self._registration_id, self.form_values(), self._patient, self.facts().name)

    # Saving

    def action_save(self) -> None:
        """Check the required fields, then show the confirmation that no path can skip."""
        if not self.point_at_first(self.facts().problems()):
            self.confirm()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def confirm(self) -> None:
        """Decide about duplicates first, then confirm; keys typed ahead wait for each dialog."""
        try:
            with hold_keys(self.app):
                await self._check_before_saving()
                dialog = self._confirmation() if not self.must_decide() else None
            if self.must_say_whose_nik():
                self.ask_whose_nik()
            elif dialog is None:
                self.action_look_at_duplicates()
            elif self._may_be_pregnant():
                self._ask_pregnant()
            else:
                self.app.push_screen(dialog, self._confirmed)
        except RefusedError as refusal:
            self._refused(refusal.problem)
        except UnreachableError:
            self._go_on_with_paper()

    def _go_on_with_paper(self) -> None:
        """Offer to keep the form as a late entry, with the number of a printed form for the patient's hand."""
        if self.session.client.kept_drafts is None:  # on the server's own machine nothing outlives it
            self.say(_(problem_words.UNREACHABLE), "error")
            return
        arrived = self._late[ARRIVED] or self._begun_at.isoformat(timespec="minutes")
        writer = self._late[WRITTEN_BY] or self.session.account.name
        self._ask_late(
            _(
                "No answer from the server: NOT SAVED. A danger sign? To the emergency room first. Give the patient "
                "a printed form; this one is kept here."
            ),
            {**self._late, ARRIVED: arrived, WRITTEN_BY: writer},
            leaves=True,
        )

    def leave_kept_here(self) -> bool:
        """Leave a form that waits on this machine; the search box tells how many do."""
        self.dismiss(None)
        return True

    def _may_be_pregnant(self) -> bool:
        """Return whether the complaint tells of a pregnancy that the form does not mark, and nobody was asked."""
        routing = self.checks.routing
        return (
            routing is not None
            and routing.says_pregnant
            and self.facts().text("chief_complaint") != self._not_pregnant_in
        )

    def _ask_pregnant(self) -> None:
        """Ask before the confirmation, which then judges by the answer."""

        def answered(answer: str | None) -> None:
            if answer is None:
                return
            if answer == YES:
                self.fill({"pregnant": YES})
            else:
                self._not_pregnant_in = self.facts().text("chief_complaint")
            self.action_save()

        options = [(choice.key, choice.value, _(choice.label)) for choice in self.yes_no()]
        note = self.facts().text("chief_complaint")
        self.app.push_screen(
            LettersDialog(self.session, N_("Is the patient pregnant?"), options, notes=[note]), answered
        )

    async def _check_before_saving(self) -> None:
        """Ask the core for the checks still missing for the current form.

        Raises:
            UnreachableError: It does not answer, or the line is silent for longer than a patient is kept waiting.
        """
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                await self.ask()
        except TimeoutError as silence:
            raise UnreachableError(str(silence)) from silence
        except RefusedError as refusal:
            if refusal.code not in FAULTS:
                raise
            raise RefusedError(
                refusal.problem.model_copy(update={"code": "duplicate_check_failed"})
            ) from refusal

    def _confirmation(self) -> ConfirmDialog:
        facts = self.facts()
        client = self.session.client

        async def ask(cluster: str | None, doubt_answer: DoubtAnswer | None) -> RoutingOut:
            return await client.registrations.routing(facts.routing(cluster, doubt_answer))

        def request(cluster: str, reason: str | None) -> dict[str, Any]:
            body = facts.registration(self._registration_id, cluster, reason, self._duplicate_decision)
            body |= {"deceased_confirmed": True} if self._deceased_confirmed else {}
            return body | ({"nik_holder": NikHolder.SELF.value} if self._nik_is_own else {})

        chosen = facts.text("cluster") or None
        assert self.checks.routing is not None
        return ConfirmDialog(self.session, facts, chosen, self.checks.routing, ask, request)

    def _confirmed(self, outcome: Saved | Problem | None) -> None:
        if isinstance(outcome, Problem):
            self._refused(outcome)
        elif outcome is not None:
            self._show_receipt(outcome.receipt)

    def _refused(self, problem: Problem) -> None:
        """Keep everything typed, and focus the field to correct."""
        if self.asks_about(problem):
            return
        if problem.code == "patient_deceased":
            self._ask_deceased(problem)
        elif problem.fields:
            self._point_at_problem(*next(iter(problem.fields.items())))
        else:
            self.say(problem_words.problem_text(problem), "error")

    def _point_at_problem(self, path: str, code: str) -> None:
        if path.startswith("late."):
            self._ask_late(problem_words.field_problem(path, code))
        else:
            self.point_at(path, code)

    def _ask_deceased(self, problem: Problem) -> None:
        """Register somebody who is marked as deceased only after a yes."""

        def answered(answer: str | None) -> None:
            if answer == "yes":
                self._deceased_confirmed = True
                self.action_save()

        options = [("Y", "yes", _("Register all the same")), ("N", "no", _("Do not register"))]
        note = problem_words.problem_text(problem)
        title = N_("Marked as DECEASED: register all the same?")
        self.app.push_screen(LettersDialog(self.session, title, options, notes=[note]), answered)

    def _show_receipt(self, receipt: Receipt) -> None:
        self.session.last_patient_id = receipt.patient_id
        self.end_draft()
        self.drop_draft()
        screen = ReceiptScreen(self.session, receipt, self.facts())
        self.app.push_screen(screen, self.dismiss)

    @work(exclusive=True, group="draft", exit_on_error=False)
    async def drop_draft(self) -> None:
        """Delete the draft of a saved form."""
        try:
            await drop(self.session.client, self.draft_key)
        except (RefusedError, UnreachableError):
            return  # the draft is offered again, and its id finds the receipt

    def is_known(self, patient: PatientOut) -> None:
        """Continue with that patient's visit."""
        visit = ["chief_complaint", "pregnant", "disability", "cluster"]
        if self._payer_source in {PayerSource.CLERK, PayerSource.BPJS}:
            visit.append("payer")
        self.become(patient, {name: value for name, value in self.field_values().items() if name in visit})

    @work(exclusive=True, group="save", exit_on_error=False)
    async def become(self, patient: PatientOut, values: Values) -> None:
        """Continue as a visit of a known patient, keeping the facts of the visit."""
        with hold_keys(self.app):
            self._patient, self._values, self._registration_id = patient, values, new_id()
            self.checks.forget()
            await self.recompose()
            self.on_mount()
            self.keep_again()
            self.say(_("Known patient: only the visit is left to fill in."))

    def action_to_complaint(self) -> None:
        """Go to the complaint: most of the fields before it may stay empty."""
        self.query_one("#chief_complaint").focus()

    def action_find_mother(self) -> None:
        """Find a newborn's mother, whose record stands in until the child has a number of its own."""
        typed = self.facts()
        known = typed.text("mother_name") or mother_in(typed.text("name"))
        self.app.push_screen(MotherDialog(self.session, known), self._mother_found)

    def _mother_found(self, mother: PatientOut | None) -> None:
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
        """Show the corrected card; the facts of the visit stay."""
        values = self.field_values()
        with self.saying_refusals(), hold_keys(self.app):
            self._patient, self._values = await self.session.client.patients.get(note.patient_id), values
            await self.recompose()
            self.on_mount()
            self.keep_again()
            self.say(note.text, "good")

    def action_back(self) -> None:
        """Leave; the draft stays on the server."""
        self.keep_and_leave()
