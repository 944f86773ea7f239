"""Does BPJS end with exactly the clinic's visits, whatever goes wrong on the way?

    python -m bench.bpjs_faults [--visits 1000] [--seed 1] [--faults 0.2] [--kill-every 3.0]

A clinic's insured visits of three days go to the strict stand-in. Answers are lost, cut, spoilt and kept back by a
seed, the process that sends is ended with `kill -9` again and again, BPJS's clock is half an hour ahead, one day BPJS is
out, and so it is on the last day of the month. Afterwards the two sets are compared, by this script and by the
clinic's own evening comparison. The queue of Mobile JKN hears of the same people's numbers under the same faults, and of
others who pay themselves or are cancelled: in order, each call once, none missing. Some are referred, and get their
referrals' numbers.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from core.exchange import outbox
from core.exchange.bpjs import day_comparison, pcare_run, queue_run
from core.exchange.bpjs.allergy_codes import NOT_LISTED, fold
from core.exchange.bpjs.pcare_bodies import day_text
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, EntryAction, EntryStatus, OutboxStatus, Payer, VisitStatus
from core.foundation.config import Settings
from core.foundation.database import connection, transaction
from core.models import (
    Account,
    BpjsCode,
    BpjsQueue,
    BpjsVisit,
    Encounter,
    Patient,
    Prescription,
    QueueEntry,
    QueueEvent,
    Ticket,
    Visit,
)
from server.bpjs_stand_in import Books, PcareHost, Unconfirmed
from server.bpjs_stand_in.pcare_host import DEMO_KEYS, FAULTS, SILENT, queue_settings_for, settings_for
from server.bpjs_stand_in.queue_books import QueueBooks
from tests.core.days import MEDICINES, Days

DAYS = [date(2026, 3, 29), date(2026, 3, 30), date(2026, 3, 31)]
"""A day with faults, a day without BPJS, and the last day of the month without BPJS."""
AFTER = date(2026, 4, 1)
ANSWERS = {"bpjs": {"consciousness": "01", "prognosis": "02"}}
REFERRED = 11
"""Each so many-th patient is referred."""
REFERRAL = {
    "refer_subspecialist": "8", "refer_provider": "0114R001", "refer_provider_name": "RSUD KOTA", "refer_on": "2026-04-03",
}  # fmt: skip
CLOCK_AHEAD = timedelta(minutes=30)
SKIPPED = 7
"""Each so many-th patient did not answer the first call."""
PATIENCE = httpx.Timeout(2.0)
"""Seconds for an answer: a clinic waits for thirty, which a thousand visits have no time for."""


class Time:
    """The real clock, moved so that it is a given day."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def be(self, day: date) -> None:
        """Make it two in the afternoon of a day, in Banjarmasin."""
        self.offset = datetime(day.year, day.month, day.day, 6, tzinfo=UTC) - datetime.now(UTC)

    def __call__(self) -> datetime:
        """Return the instant."""
        return datetime.now(UTC) + self.offset


def child(home: str, url: str, offset: float) -> None:
    """Send until nothing waits; whoever started this ends it at any moment."""
    settings = Settings(home=Path(home), **settings_for(url, DEMO_KEYS), **queue_settings_for(url))
    with clock.frozen(lambda: datetime.now(UTC) + timedelta(seconds=offset)):
        clinic = Clinic.open(settings)
        print("ready", flush=True)
        while True:
            outcomes = [run(clinic, timeout=PATIENCE) for run in (pcare_run.run, queue_run.run)]
            if all(outcome.error is None and not outcome.waiting for outcome in outcomes):
                return


def fill(clinic: Clinic, books: Books, day: date, count: int, first: int) -> None:
    """Write a day's insured visits into the clinic's tables, and insure their people."""
    days = Days(clinic, seed=first + 7)
    with transaction():
        for number in range(first, first + count):
            card = f"{number:013d}"
            patient = days.patient(nik=f"6371019{number:09d}", bpjs_number=card)
            books.add_participant(card, patient.nik, patient.name, "P", patient.birth_date)
            cluster = ("UMUM", "GIGI", "KIA")[number % 3]
            is_referred = number % REFERRED == 0
            visit = days.visit(
                day,
                patient,
                cluster=cluster,
                codes=["N18.9" if is_referred else "J06.9"],
                payer=Payer.JKN_PBI,
                disposition=Disposition.REFERRED if is_referred else Disposition.HOME,
            )
            form = {"bpjs": {**ANSWERS["bpjs"], **(REFERRAL if is_referred else {})}}
            Encounter.update(form=form).where(Encounter.visit == visit).execute()
            Prescription.update(frequency="3x1").where(Prescription.visit == visit).execute()
            if number % SKIPPED == 0:
                note_skip(days, QueueEntry.get(QueueEntry.visit == visit))


