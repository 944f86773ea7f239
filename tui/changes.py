"""One change feed for all apps of a process.

A door has many apps and one stream: what changed is read once, and each app is told by a message
of its own, so that nothing of one session runs in the context of another.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse
from pydantic import ValidationError
from textual.app import App
from textual.message import Message

from core.schemas.queues import ChangeShape, QueueShape
from tui.client import CoreClient, Refused, UnreachableError
from tui.messages import FeedState, QueueChanged, RecordChanged

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 40.0  # two and a half heartbeats: the line is dead
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 10.0
UNREAD_SECONDS = 2.0  # before a pane that could not be read is tried again
COALESCE_SECONDS = 0.25  # a busy cluster is read and painted four times a second at most


class ChangeStream:
    """Reads the feed for ever: resumes after the last sequence seen, reconnects with jitter."""

    def __init__(self, client: CoreClient, state: Callable[[bool], None]) -> None:
        self._client = client
        self._state = state
        self.sequence: int | None = None
        """The last sequence seen; None before the first answer."""

    async def changes(self) -> AsyncIterator[ChangeShape | None]:
        """Yield each change; None means that something may have been missed: read everything anew."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                async for change in self._connection():
                    pause = FIRST_RETRY_SECONDS
                    yield change
            except (httpx.TransportError, SSEError, ValidationError, UnreachableError) as error:
                logger.info("the change feed was lost: %s", type(error).__name__)
            self._state(False)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # spreads reconnects
            pause = min(LONGEST_RETRY_SECONDS, pause * 2)

    async def _connection(self) -> AsyncIterator[ChangeShape | None]:
        http, address, headers = self._client.stream_request()
        params = {} if self.sequence is None else {"after": str(self.sequence)}
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=5.0)
        async with aconnect_sse(
            http, "GET", address, headers=headers, params=params, timeout=timeout
        ) as source:
            if source.response.is_error:
                raise UnreachableError(f"the feed answered {source.response.status_code}")
            self._state(True)
            if self.sequence is None:
                yield None
            async for event in source.aiter_sse():
                if event.event == "reset":
                    self.sequence = int(json.loads(event.data)["sequence"])
                    yield None
                elif event.event == "change":
                    change = ChangeShape.model_validate_json(event.data)
                    self.sequence = change.sequence
                    yield change


class ChangeHub:
    """Tells the apps that show it what changed.

    Attributes:
        connected: Whether the feed arrives.
        queues: The panes as last read, by cluster; a screen that opens starts from them.
    """

    def __init__(self, client: CoreClient, *, panes: bool = True, always: bool = True) -> None:
        """Make a hub that does not listen yet.

        Args:
            client: Who asks.
            panes: False only says that something changed, for accounts that may not read queues.
            always: Whether it listens as soon as an app subscribes; otherwise only while an app follows,
                since a feed that nobody looks at costs a thin line more than the work itself.
        """
        self._client = client
        self._panes = panes
        self._always = always
        self._apps: set[App[Any]] = set()
        self._following: set[App[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self.connected = False
        self.queues: dict[str, QueueShape] = {}

    @property
    def started(self) -> bool:
        """Whether anybody follows the feed yet."""
        return self._task is not None

    def subscribe(self, app: App[Any]) -> None:
        """Tell this app of the feed's state from now on, and of changes while it follows."""
        self._apps.add(app)
        if self._always:
            self._listen()

    def follow(self, app: App[Any]) -> None:
        """An app shows what the feed tells of; the first one starts the stream."""
        self._following.add(app)
        self._listen()

    def _listen(self) -> None:
        if self._task is None or self._task.done():
            # A context of its own: the stream outlives the app that happened to start it.
            self._task = asyncio.get_running_loop().create_task(self._follow(), context=contextvars.Context())

    def rest(self, app: App[Any]) -> None:
        """An app shows nothing of it any more; the last one ends the stream, unless all are always told."""
        self._following.discard(app)
        self._listen_on()

    def unsubscribe(self, app: App[Any]) -> None:
        """Stop telling an app."""
        self._apps.discard(app)
        self.rest(app)

    def _listen_on(self) -> None:
        """End the stream when nobody is left for whom it is read."""
        if self._task is not None and not (self._apps if self._always else self._following):
            self._task.cancel()
            self._task = None
            for read in self._reads.values():
                read.cancel()
            self._reads.clear()
            self.queues.clear()
            self.connected = False

    def _tell(self, make: Callable[[], Message], apps: set[App[Any]]) -> None:
        # A message belongs to one app: each gets its own, and its own message pump takes it from there.
        for app in tuple(apps):
            if app.is_running:
                app.post_message(make())

    def _set_state(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._tell(lambda: FeedState(connected), self._apps)

    async def _follow(self) -> None:
        stream = ChangeStream(self._client, self._set_state)
        async for change in stream.changes():
            if change is None or change.kind == "day_closed":
                await self._read_everything()
            elif change.cluster is not None and change.kind == "entry":
                self._changed(change.cluster)
            else:
                self._tell(partial(RecordChanged, change.kind), self._following)

    async def _read_everything(self) -> None:
        """Read every pane anew; until that is possible they are old, whatever the stream says."""
        while True:
            try:
                codes = [cluster.code for cluster in await self._client.clusters()]
                break
            except Refused as refusal:
                logger.info("the clusters could not be read: %s", refusal.code)
                return
            except UnreachableError as error:
                logger.info("the clusters could not be read: %s", error)
                self._set_state(False)
                await asyncio.sleep(UNREAD_SECONDS)
        self._set_state(True)
        for code in codes:
            self._changed(code)

    def _changed(self, cluster: str) -> None:
        if cluster in self._reads:
            self._again.add(cluster)
            return
        self._reads[cluster] = asyncio.get_running_loop().create_task(self._read(cluster))

    async def _read(self, cluster: str) -> None:
        """Read one pane and tell; what changes meanwhile is read once more after a pause."""
        try:
            while True:
                self._again.discard(cluster)
                await self._read_once(cluster)
                await asyncio.sleep(COALESCE_SECONDS)
                if cluster not in self._again:
                    return
        finally:
            self._reads.pop(cluster, None)

    async def _read_once(self, cluster: str) -> None:
        if not self._panes:
            self._tell(lambda: RecordChanged("entry"), self._following)
            return
        try:
            queue = await self._client.queue(cluster)
        except (Refused, UnreachableError) as error:
            logger.info("a pane could not be read: %s", type(error).__name__)
            if isinstance(error, UnreachableError):
                self._again.add(cluster)
                await asyncio.sleep(UNREAD_SECONDS)
            return
        self.queues[cluster] = queue
        self._tell(lambda: QueueChanged(queue), self._following)
