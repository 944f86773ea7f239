"""What is asked over the record: a diagnosis, a procedure, a medicine, tests, how the visit ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.medicines import clashes
from core.schemas.record import MedicineShape
from tui import keymap, theme, words
from tui.formatting import fit
from tui.screens.base import Dialog
from tui.screens.reasons import OUTCOME_LETTERS, LettersDialog
from tui.screens.record.searching import SearchDialog
from tui.session import Session
from tui.text import N_, _
from tui.widgets import PickList, PickRow, Row, TextField, labelled

OLD_CASE = "old"
NEW_CASE = "new"


class DiagnosisDialog(SearchDialog[tuple[str, str]]):
    """ICD-10 by words or code; gives (code, case kind)."""

    TITLE_TEXT = N_("Diagnosis (ICD-10)")
    BINDINGS = [Binding("f9", "old_case", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._case = NEW_CASE

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Codes with their titles."""
        return [(item.code, item.title) for item in await self.session.client.find_diagnoses(text)]

    def take(self, key: str, thing: Any) -> None:
        """This code, as the case was said to be."""
        self.dismiss((key, self._case))

    def say_keys(self) -> None:
        """Enter takes; F9 says that it is a later control."""
        case = _("new case") if self._case == NEW_CASE else _("OLD case (control)")
        self.hint(_("Enter: take it    F9: {case}    Esc: back").format(case=case))

    def action_old_case(self) -> None:
        """A later control of the same episode, as LB1 counts it."""
        self._case = OLD_CASE if self._case == NEW_CASE else NEW_CASE
        self.say_keys()


class ProcedureDialog(SearchDialog[tuple[str, str]]):
    """A procedure by words or code, then where or how; gives (code, note)."""

    TITLE_TEXT = N_("Procedure (ICD-9-CM)")
    ROWS = 10

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._code = ""

    def compose_body(self) -> ComposeResult:
        """The box, the list, and a line for the note."""
        yield from super().compose_body()
        with Row():
            yield from labelled(N_("Where, how"), TextField("note", longest=200), cells=14)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Codes with their titles."""
        return [(item.code, item.title) for item in await self.session.client.find_procedures(text)]

    def say_keys(self) -> None:
        """Enter takes, then asks for the note."""
        self.hint(_("Enter: take it, then tooth or body part (may be empty)    Esc: back"))

    def take(self, key: str, thing: Any) -> None:
        """Chosen; the note may follow."""
        self._code = key
        self.query_one("#note").focus()
        self.hint(f"{key} {thing}    " + _("Enter: add    Esc: back"))

    @on(TextField.Submitted, "#note")
    def add(self, event: TextField.Submitted) -> None:
        """Hand over."""
        if self._code:
            self.dismiss((self._code, event.value.strip()))
        else:
            self.query_one("#words").focus()


MEDICINE_FIELDS = (
    ("dose", N_("Dose"), 60),
    ("frequency", N_("Frequency"), 60),
    ("amount", N_("Amount"), 30),
    ("instructions", N_("Directions"), 200),
)


NEEDED = ("medicine", "dose", "frequency", "amount")
"""Without these nobody knows what to hand out."""


class MedicineDialog(SearchDialog[dict[str, str]]):
    """A medicine with dose, frequency, amount and directions, as usually given until changed."""

    TITLE_TEXT = N_("Medicine")
    BINDINGS = [Binding("f10", "add", show=False)]
    ROWS = 8

    def __init__(self, session: Session, allergies: Sequence[str]) -> None:
        """Args: `allergies` are the patient's, for a warning while choosing."""
        super().__init__(session)
        self._allergies = list(allergies)
        self._taken = ""
        """The name that was taken from the list, or that no entry of the list has."""

    def compose_body(self) -> ComposeResult:
        """The box, the list, and the rest of the prescription."""
        yield from super().compose_body()
        for name, label, longest in MEDICINE_FIELDS:
            with Row():
                yield from labelled(label, TextField(name, longest=longest), cells=14)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Medicines with what is usually given."""
        return [(item.medicine, item) for item in await self.session.client.find_medicines(text)]

    def row(self, key: str, thing: MedicineShape) -> PickRow:
        """Name, dose and how often; a sign where an allergy speaks against it."""
        against = bool(clashes(key, self._allergies))
        sign = "!! " if against else "   "
        usual = f" {thing.dose} {thing.frequency}"
        style = theme.ALERT if against else theme.STRONG
        return PickRow(key, [(sign, style), (fit(key, 38), style), (usual, theme.PLAIN)])

    def say_keys(self) -> None:
        """Enter takes one with its usual dose."""
        self.hint(_("Enter: take it, also what is not in the list    Esc: back"))

    def take(self, key: str, thing: MedicineShape) -> None:
        """Fill in what is usual, and go to the dose."""
        self._taken = key
        box = self.query_one("#words", TextField)
        with box.prevent(TextField.Changed):
            box.value = key
        for name, _label, _longest in MEDICINE_FIELDS:
            field = self.query_one(f"#{name}", TextField)
            field.value = getattr(thing, name)
            field.cursor_position = len(field.value)
        self.query_one("#dose").focus()
        self._warn(key)

    def take_text(self, text: str) -> None:
        """A medicine that is in no list."""
        self._taken = text
        self.query_one("#dose").focus()
        self._warn(text)

    def _warn(self, medicine: str) -> None:
        against = clashes(medicine, self._allergies)
        if against:
            warning = "!! " + _("ALLERGY: {substances}").format(substances=", ".join(against)) + "    "
        else:
            warning = ""
        self.hint(warning + _("Enter: next line    F10: prescribe    Esc: back"))

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Enter leads on; after the last line it prescribes."""
        names = [name for name, _label, _longest in MEDICINE_FIELDS]
        if event.input.id == names[-1]:
            self.action_add()
        elif event.input.id in names:
            self.focus_next()

    def action_add(self) -> None:
        """Hand over, when nothing is missing: the beginning of a name is no medicine yet."""
        medicine = self.query_one("#words", TextField).text
        if medicine and medicine != self._taken:
            self.query_one("#words").focus()
            self.submit(medicine)
            return
        values = {"medicine": medicine} | {
            name: self.query_one(f"#{name}", TextField).text for name, _label, _longest in MEDICINE_FIELDS
        }
        missing = next((name for name in NEEDED if not values[name]), None)
        if missing is None:
            self.dismiss(values)
            return
        self.query_one("#words" if missing == "medicine" else f"#{missing}").focus()
        self.hint("! " + words.field_problem(missing, "required"))


