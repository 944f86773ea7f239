"""Measures what a request costs at the API: processor, rate and p99, beside other commits and beside the bare database.

Each server has one core to itself and the callers the other. A commit to compare with is a folder in which it is checked
out; it runs with the packages of this one. First one caller, with few and with many people waiting; then sixteen who
register without a pause, without the journal and with it. Last the same rows written by plain SQLite and by bare Peewee,
which is what the disk and the processor give at most.

    python -m bench.request_costs [--beside FOLDER ...] [--journal FOLDER] [--waiting 10 100 1000] [--seconds 8]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import apsw
import httpx
import peewee

from bench.counter.clinic import MANY_OF_ONE_ACCOUNT
from bench.intervals import p99_of
from bench.servers import demo_of
from tests.people import Caller, registration
from tests.ports import free_port

HERE = Path(__file__).parents[1]
REPEATS = 60  # requests of each kind by one caller
CALLERS = 16
WITHOUT_BPJS = {"LOKET_BPJS_URL": "http://127.0.0.1:9"}
"""Keeps the demo from starting a made-up BPJS, which older commits have not and which answers within the server."""
CLUSTER, ELSEWHERE = "GIGI", "UMUM"
TICK = os.sysconf("SC_CLK_TCK")
ROW_BYTES = 400  # of a bare row: about what a registration's own rows hold


@dataclass
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    def processor(self) -> float:
        """Return the processor's seconds that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def served(checkout: Path, journal: Path | None = None) -> Iterator[Served]:
    """Run the demo clinic of a checkout on the first core until the block ends.

    Args:
        checkout: Folder of the commit.
        journal: Folder of the second place; None: without the journal.
    """
    port = free_port()
    more = {**MANY_OF_ONE_ACCOUNT, **WITHOUT_BPJS, **({"LOKET_JOURNAL_DIR": str(journal)} if journal else {})}
    with demo_of(checkout, port, more=more, before=("taskset", "-c", "0")) as process:
        yield Served(f"http://127.0.0.1:{port}", process)


@dataclass(frozen=True)
class Cost:
    """The cost of a kind of request."""

    processor_ms: float
    median_ms: float
    p99_ms: float


def one_caller(server: Served, requests: dict[str, Callable[[int], httpx.Response]]) -> dict[str, Cost]:
    """Send each kind of request `REPEATS` times, one after the other; return what each cost.

    Args:
        server: The server.
        requests: Name -> sends one, given its number.
    """
    costs = {}
    for name, send in requests.items():
        began = server.processor()
        taken = []
        for number in range(REPEATS):
            before = time.perf_counter()
            answer = send(number)
            taken.append((time.perf_counter() - before) * 1000)
            assert answer.status_code in {200, 201}, answer.text
        used = (server.processor() - began) / REPEATS * 1000
        costs[name] = Cost(used, median(taken), p99_of(taken))
    return costs


class Queue:
    """A cluster's queue with a number of people who wait, and the requests that are measured in it."""

    def __init__(self, url: str) -> None:
        self.clerk, self.dentist = Caller(url, "clerk"), Caller(url, "dentist")
        self.known: list[str] = []
        """Ids of patients who wait elsewhere."""
        self.called: list[str] = []
        """Ids of entries."""

    def fill(self, waiting: int) -> None:
        """Register so many people, and elsewhere those who will return."""
        for _ in range(waiting):
            self.clerk.registered()
        for _ in range(REPEATS):
            receipt = self.clerk.registered(cluster=ELSEWHERE, chief_complaint="batuk pilek")
            self.known.append(receipt["patient_id"])

    def requests(self) -> dict[str, Callable[[int], httpx.Response]]:
        """Return name -> sends one; calls leave as many waiting as registrations brought."""
        return {
            "register, new": lambda _number: self.clerk.register(),
            "register, returning": self._again,
            "call next": lambda _number: self._call(),
            "start": lambda number: self.dentist.act(self.called[number], "start"),
            "finish": lambda number: self.dentist.act(self.called[number], "finish"),
            "read pane": lambda _number: self.dentist.get(f"queues/{CLUSTER}"),
        }

    def _again(self, number: int) -> httpx.Response:
        body = registration(patient_id=self.known[number])
        del body["duplicate_decision"]
        return self.clerk.post("registrations", json=body)

    def _call(self) -> httpx.Response:
        answer = self.dentist.post(f"queues/{CLUSTER}/call-next", json={})
        if answer.status_code == 200:
            self.called.append(answer.json()["id"])
        return answer


