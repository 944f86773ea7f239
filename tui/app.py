"""The terminal application: areas, global keys, and what reaches it from outside.

Everything here belongs to one person at one terminal; many such apps live in one process, so no
state is kept on modules or classes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from core.schemas.accounts import AccountShape
from core.schemas.queues import EntryShape
from tui import keymap, theme
from tui.client import CoreClient, Refused, UnreachableError
from tui.door.contracts import Resumed
from tui.messages import FeedState, QueueChanged, RecordChanged
from tui.screens.base import LoketScreen
from tui.screens.help import Command, HelpDialog, PaletteDialog
from tui.screens.sign_in import LockScreen, SignInScreen
from tui.session import Session, open_session
from tui.terminal.driver import IdleTimeout, Unattended, terminal_of
from tui.text import Translator, _

MINUTE_SECONDS = 60.0  # waits are shown in whole minutes; nothing ticks faster
LOCAL_DRAFT_SECONDS = 30.0  # this process holds the form whatever becomes of line and server
SHORTEST, WIDE = 0, 120
TALL = 16  # rows; with fewer, a dialog gives up its gaps and always shows what its keys do
HOME = "home"
FOLLOWING_AREAS = frozenset({"queues", "work", "worklist", "board", "display"})
"""Those that show what the change feed tells of."""
AREAS = ("register", "queues", "work", "worklist", "administer", "board", "display")


class LoketApp(App[None]):
    """One person's counter, queue or screen of numbers."""

    TITLE = "Loket"
    ENABLE_COMMAND_PALETTE = False
    """Textual's own palette offers a screenshot and themes; ours is `PaletteDialog`."""
    DEFAULT_MODE = HOME
    CSS_PATH = "styles/app.tcss"
    HORIZONTAL_BREAKPOINTS = [(SHORTEST, "-narrow"), (WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(SHORTEST, "-short"), (TALL, "-tall")]
    BINDINGS = [
        keymap.HELP,
        keymap.REGISTER,
        keymap.QUEUES,
        keymap.WORK,
        keymap.FIND,
        keymap.WORKLIST,
        keymap.ADMINISTER,
        keymap.BOARD,
        keymap.PALETTE,
        keymap.SIGN_OUT,
        keymap.LANGUAGE,
        keymap.REPAINT,
        Binding("ctrl+c", "nothing", show=False, system=True),
    ]

    def __init__(
        self,
        session: Session | None = None,
        *,
        client: CoreClient | None = None,
        username: str = "",
        language: str = "id",
        note: str = "",
    ) -> None:
        """Args: without a session, `client` is what the sign-in screen asks; `username` and `note` stand there."""
        super().__init__()
        self.theme = theme.THEME
        self.animation_level = "none"
        self.session = session
        self._client = client
        self._username = username
        self._note = note
        self._signed_in_first = session is not None
        self._translator = session.translator if session is not None else Translator(language)
        # Before the first message pump is made, so that all of them inherit it.
        self._translator.activate()
        self.add_mode(HOME, self._home_screen)

    # Areas

    def _home_screen(self) -> Screen[Any]:
        if self.session is None:
            assert self._client is not None
            return SignInScreen(self._client, self._signed_in, self._username, self._note)
        return self._area_screen(self._home_area(self.session), self.session)

    def _home_area(self, session: Session) -> str:
        if session.sees_numbers_only:
            return "display"
        if session.works_queue:
            return "work"
        return "administer" if session.administers else "register"

    def _area_screen(self, area: str, session: Session) -> Screen[Any]:
        # Imported when first shown: a door with many people starts each app the sooner for it.
        if area == "register":
            from tui.screens.registration.search import SearchScreen

            return SearchScreen(session)
        if area == "queues":
            from tui.screens.queues import QueuesScreen

            return QueuesScreen(session)
        if area == "work":
            from tui.screens.work import WorkScreen

            return WorkScreen(session, self._open_record)
        if area == "worklist":
            from tui.screens.worklist.worklist import WorklistScreen

            return WorklistScreen(session, self._open_work)
        if area == "administer":
            from tui.screens.administration import AdministrationScreen

            return AdministrationScreen(session)
        if area == "board":
            from tui.screens.board import BoardScreen

            return BoardScreen(session)
        from tui.screens.display import DisplayScreen

        return DisplayScreen(session)

    def _mode(self, area: str, session: Session) -> str:
        """The mode of an area: an app that began with the sign-in screen has that as its first mode."""
        is_first = self._signed_in_first and area == self._home_area(session)
        return HOME if is_first else area

    def _add_areas(self, session: Session) -> None:
        for area in AREAS:
            if self._mode(area, session) != HOME:
                self.add_mode(area, self._maker(area, session))

    def _maker(self, area: str, session: Session) -> Callable[[], Screen[Any]]:
        return lambda: self._area_screen(area, session)

    async def _go(self, area: str) -> None:
        if self.session is not None:
            self._follow_in(area, self.session)
            await self.switch_mode(self._mode(area, self.session))

    def _follow_in(self, area: str, session: Session) -> None:
        if area in FOLLOWING_AREAS:
            session.hub.follow(self)
        else:
            session.hub.rest(self)

    async def _open_record(self, entry: EntryShape) -> None:
        assert self.session is not None
        if self.session.fulfils:
            await self._open_work(entry.visit_id)
            return
        from tui.screens.record.record import RecordScreen

        await self.push_screen(RecordScreen(self.session, entry), self._came_back)

    async def _open_work(self, visit_id: str) -> None:
        from tui.screens.worklist.fulfil import FulfilScreen

        assert self.session is not None
        await self.push_screen(FulfilScreen(self.session, visit_id), self._came_back)

    def _came_back(self, note: str | None) -> None:
        if note and isinstance(self.screen, LoketScreen):
            self.screen.say(note, "good")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what the account may not do."""
        session = self.session
        allowed = {
            "register": session is not None and session.registers,
            "queues": session is not None and not session.sees_numbers_only,
            "work": session is not None and session.works_queue,
            "worklist": session is not None and session.fulfils,
            "find_patient": session is not None and session.writes_records,
            "administer": session is not None and session.administers,
            "board": session is not None and session.administers,
            "palette": session is not None,
            "help": session is not None,
            "other_language": session is not None,
        }
        return allowed.get(action, True)

    # Beginning and ending

    def on_load(self) -> None:
        """Set the language in this app's own context, whatever others in the process do."""
        self._translator.activate()

    def on_mount(self) -> None:
        """Follow the feed."""
        self.set_interval(MINUTE_SECONDS, self._minute)
        if self.session is not None:
            self._begin(self.session)

    def _begin(self, session: Session) -> None:
        self._add_areas(session)
        session.hub.subscribe(self)
        self._follow_in(self._home_area(session), session)

    async def _signed_in(self, account: AccountShape) -> None:
        """Take over from the sign-in screen.

        Raises:
            Refused, UnreachableError: As `open_session`; the sign-in screen says so.
        """
        assert self._client is not None
        session = await open_session(
            self._client, account, language=self._translator.language, owns_client=True
        )
        session.draft_seconds = LOCAL_DRAFT_SECONDS
        session.translator = self._translator
        self.session = session
        self._begin(session)
        await self._go(self._home_area(session))

    async def on_unmount(self) -> None:
        """Let go of the feed and the connections."""
        if self.session is not None:
            self.session.hub.unsubscribe(self)
        client = self.session.client if self.session is not None else self._client
        if client is not None and (self.session is None or self.session.owns_client):
            await client.close()

    async def _keep_typed(self) -> None:
        """Keep what is half-typed; another area's form was kept when this one came before it."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, LoketScreen):
                with contextlib.suppress(Refused, UnreachableError):
                    await screen.keep_now()

    async def on_unattended(self, message: Unattended) -> None:
        """The line broke, or the door closes."""
        await self._keep_typed()

    async def action_sign_out(self) -> None:
        """End the sign-in for good and leave; what is half-typed is offered at the next."""
        if self.session is not None:
            await self._keep_typed()
            with contextlib.suppress(Refused, UnreachableError):
                await self.session.client.sign_out()
        self.exit()

    async def action_quit(self) -> None:
        """Textual's name for leaving."""
        await self.action_sign_out()

    def action_nothing(self) -> None:
        """Ctrl+C ends nothing: people press it by mistake."""

    def action_repaint(self) -> None:
        """Paint the whole screen anew, whatever the terminal shows."""
        terminal = terminal_of(self)
        if terminal is not None:
            terminal.repaint()

    # Areas by key

    async def action_register(self) -> None:
        """Go to the registration counter."""
        await self._go("register")

    async def action_queues(self) -> None:
        """Show all queues."""
        await self._go("queues")

    async def action_work(self) -> None:
        """Show one's own queue."""
        await self._go("work")

    async def action_worklist(self) -> None:
        """Show what the laboratory or the pharmacy has to do."""
        await self._go("worklist")

    def action_find_patient(self) -> None:
        """Find a patient who is not in one's queue, and read the record."""
        from tui.screens.record.finding import Finder

        if isinstance(self.screen, LoketScreen):
            Finder(self.screen).start()

    async def action_administer(self) -> None:
        """Show where the system stands."""
        await self._go("administer")

    async def action_board(self) -> None:
        """Show all clusters at once."""
        await self._go("board")

    # Help, commands, language

    def _all_bindings(self) -> list[Binding]:
        found: dict[str, Binding] = {}
        for binding in [*type(self.screen).BINDINGS, *self.BINDINGS]:
            if isinstance(binding, Binding) and binding.description:
                node: Any = self if binding.action.startswith("app.") else self.screen
                if node.check_action(binding.action.removeprefix("app."), ()):
                    found.setdefault(binding.key, binding)
        return list(found.values())

    def action_help(self) -> None:
        """What one can do here."""
        if self.session is not None and isinstance(self.screen, LoketScreen):
            self.push_screen(HelpDialog(self.session, self.screen.HELP_TEXT, self._all_bindings()))

    def action_palette(self) -> None:
        """All commands of this place, to be found by typing."""
        if self.session is None or not isinstance(self.screen, LoketScreen):
            return
        screen = self.screen
        commands = [
            Command(_(binding.description), keymap.key_name(binding.key), binding.action)
            for binding in self._all_bindings()
            if binding.action != "app.palette"
        ]
        commands.append(Command(_("Lock this terminal"), "", "app.lock"))

        async def chosen(action: str | None) -> None:
            if action is not None:
                await self.run_action(action, default_namespace=screen)

        self.push_screen(PaletteDialog(self.session, commands), chosen)

    async def action_other_language(self) -> None:
        """Change between Indonesian and English, on every screen."""
        if self.session is None:
            return
        self._translator.language = self._translator.other
        self.session.client.language = self._translator.language
        if isinstance(self.screen, LoketScreen):
            await self.screen.show_in_language()

    # Locking and coming back

    def action_lock(self) -> None:
        """Hide everything until the password is given."""
        locked = isinstance(self.screen, LockScreen)
        if self.session is not None and not locked and not self.session.sees_numbers_only:
            self.push_screen(LockScreen(self.session))

    def on_idle_timeout(self, message: IdleTimeout) -> None:
        """Nobody has typed for a while."""
        self.action_lock()

    def on_resumed(self, message: Resumed) -> None:
        """The same person is back on a new connection, freshly signed in."""
        if self.session is None:
            return
        self.session.client.token = message.session.client.token
        self.session.capabilities = message.capabilities
        if isinstance(self.screen, LockScreen):
            self.screen.dismiss(None)

    # From the feed

    def _hand_down(self, make: Callable[[], QueueChanged | RecordChanged | FeedState]) -> None:
        # Screens of other areas catch up when they are shown again.
        for screen in self.screen_stack:
            if isinstance(screen, LoketScreen):
                screen.post_message(make())

    def on_queue_changed(self, message: QueueChanged) -> None:
        """A pane changed."""
        self._hand_down(lambda: QueueChanged(message.queue))

    def on_record_changed(self, message: RecordChanged) -> None:
        """A record changed."""
        self._hand_down(lambda: RecordChanged(message.kind))

    def on_feed_state(self, message: FeedState) -> None:
        """The feed came or went."""
        self._hand_down(lambda: FeedState(message.connected))

    def _minute(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, LoketScreen):
                screen.minute_passed()

    # What must not happen on the server for somebody at a terminal

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Do nothing: a browser would open on the server."""

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Do nothing: a record would land in the server's files."""

    def action_suspend_process(self) -> None:
        """Do nothing: it would stop everybody."""


def build_app(
    session: Session | None = None,
    *,
    client: CoreClient | None = None,
    username: str = "",
    language: str = "id",
    note: str = "",
) -> LoketApp:
    """Make the app of a signed-in person, or one that begins with the sign-in screen.

    Args:
        session: Who is signed in; `tui.session.open_session` makes it.
        client: Without a session: whom the sign-in screen asks.
        username: Without a session: what stands in the name field already.
        language: Without a session: `id` or `en`.
        note: Without a session: what the sign-in screen says beside the fields, translated.
    """
    return LoketApp(session, client=client, username=username, language=language, note=note)
