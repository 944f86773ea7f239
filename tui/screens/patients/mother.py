"""A newborn's mother: found by name or number, her family card and address taken over."""

from __future__ import annotations

from textual import events, on, work
from textual.app import ComposeResult
from textual.timer import Timer

from core.foundation.codes import NoIdentifierReason, Sex
from core.patients.fields import HOUSEHOLD
from core.schemas.patients import PatientOut
from tui import theme
from tui.screens.base import Dialog
from tui.session import Session
from tui.text.formatting import age_text, date_text, fit
from tui.text.translation import N_, _
from tui.widgets import PickList, PickRow, TextField

DEBOUNCE_SECONDS = 0.25
SHOWN = 8
OLD_ENOUGH = 10  # years: minimum age of a woman offered as a mother


def of_mother(mother: PatientOut) -> dict[str, str]:
    """Return the values of a newborn's form: the household, and a name until the child has its own."""
    return {
        "name": f"By. Ny. {mother.name}",
        "mother_name": mother.name,
        "no_identifier_reason": NoIdentifierReason.NEWBORN.value,
        **{name: getattr(mother, name) or "" for name in HOUSEHOLD},
    }


class MotherDialog(Dialog[PatientOut]):
    """Returns the mother's record."""

    TITLE_TEXT = N_("The mother")

    def __init__(self, session: Session, text: str = "") -> None:
        """Args: `text` is her name or number, as far as known."""
        super().__init__(session)
        self._text = text
        self._found: dict[str, PatientOut] = {}
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Yield a search box and the women found."""
        yield TextField("mother", longest=200)
        mothers = PickList("mothers", focusable=False)
        mothers.styles.height = SHOWN
        yield mothers

    def on_mount(self) -> None:
        """Search at once when a name is typed already."""
        box = self.query_one("#mother", TextField)
        box.value = self._text
        box.focus()
        box.action_select_all()  # typing replaces what was only proposed
        self.hint(_("Name, NIK or record number    Enter: this one    Esc: back"))

    def on_key(self, event: events.Key) -> None:
        """Move through the list with the arrows."""
        step = {"up": -1, "down": 1}.get(event.key)
        if step is not None:
            event.stop()
            self.query_one("#mothers", PickList).action_move(step)

    @on(TextField.Changed, "#mother")
    def search_soon(self) -> None:
        """Search when typing pauses."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE_SECONDS, self.look_up)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def look_up(self) -> None:
        """Show the women who match."""
        text = self.query_one("#mother", TextField).text
        if not text:
            return
        with self.hinting_refusals():
            found = await self.session.client.patients.search(text)
            women = [p for p in found if p.sex is Sex.FEMALE and p.age >= OLD_ENOUGH]
            self._found = {patient.id: patient for patient in women[:SHOWN]}
            self._show()
            if self._found:
                self.hint(_("Up, down: choose    Enter: this one    Esc: back"))
            else:
                self.hint("! " + _("Nobody found. Esc goes back: type the mother's name in the form."))

    def _show(self) -> None:
        today = self.session.clinic.today
        self.query_one("#mothers", PickList).show_rows(
            [
                PickRow(
                    patient.id,
                    [
                        (f"{fit(patient.name, 26)} ", theme.STRONG),
                        (f"{fit(age_text(patient.birth_date, today), 6)} ", theme.PLAIN),
                        (f"{date_text(patient.birth_date)} {patient.medical_record_number} ", theme.PLAIN),
                        (patient.address, theme.PLAIN),
                    ],
                )
                for patient in self._found.values()
            ]
        )

    @on(TextField.Submitted, "#mother")
    def take(self) -> None:
        """Return the woman under the cursor."""
        chosen = self.query_one("#mothers", PickList).chosen
        if chosen is not None:
            self.dismiss(self._found[chosen])
