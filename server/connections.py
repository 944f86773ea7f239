"""Bounds on HTTP connections: the size and time of a request's head and body, silence, and how many there are.

Uvicorn bounds none of these but silence between requests. A head that never ends keeps its connection for ever, and
enough of them keep everybody else out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.foundation.config import Settings
from core.foundation.errors import CoreError, TooManyAttemptsError, TooManyStreamsError
from core.foundation.networks import network_of

SLOW_ANSWER_SECONDS = 1.0  # before a wrong password is said to be one
TURNED_AWAY_SECONDS = 4.0  # before "too many", which a flood would otherwise ask for again at once
GOODBYE_SECONDS = 1.0  # for the other side to end a connection too, once all that was sent is gone
END_OF_HEAD = b"\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def answer_slowly(error: CoreError) -> None:
    """Wait before a refusal: who asks in a loop then costs an answer every few seconds, and no thread meanwhile."""
    is_too_many = isinstance(error, TooManyAttemptsError | TooManyStreamsError)
    await asyncio.sleep(TURNED_AWAY_SECONDS if is_too_many else SLOW_ANSWER_SECONDS)


class Phase(IntEnum):
    """Activity of a connection; the lowest is closed first where there is no room."""

    HEAD = 0
    """No complete head since it began."""
    IDLE = 1
    """Between two requests."""
    BUSY = 2
    """A request is being received or answered."""


@dataclass(frozen=True)
class HttpBounds:
    """Bounds of one HTTP server.

    Attributes:
        connections: Most connections.
        head_bytes: Largest head of a request.
        head_seconds: Time for a head to arrive.
        body_seconds: Time for a body to arrive.
        half_per_source: Connections of one source whose head is not complete.
    """

    connections: int
    head_bytes: int
    head_seconds: float
    body_seconds: float
    half_per_source: int


def bounds_of(settings: Settings) -> HttpBounds:
    """Return the bounds that the settings name."""
    return HttpBounds(
        connections=settings.http_connections,
        head_bytes=settings.http_head_bytes,
        head_seconds=settings.http_head_seconds,
        body_seconds=settings.http_body_seconds,
        half_per_source=settings.http_half_per_source,
    )


class OpenConnections:
    """All connections of a server, the oldest first."""

    def __init__(self, bounds: HttpBounds) -> None:
        self.bounds = bounds
        self._of_source: Counter[str] = Counter()
        self._all: dict[BoundedProtocol, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: BoundedProtocol) -> None:
        """Take a connection in; one of the source that holds the most goes when there are too many."""
        self._all[connection] = None
        self._of_source[connection.source] += 1
        if len(self._all) > self.bounds.connections:
            greediest = self._of_source.most_common(1)[0][0]
            self._close_one([other for other in self._all if other.source == greediest])
        self.bound_half(connection.source)

    def bound_half(self, source: str) -> None:
        """Close the oldest of a source's unfinished heads when it has too many of them."""
        half = [other for other in self._all if other.source == source and other.phase is Phase.HEAD]
        if len(half) > self.bounds.half_per_source:
            self._close_one(half)

    def _close_one(self, those: list[BoundedProtocol]) -> None:
        chosen = min(those, key=lambda connection: connection.phase)
        self.remove(chosen)
        chosen.transport.abort()

    def remove(self, connection: BoundedProtocol) -> None:
        """Forget a connection."""
        if connection not in self._all:
            return
        del self._all[connection]
        self._of_source[connection.source] -= 1
        if not self._of_source[connection.source]:
            del self._of_source[connection.source]


class BoundedProtocol(H11Protocol):
    """Uvicorn's HTTP/1.1 with the bounds.

    Attributes:
        phase: What the connection is doing.
        source: Where it comes from.
    """

    open_connections: OpenConnections
    """Set by `protocol_within`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.phase = Phase.HEAD
        self.source = ""
        self._head = bytearray()
        self._deadline: asyncio.TimerHandle | None = None
        self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, and give its first head some time."""
        super().connection_made(transport)
        self.source = network_of(self.client[0] if self.client else "")
        self._give(self.open_connections.bounds.head_seconds)
        self.open_connections.add(self)

    def shutdown(self) -> None:
        """Close the connection now if it is idle, else after its answer."""
        self._is_ending = True
        super().shutdown()
        self._bound_goodbye()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._give(None)
        self.open_connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin to wait for a head, or for the rest of a body."""
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self._give(self.open_connections.bounds.head_seconds)
            self.open_connections.bound_half(self.source)
        if self.phase is Phase.HEAD and not self._head_fits(data):
            self.transport.write(TOO_LARGE)
            self.transport.close()
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that the answer did not wait for."""
        super().on_response_complete()
        if self._is_ending:
            self._bound_goodbye()
        if self.conn.their_state is h11.SEND_BODY:
            return  # what still arrives is no head, and has the body's time
        self._give(None)
        self.phase = Phase.IDLE

    def _head_fits(self, data: bytes) -> bool:
        """Return whether the head is within its size: h11 looks at one that came in pieces only."""
        most = self.open_connections.bounds.head_bytes
        self._head += data[: most + len(END_OF_HEAD)]
        end = self._head.find(END_OF_HEAD)
        return (len(self._head) if end < 0 else end) <= most

    def _look(self) -> None:
        """See what has arrived: a head gives time for its body, a whole request needs no more."""
        theirs = self.conn.their_state
        if theirs is not h11.IDLE:
            self._head.clear()
        if theirs is h11.SEND_BODY and self.phase is Phase.HEAD:
            self.phase = Phase.BUSY
            self._give(self.open_connections.bounds.body_seconds)
        elif theirs in {h11.DONE, h11.MUST_CLOSE} and self.phase is not Phase.IDLE:
            self.phase = Phase.BUSY
            self._give(None)
        elif theirs is h11.IDLE and self.phase is Phase.BUSY:  # the rest of a body that was answered before
            self.phase = Phase.IDLE
            self._give(self.open_connections.bounds.head_seconds)

    def _give(self, seconds: float | None) -> None:
        """Close the connection after so many seconds; None: not at all."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._close)

    def _bound_goodbye(self) -> None:
        """End a connection that is being closed: over TLS that waits for the other side, which may read nothing."""
        self.loop.call_later(GOODBYE_SECONDS, self._leave)

    def _leave(self) -> None:
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.transport.abort()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def protocol_within(bounds: HttpBounds) -> type[BoundedProtocol]:
    """Return the protocol of one server: its connections are counted together."""
    return type("BoundedProtocolOfServer", (BoundedProtocol,), {"open_connections": OpenConnections(bounds)})