def many_callers(server: Served, seconds: float) -> tuple[float, float, float]:
    """Let sixteen register without a pause; return registrations a second, processor ms of each, p99 in ms."""
    callers = [Caller(server.url, "clerk") for _ in range(CALLERS)]
    taken: list[float] = []
    until = time.monotonic() + seconds

    def register(caller: Caller) -> None:
        while time.monotonic() < until:
            before = time.perf_counter()
            caller.registered()
            taken.append((time.perf_counter() - before) * 1000)

    began, clock = server.processor(), time.monotonic()
    threads = [threading.Thread(target=register, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.monotonic() - clock
    return len(taken) / lasted, (server.processor() - began) / len(taken) * 1000, p99_of(taken)


def bare(seconds: float) -> list[tuple[str, float]]:
    """Return the commits a second of a row of a registration's size, synced, by plain SQLite and by bare Peewee."""
    with tempfile.TemporaryDirectory() as folder:
        plain = apsw.Connection(f"{folder}/plain.db")
        _prepare(plain.execute)

        def by_sqlite() -> None:
            with plain:
                plain.execute("INSERT INTO row (text) VALUES (?)", ("x" * ROW_BYTES,))

        kept = peewee.SqliteDatabase(f"{folder}/peewee.db")
        _prepare(kept.execute_sql)

        class Row(peewee.Model):
            """A row without meaning."""

            text = peewee.TextField()

            class Meta:
                """In the bench's own file."""

                database = kept

        def by_peewee() -> None:
            with kept.atomic():
                Row.create(text="x" * ROW_BYTES)

        return [("plain SQLite", _rate(by_sqlite, seconds)), ("bare Peewee", _rate(by_peewee, seconds))]


def _prepare(execute: Callable[[str], Any]) -> None:
    execute("PRAGMA journal_mode = wal")
    execute("PRAGMA synchronous = full")
    execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")


def _rate(commit: Callable[[], None], seconds: float) -> float:
    number, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        commit()
        number += 1
    return number / (time.monotonic() - began)


def table(checkouts: list[Path], waiting: list[int]) -> None:
    """Print what each request costs one caller, per commit and number of people waiting."""
    print(
        f"{'commit':>10} {'waiting':>8}  {'request':20} {'processor ms':>12} {'median ms':>10} {'p99 ms':>8}"
    )
    for number in waiting:
        for checkout in checkouts:
            with served(checkout) as server:
                queue = Queue(server.url)
                queue.fill(number)
                for name, cost in one_caller(server, queue.requests()).items():
                    print(
                        f"{name_of(checkout):>10} {number:>8}  {name:20} {cost.processor_ms:>12.1f}"
                        f" {cost.median_ms:>10.1f} {cost.p99_ms:>8.1f}",
                        flush=True,
                    )


def name_of(checkout: Path) -> str:
    """Return the short hash of what is checked out."""
    shown = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="folders of other commits")
    parser.add_argument("--journal", type=Path, help="a folder on another file system")
    parser.add_argument("--waiting", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--seconds", type=float, default=8)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the first core is the server's
    checkouts = [*chosen.beside, HERE]
    table(checkouts, chosen.waiting)
    print(
        f"\n{CALLERS} callers register without a pause\n{'commit':>22} {'a second':>9} {'processor ms':>13} {'p99 ms':>8}"
    )
    runs: list[tuple[Path, Path | None]] = [(checkout, None) for checkout in checkouts]
    if chosen.journal:
        runs.append((HERE, chosen.journal))
    for checkout, journal in runs:
        with served(checkout, journal) as server:
            rate, processor, p99 = many_callers(server, chosen.seconds)
        name = f"{name_of(checkout)}{', journal' if journal else ''}"
        print(f"{name:>22} {rate:>9.1f} {processor:>13.1f} {p99:>8.0f}", flush=True)
    for name, rate in bare(chosen.seconds / 4):
        print(f"{name:>22} {rate:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
