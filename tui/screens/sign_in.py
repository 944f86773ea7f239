"""Sign-in at one's own terminal, and unlocking an idle one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from textwrap import indent

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from core.schemas.accounts import AccountOut
from tui import keymap
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.translation import N_, _
from tui.widgets import DialogTitle, FieldRow, TextField, labelled


class SignInScreen(Screen[None]):
    """Asks for name and password; after an error the name stays."""

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"

    def __init__(
        self,
        client: CoreClient,
        opened: Callable[[AccountOut], Awaitable[None]],
        username: str = "",
        note: str = "",
    ) -> None:
        """Args: `opened` takes over after the sign-in; `note` is shown below the fields."""
        super().__init__()
        self._client = client
        self._opened = opened
        self._username = username
        self._note = note

    def compose(self) -> ComposeResult:
        """Yield two fields."""
        with Vertical(id="sign-in"):
            yield DialogTitle("LOKET")
            yield Static(f" {self._client.base_url}", markup=False)
            yield Static("", classes="gap")
            with FieldRow():
                yield from labelled("User name", TextField("username", cells=24, longest=40))
            with FieldRow():
                yield from labelled("Password", TextField("password", cells=24, longest=200, password=True))
            yield Static("", id="sign-in-note", markup=False)
            if self._note:
                yield Static("\n" + indent(self._note, " "), id="sign-in-about", markup=False)

    def on_mount(self) -> None:
        """Focus the first field without a value."""
        self.query_one("#username", TextField).value = self._username
        self.query_one("#password" if self._username else "#username").focus()
        self._say(_("Enter signs in. Ctrl+Q leaves."))

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n" + text)

    @on(TextField.Submitted, "#username")
    def go_to_password(self) -> None:
        """Go to the password on Enter."""
        self.query_one("#password").focus()

    @on(TextField.Submitted, "#password")
    def try_it(self) -> None:
        """Sign in on Enter."""
        self.sign_in()

    @work(exclusive=True, group="sign-in", exit_on_error=False)
    async def sign_in(self) -> None:
        """Send name and password to the core."""
        password = self.query_one("#password", TextField)
        try:
            with hold_keys(self.app):
                name = self.query_one("#username", TextField).text
                token = await self._client.accounts.sign_in(name, password.value)
                await self._opened(token.account)
        except RefusedError as refusal:
            password.value = ""
            if refusal.code == "not_signed_in":
                self._say("!! " + _("Name and password do not fit. Try again."))
            else:
                self._say("!! " + problem_words.problem_text(refusal.problem))
        except UnreachableError:
            self._say("!! " + _("The server does not answer. Is it running?"))


class LockScreen(ModalScreen[bool]):
    """Hides everything until the same person gives the password; nothing behind it is lost.

    Ends with True, or with False when the account may do other things by now.
    """

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        """Yield one field."""
        with Vertical(id="sign-in"):
            yield DialogTitle(_("Locked"))
            yield Static(f" {self._session.account.name}", markup=False)
            yield Static("", classes="gap")
            with FieldRow():
                yield from labelled("Password", TextField("unlock", cells=24, longest=200, password=True))
            yield Static("", id="sign-in-note", markup=False)

    def on_mount(self) -> None:
        """Focus the password."""
        self.query_one("#unlock").focus()
        self._say(_("What you typed is still there. Ctrl+Q signs out."))

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n" + text)

    @on(TextField.Submitted, "#unlock")
    def try_it(self) -> None:
        """Unlock on Enter."""
        self.unlock()

    @work(exclusive=True, group="unlock", exit_on_error=False)
    async def unlock(self) -> None:
        """Sign the same person in again, which also replaces a token that has expired meanwhile."""
        field = self.query_one("#unlock", TextField)
        accounts, older = self._session.client.accounts, self._session.client.token
        try:
            with hold_keys(self.app):
                token = await accounts.sign_in(self._session.account.username, field.value)
            if older:
                with suppress(RefusedError, UnreachableError):
                    await accounts.sign_out(older)
            if token.account.needs_code:
                self.app.push_screen(CodeScreen(self._session.client, self._changed), None)
            elif token.account.must_change_password:
                self.app.push_screen(ChangePasswordScreen(self._session.client, self._changed), None)
            else:
                self.dismiss(_may_do_the_same(token.account, self._session.account))
        except RefusedError as refusal:
            field.value = ""
            text = _("Wrong password.") if refusal.code == "not_signed_in" else ""
            self._say("!! " + (text or problem_words.problem_text(refusal.problem)))
        except UnreachableError:
            self._say("!! " + _(problem_words.UNREACHABLE))

    async def _changed(self) -> None:
        """Unlock once another password is chosen, or the code is given."""
        account = await self._session.client.accounts.me()
        self.app.pop_screen()
        self.dismiss(_may_do_the_same(account, self._session.account))


def _may_do_the_same(now: AccountOut, before: AccountOut) -> bool:
    return (now.id, now.role, now.clusters) == (before.id, before.role, before.clusters)


class CodeScreen(ModalScreen[None]):
    """Asks for the code of the second factor; nothing else is shown before it is given."""

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"

    def __init__(self, client: CoreClient, given: Callable[[], Awaitable[None]]) -> None:
        """Args: `client` holds the person's token; `given` takes over once the code is good."""
        super().__init__()
        self._client = client
        self._given = given

    def compose(self) -> ComposeResult:
        """Yield one field."""
        with Vertical(id="sign-in"):
            yield DialogTitle(_("Second factor"))
            with FieldRow():
                yield from labelled(N_("Code"), TextField("code", cells=10, longest=8))
            yield Static("", id="sign-in-note", markup=False)

    def on_mount(self) -> None:
        """Focus the field."""
        self.query_one("#code").focus()
        self._say(_("The six digits that your telephone shows now. Ctrl+Q signs out."))

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n" + text)

    @on(TextField.Submitted, "#code")
    def try_it(self) -> None:
        """Give the code on Enter."""
        self.give()

    @work(exclusive=True, group="code", exit_on_error=False)
    async def give(self) -> None:
        """Send the code to the core."""
        field = self.query_one("#code", TextField)
        try:
            with hold_keys(self.app):
                await self._client.accounts.give_code(field.value.strip() or "-")
                await self._given()
        except RefusedError as refusal:
            field.value = ""
            wrong = _("This is not the code, or it was used already: wait for the next one.")
            is_wrong = refusal.code == "not_signed_in"
            self._say("!! " + (wrong if is_wrong else problem_words.problem_text(refusal.problem)))
        except UnreachableError:
            self._say("!! " + _(problem_words.UNREACHABLE))


