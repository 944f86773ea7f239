"""The patient's allergies on screen: the list, one more, none known, entered in error, and whom it concerns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.foundation.codes import OrderStatus
from core.schemas.record import AllergiesOut, AllergyAdded, AllergyClash, StatedReason
from tui import theme
from tui.client.resource import stated
from tui.screens.base import Dialog, LoketScreen
from tui.screens.reasons import LettersDialog, LineDialog
from tui.screens.record.dialogs import ADDING
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import allergy_words, check_words, problem_words
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, PickList, PickRow, TextField, labelled

ADD, NONE_KNOWN, STRIKE, LATER = "add", "none", "strike", "later"
_LETTERS = {"A": ADD, "T": NONE_KNOWN, "C": STRIKE}
_FIELDS = ("substance", "reaction", "severity", "source")
MOST_ROWS = 12


class AllergiesDialog(Dialog[tuple[str, str]]):
    """Lists the allergies; returns (`add`, `none` or `strike`, id of the allergy)."""

    TITLE_TEXT = N_("Allergies")

    def __init__(self, session: Session, known: AllergiesOut) -> None:
        super().__init__(session)
        self._known = known
        self._is_none_meant = False

    def compose_body(self) -> ComposeResult:
        """Yield a line for each allergy; without any, whether somebody asked."""
        if not self._known.allergies:
            said = _("No known allergies") if self._known.asked else _("Allergies: not asked yet")
            yield Static(f" {said}", id="none-recorded", markup=False)
            return
        pick_list = PickList("allergies")
        pick_list.styles.height = min(MOST_ROWS, len(self._known.allergies))
        yield pick_list

    def on_mount(self) -> None:
        """Show the list; the letters are said below it."""
        rows = [
            PickRow(item.id, [(allergy_words.allergy_line(item), theme.PLAIN)])
            for item in self._known.allergies
        ]
        for pick_list in self.query("#allergies").results(PickList):
            pick_list.show_rows(rows)
            pick_list.focus()
        letters = [_("A: one more")]
        letters.append(_("C: strike it out") if self._known.allergies else _("T: none known"))
        self.hint("    ".join([*letters, _("Esc: back")]))

    def on_key(self, event: events.Key) -> None:
        """Choose by a letter; that there are none needs Enter as well, pressed with the question in view."""
        if event.key == "enter" and self._is_none_meant and not self.refuses_early(event):
            event.stop()
            self.dismiss((NONE_KNOWN, ""))
            return
        wanted = _LETTERS.get((event.character or "").upper())
        if wanted is None:
            return
        event.stop()
        if wanted == NONE_KNOWN:
            self._ask_none()
        elif wanted == ADD:
            self.dismiss((ADD, ""))
        elif self._known.allergies:
            self.dismiss((STRIKE, self.query_one("#allergies", PickList).chosen or ""))

    def _ask_none(self) -> None:
        if self._known.allergies:
            self.hint("! " + _("Allergies are recorded: strike them out first."))
            return
        self._is_none_meant, self.asked_at = True, monotonic()
        self.hint("> " + _("Asked, and none known?") + "    " + _("Enter: yes    Esc: back"))


class AllergyDialog(Dialog[dict[str, str]]):
    """Asks for one allergy: substance, reaction, how grave, who says so."""

    TITLE_TEXT = N_("Allergy")
    BINDINGS = [Binding("f10", "hand_over", show=False)]

    def compose_body(self) -> ComposeResult:
        """Yield two lines of text and two choices."""
        with FieldRow():
            yield from labelled(
                problem_words.FIELDS["substance"], TextField("substance", longest=120), cells=12
            )
        with FieldRow():
            yield from labelled(N_("Reaction"), TextField("reaction", longest=120), cells=12)
        for name, label, words in (
            ("severity", N_("Severity"), allergy_words.SEVERITIES),
            ("source", N_("Source"), allergy_words.SOURCES),
        ):
            with FieldRow():
                yield from labelled(label, ChoiceField(name, _numbered(words), optional=True), cells=12)

    def on_mount(self) -> None:
        """Begin with the substance."""
        self.query_one("#substance").focus()
        self._say_keys()

    def _say_keys(self, before: str = "") -> None:
        keys = _("Enter: next line    F10: save    Esc: back")
        self.hint(f"{before}\n{keys}" if before else keys)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show how the substance reads, and the values of a choice."""
        if isinstance(event.widget, ChoiceField):
            self._say_keys(event.widget.hint())
            return
        substance = self.query_one("#substance", TextField).text
        is_left = event.widget.id != "substance" and substance
        self._say_keys(allergy_words.reading_line(substance) if is_left else "")

    @on(TextField.Submitted)
    @on(ChoiceField.Submitted)
    def lead_on(self) -> None:
        """Go to the next line on Enter; in the last one, return the values."""
        if self.focused is not None and self.focused.id == _FIELDS[-1]:
            self.action_hand_over()
        else:
            self.focus_next()

    def action_hand_over(self) -> None:
        """Return the values, when a substance is named."""
        values = {
            "substance": self.query_one("#substance", TextField).text,
            "reaction": self.query_one("#reaction", TextField).text,
            **{name: self.query_one(f"#{name}", ChoiceField).value for name in ("severity", "source")},
        }
        if values["substance"]:
            self.dismiss({name: value for name, value in values.items() if value})
            return
        self.query_one("#substance").focus()
        self.hint("! " + problem_words.field_problem("substance", "required"))


