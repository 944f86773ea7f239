"""Signing in at a terminal of one's own, and unlocking an idle one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from textwrap import indent

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from core.schemas.accounts import AccountShape
from tui import keymap, words
from tui.client import CoreClient, Refused, UnreachableError
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import _
from tui.widgets import DialogTitle, Row, TextField, labelled


class SignInScreen(Screen[None]):
    """Name and password; what fails is said and the name stays."""

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"

    def __init__(
        self,
        client: CoreClient,
        opened: Callable[[AccountShape], Awaitable[None]],
        username: str = "",
        note: str = "",
    ) -> None:
        """Args: `opened` takes over once the person is signed in; `note` stands below the fields."""
        super().__init__()
        self._client = client
        self._opened = opened
        self._username = username
        self._note = note

    def compose(self) -> ComposeResult:
        """Two fields."""
        with Vertical(id="sign-in"):
            yield DialogTitle("LOKET")
            yield Static(f" {self._client.base_url}", markup=False)
            yield Static("", classes="gap")
            with Row():
                yield from labelled("User name", TextField("username", cells=24, longest=40))
            with Row():
                yield from labelled("Password", TextField("password", cells=24, longest=200, password=True))
            yield Static("", id="sign-in-note", markup=False)
            if self._note:
                yield Static("\n" + indent(self._note, " "), id="sign-in-about", markup=False)

    def on_mount(self) -> None:
        """Begin with what is not known yet."""
        self.query_one("#username", TextField).value = self._username
        self.query_one("#password" if self._username else "#username").focus()
        self._say(_("Enter signs in. Ctrl+Q leaves."))

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n " + text)

    @on(TextField.Submitted, "#username")
    def go_to_password(self) -> None:
        """Enter leads on."""
        self.query_one("#password").focus()

    @on(TextField.Submitted, "#password")
    def try_it(self) -> None:
        """Enter signs in."""
        self.sign_in()

    @work(exclusive=True, group="sign-in", exit_on_error=False)
    async def sign_in(self) -> None:
        """Ask the core."""
        password = self.query_one("#password", TextField)
        try:
            with hold_keys(self.app):
                name = self.query_one("#username", TextField).text
                token = await self._client.sign_in(name, password.value)
                await self._opened(token.account)
        except Refused as refusal:
            password.value = ""
            if refusal.code == "not_signed_in":
                self._say("!! " + _("Name and password do not fit. Try again."))
            else:
                self._say("!! " + words.problem_text(refusal.problem))
        except UnreachableError:
            self._say("!! " + _("The server does not answer. Is it running?"))


class LockScreen(ModalScreen[None]):
    """Hides everything until the same person gives the password; nothing behind it is lost."""

    BINDINGS = [keymap.SIGN_OUT]
    CSS_PATH = "sign_in.tcss"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(id="sign-in"):
            yield DialogTitle(_("Locked"))
            yield Static(f" {self._session.account.name}", markup=False)
            yield Static("", classes="gap")
            with Row():
                yield from labelled("Password", TextField("unlock", cells=24, longest=200, password=True))
            yield Static("", id="sign-in-note", markup=False)

    def on_mount(self) -> None:
        """Wait for the password."""
        self.query_one("#unlock").focus()
        self._say(_("What you typed is still there. Ctrl+Q signs out."))

    def _say(self, text: str) -> None:
        self.query_one("#sign-in-note", Static).update("\n " + text)

    @on(TextField.Submitted, "#unlock")
    def try_it(self) -> None:
        """Enter unlocks."""
        self.unlock()

    @work(exclusive=True, group="unlock", exit_on_error=False)
    async def unlock(self) -> None:
        """A fresh sign-in of the same person: it also replaces a token that has ended meanwhile."""
        field = self.query_one("#unlock", TextField)
        try:
            with hold_keys(self.app):
                await self._session.client.sign_in(self._session.account.username, field.value)
            self.dismiss(None)
        except Refused as refusal:
            field.value = ""
            text = _("Wrong password.") if refusal.code == "not_signed_in" else ""
            self._say("!! " + (text or words.problem_text(refusal.problem)))
        except UnreachableError:
            self._say("!! " + _(words.UNREACHABLE))
