"""The dialog that prescribes a medicine: found under any name, with the dose for this patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from core.orders.medicines.doses import piece_of
from core.orders.medicines.signa import read_signa
from core.schemas.record import MedicineOut
from tui import theme
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.text import check_words, problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets import FieldRow, PickRow, TextField, labelled

MEDICINE_FIELDS = (
    ("dose", N_("Dose"), 60),
    ("frequency", N_("Frequency"), 60),
    ("amount", N_("Amount"), 30),
    ("instructions", N_("Directions"), 200),
)

PRESCRIBED_FIELDS = tuple(name for name, _label, _longest in MEDICINE_FIELDS)
"""Fields beside the medicine."""
SHORTHAND_FIELDS = frozenset({"dose", "frequency"})
"""Fields into which a whole shorthand may be typed."""
NEEDED = ("medicine", "dose", "frequency", "amount")
"""Fields without which nobody knows what to dispense."""


class MedicineDialog(SearchDialog[dict[str, str]]):
    """Asks for a medicine with dose, frequency, amount and directions, its usual ones filled in."""

    TITLE_TEXT = N_("Medicine")
    BINDINGS = [Binding("f10", "add", show=False)]
    ROWS = 8

    def __init__(
        self,
        session: Session,
        allergies: Sequence[str],
        visit_id: str = "",
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            allergies: The patient's.
            visit_id: A child's doses go by the weight of the visit.
            values: Typed before, or of the prescription that is changed.
        """
        super().__init__(session)
        self._values = dict(values or {})
        self._allergies = list(allergies)
        self._visit_id = visit_id
        self._taken = ""
        """The name taken from the list, or the one that no entry of the list has."""

    def compose_body(self) -> ComposeResult:
        """Yield the box, the list, and the rest of the prescription."""
        yield from super().compose_body()
        for name, label, longest in MEDICINE_FIELDS:
            with FieldRow():
                yield from labelled(label, TextField(name, longest=longest), cells=14)

    def on_mount(self) -> None:
        """Fill in what was typed before, once the list of the base class has taken the focus."""
        if self._values:
            self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self._taken = self._values["medicine"]
        for name in ("words", *(name for name, _label, _longest in MEDICINE_FIELDS)):
            field = self.query_one(f"#{name}", TextField)
            with field.prevent(TextField.Changed):
                field.value = self._values.get("medicine" if name == "words" else name, "")
                field.cursor_position = len(field.value)
        self.query_one("#dose").focus()
        self._warn(self._taken)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return medicines with their usual directions."""
        found = await self.session.client.terminology.find_medicines(text, self._visit_id)
        return [(item.medicine, item) for item in found]

    def row(self, key: str, thing: MedicineOut) -> PickRow:
        """Return name, dose and frequency; a sign marks a conflict with an allergy."""
        said = check_words.allergy_line(key, self._allergies)
        against = said.startswith("!!")
        sign = fit(said.split(" ")[0], 3)
        usual = (
            f" {thing.dose} {thing.frequency}" if thing.dose else f" ({_basis(thing)})" if thing.basis else ""
        )
        style = theme.ALERT if against else theme.STRONG
        return PickRow(key, [(sign, style), (fit(key, 38), style), (usual, theme.PLAIN)])

    def say_keys(self) -> None:
        """Say that Enter takes a medicine with its usual dose."""
        self.hint(_("Enter: take it, also what is not in the list    Esc: back"))

    def take(self, key: str, thing: MedicineOut) -> None:
        """Fill in the usual values, and go to the dose."""
        self._taken = key
        box = self.query_one("#words", TextField)
        with box.prevent(TextField.Changed):
            box.value = key
        for name, _label, _longest in MEDICINE_FIELDS:
            field = self.query_one(f"#{name}", TextField)
            field.value = getattr(thing, name)
            field.cursor_position = len(field.value)
        self.query_one("#dose").focus()
        self._warn(key, _basis(thing))

    def take_text(self, text: str) -> None:
        """Take a medicine that is in no list."""
        self._taken = text
        self.query_one("#dose").focus()
        self._warn(text)

    def _warn(self, medicine: str, basis: str = "") -> None:
        """Say what the allergies say of it, and where a child's dose comes from."""
        said = check_words.allergy_line(medicine, self._allergies)
        parts = [said, basis, _("Enter: next line    F10: prescribe    Esc: back")]
        self.hint("    ".join(part for part in parts if part))

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Go to the next line on Enter; after the last one, prescribe."""
        names = [name for name, _label, _longest in MEDICINE_FIELDS]
        if event.input.id in SHORTHAND_FIELDS:
            self._read_shorthand(event.input.id or "")
        if event.input.id == names[-1]:
            self.action_add()
        elif event.input.id in names:
            self.focus_next()

    def _read_shorthand(self, name: str) -> None:
        """Put what `3 dd 1 pc` says into its fields; what is unread is said, and stays as it was typed."""
        fields = {each: self.query_one(f"#{each}", TextField) for each in PRESCRIBED_FIELDS}
        typed = fields[name].text
        read = read_signa(typed, piece_of(self._taken))
        if not (read.frequency or read.instructions) or typed in {read.dose, read.frequency}:
            return
        if read.unread:
            self.hint("? " + check_words.signa_line(read))
            return
        values = {"dose": read.dose, "frequency": read.frequency, "instructions": read.instructions}
        for each, value in values.items():
            if value and (each == name or not fields[each].text or name == "dose"):
                fields[each].value = value
                fields[each].cursor_position = len(value)
        if not values[name]:
            fields[name].value = ""

    def action_add(self) -> None:
        """Return the prescription when it is complete: the beginning of a name is no medicine yet."""
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
        self.hint("! " + problem_words.field_problem(missing, "required"))


def _basis(item: MedicineOut) -> str:
    """Return where the dose comes from, or why there is none; empty for the usual adult dose."""
    words = check_words.BASES.get(item.basis)
    return _(words).format(source=item.source) if words else ""
