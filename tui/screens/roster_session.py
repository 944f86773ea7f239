"""Asks for somebody's hours in a cluster."""

from __future__ import annotations

from typing import Any

import pydantic
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from core.schemas.roster import SessionFields
from core.visits.roster import LICENCE_LENGTH
from tui import keymap
from tui.screens.base import Dialog
from tui.session import Session
from tui.text import roster_words
from tui.text.translation import N_, _
from tui.widgets import FieldRow, TextField, labelled

LABEL_CELLS = 18
LABELS = {
    "cluster": N_("Cluster"),
    "name": N_("Name"),
    "doctor": N_("BPJS number"),
    "weekdays": N_("Days"),
    "hours": N_("Hours"),
    "quota": N_("Numbers a day"),
    "licence": N_("Licence (SIP)"),
}
"""Field -> its label, in their order."""
LONGEST = {
    "cluster": 16, "name": 80, "doctor": 10, "weekdays": 40, "hours": 20, "quota": 4, "licence": LICENCE_LENGTH,
}  # fmt: skip
"""Field -> most characters."""
REMEDIES = {
    "cluster": N_("Cluster: one of {codes}"),
    "name": N_("Name: who works then"),
    "doctor": N_("BPJS number: the digits by which BPJS knows the clinician (kodedokter)"),
    "weekdays": N_("Days: such as {example}"),
    "hours": N_("Hours: from when to when, such as 08:00-12:00"),
    "quota": N_("Numbers a day: how many are given from home, 0 for no limit"),
    "licence": N_("Licence: the number of the licence to practise here, for letters; may stay empty"),
}
"""Field -> what belongs there: said when the focus comes to it, and when something else was typed."""


class SessionDialog(Dialog[SessionFields]):
    """Ends with the hours; what cannot be read is named, and all that was typed stays."""

    TITLE_TEXT = N_("Hours")
    BINDINGS = [keymap.BACK, Binding("f10", "save", N_("Save"), priority=True)]

    def __init__(self, session: Session, hours: SessionFields | None = None) -> None:
        """Args: `hours` are the ones to change; None asks for new ones."""
        super().__init__(session, N_("Hours") if hours else N_("New hours"))
        self._hours = hours

    def compose_body(self) -> ComposeResult:
        """A field for each thing that is said of hours."""
        for name, label in LABELS.items():
            with FieldRow():
                yield from labelled(
                    label, TextField(name, cells=32, longest=LONGEST[name]), cells=LABEL_CELLS
                )

    def on_mount(self) -> None:
        """Show what is."""
        if self._hours is not None:
            shown = self._hours.model_dump() | {
                "weekdays": roster_words.weekdays_text(self._hours.weekdays),
                "quota": str(self._hours.quota),
            }
            for name in LABELS:
                self._field(name).value = shown[name]
        self._field("cluster").focus()

    def on_descendant_focus(self) -> None:
        """Say what belongs into the field."""
        if self.focused is not None and self.focused.id in REMEDIES:
            self.hint(self._remedy(self.focused.id) + "\n" + _("Enter: next field    F10: save    Esc: back"))

    @on(TextField.Submitted)
    def go_on(self) -> None:
        """Enter leads to the next field; F10 saves."""
        self.focus_next()

    def action_save(self) -> None:
        """End with the hours, or name the first field that cannot be read."""
        try:
            self.dismiss(SessionFields.model_validate(self._typed()))
        except pydantic.ValidationError as error:
            wrong = str(error.errors()[0]["loc"][0])
            self._field(wrong).focus()
            self.hint("!! " + self._remedy(wrong))

    def _typed(self) -> dict[str, Any]:
        """Return what stands in the fields; what names no day or cluster is left to the check."""
        typed: dict[str, Any] = {name: self._field(name).text for name in LABELS}
        code = typed["cluster"].upper()
        typed["cluster"] = code if code in self._codes() else ""
        typed["weekdays"] = roster_words.weekdays_typed(typed["weekdays"]) or []
        typed["quota"] = typed["quota"] or "0"
        return typed

    def _remedy(self, name: str) -> str:
        return _(REMEDIES[name]).format(codes=",".join(self._codes()), example=_("Mon-Thu, Sat"))

    def _codes(self) -> list[str]:
        return [cluster.code for cluster in self.session.clusters]

    def _field(self, name: str) -> TextField:
        return self.query_one(f"#{name}", TextField)
