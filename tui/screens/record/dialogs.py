"""What is asked over the record: a diagnosis, a few lines of text, an earlier visit."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.timer import Timer
from textual.widgets import Static

from core.schemas import CodeShape, VisitShape, VisitSummary
from tui import keymap, theme, words
from tui.formatting import date_text, fit, number_text
from tui.screens.base import Dialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _
from tui.widgets import PickList, PickRow, Row, TextField, labelled

DEBOUNCE_SECONDS = 0.25
OLD_CASE = "old"
NEW_CASE = "new"


class DiagnosisDialog(Dialog[tuple[str, str]]):
    """ICD-10 by words or code; gives (code, case kind)."""

    TITLE_TEXT = N_("Diagnosis (ICD-10)")
    BINDINGS = [
        keymap.BACK,
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("f9", "old_case", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._answered: str | None = None
        self._timer: Timer | None = None
        self._case = NEW_CASE

    def compose_body(self) -> ComposeResult:
        """A box and what it finds."""
        yield TextField("words", longest=80)
        pick_list = PickList("codes", focusable=False)
        pick_list.styles.height = 12
        yield pick_list

    def on_mount(self) -> None:
        """The usual ones first."""
        self.query_one("#words").focus()
        self._say_keys()
        self.look_up("", take=False)

    def _say_keys(self) -> None:
        case = _("new case") if self._case == NEW_CASE else _("OLD case (control)")
        self.hint(_("Enter: take it    F9: {case}    Esc: back").format(case=case))

    @on(TextField.Changed, "#words")
    def search_soon(self, event: TextField.Changed) -> None:
        """Ask when typing pauses."""
        if self._timer is not None:
            self._timer.stop()
        text = event.value
        self._timer = self.set_timer(DEBOUNCE_SECONDS, lambda: self.look_up(text, take=False))

    @on(TextField.Submitted, "#words")
    def take(self, event: TextField.Submitted) -> None:
        """Take the chosen one of exactly what was typed."""
        if self._timer is not None:
            self._timer.stop()
        if self._answered == event.value:
            self._take()
        else:
            self.look_up(event.value, take=True)

    @work(exclusive=True, group="codes", exit_on_error=False)
    async def look_up(self, text: str, *, take: bool) -> None:
        """Search; `take` only what is the single answer."""
        with self.hinting_refusals(), hold_keys(self.app):
            found = await self.session.client.find_diagnoses(text)
            self._answered = text
            self._show(found)
            if take and len(found) == 1:
                self._take()

    def _show(self, found: Sequence[CodeShape]) -> None:
        rows = [
            PickRow(item.code, [(fit(item.code, 7), theme.STRONG), (item.title, theme.PLAIN)])
            for item in found
        ]
        self.query_one("#codes", PickList).show_rows(rows)

    def _take(self) -> None:
        chosen = self.query_one("#codes", PickList).chosen
        if chosen is not None:
            self.dismiss((chosen, self._case))

    def action_move(self, step: int) -> None:
        """Move in the list."""
        self.query_one("#codes", PickList).action_move(step)

    def action_old_case(self) -> None:
        """A later control of the same episode, as LB1 counts it."""
        self._case = OLD_CASE if self._case == NEW_CASE else NEW_CASE
        self._say_keys()


class FormDialog(Dialog[dict[str, str]]):
    """A few lines of text; the first one must be filled in."""

    def __init__(self, session: Session, title: str, fields: Sequence[tuple[str, str]]) -> None:
        """Args: `title` is a msgid; `fields` are (name, msgid of the label)."""
        super().__init__(session, title)
        self._fields = list(fields)

    def compose_body(self) -> ComposeResult:
        """One row a field."""
        for name, label in self._fields:
            with Row():
                yield from labelled(label, TextField(name, longest=200), cells=16)

    def on_mount(self) -> None:
        """Begin with the first."""
        self.query_one(f"#{self._fields[0][0]}").focus()
        self.hint(_("Enter: next line; in the last one: save    Esc: back"))

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Enter leads on; in the last line it hands over."""
        names = [name for name, _label in self._fields]
        if event.input.id != names[-1]:
            self.focus_next()
            return
        values = {name: self.query_one(f"#{name}", TextField).text for name in names}
        if values[names[0]]:
            self.dismiss(values)
        else:
            self.query_one(f"#{names[0]}").focus()
            self.hint("! " + words.field_problem(names[0], "required"))


