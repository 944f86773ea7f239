"""Measures what one of two servers on one PostgreSQL notices while the other one's line falls silent, or it is killed.

Starts a PostgreSQL of its own and two servers, each a process with its own data folder; the far one reaches the database
through a relay that can stop passing bytes on without closing anything. Prints how long the near one's saves take: both at
work, the far one's line silent in the middle of its saves, the far one killed; and how long it takes from a save at one until
its number stands in the change stream of the other.

    python -m bench.two_servers [--saves 40]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.e2e.terminals import DemoClinic
from tests.people import Caller, registration
from tests.postgres import cluster
from tests.server.silent_line import SilentLine

CLERKS_FAR = 4
UNTIL_SILENT_SECONDS = 1.0  # of saving at the far server, so that its line falls silent in the middle of one


class FarClerks:
    """Clerks who save at the far server without a pause."""

    def __init__(self, url: str) -> None:
        self._ending = threading.Event()
        self._callers = [Caller(url, "clerk") for _ in range(CLERKS_FAR)]
        self._threads = [
            threading.Thread(target=self._save, args=(caller,), daemon=True) for caller in self._callers
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let each finish its save."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _save(self, caller: Caller) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(httpx.HTTPError):
                caller.post("registrations", json=registration(), timeout=3)


def saves(clerk: Caller, number: int) -> list[float]:
    """Seconds of each save, longest waits included."""
    taken = []
    for _ in range(number):
        began = time.monotonic()
        assert clerk.register().status_code == 201
        taken.append(time.monotonic() - began)
    return taken


def until_on_the_stream(clerk: Caller, other: Caller, number: int) -> list[float]:
    """Seconds from sending a save at one server until the other's stream has it."""
    taken = []
    arrived: dict[int, float] = {}
    news = threading.Condition()

    def follow(lines: Iterator[str]) -> None:
        with contextlib.suppress(httpx.HTTPError):
            for line in lines:
                if line.startswith("id: "):
                    with news:
                        arrived[int(line[4:])] = time.monotonic()
                        news.notify_all()

    with other.stream("GET", "changes", params={"after": 0}, timeout=None) as stream:
        threading.Thread(target=follow, args=(stream.iter_lines(),), daemon=True).start()
        for _ in range(number):
            began = time.monotonic()
            sequence = clerk.registered()["sequence"]
            with news:
                while sequence not in arrived:
                    news.wait(30)
            taken.append(arrived[sequence] - began)
    return taken


def row(name: str, taken: list[float]) -> None:
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:58} {len(taken):5} {ordered[len(ordered) // 2]:8.3f} {p99:8.3f} {ordered[-1]:8.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=40)
    number = parser.parse_args().saves
    for name in [name for name in os.environ if name.startswith("LOKET_")]:
        del os.environ[name]
    folder = Path(tempfile.mkdtemp())
    homes = [folder / name / "home" for name in ("near", "far")]
    for home in homes:
        home.parent.mkdir()
    with cluster() as url:
        database = f"{url}postgres"
        line = SilentLine(database)
        far = DemoClinic(homes[1], LOKET_DATABASE_URL=line.through(database))
        with DemoClinic(homes[0], LOKET_DATABASE_URL=database) as near:
            far.start()
            print(f"{'seconds':58} {'n':>5} {'median':>8} {'p99':>8} {'max':>8}")
            with Caller(near.url, "clerk") as clerk, Caller(far.url, "dentist") as dentist:
                row(
                    "save at one until the other's stream has it", until_on_the_stream(clerk, dentist, number)
                )
                row("save at one, the other idle", saves(clerk, number))
                clerks = FarClerks(far.url)
                time.sleep(UNTIL_SILENT_SECONDS)
                row(f"save at one, {CLERKS_FAR} clerks save at the other", saves(clerk, number))
                line.fall_silent()
                row("save at one, the other's line silent since the first", saves(clerk, number))
                line.come_back()
                time.sleep(UNTIL_SILENT_SECONDS)
                far.process.kill()
                row("save at one, the other killed with -9 under load", saves(clerk, number))
                clerks.end()
        line.close()


if __name__ == "__main__":
    main()
