"""Seats: apps with the terminals before them, kept when the line drops and given back to the same account."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from textual.app import App

from tui.door.contracts import AppFactory, ConnectionInfo, DoorOptions, DoorTexts, PersonSession, Resumed
from tui.door.memory import Collector
from tui.terminal.capabilities import Capabilities
from tui.terminal.driver import Sink, Terminal, end
from tui.terminal.failures import describe_failure
from tui.terminal.textual_internals import contain_failures, failure_of

logger = logging.getLogger(__name__)

FIRST_PAINT_SECONDS = 10.0  # longest wait for a starting app before the next may start
CLOSING_SECONDS = 5.0  # time an app has to end when the door is shut


class Link(Protocol):
    """One connection, as a seat sees it."""

    @property
    def sink(self) -> Sink:
        """Where output goes."""

    @property
    def is_gone(self) -> bool:
        """Whether the connection has ended."""

    def finish(self, text: str, status: int) -> None:
        """Show a last sentence, if any, and hang up; a connection that is gone is left alone."""

    async def is_alive(self, seconds: float) -> bool:
        """Find out whether somebody is still at the other end."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who has signed in and wants a seat.

    Attributes:
        link: Their connection.
        session: Who they are.
        capabilities: What their terminal can do.
        size: Its columns and rows.
        connection: What else is known.
    """

    link: Link
    session: PersonSession
    capabilities: Capabilities
    size: tuple[int, int]
    connection: ConnectionInfo


class NoSeatError(Exception):
    """Every seat is taken by somebody connected."""


class Seat:
    """An app and its terminal.

    Attributes:
        identity: The account that sits here.
        terminal: What the app is shown on.
        link: The connection now, or None.
    """

    def __init__(self, identity: str, app: App[Any], terminal: Terminal, texts: DoorTexts) -> None:
        self.identity = identity
        self.terminal = terminal
        self.link: Link | None = None
        self.left_at = 0.0
        self.texts = texts
        self.app = app
        self.task: asyncio.Task[None] | None = None
        self.reaper: asyncio.TimerHandle | None = None

    def attach(self, arrival: Arrival) -> None:
        """Seat somebody here."""
        if self.reaper is not None:
            self.reaper.cancel()
            self.reaper = None
        self.link = arrival.link
        self.terminal.attach(arrival.link.sink, arrival.capabilities, arrival.size)


class Seats:
    """All seats of one door process."""

    def __init__(self, options: DoorOptions, resume_seconds: float, idle_seconds: float | None) -> None:
        self._options = options
        self._resume_seconds = resume_seconds
        self._idle_seconds = idle_seconds
        self._seats: list[Seat] = []
        self._starting = asyncio.Semaphore(options.starts_at_once)
        self._collector = Collector(self._idle_for)

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def detached(self) -> list[Seat]:
        """Seats without a connection, the one left first in front."""
        return sorted((seat for seat in self._seats if seat.link is None), key=lambda seat: seat.left_at)

    def begin(self) -> None:
        """Get ready."""
        self._collector.begin()

    async def close(self) -> None:
        """End every app, giving each a moment to end well."""
        tasks = [seat.task for seat in self._seats if seat.task is not None]
        for seat in list(self._seats):
            if seat.link is not None:
                seat.texts = DoorTexts(failed=seat.texts.closing, closing=seat.texts.closing)
            end(seat.app)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._collector.end()

    async def find(self, identity: str) -> Seat | None:
        """Find the seat an account may come back to.

        A seat without a connection, the one left last; else one whose connection turns out to be dead when
        asked. Seats that somebody really sits on are left alone: two connections have two apps.
        """
        own = [seat for seat in self._seats if seat.identity == identity]
        left = [seat for seat in own if seat.link is None]
        if left:
            return max(left, key=lambda seat: seat.left_at)
        links = [seat.link for seat in own]
        seconds = self._options.probe_seconds
        alive = await asyncio.gather(*(link.is_alive(seconds) for link in links if link is not None))
        for seat, link, lives in zip(own, links, alive, strict=True):
            if seat not in self._seats or (seat.link is not link and seat.link is not None):
                continue  # ended, or taken by another connection while it was asked
            if seat.link is None or not lives:
                return seat
        return None

    def resume(self, seat: Seat, arrival: Arrival) -> None:
        """Give a seat back to its account on a new connection; an older one is told and closed."""
        older = seat.link
        if older is not None:
            seat.terminal.detach()
            older.finish(seat.texts.moved, 0)
        seat.attach(arrival)
        seat.app.post_message(Resumed(arrival.session, arrival.capabilities, arrival.connection))

    async def open(
        self, arrival: Arrival, make_app: AppFactory, texts: DoorTexts, seated: Callable[[Seat], None]
    ) -> None:
        """Start an app for somebody and wait for its first screen; starts queue in the order they came.

        Args:
            arrival: Who comes, and from where.
            make_app: Makes their app.
            texts: Sentences in their language.
            seated: Called with the seat as soon as there is one, before the app runs.

        Raises:
            NoSeatError: Every seat is taken; the connection is the caller's to close.
        """
        async with self._starting:
            if arrival.link.is_gone:
                return
            self._make_room()
            terminal = Terminal(arrival.capabilities, arrival.size, idle_seconds=self._idle_seconds)
            # An app finds itself by context variables: each gets a context of its own.
            context = contextvars.Context()
            app = context.run(make_app, arrival.session, arrival.capabilities, arrival.connection)
            app.driver_class = terminal.driver_class()
            contain_failures(app, lambda error: logger.error("an app failed: %s", describe_failure(error)))
            seat = Seat(arrival.session.identity, app, terminal, texts)
            self._seats.append(seat)
            seat.attach(arrival)
            seated(seat)
            seat.task = asyncio.get_running_loop().create_task(self._run(seat), context=context)
            try:
                async with asyncio.timeout(FIRST_PAINT_SECONDS):
                    await terminal.painted.wait()
            except TimeoutError:
                logger.warning("an app took more than %s s to paint", FIRST_PAINT_SECONDS)
            self._collector.session_began()

    def leave(self, seat: Seat, link: Link) -> None:
        """Take note that a connection is gone; the app stays for a while."""
        if seat.link is not link:
            return  # somebody else sits here by now
        seat.link = None
        seat.terminal.detach()
        loop = asyncio.get_running_loop()
        seat.left_at = loop.time()
        if self._resume_seconds <= 0:
            end(seat.app)
            return
        seat.reaper = loop.call_later(self._resume_seconds, end, seat.app)
        for extra in self.detached[: -self._options.most_detached or None]:
            end(extra.app)

    def _make_room(self) -> None:
        if len(self._seats) < self._options.most_sessions:
            return
        left = self.detached
        if not left:
            raise NoSeatError
        oldest = left[0]
        self._seats.remove(oldest)
        end(oldest.app)

    async def _run(self, seat: Seat) -> None:
        error: BaseException | None = None
        try:
            await seat.app.run_async(mouse=False)
            error = failure_of(seat.app)
        except Exception as raised:
            # `run_async` contains what the app raises; this is the door's last net for all the others.
            error = raised
            logger.error("an app failed to run: %s", describe_failure(raised))
        finally:
            if not seat.terminal.is_finished:
                seat.terminal.finish()
            if seat in self._seats:
                self._seats.remove(seat)
            if seat.reaper is not None:
                seat.reaper.cancel()
            link, seat.link = seat.link, None
            if link is not None:
                link.finish(seat.texts.failed if error is not None else "", 1 if error is not None else 0)
            self._collector.session_ended()

    def _idle_for(self) -> float:
        return min((seat.terminal.idle_for_seconds for seat in self._seats), default=float("inf"))
