"""Measures what is lost when the first disk dies under load, and what the journal costs.

Each moment starts the server on one file system with the journal on another, lets writers register patients and call
them, kills the server and removes its data folder at a random moment, restores on a new data folder from the second
place with the recovery key alone, and looks for every action that was acknowledged. The next moment goes on from what was
restored, so that numbers given twice would be seen too. Then the same writers work beside each other on a server
with a journal and one without, and on one whose second place has gone.

    python -m bench.disk_dies [--moments 20] [--writers 8] [--data FOLDER] [--place FOLDER] [--cost 15]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import httpx

from bench.cut_off import Namespace
from bench.servers import until_ready
from core.foundation.identifiers import new_id
from tests.ports import free_port

ROOT = Path(__file__).parents[1]
BECAUSE = "the disk died"
CLUSTERS = ("UMUM", "GIGI", "LANSIA")
COMPLAINTS = {"UMUM": "batuk pilek", "GIGI": "sakit gigi", "LANSIA": "nyeri lutut"}


@dataclass
class Written:
    """The answers that the writers had, over all moments."""

    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Registration -> cluster and number of its ticket."""
    called: dict[str, int] = field(default_factory=dict)
    """Queue entry -> version that it reached by a call."""
    seconds: list[float] = field(default_factory=list)
    """Of each registration."""


