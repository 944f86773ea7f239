"""Measures the delay from a save until the patient appears in the cluster's pane.

Opens real SSH sessions that show the cluster's pane, registers patients over HTTP as a
counter does, and takes the time from sending each registration until its number has arrived
at the last of the panes' terminals. Prints median, p99 and largest, in milliseconds.

    python -m bench.save_to_pane [--registrations 200] [--panes 20]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncssh
import httpx
import pyte

from bench.counter.clinic import MANY_OF_ONE_ACCOUNT
from bench.servers import until_ready
from core.foundation.identifiers import new_id
from tests.ports import free_port

ROOT = Path(__file__).parents[1]


class Pane(asyncssh.SSHClientSession[str]):
    """A terminal that shows a pane: only differences arrive, so the screen is kept by pyte."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.Stream(self.screen)
        self._rows = [""] * 24
        self._arrived = asyncio.Event()

    def data_received(self, data: str, datatype: int | None) -> None:
        """Note that the screen was painted."""
        self._stream.feed(data)
        # Only painted lines are read again: reading twenty whole screens takes longer than painting them.
        for row in self.screen.dirty:
            cells = self.screen.buffer[row]
            self._rows[row] = "".join(cells[column].data for column in range(80))
        self.screen.dirty.clear()
        self._arrived.set()

    async def shows(self, words: str, seconds: float = 30) -> None:
        """Wait until the words are on the screen."""
        async with asyncio.timeout(seconds):
            while not any(words in row for row in self._rows):
                self._arrived.clear()
                await self._arrived.wait()


async def measure(http: str, ssh_port: int, registrations: int, panes: int, gap: float) -> list[float]:
    client = httpx.AsyncClient(base_url=f"{http}/api/v1/", timeout=30)
    token = (await client.post("tokens", json={"username": "clerk", "password": "demo"})).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    connections = []
    sessions: list[Pane] = []
    for _ in range(panes):
        connection = await asyncssh.connect(
            "127.0.0.1", ssh_port, username="dentist", password="demo", known_hosts=None, config=None
        )
        _, session = await connection.create_session(Pane, term_type="xterm", term_size=(80, 24))
        assert isinstance(session, Pane)
        connections.append(connection)
        sessions.append(session)
    for session in sessions:
        await session.shows("Poli Gigi")
    await asyncio.sleep(2)
    times = []
    for serial in range(registrations):
        body = {
            "id": new_id(),
            "patient": {
                "name": f"Pasien {chr(65 + serial % 26)}{chr(97 + serial // 26)}ri {chr(65 + serial // 7 % 26)}tma",
                "sex": "female",
                "birth_date": f"{1970 + serial % 30}-{1 + serial % 12:02d}-{1 + serial % 28:02d}",
            },
            "chief_complaint": "sakit gigi",
            "cluster": "GIGI",
            "duplicate_decision": "new",
        }
        began = time.perf_counter()
        answer = await client.post("registrations", json=body)
        answer.raise_for_status()
        number = answer.json()["ticket"]["number"]
        await asyncio.gather(*(session.shows(number) for session in sessions))
        times.append((time.perf_counter() - began) * 1000)
        # The dentist takes the patient at once, so that the new one is always within the pane's height.
        dentist = answer.json()["ticket"]["id"]
        await client.post(f"queue-entries/{dentist}/cancel", json={"reason": "bench"})
        await asyncio.sleep(gap)
    for connection in connections:
        connection.close()
    return sorted(times)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--registrations", type=int, default=200)
    arguments.add_argument("--panes", type=int, default=20)
    arguments.add_argument(
        "--gap", type=float, default=0.5, help="seconds between registrations; panes coalesce bursts"
    )
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        http, ssh = free_port(), free_port()
        environment = {
            **os.environ,
            **MANY_OF_ONE_ACCOUNT,
            "LOKET_HOME": home,
            "LOKET_HTTP": f"127.0.0.1:{http}",
            "LOKET_SSH": f"127.0.0.1:{ssh}",
        }
        server = subprocess.Popen([sys.executable, "-m", "server", "--demo"], env=environment, cwd=ROOT)
        try:
            until_ready(f"http://127.0.0.1:{http}", server, door=ssh)
            times = asyncio.run(
                measure(f"http://127.0.0.1:{http}", ssh, chosen.registrations, chosen.panes, chosen.gap)
            )
        finally:
            server.terminate()
            server.wait()
    print(f"{'registrations':>14} {'panes':>6} {'median ms':>10} {'p99 ms':>8} {'max ms':>8}")
    middle, tail = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"{len(times):>14} {chosen.panes:>6} {middle:>10.1f} {tail:>8.1f} {times[-1]:>8.1f}")


if __name__ == "__main__":
    main()
