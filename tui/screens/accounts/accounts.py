"""Shows all accounts, and does to one of them what the administrator says."""

from __future__ import annotations

from collections.abc import Awaitable

from textual import work
from textual.binding import Binding

from core.schemas.accounts import AccountRow
from tui import keymap, theme
from tui.screens.accounts.form import AccountDialog
from tui.screens.accounts.keys import KeysScreen
from tui.screens.accounts.sessions import SessionsScreen
from tui.screens.item_list import ItemList
from tui.screens.reasons import AgreeDialog, LineDialog
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.formatting import fit
from tui.text.translation import N_, _
from tui.widgets.painting import Line

SHORTEST_PASSWORD = 10  # characters


class AccountsScreen(ItemList[AccountRow]):
    """A row for each account."""

    AREA = "administer"
    KEY_ROWS = 2
    TITLE_TEXT = N_("Accounts")
    HELP_TEXT = N_(
        "Who may sign in. A adds a person, E changes name, role and clusters: another role ends the sign-ins. D bars "
        "an account at once, on every screen, or lets it in again. P gives a password for the next sign-in, which "
        "has to choose another. K shows the SSH keys, S who is signed in. F takes the second factor away from somebody whose telephone is lost."
    )
    BINDINGS = [
        keymap.BACK,
        Binding("a", "add", N_("Add")),
        Binding("e,enter", "edit", N_("Change")),
        Binding("d", "bar", N_("Bar or let in")),
        Binding("p", "password", N_("Password")),
        Binding("k", "keys", N_("Keys")),
        Binding("s", "sessions", N_("Sign-ins")),
        Binding("f", "second_factor", N_("Factor off")),
        keymap.REFRESH,
    ]

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the accounts."""
        with self.saying_refusals():
            await self._read()
            self.hint(_("{number} accounts").format(number=len(self._items)))

    async def _read(self) -> None:
        rows = await self.session.client.account_administration.list_accounts()
        self._items = {row.username: row for row in rows}
        self._show()

    def _row(self, item: AccountRow) -> Line:
        state = _("BARRED") if item.disabled_at else ""
        if not state and item.must_change_password:
            state = _("new password")
        text = " ".join(
            (
                fit(item.username, 12),
                fit(item.name, 20),
                fit(problem_words.word(problem_words.ROLES, item.role), 18),
                fit(",".join(item.clusters), 12),
                fit(state, 12),
            )
        )
        return [(f" {text}", theme.PLAIN)]

    def on_pick_list_picked(self) -> None:
        """Enter changes the account."""
        self.action_edit()

    def action_add(self) -> None:
        """Ask for a new account."""
        self.app.push_screen(AccountDialog(self.session), self._came_back)

    def action_edit(self) -> None:
        """Ask what to change."""
        if self._chosen is not None:
            self.app.push_screen(AccountDialog(self.session, self._chosen), self._came_back)

    def _came_back(self, said: str | None) -> None:
        if said:
            self._read_and_say(said)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read_and_say(self, said: str) -> None:
        """Show what was saved; what is said stays."""
        with self.saying_refusals():
            await self._read()
            self.say(said, "good")

    def action_bar(self) -> None:
        """Bar the account, or let it in again."""
        account = self._chosen
        if account is None:
            return
        calls = self.session.client.account_administration
        if account.disabled_at is None:
            self._do(calls.disable(account.username), _("{name} is barred; all screens are closed."), account)
        else:
            self._do(calls.enable(account.username), _("{name} may sign in again."), account)

    def action_password(self) -> None:
        """Ask for a password for the next sign-in."""
        account = self._chosen
        if account is None:
            return

        def given(password: str | None) -> None:
            if password:
                call = self.session.client.account_administration.reset_password(account.username, password)
                self._do(call, _("{name} signs in with it and then chooses another."), account)

        title = N_("Password for the next sign-in")
        self.app.push_screen(LineDialog(self.session, title, shortest=SHORTEST_PASSWORD), given)

    @work(exclusive=True, group="do", exit_on_error=False)
    async def _do(self, call: Awaitable[None], said: str, account: AccountRow) -> None:
        with self.saying_refusals(), hold_keys(self.app):
            await call
            self.say(said.format(name=account.name), "good")
            await self._read()

    def action_second_factor(self) -> None:
        """Take the second factor of the chosen account away."""
        account = self._chosen
        if account is None:
            return

        def agreed(yes: bool | None) -> None:
            if yes:
                call = self.session.client.account_administration.reset_second_factor(account.username)
                self._do(call, _("{name} signs in without a code again."), account)

        title = N_("Take the second factor away?")
        self.app.push_screen(AgreeDialog(self.session, title, f"{account.name} ({account.username})"), agreed)

    def action_keys(self) -> None:
        """Show the SSH keys of the account."""
        if self._chosen is not None:
            self.app.push_screen(KeysScreen(self.session, self._chosen))

    def action_sessions(self) -> None:
        """Show the sign-ins of the account."""
        if self._chosen is not None:
            self.app.push_screen(SessionsScreen(self.session, self._chosen))
