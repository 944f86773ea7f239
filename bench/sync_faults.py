"""Checks that the office ends with exactly the clinic's set, whatever breaks on the way.

For each fault: three runs over a line that has it (most connections fail), then runs over a
whole line until both ends agree, at most three. Prints how often the fault was met, the runs it
took, and the records missing, different or extra at the office.

    python -m bench.sync_faults [--visits 60] [--seeds 2]
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from core.exchange import outbox
from core.exchange import service as synchronisation
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.database import connection, database, transaction
from core.models import Diagnosis, Visit
from tests.core.days import Days, open_clinic
from tests.core.exchange.test_synchronisation import DAY, QUICK, everything
from tests.core.exchange.test_synchronisation_faults import RUN, through
from tests.core.exchange.test_synchronisation_faults import full_disk_at_the_clinic as no_room
from tests.server.faulty_link import FAULTS, FaultyLink
from tests.server.offices import Office

ROOT = Path(__file__).parents[1]
KILLS = 10


def broken_line(clinic: Clinic, office: Office, faults: tuple[str, ...], seed: int) -> int:
    """Run three times over a line with these faults; return how many connections met one."""
    link = FaultyLink(office.fhir, seed=seed, faults=faults)
    with httpx.Client(timeout=2, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for _ in range(3):
            synchronisation.run(through(clinic, link.url), pace=QUICK, client=client)
    link.close()
    return sum(count for name, count in link.met.items() if name != "none")


def killed_clinic(clinic: Clinic, office: Office, seed: int) -> int:
    """Kill the sender (-9) at random moments; return how often it was still at work."""
    chance, met = random.Random(seed), 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(clinic.settings.home), office.fhir, office.token],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.02, 0.6))
        met += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    return met


def restarted_office(clinic: Clinic, office: Office, seed: int) -> int:
    """Restart the office after each batch of the first run."""
    met = 0

    def restart(done: int, total: int) -> None:
        nonlocal met
        met += 1
        office.restart()

    synchronisation.run(clinic, pace=QUICK, progress=restart)
    return met


def poisoned_record(clinic: Clinic, office: Office, seed: int) -> int:
    """Send two records that the office refuses, and correct them after the first run."""
    visits = [row.id for row in Visit.select(Visit.id).limit(2)]
    Diagnosis.update(code="bad").where(Diagnosis.visit.in_(visits)).execute()
    refused = synchronisation.run(clinic, pace=QUICK).refused
    with transaction():
        Diagnosis.update(code="J00").where(Diagnosis.visit.in_(visits)).execute()
        for visit in visits:
            outbox.enqueue("visit", visit)
    return refused


def clock_set_back(clinic: Clinic, office: Office, seed: int) -> int:
    """Set the clock back an hour after the first run, with edits before and after."""
    synchronisation.run(clinic, pace=QUICK)
    back = clock.now() - timedelta(hours=1)
    with clock.frozen(lambda: back), transaction():
        for row in Visit.select(Visit.id).limit(5):
            Visit.update(disposition="home").where(Visit.id == row.id).execute()
            outbox.enqueue("visit", row.id)
    with clock.frozen(lambda: back):
        synchronisation.run(clinic, pace=QUICK)
    return 1


def full_disk_at_the_clinic(clinic: Clinic, office: Office, seed: int) -> int:
    """Leave no room for one more row during eight runs."""
    with no_room():
        return sum(synchronisation.run(clinic, pace=QUICK).error is not None for _ in range(8))


def full_disk_at_the_office(clinic: Clinic, office: Office, seed: int) -> int:
    """Keep the office's database from growing by a page during two runs."""
    with office.full_disk():
        return sum(synchronisation.run(clinic, pace=QUICK).error is not None for _ in range(2))


FAULTY: dict[str, Callable[[Clinic, Office, int], int]] = {
    "restart_office": restarted_office,
    "kill_clinic": killed_clinic,
    "poisoned": poisoned_record,
    "clock_back": clock_set_back,
    "clinic_disk_full": full_disk_at_the_clinic,
    "office_disk_full": full_disk_at_the_office,
}
"""Faults beside those of the line; each returns how often it was met."""


def one(name: str, visits: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office")
        clinic = open_clinic(Path(folder) / "clinic", office_url=office.fhir, office_token=office.token)
        with connection():
            Days(clinic, seed=seed).fill(DAY, visits)
            if name in FAULTY:
                met = FAULTY[name](clinic, office, seed)
            else:
                met = broken_line(clinic, office, FAULTS if name == "all" else (name,), seed)
            runs, outcome = 0, synchronisation.SyncOutcome()
            while runs < 3 and not (runs and outcome.error is None and outcome.manifest_agrees):
                runs += 1
                now = through(clinic, office.fhir)
                outcome = synchronisation.run(now, pace=QUICK)
            held, wanted = office.held(), everything(clinic)
        different = sum(held[key] != wanted[key] for key in held.keys() & wanted.keys())
        print(
            f"{name:16} seed {seed}  met {met:3}  runs {runs}  missing {len(wanted.keys() - held.keys()):3}  "
            f"different {different:3}  too much {len(held.keys() - wanted.keys()):3}  "
            f"manifest {outcome.manifest_agrees}",
            flush=True,
        )
        office.stop()
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--visits", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=2)
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)
    for name in (*FAULTS, "all", *FAULTY):
        for seed in range(1, chosen.seeds + 1):
            one(name, chosen.visits, seed)


if __name__ == "__main__":
    main()
