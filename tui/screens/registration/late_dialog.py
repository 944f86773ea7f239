"""Asks when somebody came who is entered late, who wrote it down, and on which form."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from core.foundation import clock
from tui import keymap
from tui.registration.late_entry import (
    ARRIVED,
    PAPER,
    WRITTEN_BY,
    NotATimeError,
    read_arrival,
    typed_arrival,
)
from tui.screens.base import Dialog, Values
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import N_, _
from tui.widgets import FieldRow, TextField, labelled

LABEL_CELLS = 20


class LateDialog(Dialog[Values]):
    """Ends with the values of a late entry; an empty arrival makes it an ordinary one again."""

    TITLE_TEXT = N_("Late entry: somebody who came before")
    BINDINGS = [keymap.BACK, Binding("f10", "save", N_("Take over"), priority=True)]

    def __init__(self, session: Session, values: Values, problem: str = "") -> None:
        """Args: `values` are the form's; `problem` is what the core found wrong, translated."""
        super().__init__(session)
        self._values = values
        self._problem = problem

    def compose_body(self) -> ComposeResult:
        """Yield the three fields."""
        with FieldRow():
            yield from labelled(
                N_("Arrived (hh:mm)"), TextField("arrived_at", cells=18, longest=20), cells=LABEL_CELLS
            )
        with FieldRow():
            yield from labelled(
                N_("Written by"), TextField("written_by", cells=30, longest=80), cells=LABEL_CELLS
            )
        with FieldRow():
            yield from labelled(
                N_("Form or ticket"), TextField("paper_number", cells=12, longest=12), cells=LABEL_CELLS
            )

    def on_mount(self) -> None:
        """Show what is known."""
        super().on_mount()
        clinic = self.session.clinic
        self._put("arrived_at", typed_arrival(self._values, clinic))
        self._put("written_by", self._values.get(WRITTEN_BY) or self.session.late_writer)
        self._put("paper_number", self._values.get(PAPER, ""))
        self.query_one("#arrived_at").focus()
        self.hint(f"!! {self._problem}" if self._problem else self._keys())

    def _put(self, field: str, value: str) -> None:
        box = self.query_one(f"#{field}", TextField)
        box.value = value
        box.cursor_position = len(value)

    def _keys(self) -> str:
        return "\n".join(
            (
                _("Another day: with the day before it, 01-12 16:20. No form: leave its number empty."),
                _("Enter: next field    F10: take over    Esc: back"),
            )
        )

    @on(TextField.Submitted)
    def go_on(self, event: TextField.Submitted) -> None:
        """Enter leads to the next field, from the last one back to the form."""
        if event.input.id == "paper_number":
            self.action_save()
        else:
            self.focus_next()

    def action_save(self) -> None:
        """Take it over into the form."""
        texts = {
            name: self.query_one(f"#{name}", TextField).text
            for name in ("arrived_at", "written_by", "paper_number")
        }
        if not texts["arrived_at"]:
            self.dismiss({})
            return
        clinic = self.session.clinic
        try:
            arrived = read_arrival(texts["arrived_at"], clinic)
        except NotATimeError:
            self._wrong("arrived_at", "time_format")
            return
        if arrived > clock.now():
            self._wrong("arrived_at", "in_future")
        elif not texts["written_by"]:
            self._wrong("written_by", "required")
        else:
            self.session.late_writer = texts["written_by"]
            number = texts["paper_number"].upper()
            self.dismiss({ARRIVED: arrived.isoformat(), WRITTEN_BY: texts["written_by"], PAPER: number})

    def _wrong(self, field: str, problem: str) -> None:
        self.query_one(f"#{field}").focus()
        self.hint("!! " + problem_words.field_problem(f"late.{field}", problem))
