"""Measures the size of the waiting room's page, and the delay until it shows a call.

Prints the bytes of the page and of one update, and the time from the caller's key to the event
that updates the page: median, p99 and largest, in milliseconds.

    python -m bench.display [--calls 100]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import httpx

from core.foundation.config import Settings
from server.run import Background
from tests.people import Caller

PAGE_LIMIT = 15_000  # bytes


def measure(url: str, calls: int) -> tuple[list[float], list[int]]:
    """Call so many numbers; return milliseconds and bytes of each update."""
    times, sizes = [], []
    with Caller(url, "clerk") as clerk, Caller(url, "dentist") as dentist:
        for _ in range(calls):
            clerk.registered()
        with httpx.stream("GET", f"{url}/display/events", timeout=30) as stream:
            lines = stream.iter_lines()
            next(line for line in lines if line.startswith("data"))
            for _ in range(calls):
                began = time.perf_counter()
                entry = dentist.post("queues/GIGI/call-next", json={}).json()
                for line in lines:
                    if line.startswith("data") and entry["number"] in line:
                        break
                times.append((time.perf_counter() - began) * 1000)
                sizes.append(len(line.encode()) + len(b"id: 100000\n\n\n"))
                dentist.act(entry["id"], "finish")
    return sorted(times), sizes


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--calls", type=int, default=100)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home, Background(Settings(home=Path(home))) as server:
        page = httpx.get(f"{server.url}/display", headers={"Accept-Encoding": "identity"})
        times, sizes = measure(server.url, chosen.calls)
    print(
        f"{'page bytes':>11} {'update bytes':>13} {'calls':>6} {'median ms':>10} {'p99 ms':>8} {'max ms':>8}"
    )
    middle, tail = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    print(
        f"{len(page.content):>11} {max(sizes):>13} {len(times):>6} {middle:>10.1f} {tail:>8.1f} {times[-1]:>8.1f}"
    )
    return 0 if len(page.content) < PAGE_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
