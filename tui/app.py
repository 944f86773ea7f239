"""The terminal application: areas, global keys, and events from outside.

An app belongs to one person at one terminal; many of them live in one process, so no state is kept on modules
or classes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from textual import work
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from core.foundation.codes import Role
from core.schemas.accounts import AccountOut
from core.schemas.queues import EntryOut
from tui import keymap, theme
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.messages import FeedMissing, FeedState, QueueChanged, RecordChanged, SignInEnded
from tui.screens.base import LoketScreen
from tui.screens.help import Command, HelpDialog, PaletteDialog
from tui.screens.sign_in import ChangePasswordScreen, CodeScreen, LockScreen, SignInScreen
from tui.session import Session, open_session
from tui.terminal.driver import terminal_of
from tui.terminal.events import SIGN_IN_ENDED, IdleTimeout, Resumed, Unattended
from tui.text.translation import Translator, _

MINUTE_SECONDS = 60.0  # waits are shown in whole minutes; nothing ticks faster
STANDING_SECONDS = (
    5.0  # between two looks at how a counter's own machine stands: it is on this machine or beside it
)
LOCAL_DRAFT_SECONDS = (
    30.0  # this process keeps the form itself, so that a draft on the server is a second copy
)
SHORTEST, WIDE = 0, 120  # columns; from 120 on there is room for a second pane
TALL = 16  # rows; with fewer, a dialog gives up its gaps and always shows what its keys do
HOME = "home"
FOLLOWING_AREAS = frozenset({"queues", "work", "worklist", "board", "display"})
"""Areas that show data of the change feed."""
UNLOCKABLE = frozenset({"password", "key", ""})
"""Reasons for the end of a sign-in after which the same person may go on: the screen is locked, not closed."""
AREAS = ("register", "queues", "work", "worklist", "administer", "oversight", "board", "display")


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
        keymap.OVERSIGHT,
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
        """Make an app; the arguments are those of `build_app`."""
        super().__init__()
        self.theme = theme.THEME
        self.animation_level = "none"
        self.session = session
        self._client = client
        self._username = username
        self._note = note
        self._signed_in_first = session is not None and not _waits(session.account)
        self._area = ""
        self._translator = session.translator if session is not None else Translator(language)
        # Before the first message pump is made, so that all of them inherit it.
        self._translator.activate()
        self.add_mode(HOME, self._home_screen)

    def _home_screen(self) -> Screen[Any]:
        if self.session is None:
            assert self._client is not None
            return SignInScreen(self._client, self._signed_in, self._username, self._note)
        if not self._signed_in_first:
            return self._gate(self.session)
        return self._area_screen(self._home_area(self.session), self.session)

    def _home_area(self, session: Session) -> str:
        if session.sees_numbers_only:
            return "display"
        if session.works_queue:
            return "work"
        if session.watches_queues:
            return "queues"
        if session.administers:
            return "administer"
        return "board" if session.reads_board else "register"

    def _area_screen(self, area: str, session: Session) -> Screen[Any]:
        # Imported when first shown: a door with many people starts each app the sooner for it.
        if area == "register":
            from tui.screens.registration.search import SearchScreen

            return SearchScreen(session)
        if area == "queues":
            from tui.screens.queues import QueuesScreen

            return QueuesScreen(session, self._open_vitals)
        if area == "work":
            from tui.screens.work import WorkScreen

            return WorkScreen(session, self._open_record)
        if area == "worklist":
            from tui.screens.worklist.worklist import WorklistScreen

            return WorklistScreen(session, self._open_work)
        if area == "administer":
            from tui.screens.administration import AdministrationScreen

            return AdministrationScreen(session)
        if area == "oversight":
            from tui.screens.oversight.day_list import DayListScreen

            return DayListScreen(session)
        if area == "board":
            from tui.screens.board import BoardScreen

            return BoardScreen(session)
        from tui.screens.display import DisplayScreen

        return DisplayScreen(session)

    def _mode(self, area: str, session: Session) -> str:
        """Return the mode of an area; in an app that began with the sign-in screen that is the first mode."""
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
        self._area = area
        if area in FOLLOWING_AREAS:
            session.hub.follow(self)
        else:
            session.hub.rest(self)

    async def _open_record(self, entry: EntryOut) -> None:
        assert self.session is not None
        if self.session.fulfils:
            await self._open_work(entry.visit_id)
            return
        from tui.screens.record.record import RecordScreen

        await self.push_screen(RecordScreen(self.session, entry), self._came_back)

    async def _open_vitals(self, entry: EntryOut) -> None:
        from tui.screens.record.vitals import VitalsScreen

        assert self.session is not None
        await self.push_screen(VitalsScreen(self.session, entry), self._came_back)

    async def _open_work(self, visit_id: str) -> None:
        from tui.screens.worklist.fulfil import FulfilScreen

        assert self.session is not None
        await self.push_screen(FulfilScreen(self.session, visit_id), self._came_back)

    def _came_back(self, note: str | None) -> None:
        if note and isinstance(self.screen, LoketScreen):
            self.screen.say(note, "good")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is allowed to the account, and so shown."""
        session = self.session
        allowed = {
            "register": session is not None and session.registers,
            "queues": session is not None and not session.sees_numbers_only,
            "work": session is not None and session.works_queue,
            "worklist": session is not None and session.fulfils,
            "find_patient": session is not None and session.writes_records,
            "administer": session is not None and session.administers,
            "oversight": session is not None and session.oversees,
            "board": session is not None and session.reads_board,
            "palette": session is not None,
            "help": session is not None,
            "other_language": session is not None,
        }
        return allowed.get(action, True)

    def on_load(self) -> None:
        """Set the language in this app's own context, whatever others in the process do."""
        self._translator.activate()

    def on_mount(self) -> None:
        """Follow the feed."""
        self.set_interval(MINUTE_SECONDS, self._minute)
        self.set_interval(STANDING_SECONDS, self.look_at_standing)
        if self.session is not None and self._signed_in_first:
            self._begin(self.session)

    def _begin(self, session: Session) -> None:
        self._add_areas(session)
        session.hub.subscribe(self, session.client)
        self._follow_in(self._home_area(session), session)

    def _gate(self, session: Session) -> Screen[Any]:
        """Return the screen that has to be passed first: the second factor, then the password of one's own."""
        if session.account.needs_code:
            return CodeScreen(session.client, self._gave_code)
        return ChangePasswordScreen(session.client, self._chose_password)

    async def _gave_code(self) -> None:
        """Go on after the second factor."""
        assert self.session is not None
        self.session.account.needs_code = False
        if self.session.account.must_change_password:
            await self.push_screen(self._gate(self.session))
        else:
            await self._chose_password()

    async def _chose_password(self) -> None:
        """Go on after the first sign-in."""
        assert self.session is not None
        self.session.account.must_change_password = False
        self._begin(self.session)
        await self._go(self._home_area(self.session))

    async def _signed_in(self, account: AccountOut) -> None:
        """Take over from the sign-in screen.

        Raises:
            RefusedError: As `open_session`; the sign-in screen shows it.
            UnreachableError: The same.
        """
        assert self._client is not None
        session = await open_session(
            self._client, account, language=self._translator.language, owns_client=True
        )
        session.draft_seconds = LOCAL_DRAFT_SECONDS
        session.translator = self._translator
        self.session = session
        if _waits(account):
            await self.push_screen(self._gate(session))
            return
        self._begin(session)
        await self._go(self._home_area(session))

    async def on_unmount(self) -> None:
        """Unsubscribe from the feed and close the connections."""
        if self.session is not None:
            self.session.hub.unsubscribe(self)
        client = self.session.client if self.session is not None else self._client
        if client is not None and (self.session is None or self.session.owns_client):
            await client.close()

    async def _keep_typed(self) -> None:
        """Save half-typed forms; those of other areas were saved when they were left."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, LoketScreen):
                with contextlib.suppress(RefusedError, UnreachableError):
                    await screen.keep_now()

    async def on_unattended(self, message: Unattended) -> None:
        """Save half-typed forms when the line broke or the door closes."""
        await self._keep_typed()

    async def action_sign_out(self) -> None:
        """Sign out and leave; half-typed forms are offered at the next sign-in."""
        if self.session is not None:
            await self._keep_typed()
            with contextlib.suppress(RefusedError, UnreachableError):
                await self.session.client.accounts.sign_out()
        self.exit()

    async def action_quit(self) -> None:
        """Leave, under Textual's name for it."""
        await self.action_sign_out()

    def action_nothing(self) -> None:
        """Do nothing on Ctrl+C: people press it by mistake."""

    def action_repaint(self) -> None:
        """Paint the whole screen again."""
        terminal = terminal_of(self)
        if terminal is not None:
            terminal.repaint()

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
        """Show the worklist of the laboratory or the pharmacy."""
        await self._go("worklist")

    def action_find_patient(self) -> None:
        """Find a patient who is not in one's queue, and read the record."""
        from tui.screens.record.patient_finder import Finder

        if isinstance(self.screen, LoketScreen):
            Finder(self.screen).start()

    async def action_administer(self) -> None:
        """Show the state of the system."""
        await self._go("administer")

    async def action_oversight(self) -> None:
        """Show what the supervisor looks at each day."""
        await self._go("oversight")

    async def action_board(self) -> None:
        """Show all clusters at once."""
        await self._go("board")

    def _all_bindings(self) -> list[Binding]:
        found: dict[str, Binding] = {}
        for binding in [*type(self.screen).BINDINGS, *self.BINDINGS]:
            if isinstance(binding, Binding) and binding.description:
                node: Any = self if binding.action.startswith("app.") else self.screen
                if node.check_action(binding.action.removeprefix("app."), ()):
                    found.setdefault(binding.key, binding)
        return list(found.values())

    def action_help(self) -> None:
        """Show the help of this place."""
        if self.session is not None and isinstance(self.screen, LoketScreen):
            self.push_screen(HelpDialog(self.session, self.screen.HELP_TEXT, self._all_bindings()))

    def action_palette(self) -> None:
        """Show all commands of this place, to be found by typing."""
        if self.session is None or not isinstance(self.screen, LoketScreen):
            return
        screen = self.screen
        commands = [
            Command(_(binding.description), keymap.key_name(binding.key), binding.action)
            for binding in self._all_bindings()
            if binding.action != "app.palette"
        ]
        commands.append(Command(_("Lock this terminal"), "", "app.lock"))
        commands.append(Command(_("Choose another password"), "", "app.own_password"))
        if self.session.account.role in {Role.ADMIN, Role.SUPERVISOR}:
            commands.append(Command(_("Set up the second factor"), "", "app.second_factor"))

        async def chosen(action: str | None) -> None:
            if action is not None:
                await self.run_action(action, default_namespace=screen)

        self.push_screen(PaletteDialog(self.session, commands), chosen)

    async def action_other_language(self) -> None:
        """Show every screen in the next of the installed languages."""
        if self.session is None:
            return
        self._translator.language = self._translator.next_language
        self.session.client.language = self._translator.language
        if isinstance(self.screen, LoketScreen):
            await self.screen.show_in_language()

    def action_own_password(self) -> None:
        """Choose another password for oneself."""
        if self.session is None or self.session.sees_numbers_only:
            return

        async def changed() -> None:
            self.pop_screen()
            if isinstance(self.screen, LoketScreen):
                self.screen.say(_("The new password is saved."), "good")

        self.push_screen(ChangePasswordScreen(self.session.client, changed, is_first=False))

    def action_second_factor(self) -> None:
        """Set up the second factor of one's own sign-in."""
        if self.session is None:
            return
        from tui.screens.second_factor import SecondFactorScreen

        async def done() -> None:
            self.pop_screen()
            if isinstance(self.screen, LoketScreen):
                self.screen.say(_("From now on each sign-in asks for a code."), "good")

        self.push_screen(SecondFactorScreen(self.session, done))

    def action_lock(self) -> None:
        """Lock the screen until the password is given."""
        locked = isinstance(self.screen, LockScreen)
        if self.session is not None and not locked and not self.session.sees_numbers_only:
            self.push_screen(LockScreen(self.session), self._unlocked)

    def _unlocked(self, is_same: bool | None) -> None:
        """Follow the feed again with the new sign-in, or leave when the account is another one by now."""
        if self.session is None:
            return
        if is_same is False:
            self._leave()
            return
        self.session.hub.subscribe(self, self.session.client)
        self._follow_in(self._area, self.session)

    def _leave(self) -> None:
        """Close: nothing more may be shown."""
        self.exit(return_code=SIGN_IN_ENDED)

    def on_sign_in_ended(self, message: SignInEnded) -> None:
        """Lock or close at once."""
        if self.session is None:
            return
        if message.why in UNLOCKABLE and not self.session.sees_numbers_only:
            self.action_lock()
        else:
            self._leave()

    def on_feed_missing(self, message: FeedMissing) -> None:
        """Lock: the end of the sign-in may have been missed."""
        self.action_lock()

    def on_idle_timeout(self, message: IdleTimeout) -> None:
        """Lock after a time without a key."""
        self.action_lock()

    def on_resumed(self, message: Resumed) -> None:
        """Take the token of the new sign-in of a person who is back."""
        if self.session is None:
            return
        client, newer = self.session.client, message.session.client
        older, client.token, client.session_id = client.token, newer.token, newer.session_id
        self.session.capabilities = message.capabilities
        self.run_worker(self._end_older(older), exit_on_error=False)
        if message.session.account.needs_code:
            self._ask_code_of_return()
        elif isinstance(self.screen, LockScreen) and not message.session.account.must_change_password:
            self.screen.dismiss(True)

    def _ask_code_of_return(self) -> None:
        """Hide what is on the screen until the person who is back has given the code."""

        async def given() -> None:
            self.pop_screen()
            if isinstance(self.screen, LockScreen):
                self.screen.dismiss(True)

        assert self.session is not None
        self.push_screen(CodeScreen(self.session.client, given))

    async def _end_older(self, token: str | None) -> None:
        """End the sign-in that another has replaced."""
        assert self.session is not None
        if token and token != self.session.client.token:
            with contextlib.suppress(RefusedError, UnreachableError):
                await self.session.client.accounts.sign_out(token)

    def _hand_down(self, make: Callable[[], QueueChanged | RecordChanged | FeedState]) -> None:
        # Screens of other areas catch up when they are shown again.
        for screen in self.screen_stack:
            if isinstance(screen, LoketScreen):
                screen.post_message(make())

    def on_queue_changed(self, message: QueueChanged) -> None:
        """Pass a changed queue on."""
        self._hand_down(lambda: QueueChanged(message.queue))

    def on_record_changed(self, message: RecordChanged) -> None:
        """Pass a changed record on."""
        self._hand_down(lambda: RecordChanged(message.kind))

    def on_feed_state(self, message: FeedState) -> None:
        """Pass the state of the feed on."""
        self._hand_down(lambda: FeedState(message.connected))

    @work(exclusive=True, group="standing", exit_on_error=False)
    async def look_at_standing(self) -> None:
        """Ask the counter's own machine how it stands with the core."""
        session = self.session
        if session is None or not session.clinic.at_counter:
            return
        try:
            session.standing = await session.client.counters.standing()
        except (RefusedError, UnreachableError, ValidationError):
            return
        for screen in self.screen_stack:
            if isinstance(screen, LoketScreen):
                screen.show_standing()

    def _minute(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, LoketScreen):
                screen.minute_passed()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Do nothing: a browser would open on the server."""

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Do nothing: a record would land in the server's files."""

    def action_suspend_process(self) -> None:
        """Do nothing: it would stop all apps of the process."""


def _waits(account: AccountOut) -> bool:
    """Return whether something has to be given or chosen before anything is shown."""
    return account.needs_code or account.must_change_password


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
        session: The signed-in person's, from `tui.session.open_session`.
        client: Without a session: the client that the sign-in screen uses.
        username: Without a session: the first value of the name field.
        language: Without a session: one of `tui.text.translation.LANGUAGES`.
        note: Without a session: a text beside the fields of the sign-in screen, translated.

    Returns:
        The app.
    """
    return LoketApp(session, client=client, username=username, language=language, note=note)
