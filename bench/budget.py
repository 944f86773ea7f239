"""Counts what each action of the core costs on a fixed day: statements, commits, syncs and bytes written.

Forty people wait for the dentist, twenty others were served. Then each action is done some times, and the
middle of its counts is printed beside its budget, with the processor's time of this machine, which nothing is
held to. `tests/architecture/test_budget.py` holds the counts: one statement more fails, and so does one less
until the budget below is lowered. Last, what the actions cost with 10, 100 and 1,000 people waiting; where it is
asked for, what registrations cost beside a file of many patients, or what the actions cost on a PostgreSQL, whose round
trips are counted on the line.

    python -m bench.budget [--waiting 10 100 1000] [--patients 10000 100000 1000000] [--postgresql]
        [--profile "new patient"]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from string import ascii_lowercase
from typing import Any

import apsw

from bench.intervals import p99_of
from bench.people import households
from bench.search import fill
from core.accounts import service as accounts
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, NoIdentifierReason, Role, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor, actor_of
from core.linkage.scoring import Person
from core.patients import duplicate_check
from core.patients.search import sounds
from core.queues import service as queueing
from core.queues import views as queue_views
from core.schemas.patients import DuplicateQuery, PatientFields
from core.schemas.queues import EntryCommand, EntryOut
from core.schemas.registration import Receipt, RegistrationRequest
from core.visits import registration, transfers
from tests.postgres import cluster, new_database
from tests.server.silent_line import SilentLine

EIGHT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)  # 08:00 in the clinic
STEP = timedelta(seconds=1)  # the clock of the day moves on by this at each look
SERVED, WAITING = 20, 40
REPEATS = 9
"""Times that each action is done: the middle one is free of what only sometimes happens."""
TIMED_REPEATS = 60
CLUSTER, OTHER_CLUSTER = "GIGI", "UMUM"
FIRST_NUMBER_ON_FILE = 10_000_000  # far from those that the day gives out
EVERY_FOURTH = 4  # of the strangers is taken, so that few share a house


@dataclass(frozen=True)
class Cost:
    """The cost of an action."""

    statements: int
    """SQL statements, those that begin and end a transaction among them."""
    commits: int
    """Transactions that have written."""
    syncs: int
    """Times that something waits for the disk of the records."""
    kilobytes: int
    """Written to the disk, up to the next whole one."""


BUDGET = {
    "new patient": Cost(35, 1, 1, 272),
    "returning patient": Cost(29, 1, 1, 184),
    "call next": Cost(13, 1, 1, 64),
    "start": Cost(13, 1, 1, 72),
    "finish": Cost(16, 1, 1, 88),
    "transfer": Cost(26, 1, 1, 160),
    "read pane": Cost(12, 0, 0, 0),
}
"""Action -> its cost: the counts are held exactly, bytes as an upper limit."""


class CountingDisk(apsw.VFS):
    """The system's disk, which counts what SQLite writes and waits for."""

    def __init__(self, name: str = "counting") -> None:
        super().__init__(name, "unix", makedefault=True)
        self.syncs = 0
        self.written = 0

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        """Open a file."""
        return CountedFile(self, name, flags)


