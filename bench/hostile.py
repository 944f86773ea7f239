"""Measures a known counter's sign-in and pane while somebody attacks the clinic from another address.

Five attacks: 140 idle SSH connections that come back when they are closed, 105 channels of one account, 60 connections
that guess passwords of made-up names, 300 event streams of the waiting room's page, 500 half requests. During each, a
known counter signs in over SSH until its screen is there, and reads a pane over HTTP. All are on this machine; the
attacker's processes take their share of it. `--beside` measures another checkout's server with the same attacks in the
same run, one clinic after the other, and prints both in one table. A row takes at most `ROW_SECONDS` beyond its last
try: six rows of two checkouts stay within four minutes.

    python -m bench.hostile [--tries N] [--beside FOLDER] [--only NAME]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import httpx
from rich.console import Console
from rich.table import Table

from bench.servers import demo_of
from tests.ports import free_port

ATTACKER, COUNTER = "127.0.6.6", "127.0.0.9"
ACCOUNTS = ("dentist", "midwife", "doctor", "pharmacist")
SCREEN = b"Antrean saya"  # on their first screens
RECONNECT_SECONDS = 1.0  # of the attacker, whose processes are on this machine too
PAUSE_SECONDS = 3.0  # after an attack, for the server to let go
WARM_SECONDS = 3.0  # of attack before the first try
CHANNELS_WARM_SECONDS = 12.0  # until a hundred screens are started, where the door starts them
SIGN_IN_LIMIT, PANE_LIMIT = 2.0, 1.0  # seconds, promised
GIVEN_UP_SECONDS = 6.0  # a try that took so long has failed
ROW_SECONDS = 8.0  # no further try of a row after that
PANES = 3  # read after each sign-in


# -- the attacks, each in a process of its own ------------------------------------------------------


async def hold_open(port: int, number: int, said: bytes) -> None:
    """Keep so many connections that say this much and no more; open another for each that is closed."""

    async def one() -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ATTACKER, 0))
                writer.write(said)
                while await reader.read(4096):
                    pass
                writer.close()
            await asyncio.sleep(RECONNECT_SECONDS)

    await asyncio.gather(*(one() for _ in range(number)))


async def idle(http: int, ssh: int) -> None:
    await hold_open(ssh, 140, b"")


async def halves(http: int, ssh: int) -> None:
    await hold_open(http, 500, b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\n")


async def streams(http: int, ssh: int) -> None:
    await hold_open(http, 300, b"GET /display/events HTTP/1.1\r\nHost: x\r\n\r\n")


async def channels(http: int, ssh: int) -> None:
    async with asyncssh.connect(
        "127.0.0.1", ssh, username="lab", password="demo", known_hosts=None, client_keys=None,
        agent_path=None, config=None, local_addr=(ATTACKER, 0),
    ) as connection:  # fmt: skip
        opening = [connection.create_process(term_type="xterm", encoding=None) for _ in range(105)]
        await asyncio.gather(*opening, return_exceptions=True)
        await asyncio.Event().wait()


async def guesses(http: int, ssh: int) -> None:
    transport = httpx.AsyncHTTPTransport(local_address=ATTACKER, limits=httpx.Limits(max_connections=None))
    async with httpx.AsyncClient(transport=transport, timeout=120) as client:

        async def guess(number: int) -> None:
            while True:
                body = {"username": f"made-up-{number}-{time.monotonic_ns()}", "password": "wrong"}
                with contextlib.suppress(httpx.HTTPError):
                    await client.post(f"http://127.0.0.1:{http}/api/v1/tokens", json=body)

        await asyncio.gather(*(guess(number) for number in range(60)))


ATTACKS: dict[str, Callable[[int, int], Awaitable[None]]] = {
    "140 idle SSH connections": idle,
    "60 connections that guess": guesses,
    "300 event streams": streams,
    "500 half requests": halves,
    "105 channels of one account": channels,
}


# -- the clinic and its counter ---------------------------------------------------------------------


async def sign_in(ssh: int, username: str) -> float:
    """Return the seconds from the connection to the first screen."""
    began = time.monotonic()
    async with asyncio.timeout(GIVEN_UP_SECONDS):
        async with asyncssh.connect(
            "127.0.0.1", ssh, username=username, password="demo", known_hosts=None, client_keys=None,
            agent_path=None, config=None, local_addr=(COUNTER, 0),
        ) as connection:  # fmt: skip
            process = await connection.create_process(term_type="xterm", encoding=None)
            seen = b""
            while SCREEN not in seen:
                data = await process.stdout.read(4096)
                if not data:
                    raise ConnectionError("turned away")
                seen += data
            took = time.monotonic() - began
            connection.abort()
    return took


def pane(http: int, token: str) -> float:
    """Return the seconds in which a pane is read."""
    began = time.monotonic()
    transport = httpx.HTTPTransport(local_address=COUNTER)
    with httpx.Client(transport=transport, timeout=GIVEN_UP_SECONDS) as client:
        headers = {"Authorization": f"Bearer {token}"}
        client.get(f"http://127.0.0.1:{http}/api/v1/queues/GIGI", headers=headers).raise_for_status()
    return time.monotonic() - began


def token(http: int) -> str:
    transport = httpx.HTTPTransport(local_address=COUNTER)
    with httpx.Client(transport=transport, timeout=60) as client:
        body = {"username": "dentist", "password": "demo"}
        answer = client.post(f"http://127.0.0.1:{http}/api/v1/tokens", json=body)
        return str(answer.raise_for_status().json()["token"])


@dataclass
class Times:
    """The seconds that a row's tries took; one that failed took for ever."""

    sign_ins: list[float] = field(default_factory=list)
    panes: list[float] = field(default_factory=list)

    def is_kept(self) -> bool:
        """Return whether each try was as fast as promised."""
        return max(self.sign_ins) <= SIGN_IN_LIMIT and max(self.panes) <= PANE_LIMIT


