"""Measures the cost of a synchronisation, and its effect on the counters.

Fills a clinic with visits of one day, starts it and an office as processes of their own, and
registers patients over HTTP, first alone and then while the day is being sent. Prints visits
per second, bytes on the wire per visit (compressed bodies, both ways), the sender's memory, and the counters' median and p99 in milliseconds, idle and during.

    python -m bench.sync [--visits 1000] [--registrations 150]

With `--satusehat` the visits hold everything that goes to SATUSEHAT, and are sent to its stand-in: bytes a visit as one
day's batch, gzipped, ids and content apart; visits per second; the sender's memory at a quarter of the visits and at all.

    python -m bench.sync --satusehat [--visits 200]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from bench import satusehat_batch
from bench.intervals import p99_of
from bench.servers import until_ready
from core.foundation.config import HostPort, Settings
from core.foundation.database import connection, database
from server.office.app import add_clinic
from server.run import Background
from tests.core.days import Days
from tests.people import Caller
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
DAY = date(2026, 3, 2)
NICENESS = 10


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "LOKET_HOME": str(settings.home),
        "LOKET_HTTP": f"127.0.0.1:{settings.http.port}",
        "LOKET_OFFICE_HTTP": f"127.0.0.1:{settings.office_http.port}",
        "LOKET_OFFICE_URL": settings.office_url,
        "LOKET_OFFICE_TOKEN": settings.office_token,
        "LOKET_CLOSE_AT": "23:59",
    }


def start(arguments: list[str], settings: Settings, url: str, niceness: int = 0) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        ["nice", "-n", str(niceness), sys.executable, *arguments],
        env=environment_of(settings),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    until_ready(url, process, path="healthz")
    return process


def send(settings: Settings) -> subprocess.Popen[bytes]:
    """Run the sender as the server starts it: a process of its own at low priority."""
    return subprocess.Popen(
        [sys.executable, "-m", "server.cli", "sync", "now", "--json"],
        env=environment_of(settings),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.nice(NICENESS) and None,
    )


def peak_mib(process: subprocess.Popen[bytes], before: float) -> float:
    """Return the largest resident size so far, MiB."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return before
    return max(before, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def one(clerk: Caller) -> float:
    """Register one patient; return the milliseconds."""
    began = time.perf_counter()
    answer = clerk.register()
    assert answer.status_code == 201, answer.text
    return (time.perf_counter() - began) * 1000


def figures(times: list[float]) -> str:
    ordered = sorted(times)
    p99 = p99_of(ordered)
    return f"n {len(ordered):5}  median {statistics.median(ordered):7.1f}  p99 {p99:7.1f}  max {ordered[-1]:7.1f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--registrations", type=int, default=150, help="measured while idle")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between registrations")
    parser.add_argument("--satusehat", action="store_true", help="send to SATUSEHAT's stand-in instead")
    chosen = parser.parse_args()
    if chosen.satusehat:
        satusehat_batch.measure(chosen.visits)
        return
    with tempfile.TemporaryDirectory() as folder:
        office = Settings(
            home=Path(folder) / "office", office_http=HostPort(host="127.0.0.1", port=free_port())
        )
        token = add_clinic(office, "P6371010101", "Bench")
        clinic = Settings(
            home=Path(folder) / "clinic",
            http=HostPort(host="127.0.0.1", port=free_port()),
            office_url=f"{office.office_http.url}/fhir",
            office_token=token,
        )
        with Background(clinic) as prepared, connection():
            Days(prepared.clinic).fill(DAY, chosen.visits)
        database.close()
        measure(chosen, clinic, office)


def measure(chosen: argparse.Namespace, clinic: Settings, office: Settings) -> None:
    # The office runs on another machine: here its work must not count as the clinic's.
    processes = [start(["-m", "server.cli", "office"], office, office.office_http.url, niceness=19)]
    try:
        processes.append(start(["-m", "server", "--demo", "--no-door"], clinic, clinic.http.url))
        with Caller(clinic.http.url, "clerk") as clerk:
            for _ in range(20):
                one(clerk)
            idle, during = [], []
            for _ in range(chosen.registrations):
                idle.append(one(clerk))
                time.sleep(chosen.pause)
            began, memory = time.perf_counter(), 0.0
            sender = send(clinic)
            while sender.poll() is None:
                during.append(one(clerk))
                memory = peak_mib(sender, memory)
                time.sleep(chosen.pause)
            seconds = time.perf_counter() - began
            outcome = json.loads(sender.communicate()[0])
        again, bare = send(clinic), 0.0
        while again.poll() is None:
            bare = peak_mib(again, bare)
            time.sleep(0.02)
        second = json.loads(again.communicate()[0])
        # The counter's registrations are sent as well; those visits hold little, so they are
        # counted as visits only where time is meant.
        print(
            f"visits {chosen.visits} + {len(during)} meanwhile  seconds {seconds:.1f}  "
            f"visits/s {(chosen.visits + len(during)) / seconds:.0f}  load {os.getloadavg()[0]:.1f}"
        )
        print(
            f"bytes/visit out {outcome['sent_bytes'] / (chosen.visits + len(during)):.0f} (with patients and "
            f"manifests)  in {outcome['received_bytes'] / (chosen.visits + len(during)):.0f}  "
            f"records/batch {outcome['sent'] / max(1, outcome['batches']):.0f}"
        )
        print(f"batches {outcome['batches']}  refused {outcome['refused']}  error {outcome['error']}")
        print(f"second run: sent {second['sent']}  manifest agrees {second['manifest_agrees']}")
        print(f"sender's memory: peak {memory:.0f} MiB, with nothing to send {bare:.0f} MiB")
        print(f"counter idle    {figures(idle)}")
        print(f"counter during  {figures(during)}   p99 ratio {p99_of(during) / p99_of(idle):.2f}")
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
