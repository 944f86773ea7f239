"""One change feed for all apps of a process.

A door has many apps and one stream: each change is read once and posted to every app as a message of its own, so
that nothing of one session runs in the context of another.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse
from pydantic import ValidationError
from textual.app import App
from textual.message import Message

from core.foundation.backoff import Backoff
from core.foundation.errors import NotSignedInError
from core.schemas.queues import ChangeOut, QueueOut
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.messages import FeedMissing, FeedState, QueueChanged, RecordChanged, SignInEnded

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 40.0  # two and a half heartbeats: the line is dead
RECONNECTIONS = Backoff(first=0.5, longest=10.0, jitter=(0.5, 1.5))
UNREAD_SECONDS = 2.0  # before a pane that could not be read is tried again
DOOR_SILENCE_SECONDS = 5.0  # at a door, whose core beats every two seconds
DOOR_HEARTBEAT_SECONDS = 2
MISSING_SECONDS = (
    10.0  # without the feed, after which a door locks: it would not hear of the end of a sign-in
)
REMEMBERED_ENDS = 1000  # sign-ins that have ended, for apps that subscribe a moment later
ENDED = "account_ended"
WHOLE_DAY = frozenset({"day_closed", "day_closing"})
"""Kinds of change that concern every pane."""
COALESCE_SECONDS = 0.25  # a busy cluster is read and painted four times a second at most


class SignInEndedError(Exception):
    """The core refuses the token with which the feed is read."""


class ChangeStream:
    """Reads the feed without end: resumes after the last sequence seen, reconnects with jitter."""

    def __init__(
        self,
        client: CoreClient,
        state: Callable[[bool, float], None],
        *,
        is_door: bool = False,
        is_quiet: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make a stream that reads nothing yet.

        Args:
            client: The client that reads the feed.
            state: Told whether changes arrive, and after how many seconds of silence they were missed.
            is_door: Whether silence must be noticed within seconds.
            is_quiet: Says at each connection whether nothing is wanted but the end of the sign-in.
        """
        self._client = client
        self._state = state
        self._is_door = is_door
        self._is_quiet = is_quiet
        self.sequence: int | None = None
        """The last sequence seen; None before the first answer."""

    async def changes(self) -> AsyncIterator[ChangeOut | None]:
        """Yield each change; None means that changes may have been missed and everything must be read again.

        Raises:
            SignInEndedError: The core refuses the token.
        """
        failures = 0
        while True:
            silence = 0.0
            try:
                async for change in self._connection():
                    failures = 0
                    yield change
            except httpx.ReadTimeout:
                silence = self._silence_seconds
                logger.info("the change feed is silent")
            except (httpx.TransportError, SSEError, ValidationError, UnreachableError) as error:
                logger.info("the change feed was lost: %s", type(error).__name__)
            self._state(False, silence)
            failures += 1
            await asyncio.sleep(RECONNECTIONS.seconds(failures))

    @property
    def _silence_seconds(self) -> float:
        return DOOR_SILENCE_SECONDS if self._is_door else SILENCE_SECONDS

    async def _connection(self) -> AsyncIterator[ChangeOut | None]:
        http, address, headers = self._client.stream_request()
        params = {} if self.sequence is None else {"after": str(self.sequence)}
        if self._is_door:
            params["heartbeat"] = str(DOOR_HEARTBEAT_SECONDS)
        if self._is_quiet():
            params["quiet"] = "true"
        timeout = httpx.Timeout(self._silence_seconds, connect=5.0)
        async with aconnect_sse(
            http, "GET", address, headers=headers, params=params, timeout=timeout
        ) as source:
            if source.response.status_code == httpx.codes.UNAUTHORIZED:
                raise SignInEndedError
            if source.response.is_error:
                raise UnreachableError(f"the feed answered {source.response.status_code}")
            self._state(True, 0.0)
            if self.sequence is None:
                yield None
            async for event in source.aiter_sse():
                if event.event == "reset":
                    self.sequence = int(json.loads(event.data)["sequence"])
                    yield None
                elif event.event == "change":
                    change = ChangeOut.model_validate_json(event.data)
                    self.sequence = change.sequence
                    yield change


