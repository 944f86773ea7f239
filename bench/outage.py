"""Counters with machines of their own through outages of the core: is everything that was finished there exactly once?

The core runs in a network of its own (root), whose cable is pulled: once for each given time, flapping every five seconds,
and with the core killed, its disk lost and restored from the journal. Clerks register at every counter all the while, and
one signs in through a yard door. After each outage it is measured how long the last registration takes to arrive. Then
each receipt is looked for in the core's database, with its number, and each lent number for what became of it.

With `--switch-off` one counter's machine is killed so many times at random moments instead, while it has no core: what
was confirmed has to be there when its store is opened again, and in the core at the end.

    python -m bench.outage [--counters 3] [--down 5 20 60] [--flaps 6] [--switch-off 0] [--data FOLDER] [--place FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import asyncssh
import httpx

from bench.cut_off import ROOT, Namespace
from bench.disk_dies import BECAUSE, CLUSTERS, COMPLAINTS
from core.foundation.identifiers import new_id

PORT = 8460
"""Of the core within its network."""
START_SECONDS = 240.0  # of patience with a machine that is switched on
PAUSE_SECONDS = 1.5
"""Between two people of one counter: three counters then register faster than a clinic's peak."""
BACK_SECONDS = 180.0
"""Patience with a core that is back."""
FLAP_SECONDS = 5.0
PASSWORD = "demo"


