"""Measures whether the counters notice the day's closing.

Fills a clinic with a day and closes it while registrations go on: first alone, then with the closing
in a process of its own as the server runs it, then in a thread of the server. Prints the counters'
median and p99 in milliseconds for each, and their ratio to idle.

    python -m bench.closing [--visits 400] [--registrations 150]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bench.intervals import p99_of
from bench.sync import figures, one
from core.daily import backup, closing
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import JobRun
from server import worker_process
from server.run import Background
from tests.core.days import Days
from tests.people import Caller


def during(clerk: Caller, work: Callable[[], object], pause: float) -> tuple[list[float], float]:
    """Register while `work` runs; return the milliseconds of each save, and the duration."""
    running = threading.Thread(target=work)
    began, times = time.perf_counter(), []
    running.start()
    while running.is_alive():
        times.append(one(clerk))
        time.sleep(pause)
    running.join()
    return times, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--visits", type=int, default=400)
    parser.add_argument("--registrations", type=int, default=150, help="measured while idle")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between registrations")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Background(Settings(home=Path(folder))) as server:
        clinic = server.clinic
        backup.create_recovery_key(clinic.settings.home)
        with connection():
            days = Days(clinic)
            for back in (3, 2):
                days.fill(clinic.today() - timedelta(days=back), chosen.visits)
        with Caller(server.url, "clerk") as clerk:
            for _ in range(20):
                one(clerk)
            idle = []
            for _ in range(chosen.registrations):
                idle.append(one(clerk))
                time.sleep(chosen.pause)
            print(f"idle               {figures(idle)}   load {os.getloadavg()[0]:.1f}")
            for name, work in (
                ("process of its own", lambda: worker_process.run(clinic, "closing")),
                ("thread", lambda: closing.run(clinic)),
            ):
                with connection():  # the same work for both
                    JobRun.delete().execute()
                times, seconds = during(clerk, work, chosen.pause)
                ratio = p99_of(times) / p99_of(idle)
                print(f"{name:18} {figures(times)}   p99 ratio {ratio:.2f}   {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