def _numbered(words: Any) -> list[Choice]:
    return [Choice(value, label, str(number)) for number, (value, label) in enumerate(words.items(), start=1)]


class WhetherAnyDialog(LettersDialog):
    """Asks whether there are allergies; that there are none needs Enter as well."""

    TITLE_TEXT = N_("Does this patient have allergies?")
    _is_none_meant = False

    def choose(self, value: str, label: str) -> None:
        """Take an answer; wait for Enter after "none known"."""
        self._is_none_meant = value == NONE_KNOWN
        if self._is_none_meant:
            self.asked_at = monotonic()
            self.hint("> " + label + "    " + _("Enter: yes    another letter: choose again    Esc: back"))
        else:
            self.dismiss(value)

    def entered(self, event: events.Key) -> None:
        """Record that there are none, after its letter."""
        event.stop()
        if self._is_none_meant and not self.refuses_early(event):
            self.dismiss(NONE_KNOWN)


def _stay() -> None:
    """Do nothing more."""


class AllergyQuestions:
    """Serves the record's screen: what is asked about allergies, and what is sent to the core."""

    def __init__(
        self,
        screen: LoketScreen[Any],
        patient_id: str,
        reason: StatedReason,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        """Initialise the questions.

        Args:
            screen: The screen over which they are asked.
            patient_id: The patient.
            reason: Why the record is open, outside one's own queue.
            changed: Reads the record again when something was recorded.
        """
        self._screen = screen
        self._session = screen.session
        self._patient_id = patient_id
        self._reason = reason
        self._changed = changed

    def start(self) -> None:
        """Show the list, and do what is chosen."""
        self._work(self._show())

    def ask_whether_any(self, go_on: Callable[[], Any], go_back: Callable[[], None]) -> None:
        """Ask before the first medicine, where nobody has asked yet.

        Args:
            go_on: Called when it was answered, or cannot be asked now.
            go_back: Called when the question was left.
        """

        def answered(answer: str | None) -> None:
            if answer == NONE_KNOWN:
                self._work(self._state_none(go_on))
            elif answer == ADD:
                self._ask_one(go_on, go_back)
            else:
                (go_on if answer == LATER else go_back)()

        options = [
            ("T", NONE_KNOWN, _("Asked: none known")),
            ("A", ADD, _("There is one: record it first")),
            ("N", LATER, _("Cannot be asked now (unconscious, alone)")),
        ]
        self._screen.app.push_screen(WhetherAnyDialog(self._session, "", options), answered)

    def _work(self, call: Any) -> None:
        self._screen.run_worker(call, group=ADDING, exit_on_error=False)

    async def _show(self) -> None:
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            known = await self._session.client.patients.allergies(self._patient_id, self._reason)
            self._screen.app.push_screen(AllergiesDialog(self._session, known), self._chosen)

    def _chosen(self, choice: tuple[str, str] | None) -> None:
        wanted, allergy_id = choice or ("", "")
        if wanted == ADD:
            self._ask_one()
        elif wanted == NONE_KNOWN:
            self._work(self._state_none(_stay))
        elif wanted == STRIKE and allergy_id:
            self._ask_why(allergy_id)

    def _ask_one(self, go_on: Callable[[], Any] = _stay, go_back: Callable[[], None] = _stay) -> None:
        def given(values: dict[str, str] | None) -> None:
            if values is not None:
                self._work(self._add(values, go_on))
            else:
                go_back()

        self._screen.app.push_screen(AllergyDialog(self._session), given)

    async def _add(self, values: dict[str, str], go_on: Callable[[], Any]) -> None:
        """Record it; say whom it concerns, or that it could not be read, and go on."""
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            body = {**values, **stated(self._reason)}
            added = await self._session.client.patients.add_allergy(self._patient_id, body)
            await self._changed()
            self._say_added(values["substance"], added)
            go_on()

    def _say_added(self, substance: str, added: AllergyAdded) -> None:
        if added.clashes:
            names = ", ".join(clash.medicine for clash in added.clashes)
            self._screen.say(_("Prescribed already: {names}. Strike it out?").format(names=names), "error")
            self._ask_to_revoke(substance, added.clashes)
        elif not added.read and not added.none_known:
            unread = check_words.unread_line([substance])
            self._screen.say("; ".join([_("Added."), unread]), "warning")
        else:
            self._screen.say(_("Added."), "good")

    def _ask_to_revoke(self, substance: str, clashes: Sequence[AllergyClash]) -> None:
        """Show what was prescribed before the allergy was known; what waits can be revoked at once."""
        waiting = [clash for clash in clashes if clash.status is OrderStatus.ACTIVE]
        options = [("L", LATER, _("Leave them; the prescriber is told"))]
        if waiting:
            options.insert(0, ("C", "revoke", _("Strike out what was not handed out")))

        def answered(answer: str | None) -> None:
            if answer == "revoke":
                why = _("Allergy") + f": {substance}"
                self._work(self._revoke(waiting, why))

        notes = [allergy_words.clash_line(clash) for clash in clashes]
        if len(waiting) < len(clashes):
            notes.append(_("Handed out already: tell the patient at once."))
        title = N_("Prescribed today against this allergy")
        self._screen.app.push_screen(LettersDialog(self._session, title, options, notes=notes), answered)

    async def _revoke(self, clashes: Sequence[AllergyClash], reason: str) -> None:
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            for clash in clashes:
                await self._session.client.orders.revoke_prescription(clash.prescription_id, reason)
            names = ", ".join(clash.medicine for clash in clashes)
            self._screen.say(_("Struck out: {names}").format(names=names), "good")
        with self._screen.saying_refusals():
            await self._changed()

    async def _state_none(self, go_on: Callable[[], Any]) -> None:
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            await self._session.client.patients.state_no_allergies(self._patient_id, self._reason)
            self._screen.say(_("Recorded: no known allergies."), "good")
            await self._changed()
            go_on()

    def _ask_why(self, allergy_id: str) -> None:
        def because(reason: str | None) -> None:
            if reason:
                self._work(self._strike(allergy_id, reason))

        title = N_("Entered in error: why?")
        self._screen.app.push_screen(LineDialog(self._session, title, shortest=3), because)

    async def _strike(self, allergy_id: str, reason: str) -> None:
        with self._screen.saying_refusals(), hold_keys(self._screen.app):
            left = await self._session.client.patients.void_allergy(allergy_id, reason)
            asked = "" if left.asked else "  " + _("Allergies: not asked yet")
            self._screen.say(_("Struck out.") + asked, "good")
        with self._screen.saying_refusals():
            await self._changed()
