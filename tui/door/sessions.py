"""Sessions: apps with their terminals, kept when the line drops and attached again by the same account."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from textual.app import App

from core.foundation.logs import describe_failure
from tui.door.contracts import AppFactory, DoorOptions, DoorTexts, PersonSession
from tui.door.memory import Collector
from tui.terminal.capabilities import Capabilities
from tui.terminal.driver import Sink, Terminal, end
from tui.terminal.events import SIGN_IN_ENDED, ConnectionInfo, Resumed
from tui.terminal.textual_internals import contain_failures, failure_of

logger = logging.getLogger(__name__)

FIRST_PAINT_SECONDS = 10.0  # longest wait for a starting app before the next may start
CLOSING_SECONDS = 5.0  # time an app has to end when the door closes


class ClientLine(Protocol):
    """One connection, as a session sees it."""

    @property
    def sink(self) -> Sink:
        """Target of the output."""

    @property
    def is_gone(self) -> bool:
        """True once the connection has ended."""

    def finish(self, text: str, status: int) -> None:
        """Show a last sentence, if any, and hang up; does nothing on a connection that is gone."""

    async def is_alive(self, seconds: float) -> bool:
        """Return whether the client answers within so many seconds."""


@dataclass(frozen=True, slots=True)
class AttachRequest:
    """A signed-in person on a new connection, who is to get a session.

    Attributes:
        link: The connection.
        session: The person's sign-in.
        capabilities: Capabilities of the person's terminal.
        size: Its columns and rows.
        connection: Further facts about the connection.
        is_known: Whether somebody had signed in lately from where it comes from.
    """

    link: ClientLine
    session: PersonSession
    capabilities: Capabilities
    size: tuple[int, int]
    connection: ConnectionInfo
    is_known: bool = True


class TooManySessionsError(Exception):
    """The door holds as many sessions as it may, and all of them are attached."""


class AccountFullError(TooManySessionsError):
    """The account has as many sessions as it may, and all of them are attached."""


@dataclass(frozen=True, eq=False)
class DialogueSeat:
    """The seat of a dialogue of lines; a terminal session is a seat of its own.

    Attributes:
        identity: The account.
        is_known: Whether somebody had signed in lately from where the person came from.
    """

    identity: str
    is_known: bool


class TerminalSession:
    """An app and its terminal, attached to a connection or detached.

    Attributes:
        identity: The account that the session belongs to.
        app: The app.
        terminal: The terminal that shows it.
        is_known: Whether somebody had signed in lately from where the person came from.
        texts: The door's sentences in the person's language.
        link: The connection, None while detached.
        detached_at: Time on the loop's clock at which the last connection went, in seconds.
        task: The task that runs the app.
        reaper: Timer that ends a detached session.
    """

    def __init__(self, request: AttachRequest, app: App[Any], terminal: Terminal, texts: DoorTexts) -> None:
        self.identity = request.session.identity
        self.is_known = request.is_known
        self.app = app
        self.terminal = terminal
        self.texts = texts
        self.link: ClientLine | None = None
        self.detached_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self.reaper: asyncio.TimerHandle | None = None

    @property
    def is_detached(self) -> bool:
        """True while no connection shows the app."""
        return self.link is None

    def is_free(self, link: ClientLine | None, *, lives: bool) -> bool:
        """Return whether the session is detached, or still attached to a `link` that is dead."""
        return self.is_detached or (self.link is link and not lives)

    def attach(self, request: AttachRequest) -> None:
        """Show the app on a connection."""
        if self.reaper is not None:
            self.reaper.cancel()
            self.reaper = None
        self.link = request.link
        self.terminal.attach(request.link.sink, request.capabilities, request.size)


class SessionRegistry:
    """All sessions of one door process, attached and detached."""

    def __init__(self, options: DoorOptions, resume_seconds: float, idle_seconds: float | None) -> None:
        """Make an empty registry.

        Args:
            options: Limits of the door.
            resume_seconds: Time for which a detached session is kept; 0 ends it at once.
            idle_seconds: Time without a key after which an app is told to lock itself; None: never.
        """
        self._options = options
        self._resume_seconds = resume_seconds
        self._idle_seconds = idle_seconds
        self._sessions: list[TerminalSession] = []
        self._dialogues: list[DialogueSeat] = []
        self._starting = asyncio.Semaphore(options.starts_at_once)
        self._collector = Collector(self._idle_for)

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[TerminalSession]:
        return iter(list(self._sessions))

    @property
    def detached(self) -> list[TerminalSession]:
        """Sessions without a connection, the one detached first in front."""
        found = [session for session in self._sessions if session.is_detached]
        return sorted(found, key=lambda session: session.detached_at)

    def begin(self) -> None:
        """Prepare the garbage collector; called once, when the door opens."""
        self._collector.begin()

    async def close(self) -> None:
        """End every app; those that are not done after `CLOSING_SECONDS` are cancelled."""
        tasks = [session.task for session in self._sessions if session.task is not None]
        for session in self:
            if not session.is_detached:
                closing = session.texts.closing
                session.texts = DoorTexts(failed=closing, closing=closing)
            end(session.app)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._collector.end()

    async def find(self, identity: str) -> TerminalSession | None:
        """Return the session that an account may attach to again.

        That is the detached session left last; otherwise a session whose connection turns out to be dead when
        asked. Sessions on living connections are left alone: two connections have two apps.
        """
        detached = [session for session in self.detached if session.identity == identity]
        if detached:
            return detached[-1]
        own = [session for session in self._sessions if session.identity == identity]
        links = [session.link for session in own]
        alive = await asyncio.gather(*map(self._is_alive, links))
        for session, link, lives in zip(own, links, alive, strict=True):
            # The session may have ended, or been attached to yet another connection, while its own was asked.
            if session in self._sessions and session.is_free(link, lives=lives):
                return session
        return None

    async def _is_alive(self, link: ClientLine | None) -> bool:
        return link is not None and await link.is_alive(self._options.probe_seconds)

    def reattach(self, session: TerminalSession, request: AttachRequest) -> None:
        """Attach an account's session to a new connection; an older connection is told and closed."""
        older = session.link
        if older is not None:
            session.terminal.detach()
            older.finish(session.texts.moved, 0)
        session.attach(request)
        session.app.post_message(Resumed(request.session, request.capabilities, request.connection))

    async def start(
        self,
        request: AttachRequest,
        make_app: AppFactory,
        texts: DoorTexts,
        attached: Callable[[TerminalSession], None],
    ) -> None:
        """Start an app for a person and wait for its first screen; starts queue in the order of arrival.

        Args:
            request: The person and the connection.
            make_app: Makes the person's app.
            texts: Sentences in the person's language.
            attached: Called with the session as soon as it exists, before the app runs.

        Raises:
            TooManySessionsError: The door is full; the connection is the caller's to close.
        """
        async with self._starting:
            if request.link.is_gone:
                return
            self._make_room(request.session.identity, is_known=request.is_known)
            terminal = Terminal(request.capabilities, request.size, idle_seconds=self._idle_seconds)
            # An app finds itself by context variables: each gets a context of its own.
            context = contextvars.Context()
            app = context.run(make_app, request.session, request.capabilities, request.connection)
            app.driver_class = terminal.driver_class()
            contain_failures(app, lambda error: logger.error("an app failed: %s", describe_failure(error)))
            session = TerminalSession(request, app, terminal, texts)
            self._sessions.append(session)
            session.attach(request)
            attached(session)
            session.task = asyncio.get_running_loop().create_task(self._run(session), context=context)
            try:
                async with asyncio.timeout(FIRST_PAINT_SECONDS):
                    await terminal.painted.wait()
            except TimeoutError:
                logger.warning("an app took more than %s s to paint", FIRST_PAINT_SECONDS)
            self._collector.session_began()

    def detach(self, session: TerminalSession, link: ClientLine) -> None:
        """Detach a session whose connection is gone; the app goes on for `resume_seconds`."""
        if session.link is not link:
            return  # the session is attached to another connection by now
        session.link = None
        session.terminal.detach()
        loop = asyncio.get_running_loop()
        session.detached_at = loop.time()
        if self._resume_seconds <= 0:
            end(session.app)
            return
        session.reaper = loop.call_later(self._resume_seconds, end, session.app)
        for extra in self.detached[: -self._options.most_detached or None]:
            end(extra.app)

    @contextmanager
    def dialogue(self, identity: str, *, is_known: bool) -> Iterator[None]:
        """Hold a seat for a dialogue of lines.

        Args:
            identity: The account.
            is_known: Whether somebody had signed in lately from where the person came from.

        Raises:
            TooManySessionsError: There is none.
        """
        self._make_room(identity, is_known=is_known)
        seat = DialogueSeat(identity, is_known)
        self._dialogues.append(seat)
        try:
            yield
        finally:
            self._dialogues.remove(seat)

    def _make_room(self, identity: str, *, is_known: bool) -> None:
        """See that there is a seat, if need be that of the person who was cut off first."""
        options = self._options
        own = [seat for seat in self._seats() if seat.identity == identity]
        self._free(own, options.sessions_per_account, AccountFullError)
        if not is_known:
            strangers = [seat for seat in self._seats() if not seat.is_known]
            self._free(strangers, max(1, options.most_sessions // 2), TooManySessionsError)
        self._free(self._seats(), options.most_sessions, TooManySessionsError)

    def _seats(self) -> list[DialogueSeat | TerminalSession]:
        return [*self._sessions, *self._dialogues]

    def _free(
        self, seats: list[DialogueSeat | TerminalSession], most: int, error: type[TooManySessionsError]
    ) -> None:
        if len(seats) < most:
            return
        oldest = next((session for session in self.detached if session in seats), None)
        if oldest is None:
            raise error
        self._sessions.remove(oldest)
        end(oldest.app)

    async def _run(self, session: TerminalSession) -> None:
        error: BaseException | None = None
        try:
            await session.app.run_async(mouse=False)
            error = failure_of(session.app)
        except Exception as raised:
            # `run_async` contains the app's own exceptions; this catches those of Textual itself, so that
            # no session takes the others down.
            error = raised
            logger.error("an app failed to run: %s", describe_failure(raised))
        finally:
            self._forget(session, failed=error is not None)

    def _forget(self, session: TerminalSession, *, failed: bool) -> None:
        if not session.terminal.is_finished:
            session.terminal.finish()
        if session in self._sessions:
            self._sessions.remove(session)
        if session.reaper is not None:
            session.reaper.cancel()
        link, session.link = session.link, None
        if link is not None:
            link.finish(*_farewell(session, failed=failed))
        self._collector.session_ended()

    def _idle_for(self) -> float:
        return min((session.terminal.idle_for_seconds for session in self._sessions), default=float("inf"))


def _farewell(session: TerminalSession, *, failed: bool) -> tuple[str, int]:
    """Return the last sentence to a person, and the exit status for the client."""
    if failed:
        return session.texts.failed, 1
    if session.app.return_code == SIGN_IN_ENDED:
        return session.texts.ended, 1
    return "", 0
