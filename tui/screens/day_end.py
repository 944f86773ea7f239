"""The question at the end of a cluster's day: do its people go on, and who was ended without an answer?"""

from __future__ import annotations

from time import monotonic

from textual import events

from core.foundation.codes import DayEndAnswer
from core.schemas.queues import DayEndOut, EntryOut
from tui.screens.reasons import LettersDialog
from tui.session import Session
from tui.text.formatting import fit, time_text
from tui.text.translation import N_, _

GO_ON, END = "1", "2"
FIRST_ENDED = 3  # digit of the first of those whom the closing ended
MOST_ENDED = 7  # as many as digits are left
NAME_CELLS = 30


class DayEndDialog(LettersDialog):
    """Asks whether a cluster goes on; ending everybody needs Enter as well. Names those whom the closing ended."""

    def __init__(self, session: Session, found: DayEndOut) -> None:
        """Initialise the dialog with how the day ends."""
        answers = [
            (GO_ON, DayEndAnswer.GO_ON.value, _("we go on: they stay for another hour")),
            (END, DayEndAnswer.END.value, _("end all of them now")),
        ]
        ended = [
            (str(digit), entry.id, _("bring back {person}").format(person=_who(entry)))
            for digit, entry in enumerate(found.ended[:MOST_ENDED], FIRST_ENDED)
        ]
        options = [*(answers if found.people else []), *ended]
        super().__init__(session, N_("The day's end"), options, notes=_notes(session, found))
        self._people = found.people
        self._asked_to_end = False

    def entered(self, event: events.Key) -> None:
        """End everybody, when that was asked about and in view."""
        event.stop()
        if self._asked_to_end and not self.refuses_early(event):
            self.dismiss(DayEndAnswer.END.value)

    def choose(self, value: str, label: str) -> None:
        """Take an answer; ask again before everybody is ended."""
        self._asked_to_end = value == DayEndAnswer.END
        if not self._asked_to_end:
            self.dismiss(value)
            return
        self.asked_at = monotonic()
        question = _("End {number} people: who was served is done, the others have left?")
        keys = _("Enter: yes    another letter: choose again    Esc: back")
        self.hint(f"> {question.format(number=self._people)}\n{keys}")


def _notes(session: Session, found: DayEndOut) -> list[str]:
    """Return the sentences above the answers."""
    zone = session.clinic.timezone
    closes, latest = time_text(found.closes_at, zone), time_text(found.latest_at, zone)
    notes = []
    if found.people and found.goes_on_until is not None:
        until = time_text(found.goes_on_until, zone)
        notes.append(
            _("{number} still here; you go on until {time}.").format(number=found.people, time=until)
        )
    elif found.people:
        sentence = _(
            "Closing hour {closes}: {number} still here. Without an answer they are ended at {latest}."
        )
        notes.append(sentence.format(closes=closes, number=found.people, latest=latest))
    else:
        notes.append(_("Nobody is asked about now. Closing hour {closes}.").format(closes=closes))
    if found.ended:
        notes.append(_("Ended by the closing, without an answer: {number}").format(number=len(found.ended)))
    return notes


def _who(entry: EntryOut) -> str:
    person = entry.patient.name if entry.patient is not None else ""
    return f"{entry.number} {fit(person, NAME_CELLS).rstrip()}"


def told(session: Session, found: DayEndOut | None) -> str:
    """Return what stands above a cluster's pane about the end of its day, with the key; empty when there is nothing.

    Args:
        session: Session of the terminal.
        found: How the day ends, as the pane tells it.
    """
    if found is None:
        return ""
    if found.asks:
        closes = time_text(found.closes_at, session.clinic.timezone)
        return _("! {time}: {number} still here - E").format(time=closes, number=found.people)
    if found.untold:
        return _("! {number} ended by the closing - E").format(number=found.untold)
    return ""
