"""The garbage collector: out of people's way while they type, and not left out altogether."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from tests.terminal.conftest import until
from tui.door import memory
from tui.door.memory import TOO_MANY_ENDED, Collector

pytestmark = pytest.mark.usefixtures("real_collector")


class Ended:
    """An app that has ended: garbage in a cycle."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(memory, "SETTLED_SECONDS", 0.01)


async def test_an_ended_app_is_collected_in_the_next_quiet_moment() -> None:
    """Frozen with all others while it lived, it is garbage that only a full collection finds."""
    idle_seconds = 0.0
    collector = Collector(lambda: idle_seconds)
    collector.begin()
    try:
        app = Ended()
        gone = weakref.ref(app)
        collector.session_began()
        await until(lambda: gc.get_freeze_count() > 0)
        gc.freeze()
        del app
        collector.session_ended()
        await asyncio.sleep(0.1)
        assert gone() is not None, "somebody types: no pause now"
        idle_seconds = 60.0
        await until(lambda: gone() is None, "collected")
    finally:
        collector.end()


async def test_too_many_ended_apps_are_collected_although_somebody_types() -> None:
    collector = Collector(lambda: 0.0)
    collector.begin()
    try:
        app = Ended()
        gone = weakref.ref(app)
        gc.freeze()
        del app
        for _ in range(TOO_MANY_ENDED):
            collector.session_ended()
        await until(lambda: gone() is None, "collected")
    finally:
        collector.end()


async def test_everything_is_put_back_at_the_end() -> None:
    before = gc.get_threshold()
    collector = Collector(lambda: 0.0)
    collector.begin()
    assert gc.get_threshold() != before
    collector.end()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