class Core:
    """A server on a data folder, with or without a journal."""

    def __init__(self, home: Path, place: Path | None, machine: Namespace | None = None) -> None:
        """Start it.

        Args:
            home: Its data folder.
            place: The journal's; None: there is none.
            machine: The network that it runs in; None: this machine's.
        """
        self.home, self.place = home, place
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        environment |= {
            "LOKET_HOME": str(home),
            "LOKET_HTTP": f"127.0.0.1:{self.port}",
            "LOKET_CLOSE_AT": "23:59",
        }
        environment |= {"LOKET_JOURNAL_DIR": str(place)} if place is not None else {}
        self.environment = environment
        command = [sys.executable, "-m", "server", "--demo", "--no-door"]
        if machine is not None:
            command = machine.inside(command)
            machine.open(self.port)
            self.url = f"http://{machine.address}:{self.port}"
        with Path(f"{home}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        try:
            self._until_ready()
        except BaseException:
            self.kill()
            raise

    def _until_ready(self) -> None:
        log = Path(f"{self.home}.log")
        until_ready(self.url, self.process, log=log, also=lambda: self.place is None or self.is_in_step())

    def is_in_step(self) -> bool:
        """Return whether the metrics say that all is on the second place, which holds a base too."""
        lines = httpx.get(f"{self.url}/metrics", timeout=5).text.splitlines()
        lag = next(line.split()[1] for line in lines if line.startswith("loket_journal_lag_actions "))
        return float(lag) == 0 and self.place is not None and any(self.place.glob("loket-*.age"))

    def token(self, username: str) -> str:
        """Sign in."""
        body = {"username": username, "password": "demo"}
        answer = httpx.post(f"{self.url}/api/v1/tokens", json=body, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def kill(self) -> None:
        """End the server as a power cut does."""
        self.process.kill()
        self.process.wait()


class Writers:
    """Clerks who register, each as fast as the server answers; every fifth action calls somebody."""

    def __init__(self, core: Core, number: int, written: Written, seed: int) -> None:
        self._core, self._written = core, written
        self._guard, self._ending = threading.Lock(), threading.Event()
        clerk, doctor = core.token("clerk"), core.token("doctor")
        self._threads = [
            threading.Thread(target=self._work, args=(clerk, doctor, f"{seed}-{index}"))
            for index in range(number)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the action at hand."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self, clerk: str, doctor: str, name: str) -> None:
        chance = random.Random(name)
        with httpx.Client(base_url=f"{self._core.url}/api/v1/", timeout=30) as client:
            while not self._ending.is_set():
                try:
                    if chance.random() < 0.2:
                        self._call(client, doctor)
                    else:
                        self._register(client, clerk, chance)
                except httpx.HTTPError:
                    return  # the server is gone: this action was not acknowledged

    def _register(self, client: httpx.Client, token: str, chance: random.Random) -> None:
        cluster = chance.choice(CLUSTERS)
        born = 1940 if cluster == "LANSIA" else 1990
        letters = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))
        body = {
            "id": new_id(),
            "patient": {
                "name": f"Pasien {letters.title()}",
                "sex": chance.choice(("male", "female")),
                "birth_date": f"{born}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            },
            "chief_complaint": COMPLAINTS[cluster],
            "cluster": cluster,
            "pregnant": False,
            "duplicate_decision": "new",
        }
        began = time.perf_counter()
        answer = client.post("registrations", json=body, headers={"Authorization": f"Bearer {token}"})
        took = time.perf_counter() - began
        answer.raise_for_status()
        ticket = answer.json()["ticket"]
        with self._guard:
            self._written.numbers[body["id"]] = (ticket["cluster"], ticket["number"])
            self._written.seconds.append(took)

    def _call(self, client: httpx.Client, token: str) -> None:
        answer = client.post(
            "queues/UMUM/call-next", json={"service_point": "1"}, headers={"Authorization": f"Bearer {token}"}
        )
        answer.raise_for_status()
        if answer.status_code == 200:
            with self._guard:
                self._written.called[answer.json()["id"]] = answer.json()["version"]


def missing(home: Path, written: Written) -> tuple[int, int]:
    """Return how many acknowledged actions a restored database lacks, and how many numbers it has twice."""
    with closing(apsw.Connection(str(home / "loket.sqlite3"))) as opened:
        rows = opened.execute(
            "SELECT registration.id, ticket.cluster, ticket.number FROM registration"
            " JOIN ticket ON ticket.visit_id = registration.visit_id"
        ).fetchall()
        versions = dict(opened.execute("SELECT id, version FROM queue_entry"))
    held = {registration: (cluster, number) for registration, cluster, number in rows}
    lost = sum(held.get(registration) != ticket for registration, ticket in written.numbers.items())
    lost += sum(versions.get(entry, 0) < version for entry, version in written.called.items())
    twice = sum(count - 1 for count in Counter(held.values()).values())
    twice += sum(count - 1 for count in Counter(written.numbers.values()).values())
    return lost, twice


def restored(core: Core, key: Path, home: Path) -> float:
    """Restore on a new data folder by the command that the runbook names; return its seconds."""
    began = time.perf_counter()
    environment = {**core.environment, "LOKET_HOME": str(home)}
    command = [
        sys.executable, "-m", "server.cli", "restore", str(core.place), "--key", str(key), "--because", BECAUSE, "--yes",
    ]  # fmt: skip
    subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def die(home: Path) -> None:
    """Remove a data folder for good, also under a process of the server that has outlived it and still writes."""
    home.rename(gone := home.with_name(f"{home.name}-gone"))
    while gone.exists():
        shutil.rmtree(gone, ignore_errors=True)


def die_again_and_again(moments: int, writers: int, first: Path, place: Path, seed: int) -> None:
    """Let the disk die, and print what was lost."""
    written, took, key = Written(), [], place.parent / f"{place.name}.key"
    lost = twice = 0
    home = first / "home-0"
    chance = random.Random(seed)
    for moment in range(1, moments + 1):
        core = Core(home, place)
        if not key.exists():  # the sheet of paper
            shutil.copy(home / "recovery.demo-key", key)
        people = Writers(core, writers, written, moment)
        people.start()
        time.sleep(chance.uniform(0.3, 4.0))
        core.kill()
        die(home)
        people.stop()
        home = first / f"home-{moment}"
        took.append(restored(core, key, home))
        lost_now, twice_now = missing(home, written)
        lost, twice = lost + lost_now, twice + twice_now
        print(
            f"  {moment:3}: {len(written.numbers):6} registrations, {len(written.called):5} calls so far, "
            f"lost {lost_now}, twice {twice_now}, restored in {took[-1]:.1f} s",
            flush=True,
        )
    print(
        f"{moments} moments, {writers} writers: {len(written.numbers) + len(written.called)} actions acknowledged"
    )
    print(f"  lost {lost}, numbers given twice {twice}, restore median {statistics.median(took):.1f} s")


def cost(seconds: float, writers: int, first: Path, place: Path) -> None:
    """Print what a registration takes without a journal, with one, and with its place gone, in turns."""
    second = place.parent / f"{place.name}-cost"
    second.mkdir()
    cores = {"no journal": Core(first / "plain", None), "journal": Core(first / "journaled", second)}
    results: dict[str, list[float]] = {"no journal": [], "journal": [], "place gone": []}
    for turn in range(3):
        for name, core in cores.items():
            results[name] += measured(core, writers, seconds / 3, turn)
    second.rename(second.with_name(f"{second.name}-unplugged"))
    measured(cores["journal"], writers, 1, 90)  # the first wait
    for turn in range(3):
        results["place gone"] += measured(cores["journal"], writers, seconds / 3, turn + 10)
        results["no journal"] += measured(cores["no journal"], writers, seconds / 3, turn + 10)
    for core in cores.values():
        core.kill()
    plain = sorted(results["no journal"])
    print(f"a registration by {writers} writers, ms:     median      p99    times the p99 without")
    for name, times in results.items():
        times.sort()
        ratio = percentile(times, 99) / percentile(plain, 99)
        print(
            f"  {name:12} ({len(times):5} registrations) {percentile(times, 50) * 1000:10.1f}"
            f" {percentile(times, 99) * 1000:8.1f} {ratio:8.2f}"
        )


def measured(core: Core, writers: int, seconds: float, seed: int) -> list[float]:
    """Return the seconds of each registration of some time's work."""
    written = Written()
    people = Writers(core, writers, written, seed + 1000)
    people.start()
    time.sleep(seconds)
    people.stop()
    return written.seconds


def percentile(ordered: list[float], percent: int) -> float:
    """Return a percentile of ordered values."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--moments", type=int, default=20)
    arguments.add_argument("--writers", type=int, default=8)
    arguments.add_argument("--data", type=Path, default=Path("/var/tmp"), help="on the disk that dies")
    arguments.add_argument("--place", type=Path, default=Path("/dev/shm"), help="on another one")
    arguments.add_argument("--cost", type=float, default=15, help="seconds of each kind; 0: not measured")
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(
            prefix="loket-first-",
            dir=chosen.data,
            ignore_cleanup_errors=True,  # a process may outlive its server
        ) as first,
        tempfile.TemporaryDirectory(prefix="loket-second-", dir=chosen.place) as second,
    ):
        place = Path(second) / "place"
        place.mkdir()
        is_other = os.stat(first).st_dev != os.stat(second).st_dev
        print(
            f"first disk {first}, second place {second}: {'two file systems' if is_other else 'ONE FILE SYSTEM'}"
        )
        if chosen.moments:
            die_again_and_again(chosen.moments, chosen.writers, Path(first), place, chosen.seed)
        if chosen.cost:
            cost(chosen.cost, chosen.writers, Path(first), place)


if __name__ == "__main__":
    main()
