"""The machine for the administrator: the server, the room on its disks, and its restart by one key."""

from __future__ import annotations

import asyncio
from textwrap import wrap

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas.machine import MachineOut
from tui import keymap
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.base import LoketScreen
from tui.screens.reasons import AgreeDialog
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import machine_words, problem_words
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _

LOOK_SECONDS = 1.0  # between two looks whether the server is back
MOST_LOOKS = 240
"""Looks until the screen gives up: an old machine takes its time to start."""
TITLE_CELLS = 16


class MachineScreen(LoketScreen[None]):
    """Shows the server and its disks; settings, log and restart stand behind a key each."""

    TITLE_TEXT = N_("Machine")
    HELP_TEXT = N_(
        "The server and the room on its disks. S shows the settings with where each comes from, and changes those that "
        "may be changed here; a change applies at the next start. L shows the server's log. X starts the server again, "
        "after Enter: counters wait for some seconds and keep what is typed."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("s", "settings", N_("Settings")),
        Binding("l", "log", N_("Server's log")),
        Binding("x", "restart", N_("Restart")),
        keymap.REFRESH,
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._found: MachineOut | None = None

    def compose_body(self) -> ComposeResult:
        """Yield the facts."""
        yield Static("", id="facts", markup=False)

    def on_mount(self) -> None:
        """Read the state."""
        self.action_refresh_data()

    def on_screen_resume(self) -> None:
        """Read the state again: a setting may have been changed."""
        super().on_screen_resume()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Read the state again."""
        self.action_refresh_data()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read the state."""
        with self.saying_refusals():
            self._show(await self.session.client.machine.state())

    def action_settings(self) -> None:
        """Show the settings."""
        from tui.screens.machine.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.session))

    def action_log(self) -> None:
        """Show the server's log."""
        from tui.screens.machine.server_log import ServerLogScreen

        self.app.push_screen(ServerLogScreen(self.session))

    def action_restart(self) -> None:
        """Ask whether the restart is meant."""
        if self._found is not None and not self._found.can_restart:
            words = problem_words.PROBLEMS["restart_not_possible"]
            self.say(_(words), "error")
            return
        note = _(
            "The server ends what was begun and starts again. Counters wait for some seconds and keep what is typed."
        )

        def agreed(is_meant: bool | None) -> None:
            if is_meant:
                self.restart()

        self.app.push_screen(AgreeDialog(self.session, N_("Restart the server?"), note), agreed)

    @work(exclusive=True, group="restart", exit_on_error=False)
    async def restart(self) -> None:
        """Have the server start again, and wait until it is back."""
        with self.saying_refusals(), hold_keys(self.app):
            before = await self.session.client.machine.restart()
            self.say(_("The server starts again; this takes some seconds."))
            await self._wait_for_another(before)

    async def _wait_for_another(self, before: MachineOut) -> None:
        for _look in range(MOST_LOOKS):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                now = await self.session.client.machine.state()
            except (UnreachableError, RefusedError):  # it ends, or it is not ready yet
                continue
            if now.started_at != before.started_at:
                self._show(now)
                self.say(_("The server has started again."), "good")
                return
        self.say(_("The server has not come back. Look at it on the machine: loket doctor"), "error")

    def _show(self, found: MachineOut) -> None:
        self._found = found
        started = instant_text(found.started_at, self.session.clinic.timezone)
        lines = [
            " " + _("Server") + f" {found.version}",
            "   " + _("runs since {time}").format(time=started),
            "",
            " " + _("Room on the disks"),
        ]
        for place in found.places:
            use = fit(problem_words.word(machine_words.USES, place.use), TITLE_CELLS)
            lines += self._folded(f"   {use} ", machine_words.place_text(place))
        lines += ["", *self._waiting_lines(found)]
        self.query_one("#facts", Static).update("\n".join(lines))

    def _waiting_lines(self, found: MachineOut) -> list[str]:
        if found.problem:
            words = _("The server would not start with what is written now: {words}").format(
                words=found.problem
            )
            return self._folded(" !! ", words)
        if not found.waiting:
            return [" " + _("No change of a setting waits for the next start.")]
        words = _("These apply at the next start (X): {names}").format(names=", ".join(found.waiting))
        return self._folded(" !  ", words)

    def _folded(self, head: str, words: str) -> list[str]:
        room = max(40, self.size.width - 2)
        indent = " " * len(head)
        return wrap(words, room, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
