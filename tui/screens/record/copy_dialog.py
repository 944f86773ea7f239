"""The patient's own copy of the record: read on the screen, printed, or written as a FHIR document."""

from __future__ import annotations

from typing import Any

from core.foundation.codes import CopyForm
from core.schemas.record import StatedReason
from tui.screens.base import LoketScreen
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.letters import print_text
from tui.terminal.keyboard import hold_keys
from tui.text.translation import N_, _


def give_copy(screen: LoketScreen[Any], patient_id: str, reason: StatedReason) -> None:
    """Make the copy and show it; P prints it, F writes the FHIR document on the server.

    Args:
        screen: The record's screen.
        patient_id: The patient.
        reason: Why the record is open, outside one's own queue.
    """

    async def show() -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            copy = await screen.session.client.patients.copy(patient_id, CopyForm.TEXT, reason)
            _show(screen, copy.text, patient_id, reason)

    screen.run_worker(show(), group="copy", exclusive=True, exit_on_error=False)


def _show(screen: LoketScreen[Any], text: str, patient_id: str, reason: StatedReason) -> None:
    async def write() -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            copy = await screen.session.client.patients.copy(patient_id, CopyForm.FILE, reason)
            said = _("Written for a week: {path}").format(path=copy.file)
            screen.say(said, "good")

    def chosen(key: str | None) -> None:
        if key == "P":
            call = print_text(screen, _("The patient's own copy"), text)
            screen.run_worker(call, group="print", exit_on_error=False)
        elif key == "F":
            screen.run_worker(write(), group="copy", exclusive=True, exit_on_error=False)

    hint = _("P: print    F: FHIR file")
    title = N_("The patient's own copy")
    screen.app.push_screen(TextDialog(screen.session, title, text.splitlines(), "PF", hint), chosen)
