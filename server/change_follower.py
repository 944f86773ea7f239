"""Wakes the event streams of this process when something was committed, and keeps them alive between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import peewee
from anyio import to_thread
from fastapi import Request

from core.foundation import feed
from core.foundation.database import connection, is_superseded
from core.foundation.logs import describe_failure

POLL_SECONDS = 2.0  # on SQLite nothing tells of what another process wrote, such as a loket command

_log = logging.getLogger(__name__)


class ChangeFollower:
    """Counts what was committed, so that a stream knows whether it has missed something."""

    def __init__(self) -> None:
        self.generation = 0
        """Grows with each commit. A stream notes it before it reads, and waits for a later one."""
        self.is_closing = False
        """True from the shutdown on: streams end, so that the server need not wait for them."""
        self.readers = 0
        """Streams that go on now."""
        self._newest = 0
        self._looking: asyncio.Task[None] | None = None
        self._stops: list[Callable[[], None]] = []
        self._changed = asyncio.Event()

    def start(self, database_url: str) -> None:
        """Begin to listen, from the running event loop; to other servers on the same database too."""
        loop = asyncio.get_running_loop()

        def notify_from_any_thread() -> None:
            loop.call_soon_threadsafe(self.notify)

        self._stops = [feed.listen(notify_from_any_thread), feed.hear_other_servers(database_url)]
        self._looking = loop.create_task(self._look())

    async def _look(self) -> None:
        """Look now and then, for all streams together, whether another process has committed something."""
        while not self.is_closing:
            await asyncio.sleep(POLL_SECONDS)
            if not self.readers:
                continue
            try:
                newest = await to_thread.run_sync(_newest_sequence)
            except peewee.PeeweeException as error:
                _log.warning("the change feed cannot be read: %s", describe_failure(error))
                continue
            if newest != self._newest:
                self._newest = newest
                self.notify()

    def stop(self) -> None:
        """End every stream."""
        for stop in self._stops:
            stop()
        self.is_closing = True
        if self._looking is not None:
            self._looking.cancel()
        self.notify()

    def notify(self) -> None:
        """Wake every stream; called in the event loop."""
        self.generation += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self, after: int, seconds: float) -> None:
        """Return when the generation is later than `after`, or when the time is up.

        Returns at once when something was committed since `after` was noted: a commit while a stream reads
        would otherwise wake nobody.
        """
        if self.generation == after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)


def _newest_sequence() -> int:
    with connection():
        return feed.newest_sequence()


async def follow(
    follower: ChangeFollower,
    request: Request,
    read: Callable[[], Awaitable[str]],
    *,
    quiet_seconds: float,
    sign_of_life: str,
) -> AsyncIterator[str]:
    """Yield the events of one stream until the reader or the server goes.

    Args:
        follower: Says when to read again.
        request: Of the reader.
        read: Returns the events that the reader has not seen; empty when there are none. Also called when nothing
            was committed: it must not ask the database then.
        quiet_seconds: How long the stream may stay silent.
        sign_of_life: Event or comment sent after such a silence.
    """
    loop = asyncio.get_running_loop()
    last_sent = loop.time()
    follower.readers += 1
    try:
        while not (follower.is_closing or is_superseded()) and not await request.is_disconnected():
            seen = follower.generation
            events = await read()
            if not events and loop.time() - last_sent >= quiet_seconds:
                events = sign_of_life
            if events:
                last_sent = loop.time()
                yield events
                continue  # what was read may have been one page of many
            await follower.wait(seen, max(0.0, last_sent + quiet_seconds - loop.time()))
    finally:
        follower.readers -= 1
