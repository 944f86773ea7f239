"""The dialog that prescribes a compounded medicine (*racikan*): ingredients, number of papers, directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.orders.medicines.compounding import PIECE, CompoundPart, read_part
from core.orders.medicines.signa import read_signa
from tui.screens.base import Dialog
from tui.session import Session
from tui.text import check_words, problem_words
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, TextField, labelled

MAKE_WORDS = {"pulv": N_("papers"), "caps": N_("capsules"), "ung": N_("ointment"), "syr": N_("syrup")}
"""`CompoundMake` -> its word."""
EACH, ALL = "each", "all"
MOST_PARTS = 12
MOST_PAPERS = 200


class CompoundDialog(Dialog[dict[str, Any]]):
    """Asks for the ingredients, one a line, then how they are made up and given."""

    TITLE_TEXT = N_("Compounded medicine (racikan)")
    BINDINGS = [Binding("f10", "add", show=False)]

    def __init__(
        self, session: Session, allergies: Sequence[str], values: Mapping[str, Any] | None = None
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            allergies: The patient's.
            values: Typed before, or of the prescription that is changed.
        """
        super().__init__(session)
        self._allergies = list(allergies)
        self._values = dict(values or {})
        self._problem = ""
        """Fields missing when it was to be sent; said until something is typed."""
        self._parts = [CompoundPart(**each) for each in self._values.get("ingredients", [])]

    def compose_body(self) -> ComposeResult:
        """Yield the ingredients so far, the line for the next one, and the rest."""
        yield Static("", id="parts", markup=False)
        with FieldRow():
            yield from labelled(N_("Ingredient"), TextField("part", longest=80), cells=14)
        with FieldRow():
            yield from labelled(N_("Made up as"), ChoiceField("make", _makes(), value="pulv"), cells=14)
            yield from labelled(N_("No."), TextField("papers", cells=5, longest=3), cells=5)
            yield from labelled(N_("Amounts"), ChoiceField("per_paper", _shares(), value=EACH), cells=9)
        with FieldRow():
            yield from labelled(N_("Signa"), TextField("signa", longest=80), cells=14)
        with FieldRow():
            yield from labelled(N_("Directions"), TextField("instructions", longest=200), cells=14)
        yield Static("", id="read", markup=False)

    def on_mount(self) -> None:
        """Fill in what was typed before, and begin with the ingredients."""
        for name in ("papers", "signa", "instructions"):
            field = self.query_one(f"#{name}", TextField)
            field.value = str(self._values.get(name) or "")
            field.cursor_position = len(field.value)
        self.query_one("#part").focus()
        self._show_parts()
        self._say_keys()

    def _say_keys(self, before: str = "") -> None:
        keys = _("Enter: next (empty: go on)    -1: take the first out    F10: prescribe    Esc: back")
        self.hint(f"{before}\n{keys}" if before else keys)

    def _show_parts(self) -> None:
        lines = [self._part_line(number, part) for number, part in enumerate(self._parts, start=1)]
        self.query_one("#parts", Static).update(
            "\n".join(lines) or "   " + _("parasetamol 120 mg, then Enter")
        )

    def _part_line(self, number: int, part: CompoundPart) -> str:
        """Return an ingredient with how it reads: against an allergy, unread, without an amount."""
        said = [
            check_words.allergy_line(part.medicine, self._allergies),
            check_words.reading_sign(part.medicine),
        ]
        said.append("" if part.amount else "? " + _("how much?"))
        return f" {number} {part.text}  " + "  ".join(each for each in said if each)

    @on(TextField.Changed)
    def typed(self) -> None:
        """Clear what was said to be missing."""
        self._problem = ""

    @on(TextField.Submitted, "#part")
    def take_part(self, event: TextField.Submitted) -> None:
        """Take one ingredient, take one out, or go on when the line is empty."""
        text = event.value.strip()
        if not text:
            self.query_one("#make").focus()
            return
        taken_out = text.startswith("-") and text[1:].isdigit() and 1 <= int(text[1:]) <= len(self._parts)
        if taken_out:
            del self._parts[int(text[1:]) - 1]
        elif len(self._parts) < MOST_PARTS:
            self._parts.append(read_part(text))
        event.input.value = ""
        self._show_parts()

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def lead_on(self, event: TextField.Submitted | ChoiceField.Submitted) -> None:
        """Go to the next field on Enter; after the last one, prescribe."""
        name = self.focused.id if self.focused is not None else ""
        if name == "instructions":
            self.action_add()
        elif name != "part":
            self.focus_next()

    def on_descendant_focus(self) -> None:
        """Show the values of a choice, and how the shorthand reads."""
        choices = self.focused.hint() if isinstance(self.focused, ChoiceField) else ""
        self._say_keys(self._problem or choices)
        self.query_one("#read", Static).update(self._signa_line())

    def _signa_line(self) -> str:
        typed = self.query_one("#signa", TextField).text
        if not typed:
            return ""
        return "   " + check_words.signa_line(read_signa(typed, PIECE[self._make]))

    @property
    def _make(self) -> str:
        return self.query_one("#make", ChoiceField).value or "pulv"

    def action_add(self) -> None:
        """Return the prescription when it is complete; an ingredient that was not taken yet is taken first."""
        left = self.query_one("#part", TextField)
        if left.text:
            self._parts.append(read_part(left.text))
            with left.prevent(TextField.Changed):
                left.value = ""
            self._show_parts()
        papers, signa = (self.query_one(f"#{name}", TextField).text for name in ("papers", "signa"))
        missing = {"part": not self._parts, "papers": not _is_number_of_papers(papers), "signa": not signa}
        for name, is_missing in missing.items():
            if is_missing:
                self.query_one(f"#{name}").focus()
                code = "required" if name != "papers" or not papers else "number_format"
                self._problem = "! " + problem_words.field_problem(name, code)
                self._say_keys(self._problem)
                return
        self.dismiss(
            {
                "ingredients": [{"medicine": part.medicine, "amount": part.amount} for part in self._parts],
                "make": self._make,
                "papers": int(papers),
                "per_paper": self.query_one("#per_paper", ChoiceField).value != ALL,
                "signa": signa,
                "instructions": self.query_one("#instructions", TextField).text,
            }
        )


def _is_number_of_papers(text: str) -> bool:
    return text.isdigit() and 1 <= int(text) <= MOST_PAPERS


def _makes() -> list[Choice]:
    return [
        Choice(value, label, str(number)) for number, (value, label) in enumerate(MAKE_WORDS.items(), start=1)
    ]


def _shares() -> list[Choice]:
    return [Choice(EACH, N_("in each (d.t.d.)"), "1"), Choice(ALL, N_("in all together"), "2")]
