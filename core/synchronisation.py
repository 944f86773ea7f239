"""The daily sending: what is in the outbox goes to the office, and the day is proven.

Steps of a run, each of which may be cut off anywhere and done again:
    1. The facility, its clusters and people, when they changed.
    2. Patients, then visits day by day, in Bundles sized to the link. A row is marked sent only
       if its change is still the one that was sent.
    3. A manifest a day: counts and hashes. What differs is put back into the outbox and sent
       again, at most `ROUNDS` times.

The database is read in short slices and written in short transactions, never during HTTP.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from core import clock, job_runs, outbox
from core.clinic import Clinic
from core.database import connection, instant_text, transaction
from core.errors import SyncError
from core.fhir import Answer, Mapper, Record, digest
from core.fhir import transaction as make_bundle
from core.manifests import Totals
from core.models import AuditEvent, Outbox, Patient, Visit
from core.office_link import BatchRefusedError, Link, Pace, TryAgainError
from core.outbox import PATIENT, VISIT
from core.vocabulary import OutboxStatus, RunStatus

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]

NICENESS = 10
ROUNDS = 3
SLICE = 25  # records mapped between two rests
ACK_SLICE = 50  # rows marked in one transaction
MAX_NOT_FOUND = 3
"""Times a record may mention what the office does not have before it is set aside."""

DIRECTORY = "sync_directory"
UNCONFIRMED = "sync_unconfirmed"
LINK = "sync_link"

PENDING, SENT, REFUSED = OutboxStatus.PENDING, OutboxStatus.SENT, OutboxStatus.REFUSED


@dataclass
class SyncOutcome:
    """What a run did."""

    sent: int = 0
    """Records the office has acknowledged."""
    refused: int = 0
    """Records set aside in this run."""
    pending: int = 0
    """Records still waiting afterwards."""
    batches: int = 0
    sent_bytes: int = 0
    """Compressed request bodies."""
    received_bytes: int = 0
    manifest_agrees: bool | None = None
    """None when no day could be compared."""
    error: str | None = None
    """Why it ended early, in words for the admin."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def run(
    clinic: Clinic,
    *,
    progress: Progress | None = None,
    client: httpx.Client | None = None,
    pace: Pace | None = None,
) -> SyncOutcome:
    """Send what waits and prove the days it belongs to. Running it again is harmless.

    Never raises for a refused record or an unreachable office: the former is set aside with
    the office's words, the latter leaves everything in the outbox with the reason.

    Args:
        clinic: Whose outbox.
        progress: Called with records done and records known of, after each batch.
        client: An HTTP client to use instead of a new one.
        pace: How hard to try.
    """
    if clinic.settings.sync_target != "office":
        return SyncOutcome(error="LOKET_SYNC_TARGET: this version sends to an office only")
    if not clinic.settings.office_url:
        return SyncOutcome(error="no office is set (LOKET_OFFICE_URL)")
    with job_runs.alone(clinic.settings.home, "sync") as first:
        if not first:
            return SyncOutcome(error="another synchronisation is running")
        own = client or httpx.Client()
        try:
            with connection():
                return _Run(clinic, own, pace or Pace(), progress).go()
        finally:
            if client is None:
                own.close()


