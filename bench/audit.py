"""Measures the audit logs: verifying them, finding what was tampered with, and what a request pays for its row.

    python bench/audit.py [--rows 1000000] [--requests 300] [--only cost] [--beside FOLDER]

* "verify": the log of changes is filled with rows in a true chain (keyed hashes, one batch after the other) and
  verified by the function behind `loket audit verify`; time, rows a second and this process's peak memory are
  printed.
* "tamperings": each way of the tests' list is tried on a clinic of its own, with another program and the triggers
  taken off; all have to be found.
* "cost": the same requests are sent one after the other to a real server, in turns with rows written and with
  writing them left out, so that both see the same machine. p50 and p99 in milliseconds, and the ratio; CPU milliseconds
  of a request (server and caller are one process), which others on the machine change less.
* "beside", with a folder that has another commit checked out: the same searches are sent in turns to that commit's
  server and to this one's, both with the same patients; p50 and p99, CPU milliseconds of the server alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
        begun = time.perf_counter()
        report = audit_check.verify()
        took = time.perf_counter() - begun
        database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'rows':>12} {'filled s':>9} {'verified s':>11} {'rows/s':>9} {'peak MiB':>9} {'problems':>9}")
    speed = report.rows / took
    print(f"{report.rows:12,} {filled:9.1f} {took:11.1f} {speed:9,.0f} {peak:9.0f} {len(report.problems):9}")


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


def cost(requests: int) -> None:
    """Print what a search and a card cost with and without their row."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        with Background(settings, demo=True) as server, Caller(server.url, "clerk") as clerk:
            patient = clerk.registered()["patient_id"]
            print(
                f"{'request':16} {'without p50':>12} {'p99':>7} {'with p50':>9} {'p99':>7} {'p99 ratio':>10}"
                f" {'CPU without':>12} {'with':>7} {'ratio':>6}"
            )
            for name, path, params in (
                ("search", "patients", {"q": "siti"}),
                ("last patients", "patients/recent", {}),
                ("card", f"patients/{patient}", {}),
                ("pane", "queues/GIGI", {}),
            ):
                _print_cost(name, lambda p=path, q=params: clerk.get(p, params=q), requests)  # type: ignore[misc]


def _print_cost(name: str, ask: Callable[[], object], requests: int) -> None:
    without, with_rows = [], []
    for _ in range(requests):
        with unwritten():
            without.append(_timed(ask))
        with_rows.append(_timed(ask))
    times = [[wall for wall, _cpu in taken] for taken in (without, with_rows)]
    (low, high), (low_with, high_with) = map(_p50_p99, times)
    cpu, cpu_with = (statistics.mean(cpu for _wall, cpu in taken) for taken in (without, with_rows))
    print(
        f"{name:16} {low:12.1f} {high:7.1f} {low_with:9.1f} {high_with:7.1f} {high_with / high:10.2f}"
        f" {cpu:12.2f} {cpu_with:7.2f} {cpu_with / cpu:6.2f}"
    )


def beside(checkout: Path, requests: int) -> None:
    """Print what a search costs here and at another commit; the older audits it in its own way.

    Args:
        checkout: Folder with the other commit.
        requests: Searches of each.
    """
    here = Path(__file__).parents[1]
    with ExitStack() as stack:
        asked = [_searcher(stack, folder) for folder in (checkout, here)]
        times: list[list[float]] = [[], []]
        used = [_cpu_seconds(pid) for pid, _ask in asked]
        for _ in range(requests):
            for taken, (_pid, ask) in zip(times, asked, strict=True):
                taken.append(_timed(ask)[0])
        used = [_cpu_seconds(pid) - before for before, (pid, _ask) in zip(used, asked, strict=True)]
    print(f"{'search at':16} {'p50 ms':>8} {'p99 ms':>8} {'server CPU ms':>14}")
    for folder, taken, cpu in zip((checkout, here), times, used, strict=True):
        low, high = _p50_p99(taken)
        print(f"{hostile.commit_of(folder):16} {low:8.1f} {high:8.1f} {cpu * 1000 / requests:14.2f}")
    (low, high), (low_here, high_here) = map(_p50_p99, times)
    print(f"{'ratio':16} {low_here / low:8.2f} {high_here / high:8.2f} {used[1] / used[0]:14.2f}")


def _searcher(stack: ExitStack, checkout: Path) -> tuple[int, Callable[[], object]]:
    """Start a checkout's demo with patients; return its process and a search."""
    http, ssh = hostile.free_port(), hostile.free_port()
    server = stack.enter_context(hostile.clinic(checkout, http, ssh))
    clerk = stack.enter_context(Caller(f"http://127.0.0.1:{http}", "clerk"))
    for number in range(PATIENTS):
        clerk.registered(patient=patient(name=f"Siti {LETTERS[number]}nisa"))
    return server.pid, lambda: clerk.get("patients", params={"q": "siti"}).raise_for_status()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds that a request took, by the clock and of the processor."""
    begun, used = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000


def _p50_p99(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=300)
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
