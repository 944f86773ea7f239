"""Sets up the second factor of one's own sign-in: the secret as text and as a QR code, then a code of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from core.schemas.accounts import SecondFactorOffer
from tui import keymap, theme
from tui.client.errors import RefusedError, UnreachableError
from tui.qr import qr_rows
from tui.session import Session
from tui.terminal.keyboard import hold_keys
from tui.text import problem_words
from tui.text.translation import N_, _
from tui.widgets import DialogTitle, FieldRow, TextField, labelled

GROUP = 4  # letters of the secret that are shown together
TEXT_CELLS = 38  # beside the code


class SecondFactorScreen(ModalScreen[None]):
    """Shows what the authenticator app needs, and takes a code that proves it has it."""

    BINDINGS = [keymap.BACK, keymap.SIGN_OUT]
    CSS_PATH = "second_factor.tcss"

    def __init__(self, session: Session, done: Callable[[], Awaitable[None]]) -> None:
        """Args: `done` takes over once the second factor holds."""
        super().__init__()
        self._session = session
        self._done = done
        self._offer: SecondFactorOffer | None = None

    def compose(self) -> ComposeResult:
        """Yield the QR code, and beside it the secret and a field for a code."""
        yield DialogTitle(_("Second factor"))
        with Horizontal(id="factor"):
            yield Static("", id="factor-qr", markup=False)
            with Vertical():
                yield Static("", id="factor-text", markup=False)
                with FieldRow():
                    yield from labelled(N_("Code"), TextField("code", cells=10, longest=8))
                yield Static("", id="factor-note", markup=False)

    def on_mount(self) -> None:
        """Ask the core for a secret."""
        self.query_one("#code").focus()
        self.load()

    def _say(self, text: str) -> None:
        self.query_one("#factor-note", Static).update("\n" + text)

    @work(exclusive=True, group="factor", exit_on_error=False)
    async def load(self) -> None:
        """Show a new secret."""
        try:
            with hold_keys(self.app):
                self._offer = await self._session.client.accounts.offer_second_factor()
        except RefusedError as refusal:
            self._say("!! " + problem_words.problem_text(refusal.problem))
            return
        except UnreachableError:
            self._say("!! " + _(problem_words.UNREACHABLE))
            return
        secret = self._offer.secret
        parts = [secret[start : start + GROUP] for start in range(0, len(secret), GROUP)]
        lines = [
            _("1. Scan the code with an authenticator app, or type this secret there:"),
            "",
            *(f"   {' '.join(parts[start : start + GROUP])}" for start in range(0, len(parts), GROUP)),
            "",
            _("2. Type the six digits that it shows. From then on each sign-in asks for such a code."),
            "",
        ]
        self.query_one("#factor-text", Static).update("\n".join(lines))
        self.query_one("#factor-qr", Static).update(self._code(self._offer.address))
        self._say(_("Enter: set it up    Esc: back"))

    def _code(self, address: str) -> Text:
        """Return the QR code; nothing where the terminal cannot draw it: the secret stands beside it."""
        able = self._session.capabilities
        if able is not None and not able.utf8:
            return Text("")
        has_colours = able is None or able.colours > 0
        rows = qr_rows(address, draws_light=not has_colours)
        fits = len(rows) < self.size.height and len(rows[0]) + TEXT_CELLS <= self.size.width
        return Text("\n".join(rows) if fits else "", theme.QR if has_colours else theme.PLAIN)

    @on(TextField.Submitted, "#code")
    def try_it(self) -> None:
        """Set it up on Enter."""
        self.set_up()

    @work(exclusive=True, group="factor", exit_on_error=False)
    async def set_up(self) -> None:
        """Send secret and code to the core."""
        if self._offer is None:
            return
        field = self.query_one("#code", TextField)
        try:
            with hold_keys(self.app):
                code = field.value.strip() or "-"
                await self._session.client.accounts.set_up_second_factor(self._offer.secret, code)
                await self._done()
        except RefusedError as refusal:
            field.value = ""
            self._say("!! " + problem_words.problem_text(refusal.problem))
        except UnreachableError:
            self._say("!! " + _(problem_words.UNREACHABLE))

    def action_back(self) -> None:
        """Leave without a second factor."""
        self.dismiss(None)
