"""Measures the import of a patient list, and its effect on the counters.

    python bench/import_list.py [--rows 60000] [--postgres URL]

A fictitious list (`bench/people.py`; one row in twenty repeats a person, dates in several spellings, NIK and
phone often missing) is brought in by the real command, `loket import patients LIST --yes`, while the demo
clinic's server runs on the same database and one counter registers a patient every half second. Saves are
timed before and during the import, side by side in one run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.people import UNSEEN, Record, again, households
from core.foundation.config import Settings
from server.run import Background
from tests.people import Caller

PAUSE_SECONDS = 0.5
HEADINGS = (
    "No RM",
    "Nama Pasien",
    "JK",
    "Tgl Lahir",
    "NIK",
    "No BPJS",
    "No KK",
    "Nama Ibu",
    "No HP",
    "Alamat",
)


def write_list(file: Path, rows: int) -> None:
    """Write a list as a clinic exports it."""
    chance = random.Random(7)
    people: list[Record] = households(7, rows * 19 // 20)
    people += [again(record, UNSEEN, chance) for record in chance.sample(people, rows // 20)]
    chance.shuffle(people)
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow(HEADINGS)
        for number, record in enumerate(people[:rows], 1):
            person = record.written
            year, month, day = person.birth_date.split("-")
            born = chance.choice((f"{day}-{month}-{year}", f"{day}/{month}/{year}", person.birth_date))
            writer.writerow(
                (
                    number, person.name, "L" if person.sex == "male" else "P", born,
                    person.nik if chance.random() < 0.7 else "", person.bpjs_number or "",
                    person.family_card_number or "", person.mother_name, person.phone, person.address,
                )
            )  # fmt: skip


def save(clerk: Caller) -> float:
    """Return the milliseconds until a registration has its receipt."""
    started = time.perf_counter()
    clerk.registered()
    return (time.perf_counter() - started) * 1000


def said(times: list[float]) -> str:
    """Return the percentiles of the saves as text."""
    ordered = sorted(times)
    return (
        f"{len(ordered):4d} saves  p50 {ordered[len(ordered) // 2]:6.1f}"
        f"  p99 {ordered[int(len(ordered) * 0.99)]:6.1f}  longest {ordered[-1]:6.1f} ms"
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rows", type=int, default=60_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.csv"
        write_list(file, given.rows)
        home = Path(folder) / "home"
        with Background(Settings(home=home)) as server, Caller(server.url, "clerk") as clerk:
            before = []
            for _ in range(40):
                before.append(save(clerk))
                time.sleep(PAUSE_SECONDS / 5)
            for dry, arguments in ((True, ["--dry-run"]), (False, [])):
                command = [
                    sys.executable,
                    "-m",
                    "server.cli",
                    "import",
                    "patients",
                    str(file),
                    "--yes",
                    "--json",
                ]
                started, during = time.perf_counter(), []
                process = subprocess.Popen(
                    [*command, *arguments, *([] if dry else ["--tried"])],
                    env={**os.environ, "LOKET_HOME": str(home)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=Path(__file__).parent.parent,
                )
                while process.poll() is None:
                    during.append(save(clerk))
                    time.sleep(PAUSE_SECONDS)
                seconds = time.perf_counter() - started
                assert process.stdout is not None
                report = json.loads(process.stdout.read())
                print(
                    f"{'dry run' if dry else 'stored '}  {given.rows:,} rows in {seconds:.0f} s,"
                    f" {given.rows / seconds:.0f} a second: {report['taken']} taken, {report['merged']} merged,"
                    f" {report['set_aside']} set aside"
                )
                print(f"  before  {said(before)}\n  during  {said(during)}")


if __name__ == "__main__":
    main()
