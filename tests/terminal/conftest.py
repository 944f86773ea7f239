"""Fixtures of the terminal's tests."""

from __future__ import annotations

import asyncio
import time
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


async def come_to_rest(writes: list[bytes], seconds: float) -> None:
    """Wait until for a while nothing was written and nothing was being done that could lead to a write.

    On a loaded machine a pause alone proves nothing: the process may have had no time, or been busy all
    through it. Such a pause counts less: it takes ten of them one after another.
    """
    quiet = 0
    while quiet < 10:
        count, started, used = len(writes), time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        for _ in range(20):  # what became ready in the meantime, and what that leads to
            await asyncio.sleep(0)
        was_late = time.monotonic() - started > seconds * 1.5
        was_busy = time.process_time() - used > seconds / 2
        if len(writes) != count:
            quiet = 0
        else:
            quiet += 1 if was_late or was_busy else 10


class ServedApp:
    """An app running on a terminal in memory."""

    def __init__(self, app: Counter, terminal: Terminal, sink: MemorySink, task: asyncio.Task[Any]) -> None:
        self.app, self.terminal, self.sink, self.task = app, terminal, sink, task

    @property
    def focused_id(self) -> str | None:
        return self.app.focused.id if self.app.focused else None

    def type(self, text: str) -> None:
        self.terminal.receive(text.encode())

    async def shows(self, text: str) -> None:
        await until(lambda: text in self.sink.emulator.text(), text)

    async def quiet(self, seconds: float = 0.06) -> bytes:
        """Wait until nothing is written any more and give what was."""
        await come_to_rest(self.sink.writes, seconds)
        return self.sink.take()


@asynccontextmanager
async def running(
    app: Counter | None = None,
    capabilities: Capabilities | None = None,
    size: tuple[int, int] = (80, 24),
    **options: Any,
) -> AsyncIterator[ServedApp]:
    app = app or Counter()
    capabilities = capabilities or detect("xterm")
    terminal = Terminal(capabilities, size, **options)
    app.driver_class = terminal.driver_class()
    sink = MemorySink(*size)
    terminal.attach(sink, capabilities, size)
    task = asyncio.create_task(app.run_async(mouse=False))
    served = ServedApp(app, terminal, sink, task)
    try:
        await until(lambda: "nobody" in sink.emulator.text() or task.done(), "first paint")
        yield served
    finally:
        app.exit()
        await task


@pytest.fixture
async def served() -> AsyncIterator[ServedApp]:
    async with running() as served:
        yield served
