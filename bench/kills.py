"""Kills processes at random moments while clerks type over real ssh and others register by the API.

At each moment the server, its door, both or (on PostgreSQL) a process of the database is killed. Afterwards every
registration that a screen or an answer called saved must be there, once, with its number; the chain of the audit log
and the database must be whole. Exit code 1 when one is not.

    python -m bench.kills [--moments 200] [--seed 1] [--typists 2] [--callers 2] [--database sqlite|postgresql]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from core.foundation import audit_check
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.models import Patient, QueueEntry, Registration, Ticket, Visit
from tests.e2e.terminals import DemoClinic, Terminal, children_of
from tests.people import Caller, registration
from tests.postgres import cluster, new_database

TO_COMPLAINT = "<Tab>" * 13  # from NIK to the complaint, past every optional field
START_SECONDS = 300.0  # of patience with a server that comes up on a busy machine
RESTART_SECONDS = 2.0  # as in deploy/loket.service
STARE_SECONDS = 20.0  # before a typist gives a screen up and signs in again
BETWEEN_KILLS_SECONDS = (1.0, 8.0)  # a sign-in and a form take about five
NAMES = (
    "Ani",
    "Bima",
    "Cahya",
    "Dewi",
    "Eka",
    "Fitri",
    "Gilang",
    "Hesti",
    "Indra",
    "Joko",
    "Kartika",
    "Lukman",
)
ENDINGS = (
    "wati",
    "ningsih",
    "santosa",
    "pratama",
    "kusuma",
    "lestari",
    "hidayat",
    "saputra",
    "rahayu",
    "utami",
)


class BrokenLineError(Exception):
    """The screen is gone, or shows nothing that helps."""


@dataclass
class Said:
    """The acknowledgements that people had.

    Attributes:
        saved: What a save is known by (a registration's id, or a patient's NIK) -> the number that was said.
        unsure: Saves of which nobody was told anything.
    """

    saved: dict[str, str] = field(default_factory=dict)
    unsure: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, key: str, number: str) -> None:
        """Note that a save was acknowledged."""
        with self._lock:
            self.saved[key] = number

    def doubt(self) -> None:
        """Note that a save was not answered."""
        with self._lock:
            self.unsure += 1


class Typist(threading.Thread):
    """A clerk at a terminal: types one new patient after the other, and signs in again when the line is gone."""

    def __init__(self, clinic: DemoClinic, said: Said, seed: str) -> None:
        super().__init__(daemon=True)
        self._clinic, self._said = clinic, said
        self._chance = random.Random(seed)
        self.ends = threading.Event()
        self.number = int(seed.rpartition(" ")[2])

    def run(self) -> None:
        """Work until told to stop."""
        while not self.ends.is_set():
            with suppress(BrokenLineError, OSError), self._clinic.sign_in("clerk") as terminal:
                while not self.ends.is_set():
                    self._register(terminal)

    def _register(self, terminal: Terminal) -> None:
        name, nik = self._person()
        self._wait(terminal, "Registration", "Search")
        terminal.press(f"{name}<F2>")
        self._wait(terminal, "New patient", name)
        terminal.press(f"{nik}{TO_COMPLAINT}sakit gigi geraham")
        self._wait(terminal, "sakit gigi geraham")
        terminal.press("<F10>")
        self._wait(terminal, "Confirm before saving")
        terminal.press("<Enter>")
        try:
            self._wait(terminal, "Saved", name, " B-")
        except BrokenLineError:
            self._said.doubt()
            raise
        number = next(word for word in terminal.text.split() if word.startswith("B-"))
        self._said.note(nik, number)
        terminal.press("<Enter>")

    def _person(self) -> tuple[str, str]:
        """Return the name and NIK of somebody new."""
        chance = self._chance
        name = f"{chance.choice(NAMES)} {chance.choice(NAMES)}{chance.choice(ENDINGS)}"
        born = f"{chance.randint(1, 28):02d}{chance.randint(1, 12):02d}{chance.randint(60, 99):02d}"
        return name, f"637101{born}{self.number}{chance.randint(100, 999)}"

    def _wait(self, terminal: Terminal, *words: str) -> None:
        until = time.monotonic() + STARE_SECONDS
        while not all(word in terminal.text for word in words):
            if terminal.ended or time.monotonic() > until or self.ends.is_set():
                raise BrokenLineError
            time.sleep(0.02)


class Program(threading.Thread):
    """A counter of another program: sends each registration until it is answered."""

    def __init__(self, clinic: DemoClinic, said: Said) -> None:
        super().__init__(daemon=True)
        self._clinic, self._said = clinic, said
        self.ends = threading.Event()

    def run(self) -> None:
        """Work until told to stop."""
        while not self.ends.is_set():
            with (
                suppress(httpx.HTTPError, KeyError, AssertionError),
                Caller(self._clinic.url, "clerk") as caller,
            ):
                caller.timeout = httpx.Timeout(20)
                while not self.ends.is_set():
                    self._send(caller, registration())

    def _send(self, caller: Caller, body: dict[str, Any]) -> None:
        while not self.ends.is_set():
            with suppress(httpx.HTTPError):
                answer = caller.post("registrations", json=body)
                if answer.is_success:
                    self._said.note(body["id"], answer.json()["ticket"]["number"])
                    time.sleep(0.1)
                    return
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    break
            time.sleep(0.1)
        self._said.doubt()


def kill_something(clinic: DemoClinic, url: str, chance: random.Random) -> str:
    """Kill one target and start again what does not start by itself; return its name."""
    targets = ["server", "door", "both", *(["database"] if url else [])]
    target = chance.choice(targets)
    doors = children_of(clinic.process.pid)
    if target == "database":
        kill_backend(url)
        return target
    if target in {"server", "both"}:
        clinic.process.kill()
    if target in {"door", "both"}:
        for door in doors:
            with suppress(ProcessLookupError):
                os.kill(door, signal.SIGKILL)
    if target != "door":
        clinic.process.wait()
        start_again(clinic)
    return target


def start_again(clinic: DemoClinic) -> None:
    """Start the server as systemd does: once more when it ends at once, since the door of before may still hold its port.

    Args:
        clinic: Its server has ended.

    Raises:
        AssertionError: It does not come up.
    """
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            if clinic.process.poll() is None:
                clinic.wait_until_ready()
            else:
                clinic.start()
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(RESTART_SECONDS)
        else:
            return


def kill_backend(url: str) -> None:
    """Kill a process of the database that serves the clinic: PostgreSQL then recovers as a whole."""
    with suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as administrator:
        row = administrator.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1"
        ).fetchone()
        if row is not None:
            os.kill(row[0], signal.SIGKILL)


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """Yield the URL of an empty database, the empty string for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    with cluster() as url:
        yield new_database(url)


