# ruff: noqa: D102
"""Many people at one door: memory, first paint, echo of a key, processor.

Starts a door in a process of its own, connects people from this one, lets each type three letters a second
while a queue pane changes once a second, and measures. Beside it, the same with one process per person.

    python bench/many_sessions.py [--quick] [--people 1,10,50,100] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncssh
from rich.console import Console
from rich.table import Table

KEYS_PER_SECOND = 3.0
SERVER = "--serve"


async def serve(home: str, port: int) -> None:
    """Run the door, until killed."""
    from textual.widgets import Static

    from tests.terminal.counter import Counter
    from tests.terminal.door import Accounts, Address, Settings
    from tui.door.contracts import DoorOptions
    from tui.ssh import Door

    class Busy(Counter):
        """A counter whose pane changes once a second."""

        turn = 0

        def on_mount(self) -> None:
            self.set_interval(1.0, self.change)

        def change(self) -> None:
            self.turn += 1
            self.query_one("#list", Static).update(f"{self.turn} wait\nA{self.turn:03} Siti R., 12 minutes")

    settings = Settings(Path(home), Address(port=port))
    door = Door(settings, lambda *_: Busy(), Accounts(), options=DoorOptions(most_sessions=250))
    await door.open()
    print(door.port, flush=True)
    await asyncio.Event().wait()


@dataclass
class Measured:
    """What one run gave."""

    people: int
    first_paint_ms: list[float]
    echo_ms: list[float]
    megabytes: float
    cores: float


class Person(asyncssh.SSHClientSession[bytes]):
    """Types a letter, waits for its echo, and goes on."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.text = b""

    def data_received(self, data: bytes, datatype: object) -> None:
        self.text = (self.text + data)[-4000:]
        self.arrived.set()

    async def wait_for(self, text: bytes) -> None:
        while text not in self.text:
            self.arrived.clear()
            await self.arrived.wait()

    async def connect(self, port: int, name: str) -> float:
        begun = time.perf_counter()
        self.connection = await asyncssh.connect(
            "127.0.0.1", port, username=name, password="demo", known_hosts=None, client_keys=None,
            agent_path=None, config=None,
        )  # fmt: skip
        self.channel, _ = await self.connection.create_session(
            lambda: self, term_type="xterm", term_size=(80, 24), encoding=None
        )
        await self.wait_for(b"remark")
        return (time.perf_counter() - begun) * 1000

    async def work(self, until: float, echoes: list[float]) -> None:
        count = 0
        await asyncio.sleep(random.random() / KEYS_PER_SECOND)
        while time.perf_counter() < until:
            letter = b"abcdefghij"[count % 10 : count % 10 + 1].upper()
            count += 1
            self.text = b""
            begun = time.perf_counter()
            self.channel.write(letter)
            try:
                async with asyncio.timeout(10):
                    await self.wait_for(letter)
            except TimeoutError:
                echoes.append(10_000.0)
                continue
            echoes.append((time.perf_counter() - begun) * 1000)
            if count % 20 == 0:
                self.channel.write(b"\x15")  # empty the field
            await asyncio.sleep(random.uniform(0.5, 1.5) / KEYS_PER_SECOND)


def usage(pids: list[int]) -> tuple[float, float]:
    """Give the memory (PSS, MB) and the processor seconds of processes."""
    memory = seconds = 0.0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                memory += int(line.split()[1]) / 1024
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return memory, seconds


def start_door(home: str) -> tuple[subprocess.Popen[str], int]:
    child = subprocess.Popen([sys.executable, __file__, SERVER, home], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, int(child.stdout.readline())


async def measure(people: int, seconds: float, doors: int) -> Measured:
    """Measure one number of people, on one door or on one door each."""
    with tempfile.TemporaryDirectory() as home:
        children = [await asyncio.to_thread(start_door, home) for _ in range(doors)]
        pids = [child.pid for child, _ in children]
        try:
            empty, _ = usage(pids[:1])
            persons = [Person() for _ in range(people)]
            paints = [
                await person.connect(children[n % doors][1], f"p{n}") for n, person in enumerate(persons)
            ]
            await asyncio.sleep(3)
            _, before = usage(pids)
            begun = time.perf_counter()
            echoes: list[float] = []
            await asyncio.gather(*(person.work(begun + seconds, echoes) for person in persons))
            memory, after = usage(pids)
            took = time.perf_counter() - begun
            for person in persons:
                person.connection.abort()
            total = memory - empty if doors == 1 else memory
            return Measured(people, paints, echoes, total / people, (after - before) / took)
        finally:
            for child, _ in children:
                child.kill()
                child.wait()


def row(title: str, result: Measured) -> list[str]:
    echoes = sorted(result.echo_ms)
    return [
        title,
        str(result.people),
        f"{result.megabytes:.1f}",
        f"{statistics.median(result.first_paint_ms):.0f}",
        f"{statistics.median(echoes):.1f}",
        f"{echoes[int(len(echoes) * 0.99) - 1]:.0f}",
        f"{echoes[-1]:.0f}",
        str(len(echoes)),
        f"{result.cores:.2f}",
    ]


async def run(people: list[int], seconds: float, own_process: int) -> None:
    table = Table(title=f"{KEYS_PER_SECOND:.0f} letters a second each, a pane changing each second")
    for name in (
        "arrangement", "people", "MB a person", "first paint ms", "echo p50 ms", "p99", "max", "keys", "cores",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "arrangement" else "right")
    for count in people:
        table.add_row(*row("one door", await measure(count, seconds, 1)))
    if own_process:
        table.add_row(*row("a process each", await measure(own_process, seconds, own_process)))
    Console(width=120).print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == [SERVER]:
        asyncio.run(serve(sys.argv[2], 0))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 and 10 people, 5 seconds")
    parser.add_argument("--people", default="1,10,50,100")
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    counts = [1, 10] if given.quick else [int(part) for part in given.people.split(",")]
    asyncio.run(run(counts, 5 if given.quick else given.seconds, 2 if given.quick else 10))
