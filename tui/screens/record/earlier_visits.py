"""Earlier visits: one line each, and the record of one to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.foundation.codes import Permission
from core.records.forms import FormDefinition
from core.schemas.record import EncounterOut, VisitOut, VisitSummary
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.search_dialog import PickDialog
from tui.session import Session
from tui.text.formatting import wrapped
from tui.text.translation import N_, _
from tui.text.visit_words import patient_lines, visit_line, visit_text

READ_CELLS = 70
"""Width of a line of a record that is read in a dialog."""


class VisitsDialog(PickDialog):
    """Lists the patient's visits, newest first; returns the id of the one to read."""

    def __init__(self, session: Session, visits: Sequence[VisitSummary], title: str = "") -> None:
        super().__init__(session, title or N_("Visits"), [(visit.id, visit_line(visit)) for visit in visits])

    def keys_text(self) -> str:
        """Say that Enter opens the visit."""
        return _("Enter: read it    Esc: back")


class VisitDialog(TextDialog):
    """Shows an earlier visit; N adds a note to it, C corrects it, L asks for leave to do so, K gives the patient a copy."""

    def __init__(
        self, session: Session, visit: VisitOut, forms: Mapping[str, FormDefinition], *, writes: bool
    ) -> None:
        today = session.clinic.today
        lines = [
            part
            for line in (*patient_lines(visit, today), *visit_text(visit, forms, session.clinic.timezone))
            for part in wrapped(line, READ_CELLS)
        ]
        keys = {}
        if writes and visit.encounters:
            keys["N"] = _("N: add a note")
        if writes and correctable(session, visit) is not None:
            keys["C"] = _("C: correct")
        elif writes and any(item.cluster in session.account.clusters for item in visit.encounters):
            keys["L"] = _("L: ask for leave to correct")
        if session.may(Permission.READ_NOTES):
            keys["K"] = _("K: patient's copy")
        super().__init__(session, N_("Visit"), lines, "".join(keys), "    ".join(keys.values()))


def correctable(session: Session, visit: VisitOut) -> EncounterOut | None:
    """Return the contact of one's own cluster that can be corrected now."""
    own = (item for item in visit.encounters if item.cluster in session.account.clusters)
    return next((item for item in own if not item.locked), None)
