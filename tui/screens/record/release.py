"""Asks the head of the clinic for leave to correct a record after its time."""

from __future__ import annotations

from typing import Any

from tui.screens.base import LoketScreen
from tui.screens.reasons import LineDialog
from tui.terminal.keyboard import hold_keys
from tui.text.translation import N_, _

SHORTEST_REASON = 5  # characters


def ask_release(screen: LoketScreen[Any], visit_id: str, cluster: str | None = None) -> None:
    """Ask why, and send the request; the status line says what became of it.

    Args:
        screen: The screen in front.
        visit_id: The visit.
        cluster: The contact; the newest one of one's own unless given.
    """

    async def send(reason: str) -> None:
        with screen.saying_refusals(), hold_keys(screen.app):
            await screen.session.client.visits.ask_release(visit_id, reason, cluster)
            screen.say(_("Asked. The head of the clinic decides."), "good")

    def given(reason: str | None) -> None:
        if reason:
            screen.run_worker(send(reason), group="release", exclusive=True, exit_on_error=False)

    title = N_("What is to be corrected, and why?")
    screen.app.push_screen(LineDialog(screen.session, title, shortest=SHORTEST_REASON), given)
