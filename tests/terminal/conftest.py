"""Fixtures of the terminal's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.terminal.counter import Counter
from tests.terminal.screens import Emulator
from tui.terminal.capabilities import Capabilities, detect
from tui.terminal.driver import Terminal
from tui.terminal.textual_internals import prepare_process

prepare_process()


class MemorySink:
    """A connection that is a list of writes and, behind it, a terminal."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.emulator = Emulator(width, height)
        self.writes: list[bytes] = []
        self.pending = 0

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self.emulator.feed(data)

    def pending_bytes(self) -> int:
        return self.pending

    def take(self) -> bytes:
        data = b"".join(self.writes)
        self.writes.clear()
        return data


async def until(condition: Callable[[], Any], what: str = "") -> None:
    """Wait until something has become true; the test's own timeout ends it."""
    try:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never happened: {what or condition}") from None


class Seat:
    """An app running on a terminal in memory."""

    def __init__(self, app: Counter, terminal: Terminal, sink: MemorySink, task: asyncio.Task) -> None:
        self.app, self.terminal, self.sink, self.task = app, terminal, sink, task

    def type(self, text: str) -> None:
        self.terminal.receive(text.encode())

    async def quiet(self, seconds: float = 0.06) -> bytes:
        """Wait until nothing is written any more and give what was."""
        count = -1
        while count != len(self.sink.writes):
            count = len(self.sink.writes)
            await asyncio.sleep(seconds)
        return self.sink.take()


@asynccontextmanager
async def running(
    app: Counter | None = None,
    capabilities: Capabilities | None = None,
    size: tuple[int, int] = (80, 24),
    **options: Any,
) -> AsyncIterator[Seat]:
    app = app or Counter()
    capabilities = capabilities or detect("xterm")
    terminal = Terminal(capabilities, size, **options)
    app.driver_class = terminal.driver_class()
    sink = MemorySink(*size)
    terminal.attach(sink, capabilities, size)
    task = asyncio.create_task(app.run_async(mouse=False))
    seat = Seat(app, terminal, sink, task)
    try:
        await until(lambda: "nobody" in sink.emulator.text() or task.done(), "first paint")
        yield seat
    finally:
        app.exit()
        await task


@pytest.fixture
async def seat() -> AsyncIterator[Seat]:
    async with running() as seat:
        yield seat