def run_apart(clinic: Clinic) -> SyncOutcome:
    """The same in a process of its own, at low priority, for a server with people at its counters.

    In a thread of the server every query of a counter would wait for this run's turns at the
    interpreter; measured, the counters' p99 tripled.
    """
    child = subprocess.run(
        [sys.executable, "-m", "core.synchronisation"],
        input=pickle.dumps(clinic.settings),
        stdout=subprocess.PIPE,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    try:
        return SyncOutcome(**json.loads(child.stdout))
    except (ValueError, TypeError):
        return SyncOutcome(error=f"internal: the sending process ended with code {child.returncode}")


def _main() -> None:
    """The process of `run_apart`: settings in, outcome out."""
    os.nice(NICENESS)
    settings = pickle.load(sys.stdin.buffer)  # noqa: S301  # written by our own parent process
    outcome = run(Clinic.open(settings))
    sys.stdout.write(json.dumps(outcome.document()))


class _Run:
    """One run: the outbox on one side, the link on the other."""

    def __init__(self, clinic: Clinic, client: httpx.Client, pace: Pace, progress: Progress | None) -> None:
        self._clinic = clinic
        self._pace = pace
        self._progress = progress
        self._link = Link(clinic.settings.office_url, clinic.settings.office_token, client)
        self._mapper = Mapper(clinic)
        self._outcome = SyncOutcome()
        self._job = job_runs.begin("sync", day=clinic.today(), total=outbox.pending_count())
        self._done = 0
        self._failures = 0
        self._woke = time.monotonic()
        known = outbox.fact(LINK)
        self._size = int(known["size"]) if known else pace.first_batch

    def go(self) -> SyncOutcome:
        """Do all steps; an error ends the run and is kept for the admin."""
        outcome = self._outcome
        try:
            self._send_directory()
            for _ in range(ROUNDS):
                self._drain()
                if not self._confirm_days():
                    break
            outbox.forget(outbox.LAST_ERROR)
        except SyncError as error:
            outcome.error = error.reason
        except Exception as error:
            # The sync loop's edge: a full disk or a damaged row must not end the server.
            log.exception("synchronisation failed")
            outcome.error = f"internal: {type(error).__name__}"
        self._finish()
        return outcome

    def _finish(self) -> None:
        outcome = self._outcome
        outcome.sent_bytes, outcome.received_bytes = self._link.sent_bytes, self._link.received_bytes
        try:
            if outcome.error is not None:
                outbox.note(outbox.LAST_ERROR, text=outcome.error, at=instant_text(clock.now()))
            outcome.pending = outbox.pending_count()
            status = RunStatus.DONE if outcome.error is None else RunStatus.FAILED
            job_runs.end(self._job, status, outcome.error, outcome.document())
        except Exception:
            log.exception("the end of the synchronisation could not be noted")
            outcome.error = outcome.error or "internal: the end could not be noted"

    # --- sending

    def _send_directory(self) -> None:
        record = self._mapper.directory()
        known = outbox.fact(DIRECTORY)
        mark = {
            "digest": digest({"all": [entry.resource for entry in record.entries]}).hex(),
            "office": self._clinic.settings.office_url,
        }
        if known == mark:
            return
        while True:
            try:
                answers, _ = self._link.send(make_bundle(self._mapper.names, [record]))
                break
            except TryAgainError as error:
                self._fail(error)
            except BatchRefusedError as error:
                raise SyncError(f"the office refuses this facility: {error.reason}") from None
        refused = [answer.error for answer in answers if not answer.ok]
        if refused:
            raise SyncError(f"the office refuses this facility: {refused[0]}")
        self._succeed()
        outbox.note(DIRECTORY, **mark)

    def _drain(self) -> None:
        """Send until nothing waits that has not been looked at in vain."""
        self._queue_missing_patients()
        while True:
            rows, day = self._next_batch()
            if not rows:
                return
            records = self._records(rows)
            try:
                self._send(rows, records, day)
            except TryAgainError as error:
                # The next batch is made anew from the outbox: smaller, and with what changed meanwhile.
                self._size = max(1, self._size // 2)
                self._fail(error)
                continue
            self._done += len(rows)
            self._report()

    def _queue_missing_patients(self) -> None:
        """A visit cannot arrive before its patient; imported ones may never have been queued."""
        visits = Outbox.select(Outbox.target).where(Outbox.kind == VISIT, Outbox.status == PENDING)
        queued = Outbox.select(Outbox.target).where(Outbox.kind == PATIENT)
        missing = (
            Visit.select(Visit.patient).distinct().where(Visit.id.in_(visits), Visit.patient.not_in(queued))
        )
        for patient_id in _column(missing):
            outbox.put(PATIENT, patient_id)

    def _next_batch(self) -> tuple[list[Outbox], date | None]:
        """The oldest pending patients; when there are none, the oldest day's visits."""
        waiting = Outbox.select().where(Outbox.status == PENDING).order_by(Outbox.sequence)
        rows = list(waiting.where(Outbox.kind == PATIENT).limit(self._size))
        if rows:
            return rows, None
        oldest = (
            Visit.select(Visit.service_on)
            .join(Outbox, on=(Outbox.target == Visit.id))
            .where(Outbox.kind == VISIT, Outbox.status == PENDING)
            .order_by(Visit.service_on)
            .limit(1)
            .scalar()
        )
        if oldest is None:
            return [], None
        day = oldest if isinstance(oldest, date) else date.fromisoformat(oldest)
        rows = list(
            waiting.join(Visit, on=(Outbox.target == Visit.id))
            .where(Outbox.kind == VISIT, Visit.service_on == day)
            .limit(self._size)
        )
        self._unconfirm(day)
        return rows, day

    def _records(self, rows: Sequence[Outbox]) -> list[Record]:
        """One record a row, in the rows' order; read in slices, with rests between."""
        read = self._mapper.patients if rows[0].kind == PATIENT else self._mapper.visits
        found: dict[str, Record] = {}
        for part in _slices([row.target for row in rows], SLICE):
            found.update((record.target, record) for record in read(part))
            self._rest()
        return [
            found.get(row.target) or Record(row.kind, row.target, error="mapping: not in the database")
            for row in rows
        ]

    def _send(self, rows: Sequence[Outbox], records: Sequence[Record], day: date | None) -> None:
        """Send one batch and settle each row; a Bundle refused as a whole is halved until it shows why."""
        broken = [index for index, record in enumerate(records) if record.error]
        if broken:
            self._settle([(rows[index], records[index].error or "") for index in broken])
            rows = [row for index, row in enumerate(rows) if index not in broken]
            records = [record for record in records if not record.error]
        if not rows:
            return
        bundle = make_bundle(self._mapper.names, records, day)
        self._rest()
        try:
            answers, seconds = self._link.send(bundle)
        except BatchRefusedError as error:
            if len(rows) == 1:
                self._succeed()
                self._settle([(rows[0], error.reason)])
                return
            middle = len(rows) // 2
            self._send(rows[:middle], records[:middle], day)
            self._send(rows[middle:], records[middle:], day)
            return
        self._woke = time.monotonic()
        self._outcome.batches += 1
        self._succeed()
        self._adapt(len(rows), seconds)
        self._settle(list(zip(rows, _errors(bundle.owners, answers, len(rows)), strict=True)))

    def _adapt(self, count: int, seconds: float) -> None:
        """Size the next batch to the link, at most doubled or halved, and remember it."""
        wanted = round(count * self._pace.target / max(seconds, 0.001))
        size = min(max(wanted, count // 2, 1), max(count * 2, self._size), self._pace.max_batch)
        if size != self._size:
            self._size = size
            outbox.note(LINK, size=size)

    # --- the outbox

    def _settle(self, results: Sequence[tuple[Outbox, str]]) -> None:
        """Mark rows by what the office said; an empty text is an acknowledgement."""
        for part in _slices(results, ACK_SLICE):
            with transaction():
                self._mark_sent([row for row, error in part if not error])
                for row, error in part:
                    if error:
                        self._mark_refused(row, error)
                outbox.note(outbox.LAST_CONTACT, at=instant_text(clock.now()))
            self._rest()

    def _mark_sent(self, rows: Sequence[Outbox]) -> None:
        by_change: dict[int, list[int]] = {}
        for row in rows:
            by_change.setdefault(row.change, []).append(row.sequence)
        for change, sequences in by_change.items():
            # A row edited while the batch was under way keeps waiting: its change has moved on.
            self._outcome.sent += (
                Outbox.update(status=SENT, sent_at=clock.now(), error=None, attempts=0)
                .where(Outbox.sequence.in_(sequences), Outbox.change == change)
                .execute()
            )
        patients = [row.target for row in rows if row.kind == PATIENT]
        if patients:
            visits = Visit.select(Visit.id).where(Visit.patient.in_(patients))
            # Visits that were set aside only because their patient was may go now.
            Outbox.update(status=PENDING, attempts=0).where(
                Outbox.kind == VISIT,
                Outbox.status == REFUSED,
                Outbox.error.startswith("not-found"),
                Outbox.target.in_(visits),
            ).execute()

    def _mark_refused(self, row: Outbox, error: str) -> None:
        again = error.startswith("not-found") and row.attempts + 1 < MAX_NOT_FOUND
        changed = (
            Outbox.update(status=PENDING if again else REFUSED, attempts=Outbox.attempts + 1, error=error)
            .where(Outbox.sequence == row.sequence, Outbox.change == row.change)
            .execute()
        )
        if again:
            self._send_what_is_missing(row)
        elif changed:
            self._outcome.refused += 1

    def _send_what_is_missing(self, row: Outbox) -> None:
        """The office lacks what this record mentions (it may have been restored from an old copy)."""
        outbox.forget(DIRECTORY)
        if row.kind == VISIT:
            patient = Visit.select(Visit.patient).where(Visit.id == row.target).scalar()
        else:
            patient = Patient.select(Patient.merged_into).where(Patient.id == row.target).scalar()
        if patient is not None:
            Outbox.update(status=PENDING, change=Outbox.change + 1).where(
                Outbox.kind == PATIENT, Outbox.target == patient, Outbox.status == SENT
            ).execute()

    # --- the proof

    def _unconfirm(self, day: date) -> None:
        """Remember, before it is sent, that a day has to be proven."""
        days = self._unconfirmed()
        if day not in days:
            outbox.note(UNCONFIRMED, days=[known.isoformat() for known in sorted({*days, day})])

    def _unconfirmed(self) -> list[date]:
        known = outbox.fact(UNCONFIRMED)
        return [date.fromisoformat(day) for day in known["days"]] if known else []

    def _confirm_days(self) -> bool:
        """Compare every unproven day and today.

        Returns:
            Whether something was put back into the outbox.
        """
        repaired = False
        agreements: list[bool] = []
        today = self._clinic.today()
        for day in sorted({*self._unconfirmed(), today}):
            if not self._is_settled(day):
                continue
            agrees, again = self._confirm(day)
            agreements.append(agrees)
            repaired = repaired or again
            if agrees:
                left = [known.isoformat() for known in self._unconfirmed() if known != day]
                outbox.note(UNCONFIRMED, days=left)
            else:
                self._unconfirm(day)
        if agreements:
            self._outcome.manifest_agrees = all(agreements)
            outbox.note(
                outbox.MANIFEST, agrees=all(agreements), day=today.isoformat(), at=instant_text(clock.now())
            )
        if repaired:
            self._send_directory()
        return repaired

    def _is_settled(self, day: date) -> bool:
        """Whether nothing of a day waits; otherwise its manifest would be about a moving thing."""
        visits = Visit.select(Visit.id).where(Visit.service_on == day)
        patients = Visit.select(Visit.patient).where(Visit.service_on == day)
        waiting = Outbox.select().where(Outbox.status == PENDING)
        return not (
            waiting.where(Outbox.kind == VISIT, Outbox.target.in_(visits)).exists()
            or waiting.where(Outbox.kind == PATIENT, Outbox.target.in_(patients)).exists()
        )

    def _confirm(self, day: date) -> tuple[bool, bool]:
        """Compare one day; returns (agrees, something was put back into the outbox)."""
        totals, owners, digests = self._day(day)
        if not self._is_settled(day):
            return True, False  # changed while it was read; the next run compares it
        body: dict[str, Any] = {
            "day": day.isoformat(),
            "counts": totals.counts,
            "hashes": totals.hashes(),
            "audit_hash": AuditEvent.select(AuditEvent.hash).order_by(AuditEvent.sequence.desc()).scalar()
            or "",
        }
        answer = self._manifest(body)
        if answer["agrees"]:
            return True, False
        differ = set(answer.get("differ") or [])
        body["records"] = {key: known for key, known in digests.items() if key.partition("/")[0] in differ}
        answer = self._manifest(body)
        keys = [*(answer.get("missing") or []), *(answer.get("different") or [])]
        return bool(answer["agrees"]), self._put_back({owners[key] for key in keys if key in owners})

    def _day(self, day: date) -> tuple[Totals, dict[str, tuple[str, str]], dict[str, str]]:
        """A day's totals, and per `Type/value` its outbox record and its digest."""
        visits = _column(Visit.select(Visit.id).where(Visit.service_on == day))
        patients = _column(Visit.select(Visit.patient).distinct().where(Visit.service_on == day))
        totals, owners, digests = Totals(), {}, {}
        for read, ids in ((self._mapper.patients, patients), (self._mapper.visits, visits)):
            for part in _slices(ids, SLICE):
                for record in read(part):
                    for entry in record.entries:
                        known = digest(entry.resource).hex()
                        totals.add(entry.key, known)
                        owners[entry.key] = (record.kind, record.target)
                        digests[entry.key] = known
                self._rest()
        return totals, owners, digests

    def _manifest(self, body: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                answer = self._link.manifest(body)
            except TryAgainError as error:
                self._fail(error)
                continue
            except BatchRefusedError as error:
                raise SyncError(f"the office refuses the manifest: {error.reason}") from None
            self._succeed()
            return answer

    def _put_back(self, records: Iterable[tuple[str, str]]) -> bool:
        """Send again what the office lacks; what it refused stays set aside."""
        changed = 0
        for part in _slices(sorted(records), ACK_SLICE):
            with transaction():
                for kind, target in part:
                    changed += (
                        Outbox.update(status=PENDING, change=Outbox.change + 1)
                        .where(Outbox.kind == kind, Outbox.target == target, Outbox.status == SENT)
                        .execute()
                    )
        return changed > 0

    # --- pace

    def _fail(self, error: TryAgainError) -> None:
        """Wait before the next attempt, or end the run."""
        self._failures += 1
        if self._failures >= self._pace.attempts:
            raise SyncError(error.reason, error.retry_after)
        time.sleep(self._pace.wait_after(self._failures, error.retry_after))
        self._woke = time.monotonic()

    def _succeed(self) -> None:
        self._failures = 0

    def _rest(self) -> None:
        """Let the counters have the processor for as long as this run just had it."""
        worked = time.monotonic() - self._woke
        time.sleep(min(0.25, worked * self._pace.rest))
        self._woke = time.monotonic()

    def _report(self) -> None:
        total = max(self._job.total, self._done + outbox.pending_count())
        job_runs.advance(self._job, self._done, total)
        if self._progress is not None:
            self._progress(self._done, total)


def _errors(owners: Sequence[int], answers: Sequence[Answer], count: int) -> list[str]:
    """Per record why it was refused, empty when all of it was taken.

    A refused entry drags along those that mention it: the cause counts, not its followers.
    """
    errors = [""] * count
    for owner, answer in zip(owners, answers, strict=True):
        if not answer.ok and (not errors[owner] or errors[owner].startswith("not-found")):
            errors[owner] = answer.error
    return errors


def _column(query: Any) -> list[Any]:
    """The first column of a query."""
    return [row[0] for row in query.tuples()]


def _slices(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


if __name__ == "__main__":
    _main()