class TestsDialog(SearchDialog[list[str]]):
    """Laboratory tests, several at once; gives their names."""

    __test__ = False  # pytest would take it for a test
    TITLE_TEXT = N_("Laboratory tests")
    BINDINGS = [Binding("f10", "order", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._chosen: list[str] = []

    def compose_body(self) -> ComposeResult:
        """The box, the list, and what was chosen."""
        yield from super().compose_body()
        yield Static("", id="chosen", markup=False)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Tests with their units."""
        return [(item.test, item) for item in await self.session.client.find_tests(text)]

    def row(self, key: str, thing: Any) -> PickRow:
        """Name and unit; a sign when it is chosen already."""
        sign = "* " if key in self._chosen else "  "
        english = f" {thing.title_en}" if thing.title_en and thing.title_en != key else ""
        return PickRow(key, [(sign, theme.STRONG), (fit(key, 28), theme.STRONG), (english, theme.PLAIN)])

    def say_keys(self) -> None:
        """Enter chooses one after the other."""
        self.hint(_("Enter: choose or take away    F10: order    Esc: back"))

    def submit(self, text: str) -> None:
        """An empty line orders what was chosen."""
        if not text.strip() and self._chosen:
            self.action_order()
        else:
            super().submit(text)

    def take(self, key: str, thing: Any) -> None:
        """Choose it, or no longer."""
        if key in self._chosen:
            self._chosen.remove(key)
        else:
            self._chosen.append(key)
        self.query_one("#words", TextField).value = ""
        self.query_one("#chosen", Static).update(_("Chosen: {tests}").format(tests=", ".join(self._chosen)))

    def take_text(self, text: str) -> None:
        """A test that is in no list."""
        self.take(text, None)

    def action_order(self) -> None:
        """Order what was chosen."""
        if self._chosen:
            self.dismiss(self._chosen)


class FormDialog(Dialog[dict[str, str]]):
    """A few lines of text; the first one must be filled in."""

    BINDINGS = [Binding("f10", "hand_over", show=False)]

    def __init__(
        self,
        session: Session,
        title: str,
        fields: Sequence[tuple[str, str]],
        *,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Args: `title` is a msgid; `fields` are (name, msgid of the label); `values` stand there first."""
        super().__init__(session, title)
        self._fields = list(fields)
        self._values = dict(values or {})

    def compose_body(self) -> ComposeResult:
        """One row a field."""
        for name, label in self._fields:
            with Row():
                yield from labelled(label, TextField(name, longest=200), cells=20)

    def on_mount(self) -> None:
        """Begin with the first."""
        for name, value in self._values.items():
            field = self.query_one(f"#{name}", TextField)
            field.value = value
            field.cursor_position = len(value)
        self.query_one(f"#{self._fields[0][0]}").focus()
        self.hint(_("Enter: next line; in the last one: save    Esc: back"))

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Enter leads on; in the last line it hands over."""
        if event.input.id != self._fields[-1][0]:
            self.focus_next()
        else:
            self.action_hand_over()

    def action_hand_over(self) -> None:
        """Give what was typed, when the first line is filled in."""
        values = {name: self.query_one(f"#{name}", TextField).text for name, _label in self._fields}
        first = self._fields[0][0]
        if values[first]:
            self.dismiss(values)
        else:
            self.query_one(f"#{first}").focus()
            self.hint("! " + words.field_problem(first, "required"))


TO_PHARMACY, TO_LABORATORY = "pharmacy", "laboratory"


class OutcomeDialog(LettersDialog):
    """How the visit goes on: an outcome, the pharmacy, or the laboratory and back."""

    def __init__(self, session: Session, *, medicines: int, tests: int, notes: Sequence[str]) -> None:
        """Args: how many medicines and tests wait; `notes` are worth a look before it ends."""
        options: list[tuple[str, str, str]] = []
        if medicines:
            options.append(
                ("F", TO_PHARMACY, _("To the pharmacy (medicines: {number})").format(number=medicines))
            )
        if tests:
            label = _("To the laboratory (tests: {number}), and back to me").format(number=tests)
            options.append(("L", TO_LABORATORY, label))
        options += [
            (letter, value, words.word(words.DISPOSITIONS, value))
            for value, letter in OUTCOME_LETTERS.items()
        ]
        super().__init__(session, N_("How does the visit go on?"), options, notes=notes)


class TextDialog(Dialog[str]):
    """A text to read, longer than the screen if need be; gives the letter that was pressed."""

    BINDINGS = [
        keymap.BACK,
        Binding("enter", "back", show=False),
    ]

    def __init__(
        self, session: Session, title: str, lines: Sequence[str], keys: str = "", hint: str = ""
    ) -> None:
        """Args: `title` is a msgid; `keys` the letters that end it; `hint` says what they do."""
        super().__init__(session, title)
        self._lines = list(lines)
        self._keys = keys
        self._hint = hint

    def compose_body(self) -> ComposeResult:
        """The lines, in a list that scrolls."""
        pick_list = PickList("lines")
        pick_list.styles.height = min(17, max(1, len(self._lines)))
        yield pick_list

    def on_mount(self) -> None:
        """Show the beginning."""
        pick_list = self.query_one("#lines", PickList)
        pick_list.show_rows(
            [PickRow(str(number), [(line, theme.PLAIN)]) for number, line in enumerate(self._lines)]
        )
        pick_list.focus()
        self.hint("    ".join(text for text in (self._hint, _("arrows: read on    Esc: back")) if text))

    @on(PickList.Picked)
    def read(self) -> None:
        """Enter closes what was read."""
        self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """A letter ends it."""
        letter = (event.character or "").upper()
        if letter and letter in self._keys:
            event.stop()
            self.dismiss(letter)
