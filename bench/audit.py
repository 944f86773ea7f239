"""Measures the audit logs: verifying them, finding what was tampered with, and what a request pays for its row.

    python bench/audit.py [--rows 1000000] [--requests 1000] [--only cost] [--beside FOLDER]

* "verify": the log of changes is filled with rows in a true chain (keyed hashes, one batch after the other) and
  verified by the function behind `loket audit verify`; time, rows a second and this process's peak memory are
  printed.
* "tamperings": each way of the tests' list is tried on a clinic of its own, with another program and the triggers
  taken off; all have to be found.
* "cost": the same requests are sent one after the other to a real server, in small blocks with rows written and with
  writing them left out, so that both see the same machine. Milliseconds by the clock, and of the processor (server
  and caller are one process), which others on the machine change less; the ratio at p99 with what chance alone gives.
* "beside", with a folder that has another commit checked out: the same requests are sent in small blocks to that
  commit's server and to this one's, both with the same patients; the processor's milliseconds are the servers' alone.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import hostile
from core.accounts import service as accounts
from core.foundation import audit, audit_check, audit_reads, clock
from core.foundation.audit_chain import EMPTY, chained
from core.foundation.audit_files import Head
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection, database, document_text, instant_text
from core.foundation.permissions import actor_of
from server.run import Background
from tests.core.foundation.test_audit_chain import TAMPERINGS, behind
from tests.people import Caller, patient

BATCH = 20_000  # rows
BLOCK = 5  # requests of one side before it is the other's turn
DRAWS = 1000  # of the requests that were sent, to see what chance gives
LETTERS = "AEIOURMKSTLN"
"""First letters of the names that are sought."""
PATIENTS = len(LETTERS)
COLUMNS = (
    "sequence", "at", "account_id", "origin", "action", "kind", "target", "patient_id", "detail", "record_version",
    "record_hash", "previous_hash", "hash",
)  # fmt: skip


def fill(rows: int) -> None:
    """Append rows to the log of changes as fast as SQLite takes them."""
    key, head = audit.chain()
    opened = database.connection()
    sequence, previous = audit.last_row()
    marks = ", ".join("?" * len(COLUMNS))
    statement = f"INSERT INTO audit_event ({', '.join(COLUMNS)}) VALUES ({marks})"
    for begin in range(0, rows, BATCH):
        values = [_row(number) for number in range(begin, min(rows, begin + BATCH))]
        events = chained(key, values, sequence, previous)
        sequence, previous = events[-1]["sequence"], events[-1]["hash"]
        opened.execute("BEGIN")
        opened.executemany(statement, [tuple(_stored(event, name) for name in COLUMNS) for event in events])
        opened.execute("COMMIT")
    head.replace(Head(sequence, previous))


def _row(number: int) -> dict[str, object]:
    return {
        **EMPTY,
        "at": clock.now(),
        "account": None,
        "origin": "bench",
        "action": "entry_call",
        "kind": "queue_entry",
        "target": f"entry-{number}",
        "patient_id": f"patient-{number % 30_000}",
        "detail": {"place": number},
    }


def _stored(event: dict[str, object], name: str) -> object:
    value = event["account" if name == "account_id" else name]
    if name == "at":
        return instant_text(event["at"])  # type: ignore[arg-type]
    return document_text(value) if name == "detail" else value


def verify(rows: int) -> None:
    """Print how long the whole log takes, and how much memory."""
    with tempfile.TemporaryDirectory() as folder:
        Clinic.open(Settings(home=Path(folder) / "home"))
        begun = time.perf_counter()
        with connection():
            fill(rows)
        filled = time.perf_counter() - begun
        begun, used = time.perf_counter(), time.process_time()
        report = audit_check.verify()
        took, used = time.perf_counter() - begun, time.process_time() - used
        database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{'rows':>12} {'filled s':>9} {'verified s':>11} {'CPU s':>7} {'rows/s':>9} {'peak MiB':>9} {'problems':>9}"
    )
    speed = report.rows / took
    print(
        f"{report.rows:12,} {filled:9.1f} {took:11.1f} {used:7.1f} {speed:9,.0f} {peak:9.0f} {len(report.problems):9}"
    )


def tamperings() -> None:
    """Print each way of tampering and what finds it."""
    for name, (how, expected) in TAMPERINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            Clinic.open(Settings(home=home))
            _fill_by_sari()
            database.close()
            found = _tampered(home, how)
            database.close()
        print(f"{name:45} {'found' if expected in found else 'NOT FOUND':10} {', '.join(sorted(found))}")


def _fill_by_sari() -> None:
    """Make the clerk whom the list of tamperings names, and rows of hers."""
    account = accounts.create_account("sari", "Sari", Role.CLERK, "panjang sekali 1")
    sari = actor_of(account)
    for number in range(20):
        audit.record(sari, "entry_call", "queue_entry", f"entry-{number}", "patient-1", place=number)


def _tampered(home: Path, how: Callable[[Path], None] | tuple[str, ...]) -> set[str]:
    """Return the problems that are found after one way of tampering, with the log opened again."""
    if callable(how):
        how(home)
    elif how:
        behind(home, *how)
    Clinic.open(Settings(home=home))
    if not how:
        database.execute_sql("DROP TRIGGER audit_event_no_delete")
    return {problem.code for problem in audit_check.verify().problems}


@contextmanager
def unwritten() -> Iterator[None]:
    """Leave the rows of reads out."""
    write = audit_reads.ReadLog.write
    audit_reads.ReadLog.write = lambda *_arguments, **_named: None  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        audit_reads.ReadLog.write = write  # type: ignore[method-assign]


@dataclass
class Side:
    """One of two sides that are asked in turns."""

    name: str
    ask: Callable[[], object]
    used: Callable[[], float]
    """Gives the processor seconds that it has used so far."""
    wall: list[float] = field(default_factory=list)
    """Milliseconds of each request by the clock."""
    processor: list[float] = field(default_factory=list)
    """Milliseconds of the processor."""

    def ask_once(self) -> None:
        """Send one request and keep what it took."""
        begun, used = time.perf_counter(), self.used()
        self.ask()
        self.wall.append((time.perf_counter() - begun) * 1000)
        self.processor.append((self.used() - used) * 1000)


def compare(name: str, first: Side, second: Side, requests: int) -> None:
    """Ask both sides in small blocks, now one first and now the other, and print what they took.

    Args:
        name: What is asked for.
        first: What the second is compared with.
        second: The other.
        requests: Requests of each.
    """
    for number in range(-(-requests // BLOCK)):
        for side in (first, second) if number % 2 else (second, first):
            for _ in range(BLOCK):
                side.ask_once()
    for side in (first, second):
        low, high = _p50_p99(side.wall)
        processor = statistics.mean(side.processor), *_p50_p99(side.processor)
        print(
            f"{name:14} {side.name:16} {low:8.2f} {high:8.2f} "
            + " ".join(f"{each:8.2f}" for each in processor)
        )
    middle, ends = _ratio(first.wall, second.wall), _ratio_between(first.wall, second.wall)
    processor = _ratio(first.processor, second.processor)
    mean = statistics.mean(second.processor) / statistics.mean(first.processor)
    print(
        f"{name:14} {'ratio':16} {middle[0]:8.2f} {middle[1]:8.2f} {mean:8.2f} {processor[0]:8.2f} {processor[1]:8.2f}"
        f"   p99 by the clock: {ends[0]:.2f} to {ends[1]:.2f} in 95 of 100 draws"
    )


def _ratio(first: list[float], second: list[float]) -> tuple[float, float]:
    """Return the second's p50 and p99, as multiples of the first's."""
    (low, high), (low_second, high_second) = _p50_p99(first), _p50_p99(second)
    return low_second / low, high_second / high


def _ratio_between(first: list[float], second: list[float]) -> tuple[float, float]:
    """Return between which values the ratio at p99 lies when the requests are drawn again from those that were sent."""
    chance = random.Random(1)
    drawn = sorted(
        _ratio(chance.choices(first, k=len(first)), chance.choices(second, k=len(second)))[1]
        for _ in range(DRAWS)
    )
    return drawn[round(DRAWS * 0.025)], drawn[round(DRAWS * 0.975) - 1]


def _print_head() -> None:
    print(
        f"{'request':14} {'side':16} {'p50 ms':>8} {'p99 ms':>8} {'CPU mean':>8} {'CPU p50':>8} {'CPU p99':>8}"
    )


def cost(requests: int) -> None:
    """Print what each kind of reading costs with and without its row."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        with Background(settings, demo=True) as server, Caller(server.url, "clerk") as clerk:
            patient = clerk.registered()["patient_id"]
            _print_head()
            for name, path, params in (
                ("search", "patients", {"q": "siti"}),
                ("last patients", "patients/recent", {}),
                ("card", f"patients/{patient}", {}),
                ("pane", "queues/GIGI", {}),
            ):
                asked: Callable[[], object] = partial(_good, clerk, path, params)
                without = Side("without rows", _without_rows(asked), time.process_time)
                compare(name, without, Side("with rows", asked, time.process_time), requests)


