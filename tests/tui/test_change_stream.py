"""A door's feed: a core that says nothing, sign-ins that ended in a gap, and panes ahead of the feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from core.schemas.queues import ClusterOut
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


class _Feed(httpx.AsyncByteStream):
    """A feed that starts at 7 and then tells what it is given."""

    def __init__(self) -> None:
        self.words: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'event: reset\ndata: {"sequence": 7}\n\n'
        while True:
            yield await self.words.get()

    def tell(self, sequence: int, kind: str, **more: Any) -> None:
        data = json.dumps({"sequence": sequence, "kind": kind, "cluster": None, "entry": None, **more})
        self.words.put_nowait(f"id: {sequence}\nevent: change\ndata: {data}\n\n".encode())


class _Core:
    """A core with one pane, whose sign-ins end when told."""

    def __init__(self) -> None:
        self.feed = _Feed()
        self.ended: set[str] = set()
        self.sequence = 7
        """Of the last change that a pane shows."""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer what a door asks."""
        path = request.url.path
        if path.endswith("/changes"):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self.feed)
        if path.endswith("/accounts/me"):
            return self._me(request.headers["authorization"].removeprefix("Bearer "))
        if path.endswith("/clusters"):
            return httpx.Response(200, json=[CLUSTER])
        pane = {"cluster": "GIGI", "date": "2026-03-02", "sequence": self.sequence, "entries": []}
        return httpx.Response(200, json=pane)

    def _me(self, token: str) -> httpx.Response:
        code = "not_signed_in" if token in self.ended else "not_allowed"  # either is a refusal; one is an end
        problem = {"status": 401, "code": code, "title": code}
        return httpx.Response(401, json=problem, headers={"content-type": "application/problem+json"})


CLUSTER = ClusterOut(code="GIGI", name="Poli Gigi", prefix="B").model_dump(mode="json")


@asynccontextmanager
async def _door(core: _Core) -> AsyncIterator[tuple[ChangeHub, Callable[[str], CoreClient]]]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(core.answer)) as http:

        def client(token: str) -> CoreClient:
            return CoreClient("http://core", token, http=http)

        hub = ChangeHub(client("door"), is_door=True)
        yield hub, client
        for key in ("dentist", "doctor"):
            hub.unwatch(key)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the hub has no event for it
            await asyncio.sleep(0.01)


async def test_a_sign_in_that_ended_before_the_feed_began_ends_its_seat_alone() -> None:
    core, ended = _Core(), []
    core.ended.add("dentist")
    async with _door(core) as (hub, client):
        hub.watch("doctor", Seat(client("doctor"), lambda why: ended.append("doctor"), lambda: None))
        hub.watch("dentist", Seat(client("dentist"), lambda why: ended.append("dentist"), lambda: None))
        await _until(lambda: "GIGI" in hub.queues)
        assert ended == ["dentist"], "before a pane is read in the door's name"


async def test_no_pane_is_shown_that_knows_more_than_the_feed_has_told() -> None:
    core, ended = _Core(), []
    async with _door(core) as (hub, client):
        dentist = client("dentist")
        dentist.session_id = "s1"
        hub.watch("dentist", Seat(dentist, lambda why: ended.append("dentist"), lambda: None))
        await _until(lambda: "GIGI" in hub.queues)
        core.sequence = 10
        core.feed.tell(8, "entry", cluster="GIGI")
        await asyncio.sleep(0.2)
        assert hub.queues["GIGI"].sequence == 7, "what came after it is not told yet"
        core.feed.tell(9, "account_ended", data={"sessions": ["s1"], "why": "role"})
        core.feed.tell(10, "entry", cluster="GIGI")
        await _until(lambda: hub.queues["GIGI"].sequence == 10)
        assert ended == ["dentist"]


async def test_a_reading_that_is_older_than_ones_own_is_not_shown() -> None:
    core = _Core()
    async with _door(core) as (hub, client):
        hub.watch("dentist", Seat(client("dentist"), lambda why: None, lambda: None))
        await _until(lambda: "GIGI" in hub.queues)
        own = hub.queues["GIGI"].model_copy(update={"sequence": 9})
        hub.queues["GIGI"] = own
        core.feed.tell(8, "entry", cluster="GIGI")
        core.feed.tell(9, "entry", cluster="GIGI")
        await asyncio.sleep(0.5)
        assert hub.queues["GIGI"] is own
        core.sequence = 10
        core.feed.tell(10, "entry", cluster="GIGI")
        await _until(lambda: hub.queues["GIGI"].sequence == 10)