class CountedFile(apsw.VFSFile):
    """One file of the disk."""

    def __init__(self, disk: CountingDisk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xSync(self, flags: int) -> None:
        """Wait for the disk."""
        self._disk.syncs += 1
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write."""
        self._disk.written += len(data)
        super().xWrite(data, offset)


def person(number: int) -> PatientFields:
    """Return a made-up patient like no other, neither old nor a child."""
    chance = random.Random(number)
    given, family = ("".join(chance.choices(ascii_lowercase, k=8)) for _ in range(2))
    return PatientFields(
        name=f"{given} {family}".title(),
        sex=Sex.MALE if number % 2 else Sex.FEMALE,
        birth_date=date(chance.randint(1968, 1997), chance.randint(1, 12), chance.randint(1, 28)),
        no_identifier_reason=NoIdentifierReason.FORGOTTEN,
    )


@contextmanager
def a_clock() -> Iterator[None]:
    """Let the clock of the day tick: the same instants in each run."""
    ticks = iter(range(10**9))
    with clock.frozen(lambda: EIGHT + next(ticks) * STEP / 1000):
        yield


class FixedDay:
    """The clinic of the day, with its people."""

    def __init__(self, home: Path, database_url: str = "") -> None:
        self.clinic = Clinic.open(Settings(home=home, database_url=database_url))
        with connection():
            self.clerk: Actor = actor_of(
                accounts.create_account("petugas", "Petugas", Role.CLERK, "rahasia-sekali")
            )
            self.dentist: Actor = actor_of(
                accounts.create_account("gigi", "Drg. Ani", Role.CLINICIAN, "rahasia-sekali", [CLUSTER])
            )
        self._people = 0

    def fill(self, served: int = SERVED, waiting: int = WAITING) -> None:
        """Register people until so many were served and so many wait."""
        for _ in range(served):
            self.new()()
            self.finish(self.start(self.call()())())()
        for _ in range(waiting):
            self.new()()

    def new(self) -> Callable[[], Receipt]:
        """Return the registration of a new patient."""
        self._people += 1
        return self._registration(patient=person(self._people))

    def returning(self) -> Callable[[], Receipt]:
        """Return the registration of a patient who is known and was served."""
        served = self.finish(self.start(self.call()())())()
        assert served.patient is not None
        return self._registration(patient_id=served.patient.id)

    def checked_and_new(self, who: Person) -> Callable[[], Receipt]:
        """Return a new patient's registration with the check for duplicates before it, as a counter asks."""
        form = PatientFields(
            name=who.name,
            sex=Sex(who.sex or Sex.FEMALE),
            birth_date=date.fromisoformat(who.birth_date),
            phone=who.phone,
            mother_name=who.mother_name,
            address=who.address,
            no_identifier_reason=NoIdentifierReason.FORGOTTEN,
        )
        save = self._registration(patient=form, duplicate_decision="new")

        def check_and_save() -> Receipt:
            duplicate_check.duplicates(self.clinic, DuplicateQuery(**form.model_dump()))
            return save()

        return check_and_save

    def _registration(self, **who: Any) -> Callable[[], Receipt]:
        form = RegistrationRequest(id=new_id(), chief_complaint="sakit gigi", cluster=CLUSTER, **who)
        return lambda: registration.register(self.clinic, self.clerk, form)[0]

    def call(self) -> Callable[[], EntryOut]:
        """Return the call of the next patient; there is one."""

        def call() -> EntryOut:
            called = queueing.call_next(self.clinic, self.dentist, CLUSTER)
            assert called is not None
            return called

        return call

    def start(self, entry: EntryOut) -> Callable[[], EntryOut]:
        """Return the beginning of a service."""
        return self._step(entry, EntryAction.START)

    def finish(self, entry: EntryOut) -> Callable[[], EntryOut]:
        """Return the end of a service."""
        return self._step(entry, EntryAction.FINISH)

    def _step(self, entry: EntryOut, action: EntryAction) -> Callable[[], EntryOut]:
        command = EntryCommand(expected_version=entry.version)
        return lambda: queueing.act(self.clinic, self.dentist, entry.id, action, command)

    def transfer(self, entry: EntryOut) -> Callable[[], EntryOut]:
        """Return the move of a patient to another cluster."""
        command = EntryCommand(cluster=OTHER_CLUSTER, expected_version=entry.version)
        return lambda: transfers.transfer(self.clinic, self.dentist, entry.id, command)

    def pane(self) -> Callable[[], Any]:
        """Return the reading of the cluster's pane, as terminals read it."""
        return lambda: queue_views.queue(self.clinic, self.dentist, CLUSTER, open_only=True)

    def each(self, name: str, times: int) -> Iterator[Callable[[], Any]]:
        """Yield an action, prepared anew, some times; each time as many people wait as at first."""
        waiting = self._waiting()
        for _ in range(times):
            yield self.actions()[name]()
            while self._waiting() < waiting:
                self.new()()
            while self._waiting() > waiting:
                self.finish(self.start(self.call()())())()

    def _waiting(self) -> int:
        return len(queue_views.calling_ids(self.clinic, CLUSTER))

    def actions(self) -> dict[str, Callable[[], Callable[[], Any]]]:
        """Return name -> what prepares the action once and returns it."""
        return {
            "new patient": self.new,
            "returning patient": self.returning,
            "call next": self.call,
            "start": lambda: self.start(self.call()()),
            "finish": lambda: self.finish(self.start(self.call()())()),
            "transfer": lambda: self.transfer(self.call()()),
            "read pane": self.pane,
        }


@contextmanager
def fixed_day(waiting: int = WAITING, database_url: str = "") -> Iterator[FixedDay]:
    """Yield the day's clinic in a folder of its own.

    Args:
        waiting: Number of people who wait.
        database_url: An empty PostgreSQL; otherwise SQLite in the folder.
    """
    with tempfile.TemporaryDirectory() as folder, a_clock():
        day = FixedDay(Path(folder) / "home", database_url)
        try:
            with connection():
                day.fill(waiting=waiting)
                yield day
        finally:
            database.close()


def counts(waiting: int = WAITING) -> dict[str, Cost]:
    """Return action -> what it costs on the fixed day.

    Args:
        waiting: Number of people who wait.
    """
    disk = CountingDisk()
    try:
        with fixed_day(waiting) as day:
            return {
                name: _middle([_count(prepared, disk) for prepared in day.each(name, REPEATS)])
                for name in day.actions()
            }
    finally:
        disk.unregister()


def _count(action: Callable[[], Any], disk: CountingDisk) -> Cost:
    opened = database.connection()
    statements: list[str] = []
    commits: list[str] = []
    opened.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: _note(event, statements))
    # Pages go into the log at each commit; a checkpoint in between would count for whoever comes then.
    opened.set_wal_hook(lambda _connection, name, _pages: _note_commit(name, commits))
    disk.syncs = disk.written = 0
    try:
        action()
    finally:
        opened.trace_v2(0, None)
    return Cost(len(statements), len(commits), disk.syncs, -(-disk.written // 1024))


def _note(event: dict[str, Any], statements: list[str]) -> None:
    if not event["sql"].startswith("--") and not event.get("trigger"):
        statements.append(event["sql"])


def _note_commit(name: str, commits: list[str]) -> int:
    commits.append(name)
    return apsw.SQLITE_OK


def _middle(costs: list[Cost]) -> Cost:
    return Cost(
        *(
            int(median(getattr(cost, name) for cost in costs))
            for name in ("statements", "commits", "syncs", "kilobytes")
        )
    )


def seconds(waiting: int = WAITING) -> dict[str, tuple[float, float]]:
    """Return action -> the middle of its processor's time and of its duration, in milliseconds.

    Args:
        waiting: Number of people who wait.
    """
    with fixed_day(waiting) as day:
        return {name: _time(day.each(name, TIMED_REPEATS)) for name in day.actions()}


def _time(actions: Iterator[Callable[[], Any]]) -> tuple[float, float]:
    processor, took = zip(*_spent(actions), strict=True)
    return median(processor) * 1000, median(took) * 1000


def _spent(actions: Iterator[Callable[[], Any]]) -> Iterator[tuple[float, float]]:
    """Yield the seconds of each action: the processor's, and those that went by."""
    for action in actions:
        processor, began = time.thread_time(), time.perf_counter()
        action()
        yield time.thread_time() - processor, time.perf_counter() - began


def print_postgresql() -> None:
    """Print what the actions cost on a PostgreSQL of this machine, with their round trips."""
    with cluster() as server:
        url = new_database(server)
        line = SilentLine(url)
        print(f"{'on PostgreSQL':<18} {'round trips':>12} {'processor ms':>13} {'median ms':>10}")
        with fixed_day(database_url=line.through(url)) as day:
            for name in day.actions():
                trips = int(median(_trips(action, line) for action in day.each(name, REPEATS)))
                processor, took = _time(day.each(name, TIMED_REPEATS))
                print(f"{name:<18} {trips:>12} {processor:>13.2f} {took:>10.1f}", flush=True)


def _trips(action: Callable[[], Any], line: SilentLine) -> int:
    before = line.round_trips
    action()
    return line.round_trips - before


@dataclass(frozen=True)
class Registered:
    """The cost of registrations beside a file of patients, in milliseconds of processor and of time."""

    returning: tuple[float, float, float]
    """Middle of the processor's time, middle and 99th of a hundred of the duration."""
    new: tuple[float, float, float]
    """With the check for duplicates before it."""


def registered_beside(patients: int) -> Registered:
    """Return what registrations cost where so many patients are on file.

    Args:
        patients: Number of people from `bench.people`; those who arrive as new come from other households.
    """
    with fixed_day(waiting=10) as day:
        fill(households(3, patients)[:patients], FIRST_NUMBER_ON_FILE)
        sounds.refresh()
        strangers = [record.written for record in households(4, EVERY_FOURTH * TIMED_REPEATS)[::EVERY_FOURTH]]
        returning = _costs(day.each("returning patient", TIMED_REPEATS))
        new = _costs(day.checked_and_new(stranger) for stranger in strangers)
        return Registered(returning, new)


def _costs(actions: Iterator[Callable[[], Any]]) -> tuple[float, float, float]:
    processor, took = zip(*_spent(actions), strict=True)
    return median(processor) * 1000, median(took) * 1000, p99_of(took) * 1000


def profile(name: str) -> None:
    """Print where the time of an action goes."""
    with fixed_day() as day:
        watching = cProfile.Profile()
        for action in day.each(name, TIMED_REPEATS):
            watching.runcall(action)
    pstats.Stats(watching).sort_stats("tottime").print_stats(30)


def _keeps(cost: Cost, budget: Cost) -> bool:
    counted = (cost.statements, cost.commits, cost.syncs)
    return counted == (budget.statements, budget.commits, budget.syncs) and cost.kilobytes <= budget.kilobytes


def print_table(waiting: list[int]) -> None:
    """Print the counts beside their budget, then times with more and more people waiting."""
    print(f"{'action':<18} {'statements':>11} {'commits':>8} {'syncs':>6} {'KiB':>5}   budget")
    for name, cost in counts().items():
        kept = "kept" if _keeps(cost, BUDGET[name]) else f"BROKEN: {BUDGET[name]}"
        print(
            f"{name:<18} {cost.statements:>11} {cost.commits:>8} {cost.syncs:>6} {cost.kilobytes:>5}   {kept}"
        )
    times = {number: seconds(number) for number in waiting}
    print(f"\n{'processor, ms':<18} " + "".join(f"{number:>9} wait" for number in waiting))
    for name in times[waiting[0]]:
        print(f"{name:<18} " + "".join(f"{times[number][name][0]:>14.2f}" for number in waiting))


def print_patients(sizes: list[int]) -> None:
    """Print what registrations cost beside files of these sizes."""
    print(f"{'on file':>10}  {'registration':32} {'processor ms':>13} {'median ms':>10} {'p99 ms':>8}")
    for size in sizes:
        cost = registered_beside(size)
        rows = (("returning", cost.returning), ("new, with the check", cost.new))
        for name, (processor, middle, tail) in rows:
            print(f"{size:>10,}  {name:32} {processor:>13.2f} {middle:>10.1f} {tail:>8.1f}", flush=True)


def main() -> int:
    """Print the table, or a profile."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--waiting", type=int, nargs="+", default=[10, 100, 1000])
    arguments.add_argument(
        "--patients", type=int, nargs="+", help="only registrations beside so many on file"
    )
    arguments.add_argument("--postgresql", action="store_true", help="only on a PostgreSQL of this machine")
    arguments.add_argument("--profile", help="print where the time of one action goes")
    chosen = arguments.parse_args()
    if chosen.postgresql:
        print_postgresql()
    elif chosen.patients:
        print_patients(chosen.patients)
    elif chosen.profile:
        profile(chosen.profile)
    else:
        print_table(chosen.waiting)
    return 0


if __name__ == "__main__":
    sys.exit(main())