def _without_rows(ask: Callable[[], object]) -> Callable[[], object]:
    def asked() -> object:
        with unwritten():
            return ask()

    return asked


def _good(caller: Caller, path: str, params: dict[str, str]) -> None:
    caller.get(path, params=params).raise_for_status()


def beside(checkout: Path, requests: int) -> None:
    """Print what a search and a card cost here and at another commit; the older audits them in its own way.

    Args:
        checkout: Folder with the other commit.
        requests: Requests of each.
    """
    here = Path(__file__).parents[1]
    with ExitStack() as stack:
        clinics = [_served(stack, folder) for folder in (checkout, here)]
        _print_head()
        for name in ("search", "card", "pane"):
            sides = [
                Side(hostile.commit_of(folder), asks[name], partial(_cpu_seconds, pid))
                for folder, (pid, asks) in zip((checkout, here), clinics, strict=True)
            ]
            compare(name, sides[0], sides[1], requests)


def _served(stack: ExitStack, checkout: Path) -> tuple[int, dict[str, Callable[[], object]]]:
    """Start a checkout's demo with patients; return its process, and name -> sends one request."""
    http, ssh = hostile.free_port(), hostile.free_port()
    server = stack.enter_context(hostile.clinic(checkout, http, ssh))
    clerk = stack.enter_context(Caller(f"http://127.0.0.1:{http}", "clerk"))
    for number in range(PATIENTS):
        clerk.registered(patient=patient(name=f"Siti {LETTERS[number]}nisa"))
    known = clerk.get("patients", params={"q": "siti"}).json()[0]["id"]
    asks: dict[str, Callable[[], object]] = {
        "search": partial(_good, clerk, "patients", {"q": "siti"}),
        "card": partial(_good, clerk, f"patients/{known}", {}),
        "pane": partial(_good, clerk, "queues/GIGI", {}),
    }
    return server.pid, asks


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process's threads have used; those that ended are left out."""
    used = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            used += int((thread / "schedstat").read_text().split()[0])
    return used / 1_000_000_000  # nanoseconds


def _p50_p99(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--only", choices=["tamperings", "cost", "verify"])
    parser.add_argument(
        "--beside", type=Path, help="a folder with another commit checked out: nothing else is measured"
    )
    options = parser.parse_args()
    if options.beside:
        beside(options.beside.resolve(), options.requests)
        return
    if options.only in {None, "tamperings"}:
        tamperings()
    if options.only in {None, "cost"}:
        cost(options.requests)
    if options.only in {None, "verify"}:
        verify(options.rows)


if __name__ == "__main__":
    main()
