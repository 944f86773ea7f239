"""Break-glass: why a record outside one's own queue is opened, by a reason of the list and words."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from core.foundation.codes import AccessReason
from core.schemas.record import StatedReason
from tui import theme
from tui.screens.base import Dialog
from tui.text.audit_words import ACCESS_REASONS
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow, TextField


class GlassDialog(Dialog[StatedReason]):
    """Asks for both; neither alone opens anything."""

    TITLE_TEXT = N_("Why do you open this record? (kept in the log)")

    def compose_body(self) -> ComposeResult:
        """Yield the reasons, and a field for the words."""
        pick_list = PickList("reasons", focusable=False)
        pick_list.styles.height = len(AccessReason)
        yield pick_list
        yield Static(_("in your own words:"), markup=False, classes="note")
        yield TextField("words", longest=200)

    def on_mount(self) -> None:
        """Choose nothing until a digit is pressed."""
        rows = [
            PickRow(reason.value, [(f"{number} {_(ACCESS_REASONS[reason])}", theme.PLAIN)])
            for number, reason in enumerate(AccessReason, start=1)
        ]
        self.query_one("#reasons", PickList).show_rows(rows, choose=False)
        self.query_one("#words").focus()
        self._say_keys()

    def _say_keys(self) -> None:
        self.hint(_("Digit: reason    then words and Enter    Esc: back"))

    @on(TextField.Changed, "#words")
    def take_digit(self, event: TextField.Changed) -> None:
        """Choose a reason by a digit typed before the words."""
        text = event.value.strip()
        if text.isdigit() and 1 <= int(text) <= len(AccessReason):
            reasons = self.query_one("#reasons", PickList)
            reasons.cursor = int(text) - 1
            reasons.refresh()
            self.query_one("#words", TextField).value = ""
            self._say_keys()

    @on(TextField.Submitted, "#words")
    def take(self, event: TextField.Submitted) -> None:
        """Return the reason, when both parts of it are there."""
        chosen = self.query_one("#reasons", PickList).chosen
        if chosen is None:
            self.hint("! " + _("Choose a reason by its digit."))
            return
        stated = StatedReason(event.value.strip(), AccessReason(chosen))
        if stated.is_given:
            self.dismiss(stated)
        else:
            self.hint("! " + _("Say in a few words why."))