@dataclass
class Told:
    """The answers that the clerks had."""

    receipts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Registration -> cluster and number."""
    refused: Counter[str] = field(default_factory=Counter)
    """Code -> how often: a person who was told that it is not saved."""
    guard: threading.Lock = field(default_factory=threading.Lock)


class PlacedCore:
    """The core in its network; started, killed, restored."""

    def __init__(self, home: Path, place: Path, machine: Namespace) -> None:
        self.home, self.place, self.machine = home, place, machine
        own = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        self.environment = {
            **own, "LOKET_HTTP": f"127.0.0.1:{PORT}", "LOKET_CLOSE_AT": "23:59", "LOKET_JOURNAL_DIR": str(place),
        }  # fmt: skip
        self.url = f"http://{machine.address}:{PORT}"
        machine.open(PORT)
        self.start()

    def start(self) -> None:
        """Start the server on the data folder."""
        with Path(f"{self.home}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.machine.inside([sys.executable, "-m", "server", "--demo", "--no-door"]),
                env={**self.environment, "LOKET_HOME": str(self.home)}, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    def until_ready(self) -> None:
        """Wait until it serves, and the journal has a base."""
        until(
            lambda: httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200, START_SECONDS, "the core"
        )
        until(lambda: any(self.place.glob("loket-*.age")), START_SECONDS, "the journal's base")

    def command(self, *words: str) -> str:
        """Run a loket command on its data folder."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *words], env={**self.environment, "LOKET_HOME": str(self.home)},
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def lose_and_restore(self, key: Path) -> None:
        """Lose its disk, restore it from the journal, and start it again."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home = self.home.with_name(f"{self.home.name}-restored")
        self.command("restore", str(self.place), "--key", str(key), "--because", BECAUSE, "--yes")
        self.start()


class CounterHere:
    """A counter's machine with its clerk."""

    def __init__(self, number: int, home: Path, core: PlacedCore, told: Told, *, door: bool) -> None:
        self.name, self.home, self.told = f"Loket {number}", home, told
        home.mkdir()
        (home / "counter.token").write_text(core.command("counter", "add", self.name).strip())
        if door:
            (home / "door.token").write_text(core.command("account", "door", "add", f"yard {number}").strip())
        self.port, self.ssh = free_port(), free_port()
        self.api = f"http://127.0.0.1:{self.port}/api/v1/"
        secret = home.with_suffix(".secret")
        secret.write_bytes(os.urandom(32))
        own = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        self._environment = {
            **own, "LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{self.port}", "LOKET_SERVER_URL": core.url,
            "LOKET_SSH": f"127.0.0.1:{self.ssh}", "LOKET_COUNTER_SECRET": str(secret),
        }  # fmt: skip
        self._token = ""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.start()
        until(lambda: not self.standing()["is_away"], START_SECONDS, self.name)
        self.sign_in()

    def start(self) -> None:
        """Switch the machine on."""
        with Path(f"{self.home}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", "--role", "counter"],
                env=self._environment, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: self.standing() is not None, START_SECONDS, self.name)

    def switch_off(self) -> None:
        """Cut the machine's power."""
        self.process.kill()
        self.process.wait()

    def standing(self) -> dict[str, Any]:
        """Return how the machine stands."""
        found: dict[str, Any] = httpx.get(f"{self.api}counter", timeout=10).json()
        return found

    def sign_in(self) -> None:
        """Sign the clerk in, at the core or here."""
        body = {"username": "clerk", "password": PASSWORD}
        answer = httpx.post(f"{self.api}tokens", json=body, timeout=60)
        answer.raise_for_status()
        self._token = answer.json()["token"]

    def begin(self, seed: str, pause: float = PAUSE_SECONDS) -> None:
        """Let the clerk register one person after the other."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._work, args=(random.Random(seed), pause), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the clerk stop after the person at hand."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self, chance: random.Random, pause: float) -> None:
        while not self._ending.wait(chance.uniform(0, 2 * pause)):
            self._register(body_of(chance))

    def _register(self, body: dict[str, Any]) -> None:
        """Send a form until it is answered, as a terminal does; what is refused was not said to be saved."""
        while not self._ending.is_set():
            try:
                answer = httpx.post(
                    f"{self.api}registrations", json=body, timeout=30,
                    headers={"Authorization": f"Bearer {self._token}"},
                )  # fmt: skip
            except httpx.TransportError:
                if self.process.poll() is not None:
                    return  # switched off: nobody was told anything
                continue
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                with suppress(httpx.HTTPError):
                    self.sign_in()
                continue
            if answer.status_code == httpx.codes.GATEWAY_TIMEOUT:
                time.sleep(0.5)
                continue
            with self.told.guard:
                if answer.is_success:
                    ticket = answer.json()["ticket"]
                    self.told.receipts[body["id"]] = (ticket["cluster"], ticket["number"])
                else:
                    self.told.refused[_code_of(answer)] += 1
            return


def _code_of(answer: httpx.Response) -> str:
    """Return the code of a refusal; the status of an answer that has none."""
    try:
        return str(answer.json()["code"])
    except ValueError:
        return str(answer.status_code)


def body_of(chance: random.Random) -> dict[str, Any]:
    """Return a new patient's registration."""
    cluster = chance.choice(CLUSTERS)
    born = 1940 if cluster == "LANSIA" else 1990
    letters = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=9))
    return {
        "id": new_id(),
        "patient": {
            "name": f"Pasien {letters.title()}",
            "sex": chance.choice(("male", "female")),
            "birth_date": f"{born}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "no_identifier_reason": "forgotten",
        },
        "chief_complaint": COMPLAINTS[cluster],
        "cluster": cluster,
        "duplicate_decision": "new",
    }


def until(holds: Callable[[], Any], seconds: float, what: str) -> float:
    """Wait until something holds; return how long it took.

    Args:
        holds: Asked again and again.
        seconds: The longest wait.
        what: Named where it does not come.

    Raises:
        RuntimeError: It has not come.
    """
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(httpx.HTTPError, ValueError):
            if holds():
                return time.monotonic() - began
        time.sleep(0.1)
    raise RuntimeError(f"{what} has not come in {seconds:.0f} s")


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def through_the_door(port: int) -> bool:
    """Return whether a terminal of the building gets in over ssh."""
    async with asyncssh.connect(
        "127.0.0.1", port, username="clerk", password=PASSWORD, known_hosts=None, login_timeout=60
    ) as line:
        process = await line.create_process(term_type=None)
        said = ""
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                said += await process.stdout.read(200)  # a greeting, or a question
        return bool(said)


