"""A relay that makes a connection thin, late or dead."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Passes bytes between a client and a door.

    Attributes:
        bytes_per_second: Rate in each direction; 0 is as fast as can be.
        delay_seconds: One-way delay.
        is_dead: Nothing is passed any more, and nobody is told.
        down: Bytes passed to the client.
        up: Bytes passed to the door.
    """

    def __init__(self, target: int, bytes_per_second: int, delay_seconds: float) -> None:
        self.target = target
        self.bytes_per_second = bytes_per_second
        self.delay_seconds = delay_seconds
        self.is_dead = False
        self.down = self.up = 0
        self.port = 0
        self._tasks: set[asyncio.Task] = set()

    async def serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            near, _ = await loop.sock_accept(listener)
            near.setblocking(False)
            far = socket.socket()
            # A small window: what the relay has not read yet waits in the door's kernel, as before a modem.
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            far.setblocking(False)
            await loop.sock_connect(far, ("127.0.0.1", self.target))
            for source, sink, is_down in ((near, far, False), (far, near, True)):
                task = asyncio.create_task(self._pass(source, sink, is_down))
                self._tasks.add(task)

    async def _pass(self, source: socket.socket, sink: socket.socket, is_down: bool) -> None:
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.create_task(self._send(late, sink, is_down))
        try:
            while True:
                data = await loop.sock_recv(source, 128 if self.bytes_per_second else 65536)
                while self.is_dead:  # noqa: ASYNC110 - dead for good
                    await asyncio.sleep(0.05)
                if self.bytes_per_second:
                    await asyncio.sleep(len(data) / self.bytes_per_second)
                late.put_nowait((loop.time() + self.delay_seconds, data))
                if not data:
                    await sender
                    return
        except OSError:
            return
        finally:
            sender.cancel()
            source.close()

    async def _send(
        self, late: asyncio.Queue[tuple[float, bytes]], sink: socket.socket, is_down: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await late.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                await loop.sock_sendall(sink, data)
            except OSError:
                return
            if is_down:
                self.down += len(data)
            else:
                self.up += len(data)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def relay(
    target: int, bytes_per_second: int = 0, round_trip_seconds: float = 0.0
) -> AsyncIterator[Relay]:
    made = Relay(target, bytes_per_second, round_trip_seconds / 2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        listener.setblocking(False)
        made.port = listener.getsockname()[1]
        task = asyncio.create_task(made.serve(listener))
        try:
            yield made
        finally:
            task.cancel()
            made.stop()
            await asyncio.sleep(0)
