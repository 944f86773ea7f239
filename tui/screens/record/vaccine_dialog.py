"""The dialog that records a vaccine: which, which dose, from which lot, until when it keeps, and where it was given."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding

from core.foundation.codes import InjectionSite
from core.schemas.record import VaccineOut
from tui import theme
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.text import check_words, problem_words
from tui.text.formatting import NotADateError, fit, parse_date
from tui.text.translation import N_, _
from tui.widgets import Choice, ChoiceField, FieldRow, PickRow, TextField, labelled

VACCINE_FIELDS = (
    ("dose_number", N_("Dose number"), 1),
    ("lot_number", N_("Lot number"), 40),
    ("expires_on", N_("Expires"), 10),
)
"""Field, msgid of its label, longest text."""
SITES = {
    InjectionSite.LEFT_ARM: ("1", N_("left arm")),
    InjectionSite.RIGHT_ARM: ("2", N_("right arm")),
    InjectionSite.LEFT_THIGH: ("3", N_("left thigh")),
    InjectionSite.RIGHT_THIGH: ("4", N_("right thigh")),
}
"""Site -> its digit and msgid."""
_MONTH = re.compile(r"(\d{1,2})[-/. ]?(\d{4})")


class VaccineDialog(SearchDialog[dict[str, Any]]):
    """Returns the body of `POST visits/{id}/immunisations`."""

    TITLE_TEXT = N_("Vaccine")
    BINDINGS = [Binding("f10", "add", show=False)]
    ROWS = 8

    def __init__(self, session: Session, allergies: Sequence[str]) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            allergies: The patient's.
        """
        super().__init__(session)
        self._allergies = list(allergies)
        self._taken: VaccineOut | None = None

    def compose_body(self) -> ComposeResult:
        """Yield the box, the list, and what is asked of the vaccine."""
        yield from super().compose_body()
        for name, label, longest in VACCINE_FIELDS:
            with FieldRow():
                yield from labelled(label, TextField(name, longest=longest), cells=14)
        sites = [Choice(site.value, label, key) for site, (key, label) in SITES.items()]
        with FieldRow():
            yield from labelled(N_("Where"), ChoiceField("site", sites), cells=14)

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return the vaccines of the list, and their products."""
        found = await self.session.client.terminology.find_vaccines(text)
        return [(f"{item.vaccine}|{item.product}", item) for item in found]

    def row(self, key: str, thing: VaccineOut) -> PickRow:
        """Return the name; a sign marks a conflict with an allergy."""
        said = check_words.allergy_line(thing.vaccine, self._allergies)
        style = theme.ALERT if said.startswith("!!") else theme.STRONG
        return PickRow(key, [(fit(said.split(" ")[0], 3), style), (thing.vaccine, style)])

    def say_keys(self) -> None:
        """Say that Enter takes a vaccine."""
        self.hint(_("Enter: take it    Esc: back"))

    def take(self, key: str, thing: VaccineOut) -> None:
        """Take a vaccine, and go to the dose."""
        self._taken = thing
        box = self.query_one("#words", TextField)
        with box.prevent(TextField.Changed):
            box.value = thing.vaccine
        self.query_one("#dose_number").focus()
        said = check_words.allergy_line(thing.vaccine, self._allergies)
        self.hint(
            "    ".join(part for part in (said, _("Enter: next line    F10: record    Esc: back")) if part)
        )

    @on(TextField.Submitted)
    def lead_on(self, event: TextField.Submitted) -> None:
        """Go to the next line on Enter."""
        if event.input.id in {name for name, _label, _longest in VACCINE_FIELDS}:
            self.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show which digit means which part of the body."""
        if isinstance(event.widget, ChoiceField):
            self.hint(event.widget.hint())

    @on(ChoiceField.Submitted)
    def last_one(self, event: ChoiceField.Submitted) -> None:
        """Record on Enter in the last line."""
        self.action_add()

    def action_add(self) -> None:
        """Return the vaccine when all is there that is asked for."""
        typed = self.query_one("#words", TextField).text
        if self._taken is None or typed != self._taken.vaccine:
            self._point("words", "required")
            return
        texts = {
            name: self.query_one(f"#{name}", TextField).text for name, _label, _longest in VACCINE_FIELDS
        }
        for name, text in texts.items():
            if not text:
                self._point(name, "required")
                return
        if texts["dose_number"] not in set("123456789"):
            self._point("dose_number", "out_of_range")
            return
        expires_on = read_expiry(texts["expires_on"])
        if expires_on is None:
            self._point("expires_on", "not_a_date")
            return
        self.dismiss(
            {
                "vaccine": self._taken.vaccine,
                "product": self._taken.product,
                "dose_number": int(texts["dose_number"]),
                "lot_number": texts["lot_number"],
                "expires_on": expires_on.isoformat(),
                "site": self.query_one("#site", ChoiceField).value or None,
            }
        )

    def _point(self, name: str, problem: str) -> None:
        self.query_one(f"#{name}").focus()
        self.hint("! " + problem_words.field_problem("vaccine" if name == "words" else name, problem))


def read_expiry(text: str) -> date | None:
    """Return the last day on which a vaccine keeps; of a month alone (`03-2027`) its last day; None for no date."""
    month = _MONTH.fullmatch(text.strip())
    try:
        if month is None:
            return parse_date(text)
        number, year = int(month[1]), int(month[2])
        return date(year, number, monthrange(year, number)[1])
    except (NotADateError, ValueError):
        return None
