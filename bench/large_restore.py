"""Measures how long a large clinic's restore takes: a base on the second place and a day's journal after it.

A small clinic is recorded by its own code and multiplied within the database, with as many rows of the audit log and the feed
a visit as a real day leaves; then a backup is made, a day is recorded into the journal, and `loket restore` brings all
back on an empty data folder. Prints wall time, processor time and the machine's load.

    python -m bench.large_restore [--patients 100000] [--visits 3] [--day 150] [--data FOLDER] [--place FOLDER]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from core.daily import backup
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.journal import attachment
from tests.core.days import Days

ROOT = Path(__file__).parents[1]
DAY = date(2026, 3, 2)
SMALL = 1000
"""Patients that are recorded by Loket's own code; the others are made of them."""
OF_A_VISIT = {"audit_event": 8, "change": 5}
"""Rows that a visit leaves besides its own, as counted in the demo's morning."""
BY_VISIT = ("visit", "ticket", "queue_entry", "encounter", "diagnosis", "prescription", "order")


def columns_of(table: str) -> list[str]:
    return [str(row[1]) for row in database.execute_sql(f'PRAGMA table_info("{table}")').fetchall()]


def other(column: str, tail: str) -> str:
    """Return an expression for another id in the place of an id of the small clinic."""
    return f"CASE WHEN {column} IN (SELECT id FROM small) THEN substr({column}, 1, 28) || '{tail}' ELSE {column} END"


def multiplied(table: str, patient: int, visit: int) -> None:
    """Copy the small clinic's rows of a table for other people, and for another visit of theirs."""
    people, visits = f"{patient:04x}0000", f"{patient:04x}{visit:04x}"
    values = []
    for name in columns_of(table):
        quoted = f'"{name}"'
        if name == "patient_id" or (table == "patient" and name.endswith("id")):
            values.append(other(quoted, people))
        elif name == "id" or name.endswith("_id"):
            values.append(other(quoted, visits))
        elif name == "service_on":
            values.append(f"date({quoted}, '-{patient * 10 + visit + 1} days')")
        elif name in {"medical_record_number", "nik", "bpjs_number"}:
            values.append(
                f"CASE WHEN {quoted} IS NULL THEN NULL ELSE substr({quoted}, 1, 6) || printf('%07d', rowid + {patient * SMALL * 2}) END"
            )
        else:
            values.append(quoted)
    database.execute_sql(
        f'INSERT INTO "{table}" SELECT {", ".join(values)} FROM "{table}" WHERE id IN (SELECT id FROM small)'
    )


def fill(clinic: Clinic, patients: int, visits: int) -> None:
    with connection():
        days = Days(clinic, seed=1)
        with transaction():
            for _ in range(SMALL):
                days.visit(DAY)
        database.execute_sql("CREATE TEMP TABLE small (id TEXT PRIMARY KEY)")
        for table in ("patient", *BY_VISIT):
            database.execute_sql(f'INSERT INTO small SELECT id FROM "{table}"')
        for patient in range(1, patients // SMALL):
            with transaction():
                multiplied("patient", patient, 0)
                for visit in range(visits):
                    for table in BY_VISIT:
                        multiplied(table, patient, visit)
        with transaction():
            for table, number in OF_A_VISIT.items():
                add_rows(table, number)


def add_rows(table: str, number: int) -> None:
    """Give each visit its rows of the audit log or of the feed; hashes are made up and as long as real ones."""
    rows = f"FROM visit, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT i FROM n)"
    if table == "change":
        values = '(\'entry\', \'UMUM\', visit.id, \'{"status": "waiting", "action": "call", "number": "A-001"}\', visit.started_at)'
        names = "kind, cluster, visit_id, data, at"
    else:
        hashes = "lower(hex(randomblob(32))), lower(hex(randomblob(32)))"
        values = f"(visit.started_at, visit.registered_by_id, '127.0.0.1', 'encounter_saved', 'visit', visit.id, visit.patient_id, '{{\"fields\": [\"subjective\", \"vitals\"]}}', {hashes}, 1)"
        names = "at, account_id, origin, action, kind, target, patient_id, detail, previous_hash, hash, record_version"
    database.execute_sql(f"INSERT INTO {table} ({names}) SELECT {values[1:-1]} {rows}")


@contextmanager
def told(what: str) -> Iterator[None]:
    began, before = time.perf_counter(), processor_seconds()
    yield
    spent = processor_seconds() - before
    print(
        f"{what:44} {time.perf_counter() - began:8.1f} s, {spent:7.1f} s of processor, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def processor_seconds() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--patients", type=int, default=100_000)
    arguments.add_argument("--visits", type=int, default=3, help="of each")
    arguments.add_argument("--day", type=int, default=150, help="visits in the journal")
    arguments.add_argument("--data", type=Path, default=Path("/var/tmp"))
    arguments.add_argument("--place", type=Path, default=Path("/var/tmp"))
    chosen = arguments.parse_args()
    for name in [name for name in os.environ if name.startswith("LOKET_")]:
        del os.environ[name]
    with (
        tempfile.TemporaryDirectory(prefix="loket-large-", dir=chosen.data) as first,
        tempfile.TemporaryDirectory(prefix="loket-place-", dir=chosen.place) as place,
    ):
        measure(Path(first), Path(place), chosen)


def measure(first: Path, place: Path, chosen: argparse.Namespace) -> None:
    home = first / "home"
    clinic = Clinic.open(Settings(home=home))
    key = first / "key"
    key.write_text(backup.create_recovery_key(home))
    with told("the clinic is made"):
        fill(clinic, chosen.patients, chosen.visits)
    database.close()
    file = home / "loket.sqlite3"
    clinic = Clinic.open(Settings(home=home, journal_dir=str(place)))
    with connection():
        counts = [
            database.execute_sql(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
            for table in ("patient", "visit", "audit_event")
        ]
    print(
        f"{counts[0]} patients, {counts[1]} visits, {counts[2]} rows of the audit log, {file.stat().st_size / 2**30:.2f} GB"
    )
    with told("the backup, proven"):
        made = backup.make(clinic)
    print(f"  {made.bytes / 2**20:.0f} MiB; {made.problems}")
    with told(f"{chosen.day} visits into the journal"), connection():
        days = Days(clinic, seed=7)
        for _ in range(chosen.day):
            with transaction():
                days.visit(DAY)
    attachment.detach()
    database.close()
    environment = {**os.environ, "LOKET_HOME": str(first / "fresh"), "PYTHONPATH": str(ROOT)}
    words = [
        sys.executable,
        "-m",
        "server.cli",
        "restore",
        str(place),
        "--key",
        str(key),
        "--because",
        "the disk died",
        "--yes",
    ]
    with told("loket restore on an empty data folder"):
        done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout[-400:], done.stderr[-400:])


if __name__ == "__main__":
    main()
