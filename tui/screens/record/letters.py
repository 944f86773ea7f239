"""Certificates and referrals: their questions, and the issued letter, to read and to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from core.foundation.codes import PrintStyle
from core.foundation.languages import in_language
from core.printing.documents import PrintDocument, PrintLine
from core.records.forms import FormField, LetterKind
from core.schemas.record import LetterOut, StatedReason, VisitOut
from tui.client.errors import RefusedError
from tui.printing import NotPrintedError, print_document
from tui.screens.base import Dialog, LoketScreen
from tui.screens.reasons import WHY_ALL_THE_SAME, LettersDialog, LineDialog
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.form_screen import Typed, read_answers
from tui.screens.record.glass import GlassDialog
from tui.session import Session
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import check_words, problem_words
from tui.text.formatting import date_text
from tui.text.translation import N_, _, language
from tui.widgets import Choice, ChoiceField, FieldRow, TextField, labelled

LINES_A_JOB = 300  # below the bound of one print job
_QUESTIONS = {
    "allergy": N_("A medicine in the letter clashes with an allergy: issue it?"),
    "patient_deceased": N_("Marked as DECEASED: issue the letter?"),
}
"""Code of a refusal that a person may answer with yes -> the question."""


class LetterDialog(Dialog[dict[str, Any]]):
    """Asks for the fields of a letter; returns the answers as they are sent."""

    BINDINGS = [Binding("f10", "issue", show=False)]

    def __init__(self, session: Session, kind: LetterKind, typed: Typed) -> None:
        """Args: `typed` fills the fields first."""
        super().__init__(session, in_language(kind.title, language()))
        self._kind = kind
        self._typed = typed

    def compose_body(self) -> ComposeResult:
        """Yield a row for each field."""
        for item in self._kind.fields:
            label = in_language(item.label, language())
            with FieldRow():
                if item.choices:
                    options = [
                        Choice(each.value, in_language(each.label, language()), each.key)
                        for each in item.choices
                    ]
                    yield from labelled(label, ChoiceField(item.name, options, optional=True), cells=24)
                else:
                    longest = 200 if item.type == "text" else 10
                    yield from labelled(label, TextField(item.name, longest=longest), cells=24)

    def on_mount(self) -> None:
        """Focus the first field."""
        for name, value in self._typed.items():
            field = self.query_one(f"#{name}", TextField)
            field.value = value
            field.cursor_position = len(value)
        self.query_one(f"#{self._kind.fields[0].name}").focus()
        self._say_keys()

    def _say_keys(self) -> None:
        self.hint(_("Enter: next line    F10: issue    Esc: back"))

    def on_descendant_focus(self) -> None:
        """Show which values a choice takes."""
        if isinstance(self.focused, ChoiceField):
            self.hint(self.focused.hint() + "    " + _("F10: issue"))

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def lead_on(self) -> None:
        """Go to the next line on Enter; in the last one, issue the letter."""
        if self.focused is not None and self.focused.id == self._kind.fields[-1].name:
            self.action_issue()
        else:
            self.focus_next()

    def action_issue(self) -> None:
        """Return the answers, when the letter is complete."""
        typed = {item.name: self._value(item) for item in self._kind.fields}
        answers, problems = read_answers(self._kind.fields, typed, {}, self.session.clinic.today)
        for item in self._kind.fields:
            problem = problems.get(item.name) or (None if item.name in answers else "required")
            if problem is not None:
                self.query_one(f"#{item.name}").focus()
                label = in_language(item.label, language())
                self.hint(f"! {label}: {problem_words.word(problem_words.FIELD_PROBLEMS, problem)}")
                return
        self.dismiss(answers)

    def _value(self, item: FormField) -> str:
        if item.choices:
            return self.query_one(f"#{item.name}", ChoiceField).value
        return self.query_one(f"#{item.name}", TextField).text


def ask_letter(screen: LoketScreen[Any], visit: VisitOut) -> None:
    """Ask for the kind of letter and its fields, issue it and show it."""

    async def start() -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            found = await screen.session.client.visits.letter_kinds()
            kinds = {kind.kind: kind for kind in found if not kind.of_bpjs}
            _choose(screen, visit, kinds)

    screen.run_worker(start(), group="letter", exclusive=True, exit_on_error=False)


def _choose(screen: LoketScreen[Any], visit: VisitOut, kinds: Mapping[str, LetterKind]) -> None:
    options = [
        (str(number), kind.kind, in_language(kind.title, language()))
        for number, kind in enumerate(kinds.values(), start=1)
    ]
    given = {str(number): item for number, item in enumerate(visit.letters, start=len(options) + 1)}
    options += [
        (number, f"given {number}", item.number) for number, item in given.items() if len(number) == 1
    ]

    def chosen(key: str | None) -> None:
        if key is not None and key in kinds:
            _ask(screen, visit, kinds[key])
        elif key is not None:
            show_letter(screen, given[key.removeprefix("given ")])

    screen.app.push_screen(LettersDialog(screen.session, N_("Certificate or referral"), options), chosen)


def _ask(screen: LoketScreen[Any], visit: VisitOut, kind: LetterKind) -> None:
    today = date_text(screen.session.clinic.today)
    typed = {item.name: today for item in kind.fields if item.type == "date"}

    def answered(answers: dict[str, Any] | None) -> None:
        if answers is not None:
            screen.run_worker(
                issue(screen, visit.id, kind.kind, answers),
                group="letter",
                exclusive=True,
                exit_on_error=False,
            )

    screen.app.push_screen(LetterDialog(screen.session, kind, typed), answered)


async def issue(
    screen: LoketScreen[Any],
    visit_id: str,
    kind: str,
    answers: Mapping[str, Any],
    confirmed: Mapping[str, Any] | None = None,
    *,
    prints: bool = False,
) -> None:
    """Issue the letter and show it; what is asked about it goes through only after a deliberate yes.

    Args:
        screen: The screen in front.
        visit_id: The visit.
        kind: The kind of letter.
        answers: Answers to its questions.
        confirmed: Answers to what was asked about the patient.
        prints: Whether it is printed at once instead of being shown.
    """
    with screen.saying_refusals(), hold_keys(screen.app):
        try:
            letter = await screen.session.client.visits.issue_letter(
                visit_id, kind, answers, confirmed=confirmed
            )
        except RefusedError as refusal:
            if refusal.code == "reason_required":
                _ask_reason(screen, visit_id, kind, answers, confirmed or {})
                return
            if refusal.code not in _QUESTIONS:
                raise
            _ask_all_the_same(screen, visit_id, kind, answers, refusal, confirmed or {})
            return
        unread = [
            check_words.check_line(each) for each in letter.checks if each.code not in check_words.ASKED
        ]
        said = "; ".join([_("Issued: {number}").format(number=letter.number), *unread])
        screen.say(said, "warning" if unread else "good")
        if prints:
            await print_text(screen, letter.number, letter.text, letter.barcode)
        else:
            show_letter(screen, letter)


def _issue_again(
    screen: LoketScreen[Any],
    visit_id: str,
    kind: str,
    answers: Mapping[str, Any],
    confirmed: Mapping[str, Any],
) -> None:
    call = issue(screen, visit_id, kind, answers, confirmed)
    screen.run_worker(call, group="letter", exclusive=True, exit_on_error=False)


def _ask_reason(
    screen: LoketScreen[Any],
    visit_id: str,
    kind: str,
    answers: Mapping[str, Any],
    confirmed: Mapping[str, Any],
) -> None:
    """Ask why a record outside one's own queue is opened, such as on the day after a referral.

    Args:
        screen: The screen in front.
        visit_id: The visit.
        kind: The kind of letter.
        answers: Answers to its questions.
        confirmed: What was answered before.
    """

    def because(reason: StatedReason | None) -> None:
        if reason:
            said = {"reason": reason.words, "reason_code": reason.code}
            _issue_again(screen, visit_id, kind, answers, {**confirmed, **said})

    screen.app.push_screen(GlassDialog(screen.session), because)


def _ask_all_the_same(
    screen: LoketScreen[Any],
    visit_id: str,
    kind: str,
    answers: Mapping[str, Any],
    refusal: RefusedError,
    confirmed: Mapping[str, Any],
) -> None:
    """Ask whether the letter is issued all the same; against an allergy, why.

    Args:
        screen: The screen in front.
        visit_id: The visit.
        kind: The kind of letter.
        answers: Answers to its questions.
        refusal: The core's question.
        confirmed: What was answered before.
    """

    def again(more: Mapping[str, Any]) -> None:
        _issue_again(screen, visit_id, kind, answers, {**confirmed, **more})

    def because(reason: str | None) -> None:
        if reason:
            again({"allergy_override": True, "override_reason": reason})

    def answered(answer: str | None) -> None:
        if answer != "yes":
            return
        if refusal.code == "allergy":
            screen.app.push_screen(LineDialog(screen.session, WHY_ALL_THE_SAME, shortest=3), because)
        else:
            again({"deceased_confirmed": True})

    options = [("Y", "yes", _("Issue it all the same")), ("N", "no", _("Do not issue it"))]
    notes = [problem_words.problem_text(refusal.problem)]
    notes += check_words.check_lines(refusal.problem.details.get("checks", []))
    screen.app.push_screen(
        LettersDialog(screen.session, _QUESTIONS[refusal.code], options, notes=notes), answered
    )


def show_letter(screen: LoketScreen[Any], letter: LetterOut) -> None:
    """Show a letter as it was issued; P prints it."""

    def read(key: str | None) -> None:
        if key == "P":
            call = print_text(screen, letter.number, letter.text, letter.barcode)
            screen.run_worker(call, group="print", exit_on_error=False)

    lines = letter.text.splitlines()
    screen.app.push_screen(TextDialog(screen.session, N_("Letter"), lines, "P", _("P: print")), read)


async def print_text(screen: LoketScreen[Any], name: str, text: str, barcode: str = "") -> None:
    """Print in the background; what cannot be printed now can be printed again.

    Args:
        screen: The screen in front.
        name: What is printed, for the status line.
        text: Its lines; what is longer than a print job goes in several.
        barcode: Number that stands below as a code too; empty: none.
    """
    said, is_printed = await printed(screen, name, text, barcode)
    screen.say(said, "good" if is_printed else "warning")


async def printed(screen: LoketScreen[Any], name: str, text: str, barcode: str = "") -> tuple[str, bool]:
    """Print, and return a sentence about it and whether it was printed.

    Args:
        screen: The screen in front.
        name: What is printed.
        text: Its lines.
        barcode: Number that stands below as a code too; empty: none.
    """
    lines = [PrintLine(text=line) for line in text.splitlines()]
    if barcode:
        lines += [PrintLine(text=barcode, style=PrintStyle.DRAWN_QR), PrintLine(text=barcode)]
    said = ""
    try:
        for start in range(0, len(lines), LINES_A_JOB):
            part = PrintDocument(lines=lines[start : start + LINES_A_JOB])
            said = await print_document(screen.session, terminal_of(screen.app), part)
    except NotPrintedError as failure:
        return f"{name}: {failure}", False
    return f"{name}: {said}", True
