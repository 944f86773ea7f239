"""Places for event streams: bounded in all, for each source and for each account."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core.accounts import guessing
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import TooManyStreamsError
from core.foundation.networks import network_of
from server import connections

REMEMBERED_SECONDS = 10.0
REMEMBERED_SOURCES = 1_000


@dataclass(frozen=True)
class Listener:
    """One who wants to follow a stream.

    Attributes:
        source: Address.
        account: Id of the account; empty for the waiting room's page, which nobody signs in to.
        is_known: Whether somebody has signed in from that address lately.
        is_door: Whether it is an SSH door, which has one stream for all its screens.
    """

    source: str
    account: str = ""
    is_known: bool = False
    is_door: bool = False


class StreamPlaces:
    """The places of one server; one half of them is for known sources."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._total: Counter[bool] = Counter()
        self._of: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def take(self, listener: Listener) -> Iterator[None]:
        """Hold a place while a stream goes on.

        Raises:
            TooManyStreamsError: There is none.
        """
        source, account = ("source", network_of(listener.source)), ("account", listener.account)
        keys = ([] if listener.is_door else [source]) + ([account] if listener.account else [])
        if not self._has_place(listener, source, account):
            raise TooManyStreamsError
        self._total[listener.is_known] += 1
        self._of.update(keys)
        try:
            yield
        finally:
            self._total[listener.is_known] -= 1
            self._of.subtract(keys)
            self._of += Counter()  # drops what is zero

    def _has_place(self, listener: Listener, source: tuple[str, str], account: tuple[str, str]) -> bool:
        settings, is_known = self._settings, listener.is_known
        of_source = settings.http_streams_per_source if is_known else settings.http_streams_per_stranger
        if not listener.is_door and self._of[source] >= of_source:
            return False
        if listener.account and self._of[account] >= settings.http_streams_per_account:
            return False
        if not is_known:
            return self._total[False] < settings.http_streams // 2
        return self._total.total() < settings.http_streams


class RememberedSources:
    """Remembers who has signed in from an address lately, asked of the database once in a while for each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, bool]] = {}

    def remembered(self, address: str) -> bool | None:
        """Return what was found a few seconds ago; None when the database has to be asked."""
        told = self._known.get(network_of(address))
        return told[1] if told is not None and time.monotonic() - told[0] < REMEMBERED_SECONDS else None

    def is_known(self, address: str) -> bool:
        """Return whether somebody has signed in from it; a remembered answer is a few seconds old."""
        known = self.remembered(address)
        if known is not None:
            return known
        source, now = network_of(address), time.monotonic()
        with connection():
            known = guessing.has_signed_in(source)
        if len(self._known) >= REMEMBERED_SOURCES:
            self._known.clear()
        self._known[source] = (now, known)
        return known


class PlacedStream(StreamingResponse):
    """An event stream that holds a place while it goes on."""

    def __init__(self, events: AsyncIterable[str], places: StreamPlaces, listener: Listener) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._places = places
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer.

        Args:
            scope: Of the request.
            receive: Gives the messages of the reader.
            send: Takes those of the stream.

        Raises:
            TooManyStreamsError: There is no place.
        """
        try:
            with self._places.take(self._listener):
                await super().__call__(scope, receive, send)
        except TooManyStreamsError as error:
            await connections.answer_slowly(error)
            raise