class ChangePasswordScreen(ModalScreen[None]):
    """Asks for the password until now and for another one, twice."""

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"
    FIELDS = ("old-password", "new-password", "new-password-again")

    def __init__(
        self, client: CoreClient, changed: Callable[[], Awaitable[None]], *, is_first: bool = True
    ) -> None:
        """Make the screen.

        Args:
            client: Holds the person's token.
            changed: Takes over once the password is another one.
            is_first: Whether the person has to; otherwise Escape goes back.
        """
        super().__init__()
        self._client = client
        self._changed = changed
        self._is_first = is_first

    def compose(self) -> ComposeResult:
        """Three fields."""
        labels = (N_("Password until now"), N_("New password"), N_("Once more"))
        with Vertical(id="sign-in"):
            yield DialogTitle(_("Choose a password of your own"))
            for label, name in zip(labels, self.FIELDS, strict=True):
                with FieldRow():
                    field = TextField(name, cells=24, longest=200, password=True)
                    yield from labelled(label, field, cells=20)
            yield Static("", id="sign-in-note", markup=False)

    def on_mount(self) -> None:
        """Begin with the password until now."""
        self.query_one(f"#{self.FIELDS[0]}").focus()
        leave = _("Ctrl+Q signs out.") if self._is_first else _("Esc goes back.")
        self._say(_("10 letters or more, not your name, no password that many have.") + "\n" + leave)

    def key_escape(self) -> None:
        """Go back, unless a password has to be chosen."""
        if not self._is_first:
            self.dismiss(None)

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n" + text)

    @on(TextField.Submitted)
    def go_on(self, event: TextField.Submitted) -> None:
        """Enter leads to the next field, and from the last one on saves."""
        number = self.FIELDS.index(event.input.id or self.FIELDS[0]) + 1
        if number < len(self.FIELDS):
            self.query_one(f"#{self.FIELDS[number]}").focus()
        else:
            self.change()

    @work(exclusive=True, group="change-password", exit_on_error=False)
    async def change(self) -> None:
        """Ask the core."""
        fields = [self.query_one(f"#{name}", TextField) for name in self.FIELDS]
        old, new, again = (field.value for field in fields)
        if new != again:
            fields[2].value = ""
            fields[2].focus()
            self._say("!! " + _("The two new passwords differ. Type the second one again."))
            return
        try:
            with hold_keys(self.app):
                await self._client.accounts.change_password(old, new)
                await self._changed()
        except RefusedError as refusal:
            self._say("!! " + problem_words.problem_text(refusal.problem))
            fields[0 if "old_password" in refusal.problem.fields else 1].focus()
        except UnreachableError:
            self._say("!! " + _(problem_words.UNREACHABLE))
