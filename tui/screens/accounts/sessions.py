"""Shows where an account is signed in."""

from __future__ import annotations

from textual import work
from textual.binding import Binding

from core.schemas.accounts import SignInOut
from tui import keymap, theme
from tui.screens.accounts.account_items import AccountItems
from tui.text.formatting import fit, instant_text
from tui.text.translation import N_, _
from tui.widgets.painting import Line

METHODS = {"password": N_("password"), "key": N_("SSH key"), "door": N_("door")}


class SessionsScreen(AccountItems[SignInOut]):
    """A row for each sign-in that has not ended."""

    TITLE_TEXT = N_("Sign-ins")
    HELP_TEXT = N_(
        "Where this account is signed in. X ends the chosen sign-in, Z all of them: their screens close at once."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("x", "end", N_("End this one")),
        Binding("z", "end_all", N_("End all")),
        keymap.REFRESH,
    ]

    async def _read(self) -> None:
        found = await self._calls.sessions(self._account.username)
        self._items = {each.id: each for each in found}
        self._show()
        self.hint(_("{name}: {number} sign-ins").format(name=self._account.name, number=len(found)))

    def _row(self, item: SignInOut) -> Line:
        zone = self.session.clinic.timezone
        method = _(METHODS.get(item.method, item.method))
        mine = _("this screen") if item.is_this else ""
        since, until = instant_text(item.created_at, zone), instant_text(item.expires_at, zone)
        return [(f" {since} - {until}  {fit(method, 12)}  {fit(item.source, 20)}  {mine}", theme.PLAIN)]

    @work(exclusive=True, group="do", exit_on_error=False)
    async def action_end(self) -> None:
        """End the chosen sign-in."""
        if self._chosen is not None:
            call = self._calls.end_session(self._account.username, self._chosen.id)
            await self._change(call, _("The sign-in has ended."))

    @work(exclusive=True, group="do", exit_on_error=False)
    async def action_end_all(self) -> None:
        """End all of them."""
        await self._change(self._calls.end_sessions(self._account.username), _("All sign-ins have ended."))