def faults(home: Path, url: str, said: Said) -> Counter[str]:
    """Compare what was said with the rows."""
    found: Counter[str] = Counter()
    clinic = Clinic.open(Settings(home=home, database_url=url), demo=True, migrates=False)
    with connection():
        for key, number in said.saved.items():
            held = _numbers(key)
            found["said saved, not there"] += not held
            found["there with another number"] += bool(held) and number not in held
            found["there twice"] += len(held) > 1
        tickets = [(row.cluster, row.service_on, row.number) for row in Ticket.select()]
        found["numbers given twice"] = len(tickets) - len(set(tickets))
        entries = QueueEntry.select().where(QueueEntry.voided_at.is_null()).count()
        found["visits without a place"] = Visit.select().count() - entries
        found["registrations without a visit"] = Registration.select().count() - Visit.select().count()
        found["faults of the audit's chain"] = len(audit_check.verify().problems)
        if not url:
            whole = database.execute_sql("PRAGMA integrity_check").fetchone()[0]
            found["faults of the file"] = int(whole != "ok")
    del clinic
    return found


def _numbers(key: str) -> list[str]:
    """Return the numbers of a registration's id, or of a patient's NIK."""
    by_person = Visit.select(Visit.id).join(Patient).where(Patient.nik == key)
    by_registration = Registration.select(Registration.visit).where(Registration.id == key)
    visits = [row[0] for row in (*by_person.tuples(), *by_registration.tuples())]
    entries = QueueEntry.select(QueueEntry, Ticket).join(Ticket).where(QueueEntry.visit.in_(visits))
    return [entry.ticket.number for entry in entries]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--typists", type=int, default=2)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    asked = parser.parse_args()
    chance, said, killed = random.Random(asked.seed), Said(), Counter[str]()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        database_url(asked.database) as url,
    ):
        home = Path(folder) / "home"
        more = {"LOKET_DATABASE_URL": url} if url else {}
        clinic = DemoClinic(home, **more)
        clinic.start()
        people: list[Typist | Program] = [
            *(Typist(clinic, said, f"{asked.seed} {number}") for number in range(asked.typists)),
            *(Program(clinic, said) for _ in range(asked.callers)),
        ]
        for person in people:
            person.start()
        for moment in range(asked.moments):
            time.sleep(chance.uniform(*BETWEEN_KILLS_SECONDS))
            killed[kill_something(clinic, url, chance)] += 1
            print(f"\r{moment + 1}/{asked.moments} killed, {len(said.saved)} saved", end="", file=sys.stderr)
        time.sleep(BETWEEN_KILLS_SECONDS[1])
        for person in people:
            person.ends.set()
        for person in people:
            person.join(STARE_SECONDS * 2)
        clinic.process.send_signal(signal.SIGTERM)
        clinic.process.wait()
        found = faults(home, url, said)
    typed = sum(key.isdigit() for key in said.saved)
    print(f"\nkilled: {dict(killed)}")
    print(
        f"said saved: {typed} by keys over ssh, {len(said.saved) - typed} by the API; not told: {said.unsure}"
    )
    for name, count in found.items():
        print(f"  {name:34} {count}")
    return int(any(found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
