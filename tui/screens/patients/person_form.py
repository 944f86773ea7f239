"""Shared behaviour of forms about a person: the fields, the values derived from a NIK, and the duplicates."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from core.foundation.codes import DuplicateBand, NikHolder
from core.patients.fields import BY_NAME, PATIENT_FIELDS
from core.patients.national_ids import NIK_LENGTH, Outcome
from core.schemas.base import Problem
from core.schemas.patients import DuplicateResult, NikDoubt, PatientOut, longest
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.registration.checks import Checks
from tui.registration.form_values import YES, FormValues, from_nik
from tui.registration.nik_holder import IS_HOLDER, finding_words, moved
from tui.screens.base import LoketScreen, Values
from tui.screens.patients.village import ChosenVillage, VillageDialog
from tui.screens.registration.duplicates import DuplicateDialog
from tui.screens.registration.nik_holder import NikHolderDialog
from tui.session import Session
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, fit, sex_letter
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, Label, TextField, choices, labelled, set_text

DEBOUNCE_SECONDS = 0.35  # seconds of pause in typing after which the core is asked

ONLY_FOR = tuple(field for field in PATIENT_FIELDS if field.only_for is not None)
"""Fields that are asked for only with a certain reason for a missing NIK; they share a row."""
ONLY_FOR_CLASS = "only-for"
_ONLY_FOR_NAMES = frozenset(field.name for field in ONLY_FOR)

RELATIVES_NIKS = ("mother_nik", "guardian_nik")
"""Numbers of relatives whose card was shown; no field holds them: a question puts them there."""
NIK_FACTS = frozenset({"name", "nik", "birth_date", "sex"})
"""Fields by which a NIK is doubted."""

CORRECTED_CLASS = "other-names"
"""Row of the names besides: a new patient's are typed behind the name, after `alias`."""

ResultT = TypeVar("ResultT")


