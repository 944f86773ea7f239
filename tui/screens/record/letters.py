"""Certificates and referrals: what they ask for, and what was written, to read and to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from core.forms import FormField, LetterKind, in_language
from core.printing import PrintDocument, PrintLine
from core.schemas.record import LetterShape, VisitShape
from tui import words
from tui.formatting import date_text
from tui.printing import NotPrintedError, print_document
from tui.screens.base import Dialog, LoketScreen
from tui.screens.reasons import LettersDialog
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.form import Typed, read_answers
from tui.session import Session
from tui.terminal.driver import terminal_of
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _, language
from tui.widgets import Choice, ChoiceField, Row, TextField, labelled


class LetterDialog(Dialog[dict[str, Any]]):
    """What a letter asks for; gives the answers as they are sent."""

    BINDINGS = [Binding("f10", "issue", show=False)]

    def __init__(self, session: Session, kind: LetterKind, typed: Typed) -> None:
        """Args: `typed` stands in the fields first."""
        super().__init__(session, in_language(kind.title_id, kind.title_en, language()))
        self._kind = kind
        self._typed = typed

    def compose_body(self) -> ComposeResult:
        """One row a field."""
        for item in self._kind.fields:
            label = in_language(item.label_id, item.label_en, language())
            with Row():
                if item.choices:
                    options = [
                        Choice(each.value, in_language(each.label_id, each.label_en, language()), each.key)
                        for each in item.choices
                    ]
                    yield from labelled(label, ChoiceField(item.name, options, optional=True), cells=24)
                else:
                    longest = 200 if item.type == "text" else 10
                    yield from labelled(label, TextField(item.name, longest=longest), cells=24)

    def on_mount(self) -> None:
        """Begin with the first."""
        for name, value in self._typed.items():
            field = self.query_one(f"#{name}", TextField)
            field.value = value
            field.cursor_position = len(value)
        self.query_one(f"#{self._kind.fields[0].name}").focus()
        self._say_keys()

    def _say_keys(self) -> None:
        self.hint(_("Enter: next line    F10: issue    Esc: back"))

    def on_descendant_focus(self) -> None:
        """Say which values a choice takes."""
        if isinstance(self.focused, ChoiceField):
            self.hint(self.focused.hint() + "    " + _("F10: issue"))

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def lead_on(self) -> None:
        """Enter leads on; in the last line it issues."""
        if self.focused is not None and self.focused.id == self._kind.fields[-1].name:
            self.action_issue()
        else:
            self.focus_next()

    def action_issue(self) -> None:
        """Hand over, when everything is there."""
        typed = {item.name: self._value(item) for item in self._kind.fields}
        answers, problems = read_answers(self._kind.fields, typed, {}, self.session.clinic.today)
        for item in self._kind.fields:
            problem = problems.get(item.name) or (None if item.name in answers else "required")
            if problem is not None:
                self.query_one(f"#{item.name}").focus()
                label = in_language(item.label_id, item.label_en, language())
                self.hint(f"! {label}: {words.word(words.FIELD_PROBLEMS, problem)}")
                return
        self.dismiss(answers)

    def _value(self, item: FormField) -> str:
        if item.choices:
            return self.query_one(f"#{item.name}", ChoiceField).value
        return self.query_one(f"#{item.name}", TextField).text


def ask_letter(screen: LoketScreen[Any], visit: VisitShape) -> None:
    """Ask which letter, what it needs, issue it and show it."""

    async def start() -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            kinds = {kind.kind: kind for kind in await screen.session.client.letter_kinds()}
            _choose(screen, visit, kinds)

    screen.run_worker(start(), group="letter", exclusive=True, exit_on_error=False)


def _choose(screen: LoketScreen[Any], visit: VisitShape, kinds: Mapping[str, LetterKind]) -> None:
    options = [
        (str(number), kind.kind, in_language(kind.title_id, kind.title_en, language()))
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


def _ask(screen: LoketScreen[Any], visit: VisitShape, kind: LetterKind) -> None:
    today = date_text(screen.session.clinic.today)
    typed = {item.name: today for item in kind.fields if item.type == "date"}

    def answered(answers: dict[str, Any] | None) -> None:
        if answers is not None:
            screen.run_worker(
                _issue(screen, visit, kind, answers), group="letter", exclusive=True, exit_on_error=False
            )

    screen.app.push_screen(LetterDialog(screen.session, kind, typed), answered)


async def _issue(
    screen: LoketScreen[Any], visit: VisitShape, kind: LetterKind, answers: Mapping[str, Any]
) -> None:
    with screen.saying_refusals(), hold_keys(screen.app):
        letter = await screen.session.client.issue_letter(visit.id, kind.kind, answers)
        screen.say(_("Issued: {number}").format(number=letter.number), "good")
        show_letter(screen, letter)


def show_letter(screen: LoketScreen[Any], letter: LetterShape) -> None:
    """Show a letter as it was issued; P prints it."""

    def read(key: str | None) -> None:
        if key == "P":
            screen.run_worker(_print(screen, letter), group="print", exit_on_error=False)

    lines = letter.text.splitlines()
    screen.app.push_screen(TextDialog(screen.session, N_("Letter"), lines, "P", _("P: print")), read)


async def _print(screen: LoketScreen[Any], letter: LetterShape) -> None:
    """Print it beside everything else; what cannot be printed now can be printed again."""
    lines = [PrintLine(text=line) for line in letter.text.splitlines()]
    try:
        said = await print_document(screen.session, terminal_of(screen.app), PrintDocument(lines=lines))
    except NotPrintedError as failure:
        screen.say(f"{letter.number}: {failure}", "warning")
    else:
        screen.say(f"{letter.number}: {said}", "good")
