"""A patient's card corrected: the same form as for a new patient, checked again in the same way."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.widgets import Static

from core.schemas.patients import DuplicateResult, PatientShape, SuspectedShape
from tui import keymap, words
from tui.client import Refused, UnreachableError
from tui.formatting import date_text
from tui.registration.facts import PERSON_TEXTS, YES, Facts
from tui.screens.base import Values
from tui.screens.patients.compare import CompareScreen
from tui.screens.patients.notes import Corrected
from tui.screens.patients.person import PersonScreen
from tui.screens.registration.duplicates import DuplicateDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _

TELLING = ("name", "birth_date", "nik", "bpjs_number", "family_card_number", "mother_name")


class EditScreen(PersonScreen[Corrected]):
    """What a record says of a person, to be corrected; gives what was done, None when nothing was."""

    AREA = "register"
    TITLE_TEXT = N_("Correct a card")
    HELP_TEXT = N_(
        "Enter or the down arrow leads to the next field. When the person's card is here, type its NIK and "
        "answer 'Card seen' with yes: that takes the patient off the verify-later list. F10 saves; the "
        "earlier version is kept. Where the card now looks like another patient's, F7 shows whose."
    )
    BINDINGS = [keymap.SAVE, keymap.LOOK_ALIKES, keymap.BACK]
    CSS_PATH = "edit.tcss"
    LAST_FIELD = "identity_verified"
    NEW_DECIDED = N_("Somebody else. F10 saves.")

    def __init__(self, session: Session, patient: PatientShape) -> None:
        super().__init__(session, _values_of(patient))
        self._patient = patient
        self._before: Values = {}
        self._warned = False

    def compose_body(self) -> ComposeResult:
        """Whose card it is, and the form."""
        yield Static("", id="card", markup=False)
        yield from self.compose_person()
        yield Static("", id="duplicates", markup=False)

    def on_mount(self) -> None:
        """Begin at the number where the card is still to be seen, else at the name."""
        self.fill(self._values)
        self._before = self.form_values()
        self._show_card()
        self.show_age()
        missing = self._patient.identity_verified_at is None and not self._patient.nik
        self.query_one("#nik" if missing else "#name").focus()

    def after_language(self) -> None:
        """Say it in the other language."""
        self._show_card()
        self.show_age()

    def _show_card(self) -> None:
        seen = self._patient.identity_verified_at is not None
        state = _("identity verified") if seen else _("identity not verified: ask for the card")
        self.query_one("#card", Static).update(f" RM {self._patient.medical_record_number}   {state}")

    def described(self, facts: Facts) -> dict[str, Any] | None:
        """Asked only when something that says who it is has changed."""
        if all(facts.values.get(name, "") == self._before.get(name, "") for name in TELLING):
            return None
        asked = facts.duplicates()
        return {**asked, "exclude_id": self._patient.id} if asked is not None else None

    # Saving

    def action_save(self) -> None:
        """Check what must be there, then save."""
        if self.point_at_first(self.facts().person_problems()):
            return
        changes = self._changes()
        if changes:
            self.save(changes)
        else:
            self.say(_("Nothing was changed."))

    def _changes(self) -> dict[str, Any]:
        """What `PATCH patients/{id}` takes: only what differs from the card as it was read."""
        values, facts = self.form_values(), self.facts()
        changed = {name for name, value in values.items() if value != self._before.get(name, "")}
        changes: dict[str, Any] = {name: facts.text(name) for name in PERSON_TEXTS if name in changed}
        if "birth_date" in changed and facts.birth_date is not None:
            changes["birth_date"] = facts.birth_date.isoformat()
            changes["birth_date_estimated"] = facts.is_estimated
        if "sex" in changed:
            changes["sex"] = facts.sex
        if "identity_verified" in changed:
            changes["identity_verified"] = facts.text("identity_verified") == YES
        if "no_identifier_reason" in changed and not facts.text("nik"):
            changes["no_identifier_reason"] = facts.text("no_identifier_reason") or None
        return changes

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, changes: dict[str, Any]) -> None:
        """Send it; whatever is refused stays typed."""
        body = {**changes, "expected_version": self._patient.version}
        if changes.get("identity_verified"):
            body.setdefault("nik", self.facts().text("nik") or None)
        if self._duplicate_decision:
            body["duplicate_decision"] = self._duplicate_decision
        try:
            with hold_keys(self.app):
                stored = await self.session.client.edit_patient(self._patient.id, body)
        except Refused as refusal:
            self._refused(refusal)
        except UnreachableError:
            self.say(_(words.UNREACHABLE), "error")
        else:
            self.dismiss(Corrected(stored.id, self._done(stored)))

    def _done(self, stored: PatientShape) -> str:
        if stored.id == self._patient.id:
            return _("Card corrected: {name}").format(name=stored.name)
        return _("The card belongs to RM {number}: both records are one now.").format(
            number=stored.medical_record_number
        )

    def _refused(self, refusal: Refused) -> None:
        problem = refusal.problem
        if problem.code == "duplicate_decision_required":
            self.checks.duplicates = DuplicateResult.model_validate(problem.details)
            self.show_duplicates()
            self.action_look_at_duplicates()
        elif problem.code == "changed_meanwhile":
            self.say(_("Somebody corrected this card meanwhile. Esc, then open it again."), "error")
        elif problem.fields:
            self.point_at(*next(iter(problem.fields.items())))
        else:
            self.say(words.problem_text(problem), "error")

    # Look-alikes

    def duplicate_dialog(self, found: DuplicateResult) -> DuplicateDialog:
        """The dialog that asks whether it is one of them."""
        return DuplicateDialog(self.session, found, correcting=True)

    def is_known(self, patient: PatientShape) -> None:
        """Two records of one person: they are put side by side."""
        assert self.checks.duplicates is not None
        candidate = next(item for item in self.checks.duplicates.candidates if item.patient.id == patient.id)
        pair = SuspectedShape(
            left=self._patient, right=patient, score=candidate.score, reasons=candidate.reasons
        )
        self.app.push_screen(CompareScreen(self.session, pair), self._compared)

    def _compared(self, outcome: tuple[str, str] | None) -> None:
        if outcome is None:
            return
        action, text = outcome
        if action == "merged":
            assert self.checks.duplicates is not None
            self.dismiss(Corrected(self._patient.id, text))
        else:
            self._duplicate_decision = "new"
            self.show_duplicates()
            self.say(_(self.NEW_DECIDED))

    def action_back(self) -> None:
        """Leave; once more when something was typed, because it would be gone."""
        if self._changes() and not self._warned:
            self._warned = True
            self.say(_("Not saved yet: F10 saves. Esc once more leaves without saving."), "warning")
        else:
            self.dismiss(None)


def _values_of(patient: PatientShape) -> Values:
    values: Values = {name: str(getattr(patient, name) or "") for name in PERSON_TEXTS}
    values["birth_date"] = date_text(patient.birth_date)
    values["sex"] = patient.sex.value
    values["no_identifier_reason"] = (
        patient.no_identifier_reason.value if patient.no_identifier_reason else ""
    )
    values["identity_verified"] = YES if patient.identity_verified_at is not None else "no"
    return values
