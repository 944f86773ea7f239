"""Correction of a patient's card: the same form as for a new patient, with the same checks."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.widgets import Static

from core.foundation.codes import NikHolder
from core.patients.fields import CODED, IDENTIFYING, PATIENT_FIELDS, TYPED, FieldKind
from core.schemas.patients import CandidatePairOut, DuplicateResult, PatientOut
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.registration.form_values import YES, FormValues
from tui.screens.base import Values
from tui.screens.patients.card_form import CardScreen
from tui.screens.patients.compare import CompareScreen
from tui.screens.patients.identity_dialog import IdentityDialog
from tui.screens.patients.notes import Corrected
from tui.screens.patients.sharing_dialog import ask_sharing
from tui.screens.reasons import AgreeDialog
from tui.screens.registration.duplicates import DuplicateDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import date_text
from tui.text.translation import N_, _

COMPARED_AGAIN = (*sorted(IDENTIFYING), "mother_name", "other_names")
"""Fields whose change starts a new search for duplicates while the clerk types."""


class EditScreen(CardScreen[Corrected]):
    """Edits the fields of a record; returns the outcome, None when nothing was changed."""

    BINDINGS = [*CardScreen.BINDINGS, keymap.SHARING, keymap.IDENTITY, keymap.IS_ALIVE]
    KEY_ROWS = 2  # one row does not hold all keys of a card that bears a death
    TITLE_TEXT = N_("Correct a card")
    MAY_OPEN_HOLDER = False
    ASKS_OTHER_NAMES = True
    HELP_TEXT = N_(
        "Enter or the down arrow leads to the next field. When the person's card is here, type its NIK and "
        "answer 'Card seen' with yes: that takes the patient off the verify-later list. F10 saves; the "
        "earlier version is kept. Where the card now looks like another patient's, F7 shows whose. F4 asks "
        "whether the record may go to SATUSEHAT, and prints the paper to sign. F8 shows religion, education, occupation "
        "and marital status."
    )

    def __init__(self, session: Session, patient: PatientOut) -> None:
        super().__init__(session, _values_of(patient))
        self._patient = patient

    def first_field(self) -> str:
        """Return the NIK when the card has not been seen yet, else the name."""
        missing = self._patient.identity_verified_at is None and not self._patient.nik
        return "nik" if missing else "name"

    def show_card(self) -> None:
        """Show the record's number, and whether the card was seen."""
        seen = self._patient.identity_verified_at is not None
        state = _("identity verified") if seen else _("identity not verified: ask for the card")
        died = self._patient.deceased_on
        mark = "   !! " + _("DIED {day}").format(day=date_text(died)) if died is not None else ""
        ihs = f"   IHS {self._patient.ihs_number}" if self._patient.ihs_number else ""
        text = f" RM {self._patient.medical_record_number}{ihs}   {state}{mark}"
        self.query_one("#card", Static).update(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to take a death back only where one is recorded."""
        if action == "take_death_back":
            return self._patient.deceased_on is not None
        return super().check_action(action, parameters)

    def has_changes(self) -> bool:
        """Return whether a field differs from the card as it was read."""
        return bool(self._changes())

    def described(self, facts: FormValues) -> dict[str, Any] | None:
        """Return the question to the duplicate check, only when a field of `COMPARED_AGAIN` has changed."""
        if all(facts.values.get(name, "") == self._before.get(name, "") for name in COMPARED_AGAIN):
            return None
        asked = facts.duplicates()
        return {**asked, "exclude_id": self._patient.id} if asked is not None else None

    # Saving

    def action_save(self) -> None:
        """Check the form, then save."""
        if self.point_at_first(self._problems()):
            return
        changes = self._changes()
        if changes:
            self.save(changes)
        else:
            self.say(_("Nothing was changed."))

    def _problems(self) -> dict[str, str]:
        """Return the wrong fields; a number that stood on the card before today's rules hinders nobody."""
        values = self.form_values()
        same = {name for name in OLD_NUMBERS if values.get(name, "") == self._before.get(name, "")}
        return {name: code for name, code in self.facts().person_problems().items() if name not in same}

    def _changes(self) -> dict[str, Any]:
        """Return the body of `PATCH patients/{id}`: only fields that differ from the card as it was read."""
        values, facts = self.form_values(), self.facts()
        changed = {
            name for name in {**self._before, **values} if facts.text(name) != self._before.get(name, "")
        }
        given: dict[str, Any] = {name: facts.text(name) for name in TYPED}
        given |= {"sex": facts.sex, "identity_verified": facts.text("identity_verified") == YES}
        if not facts.text("nik"):
            given["no_identifier_reason"] = facts.text("no_identifier_reason") or None
        changes = {name: value for name, value in given.items() if name in changed}
        if "birth_date" in changed and facts.birth_date is not None:
            changes["birth_date"] = facts.birth_date.isoformat()
            changes["birth_date_estimated"] = facts.is_estimated
        return changes

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, changes: dict[str, Any]) -> None:
        """Send the changes; refused ones stay typed."""
        body = {**changes, "expected_version": self._patient.version}
        if changes.get("identity_verified"):
            body.setdefault("nik", self.facts().text("nik") or None)
        if self._duplicate_decision:
            body["duplicate_decision"] = self._duplicate_decision
        if self._nik_is_own:
            body["nik_holder"] = NikHolder.SELF.value
        try:
            with hold_keys(self.app):
                stored = await self.session.client.patients.edit(self._patient.id, body)
        except RefusedError as refusal:
            self._refused(refusal)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
        else:
            self.dismiss(Corrected(stored.id, self._done(stored)))

    def _done(self, stored: PatientOut) -> str:
        if stored.id == self._patient.id:
            return _("Card corrected: {name}").format(name=stored.name)
        return _("The card belongs to RM {number}: both records are one now.").format(
            number=stored.medical_record_number
        )

    def _refused(self, refusal: RefusedError) -> None:
        problem = refusal.problem
        if self.asks_about(problem):
            return
        if problem.code == "changed_meanwhile":
            self.say(_("Somebody corrected this card meanwhile. Esc, then open it again."), "error")
        elif problem.fields:
            self.point_at(*next(iter(problem.fields.items())))
        else:
            self.say(problem_words.problem_text(problem), "error")

    # A death that a list reported by mistake

    def action_sharing(self) -> None:
        """Ask whether the record may go to SATUSEHAT, and print the answer."""
        ask_sharing(self, self._patient.id)

    def action_identity(self) -> None:
        """Show and ask what the law asks of an identity besides."""
        known = {name: getattr(self._patient, name) for name in CODED}
        dialog = IdentityDialog(self.session, self._patient.id, CODED, known)
        self.app.push_screen(dialog, self._identity_asked)

    def _identity_asked(self, patient: PatientOut | None) -> None:
        if patient is not None:
            self._patient = patient
            self.say(_("Identity noted."), "good")

    def action_take_death_back(self) -> None:
        """Take back the day of death that a list reported, after Enter."""

        def agreed(is_agreed: bool | None) -> None:
            if is_agreed:
                self.take_death_back()

        title = N_("Does this person live? The list's date of death is taken back.")
        self.app.push_screen(AgreeDialog(self.session, title, self._patient.name), agreed)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def take_death_back(self) -> None:
        """Take the reported day back; a death at a visit's end is that visit's, and is said to be."""
        body = {"death_reported_on": None, "expected_version": self._patient.version}
        try:
            with hold_keys(self.app):
                self._patient = await self.session.client.patients.edit(self._patient.id, body)
        except RefusedError as refusal:
            self._refused(refusal)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
        else:
            self.show_card()
            self._say_whether_alive()

    def _say_whether_alive(self) -> None:
        sentence = _("No longer marked as deceased: {name}").format(name=self._patient.name)
        if self._patient.deceased_on is not None:
            self.say(_("A visit ended with the death: take its end back in the record."), "error")
        elif self.has_changes():
            self.say(sentence, "good")
        else:
            self.dismiss(Corrected(self._patient.id, sentence))

    # Look-alikes

    def duplicate_dialog(self, found: DuplicateResult) -> DuplicateDialog:
        """Return the dialog that asks whether it is one of them."""
        return DuplicateDialog(self.session, found, correcting=True)

    def is_known(self, patient: PatientOut) -> None:
        """Compare both records of one person."""
        assert self.checks.duplicates is not None
        candidate = next(item for item in self.checks.duplicates.candidates if item.patient.id == patient.id)
        pair = CandidatePairOut(
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


OLD_NUMBERS = frozenset(field.name for field in PATIENT_FIELDS if field.kind is FieldKind.NUMBER) - {"nik"}
"""Numbers whose form alone is checked; a NIK is held against birth date and sex, which may have changed."""


def _values_of(patient: PatientOut) -> Values:
    values: Values = {name: str(getattr(patient, name) or "") for name in TYPED}
    values["birth_date"] = date_text(patient.birth_date)
    values["village"] = patient.village
    values["sex"] = patient.sex.value
    values["no_identifier_reason"] = (
        patient.no_identifier_reason.value if patient.no_identifier_reason else ""
    )
    values["identity_verified"] = YES if patient.identity_verified_at is not None else "no"
    return values
