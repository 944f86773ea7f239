"""One run through the outbox: read the waiting records, give them to the target, mark them by its verdicts.

Steps, each of which may be cut off anywhere and done again:
    1. The facility, its clusters and people, when they changed.
    2. Patients, then visits day by day, in batches sized to the link. A row is marked sent only
       if its change is still the one that was sent.
    3. Proof, where the target can give it. What differs is put back into the outbox and sent
       again, at most `ROUNDS` times.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from core.exchange import outbox
from core.exchange.fhir import Record
from core.exchange.outbox import PATIENT, VISIT
from core.exchange.outcome import Progress, SyncOutcome
from core.exchange.pacing import Patience, TryAgainError
from core.exchange.target import LATER, NOT_FOUND, Target
from core.foundation import clock, jobs, logs, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, RunStatus
from core.foundation.database import instant_text, transaction
from core.foundation.errors import SyncError
from core.models import JobRun, Outbox, Patient, Visit

log = logging.getLogger(__name__)

ROUNDS = 3  # times that records which the proof put back are sent in one run
SLICE = 25  # records mapped between two rests, so that the counters are not kept waiting
ACK_SLICE = 50  # rows marked in one transaction
MAX_NOT_FOUND = 3
"""Times a record may mention what the receiver does not have before it is set aside."""

PENDING, SENT, REFUSED = OutboxStatus.PENDING, OutboxStatus.SENT, OutboxStatus.REFUSED


class Sending:
    """One run: the outbox on one side, the target on the other."""

    def __init__(self, clinic: Clinic, target: Target, patience: Patience, progress: Progress | None) -> None:
        self._clinic = clinic
        self._target = target
        self._patience = patience
        self._progress = progress
        self._outcome = SyncOutcome()
        self._job: JobRun | None = None
        self._done = 0
        self._later: set[int] = set()
        """Rows the target does not want yet; they wait for the next run."""

    def go(self) -> SyncOutcome:
        """Do all steps; an error ends the run and is kept for the admin."""
        outcome = self._outcome
        try:
            self._job = jobs.begin("sync", day=self._clinic.today(), total=outbox.pending_count())
            for _ in range(ROUNDS):
                self._patience.until_answered(self._target.prepare)
                self._drain()
                outcome.manifest_agrees, again = self._target.prove()
                if not again and not self._waiting():
                    break
            state.forget(outbox.LAST_ERROR)
        except SyncError as error:
            outcome.error = error.problem
        except Exception as error:
            # The sync loop's edge: a full disk or a damaged row must not end the server.
            log.error("synchronisation failed: %s", logs.describe_failure(error))
            outcome.error = jobs.problem_of(error)
        self._finish()
        return outcome

    def _finish(self) -> None:
        outcome, target = self._outcome, self._target
        outcome.sent_bytes, outcome.received_bytes = target.sent_bytes, target.received_bytes
        try:
            if outcome.error is not None:
                state.note(outbox.LAST_ERROR, problem=outcome.error.document(), at=instant_text(clock.now()))
            outcome.pending = outbox.pending_count()
            status = RunStatus.DONE if outcome.error is None else RunStatus.FAILED
            if self._job is not None:
                jobs.end(self._job, status, [outcome.error] if outcome.error else [], outcome.document())
        except Exception as error:
            log.error("the end of the synchronisation could not be noted: %s", logs.describe_failure(error))
            outcome.error = outcome.error or jobs.problem_of(error)

    def _waiting(self) -> int:
        """Return how many records wait that the target may take now."""
        return outbox.pending_count() - len(self._later)

    def _drain(self) -> None:
        """Send as many records as wait now, and no more: at the counters the day may be going on."""
        self._queue_missing_patients()
        until = self._done + self._waiting()
        while self._done < until:
            rows, day = self._next_batch()
            if not rows:
                return
            try:
                self._send(rows, day)
            except TryAgainError as error:
                # The next batch is made again from the outbox: smaller, and with what changed meanwhile.
                self._target.shrink()
                self._patience.fail(error)
                continue
            self._done += len(rows)
            self._report()

    def _queue_missing_patients(self) -> None:
        """Queue the patients of waiting visits that never were, such as imported ones: they must arrive first."""
        visits = Outbox.select(Outbox.target).where(Outbox.kind == VISIT, Outbox.status == PENDING)
        queued = Outbox.select(Outbox.target).where(Outbox.kind == PATIENT)
        missing = (
            Visit.select(Visit.patient).distinct().where(Visit.id.in_(visits), Visit.patient.not_in(queued))
        )
        for patient_id in column(missing):
            outbox.enqueue(PATIENT, patient_id)

    def _next_batch(self) -> tuple[list[Outbox], date | None]:
        """Return the oldest pending patients; when there are none, the oldest day's visits with their day."""
        wanted = (Outbox.status == PENDING) & Outbox.sequence.not_in(self._later)
        waiting = Outbox.select().where(wanted).order_by(Outbox.sequence)
        rows = list(waiting.where(Outbox.kind == PATIENT).limit(self._target.batch_size))
        if rows:
            return rows, None
        oldest = (
            Visit.select(Visit.service_on)
            .join(Outbox, on=(Outbox.target == Visit.id))
            .where(Outbox.kind == VISIT, wanted)
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
            .limit(self._target.batch_size)
        )
        self._target.touch(day)
        return rows, day

    def _records(self, rows: Sequence[Outbox]) -> list[Record]:
        """Return one record a row, in the rows' order; read in slices, with rests between."""
        found: dict[str, Record] = {}
        for part in slices([row.target for row in rows], SLICE):
            found.update((record.target, record) for record in self._target.read(rows[0].kind, part))
            self._patience.rest()
        return [
            found.get(row.target) or Record(row.kind, row.target, error="mapping: not in the database")
            for row in rows
        ]

    def _send(self, rows: Sequence[Outbox], day: date | None) -> None:
        """Give one batch to the target and settle each row by its verdict."""
        records = self._records(rows)
        self._settle([(row, record.error) for row, record in zip(rows, records, strict=True) if record.error])
        whole = [(row, record) for row, record in zip(rows, records, strict=True) if not record.error]
        if not whole:
            return
        for verdicts in self._target.deliver([record for _, record in whole], day):
            self._settle([(whole[index][0], words) for index, words in verdicts])
        self._outcome.batches += 1

    def _settle(self, results: Sequence[tuple[Outbox, str]]) -> None:
        """Mark rows by what the receiver said; an empty text is an acknowledgement."""
        for part in slices(results, ACK_SLICE):
            with transaction():
                self._mark_sent([row for row, words in part if not words])
                for row, words in part:
                    if words.startswith(LATER):
                        self._later.add(row.sequence)
                    elif words:
                        self._mark_refused(row, words)
                state.note(outbox.LAST_CONTACT, at=instant_text(clock.now()))
            self._patience.rest()

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
                Outbox.error.startswith(NOT_FOUND),
                Outbox.target.in_(visits),
            ).execute()

    def _mark_refused(self, row: Outbox, words: str) -> None:
        again = words.startswith(NOT_FOUND) and row.attempts + 1 < MAX_NOT_FOUND
        changed = (
            Outbox.update(status=PENDING if again else REFUSED, attempts=Outbox.attempts + 1, error=words)
            .where(Outbox.sequence == row.sequence, Outbox.change == row.change)
            .execute()
        )
        if again:
            self._send_what_is_missing(row)
        elif changed:
            self._outcome.refused += 1

    def _send_what_is_missing(self, row: Outbox) -> None:
        """Send again the records this one refers to: the receiver may have been restored from an old copy."""
        state.forget(outbox.DIRECTORY)
        if row.kind == VISIT:
            patient = Visit.select(Visit.patient).where(Visit.id == row.target).scalar()
        else:
            patient = Patient.select(Patient.merged_into).where(Patient.id == row.target).scalar()
        if patient is not None:
            Outbox.update(status=PENDING, change=Outbox.change + 1).where(
                Outbox.kind == PATIENT, Outbox.target == patient, Outbox.status == SENT
            ).execute()

    def _report(self) -> None:
        assert self._job is not None
        total = max(self._job.total, self._done + self._waiting())
        jobs.advance(self._job, self._done, total)
        if self._progress is not None:
            self._progress(self._done, total)


def column(query: Any) -> list[Any]:
    """Return the first column of a query."""
    return [row[0] for row in query.tuples()]


def slices(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Return a sequence in parts of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))