def all_near(counters: list[CounterHere]) -> bool:
    """Return whether every counter has the core, and nothing waits."""
    stands = [counter.standing() for counter in counters]
    return all(not stand["is_away"] and not stand["waiting"] for stand in stands)


def outage(what: str, counters: list[CounterHere], told: Told, act: Callable[[], object]) -> None:
    """Let the core be away in some way while people come, and print how long it takes until all is there."""
    before = len(told.receipts)
    for counter in counters:
        counter.begin(f"{what} {counter.name}")
    time.sleep(2 * PAUSE_SECONDS)
    act()
    for counter in counters:
        counter.end()
    took = until(lambda: all_near(counters), BACK_SECONDS, "the core")
    print(
        f"  {what:34} {len(told.receipts) - before:6} told saved   all there after {took:5.1f} s", flush=True
    )


def report(core: PlacedCore, told: Told, asked: int) -> bool:
    """Print what the core's database holds of what was told; return whether all is as it must be.

    Args:
        core: The core.
        told: What people were told.
        asked: Registrations that the counters' screens ask about: sent when the line broke, they have a number of the
            core's and one of the counter's.
    """
    with closing(apsw.Connection(str(core.home / "loket.sqlite3"))) as opened:
        rows = opened.execute(
            "SELECT r.id, t.cluster, t.number FROM registration r JOIN ticket t ON t.visit_id = r.visit_id"
        ).fetchall()
        twice = opened.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM ticket GROUP BY cluster, service_on, number HAVING COUNT(*) > 1)"
        ).fetchone()
        fates = dict(
            opened.execute("SELECT status, COUNT(*) FROM lent_number WHERE series = 'lent' GROUP BY status")
        )
        unsaid = opened.execute(
            "SELECT COUNT(*) FROM lent_number WHERE series = 'lent' AND status IN ('returned', 'voided') AND reason = ''"
        ).fetchone()
        wrong_order = opened.execute(
            "SELECT COUNT(*) FROM ticket a JOIN ticket b ON a.cluster = b.cluster AND a.service_on = b.service_on"
            " JOIN visit va ON va.id = a.visit_id JOIN visit vb ON vb.id = b.visit_id"
            " WHERE a.number LIKE '%-L%' AND b.number LIKE '%-L%' AND va.started_at < vb.started_at AND a.turn > b.turn"
        ).fetchone()
    assert twice is not None
    assert unsaid is not None
    assert wrong_order is not None
    held = Counter(registration for registration, _cluster, _number in rows)
    numbers = {registration: (cluster, number) for registration, cluster, number in rows}
    missing = [each for each in told.receipts if not held[each]]
    other = [each for each, given in told.receipts.items() if held[each] and numbers[each] != given]
    print(
        f"told saved {len(told.receipts)}, there {len(told.receipts) - len(missing)}, missing {len(missing)}"
    )
    print(
        f"  there twice {sum(count - 1 for count in held.values() if count > 1)}, another number {len(other)}, asked about {asked}"
    )
    print(f"  numbers given twice {twice[0]}, later arrivals before earlier ones {wrong_order[0]}")
    print(f"  lent numbers: {fates}; ended without a reason {unsaid[0]}")
    print(f"  told that it is not saved: {dict(told.refused)}")
    return not (missing or len(other) > asked or twice[0] or unsaid[0] or wrong_order[0])


def outages(
    chosen: argparse.Namespace, core: PlacedCore, counters: list[CounterHere], told: Told, key: Path
) -> None:
    """Let the core be away in every way."""

    def down(seconds: float) -> None:
        core.machine.cut()
        time.sleep(seconds / 2)
        print(
            f"    through the yard door meanwhile: {asyncio.run(through_the_door(counters[0].ssh))}",
            flush=True,
        )
        time.sleep(seconds / 2)
        core.machine.plug()

    def flap() -> None:
        for _time in range(chosen.flaps):
            core.machine.cut()
            time.sleep(FLAP_SECONDS)
            core.machine.plug()
            time.sleep(FLAP_SECONDS)

    def lose() -> None:
        core.lose_and_restore(key)
        time.sleep(FLAP_SECONDS)

    for seconds in chosen.down:
        outage(f"the cable out for {seconds:.0f} s", counters, told, lambda seconds=seconds: down(seconds))
    if chosen.flaps:
        outage(f"in and out every 5 s, {chosen.flaps} times", counters, told, flap)
    if not chosen.keep_disk:
        outage("the core's disk lost and restored", counters, told, lose)


