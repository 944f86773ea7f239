"""Small questions that several screens ask: a reason, a cluster, a line of text, yes or no."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Static

from core.schemas.queues import ClusterShape
from tui import theme, words
from tui.screens.base import Dialog
from tui.session import Session
from tui.text import N_, _
from tui.widgets import PickList, PickRow, TextField

OUTCOME_LETTERS = dict(zip(words.DISPOSITIONS, "PRKITA", strict=True))
"""How a visit ends -> its letter, the same wherever that is asked."""


class ReasonDialog(Dialog[str]):
    """A reason, from a short list or typed."""

    TITLE_TEXT = N_("Reason")

    def __init__(self, session: Session, reasons: Sequence[str], *, note: str = "") -> None:
        """Args: `reasons` are msgids; `note` is translated and stands above them."""
        super().__init__(session)
        self._reasons = reasons
        self._note = note

    def compose_body(self) -> ComposeResult:
        """The list, and a field for what is not in it."""
        if self._note:
            yield Static(self._note, markup=False)
        pick_list = PickList("reasons", focusable=False)
        pick_list.styles.height = max(1, len(self._reasons))
        yield pick_list
        yield Static(_("or type it:"), markup=False, classes="note")
        yield TextField("reason", longest=200)

    def on_mount(self) -> None:
        """Nothing is chosen until a digit is pressed or something is typed."""
        rows = [
            PickRow(reason, [(f"{number} {_(reason)}", theme.PLAIN)])
            for number, reason in enumerate(self._reasons, start=1)
        ]
        self.query_one("#reasons", PickList).show_rows(rows, choose=False)
        self.query_one("#reason").focus()
        self.hint(_("Digit: that reason    Enter: the typed one    Esc: back"))

    @on(TextField.Changed, "#reason")
    def take_digit(self, event: TextField.Changed) -> None:
        """A single digit picks from the list."""
        text = event.value.strip()
        if text.isdigit() and 1 <= int(text) <= len(self._reasons):
            self.dismiss(self._reasons[int(text) - 1])

    @on(TextField.Submitted, "#reason")
    def take_typed(self, event: TextField.Submitted) -> None:
        """A typed reason says something."""
        text = event.value.strip()
        if len(text) >= 3:
            self.dismiss(text)
        else:
            self.hint("! " + _("Give a reason: a digit of the list, or a few words."))


class ClusterDialog(Dialog[str]):
    """A cluster, by its letter."""

    TITLE_TEXT = N_("Which cluster?")

    def __init__(self, session: Session, clusters: Sequence[ClusterShape], *, note: str = "") -> None:
        super().__init__(session)
        self._clusters = list(clusters)
        self._note = note
        self._chosen: ClusterShape | None = None

    def compose_body(self) -> ComposeResult:
        """All of them with their letters."""
        lines = [self._note, ""] if self._note else []
        lines += [f"   {cluster.prefix}  {cluster.name}" for cluster in self._clusters]
        yield Static("\n".join(lines), markup=False)

    def on_mount(self) -> None:
        """Wait for a letter."""
        self.hint(_("Letter: choose    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """A letter chooses, Enter agrees."""
        if event.key == "enter":
            event.stop()
            if self._chosen is not None:
                self.dismiss(self._chosen.code)
            return
        letter = (event.character or "").upper()
        for cluster in self._clusters:
            if letter and cluster.prefix == letter:
                event.stop()
                self._chosen = cluster
                self.hint(
                    "> "
                    + f"{cluster.prefix}  {cluster.name}    "
                    + _("Enter: yes    another letter: choose again    Esc: back")
                )


class LineDialog(Dialog[str]):
    """One line of text."""

    def __init__(
        self, session: Session, title: str, *, value: str = "", shortest: int = 1, longest: int = 200
    ) -> None:
        """Args: `title` is a msgid; `shortest` and `longest` are numbers of characters."""
        super().__init__(session, title)
        self._value = value
        self._shortest = shortest
        self._longest = longest

    def compose_body(self) -> ComposeResult:
        """The field."""
        yield TextField("line", longest=self._longest)

    def on_mount(self) -> None:
        """Begin typing."""
        field = self.query_one("#line", TextField)
        field.value = self._value
        field.focus()
        self.hint(_("Enter: yes    Esc: back"))

    @on(TextField.Submitted, "#line")
    def take(self, event: TextField.Submitted) -> None:
        """Give it, when there is something."""
        text = event.value.strip()
        if len(text) >= self._shortest:
            self.dismiss(text)


class LettersDialog(Dialog[str]):
    """One of a few values by its letter; Enter alone does nothing."""

    def __init__(
        self,
        session: Session,
        title: str,
        options: Sequence[tuple[str, str, str]],
        *,
        notes: Sequence[str] = (),
    ) -> None:
        """Args: `title` is a msgid; `options` are (letter, value, translated label); `notes` are worth a look."""
        super().__init__(session, title)
        self._options = list(options)
        self._notes = list(notes)

    def compose_body(self) -> ComposeResult:
        """What is worth a look, then all of them."""
        if self._notes:
            yield Static("\n".join(f"! {note}" for note in self._notes), markup=False, classes="note")
        yield Static(
            "\n".join(f"   {letter}  {label}" for letter, _value, label in self._options), markup=False
        )

    def on_mount(self) -> None:
        """Wait for a letter."""
        self.hint(_("Letter: choose    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """A letter chooses."""
        letter = (event.character or "").upper()
        for key, value, _label in self._options:
            if letter and key == letter:
                event.stop()
                self.dismiss(value)


class DispositionDialog(LettersDialog):
    """How a visit ends for the patient."""

    def __init__(self, session: Session) -> None:
        letters = [
            (letter, value, words.word(words.DISPOSITIONS, value))
            for value, letter in OUTCOME_LETTERS.items()
        ]
        super().__init__(session, N_("How does the visit end?"), letters)
