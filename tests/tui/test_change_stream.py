"""A door whose core takes connections and says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tui import change_stream
from tui.change_stream import ChangeHub, Seat
from tui.client.core_client import CoreClient

PATIENCE_SECONDS = 30.0


class _OneWord(httpx.AsyncByteStream):
    """A feed that says where it starts and then nothing."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'event: reset\ndata: {"sequence": 7}\n\n'
        await asyncio.sleep(change_stream.DOOR_SILENCE_SECONDS)
        raise httpx.ReadTimeout("silence")


async def _falls_silent(request: httpx.Request) -> httpx.Response:
    """Open the feed once; every other question waits for an answer that does not come."""
    if request.url.path.endswith("/changes") and "after" not in request.url.params:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_OneWord())
    await asyncio.sleep(change_stream.DOOR_SILENCE_SECONDS)
    raise httpx.ReadTimeout("silence")


async def test_a_door_that_waits_for_its_panes_still_hears_that_the_feed_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(change_stream, "DOOR_SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(change_stream, "MISSING_SECONDS", 0.3)
    missing = asyncio.Event()
    async with httpx.AsyncClient(transport=httpx.MockTransport(_falls_silent)) as http:
        client = CoreClient("http://core", "token", http=http)
        hub = ChangeHub(client, is_door=True)
        hub.watch("dentist", Seat(client, lambda why: None, missing.set))
        await asyncio.wait_for(missing.wait(), PATIENCE_SECONDS)
        assert not hub.connected
        hub.unwatch("dentist")
