"""Small questions of several screens: a reason, a cluster, a line of text, yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation.codes import Disposition
from core.schemas.base import Problem
from core.schemas.queues import ClusterOut
from tui import theme
from tui.screens import stray_keys
from tui.screens.base import Dialog, ResultT
from tui.session import Session
from tui.text import problem_words
from tui.text.outcomes import NEED_ENTER, lacking_lines
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow, TextField

OUTCOME_LETTERS = dict(zip(problem_words.DISPOSITIONS, "PRKITA", strict=True))
"""Outcome of a visit -> its letter, the same in every dialog."""

WHY_ALL_THE_SAME = N_("Against the allergy: why all the same?")
"""Title of the question for a reason, when a medicine is given although an allergy speaks against it."""


class TypedDialog(Dialog[ResultT]):
    """Asks for a text; letters that come right behind the one that opened it were meant for another field."""

    @on(TextField.Changed)
    def notice_typing(self, event: TextField.Changed) -> None:
        """Close when a letter came faster than anybody reads the question."""
        is_letter = event.value[-1:].isalpha()
        if self.guards_typing and is_letter and monotonic() < self.asked_at + stray_keys.TYPING_SECONDS:
            event.stop()
            self.close_typed_into()


class ReasonDialog(TypedDialog[str]):
    """Asks for a reason from a short list, or typed."""

    TITLE_TEXT = N_("Reason")

    def __init__(
        self, session: Session, reasons: Sequence[str], *, note: str = "", needs_enter: bool = False
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            reasons: msgids.
            note: Translated; shown above them.
            needs_enter: Whether a digit only chooses, because a visit ends by it.
        """
        super().__init__(session)
        self._reasons = reasons
        self._note = note
        self._needs_enter = needs_enter

    def compose_body(self) -> ComposeResult:
        """Yield the list, and a field for a reason that is not in it."""
        if self._note:
            yield Static(self._note, markup=False)
        pick_list = PickList("reasons", focusable=False)
        pick_list.styles.height = max(1, len(self._reasons))
        yield pick_list
        yield Static(_("or type it:"), markup=False, classes="note")
        yield TextField("reason", longest=200)

    def on_mount(self) -> None:
        """Choose nothing until a digit is pressed or text is typed."""
        rows = [
            PickRow(reason, [(f"{number} {_(reason)}", theme.PLAIN)])
            for number, reason in enumerate(self._reasons, start=1)
        ]
        self.query_one("#reasons", PickList).show_rows(rows, choose=False)
        self.query_one("#reason").focus()
        self.hint(_("Digit: that reason    Enter: the typed one    Esc: back"))

    @on(TextField.Changed, "#reason")
    def take_digit(self, event: TextField.Changed) -> None:
        """Pick a reason of the list by a single digit."""
        reason = self._listed(event.value)
        if reason is None:
            return
        if not self._needs_enter:
            self.dismiss(reason)
            return
        self.asked_at = monotonic()
        self.hint(f"> {_(reason)}\n" + _("Enter: yes    Backspace: choose again    Esc: back"))

    def _listed(self, text: str) -> str | None:
        """Return the reason of the list whose digit stands in a text."""
        digits = text.strip()
        is_listed = digits.isdigit() and 1 <= int(digits) <= len(self._reasons)
        return self._reasons[int(digits) - 1] if is_listed else None

    def on_key(self, event: events.Key) -> None:
        """Take no Enter that was pressed before the chosen reason was in view."""
        if self._needs_enter and event.key == "enter":
            self.refuses_early(event)

    @on(TextField.Submitted, "#reason")
    def take_typed(self, event: TextField.Submitted) -> None:
        """Return a typed reason when it is long enough, or the one of the list."""
        text = event.value.strip()
        listed = self._listed(text)
        if listed is not None or len(text) >= 3:
            self.dismiss(listed or text)
        else:
            self.hint("! " + _("Give a reason: a digit of the list, or a few words."))


