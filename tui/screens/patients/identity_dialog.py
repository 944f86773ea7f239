"""Asks what the law wants of an identity besides: religion, education, occupation, marital status; after the save.

A digit answers, R notes that the patient does not want to say, Enter skips: nobody asked is another thing than refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events, on, work
from textual.app import ComposeResult

from core.patients.fields import BY_NAME
from core.patients.identity_values import REFUSED, lists
from core.schemas.patients import PatientOut
from tui import keymap
from tui.screens.base import Dialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.translation import N_, _, language
from tui.widgets import Choice, ChoiceField, FieldRow, labelled

LABEL_CELLS = 20
NO_BREAK = "\N{NO-BREAK SPACE}"


def answers_of(name: str) -> list[Choice]:
    """Return the answers to a question, each under its code, and the refusal."""
    values = lists()[name].values
    options = [Choice(value.code, value.label.get(language(), value.code), value.code) for value in values]
    return [*options, Choice(REFUSED, N_("Does not say"), _("R"))]


class IdentityDialog(Dialog[PatientOut]):
    """Asks some of the questions; returns the patient as stored, None where nothing was answered."""

    TITLE_TEXT = N_("Identity: what the law asks besides")
    BINDINGS = [keymap.SAVE, keymap.BACK]

    def __init__(
        self, session: Session, patient_id: str, names: Sequence[str], known: Mapping[str, str]
    ) -> None:
        """Initialise the dialog.

        Args:
            session: The session.
            patient_id: The patient.
            names: Fields that are asked, in order.
            known: Field -> value that is stored already.
        """
        super().__init__(session, self.TITLE_TEXT)
        self._patient_id = patient_id
        self._names = list(names)
        self._known = {name: known.get(name, "") for name in names}

    def compose_body(self) -> ComposeResult:
        """Yield a row a question."""
        for name in self._names:
            with FieldRow():
                field = ChoiceField(name, answers_of(name), value=self._known[name], optional=True)
                yield from labelled(BY_NAME[name].label, field, cells=LABEL_CELLS)

    def on_mount(self) -> None:
        """Begin with the first question."""
        super().on_mount()
        self.query_one(f"#{self._names[0]}").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the answers to the question."""
        if isinstance(event.widget, ChoiceField):
            options = [f"{option.key} {_(option.label)}" for option in event.widget.options]
            # A number stays beside its answer where the line breaks.
            self.hint("  ".join(option.replace(" ", NO_BREAK) for option in options))

    @on(ChoiceField.Submitted)
    def next_question(self, event: ChoiceField.Submitted) -> None:
        """Go to the next question on Enter; from the last one, save."""
        if event.field.id == self._names[-1]:
            self.action_save()
        else:
            self.focus_next()

    def _changes(self) -> dict[str, str]:
        fields = {name: self.query_one(f"#{name}", ChoiceField).value for name in self._names}
        return {name: value for name, value in fields.items() if value != self._known[name]}

    def action_save(self) -> None:
        """Store the answers; without one, leave."""
        changes = self._changes()
        if changes:
            self.save(changes)
        else:
            self.dismiss(None)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self, changes: dict[str, str]) -> None:
        """Store the answers.

        Args:
            changes: Field -> answer.
        """
        with self.hinting_refusals(), hold_keys(self.app):
            self.dismiss(await self.session.client.patients.edit(self._patient_id, changes))
