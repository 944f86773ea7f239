"""Measures many people at one door: memory, first screen, echo of a key, processor time.

Starts a demo clinic with its door, signs people in by key through real SSH, lets each type three letters a second
into the registration form while a patient arrives in a queue each second, and measures. Beside it, the same
with a process of its own for each person.

    python -m bench.many_sessions [--quick] [--people 1,10,50,100] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from rich.console import Console
from rich.table import Table

from bench.counter.clinic import SSH_PORT, TERM, Clinic, prepared_home
from bench.counter.link import enter_own_network
from tests.e2e.terminals import ROOT, Terminal
from tests.people import Caller

KEYS_PER_SECOND = 3.0
LETTERS = b"ABCDEFGHIJK"  # a number of letters with which an emptied field begins with another one
SETTLED_SECONDS = 4.0  # seconds after the last sign-in, before anything is measured
PATIENCE_SECONDS = 10.0
FIRST_SCREEN, FORM = b"Last patients", b"Card seen"


@dataclass
class Measured:
    """Results of one run; memory without that of an empty door."""

    people: int
    first_screen_ms: list[float]
    echo_ms: list[float]
    megabytes: float
    cores: float


class Person(asyncssh.SSHClientSession[bytes]):
    """Types a letter, waits for its echo, and goes on."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._text = b""

    def data_received(self, data: bytes, datatype: object) -> None:
        """Note that the screen was painted."""
        self._text = (self._text + data)[-8000:]
        self._arrived.set()

    async def _wait_for(self, text: bytes) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self._text:
                self._arrived.clear()
                await self._arrived.wait()

    async def sign_in(self, key: asyncssh.SSHKey) -> float:
        """Connect; return the milliseconds to the first screen."""
        began = time.perf_counter()
        self.connection = await asyncssh.connect(
            "127.0.0.1", SSH_PORT, username="clerk", client_keys=[key], known_hosts=None, agent_path=None,
            config=None,
        )  # fmt: skip
        self._channel, _ = await self.connection.create_session(
            lambda: self, term_type=TERM, term_size=(80, 24), encoding=None
        )
        await self._wait_for(FIRST_SCREEN)
        return (time.perf_counter() - began) * 1000

    async def open_form(self) -> None:
        """Go to the name in the form of a new patient."""
        self._channel.write(b"\x1bOQ")
        await self._wait_for(FORM)
        self._channel.write(b"\t\t")

    async def type_until(self, end: float, echoes: list[float]) -> None:
        """Type until a given time, noting each echo in milliseconds."""
        await asyncio.sleep(random.random() / KEYS_PER_SECOND)
        count = 0
        while time.perf_counter() < end:
            letter = LETTERS[count % len(LETTERS) :][:1]
            count += 1
            self._text = b""
            began = time.perf_counter()
            self._channel.write(letter)
            try:
                await self._wait_for(letter)
            except TimeoutError:
                echoes.append(PATIENCE_SECONDS * 1000)
                continue
            echoes.append((time.perf_counter() - began) * 1000)
            if count % 20 == 0:
                self._channel.write(b"\x15")  # empty the field
            await asyncio.sleep(random.uniform(0.5, 1.5) / KEYS_PER_SECOND)


def usage(pids: list[int]) -> tuple[float, float]:
    """Return the memory (PSS, MB) and the processor seconds of processes."""
    memory = seconds = 0.0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                memory += int(line.split()[1]) / 1024
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return memory, seconds


async def move_queue(clerk: Caller, end: float) -> None:
    """Let one patient a second arrive."""
    while time.perf_counter() < end:
        await asyncio.to_thread(clerk.registered)
        await asyncio.sleep(1.0)