@dataclass(frozen=True)
class Seat:
    """An app or a dialogue of one sign-in.

    Attributes:
        client: Holds the name of the sign-in, which changes when the same person signs in again.
        end: Called with the reason when the sign-in has ended.
        feed_missing: Called when its end may have been missed.
    """

    client: CoreClient
    end: Callable[[str], object]
    feed_missing: Callable[[], object]


class ChangeHub:
    """Tells apps of changes.

    Attributes:
        connected: Whether the feed arrives.
        queues: The panes as last read, by cluster; a screen that opens starts from them.
    """

    def __init__(
        self, client: CoreClient, *, panes: bool = True, always: bool = True, is_door: bool = False
    ) -> None:
        """Make a hub that does not listen yet.

        Args:
            client: The client that reads the feed.
            panes: False only says that something changed, for accounts that may not read queues.
            always: Whether it listens as soon as an app subscribes; otherwise only while an app follows,
                since on a thin line the feed costs more bytes than the work itself. Then only the end of the
                sign-in is listened for.
            is_door: Whether the apps are many people's, each with a sign-in of its own.
        """
        self._client = client
        self._panes = panes
        self._always = always
        self._is_door = is_door
        self._seats: dict[Hashable, Seat] = {}
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._missing: asyncio.TimerHandle | None = None
        self._apps: set[App[Any]] = set()
        self._following: set[App[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._reads: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._rereading: asyncio.Task[None] | None = None
        self._told: int | None = None
        self._told_more = asyncio.Event()
        self._stream_arrives = False
        self._panes_missed = False
        self.connected = False
        self.queues: dict[str, QueueOut] = {}

    @property
    def started(self) -> bool:
        """True while the feed is being read, and not just listened to for the end of the sign-in."""
        return self._task is not None and not self._is_quiet()

    def subscribe(self, app: App[Any], client: CoreClient | None = None) -> None:
        """Tell this app of the feed's state from now on, of the end of its sign-in, and of changes while it follows.

        Args:
            app: The app.
            client: Holds the name of its sign-in, which may change; None: that of the hub.
        """
        self._apps.add(app)

        def end(why: str) -> None:
            self._apps.discard(app)
            self._following.discard(app)
            app.post_message(SignInEnded(why))

        self.watch(app, Seat(client or self._client, end, lambda: app.post_message(FeedMissing())))

    def watch(self, key: Hashable, seat: Seat) -> None:
        """Tell a seat of the end of its sign-in from now on; one that has ended already at once."""
        self._seats[key] = seat
        self._listen()
        why = self._ended.get(seat.client.session_id)
        if why is not None:
            self._end(key, why)

    def unwatch(self, key: Hashable) -> None:
        """Stop telling a seat."""
        self._seats.pop(key, None)
        self._listen_on()

    def _end(self, key: Hashable, why: str) -> None:
        seat = self._seats.pop(key, None)
        if seat is not None:
            seat.end(why)

    def _end_sessions(self, sessions: Sequence[str], why: str) -> None:
        """Tell the seats of sign-ins that have ended, before anything that happened afterwards is read."""
        self._ended.update(dict.fromkeys(sessions, why))
        while len(self._ended) > REMEMBERED_ENDS:
            self._ended.popitem(last=False)
        for key, seat in tuple(self._seats.items()):
            if seat.client.session_id in self._ended:
                self._end(key, why)

    def follow(self, app: App[Any]) -> None:
        """Tell an app of changes from now on; the first one starts the stream."""
        if app not in self._apps and self._is_door:
            return  # its sign-in has ended
        was_quiet = self._is_quiet()
        self._following.add(app)
        if was_quiet:
            self._stop()
        self._listen()

    def _is_quiet(self) -> bool:
        return not self._always and not self._following

    def _listen(self) -> None:
        if self._task is None or self._task.done():
            # A context of its own: the stream outlives the app that happened to start it.
            self._task = asyncio.get_running_loop().create_task(self._follow(), context=contextvars.Context())

    def opened(self, known: set[str], panes: set[str]) -> None:
        """Note which panes are on a person's screen now; one that was not is read again in their name.

        Args:
            known: The panes noted before; it is changed.
            panes: The panes now.
        """
        new = panes - known
        known.clear()
        known.update(panes)
        if self._panes and self.connected:
            for cluster in new:
                self._changed(cluster)

    def rest(self, app: App[Any]) -> None:
        """Stop telling an app of changes; after the last one only the end of the sign-in is listened for."""
        was_quiet = self._is_quiet()
        self._following.discard(app)
        if self._is_quiet() and not was_quiet:
            self._stop()
            self.queues.clear()
            if self._seats:
                self._listen()
        self._listen_on()

    def unsubscribe(self, app: App[Any]) -> None:
        """Stop telling an app."""
        self._apps.discard(app)
        self._seats.pop(app, None)
        self.rest(app)

    def _listen_on(self) -> None:
        """End the stream when no app needs it."""
        if not (self._seats or self._apps or self._following):
            self._stop()
            self.queues.clear()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for read in self._reads.values():
            read.cancel()
        self._reads.clear()
        if self._rereading is not None:
            self._rereading.cancel()
            self._rereading = None
        self._await_feed()
        self._stream_arrives = self._panes_missed = False
        self._told = None
        self.connected = False

    def _tell(self, make: Callable[[], Message], apps: set[App[Any]]) -> None:
        # A message belongs to one app: each gets its own, and its own message pump takes it from there.
        for app in tuple(apps):
            if app.is_running:
                app.post_message(make())

    def _set_state(self) -> None:
        connected = self._stream_arrives and not self._panes_missed
        if connected != self.connected:
            self.connected = connected
            self._tell(lambda: FeedState(connected), self._apps)

    def _stream_state(self, connected: bool, silence: float) -> None:
        """Take note that the stream came or went, after so many seconds of silence."""
        self._stream_arrives = connected
        if not self._is_quiet():
            self._set_state()
        if connected:
            self._await_feed()
        elif self._is_door and self._missing is None:
            loop = asyncio.get_running_loop()
            self._missing = loop.call_later(MISSING_SECONDS - silence, self._tell_missing)

    def _await_feed(self) -> None:
        if self._missing is not None:
            self._missing.cancel()
            self._missing = None

    def _tell_missing(self) -> None:
        for seat in tuple(self._seats.values()):
            seat.feed_missing()

    async def _follow(self) -> None:
        stream = ChangeStream(
            self._client, self._stream_state, is_door=self._is_door, is_quiet=self._is_quiet
        )
        while True:
            try:
                await self._read_stream(stream)
            except SignInEndedError:
                logger.info("the core refuses the feed's token")
            self._stream_state(False, MISSING_SECONDS)
            if not self._is_door:
                for key in tuple(self._seats):
                    self._end(key, "")
                return
            await asyncio.sleep(RECONNECTIONS.longest)  # a door's own credential: it may be renewed

    async def _read_stream(self, stream: ChangeStream) -> None:
        async for change in stream.changes():
            if change is not None and change.kind == ENDED:
                self._end_sessions(change.data.get("sessions", []), change.data.get("why", ""))
            elif not self._is_quiet():
                self._take(change)
            self._told = stream.sequence
            told_more, self._told_more = self._told_more, asyncio.Event()
            told_more.set()

    def _take(self, change: ChangeOut | None) -> None:
        if change is None or change.kind in WHOLE_DAY:
            self._reread(is_gap=change is None)
        elif change.cluster is not None and change.kind == "entry":
            self._changed(change.cluster)
        else:
            self._tell(partial(RecordChanged, change.kind), self._following)

    def _reread(self, *, is_gap: bool) -> None:
        """Read every pane again, beside the stream: whoever waits for an answer must still hear that the feed fell silent.

        Args:
            is_gap: Whether changes were missed; what is being read now may wait for one of them.
        """
        if self._rereading is not None:
            self._rereading.cancel()
        if is_gap:
            self.queues.clear()  # of a core that was restored, the later reading has the lower number
            for read in self._reads.values():
                read.cancel()
        self._rereading = asyncio.get_running_loop().create_task(self._read_all(is_gap=is_gap))

    async def _read_all(self, *, is_gap: bool) -> None:
        if is_gap and self._is_door:
            await self._end_missed()
        await self._read_everything()

    async def _end_missed(self) -> None:
        """Ask the core about each seat's sign-in: its end may lie in the gap, and panes are read by the door's own."""
        for key, seat in tuple(self._seats.items()):
            try:
                await seat.client.accounts.me()
            except RefusedError as refusal:
                if refusal.code == NotSignedInError.code:
                    self._end(key, "")
            except UnreachableError as error:
                logger.info("a sign-in could not be checked: %s", error)

    async def _read_everything(self) -> None:
        """Read every pane again; until that succeeds they count as old, even while the stream arrives."""
        while True:
            try:
                codes = [cluster.code for cluster in await self._client.queues.clusters()]
                break
            except RefusedError as refusal:
                logger.info("the clusters could not be read: %s", refusal.code)
                return
            except UnreachableError as error:
                logger.info("the clusters could not be read: %s", error)
                self._panes_missed = True
                self._set_state()
                await asyncio.sleep(UNREAD_SECONDS)
        self._panes_missed = False
        self._set_state()
        for code in codes:
            self._changed(code)

    def _changed(self, cluster: str) -> None:
        if cluster in self._reads:
            self._again.add(cluster)
            return
        self._reads[cluster] = asyncio.get_running_loop().create_task(self._read(cluster))

    async def _read(self, cluster: str) -> None:
        """Read one pane and post it; if it changed meanwhile, read it once more after a pause."""
        try:
            while True:
                self._again.discard(cluster)
                await self._read_once(cluster)
                await asyncio.sleep(COALESCE_SECONDS)
                if cluster not in self._again:
                    return
        finally:
            self._reads.pop(cluster, None)

    def _seen_by(self, cluster: str) -> list[str]:
        """Return the accounts on whose screens a cluster's pane is: the core writes whom they are shown."""
        sessions = [getattr(app, "session", None) for app in self._following]
        return sorted({one.account.id for one in sessions if one is not None and cluster in one.panes})

    async def _read_once(self, cluster: str) -> None:
        if not self._panes:
            self._tell(lambda: RecordChanged("entry"), self._following)
            return
        try:
            queue = await self._client.queues.get(cluster, self._seen_by(cluster))
        except (RefusedError, UnreachableError) as error:
            logger.info("a pane could not be read: %s", type(error).__name__)
            if isinstance(error, UnreachableError):
                self._again.add(cluster)
                await asyncio.sleep(UNREAD_SECONDS)
            return
        if self._is_door and not await self._has_told(queue.sequence):
            self._again.add(cluster)
            return
        known = self.queues.get(cluster)
        if known is not None and queue.sequence < known.sequence:
            return  # a person's own action has been read since: the older pane would take it back on the screen
        self.queues[cluster] = queue
        self._tell(lambda: QueueChanged(queue), self._following)

    async def _has_told(self, sequence: int) -> bool:
        """Wait until the stream has told what a pane shows already: the end of a sign-in goes before what followed it.

        Returns:
            False if it did not come in time.
        """
        until = asyncio.get_running_loop().time() + MISSING_SECONDS
        while self._told is not None and self._told < sequence:
            try:
                async with asyncio.timeout_at(until):
                    await self._told_more.wait()
            except TimeoutError:
                return False
        return True