def fill_others(clinic: Clinic, books: Books, day: date, count: int, first: int) -> list[Visit]:
    """Write visits of which the queue alone keeps something: people who pay, and insured ones who will be cancelled.

    Args:
        clinic: The clinic.
        books: Insure the people.
        day: Of the visits.
        count: How many of either.
        first: Number of the first.

    Returns:
        Those that will be cancelled.
    """
    days, leaving = Days(clinic, seed=first + 500_007), []
    with transaction():
        for number in range(first, first + count):
            days.visit(
                day,
                days.patient(nik=f"6371018{number:09d}"),
                cluster="GIGI",
                codes=["J06.9"],
                payer=Payer.GENERAL,
                disposition="home",
            )
            card = f"9{number:012d}"
            patient = days.patient(nik=None, bpjs_number=card)
            books.add_participant(card, "", patient.name, "P", patient.birth_date)
            visit = days.visit(
                day, patient, cluster="KIA", full=False, payer=Payer.JKN_PBI, disposition=None, status=VisitStatus.ARRIVED,
                ended_at=None,
            )  # fmt: skip
            waiting = {"status": EntryStatus.WAITING, "served_at": None, "called_at": None, "ended_at": None}
            QueueEntry.update(waiting).where(QueueEntry.visit == visit).execute()
            leaving.append(visit)
    return leaving


def cancel_all(leaving: list[Visit], account: Account) -> None:
    """Cancel visits as the counter does, in its rows."""
    with transaction():
        for visit in leaving:
            entry, at = QueueEntry.get(QueueEntry.visit == visit), clock.now()
            ended = {"status": EntryStatus.CANCELLED, "ended_at": at}
            QueueEntry.update(ended).where(QueueEntry.id == entry.id).execute()
            QueueEvent.create(
                entry=entry, action=EntryAction.CANCEL, to_status=EntryStatus.CANCELLED, at=at, by=account
            )
            Visit.update(status=VisitStatus.CANCELLED, ended_at=at).where(Visit.id == visit.id).execute()
            outbox.enqueue("visit", visit.id)


def note_skip(days: Days, entry: QueueEntry) -> None:
    """Note that nobody answered the first call."""
    at = entry.served_at - timedelta(minutes=5)
    QueueEvent.create(
        entry=entry, action=EntryAction.SKIP, to_status=EntryStatus.SKIPPED, at=at, by=days.account
    )


def queue_differences(queue: QueueBooks) -> Counter[str]:
    """Compare the calls that the stand-in's queue took with what became of each number."""
    found: Counter[str] = Counter()
    taken: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for kind, key in queue.log:
        taken[key].append(kind)
    polis = {"UMUM": "001", "GIGI": "002", "KIA": "003"}
    for entry in (
        QueueEntry.select(QueueEntry, Visit, Patient, Ticket)
        .join(Visit)
        .join(Patient)
        .switch(QueueEntry)
        .join(Ticket)
    ):
        card = entry.visit.patient.bpjs_number if entry.visit.payer == Payer.JKN_PBI else None
        key = (entry.service_on.isoformat(), polis[entry.cluster], card or entry.ticket.number)
        calls = taken.pop(key, [])
        wanted = ["add"]
        if card and entry.status == EntryStatus.CANCELLED:
            wanted.append("batal")
        elif card:
            is_skipped = QueueEvent.select().where(
                QueueEvent.entry == entry, QueueEvent.action == EntryAction.SKIP
            )
            wanted += [*["panggil 2"] * is_skipped.count(), "panggil 1"]
        found["numbers whose calls are missing, twice or out of order"] += calls != wanted
    found["numbers that nobody gave"] = len(taken)
    found["calls about an unknown number"] = queue.unknown.total()
    refused = list(BpjsQueue.select().where(BpjsQueue.status == OutboxStatus.REFUSED))
    found["visits the queue set aside"] = len(refused)
    for row in refused:
        print("set aside by the queue:", row.error, row.gaps, [call.split(":")[0] for call in row.calls])
    return found


def send_all(clinic: Clinic, host: PcareHost, now: Time, kill_every: float, chance: random.Random) -> int:
    """Let the child send, ending it with kill -9 again and again until it ends by itself; return how often."""
    kills = 0
    while True:
        command = [sys.executable, "-m", "bench.bpjs_faults", "--child", str(clinic.settings.home), host.url]
        running = subprocess.Popen([*command, str(now.offset.total_seconds())], stdout=subprocess.PIPE)
        assert running.stdout is not None
        running.stdout.readline()
        try:
            if running.wait(kill_every * (0.2 + 1.6 * chance.random())) == 0:
                return kills
        except subprocess.TimeoutExpired:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
            kills += 1


