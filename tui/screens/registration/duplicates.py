"""Dialog for possible duplicates: open the known patient, or register a new one."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.codes import DuplicateBand
from core.schemas.patients import DuplicateResult
from tui import keymap, theme
from tui.screens.base import Dialog
from tui.session import Session
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, fit, sex_letter
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow
from tui.widgets.painting import Line


class DuplicateDialog(Dialog[str]):
    """Returns a known patient's id, or `NEW`.

    Enter opens the known patient only when both records are surely one person. Otherwise Enter does
    nothing: a reflex must not decide on an identity.
    """

    NEW = "new"
    TITLE_TEXT = N_("Perhaps known already")
    BINDINGS = [
        keymap.BACK,
        Binding("n", "choose_new", show=False),
        Binding("o", "open_known", show=False),
        Binding("s", "open_known", show=False),
    ]

    def __init__(self, session: Session, found: DuplicateResult, *, correcting: bool = False) -> None:
        """Args: `correcting` a stored card: the known record is compared with it, not opened instead."""
        super().__init__(session)
        self._found = found
        self._correcting = correcting

    def compose_body(self) -> ComposeResult:
        """Yield the candidates, best first."""
        yield Static("", id="why", markup=False)
        pick_list = PickList("candidates")
        pick_list.styles.height = min(8, 2 * len(self._found.candidates))
        yield pick_list

    def on_mount(self) -> None:
        """Fill the list."""
        rows = []
        for candidate in self._found.candidates[:8]:
            rows.append(PickRow(candidate.patient.id, self._row(candidate.patient)))
        pick_list = self.query_one("#candidates", PickList)
        pick_list.show_rows(rows)
        pick_list.styles.height = len(rows)
        pick_list.focus()
        self._explain()
        if self._correcting:
            self.hint(_("S: the same person, compare    N: somebody else    Esc: back to the form"))
        elif self._is_sure:
            self.hint(_("Enter or O: open this patient    N: it is somebody new    Esc: back"))
        else:
            self.hint(_("O: open this patient    N: it is somebody new    Esc: back to the form"))

    @property
    def _is_sure(self) -> bool:
        return self._found.band is DuplicateBand.EXISTING and not self._correcting

    def _row(self, patient: object) -> Line:
        candidate = next(item for item in self._found.candidates if item.patient is patient)
        person = candidate.patient
        age = age_text(person.birth_date, self.session.clinic.today)
        why = ", ".join(problem_words.likeness(candidate.reasons)[:2])
        return [
            (fit(person.name, 22) + " ", theme.STRONG),
            (f"{sex_letter(person.sex)} {fit(age, 6)} {date_text(person.birth_date)} ", theme.PLAIN),
            (fit(why, 28), theme.PLAIN),
        ]

    def _explain(self) -> None:
        candidate = self._found.candidates[self.query_one("#candidates", PickList).cursor]
        person = candidate.patient
        why = ", ".join(problem_words.likeness(candidate.reasons))
        self.query_one("#why", Static).update(
            f" {person.name}  RM {person.medical_record_number}  NIK {person.nik or '-'}\n"
            f" {fit(person.address or '-', 70).rstrip()}\n " + _("Why: {reasons}").format(reasons=why) + "\n"
        )

    def on_key(self) -> None:
        """Explain the candidate under the cursor."""
        self.call_after_refresh(self._explain)

    @on(PickList.Picked)
    def picked(self, event: PickList.Picked) -> None:
        """Open the candidate on Enter, only when it is surely the same person."""
        if self._is_sure:
            self.dismiss(event.key)

    def action_open_known(self) -> None:
        """Open the candidate under the cursor."""
        self.dismiss(self.query_one("#candidates", PickList).chosen)

    def action_choose_new(self) -> None:
        """Register a new patient."""
        self.dismiss(self.NEW)
