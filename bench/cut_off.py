"""A machine of its own as far as the network goes: a namespace, a cable to it that can be pulled, and a relay at its end.

Needs root. A demo listens on loopback only, so inside the namespace a relay takes what comes over the cable to it.

    python -m bench.cut_off ADDRESS PORT          # the relay, inside
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
READ_BYTES = 65_536


class Namespace:
    """A network namespace, with addresses of a range that is used nowhere else."""

    def __init__(self, number: int) -> None:
        self.name = f"loket-{os.getpid()}-{number}"
        self._cable = f"lk{os.getpid() % 100_000}a{number}"
        self.address = f"10.213.{number}.2"
        self._relay: subprocess.Popen[bytes] | None = None
        end = f"{self._cable}b"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", end, "netns", self.name)
        _ip("addr", "add", f"10.213.{number}.1/24", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", end),
            ("link", "set", end, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *words)

    def inside(self, command: list[str]) -> list[str]:
        """Return a command that runs inside."""
        return ["ip", "netns", "exec", self.name, *command]

    def open(self, port: int) -> None:
        """Let what comes over the cable reach a port of the loopback inside."""
        command = self.inside([sys.executable, "-m", "bench.cut_off", self.address, str(port)])
        self._relay = subprocess.Popen(command, cwd=ROOT)

    def cut(self) -> None:
        """Pull the cable: nothing is answered any more, and nothing is closed."""
        _ip("link", "set", self._cable, "down")

    def plug(self) -> None:
        """Put the cable in again."""
        _ip("link", "set", self._cable, "up")

    def close(self) -> None:
        """Take it away."""
        if self._relay is not None:
            self._relay.kill()
            self._relay.wait()
        _ip("link", "del", self._cable)
        _ip("netns", "del", self.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _relay(address: str, port: int) -> None:
    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            core_reader, core_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, core_writer), _pass_on(core_reader, writer))

    async with await asyncio.start_server(taken, address, port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_relay(sys.argv[1], int(sys.argv[2])))
