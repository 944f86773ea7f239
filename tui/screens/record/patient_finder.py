"""Finds a patient outside the clinician's own queue: search, give a reason, read.

Break-glass: outside one's own queue the server asks for a reason and keeps it in the audit log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.records.forms import FormDefinition
from core.schemas.patients import PatientOut
from core.schemas.record import NO_REASON, StatedReason, VisitSummary
from tui import theme
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.base import LoketScreen
from tui.screens.reasons import LineDialog
from tui.screens.record.copy_dialog import give_copy
from tui.screens.record.earlier_visits import VisitDialog, VisitsDialog
from tui.screens.record.glass import GlassDialog
from tui.screens.record.record import open_correction
from tui.screens.record.release import ask_release
from tui.screens.record.search_dialog import SearchDialog
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import date_text, fit, sex_letter
from tui.text.translation import N_, _
from tui.widgets import PickRow


class PatientDialog(SearchDialog[PatientOut]):
    """Finds a patient by name, number or birth date."""

    TITLE_TEXT = N_("Find patient")

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return patients, the best match first."""
        return [(item.id, item) for item in await self.session.client.patients.search(text, 12)]

    def row(self, key: str, thing: PatientOut) -> PickRow:
        """Return name, sex, birth date, number and address."""
        facts = f" {sex_letter(thing.sex)} {date_text(thing.birth_date)}  {thing.medical_record_number}  "
        return PickRow(key, [(fit(thing.name, 30), theme.STRONG), (facts + thing.address, theme.PLAIN)])

    def say_keys(self) -> None:
        """Say that Enter opens the patient."""
        self.hint(_("Enter: read the record    Esc: back"))

    def take(self, key: str, thing: PatientOut) -> None:
        """Return this patient."""
        self.dismiss(thing)


class Finder:
    """One search, from the box to the record that is read."""

    def __init__(self, screen: LoketScreen[Any]) -> None:
        self._screen = screen
        self._client = screen.session.client
        self._reason = NO_REASON
        self._patient: PatientOut | None = None
        self._forms: dict[str, FormDefinition] = {}

    def start(self) -> None:
        """Ask for the patient."""
        self._screen.app.push_screen(PatientDialog(self._screen.session), self._found)

    def _found(self, patient: PatientOut | None) -> None:
        if patient is not None:
            self._patient = patient
            self._run(self._list())

    def _run(self, work: Any) -> None:
        self._screen.run_worker(work, group="find", exclusive=True, exit_on_error=False)

    async def _list(self) -> None:
        assert self._patient is not None
        try:
            with hold_keys(self._screen.app):
                visits = await self._client.patients.history(self._patient.id, self._reason)
                self._forms = {form.code: form for form in await self._client.visits.forms()}
        except RefusedError as refusal:
            if refusal.code == "reason_required":
                self._ask_reason()
            else:
                self._screen.say(problem_words.problem_text(refusal.problem), "error")
            return
        except UnreachableError:
            self._screen.say(_(problem_words.UNREACHABLE), "error")
            return
        self._show(visits)

    def _ask_reason(self) -> None:
        def given(reason: StatedReason | None) -> None:
            if reason:
                self._reason = reason
                self._run(self._list())

        self._screen.app.push_screen(GlassDialog(self._screen.session), given)

    def _show(self, visits: list[VisitSummary]) -> None:
        assert self._patient is not None
        if not visits:
            self._screen.say(_("{person} has no visits yet.").format(person=self._patient.name))
            return

        def chosen(visit_id: str | None) -> None:
            if visit_id:
                self._run(self._read(visit_id))

        self._screen.app.push_screen(VisitsDialog(self._screen.session, visits, self._patient.name), chosen)

    async def _read(self, visit_id: str) -> None:
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            visit = await self._client.visits.get(visit_id, self._reason)

            def done(letter: str | None) -> None:
                if letter == "N":
                    self._ask_addendum(visit_id)
                elif letter == "L":
                    ask_release(self._screen, visit_id)
                elif letter == "C":
                    open_correction(self._screen, visit, self._reason)
                elif letter == "K":
                    give_copy(self._screen, visit.patient.id, self._reason)
                else:
                    self._run(self._list())

            self._screen.app.push_screen(
                VisitDialog(
                    self._screen.session, visit, self._forms, writes=self._screen.session.writes_records
                ),
                done,
            )

    def _ask_addendum(self, visit_id: str) -> None:
        async def send(text: str) -> None:
            with self._screen.saying_refusals(), hold_keys(self._screen.app):
                await self._client.visits.add_addendum(visit_id, text, self._reason)
                self._screen.say(_("Added."), "good")

        def written(text: str | None) -> None:
            if text:
                self._run(send(text))

        self._screen.app.push_screen(LineDialog(self._screen.session, N_("Addendum")), written)