class PersonScreen(LoketScreen[ResultT]):
    """A form with the fields of a person.

    Attributes:
        checks: Last answers of the core about the form.
        LAST_FIELD: Field in which Enter saves.
        ASKS_OTHER_NAMES: Whether the form has a field of its own for the names besides.
        MAY_OPEN_HOLDER: Whether the form can go on with the patient who has the NIK that was typed.
        NEW_DECIDED: msgid of the status when the clerk decides that none of the duplicates is this person.
    """

    BINDINGS = [
        keymap.VILLAGE,
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    LAST_FIELD = ""
    MAY_OPEN_HOLDER = True
    ASKS_OTHER_NAMES = False
    NEW_DECIDED = N_("Registered as a new person. F10 goes on.")

    def __init__(self, session: Session, values: Values | None = None) -> None:
        super().__init__(session)
        self._values = dict(values or {})
        self._mother_id = self._values.pop("mother_id", "")
        self._relatives_niks = {name: self._values.pop(name, "") for name in RELATIVES_NIKS}
        self._village_words = self._values.pop("village", "")
        """Village and district of the code, as a person reads them."""
        self._nik_is_own = False
        """The clerk says that a doubted NIK is the patient's own."""
        self.checks = Checks(session.client)
        self._duplicate_decision: str | None = None
        self._timer: Timer | None = None

    @property
    def known(self) -> PatientOut | None:
        """The patient, where the person's fields are not part of the form."""
        return None

    # Layout

    def compose_person(self) -> ComposeResult:
        """Yield the person's fields."""
        with FieldRow():
            yield from _text("nik", width=21)
            reasons = choices(problem_words.NO_IDENTIFIER_REASONS)
            yield from _labelled(
                "no_identifier_reason", ChoiceField("no_identifier_reason", reasons, optional=True), cells=14
            )
        with FieldRow(classes=ONLY_FOR_CLASS) as row:
            row.display = False
            yield from _text("passport_number", width=23)
            yield from _text("village_code", width=15, cells=16)
        with FieldRow():
            yield from _text("name")
        with FieldRow():
            yield from _labelled("birth_date", TextField("birth_date", cells=13, longest=10))
            yield Static("", id="age", markup=False)
            yield from _labelled("sex", ChoiceField("sex", self._sexes(), optional=True), cells=14)
        with FieldRow():
            yield from _text("bpjs_number", width=21)
            yield from _text("family_card_number", cells=14)
        with FieldRow():
            yield from _text("mother_name", width=37)
            yield from _text("phone", cells=8)
        with FieldRow():
            yield from _text("address")
            yield from _text("rt", width=6, cells=4)
            yield from _text("rw", width=6, cells=4)
        with FieldRow(classes=CORRECTED_CLASS) as row:
            row.display = self.ASKS_OTHER_NAMES
            yield from _text("other_names")
        with FieldRow():
            yield from labelled(N_("Card seen"), ChoiceField("identity_verified", self.yes_no(), value="no"))
            yield Static("", id="village", markup=False)

    def _sexes(self) -> list[Choice]:
        return [Choice("male", N_("Male"), _("M")), Choice("female", N_("Female"), _("F"))]

    def yes_no(self) -> list[Choice]:
        """Return yes and no with their letters in this language."""
        return [Choice(YES, N_("Yes"), _("Y")), Choice("no", N_("No"), _("N"))]

    def fill(self, values: Values) -> None:
        """Put values into fields, and show the row that the reason for a missing NIK asks for."""
        super().fill(values)
        self._show_only_for()

    def _show_only_for(self) -> None:
        facts = self.facts()
        for row in self.query(f".{ONLY_FOR_CLASS}"):
            row.display = any(facts.asks_for(field) for field in ONLY_FOR if field.name != "village_code")

    # Moving through the form

    def form_values(self) -> Values:
        """Return the values of the form, with the id of the chosen mother."""
        typed = {name: value.strip() for name, value in self.field_values().items()}
        # Fields that are not asked for are not sent.
        values = {name: value for name, value in typed.items() if value or not self._is_hidden(name)}
        kept = {"mother_id": self._mother_id, "village": self._village_words, **self._relatives_niks}
        return {**values, **{name: value for name, value in kept.items() if value}}

    def _is_hidden(self, name: str) -> bool:
        return name in _ONLY_FOR_NAMES and not self.query_one(f".{ONLY_FOR_CLASS}").display

    def facts(self) -> FormValues:
        """Return the values of the form with the patient they are about."""
        return FormValues(self.form_values(), self.known, self.session.clinic.today)

    @on(TextField.Submitted)
    def next_after_text(self, event: TextField.Submitted) -> None:
        """Go to the next field on Enter."""
        self._next(event.input)

    @on(ChoiceField.Submitted)
    def next_after_choice(self, event: ChoiceField.Submitted) -> None:
        """Go to the next field on Enter; in the last field, save."""
        self._next(event.field)

    def _next(self, field: Widget) -> None:
        name = field.id or ""
        problem = self.facts().problems().get(name)
        if name == self.LAST_FIELD:
            self.run_worker(self.run_action("save"), exit_on_error=False)
        elif problem is not None and self.is_marked(name):
            # Keys typed by habit after F10 or Enter must not land in the field after the refused one.
            self.point_at(name, problem)
        else:
            self.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show which values a choice field takes."""
        if isinstance(event.widget, ChoiceField):
            self.hint(event.widget.hint())
        elif event.widget.id == "birth_date":
            self.hint(_("Day, month, year: 31121990, 31-12-1990; not known: age 45, 8 mo, 10 d"))
        elif event.widget.id == "address" and self.has_class("-wide"):  # on a small terminal the help says it
            self.hint(_("F6: kelurahan from the list"))
        else:
            self.hint("")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Check the field that was left."""
        name = event.widget.id or ""
        if name == "nik":
            self.read_nik()
        born = self.facts().birth_date
        if name == "birth_date" and born is not None and not self.facts().is_estimated:
            self.fill({"birth_date": date_text(born)})
        if name in {"birth_date", "name"}:
            problem = self.facts().problems().get(name)
            self.mark(name, problem if problem != "required" else None)
        self.left_field()

    def left_field(self) -> None:
        """React further when a field was left."""

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def changed(self, event: TextField.Changed | ChoiceField.Changed) -> None:
        """React to a changed value."""
        event.stop()
        self.settle_status()
        field = event.control
        if field.id == "nik" and len(self.facts().text("nik")) >= NIK_LENGTH:
            self.read_nik()
        if field.id in {"birth_date", "sex"}:
            self.show_age()
        if field.id == "no_identifier_reason":
            self._show_only_for()
        if field.id in {"name", "nik", "birth_date", "bpjs_number"}:
            self._duplicate_decision = None  # the form is about another person now
        if field.id in NIK_FACTS:
            self._nik_is_own = False
        if field.id == "mother_name":
            self._mother_id = ""
        self.mark(field.id or "", None)
        self.check_soon()

    def read_nik(self) -> None:
        """Check the NIK, and fill birth date and sex from it where they are empty."""
        nik = self.facts().text("nik")
        if self.known is not None or not nik:
            return
        check, filled = from_nik(nik, self.facts().values, self.session.clinic.today)
        self.fill(filled)
        self.show_age()
        rejected = check.outcome is Outcome.REJECT
        self.mark("nik", check.findings[0].code if rejected else None)
        if check.findings and not rejected:
            notes = [
                problem_words.word(problem_words.IDENTITY_WARNINGS, finding.code)
                for finding in check.findings
            ]
            self.say("; ".join(notes), "warning")

    def show_age(self) -> None:
        """Show the age that the birth date gives."""
        if self.known is not None:
            return
        born = self.facts().birth_date
        text = age_text(born, self.session.clinic.today) if born is not None else ""
        if self.facts().is_estimated:
            text = "~" + text
        set_text(self.query_one("#age", Static), text)

    def mark(self, field: str, problem: str | None) -> None:
        """Mark a field as wrong and say why, or remove the mark."""
        with suppress(NoMatches):  # a field of another form
            self.query_one(f"#label-{field}", Label).mark(problem is not None)
        if problem is not None:
            self.say(problem_words.field_problem(field, problem), "error")

    def point_at_first(self, problems: dict[str, str]) -> bool:
        """Mark all wrong fields and go to the first; return whether there is one."""
        for label in self.walk_children(Label):
            label.mark((label.id or "").removeprefix("label-") in problems)
        if problems:
            self.point_at(*next(iter(problems.items())))
        return bool(problems)

    # The village

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the villages where the person's fields are part of the form."""
        return self.known is None if action == "find_village" else super().check_action(action, parameters)

    def action_find_village(self) -> None:
        """Find the village in the region list."""

        def chosen(village: ChosenVillage | None) -> None:
            if village is not None:
                self.village_chosen(village)

        self.app.push_screen(VillageDialog(self.session), chosen)

    def village_chosen(self, village: ChosenVillage) -> None:
        """Keep the code; words that are not in the list go into the address."""
        self.fill({"village_code": village.code})
        self._village_words = village.words if village.code else ""
        self.show_village()
        if not village.code:
            address = self.facts().text("address")
            self.fill({"address": ", ".join(part for part in (address, f"Kel. {village.words}") if part)})
            self.say(_("Not in the region list: in the address as typed, without a code."), "warning")
        self.left_field()
        self.check_soon()

    def show_village(self) -> None:
        """Show the chosen village beside the last field."""
        code = self.facts().text("village_code") if self.known is None else ""
        words = self._village_words or code
        text = f"    {_('Kelurahan')}: {words}" if code else ""
        set_text(self.query_one("#village", Static), text)

    # Look-alikes

    def check_soon(self) -> None:
        """Ask the core when typing pauses: no key waits for an answer."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self.check_live)

    @work(exclusive=True, group="check", exit_on_error=False)
    async def check_live(self) -> None:
        """Show the core's answers about the form."""
        try:
            await self.ask()
        except (RefusedError, UnreachableError):
            return  # only a help while typing; saving asks again and reports errors

    async def ask(self) -> None:
        """Ask the core for the answers missing for these values, and show them.

        Raises:
            RefusedError: The core refuses the question.
            UnreachableError: The core does not answer.
        """
        facts = self.facts()
        are_new = await self.checks.ask(self.described(facts), self.visit(facts))
        if are_new and self.query("#duplicates"):  # none where the form was closed meanwhile
            self.show_checks()

    def show_checks(self) -> None:
        """Show the answers."""
        self.show_duplicates()

    def visit(self, facts: FormValues) -> dict[str, Any] | None:
        """Return the question to the routing rules; None where the form is about no visit."""
        return None

    def described(self, facts: FormValues) -> dict[str, Any] | None:
        """Return the question to the duplicate check; None while too little is typed."""
        return facts.duplicates() if self.known is None else None

    def show_duplicates(self) -> None:
        """Show the first duplicates under the form, with the reasons."""
        found = self.checks.duplicates
        lines: list[str] = []
        if self.must_say_whose_nik():
            assert self.checks.nik is not None
            lines.append(" ! " + _("Whose NIK? {why}").format(why=finding_words(self.checks.nik)))
        if found is not None and found.band is not DuplicateBand.NEW and not self._duplicate_decision:
            sure = found.band is DuplicateBand.EXISTING
            lines.append(" ! " + (_("KNOWN ALREADY? F7 opens") if sure else _("Perhaps known: F7 compares")))
            for candidate in found.candidates[:3]:
                patient = candidate.patient
                why = ", ".join(problem_words.likeness(candidate.reasons)[:3])
                lines.append(
                    f"   {fit(patient.name, 24)} {sex_letter(patient.sex)} {date_text(patient.birth_date)}"
                    f" {patient.medical_record_number} {why}"
                )
        width = max(20, self.size.width - 1)
        text = "\n".join(fit(line, width).rstrip() for line in lines)
        set_text(self.query_one("#duplicates", Static), text, layout=True)

    def must_decide(self) -> bool:
        """Return whether duplicates are known and the clerk has not decided yet."""
        found = self.checks.duplicates
        return (
            self.known is None
            and self._duplicate_decision is None
            and found is not None
            and found.band is not DuplicateBand.NEW
        )

    def must_say_whose_nik(self) -> bool:
        """Return whether the NIK may be another person's and the clerk has not said whose it is."""
        return self.known is None and self.checks.nik is not None and not self._nik_is_own

    def asks_about(self, problem: Problem) -> bool:
        """Ask what the core wants to know before it saves; return False where the problem is another one."""
        if problem.code == "duplicate_decision_required":
            self.checks.duplicates = DuplicateResult.model_validate(problem.details)
            self.show_duplicates()
            self.action_look_at_duplicates()
            return True
        if problem.code == "nik_of_another":
            self.checks.nik = NikDoubt.model_validate(problem.details)
            self.ask_whose_nik()
            return True
        return False

    def ask_whose_nik(self) -> None:
        """Ask whose the NIK is; the answer moves it to where it belongs, and the save goes on."""
        doubt = self.checks.nik
        assert doubt is not None

        def answered(answer: str | None) -> None:
            if answer is not None and doubt is not None:
                self.nik_answered(doubt, answer)

        dialog = NikHolderDialog(self.session, doubt, self.facts(), may_open=self.MAY_OPEN_HOLDER)
        self.app.push_screen(dialog, answered)

    def nik_answered(self, doubt: NikDoubt, answer: str) -> None:
        """Take the answer to whose a NIK is."""
        if answer == IS_HOLDER:
            assert doubt.holder is not None
            self.is_known(doubt.holder)
            return
        if answer == NikHolder.SELF:
            self._nik_is_own = True
        else:
            values = moved(doubt, answer, self.facts())
            self._relatives_niks |= {name: values[name] for name in RELATIVES_NIKS if name in values}
            self.fill(values)
            self._mother_id = values.get("mother_id", self._mother_id)
            self.checks.nik = None
        self.show_duplicates()
        self.left_field()
        self.run_worker(self.run_action("save"), exit_on_error=False)

    def action_look_at_duplicates(self) -> None:
        """Show all duplicates, with the reasons."""
        found = self.checks.duplicates
        if found is None or not found.candidates:
            self.say(_("Nobody like this is known."))
            return
        self.app.push_screen(self.duplicate_dialog(found), self._decided)

    def duplicate_dialog(self, found: DuplicateResult) -> DuplicateDialog:
        """Return the dialog in which the clerk decides about duplicates."""
        return DuplicateDialog(self.session, found)

    def _decided(self, decision: str | None) -> None:
        if decision is None:
            return
        if decision == DuplicateDialog.NEW:
            self._duplicate_decision = "new"
            self.show_duplicates()
            self.say(_(self.NEW_DECIDED))
            return
        assert self.checks.duplicates is not None
        self.is_known(
            next(item.patient for item in self.checks.duplicates.candidates if item.patient.id == decision)
        )

    def is_known(self, patient: PatientOut) -> None:
        """Continue with this patient: the clerk says that it is the person in the form."""


def _text(name: str, *, width: int = 0, cells: int = 13) -> ComposeResult:
    """Yield a text of the patient behind its label; it takes what the core takes.

    Args:
        name: The field.
        width: In cells, 0 for what is left.
        cells: Width of the label.
    """
    yield from _labelled(name, TextField(name, cells=width, longest=longest(name)), cells=cells)


def _labelled(name: str, field: Widget, *, cells: int = 13) -> ComposeResult:
    """Yield a patient field behind its label."""
    yield from labelled(BY_NAME[name].label, field, cells=cells)