def differences(books: Books) -> Counter[str]:
    """Compare what the stand-in holds with the clinic's rows, one by one."""
    found: Counter[str] = Counter()
    held = {(card, day): item for (card, day, _poli), item in books.registrations.items()}
    found["registrations twice"] = len(books.registrations) - len(held)
    visits = Counter((item["noKartu"], item["tglDaftar"]) for item in books.visits.values())
    found["visits twice"] = sum(count - 1 for count in visits.values())
    numbers: set[str] = set()
    items = 0
    for row in BpjsVisit.select(BpjsVisit, Visit).join(Visit).where(Visit.status == VisitStatus.FINISHED):
        if row.visit.payer != Payer.JKN_PBI:
            continue  # asked about, and not insured
        refused = row.status == OutboxStatus.REFUSED
        there = visits[row.card_number, day_text(row.visit.service_on)]
        found["visits missing"] += not refused and not there
        found["set aside with BPJS's words"] += refused and bool(row.error)
        found["set aside, and there all the same"] += refused and bool(there)
        numbers |= {row.visit_number} if row.visit_number else set()
        if row.visit.disposition == Disposition.REFERRED and row.visit_number:
            found["referrals without their number"] += row.referral.get("number") != row.visit_number
        items += len(row.items)
    found["visits with another number"] = len(numbers ^ set(books.visits))
    found["medicines too many or too few"] = abs(items - len(books.medicines))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=float, default=0.2)
    parser.add_argument("--kill-every", type=float, default=3.0)
    parser.add_argument("--child", nargs=3, metavar=("HOME", "URL", "OFFSET"))
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], asked.child[1], float(asked.child[2]))
        return 0
    now, chance = Time(), random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as home, clock.frozen(now):
        now.be(DAYS[0])
        zone = Settings().timezone
        books = Books(lambda: (clock.now() + CLOCK_AHEAD).astimezone(zone), Unconfirmed.by_seed(asked.seed))
        host = PcareHost(books, seed=asked.seed)
        host.faults = (*FAULTS, SILENT)
        clinic = Clinic.open(Settings(home=Path(home), **host.settings(), **host.queue_settings()))
        began = time.monotonic()
        with connection():
            Days(clinic)
            BpjsCode.create(kind="doctor", ours="doctor", theirs="D001")
            for medicine in MEDICINES:
                BpjsCode.create(kind="medicine", ours=fold(medicine), theirs=NOT_LISTED)
            shares = [asked.visits * 7 // 10, asked.visits * 2 // 10]
            shares.append(asked.visits - sum(shares))
            first = 1
            kills = 0
            for day, count in zip(DAYS, shares, strict=True):
                now.be(day)
                fill(clinic, books, day, count, first)
                leaving = fill_others(clinic, books, day, max(1, count // 20), first)
                first += count
                host.is_down = day != DAYS[0]
                host.share = asked.faults
                if host.is_down:
                    for run in (pcare_run.run, queue_run.run):
                        assert run(clinic, timeout=PATIENCE).error is not None
                    if day == DAYS[1]:
                        host.is_down = False  # the line is back in the evening of the next day
                        now.be(DAYS[2])
                        kills += send_all(clinic, host, now, asked.kill_every, chance)
                else:
                    kills += send_all(clinic, host, now, asked.kill_every, chance)
                if not host.is_down:
                    cancel_all(leaving, Days(clinic).account)
                    kills += send_all(clinic, host, now, asked.kill_every, chance)
            now.be(AFTER)
            host.is_down = False
            kills += send_all(clinic, host, now, asked.kill_every, chance)
            cancel_all(leaving, Days(clinic).account)
            kills += send_all(clinic, host, now, asked.kill_every, chance)
            host.share = 0.0
            made, problem = day_comparison.compare_days(clinic)
            found = differences(books)
            found.update(queue_differences(host.queue))
    host.close()
    return report(asked, books, host, kills, found, made, problem, time.monotonic() - began)


def report(
    asked: argparse.Namespace,
    books: Books,
    host: PcareHost,
    kills: int,
    found: Counter[str],
    made: list[day_comparison.DayComparison],
    problem: object,
    seconds: float,
) -> int:
    print(f"{asked.visits} visits, seed {asked.seed}, {seconds:.0f} s; kill -9: {kills}; {books.facts}")
    print(
        "the queue:",
        dict(Counter(kind for kind, _key in host.queue.log)),
        "answered 201:",
        dict(host.queue.repeated),
    )
    print("requests by fault:", dict(sorted(host.met.items())))
    print(
        f"at BPJS: {len(books.registrations)} registrations, {len(books.visits)} visits, {len(books.medicines)} medicines"
    )
    for what, count in found.items():
        print(f"  {count:6d} {what}")
    for day in made:
        print(f"  {day.day}: {'agrees' if day.agrees else 'DIFFERS'}, {day.here} here, {day.there} there,"
              f" {len(day.missing)} missing, {len(day.only_there)} only there, {len(day.open_here)} open here")  # fmt: skip
    told = found.pop("set aside with BPJS's words")
    open_here = sum(len(day.open_here) for day in made)
    is_exact = not any(found.values()) and problem is None and open_here == told
    is_exact = is_exact and len(books.visits) + told == asked.visits
    print("exact" if is_exact else "NOT EXACT")
    return 0 if is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