class ClusterDialog(Dialog[str]):
    """Asks for a cluster by its letter."""

    TITLE_TEXT = N_("Which cluster?")

    def __init__(self, session: Session, clusters: Sequence[ClusterOut], *, note: str = "") -> None:
        super().__init__(session)
        self._clusters = list(clusters)
        self._note = note
        self._chosen: ClusterOut | None = None

    def compose_body(self) -> ComposeResult:
        """Yield all clusters with their letters."""
        lines = [self._note, ""] if self._note else []
        lines += [f"   {cluster.prefix}  {cluster.name}" for cluster in self._clusters]
        yield Static("\n".join(lines), markup=False)

    def on_mount(self) -> None:
        """Wait for a letter."""
        self.hint(_("Letter: choose    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter, confirm by Enter."""
        if event.key == "enter":
            event.stop()
            if self._chosen is not None:
                self.dismiss(self._chosen.code)
            return
        letter = (event.character or "").upper()
        cluster = next((item for item in self._clusters if letter and item.prefix == letter), None)
        if cluster is not None:
            event.stop()
            self._chosen = cluster
            keys = _("Enter: yes    another letter: choose again    Esc: back")
            self.hint(f"> {cluster.prefix}  {cluster.name}    {keys}")
        elif self.guards_typing and event.is_printable:
            event.stop()
            self.close_typed_into()


class LineDialog(TypedDialog[str]):
    """Asks for one line of text."""

    def __init__(
        self,
        session: Session,
        title: str,
        *,
        value: str = "",
        note: str = "",
        shortest: int = 1,
        longest: int = 200,
    ) -> None:
        """Args: `title` is a msgid, `note` what it is about; `shortest` and `longest` are numbers of characters."""
        super().__init__(session, title)
        self._note = note
        self._value = value
        self._shortest = shortest
        self._longest = longest

    def compose_body(self) -> ComposeResult:
        """Yield the field, after what it is about."""
        if self._note:
            yield Static(self._note, markup=False)
        yield TextField("line", longest=self._longest)

    def on_mount(self) -> None:
        """Focus the field."""
        field = self.query_one("#line", TextField)
        field.value = self._value
        field.focus()
        field.action_select_all()  # typing replaces what stands there
        self.hint(_("Enter: yes    Esc: back"))

    @on(TextField.Submitted, "#line")
    def take(self, event: TextField.Submitted) -> None:
        """Return the text, when it is long enough."""
        text = event.value.strip()
        if len(text) >= self._shortest:
            self.dismiss(text)


class LettersDialog(Dialog[str]):
    """Asks for one of a few values by its letter; Enter alone does nothing."""

    def __init__(
        self,
        session: Session,
        title: str,
        options: Sequence[tuple[str, str, str]],
        *,
        notes: Sequence[str] = (),
    ) -> None:
        """Args: `title` is a msgid; `options` are (letter, value, translated label); `notes` come first."""
        super().__init__(session, title)
        self._options = list(options)
        self._notes = list(notes)
        self.chosen_at = float("-inf")
        """Instant at which an option's letter was pressed last."""

    def compose_body(self) -> ComposeResult:
        """Yield the notes, then all options."""
        if self._notes:
            yield Static("\n".join(f"! {note}" for note in self._notes), markup=False, classes="note")
        yield Static(
            "\n".join(f"   {letter}  {label}" for letter, _value, label in self._options), markup=False
        )

    def on_mount(self) -> None:
        """Wait for a letter."""
        self.hint(_("Letter: choose    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter.

        Textual calls the handlers of all base classes, so a dialog derived from this one overrides
        `choose` and never `on_key`.
        """
        letter = (event.character or "").upper()
        option = next((item for item in self._options if letter and item[0] == letter), None)
        if option is not None:
            event.stop()
            self.chosen_at, before = event.time, self.chosen_at
            if self.guards_typing and event.time < before + stray_keys.TYPING_SECONDS:
                self.close_typed_into()  # a second letter this fast: nobody has read what the first one chose
            else:
                self.choose(*option[1:])
        elif self.guards_typing and event.is_printable:
            event.stop()
            self.close_typed_into()
        elif event.key == "enter":
            self.entered(event)

    def entered(self, event: events.Key) -> None:
        """React to Enter."""

    def choose(self, value: str, label: str) -> None:
        """Take the value that a letter stands for."""
        self.dismiss(value)


class AgreeDialog(Dialog[bool]):
    """Asks whether it is meant; only Enter agrees."""

    def __init__(self, session: Session, title: str, note: str) -> None:
        """Initialise the dialog: `title` is a msgid, `note` says whom it is about."""
        super().__init__(session, title)
        self._note = note

    def compose_body(self) -> ComposeResult:
        """Yield whom it is about."""
        yield Static(self._note, markup=False)

    def on_mount(self) -> None:
        """Show the keys."""
        self.hint(_("Enter: yes    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """Agree by Enter alone; letters are typing that was meant for a field."""
        if event.key == "enter" and not self.refuses_early(event):
            event.stop()
            self.dismiss(True)
        elif event.is_printable:
            event.stop()
            self.close_typed_into()


def told_of_death(problem: Problem) -> list[str]:
    """Return the line that says when the patient died, where that is the question."""
    return [problem_words.problem_text(problem)] if problem.code == "patient_deceased" else []


class DeceasedDialog(LettersDialog):
    """Asks whether a step is meant for a patient who is recorded as dead; `yes` or `no`."""

    def __init__(self, session: Session, problem: Problem) -> None:
        """Args: `problem` is the core's question."""
        options = [("Y", "yes", _("Go on all the same")), ("N", "no", _("Do not go on"))]
        number = str(problem.details.get("number", ""))
        note = f"{number} {problem_words.problem_text(problem)}".strip()
        super().__init__(session, N_("Marked as DECEASED: go on all the same?"), options, notes=[note])


class EndingDialog(LettersDialog):
    """Asks for an outcome by its letter; what cannot be meant by a slip, or lacks something, needs Enter as well."""

    def __init__(
        self,
        session: Session,
        title: str,
        options: Sequence[tuple[str, str, str]],
        *,
        person: str,
        notes: Sequence[str] = (),
        lacking: Sequence[str] = (),
        of_referral: Sequence[str] = (),
        needs_enter: bool = False,
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            title: A msgid.
            options: Letter, value, translated label.
            person: Whom it is about.
            notes: Worth a look before it ends.
            lacking: `no_note`, `no_diagnosis`, `prognosis`, ...: ends only after Enter.
            of_referral: What a referral would lack besides: said when it is chosen.
            needs_enter: Whether every ending needs Enter, because a letter opened the dialog.
        """
        super().__init__(session, title, options, notes=[*notes, *lacking_lines(lacking)])
        self._person = person
        self._of_referral = list(of_referral)
        self._is_asked = bool(lacking) or needs_enter
        self._waiting: str | None = None

    def entered(self, event: events.Key) -> None:
        """Take the outcome that was asked about."""
        event.stop()
        if self._waiting is not None and not self.refuses_early(event):
            self.dismiss(self._waiting)

    def choose(self, value: str, label: str) -> None:
        """Take an outcome, or ask about it first where it cannot be meant by a slip or something is lacking."""
        ends = value in set(Disposition) and value != Disposition.INTERNAL_REFERRAL
        if value not in NEED_ENTER and not (ends and self._is_asked):
            self.dismiss(value)
            return
        self._waiting, self.asked_at = value, monotonic()
        question = _("Record {outcome} for {person}?").format(outcome=label.upper(), person=self._person)
        keys = _("Enter: yes    another letter: choose again    Esc: back")
        missing = self._of_referral if value == Disposition.REFERRED else []
        said = [f"! {line}" for line in lacking_lines(missing)]
        self.hint("\n".join([*said, f"> {question}", keys]))


class DispositionDialog(EndingDialog):
    """Asks how the visit ends for the patient."""

    def __init__(
        self,
        session: Session,
        person: str,
        lacking: Sequence[str] = (),
        of_referral: Sequence[str] = (),
        *,
        needs_enter: bool = False,
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            person: Whom it is about.
            lacking: What the record lacks.
            of_referral: What a referral would lack besides.
            needs_enter: Whether every ending needs Enter.
        """
        letters = [
            (letter, value, problem_words.word(problem_words.DISPOSITIONS, value))
            for value, letter in OUTCOME_LETTERS.items()
        ]
        title = N_("How does the visit end?")
        super().__init__(
            session,
            title,
            letters,
            person=person,
            lacking=lacking,
            of_referral=of_referral,
            needs_enter=needs_enter,
        )
