"""Base of the lists of audit rows: each in one line, and one of them with all that it tells."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.oversight import AuditLineOut
from tui import theme
from tui.screens.item_list import ItemList, ItemT
from tui.screens.record.dialogs import TextDialog
from tui.session import Session
from tui.text import audit_words
from tui.text.formatting import fit, instant_text, time_text, wrapped
from tui.text.translation import N_, _
from tui.widgets.painting import Line

READ_CELLS = 70
"""Width of a line of the dialog."""
ACTION_CELLS, PERSON_CELLS = 20, 18
"""Width of the deed and of the name in a row; what does not fit stands in the dialog."""


def line_key(line: AuditLineOut) -> str:
    """Return what tells a row from all others, of both logs."""
    return f"{line.log}-{line.sequence}"


def audit_row(line: AuditLineOut, zone: str, *, with_day: bool) -> Line:
    """Return a row: when, who, what, whom, and the details that matter.

    Args:
        line: The row.
        zone: The clinic's time zone.
        with_day: Whether the day is shown before the time.
    """
    at = time_text(line.at, zone)
    if with_day:
        at = f"{instant_text(line.at, zone)[:5]} {at}"
    action = audit_words.action_text(line.action)
    deed = f" {at} {fit(line.account or '-', 10)} {fit(action, ACTION_CELLS)} "
    rest = f"{fit(audit_words.people_text(line), PERSON_CELLS)} {audit_words.detail_text(line)}"
    return [(deed, theme.STRONG if action.isupper() else theme.PLAIN), (rest, theme.PLAIN)]


class AuditLineDialog(TextDialog):
    """Shows all that one row tells."""

    def __init__(self, session: Session, line: AuditLineOut) -> None:
        lines = [
            part for text in line_texts(line, session.clinic.timezone) for part in wrapped(text, READ_CELLS)
        ]
        super().__init__(session, N_("Row of the log"), lines)


def line_texts(line: AuditLineOut, zone: str) -> Sequence[str]:
    """Return a row in full: time, account, place, deed, people, details."""
    who = f"{line.account_name} ({line.account})" if line.account else _("nobody signed in")
    return [
        f"{instant_text(line.at, zone)}  {who}",
        _("from {origin}").format(origin=line.origin or "-"),
        audit_words.action_text(line.action),
        *(f"  {person.name} {person.medical_record_number}" for person in line.people),
        *audit_words.detail_lines(line),
    ]


class AuditLines(ItemList[ItemT]):
    """A list in which Enter shows a row in full."""

    def on_pick_list_picked(self) -> None:
        """Enter shows the row."""
        self.show_whole()

    def show_whole(self) -> None:
        """Show all that the chosen row tells."""
        if isinstance(self._chosen, AuditLineOut):
            self.app.push_screen(AuditLineDialog(self.session, self._chosen))
