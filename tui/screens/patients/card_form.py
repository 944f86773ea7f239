"""A form of one card or one row of a list: what it is about above, the person's fields, and who is alike below."""

from __future__ import annotations

from typing import TypeVar

from textual.app import ComposeResult
from textual.widgets import Static

from tui import keymap
from tui.screens.base import Values
from tui.screens.patients.person_form import PersonScreen
from tui.session import Session
from tui.text.translation import N_, _

ResultT = TypeVar("ResultT")


class CardScreen(PersonScreen[ResultT]):
    """Fills the form with known values, and asks before what was typed is left unsaved."""

    AREA = "register"
    BINDINGS = [keymap.SAVE, keymap.LOOK_ALIKES, keymap.BACK]
    CSS_PATH = "edit.tcss"
    LAST_FIELD = "identity_verified"
    NEW_DECIDED = N_("Somebody else. F10 saves.")

    def __init__(self, session: Session, values: Values) -> None:
        super().__init__(session, values)
        self._before: Values = {}
        self._warned = False

    def show_card(self) -> None:
        """Show what the form is about."""
        raise NotImplementedError

    def first_field(self) -> str:
        """Return the field that has the focus first."""
        raise NotImplementedError

    def has_changes(self) -> bool:
        """Return whether anything was typed that would be lost."""
        return self.form_values() != self._before

    def compose_body(self) -> ComposeResult:
        """Yield what the form is about, the person's fields, and who is alike."""
        yield Static("", id="card", markup=False)
        yield from self.compose_person()
        yield Static("", id="duplicates", markup=False)

    def on_mount(self) -> None:
        """Fill the form and lead to its first field."""
        self.fill(self._values)
        self._before = self.form_values()
        self.show_card()
        self.show_age()
        self.show_village()
        self.query_one(f"#{self.first_field()}").focus()

    def after_language(self) -> None:
        """Show the texts in the other language."""
        self.show_card()
        self.show_age()
        self.show_village()

    def action_back(self) -> None:
        """Leave; ask for a second Esc when something was typed, because it would be lost."""
        if self.has_changes() and not self._warned:
            self._warned = True
            self.say(_("Not saved yet: F10 saves. Esc once more leaves without saving."), "warning")
        else:
            self.dismiss(None)
