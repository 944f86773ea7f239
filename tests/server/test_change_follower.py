"""A stream hears of what is committed at any moment, also while it reads."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from fastapi import Request

from server import change_follower
from server.change_follower import ChangeFollower, follow

NEVER = 3600.0  # seconds: within this test nothing looks by itself


class Reader:
    """Reads as many texts as are committed; each commit comes right after a read that found nothing."""

    def __init__(self, follower: ChangeFollower, texts: list[str]) -> None:
        self._follower = follower
        self._texts = texts
        self._committed: list[str] = []

    async def is_disconnected(self) -> bool:
        return False

    async def read(self) -> str:
        found = "".join(self._committed)
        self._committed = []
        if not found and self._texts:
            self._committed.append(self._texts.pop(0))
            self._follower.notify()
        return found


def finishes_at_once(waiting: Any) -> bool:
    """Whether a coroutine ends without ever being suspended."""
    try:
        waiting.send(None)
    except StopIteration:
        return True
    waiting.close()
    return False


async def test_a_commit_before_the_wait_ends_it_at_once() -> None:
    follower = ChangeFollower()
    seen = follower.generation
    follower.notify()
    assert finishes_at_once(follower.wait(seen, NEVER))
    assert not finishes_at_once(follower.wait(follower.generation, NEVER))


async def test_a_commit_during_the_wait_ends_it() -> None:
    follower = ChangeFollower()
    waiting = [asyncio.ensure_future(follower.wait(follower.generation, NEVER)) for _ in range(3)]
    await asyncio.sleep(0)
    follower.notify()
    await asyncio.gather(*waiting)


async def test_a_wait_without_commits_ends() -> None:
    follower = ChangeFollower()
    await follower.wait(follower.generation, 0.0)


async def test_a_stream_misses_nothing_that_is_committed_while_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(change_follower, "POLL_SECONDS", NEVER)
    follower = ChangeFollower()
    reader = Reader(follower, ["first", "second"])
    stream = follow(follower, cast(Request, reader), reader.read, quiet_seconds=NEVER, sign_of_life="alive")
    assert await anext(stream) == "first"
    assert await anext(stream) == "second"
    last = asyncio.ensure_future(anext(stream, "ended"))
    follower.stop()
    assert await last == "ended"


async def test_a_quiet_stream_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_follower, "POLL_SECONDS", 0.0)
    follower = ChangeFollower()
    reader = Reader(follower, [])
    stream = follow(follower, cast(Request, reader), reader.read, quiet_seconds=0.0, sign_of_life="alive")
    assert [await anext(stream) for _ in range(2)] == ["alive", "alive"]
