"""Work list of the rows of imported lists that could not be read, and the form in which one is mended."""

from __future__ import annotations

from datetime import date
from typing import Any

from textual import on, work
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.codes import NikHolder, NoIdentifierReason
from core.patients.fields import BY_NAME, TYPED
from core.schemas.imports import SetAsideRowOut
from core.schemas.patients import PatientOut
from tui import keymap, theme
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.base import Values
from tui.screens.item_list import ItemList
from tui.screens.patients.card_form import CardScreen
from tui.screens.reasons import ReasonDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import date_text, fit
from tui.text.import_words import row_problem
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList
from tui.widgets.painting import Line

LEFT_OUT_REASONS = (
    N_("No person: a total, a title or an empty line"),
    N_("Registered already under another name"),
    N_("Has died"),
    N_("Has moved away"),
)


class SetAsideScreen(ItemList[SetAsideRowOut]):
    """Lists the rows with their lines, names and what is wrong with them."""

    TITLE_TEXT = N_("Imported lists: rows to mend")
    HELP_TEXT = N_(
        "Rows of imported patient lists that are nobody's record yet, because something cannot be read or "
        "contradicts itself; in the order of the list. Enter opens a row as a form with what the list says: "
        "correct it and F10 stores the patient. X leaves a row out for a reason, U takes the last one back."
    )
    BINDINGS = [
        keymap.OPEN,
        Binding("x", "leave_out", N_("Leave out")),
        keymap.UNDO_STEP,
        keymap.REFRESH,
        keymap.BACK,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._left_out: list[str] = []
        """Rows left out here, the last one last."""

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "") -> None:
        """Read the list and say how long it is."""
        with self.saying_refusals():
            found = await self.session.client.imports.waiting()
            self._items = {row.id: row for row in found.rows}
            self._show()
            count = ngettext(
                "{number} row to mend. Enter opens it.",
                "{number} rows to mend. Enter opens one.",
                found.waiting,
            ).format(number=found.waiting)
            self.say(
                note or (count if found.waiting else _("Nothing is left to mend.")),
                "good" if note else "info",
            )

    def _row(self, item: SetAsideRowOut) -> Line:
        wide = self.size.width >= 120
        name = item.values.get("name") or _("(no name)")
        problems = "; ".join(row_problem(reason) for reason in item.reasons)
        return [
            (f"{fit(item.list_name, 24 if wide else 12)} {item.line:>6} ", theme.PLAIN),
            (f"{fit(name, 30 if wide else 20)} ", theme.STRONG),
            (problems, theme.PLAIN),
        ]

    @on(PickList.Picked)
    def action_open(self) -> None:
        """Open the chosen row as a form."""
        row = self._chosen
        if row is not None:
            self.app.push_screen(MendScreen(self.session, row), self._mended)

    def _mended(self, note: str | None) -> None:
        if note is not None:
            self.read(note)

    def action_leave_out(self) -> None:
        """Ask why the chosen row becomes nobody's record."""
        row = self._chosen
        if row is None:
            return

        def decided(reason: str | None) -> None:
            if reason:
                self.leave_out(row, reason)

        self.app.push_screen(ReasonDialog(self.session, LEFT_OUT_REASONS), decided)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def leave_out(self, row: SetAsideRowOut, reason: str) -> None:
        """Take a row off the list."""
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.imports.leave_out(row.id, reason)
            self._left_out.append(row.id)
            self.read(_("Left out: line {line}. U takes it back.").format(line=row.line))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_undo_step(self) -> None:
        """Put the row that was left out last on the list again."""
        if not self._left_out:
            self.say(_("No row was left out here."))
            return
        with self.saying_refusals(), hold_keys(self.app):
            await self.session.client.imports.take_back(self._left_out.pop())
            self.read(_("Taken back: the row waits again."))


class MendScreen(CardScreen[str]):
    """Shows a row as a form; returns what was done, None when nothing was."""

    TITLE_TEXT = N_("Mend a row")
    HELP_TEXT = N_(
        "What the list says stands in the form. Correct what cannot be read; Enter or the down arrow leads to "
        "the next field. Where birth date and NIK contradict each other, ask the person or the paper file. F10 "
        "stores the patient; F7 shows who is alike. Esc leaves the row on the list."
    )

    def __init__(self, session: Session, row: SetAsideRowOut) -> None:
        super().__init__(session, _form_of(row))
        self._mended_row = row

    def first_field(self) -> str:
        """Return the first field that is wrong, else the first that the list's fault names."""
        problems = self.facts().person_problems()
        named = next((name for name in self._doubted() if name in self._values), "name")
        return next(iter(problems), named)

    def _doubted(self) -> list[str]:
        return [reason.split(":")[0] for reason in self._mended_row.reasons]

    def show_card(self) -> None:
        """Show where the row stands, what the list says, and what is wrong with it."""
        row = self._mended_row
        said = _("{file}, line {line}").format(file=row.list_name, line=row.line)
        paper = row.values.get("record_number")
        known = f"   RM {paper}" if paper else ""
        born = row.values.get("birth_date") or row.values.get("age") or ""
        listed = "   " + _("the list says: {text}").format(text=born) if born else ""
        problems = "; ".join(row_problem(reason) for reason in row.reasons)
        self.query_one("#card", Static).update(f" {said}{known}{listed}\n ! {problems}")

    def action_save(self) -> None:
        """Check the form, then store the patient."""
        if not self.point_at_first(self.facts().person_problems()):
            self.save(self._body() | {"duplicate_decision": self._duplicate_decision})

    def _body(self) -> dict[str, Any]:
        holder = NikHolder.SELF.value if self._nik_is_own else None
        return {"patient": self.facts().person(), "nik_holder": holder}

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, mended: dict[str, Any]) -> None:
        """Send the mended row; a refused one stays typed."""
        try:
            with hold_keys(self.app):
                stored = await self.session.client.imports.mend(self._mended_row.id, mended)
        except RefusedError as refusal:
            self._refused(refusal)
        except UnreachableError:
            self.say(_(problem_words.UNREACHABLE), "error")
        else:
            text = _("Stored: {name}, RM {number}")
            self.dismiss(text.format(name=stored.name, number=stored.medical_record_number))

    def _refused(self, refusal: RefusedError) -> None:
        problem = refusal.problem
        if self.asks_about(problem):
            return
        if problem.fields:
            name, code = next(iter(problem.fields.items()))
            self.point_at(name.removeprefix("patient."), code)
        else:
            self.say(problem_words.problem_text(problem), "error")

    def is_known(self, patient: PatientOut) -> None:
        """Add what the list knows more to the known patient."""
        self.save(self._body() | {"patient_id": patient.id})


def _form_of(row: SetAsideRowOut) -> Values:
    """Return the values of the form: what the list says, without a birth date that cannot be one."""
    values: Values = {name: row.values.get(name, "") for name in TYPED if name in BY_NAME}
    values["sex"] = row.values.get("sex", "") if row.values.get("sex") in {"male", "female"} else ""
    values["birth_date"] = _date_of(row)
    if not values.get("nik"):
        values["no_identifier_reason"] = NoIdentifierReason.FORGOTTEN.value
    return values


def _date_of(row: SetAsideRowOut) -> str:
    try:
        return date_text(date.fromisoformat(row.values.get("birth_date", "")))
    except ValueError:
        return ""
