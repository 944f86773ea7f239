"""Does a save at the counter wait for BPJS?

    python -m bench.bpjs_counter [--blocks 6] [--saves 60] [--delay 30]

One server; blocks of saves alternate between a BPJS that nobody asks and one that answers after `--delay` seconds
while four counters ask it all the time and the visits are being sent. Prints median and p99 of both in
milliseconds, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path

from core.exchange.bpjs import pcare_run
from core.foundation import clock
from core.foundation.config import Settings
from server.bpjs_stand_in import Books, PcareHost
from server.run import Background
from tests.people import Caller

COUNTERS = 4


def p99_of(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def save_all(clerk: Caller, block: int, saves: int) -> list[float]:
    """Save new patients, insured ones among them; return milliseconds each."""
    times = []
    for number in range(saves):
        serial = f"{block:03d}{number:06d}"
        person = {
            "name": f"Orang {serial}", "sex": "male", "birth_date": "1980-05-05", "no_identifier_reason": "none_yet",
            "bpjs_number": f"0001{serial}",
        }  # fmt: skip
        began = time.perf_counter()
        clerk.registered(patient=person, payer="jkn_pbi", duplicate_decision="new")
        times.append(1000 * (time.perf_counter() - began))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--saves", type=int, default=60)
    parser.add_argument("--delay", type=float, default=30.0)
    asked = parser.parse_args()
    host = PcareHost(Books(lambda: clock.now().astimezone(Settings().timezone)))
    host.delay = asked.delay
    busy = threading.Event()
    with (
        tempfile.TemporaryDirectory() as home,
        Background(Settings(home=Path(home), **host.settings())) as server,
    ):

        def ask() -> None:
            with Caller(server.url, "clerk") as caller:
                while not done.is_set():
                    if busy.wait(0.1):
                        caller.post("insurance/check", json={"bpjs_number": "0001234567890"})

        def send() -> None:
            while not done.is_set():
                if busy.wait(0.1):
                    pcare_run.run(server.clinic)

        done = threading.Event()
        workers = [threading.Thread(target=ask, daemon=True) for _ in range(COUNTERS)]
        workers.append(threading.Thread(target=send, daemon=True))
        for worker in workers:
            worker.start()
        found: dict[bool, list[float]] = {False: [], True: []}
        with Caller(server.url, "clerk") as clerk:
            save_all(clerk, 999, 20)  # warm
            for block in range(asked.blocks):
                waits = bool(block % 2)
                (busy.set if waits else busy.clear)()
                found[waits] += save_all(clerk, block, asked.saves)
        done.set()
        host.close()
    for waits, times in found.items():
        name = f"BPJS answers in {asked.delay:.0f} s" if waits else "BPJS is not asked"
        print(
            f"{name:24} {len(times):5d} saves  median {statistics.median(times):6.1f}  p99 {p99_of(times):6.1f} ms"
        )
    ratio = p99_of(found[True]) / p99_of(found[False])
    middle = statistics.median(found[True]) / statistics.median(found[False])
    print(f"ratio to idle: median {middle:.2f}, p99 {ratio:.2f}")


if __name__ == "__main__":
    main()
