"""A clinic's whole day against the real server, through its API, compressed in time.

400 visits at 12 terminals with the peak between 08:00 and 10:00; three rooms race on one queue.
People come twice into one room's list, do not answer, leave, are moved, go to the laboratory and
the pharmacy; steps are undone and repeated. Only the clock runs faster: requests do not.
Afterwards every invariant of the queue is checked in the database, the reports and the terminals'
records. Exit code 1 when one is broken.

    python -m bench.clinic_day [--visits 400] [--speed 120] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.day import checks
from bench.day.plan import plan
from bench.day.staff import CLERKS, ROOMS, Day, live_through
from bench.servers import until_ready
from core.accounts import service as accounts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.queues import service as queueing
from tests.people import Caller
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
PASSWORD = "demo"
FAST_FOR = timedelta(hours=14)
"""After ten in the evening the clock goes as in life: a slow machine must not carry the day over midnight."""
SET_UP_SECONDS = 12  # before eight: accounts are made and their passwords hashed


def served_settings(home: Path, port: int) -> Settings:
    """Return the settings of the day's clinic."""
    return Settings.load({"LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{port}"}, Path(os.devnull))


@dataclass(frozen=True)
class FastClock:
    """Clock of the day, the same in every process: eight in the morning at `began`, then accelerated."""

    began: float
    """Wall clock at the start, seconds."""
    speed: float

    def now(self) -> datetime:
        """Return the clinic's instant, aware UTC."""
        zone = Settings().timezone
        today = datetime.fromtimestamp(self.began, zone).date()
        eight = datetime(today.year, today.month, today.day, 8, tzinfo=zone).astimezone(UTC)
        passed = time.time() - self.began
        fast = min(passed, FAST_FOR.total_seconds() / self.speed)
        return eight + timedelta(seconds=fast * self.speed + (passed - fast))


def serve(home: Path, port: int, fast: FastClock) -> int:
    """Run the server's process: the real one, except for its clock."""
    from server.run import serve as run

    settings = served_settings(home, port)
    with clock.frozen(fast.now):
        clinic = Clinic.open(settings, demo=True)
        _hire(clinic)
        return run(settings, demo=True, with_door=False)


def _hire(clinic: Clinic) -> None:
    """Make accounts for all twelve terminals; the demo's own ones come with the server."""
    from server import first_start

    with connection():
        first_start.prepare(clinic)
        for name in CLERKS[1:]:
            accounts.create_account(name, name.title(), Role.CLERK, PASSWORD, check_password=False)
        for name, clusters in ROOMS.items():
            if name in {"doctor2", "doctor3", "elder", "emergency"}:
                accounts.create_account(
                    name, name.title(), Role.CLINICIAN, PASSWORD, list(clusters), check_password=False
                )


@contextmanager
def running(home: Path, fast: FastClock) -> Iterator[str]:
    """Run the server in a process of its own; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "bench.clinic_day", "--serve", str(home), str(port)]
    server = subprocess.Popen(
        [*command, str(fast.began), str(fast.speed)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until_ready(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


@dataclass
class Outcome:
    """Outcome of the day."""

    day: Day
    findings: list[checks.Finding]
    longest: dict[str, float]
    closed: int
    """Entries that were still open at the closing."""
    seconds: float
    """Duration of the day in seconds."""

    @property
    def faults(self) -> int:
        """Count the violated invariants."""
        return sum(len(finding.faults) for finding in self.findings)


def simulate(visits: int, speed: float, seed: int) -> Outcome:
    """Play the day, close it, stop the server, and check everything."""
    day = Day(speed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fast = FastClock(time.time() + SET_UP_SECONDS, speed)
        with running(home, fast) as url:
            while time.time() < fast.began:
                time.sleep(0.05)
            asyncio.run(live_through(day, url, plan(visits, seed), seed))
            clinic = Clinic.open(served_settings(home, 1))
            with clock.frozen(fast.now):
                ended = queueing.close_day(clinic, accounts.system_actor(), clinic.today())
            with Caller(url, "admin") as admin:
                waits = admin.get("reports/waits").json()
                register = admin.get("reports/daily-register").json()
        with connection():
            findings = checks.check(clinic, day, waits, register)
            longest = checks.longest_waits(checks.Records(clinic))
        database.close()
    return Outcome(day, findings, longest, ended, time.monotonic() - began)


def print_outcome(outcome: Outcome) -> None:
    """Print the times per action, then the checks."""
    print(f"{'action':<16} {'times':>6} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for name, seconds in sorted(outcome.day.seconds.items()):
        times = sorted(value * 1000 for value in seconds)
        middle, tail = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
        print(f"{name:<16} {len(times):>6} {middle:>8.1f} {tail:>8.1f} {times[-1]:>8.1f}")
    waits = ", ".join(f"{kind} {minutes:.0f}" for kind, minutes in sorted(outcome.longest.items()))
    print(f"\nlongest wait in the clinic's minutes: {waits}")
    print(f"the day took {outcome.seconds:.0f} s; {len(outcome.day.losers)} came too late and were told;")
    print(f"{outcome.closed} were still in a queue at the closing\n")
    for finding in outcome.findings:
        print(f"{'FAILED' if finding.faults else 'holds':<7} {finding.looked_at:>6}  {finding.name}")
        for fault in finding.faults[:5]:
            print(f"{'':>16}{fault}")


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        home, port, began, speed = sys.argv[2:]
        return serve(Path(home), int(port), FastClock(float(began), float(speed)))
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--visits", type=int, default=400)
    arguments.add_argument(
        "--speed", type=float, default=120, help="how much faster than life the clock runs"
    )
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    outcome = simulate(chosen.visits, chosen.speed, chosen.seed)
    print_outcome(outcome)
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
