"""Bodies on their way in: how many, how long and how large, before any of it is looked at.

Clinics send over thin lines, some of which die half-way. A body that is still arriving holds
nothing but its own bytes; only once it is whole does it take one of the few places for work.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from server.office.validation import EntryRefusedError

MAX_WIRE_BYTES = 8 * 2**20
"""A compressed body beyond this is refused: a clinic's day is a few hundred kilobytes."""
MAX_RAW_BYTES = 48 * 2**20
"""And its uncompressed form, so that a small body cannot fill the memory."""
ARRIVING = 64
"""Bodies on their way in at a time."""
AT_ONCE = 6
"""Bodies in work at a time."""
WAITING = 12
"""Bodies that are whole and wait for work; with so many, whoever comes is told to come again."""
SILENT_SECONDS = 30.0
"""A body of which nothing came for this long is given up: the line is dead."""
LONGEST_SECONDS = 600.0
"""And one that trickles for this long: the sender makes its next one smaller."""
RETRY_AFTER_SECONDS = (2, 8)
"""The wait that is asked of who is turned away, spread so that they do not come back together."""

ResultT = TypeVar("ResultT")


class BusyError(Exception):
    """There is no room for a body now; the sender is asked to come again."""

    def __init__(self) -> None:
        super().__init__("many clinics are sending; come again")
        self.retry_after = random.randint(*RETRY_AFTER_SECONDS)  # noqa: S311  # spreads load, guards nothing


class Gate:
    """Limits how many bodies arrive and are in work at once. Used on the event loop only."""

    def __init__(self) -> None:
        self._arriving = 0
        self._waiting = 0
        self._places = asyncio.Semaphore(AT_ONCE)

    async def take(self, request: Request, work: Callable[[bytes, int], ResultT]) -> ResultT:
        """Receive a request's body and work on it in a thread.

        Args:
            request: The request.
            work: Called with the uncompressed body and its size on the wire, in bytes.

        Raises:
            BusyError: Too many others; nothing of the body was read.
            EntryRefusedError: It is too large, was cut off, fell silent, or is not the gzip it says it is.
        """
        if self._arriving >= ARRIVING or self._waiting >= WAITING:
            raise BusyError
        self._arriving += 1
        try:
            body = await _received(request)
        finally:
            self._arriving -= 1
        zipped = request.headers.get("content-encoding") == "gzip"
        async with self._place():
            return await run_in_threadpool(lambda: work(inflated(body) if zipped else body, len(body)))

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


async def _received(request: Request) -> bytes:
    """Return the body as it was sent."""
    parts: list[bytes] = []
    size = 0
    chunks = request.stream()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            while True:
                async with asyncio.timeout(SILENT_SECONDS):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return b"".join(parts)
                size += len(chunk)
                if size > MAX_WIRE_BYTES:
                    raise EntryRefusedError("too-long", "the body is too large")
                parts.append(chunk)
    except TimeoutError:
        raise EntryRefusedError("timeout", "the body did not arrive") from None
    except ClientDisconnect:
        raise EntryRefusedError("incomplete", "the body is cut off") from None


def inflated(body: bytes) -> bytes:
    """Return a gzip body, uncompressed.

    Raises:
        EntryRefusedError: It is no gzip, cut off, or too large.
    """
    inflate = zlib.decompressobj(31)
    try:
        raw = inflate.decompress(body, MAX_RAW_BYTES + 1)
    except zlib.error:
        raise EntryRefusedError("structure", "the body is not gzip") from None
    if len(raw) > MAX_RAW_BYTES:
        raise EntryRefusedError("too-long", "the body is too large")
    if not inflate.eof:
        raise EntryRefusedError("incomplete", "the gzip body is cut off")
    return raw
