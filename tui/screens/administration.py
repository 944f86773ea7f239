"""Where synchronisation and backups stand, for the person who runs the system."""

from __future__ import annotations

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from core.schemas import SyncShape
from tui import keymap
from tui.formatting import fit, instant_text
from tui.screens.base import LoketScreen
from tui.terminal.keyboard import hold_keys
from tui.text import N_, _

MOST_REFUSALS = 5
MOST_BACKUPS = 6


class AdministrationScreen(LoketScreen[None]):
    """Counts, the last contact, what was refused and why, the newest backups."""

    AREA = "administer"
    TITLE_TEXT = N_("System")
    HELP_TEXT = N_(
        "What the City Health Office has yet to get, what it refused and why, and the newest backups. "
        "Y synchronises now. The daily closing does all of this by itself; `loket doctor` checks the rest."
    )
    BINDINGS = [Binding("y", "run_sync", N_("Sync now")), keymap.REFRESH]

    def compose_body(self) -> ComposeResult:
        """Two blocks of text."""
        yield Static("", id="sync", markup=False)
        yield Static("", classes="gap")
        yield Static("", id="backups", markup=False)

    def on_mount(self) -> None:
        """Read it."""
        self.action_refresh_data()

    def on_screen_resume(self) -> None:
        """Read it again."""
        super().on_screen_resume()
        self.action_refresh_data()

    def after_language(self) -> None:
        """Read it again."""
        self.action_refresh_data()

    def minute_passed(self) -> None:
        """Follow a synchronisation."""
        self.action_refresh_data()

    @work(exclusive=True, group="read", exit_on_error=False)
    async def action_refresh_data(self) -> None:
        """Read where things stand."""
        with self.saying_refusals():
            self._show_sync(await self.session.client.sync_status())
            self._show_backups(list(await self.session.client.backups()))

    @work(exclusive=True, group="sync", exit_on_error=False)
    async def action_run_sync(self) -> None:
        """Start a synchronisation."""
        with self.saying_refusals(), hold_keys(self.app):
            self._show_sync(await self.session.client.run_sync())
            self.say(_("Synchronisation has begun. F5 shows how far it is."), "good")

    def _show_sync(self, sync: SyncShape) -> None:
        zone = self.session.clinic.timezone
        agrees = {True: _("yes"), False: _("NO"), None: "-"}[sync.manifest_agrees]
        lines = [
            " " + _("Synchronisation with the City Health Office"),
            "   " + _("Waiting {pending}   sent {sent}   refused {refused}").format(
                pending=sync.pending, sent=sync.sent, refused=sync.refused
            ),
            "   " + _("Last contact {time}   same set on both sides: {agrees}").format(
                time=instant_text(sync.last_contact_at, zone) or "-", agrees=agrees
            ),
        ]  # fmt: skip
        if sync.running:
            done = _("Running: {done} of {total}").format(done=sync.done, total=sync.total)
            cells = 30 * sync.done // sync.total if sync.total else 0
            lines.append("   " + done + "  [" + "#" * cells + "." * (30 - cells) + "]")
        if sync.last_error:
            lines.append("   !! " + fit(sync.last_error, 70).rstrip())
        for refusal in sync.refusals[:MOST_REFUSALS]:
            lines.append("   ! " + fit(f"{refusal.get('kind', '')} {refusal.get('error', '')}", 70).rstrip())
            if refusal.get("remedy"):
                lines.append("     " + fit(str(refusal["remedy"]), 70).rstrip())
        self.query_one("#sync", Static).update("\n".join(lines))

    def _show_backups(self, backups: list[dict[str, Any]]) -> None:
        lines = [" " + _("Backups")]
        for backup in backups[:MOST_BACKUPS]:
            values = "   ".join(str(value) for value in backup.values() if value not in (None, ""))
            lines.append("   " + fit(values, 74).rstrip())
        if not backups:
            lines.append("   ! " + _("There is no backup yet; the daily closing makes one."))
        self.query_one("#backups", Static).update("\n".join(lines))
