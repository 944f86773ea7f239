"""What the forms about a person share: the fields, what the NIK fills in, and who looks alike."""

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

from core.identity import Outcome
from core.schemas.patients import DuplicateResult, PatientShape
from core.vocabulary import DuplicateBand
from tui import words
from tui.client import Refused, UnreachableError
from tui.formatting import age_text, date_text, fit, sex_letter
from tui.registration.checks import Checks
from tui.registration.facts import NIK_DIGITS, YES, Facts, from_nik
from tui.screens.base import LoketScreen, Values
from tui.screens.registration.duplicates import DuplicateDialog
from tui.session import Session
from tui.text import N_, _
from tui.widgets import Choice, ChoiceField, Label, Row, TextField, choices, labelled, set_text

DEBOUNCE_SECONDS = 0.35

ResultT = TypeVar("ResultT")


class PersonScreen(LoketScreen[ResultT]):
    """A form with a person in it. Which person is known already, if any, the screen itself says.

    Attributes:
        checks: What the core said of the form last.
        LAST_FIELD: Enter in it saves.
        NEW_DECIDED: What is said when the clerk decides that nobody of the look-alikes is meant.
    """

    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    LAST_FIELD = ""
    NEW_DECIDED = N_("Registered as a new person. F10 goes on.")

    def __init__(self, session: Session, values: Values | None = None) -> None:
        super().__init__(session)
        self._values = dict(values or {})
        self._mother_id = self._values.pop("mother_id", "")
        self.checks = Checks(session.client)
        self._duplicate_decision: str | None = None
        self._timer: Timer | None = None

    @property
    def known(self) -> PatientShape | None:
        """Who it is about, where the person's fields are not part of the form."""
        return None

    # Layout

    def compose_person(self) -> ComposeResult:
        """The person's fields."""
        with Row():
            yield from labelled(N_("NIK"), TextField("nik", cells=21, longest=32))
            yield from labelled(
                N_("Without card"),
                ChoiceField("no_identifier_reason", choices(words.NO_IDENTIFIER_REASONS), optional=True),
                cells=14,
            )
        with Row():
            yield from labelled(N_("Name"), TextField("name", longest=120))
        with Row():
            yield from labelled(N_("Birth date"), TextField("birth_date", cells=13, longest=10))
            yield Static("", id="age", markup=False)
            yield from labelled(N_("Sex"), ChoiceField("sex", self._sexes(), optional=True), cells=14)
        with Row():
            yield from labelled(N_("BPJS number"), TextField("bpjs_number", cells=21, longest=32))
            yield from labelled(N_("Family card"), TextField("family_card_number", longest=32), cells=14)
        with Row():
            yield from labelled(N_("Mother"), TextField("mother_name", cells=37, longest=120))
            yield from labelled(N_("Phone"), TextField("phone", longest=20), cells=8)
        with Row():
            yield from labelled(N_("Address"), TextField("address", longest=200))
            yield from labelled(N_("RT"), TextField("rt", cells=6, longest=3), cells=4)
            yield from labelled(N_("RW"), TextField("rw", cells=6, longest=3), cells=4)
        with Row():
            yield from labelled(N_("Card seen"), ChoiceField("identity_verified", self.yes_no(), value="no"))

    def _sexes(self) -> list[Choice]:
        return [Choice("male", N_("Male"), _("M")), Choice("female", N_("Female"), _("F"))]

    def yes_no(self) -> list[Choice]:
        """Yes and no with their letters in this language."""
        return [Choice(YES, N_("Yes"), _("Y")), Choice("no", N_("No"), _("N"))]

    # Moving through the form

    def form_values(self) -> Values:
        """What the form holds, the chosen mother's record with it."""
        values = {name: value.strip() for name, value in self.field_values().items()}
        return {**values, "mother_id": self._mother_id} if self._mother_id else values

    def facts(self) -> Facts:
        """What the form holds now."""
        return Facts(self.form_values(), self.known, self.session.clinic.today)

    @on(TextField.Submitted)
    def next_after_text(self, event: TextField.Submitted) -> None:
        """Enter leads on."""
        self._next(event.input)

    @on(ChoiceField.Submitted)
    def next_after_choice(self, event: ChoiceField.Submitted) -> None:
        """Enter leads on; in the last field it saves."""
        self._next(event.field)

    def _next(self, field: Widget) -> None:
        name = field.id or ""
        problem = self.facts().problems().get(name)
        if name == self.LAST_FIELD:
            self.run_worker(self.run_action("save"), exit_on_error=False)
        elif problem is not None and self.is_marked(name):
            # F10 and Enter by habit: what is typed next must not land in the field after the one refused.
            self.point_at(name, problem)
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
        """Whatever else is done when a field was left."""

    @on(TextField.Changed)
    @on(ChoiceField.Changed)
    def changed(self, event: TextField.Changed | ChoiceField.Changed) -> None:
        """Follow what is typed."""
        event.stop()
        self.settle_status()
        field = event.control
        if field.id == "nik" and len(self.facts().text("nik")) >= NIK_DIGITS:
            self.read_nik()
        if field.id in {"birth_date", "sex"}:
            self.show_age()
        if field.id in {"name", "nik", "birth_date", "bpjs_number"}:
            self._duplicate_decision = None  # about somebody else now
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
            notes = [words.word(words.IDENTITY_WARNINGS, finding.code) for finding in check.findings]
            self.say("; ".join(notes), "warning")

    def show_age(self) -> None:
        """The age that the birth date gives."""
        if self.known is not None:
            return
        born = self.facts().birth_date
        text = age_text(born, self.session.clinic.today) if born is not None else ""
        if self.facts().is_estimated:
            text = "~" + text
        set_text(self.query_one("#age", Static), text)

    def mark(self, field: str, problem: str | None) -> None:
        """Mark a field as wrong and say why, or take the mark away."""
        with suppress(NoMatches):  # a field of another form
            self.query_one(f"#label-{field}", Label).mark(problem is not None)
        if problem is not None:
            self.say(words.field_problem(field, problem), "error")

    def point_at_first(self, problems: dict[str, str]) -> bool:
        """Mark all wrong fields and lead to the first; says whether there is one."""
        for label in self.walk_children(Label):
            label.mark((label.id or "").removeprefix("label-") in problems)
        if problems:
            self.point_at(*next(iter(problems.items())))
        return bool(problems)

    # Look-alikes

    def check_soon(self) -> None:
        """Ask when typing pauses: no key waits for an answer."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self.check_live)

    @work(exclusive=True, group="check", exit_on_error=False)
    async def check_live(self) -> None:
        """Show what the core says of the form as it stands."""
        try:
            await self.ask()
        except (Refused, UnreachableError):
            return  # only a help while typing; saving asks again and says what is wrong

    async def ask(self) -> None:
        """Ask the core what was not asked of the form as it stands, and show it.

        Raises:
            Refused, UnreachableError: As the client.
        """
        facts = self.facts()
        if await self.checks.ask(self.described(facts), self.visit(facts)):
            self.show_checks()

    def show_checks(self) -> None:
        """Who may be the same person."""
        self.show_duplicates()

    def visit(self, facts: Facts) -> dict[str, Any] | None:
        """What the routing rules are asked; None where the form is about no visit."""
        return None

    def described(self, facts: Facts) -> dict[str, Any] | None:
        """What the duplicate check is asked; None while there is too little."""
        return facts.duplicates() if self.known is None else None

    def show_duplicates(self) -> None:
        """The first look-alikes under the form, with the reasons."""
        found = self.checks.duplicates
        lines: list[str] = []
        if found is not None and found.band is not DuplicateBand.NEW and not self._duplicate_decision:
            sure = found.band is DuplicateBand.EXISTING
            lines.append(" ! " + (_("KNOWN ALREADY? F7 opens") if sure else _("Perhaps known: F7 compares")))
            for candidate in found.candidates[:3]:
                patient = candidate.patient
                why = ", ".join(words.likeness(candidate.reasons)[:3])
                lines.append(
                    f"   {fit(patient.name, 24)} {sex_letter(patient.sex)} {date_text(patient.birth_date)}"
                    f" {patient.medical_record_number} {why}"
                )
        width = max(20, self.size.width - 1)
        text = "\n".join(fit(line, width).rstrip() for line in lines)
        set_text(self.query_one("#duplicates", Static), text, layout=True)

    def must_decide(self) -> bool:
        """Whether somebody alike is known and nobody has said yet who this is."""
        found = self.checks.duplicates
        return (
            self.known is None
            and self._duplicate_decision is None
            and found is not None
            and found.band is not DuplicateBand.NEW
        )

    def action_look_at_duplicates(self) -> None:
        """Show who may be the same person, with the reasons."""
        found = self.checks.duplicates
        if found is None or not found.candidates:
            self.say(_("Nobody like this is known."))
            return
        self.app.push_screen(self.duplicate_dialog(found), self._decided)

    def duplicate_dialog(self, found: DuplicateResult) -> DuplicateDialog:
        """The dialog that asks who this is."""
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

    def is_known(self, patient: PatientShape) -> None:
        """The clerk says that the person in the form is this patient."""