def measured(http: int, ssh: int, holder: str, tries: int) -> Times:
    """Sign in and read panes, as often as asked or as the row's time allows.

    Each sign-in is another account's, so that none comes back to a session that it left.

    Args:
        http: Port of the core.
        ssh: Port of the door.
        holder: Token that reads the panes.
        tries: Sign-ins.
    """
    times = Times()
    until = time.monotonic() + ROW_SECONDS
    for number in range(tries):
        times.sign_ins.append(_sign_in_or_never(ssh, ACCOUNTS[number % len(ACCOUNTS)]))
        times.panes += [_pane_or_never(http, holder) for _ in range(PANES)]
        if time.monotonic() > until:
            break
    return times


def _sign_in_or_never(ssh: int, username: str) -> float:
    try:
        return asyncio.run(sign_in(ssh, username))
    except (OSError, TimeoutError, asyncssh.Error):
        return float("inf")


def _pane_or_never(http: int, holder: str) -> float:
    try:
        return pane(http, holder)
    except httpx.HTTPError:
        return float("inf")


def under(attack: str, http: int, ssh: int, holder: str, tries: int) -> Times:
    """Measure during an attack.

    Args:
        attack: Its name; empty: none.
        http: Port of the core.
        ssh: Port of the door.
        holder: Token that reads the panes.
        tries: Sign-ins.
    """
    if not attack:
        return measured(http, ssh, holder, tries)
    command = [sys.executable, "-m", "bench.hostile", "--attack", attack, "--ports", str(http), str(ssh)]
    attacker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(CHANNELS_WARM_SECONDS if ATTACKS[attack] is channels else WARM_SECONDS)
        return measured(http, ssh, holder, tries)
    finally:
        attacker.kill()
        attacker.wait()


def attacked(checkout: Path, names: list[str], tries: int) -> dict[str, Times]:
    """Return name of the attack -> times, of a checkout's own clinic.

    Args:
        checkout: Folder whose server is started.
        names: The attacks; an empty name is none.
        tries: Sign-ins during each.
    """
    http, ssh = free_port(), free_port()
    found: dict[str, Times] = {}
    with demo_of(checkout, http, ssh=ssh, more={}):
        holder = token(http)
        measured(http, ssh, holder, 1)
        for name in names:
            found[name] = under(name, http, ssh, holder, tries)
            time.sleep(PAUSE_SECONDS)
    return found


def main(checkouts: list[Path], tries: int, only: str) -> None:
    """Measure each checkout and print them beside each other."""
    names = ["", *(name for name in ATTACKS if only in name)]
    rows = [attacked(checkout, names, tries) for checkout in checkouts]
    table = Table(title=f"A known counter during attacks, up to {tries} sign-ins each (seconds; inf: never)")
    for column in (
        "attack",
        "checkout",
        "sign-in median",
        "worst",
        "failed",
        "pane median",
        "worst",
        "promise",
    ):
        table.add_column(column, justify="left" if column in {"attack", "checkout"} else "right")
    for name in names:
        for checkout, row in zip(checkouts, rows, strict=True):
            table.add_row(name or "none", commit_of(checkout), *_cells(row[name]))
        table.add_section()
    Console(width=120).print(table)


def _cells(times: Times) -> tuple[str, ...]:
    sign_ins, panes = sorted(times.sign_ins), sorted(times.panes)
    return (
        f"{sign_ins[len(sign_ins) // 2]:.2f}", f"{sign_ins[-1]:.2f}",
        f"{sign_ins.count(float('inf'))} of {len(sign_ins)}",
        f"{panes[len(panes) // 2]:.2f}", f"{panes[-1]:.2f}",
        "kept" if times.is_kept() else "broken",
    )  # fmt: skip


def commit_of(checkout: Path) -> str:
    """Return the short name of the commit that a folder has checked out; the folder's own where it has none."""
    asked = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or checkout.name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--beside", type=Path, help="a folder with another commit checked out")
    parser.add_argument("--only", default="")
    parser.add_argument("--attack", choices=list(ATTACKS), help=argparse.SUPPRESS)
    parser.add_argument("--ports", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.attack:
        asyncio.run(ATTACKS[given.attack](*given.ports))
    else:
        here = Path.cwd()
        main([given.beside.resolve(), here] if given.beside else [here], given.tries, given.only)
