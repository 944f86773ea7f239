"""Dialogs over the record: diagnosis, procedure, medicine, tests, outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.ages import age_in_days
from core.schemas.record import CodeOut, OrderOut, PrescriptionOut, VisitOut
from tui import keymap, theme
from tui.screens.base import Dialog
from tui.screens.reasons import OUTCOME_LETTERS, EndingDialog
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.text import check_words, problem_words
from tui.text.formatting import fit
from tui.text.result_words import result_text
from tui.text.translation import N_, _
from tui.widgets import FieldRow, PickList, PickRow, TextField, labelled

ADDING = "add"
"""Group of the workers that add; none ends another, whose entry would be lost."""
OLD_CASE = "old"
NEW_CASE = "new"


class DiagnosisDialog(SearchDialog[tuple[str, str | None]]):
    """Finds an ICD-10 code by words or code; returns (code, case kind)."""

    TITLE_TEXT = N_("Diagnosis (ICD-10)")
    BINDINGS = [Binding("f9", "old_case", show=False)]

    def __init__(self, session: Session, visit: VisitOut) -> None:
        """Initialise the dialog: the visit says whose diagnosis it is."""
        super().__init__(session)
        self._visit = visit
        self._known = tuple(alert.split(" ")[0][:3] for alert in visit.alerts)
        """Categories of the illnesses that the patient is known to have."""
        self._case: str | None = None
        """As chosen by F9; None: as the patient is known."""

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return codes with their titles."""
        patient = self._visit.patient
        age_days = max(0, age_in_days(patient.birth_date, self._visit.service_on))
        found = await self.session.client.terminology.find_diagnoses(text, patient.sex.value, age_days)
        return [(item.code, item) for item in found]

    def row(self, key: str, thing: CodeOut) -> PickRow:
        """Return code and title; `?` for a guess, `!` for what cannot be this patient's, and a known illness."""
        sign = "! " if thing.unfit else "? " if thing.doubtful else "  "
        known = "  " + _("[known: OLD case]") if self._is_known(key) else ""
        style = theme.ALERT if thing.unfit else theme.STRONG
        return PickRow(key, [(sign, style), (fit(key, 8), style), (thing.title + known, theme.PLAIN)])

    def _is_known(self, code: str) -> bool:
        return bool(self._known) and code.startswith(self._known)

    def take(self, key: str, thing: Any) -> None:
        """Return this code with the chosen case kind."""
        self.dismiss((key, self._case))

    def say_keys(self) -> None:
        """Say what Enter takes, and that F9 changes new and old."""
        cases = {
            None: _("NEW case, OLD when known"),
            NEW_CASE: _("NEW case"),
            OLD_CASE: _("OLD case (control)"),
        }
        self.hint(_("Enter: take as {case}    F9: change    Esc: back").format(case=cases[self._case]))

    def action_old_case(self) -> None:
        """Switch between as known, old and new, as LB1 counts them."""
        self._case = {None: OLD_CASE, OLD_CASE: NEW_CASE, NEW_CASE: None}[self._case]
        self.say_keys()


class ProcedureDialog(SearchDialog[tuple[str, str]]):
    """Finds a procedure by words or code; returns (code, note), the note being its place or method."""

    TITLE_TEXT = N_("Procedure (ICD-9-CM)")
    ROWS = 10

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._code = ""

    def compose_body(self) -> ComposeResult:
        """Yield the box, the list, and a line for the note."""
        yield from super().compose_body()
        with FieldRow():
            yield from labelled(N_("Where, how"), TextField("note", longest=200), cells=14)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return codes with their titles."""
        return [
            (item.code, item.title) for item in await self.session.client.terminology.find_procedures(text)
        ]

    def say_keys(self) -> None:
        """Say that Enter takes, then asks for the note."""
        self.hint(_("Enter: take it, then tooth or body part (may be empty)    Esc: back"))

    def take(self, key: str, thing: Any) -> None:
        """Take a procedure; the note may follow."""
        self._code = key
        self.query_one("#note").focus()
        self.hint(f"{key} {thing}    " + _("Enter: add    Esc: back"))

    @on(TextField.Submitted, "#note")
    def add(self, event: TextField.Submitted) -> None:
        """Return the procedure."""
        if self._code:
            self.dismiss((self._code, event.value.strip()))
        else:
            self.query_one("#words").focus()


class TestsDialog(SearchDialog[list[str]]):
    """Asks for laboratory tests, several at once; returns their names."""

    __test__ = False  # pytest would take it for a test
    TITLE_TEXT = N_("Laboratory tests")
    BINDINGS = [Binding("f10", "order", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._chosen: list[str] = []

    def compose_body(self) -> ComposeResult:
        """Yield the box, the list, and the chosen tests."""
        yield from super().compose_body()
        yield Static("", id="chosen", markup=False)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return tests with their units."""
        return [(item.test, item) for item in await self.session.client.terminology.find_tests(text)]

    def row(self, key: str, thing: Any) -> PickRow:
        """Return name and unit; a sign marks a chosen test."""
        sign = "* " if key in self._chosen else "  "
        english = f" {thing.title_en}" if thing.title_en and thing.title_en != key else ""
        return PickRow(key, [(sign, theme.STRONG), (fit(key, 28), theme.STRONG), (english, theme.PLAIN)])

    def say_keys(self) -> None:
        """Say that Enter chooses one after the other."""
        self.hint(_("Enter: choose or take away    F10: order    Esc: back"))

    def submit(self, text: str) -> None:
        """Order the chosen tests on an empty line."""
        if not text.strip() and self._chosen:
            self.action_order()
        else:
            super().submit(text)

    def take(self, key: str, thing: Any) -> None:
        """Choose a test, or drop it when it is chosen."""
        if key in self._chosen:
            self._chosen.remove(key)
        else:
            self._chosen.append(key)
        self.query_one("#words", TextField).value = ""
        self.query_one("#chosen", Static).update(_("Chosen: {tests}").format(tests=", ".join(self._chosen)))

    def take_text(self, text: str) -> None:
        """Take a test that is in no list."""
        self.take(text, None)

    def action_order(self) -> None:
        """Order the chosen tests."""
        if self._chosen:
            self.dismiss(self._chosen)