async def at_one_door(prepared: Path, people: int, seconds: float) -> Measured:
    """Run with everybody at one door."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    with Clinic(prepared) as clinic, clinic.caller("clerk") as clerk:
        file = clinic.folder / "key.pub"
        file.write_bytes(key.export_public_key("openssh"))
        loket = [sys.executable, "-m", "server.cli", "account", "key", "clerk", str(file)]
        await asyncio.to_thread(
            subprocess.run, loket, env=clinic.environment, cwd=ROOT, check=True, capture_output=True
        )
        (door,) = clinic.children()
        empty, _ = usage([door])
        persons = [Person() for _ in range(people)]
        screens = [await person.sign_in(key) for person in persons]
        for person in persons:
            await person.open_form()
        await asyncio.sleep(SETTLED_SECONDS)
        _, before = usage([door])
        began = time.perf_counter()
        echoes: list[float] = []
        end = began + seconds
        await asyncio.gather(move_queue(clerk, end), *(person.type_until(end, echoes) for person in persons))
        memory, after = usage([door])
        took = time.perf_counter() - began
        for person in persons:
            person.connection.abort()
        return Measured(people, screens, echoes, (memory - empty) / people, (after - before) / took)


def echo_in(terminal: Terminal, letter: str) -> float:
    """Type a letter and return the milliseconds to its echo."""
    before, began = terminal.received, time.perf_counter()
    terminal.press(letter)
    while terminal.received == before and time.perf_counter() - began < PATIENCE_SECONDS:
        time.sleep(0.001)
    return (time.perf_counter() - began) * 1000


def a_process_each(prepared: Path, people: int, seconds: float) -> Measured:
    """Run with a terminal process for each person, who signs in by password."""
    with Clinic(prepared, with_door=False) as clinic:
        command = [sys.executable, "-m", "bench.counter.textual_counter", clinic.url]
        environment = {**clinic.environment, "TERM": TERM, "LANG": "C.UTF-8"}
        terminals, screens = [], []
        for _ in range(people):
            began = time.perf_counter()
            terminals.append(Terminal(command, environment))
            terminals[-1].wait_for("Search", "Last patients")
            screens.append((time.perf_counter() - began) * 1000)
        for terminal in terminals:
            terminal.press("<F2>")
            terminal.wait_for("Card seen")
            terminal.press("<Tab><Tab>")
        time.sleep(SETTLED_SECONDS)
        pids = [terminal.pid for terminal in terminals]
        _, before = usage(pids)
        began, echoes = time.perf_counter(), []
        while time.perf_counter() - began < seconds:
            for terminal in terminals:
                echoes.append(echo_in(terminal, random.choice("ABCDEFGHIJ")))
                time.sleep(1 / KEYS_PER_SECOND / people)
        memory, after = usage(pids)
        took = time.perf_counter() - began
        for terminal in terminals:
            terminal.cut()
        return Measured(people, screens, echoes, memory / people, (after - before) / took)


def row(title: str, result: Measured) -> list[str]:
    echoes = sorted(result.echo_ms)
    return [
        title,
        str(result.people),
        f"{result.megabytes:.1f}",
        f"{statistics.median(result.first_screen_ms):.0f}",
        f"{statistics.median(echoes):.1f}",
        f"{echoes[int(len(echoes) * 0.99) - 1]:.0f}",
        f"{echoes[-1]:.0f}",
        str(len(echoes)),
        f"{result.cores:.2f}",
    ]


def main(people: list[int], seconds: float, own_process: int) -> None:
    enter_own_network()
    table = Table(title=f"{KEYS_PER_SECOND:.0f} letters a second each, somebody arriving each second")
    for name in (
        "arrangement", "people", "MB a person", "first screen ms", "echo p50 ms", "p99", "max", "keys", "cores",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "arrangement" else "right")
    prepared = prepared_home()
    load = os.getloadavg()[0]
    try:
        for count in people:
            table.add_row(*row("one door", asyncio.run(at_one_door(prepared, count, seconds))))
        table.add_row(*row("a process each", a_process_each(prepared, own_process, seconds)))
    finally:
        shutil.rmtree(prepared.parent)
    console = Console(width=120)
    console.print(table)
    console.print(
        f"Load of the machine when this began: {load:.1f}; {os.cpu_count()} cores, shared with the server."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="1 and 10 people, 5 seconds")
    parser.add_argument("--people", default="1,10,50,100")
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    counts = [1, 10] if given.quick else [int(part) for part in given.people.split(",")]
    main(counts, 5 if given.quick else given.seconds, 2 if given.quick else 10)
