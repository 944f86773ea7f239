"""Runs of jobs: one at a time, visible while they go, marked when they were cut off.

A run is a `JobRun` row with an empty `step`; its steps are rows of their own. The lock is
the operating system's (and PostgreSQL's, when several servers share a database), so that it
ends with the process that held it, however that ended.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from core import clock
from core.database import connection, database, is_sqlite, transaction
from core.identifiers import new_id
from core.models import JobRun
from core.vocabulary import RunStatus

ADVISORY = {"sync": 0x10CE8, "closing": 0x10CE9, "backup": 0x10CEA, "import": 0x10CEB, "suspects": 0x10CEC}
"""Job -> PostgreSQL advisory lock."""


FULL = ("disk is full", "no space left", "disk quota")
"""How SQLite, PostgreSQL and the operating system say that there is no room."""


@contextmanager
def alone(home: Path, job: str) -> Iterator[bool]:
    """Hold the job's lock for the block; yields False when another run has it.

    On PostgreSQL the block keeps one connection, without a transaction.
    """
    with _file_lock(home, job) as first:
        if not first or is_sqlite():
            yield first
            return
        with connection():
            row = database.execute_sql("SELECT pg_try_advisory_lock(%s)", (ADVISORY[job],)).fetchone()
            if not row[0]:
                yield False
                return
            try:
                yield True
            finally:
                database.execute_sql("SELECT pg_advisory_unlock(%s)", (ADVISORY[job],))


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
    """Whether some process on this machine holds the job's lock now."""
    try:
        with _file_lock(home, job) as free:
            return not free
    except OSError:  # a read-only or full disk: nothing can be running there either
        return False


def begin(job: str, step: str = "", day: date | None = None, total: int = 0) -> JobRun:
    """Note that a run or step begins; earlier ones that never ended are marked as cut off.

    The caller holds the job's lock, so whatever still looks like running is not.
    """
    with transaction():
        JobRun.update(status=RunStatus.FAILED, error="cut_off", ended_at=clock.now()).where(
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
    """Note how far a run is, for the progress bar."""
    with transaction():
        JobRun.update(done=done, total=total).where(JobRun.id == run.id).execute()


def end(
    run: JobRun, status: RunStatus, error: str | None = None, detail: dict[str, Any] | None = None
) -> None:
    """Note how a run ended; `error` is problem lines (`code: detail`), without patient data."""
    run.status, run.error, run.detail, run.ended_at = status, error, detail or {}, clock.now()
    with transaction():
        JobRun.update(status=status, error=error, detail=run.detail, ended_at=run.ended_at).where(
            JobRun.id == run.id
        ).execute()


def copy(run: JobRun, day: date) -> JobRun:
    """Note the same run for another day that it was about too."""
    values = {field.name: run.__data__.get(field.name) for field in JobRun._meta.sorted_fields}
    with transaction():
        made: JobRun = JobRun.create(**{**values, "id": new_id(), "day": day})
    return made


def reason(error: Exception) -> str:
    """Why a job failed, as a problem line: without values, which might be a patient's."""
    words = str(error).lower()
    if isinstance(error, MemoryError) or not any(mark in words for mark in FULL):
        return f"internal: {type(error).__name__}"
    return "disk_full"


def seconds_left(run: JobRun) -> float | None:
    """How long a run that counts its progress will go on at its speed so far; None before it has one."""
    elapsed: float = (clock.now() - run.started_at).total_seconds()
    if run.done <= 0 or elapsed <= 0:
        return None
    return max(0.0, (run.total - run.done) * elapsed / run.done)


def usual_seconds(job: str, step: str) -> float | None:
    """How long a step took when it last was done; None when it never was."""
    query = JobRun.select().where(JobRun.job == job, JobRun.step == step, JobRun.status == RunStatus.DONE)
    run: JobRun | None = query.order_by(JobRun.started_at.desc(), JobRun.id.desc()).first()
    if run is None or run.ended_at is None:
        return None
    taken: timedelta = run.ended_at - run.started_at
    return float(taken.total_seconds())


def newest(job: str, step: str = "", day: date | None = None) -> JobRun | None:
    """The last run of a job or step, of a day if one is given."""
    query = JobRun.select().where(JobRun.job == job, JobRun.step == step)
    if day is not None:
        query = query.where(JobRun.day == day)
    run: JobRun | None = query.order_by(JobRun.started_at.desc(), JobRun.id.desc()).first()
    return run