def switch_off(chosen: argparse.Namespace, core: PlacedCore, counter: CounterHere, told: Told) -> None:
    """Kill one counter's machine again and again while it has no core, and look for what it confirmed."""
    lost = 0
    chance = random.Random(chosen.seed)
    for moment in range(1, chosen.switch_off + 1):
        if moment % 10 == 1:  # new numbers, from time to time
            core.machine.plug()
            until(lambda: all_near([counter]), BACK_SECONDS, "the core")
            core.machine.cut()
            until(lambda: counter.standing()["is_away"], 30, "the loss")
        before = set(told.receipts)
        counter.begin(f"{chosen.seed} {moment}", pause=0.05)
        time.sleep(chance.uniform(0.2, 1.5))
        counter.switch_off()
        counter.end()
        counter.start()
        counter.sign_in()
        lost += sum(not _has(counter, each) for each in set(told.receipts) - before)
        if moment % 10 == 0:
            print(f"  {moment:4} times off: {len(told.receipts)} told saved, lost {lost}", flush=True)
    core.machine.plug()
    took = until(lambda: all_near([counter]), BACK_SECONDS, "the core")
    print(
        f"{chosen.switch_off} times off: lost here {lost}; all delivered {took:.1f} s after the cable was in again"
    )


def _has(counter: CounterHere, registration: str) -> bool:
    headers = {"Authorization": f"Bearer {counter._token}"}
    return httpx.get(f"{counter.api}registrations/{registration}", headers=headers, timeout=30).is_success


def main() -> None:
    """Run it."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--counters", type=int, default=3)
    arguments.add_argument(
        "--down", type=float, nargs="*", default=[5, 20, 60], help="seconds of each outage"
    )
    arguments.add_argument("--flaps", type=int, default=6)
    arguments.add_argument("--keep-disk", action="store_true", help="leave the core's disk alone")
    arguments.add_argument(
        "--switch-off", type=int, default=0, help="times that a counter's machine is killed"
    )
    arguments.add_argument("--data", type=Path, default=Path("/var/tmp"))
    arguments.add_argument("--place", type=Path, default=Path("/dev/shm"))
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    told = Told()
    with (
        tempfile.TemporaryDirectory(
            prefix="loket-outage-", dir=chosen.data, ignore_cleanup_errors=True
        ) as first,
        tempfile.TemporaryDirectory(
            prefix="loket-place-", dir=chosen.place, ignore_cleanup_errors=True
        ) as second,
        ExitStack() as ending,
    ):
        machine = Namespace(1)
        ending.callback(machine.close)
        core = PlacedCore(Path(first) / "core", Path(second), machine)
        ending.callback(lambda: core.kill())
        core.until_ready()
        key = Path(first) / "key"
        shutil.copy(core.home / "recovery.demo-key", key)
        number = 1 if chosen.switch_off else chosen.counters
        counters = []
        for place in range(1, number + 1):
            counter = CounterHere(place, Path(first) / f"counter-{place}", core, told, door=place == 1)
            counters.append(counter)
            ending.callback(counter.switch_off)
        if chosen.switch_off:
            switch_off(chosen, core, counters[0], told)
        else:
            outages(chosen, core, counters, told, key)
        asked = sum(counter.standing()["asked"] for counter in counters)
        is_whole = report(core, told, asked)
    sys.exit(0 if is_whole else 1)


if __name__ == "__main__":
    main()