class CriticalDialog(Dialog[bool]):
    """Shows what must be read before anything else; Enter says that it was, Escape leaves it for later."""

    TITLE_TEXT = N_("CRITICAL: read this first")

    def __init__(
        self, session: Session, orders: Sequence[OrderOut], clashes: Sequence[PrescriptionOut] = ()
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            orders: Critical results.
            clashes: Prescriptions that an allergy speaks against which became known later.
        """
        super().__init__(session)
        self._orders = list(orders)
        self._clashes = list(clashes)

    def compose_body(self) -> ComposeResult:
        """One line each."""
        zone = self.session.clinic.timezone
        lines = [f"{item.test}: {result_text(item, zone)}" for item in self._orders]
        for item in self._clashes:
            lines.append("!! " + check_words.clash_line(item))
        yield Static("\n".join(lines), markup=False)

    def on_mount(self) -> None:
        """Wait for Enter."""
        self.hint(_("Enter: I have read it    Esc: later"))

    def on_key(self, event: events.Key) -> None:
        """Enter is the only yes."""
        if event.key == "enter":
            event.stop()
            self.dismiss(True)


TO_PHARMACY, TO_LABORATORY = "pharmacy", "laboratory"


class OutcomeDialog(EndingDialog):
    """Asks for the outcome: a disposition, the pharmacy, or the laboratory and back."""

    def __init__(
        self,
        session: Session,
        *,
        person: str,
        medicines: int,
        tests: int,
        notes: Sequence[str],
        lacking: Sequence[str] = (),
        of_referral: Sequence[str] = (),
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            person: Whom it is about.
            medicines: Number of prescriptions that wait.
            tests: Number of laboratory orders that wait.
            notes: Shown before the visit ends.
            lacking: `no_note`, `no_diagnosis`, ...
            of_referral: What a referral would lack besides.
        """
        options: list[tuple[str, str, str]] = []
        if medicines:
            options.append(
                ("F", TO_PHARMACY, _("To the pharmacy (medicines: {number})").format(number=medicines))
            )
        if tests:
            label = _("To the laboratory (tests: {number}), and back to me").format(number=tests)
            options.append(("L", TO_LABORATORY, label))
        options += [
            (letter, value, problem_words.word(problem_words.DISPOSITIONS, value))
            for value, letter in OUTCOME_LETTERS.items()
        ]
        title = N_("How does the visit go on?")
        super().__init__(
            session, title, options, person=person, notes=notes, lacking=lacking, of_referral=of_referral
        )


SHEET_CELLS = 77
"""Cells of a dialog that shows a letter: its lines of 72, the mark before the chosen one, padding and frame."""


class TextDialog(Dialog[str]):
    """Shows a text, longer than the screen if need be; returns the letter that was pressed."""

    BINDINGS = [
        keymap.BACK,
        Binding("enter", "back", show=False),
    ]

    def __init__(
        self, session: Session, title: str, lines: Sequence[str], keys: str = "", hint: str = ""
    ) -> None:
        """Args: `title` is a msgid; `keys` the letters that end it; `hint` explains them."""
        super().__init__(session, title)
        self._lines = list(lines)
        self._keys = keys
        self._hint = hint

    def compose_body(self) -> ComposeResult:
        """Yield the lines in a list that scrolls."""
        pick_list = PickList("lines")
        pick_list.styles.height = min(17, max(1, len(self._lines)))
        yield pick_list

    def on_mount(self) -> None:
        """Show the beginning, wide enough for a printed line."""
        self.query_one("#dialog").styles.width = SHEET_CELLS
        pick_list = self.query_one("#lines", PickList)
        pick_list.show_rows(
            [PickRow(str(number), [(line, theme.PLAIN)]) for number, line in enumerate(self._lines)]
        )
        pick_list.focus()
        self.hint("    ".join(text for text in (self._hint, _("arrows: read on    Esc: back")) if text))

    @on(PickList.Picked)
    def read(self) -> None:
        """Close on Enter."""
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """Close on one of the letters."""
        letter = (event.character or "").upper()
        if letter and letter in self._keys:
            event.stop()
            self.dismiss(letter)