class VisitsDialog(Dialog[str]):
    """The patient's visits, newest first; gives the id of the one to read."""

    TITLE_TEXT = N_("Visits")

    def __init__(self, session: Session, visits: Sequence[VisitSummary]) -> None:
        super().__init__(session)
        self._visits = list(visits)

    def compose_body(self) -> ComposeResult:
        """One line a visit."""
        pick_list = PickList("visits")
        pick_list.styles.height = min(14, max(1, len(self._visits)))
        yield pick_list

    def on_mount(self) -> None:
        """Show them."""
        pick_list = self.query_one("#visits", PickList)
        pick_list.show_rows([PickRow(visit.id, [(visit_line(visit), theme.PLAIN)]) for visit in self._visits])
        pick_list.focus()
        self.hint(_("Enter: read it    Esc: back"))

    @on(PickList.Picked)
    def picked(self, event: PickList.Picked) -> None:
        """Read this one."""
        self.dismiss(event.key)


def visit_line(visit: VisitSummary) -> str:
    """One visit in one line: day, clusters, diagnoses or complaint."""
    said = "; ".join(visit.diagnoses) or visit.chief_complaint
    return f"{date_text(visit.service_on)} {fit(' '.join(visit.clusters), 11)} {said}"


class VisitDialog(Dialog[None]):
    """An earlier visit, to read."""

    TITLE_TEXT = N_("Visit")
    BINDINGS = [keymap.BACK, Binding("enter", "back", show=False)]

    def __init__(self, session: Session, visit: VisitShape) -> None:
        super().__init__(session)
        self._visit = visit

    def compose_body(self) -> ComposeResult:
        """The record as text."""
        yield Static("\n".join(visit_text(self._visit)), markup=False, id="visit-text")

    def on_mount(self) -> None:
        """Say how to close it."""
        self.hint(_("Enter or Esc: back"))


def visit_text(visit: VisitShape) -> list[str]:
    """A visit's record in lines, empty parts left out."""
    lines = [f"{date_text(visit.service_on)}  {visit.chief_complaint}"]
    for encounter in visit.encounters:
        lines.append(f"{encounter.cluster}  {encounter.practitioner}")
        if encounter.vitals:
            lines.append("  " + vitals_line(encounter.vitals))
        for letter, text in zip(
            "SOAP",
            (encounter.subjective, encounter.objective, encounter.assessment, encounter.plan),
            strict=True,
        ):
            if text:
                lines.append(f"  {letter}: {text}")
        lines += [f"  + {addendum}" for addendum in encounter.addenda]
    lines += [f"  {item.code} {item.title}" for item in visit.diagnoses]
    lines += [f"  R/ {item.medicine} {item.dose} {item.frequency}" for item in visit.prescriptions]
    lines += [f"  Lab {item.test}: {item.result or '-'} {item.unit}" for item in visit.orders]
    if visit.disposition is not None:
        lines.append("  " + words.word(words.DISPOSITIONS, visit.disposition))
    return lines


def vitals_line(vitals: dict[str, float]) -> str:
    """Vital signs in one line."""
    parts = []
    if "systolic" in vitals and "diastolic" in vitals:
        parts.append(_("BP") + f" {number_text(vitals['systolic'])}/{number_text(vitals['diastolic'])}")
    rest = [name for name in vitals if name not in {"systolic", "diastolic"}]
    parts += [f"{words.field_name('vitals.' + name)} {number_text(vitals[name])}" for name in rest]
    return "  ".join(parts)
