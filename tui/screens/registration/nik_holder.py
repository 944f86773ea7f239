"""The question whose a NIK is, over a form."""

from __future__ import annotations

from core.schemas.patients import NikDoubt
from tui.registration import nik_holder
from tui.registration.form_values import FormValues
from tui.screens.reasons import LettersDialog
from tui.session import Session
from tui.text.translation import _


class NikHolderDialog(LettersDialog):
    """Returns an answer of `core.foundation.codes.NikHolder`, or `nik_holder.IS_HOLDER`."""

    def __init__(
        self, session: Session, doubt: NikDoubt, facts: FormValues, *, may_open: bool = True
    ) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            doubt: What speaks against the number.
            facts: The form.
            may_open: Whether the form may go on with the patient who has the number.
        """
        answers = nik_holder.options(doubt, may_open=may_open)
        options = [(str(place), value, words) for place, (value, words) in enumerate(answers, start=1)]
        super().__init__(
            session,
            nik_holder.TITLE,
            options,
            notes=[*nik_holder.notes(doubt, facts), nik_holder.finding_words(doubt)],
        )

    def on_mount(self) -> None:
        """Show the keys."""
        self.hint(_("Digit: whose it is    Esc: correct the form"))

    def choose(self, value: str, label: str) -> None:
        """Take an answer, unless its digit was pressed before the question was in view."""
        if self.chosen_at > self.asked_at:
            self.dismiss(value)
