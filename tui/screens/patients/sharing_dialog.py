"""Asks whether the record may go to SATUSEHAT: asked at the counter, printed, and changed whenever the patient wants."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from core.schemas.patients import SharingOut
from tui.screens.base import LoketScreen
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.letters import print_text
from tui.terminal.keyboard import hold_keys
from tui.text.translation import N_, _

TITLE = N_("May the record go to SATUSEHAT?")
ANSWERS = {"S": True, "T": False}
"""Letter -> the patient's answer."""


def ask_sharing(screen: LoketScreen[Any], patient_id: str) -> None:
    """Show what the patient decided; S and T keep another answer, P prints the paper to sign.

    Args:
        screen: The patient's card.
        patient_id: The patient.
    """
    _load(screen, screen.session.client.patients.sharing(patient_id))


def _load(screen: LoketScreen[Any], call: Awaitable[SharingOut]) -> None:
    async def show() -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            _show(screen, await call)

    screen.run_worker(show(), group="sharing", exclusive=True, exit_on_error=False)


def _show(screen: LoketScreen[Any], decision: SharingOut) -> None:
    def chosen(key: str | None) -> None:
        if key in ANSWERS:
            patients = screen.session.client.patients
            _load(screen, patients.decide_sharing(decision.patient_id, agreed=ANSWERS[key]))
        elif key == "P":
            call = print_text(screen, _(TITLE), decision.text)
            screen.run_worker(call, group="print", exit_on_error=False)

    asked = decision.agreed is not None
    lines = (
        decision.text.splitlines()
        if asked
        else [_("Nobody has asked yet. Until then it goes, as the law has it.")]
    )
    hint = _("S: agrees    T: refuses") + (_("    P: print") if asked else "")
    screen.app.push_screen(TextDialog(screen.session, TITLE, lines, "STP" if asked else "ST", hint), chosen)
