"""Asks when the patient is to come back; the day becomes a number that waits at the counter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from textual import work

from core.schemas.record import StatedReason, VisitOut
from tui import theme
from tui.screens.record.search_dialog import SearchDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import NotADateError, date_text, parse_date
from tui.text.roster_words import weekday_text
from tui.text.translation import N_, _, ngettext
from tui.text.visit_words import return_text
from tui.widgets import PickRow

OFFERED_DAYS = (3, 5, 7, 10, 14, 21, 28, 30, 60, 90)
"""Days from today that are offered; any other is typed."""
NONE = "none"


class ReturnDialog(SearchDialog[str]):
    """Gives the return date by itself, and returns a sentence about it."""

    ROWS = 11

    def __init__(self, session: Session, visit: VisitOut, reason: StatedReason) -> None:
        """Initialise the dialog.

        Args:
            session: Session of the terminal.
            visit: At which it is given.
            reason: Why the record is open, outside one's own queue.
        """
        super().__init__(session, N_("Return date"))
        self._visit = visit
        self._reason = reason

    async def search(self, text: str) -> Sequence[tuple[str, Any]]:
        """Return the days offered, or the one that was typed; a number is so many days from today."""
        today, words = self.session.clinic.today, text.strip()
        if not words:
            given = self._visit.return_date
            held = [(NONE, return_text(given))] if given is not None else []
            return [*held, *((day.isoformat(), day) for day in self._offered(today))]
        if words.isdigit() and len(words) <= 3:
            day = today + timedelta(days=int(words))
            return [(day.isoformat(), day)]
        try:
            day = parse_date(words)
        except NotADateError:
            return []
        return [(day.isoformat(), day)]

    @staticmethod
    def _offered(today: date) -> list[date]:
        return [today + timedelta(days=ahead) for ahead in OFFERED_DAYS]

    def row(self, key: str, thing: Any) -> PickRow:
        """Return a day with its weekday and how far it is, or what would be taken back."""
        if key == NONE:
            return PickRow(key, [(_("take back: {day}").format(day=thing), theme.STRONG)])
        ahead = (thing - self.session.clinic.today).days
        far = ngettext("in {number} day", "in {number} days", ahead).format(number=ahead)
        if self.session.is_closed(thing):
            far += "  " + _("CLOSED")
        return PickRow(
            key, [(f"{weekday_text(thing)} {date_text(thing)}  ", theme.STRONG), (far, theme.PLAIN)]
        )

    def say_keys(self) -> None:
        """Say what may be typed."""
        self.hint(_("Enter: choose, or type a number of days or ddmmyyyy    Esc: back"))

    def take(self, key: str, thing: Any) -> None:
        """Give this day."""
        self.give(None if key == NONE else thing)

    @work(exclusive=True, group="give", exit_on_error=False)
    async def give(self, day: date | None) -> None:
        """Give a day, or take it back; a day on which nobody works is refused, and another can be chosen."""
        with self.hinting_refusals(), hold_keys(self.app):
            given = await self.session.client.visits.give_return_date(self._visit.id, day, self._reason)
            if given is None:
                self.dismiss(_("The return date is taken back."))
            else:
                self.dismiss(_("Comes back: {day}").format(day=return_text(given)))
