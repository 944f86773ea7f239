"""Shows the SSH keys of an account."""

from __future__ import annotations

from textual import work
from textual.binding import Binding

from core.schemas.accounts import KeyOut
from tui import keymap, theme
from tui.screens.accounts.account_items import AccountItems
from tui.screens.reasons import LineDialog
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets.painting import Line

SHORTEST_KEY, LONGEST_KEY = 20, 8000  # characters


class KeysScreen(AccountItems[KeyOut]):
    """A row for each key that signs an account in."""

    TITLE_TEXT = N_("SSH keys")
    HELP_TEXT = N_(
        "The keys that sign this account in without a password. A adds one: paste the line of the .pub file, its last "
        "word becomes the label. X removes the chosen key; screens that it opened are locked."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("a", "add", N_("Add")),
        Binding("x", "remove", N_("Remove")),
        keymap.REFRESH,
    ]

    async def _read(self) -> None:
        keys = await self._calls.keys(self._account.username)
        self._items = {key.id: key for key in keys}
        self._show()
        self.hint(_("{name}: {number} keys").format(name=self._account.name, number=len(keys)))

    def _row(self, item: KeyOut) -> Line:
        since = instant_text(item.created_at, self.session.clinic.timezone)
        return [(f" {fit(item.label, 16)}  {fit(item.fingerprint, 40)}  {since}", theme.PLAIN)]

    def action_add(self) -> None:
        """Ask for a key."""

        def given(line: str | None) -> None:
            if line:
                self._add(line)

        dialog = LineDialog(
            self.session, N_("Line of the .pub file"), shortest=SHORTEST_KEY, longest=LONGEST_KEY
        )
        self.app.push_screen(dialog, given)

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _add(self, line: str) -> None:
        _kind, _data, *comment = [*line.split(), "", ""]
        label = " ".join(comment).strip()[:80]
        await self._change(self._calls.add_key(self._account.username, line, label), _("The key is added."))

    @work(exclusive=True, group="do", exit_on_error=False)
    async def action_remove(self) -> None:
        """Remove the chosen key."""
        if self._chosen is not None:
            call = self._calls.remove_key(self._account.username, self._chosen.id)
            await self._change(call, _("The key is removed."))
