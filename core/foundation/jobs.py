"""Runs of jobs: one at a time, visible while they go, marked when they were cut off.

A run is a `JobRun` row with an empty `step`; its steps are rows of their own. The lock is
the operating system's (and PostgreSQL's, when several servers share a database), so that it
ends with the process that held it, however that ended.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from core.foundation import clock, job_problems
from core.foundation.codes import RunStatus
from core.foundation.database import connection, database, is_sqlite, session_apart, transaction
from core.foundation.identifiers import new_id
from core.foundation.job_problems import JobProblem
from core.models import JobRun

ADVISORY = {
    "sync": 0x10CE8,
    "closing": 0x10CE9,
    "backup": 0x10CEA,
    "import": 0x10CEB,
    "suspects": 0x10CEC,
    "bpjs": 0x10CED,
    "bpjs-queue": 0x10CEE,
}
"""Job -> PostgreSQL advisory lock."""


HELD = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""Finds a job's lock."""

FULL = ("disk is full", "no space left", "disk quota")
"""How SQLite, PostgreSQL and the operating system say that there is no room."""


@contextmanager
def alone(home: Path, job: str) -> Iterator[bool]:
    """Hold the job's lock for the block; yields False when another run has it, on this machine or another.

    On PostgreSQL it is the lock of a transaction on a connection of its own: it ends with that, and a pooler in
    between cannot hand it on to somebody else.
    """
    with _file_lock(home, job) as first:
        if not first or is_sqlite():
            yield first
            return
        with session_apart() as session:
            session.execute("BEGIN")
            session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # it only holds the lock
            (first,) = session.execute("SELECT pg_try_advisory_xact_lock(%s)", (ADVISORY[job],)).fetchone()
            try:
                yield first
            finally:
                with suppress(Exception):  # whatever the driver raises: the lock ends with the connection
                    session.execute("ROLLBACK")


@contextmanager
def _file_lock(home: Path, job: str) -> Iterator[bool]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home / f"{job}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def is_running(home: Path, job: str) -> bool:
    """Return whether some process holds the job's lock now: on this machine, or on another server of the same PostgreSQL."""
    if not is_sqlite():
        with connection():
            return database.execute_sql(HELD, (ADVISORY[job],)).fetchone() is not None
    try:
        with _file_lock(home, job) as free:
            return not free
    except OSError:  # a read-only or full disk: nothing can be running there either
        return False


def begin(job: str, step: str = "", day: date | None = None, total: int = 0) -> JobRun:
    """Note that a run or step begins; earlier ones that never ended are marked as cut off.

    The caller holds the job's lock, so whatever still looks like running is not.

    Args:
        job: The job's name.
        step: The step's name; empty for the run itself.
        day: The day that the run is for, if it is for one.
        total: How much there is to do; 0 when not known.
    """
    cut_off = job_problems.to_text([JobProblem("cut_off")])
    with transaction():
        JobRun.update(status=RunStatus.FAILED, error=cut_off, ended_at=clock.now()).where(
            JobRun.job == job, JobRun.step == step, JobRun.status == RunStatus.RUNNING
        ).execute()
        run: JobRun = JobRun.create(
            id=new_id(),
            job=job,
            step=step,
            day=day,
            status=RunStatus.RUNNING,
            total=total,
            started_at=clock.now(),
        )
    return run


def advance(run: JobRun, done: int, total: int) -> None:
    """Note how far a run is, for the progress bar.

    Args:
        run: The run in progress.
        done: How much is done, at most `total`.
        total: How much there is to do; 0 when not known.
    """
    with transaction():
        JobRun.update(done=done, total=total).where(JobRun.id == run.id).execute()


def end(
    run: JobRun,
    status: RunStatus,
    problems: Iterable[JobProblem] = (),
    detail: dict[str, Any] | None = None,
) -> None:
    """Note how a run ended.

    Args:
        run: The run or step.
        status: How it ended.
        problems: What went wrong, without patient data.
        detail: JSON-safe facts for the admin.
    """
    run.status, run.error = status, job_problems.to_text(problems)
    run.detail, run.ended_at = detail or {}, clock.now()
    with transaction():
        JobRun.update(status=status, error=run.error, detail=run.detail, ended_at=run.ended_at).where(
            JobRun.id == run.id
        ).execute()


def copy(run: JobRun, day: date) -> JobRun:
    """Note the same run for another day that it was about too."""
    values = {field.name: run.__data__.get(field.name) for field in JobRun._meta.sorted_fields}
    with transaction():
        made: JobRun = JobRun.create(**{**values, "id": new_id(), "day": day})
    return made


def problem_of(error: Exception) -> JobProblem:
    """Return why a job failed, without values, which might be a patient's."""
    words = str(error).lower()
    if isinstance(error, MemoryError) or not any(mark in words for mark in FULL):
        return JobProblem("internal", {"type": type(error).__name__})
    return JobProblem("disk_full")


def seconds_left(run: JobRun) -> float | None:
    """Return how long a run that counts its progress will go on at its speed so far; None before it has one."""
    elapsed: float = (clock.now() - run.started_at).total_seconds()
    if run.done <= 0 or elapsed <= 0:
        return None
    return max(0.0, (run.total - run.done) * elapsed / run.done)


def usual_seconds(job: str, step: str) -> float | None:
    """Return how long a step took when it last was done; None when it never was."""
    query = JobRun.select().where(JobRun.job == job, JobRun.step == step, JobRun.status == RunStatus.DONE)
    run: JobRun | None = query.order_by(JobRun.started_at.desc(), JobRun.id.desc()).first()
    if run is None or run.ended_at is None:
        return None
    taken: timedelta = run.ended_at - run.started_at
    return float(taken.total_seconds())


def newest(job: str, step: str = "", day: date | None = None) -> JobRun | None:
    """The last run of a job or step, of a day if one is given.

    Runs that a clock that ran ahead put into the future count only where there is no other.

    Args:
        job: The job's name.
        step: The step's name; empty for the run itself.
        day: The day that the run is for, if it is for one.
    """
    query = JobRun.select().where(JobRun.job == job, JobRun.step == step)
    if day is not None:
        query = query.where(JobRun.day == day)
    query = query.order_by(JobRun.started_at.desc(), JobRun.id.desc())
    run: JobRun | None = query.where(JobRun.started_at <= clock.now() + clock.APART).first() or query.first()
    return run
