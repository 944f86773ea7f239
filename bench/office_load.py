"""Measures an office under the evening of a whole city.

Many clinics send one day each in the same minutes: every clinic posts its people and visits in
four Bundles, as the sender does, and waits when the office says 503. Prints the time until all
are complete, visits per second, the answers' median and p99, and how often one was turned away.

    python -m bench.office_load [--clinics 200] [--visits 200] [--within 60] [--database postgresql://...]
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

import httpx

from bench.servers import until_ready
from core.exchange import fhir
from core.foundation.config import HostPort, Settings
from core.foundation.database import connection, database
from server.office.app import add_clinic
from server.office.models import Resource
from server.office.models import connection as office_connection
from server.office.models import database as office_database
from tests.core.days import Days, open_clinic
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
DAY = date(2026, 3, 2)
CODE = "P6371010101"
BATCHES = 4


def template(home: Path, visits: int) -> list[bytes]:
    """Return one clinic's day as raw Bundles: its facility and people, then its visits."""
    clinic = open_clinic(home)
    with connection():
        days = Days(clinic)
        made = days.fill(DAY, visits)
        mapper = fhir.Mapper(clinic)
        first = [mapper.directory(), *mapper.patients([row.id for row in days.patients])]
        rest = list(mapper.visits([row.id for row in made]))
    database.close()
    size = -(-len(rest) // (BATCHES - 1))
    parts = [first, *(rest[start : start + size] for start in range(0, len(rest), size))]
    return [gzip.decompress(fhir.transaction(mapper.names, part, DAY).body) for part in parts]


class Sender(threading.Thread):
    """One clinic that sends."""

    def __init__(self, url: str, code: str, token: str, bodies: list[bytes], delay: float) -> None:
        super().__init__(daemon=True)
        self._url, self._token, self._delay = url, token, delay
        self._bodies = [gzip.compress(body.replace(CODE.encode(), code.encode())) for body in bodies]
        self.times: list[float] = []
        self.turned_away = 0
        self.refused = 0
        self.ended = 0.0

    def run(self) -> None:
        """Send the day."""
        time.sleep(self._delay)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Encoding": "gzip",
            "Prefer": "return=minimal",
        }
        with httpx.Client(headers=headers, timeout=120) as client:
            for body in self._bodies:
                while True:
                    began = time.perf_counter()
                    answer = client.post(self._url, content=body)
                    if answer.status_code == 503:
                        self.turned_away += 1
                        time.sleep(float(answer.headers["retry-after"]) * random.uniform(1, 1.25))
                        continue
                    break
                self.times.append((time.perf_counter() - began) * 1000)
                self.refused += sum(entry["response"]["status"][0] != "2" for entry in answer.json()["entry"])
        self.ended = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clinics", type=int, default=200)
    parser.add_argument("--visits", type=int, default=200)
    parser.add_argument("--within", type=float, default=60.0, help="seconds over which the clinics begin")
    parser.add_argument("--database", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bodies = template(Path(folder) / "clinic", chosen.visits)
        address = HostPort(host="127.0.0.1", port=free_port())
        settings = Settings(home=Path(folder) / "office", office_http=address, database_url=chosen.database)
        codes = [f"P{number:010d}" for number in range(chosen.clinics)]
        tokens = [add_clinic(settings, code, code) for code in codes]
        environment = {
            **os.environ,
            "LOKET_HOME": str(settings.home),
            "LOKET_OFFICE_HTTP": f"127.0.0.1:{address.port}",
            "LOKET_DATABASE_URL": chosen.database,
        }
        office = subprocess.Popen([sys.executable, "-m", "server.cli", "office"], env=environment, cwd=ROOT)
        try:
            until_ready(address.url, office, path="healthz")
            measure(chosen, address.url, codes, tokens, bodies)
        finally:
            office.terminate()
            office.wait()
        with office_connection():
            held = Resource.select().where(Resource.type == "Encounter").count()
        print(f"held {held} of {chosen.clinics * chosen.visits} visits")
        office_database.close()


def measure(
    chosen: argparse.Namespace, url: str, codes: list[str], tokens: list[str], bodies: list[bytes]
) -> None:
    spread = random.Random(1)
    senders = [
        Sender(f"{url}/fhir", code, token, bodies, spread.uniform(0, chosen.within))
        for code, token in zip(codes, tokens, strict=True)
    ]
    began = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    seconds = max(sender.ended for sender in senders) - began
    times = sorted(taken for sender in senders for taken in sender.times)
    p99 = times[max(0, -(-99 * len(times) // 100) - 1)]
    visits = chosen.clinics * chosen.visits
    print(
        f"clinics {chosen.clinics}  visits {visits}  seconds {seconds:.0f}  visits/s {visits / seconds:.0f}"
    )
    print(
        f"answer ms: median {statistics.median(times):.0f}  p99 {p99:.0f}  max {times[-1]:.0f}   "
        f"turned away {sum(sender.turned_away for sender in senders)}   "
        f"refused {sum(sender.refused for sender in senders)}"
    )


if __name__ == "__main__":
    main()
