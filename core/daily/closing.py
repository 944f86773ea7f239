"""The day's closing: one job of named steps that can be cut off anywhere and run again.

The steps are `closing_steps.STEPS`, done in order. Each can be repeated; the backup is not, when it
already holds the newest change. A failed step does not stop the later ones, and is tried again every
quarter of an hour until it is done (`has_failed`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pkgutil import resolve_name

from peewee import fn

from core.counters import machines
from core.daily.closing_actions import (
    COUNTERS_OUT,
    JOB,
    NEWEST_CHANGE,
    PEOPLE_HERE,
    StepResult,
    await_turn,
    is_over,
    sends_at,
)
from core.daily.closing_steps import STEPS, ClosingStep
from core.exchange import service as synchronisation
from core.foundation import clock, job_problems, jobs, logs
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus
from core.foundation.database import connection, tuples
from core.foundation.errors import CoreError
from core.models import Change, JobRun, Visit
from core.queues import people_left
from core.schemas.clinic import ClosingOut, ClosingStepOut

__all__ = [
    "JOB",
    "changed_days",
    "has_failed",
    "is_its_turn",
    "missed_day",
    "missed_days",
    "run",
    "sends_at",
    "status",
    "waits_for_nobody",
    "was_cut_off",
]

log = logging.getLogger(__name__)

LOOK_BACK_DAYS = 31
"""How many days back a day that was never closed is looked for."""
ENDED = frozenset({RunStatus.DONE, RunStatus.FAILED, RunStatus.SKIPPED})

Action = Callable[[Clinic, date], StepResult]


def run(clinic: Clinic, day: date | None = None, *, send: bool = True) -> ClosingOut:
    """Close a day, or today and every recent day that was never closed. A second run is harmless.

    Before the closing hour today's queues stay as they are, and today counts as not closed.

    Args:
        clinic: The clinic to close.
        day: Close this day only.
        send: False leaves the sending, and with it the proof, to a later run: many clinics close at
            the same hour, and the office wants them one after the other.

    Returns:
        `status` of the day, today unless given.
    """
    with jobs.alone(clinic.settings.home, JOB) as first, connection():
        if first:
            days = [day] if day is not None else _days_to_close(clinic)
            _close(clinic, days, send or not synchronisation.is_set_up(clinic.settings))
        return status(clinic, day)


def _days_to_close(clinic: Clinic) -> list[date]:
    return sorted({*missed_days(clinic), *changed_days(clinic), clinic.today()})


def changed_days(clinic: Clinic) -> list[date]:
    """Return the recent days of whose visits something was recorded after their reports were written.

    Whoever came after the closing hour is in the files of that day all the same.
    """
    noted = _changes_reported(clinic)
    if not noted:
        return []
    newest = (
        Change.select(Visit.service_on, fn.MAX(Change.sequence))
        .join(Visit, on=(Change.visit == Visit.id))
        .where(Change.sequence > min(noted.values()), Visit.service_on.in_(sorted(noted)))
        .group_by(Visit.service_on)
    )
    return sorted(day for day, sequence in tuples(newest) if sequence > noted[day])


def _changes_reported(clinic: Clinic) -> dict[date, int]:
    """Return recent day -> newest change that its reports know; those written before it was noted are left out."""
    noted: dict[date, int] = {}
    runs = JobRun.select().where(
        JobRun.job == JOB,
        JobRun.step == "reports",
        JobRun.status == RunStatus.DONE,
        JobRun.day >= clinic.today() - timedelta(days=LOOK_BACK_DAYS),
    )
    for run in runs:
        if run.day is not None and (known := run.detail.get(NEWEST_CHANGE)) is not None:
            noted[run.day] = max(known, noted.get(run.day, 0))
    return noted


def _close(clinic: Clinic, days: Sequence[date], is_turn: bool) -> None:
    """Do every step for every day.

    Args:
        clinic: The clinic to close.
        days: The days to close, oldest first.
        is_turn: Whether the steps that wait for the clinic's turn are done too.
    """
    closings = {day: jobs.begin(JOB, day=day, total=len(STEPS)) for day in days}
    steps_of: dict[date, list[JobRun]] = {day: [] for day in days}
    for number, step in enumerate(STEPS.values(), 1):
        action: Action = resolve_name(step.action) if is_turn or not step.waits_for_turn else await_turn
        for day, done in zip(days, _do_for_days(step, action, clinic, days), strict=True):
            steps_of[day].append(done)
        for closing in closings.values():
            jobs.advance(closing, number, len(STEPS))
    for day, closing in closings.items():
        _end(closing, steps_of[day], is_turn)


def _end(closing: JobRun, steps: Sequence[JobRun], is_turn: bool) -> None:
    """Note how the closing of a day ended, from the runs of its steps."""
    problems = [problem for step in steps for problem in job_problems.from_text(step.error)]
    if problems:
        outcome = RunStatus.FAILED
    elif steps[0].status == RunStatus.SKIPPED or not is_turn:
        outcome = RunStatus.SKIPPED
    else:
        outcome = RunStatus.DONE
    jobs.end(closing, outcome, problems)


def _do_for_days(step: ClosingStep, action: Action, clinic: Clinic, days: Sequence[date]) -> list[JobRun]:
    """Do one step: day by day, or once for all days. Return its run for each day."""
    if step.is_of_one_day:
        return [_do(step, action, clinic, day) for day in days]
    done = _do(step, action, clinic, days[-1])
    return [*(jobs.copy(done, day) for day in days[:-1]), done]


def _do(step: ClosingStep, action: Action, clinic: Clinic, day: date) -> JobRun:
    """Run one step; its row, which is returned, holds what went wrong."""
    run = jobs.begin(JOB, step.name, day)
    try:
        result = action(clinic, day)
    except CoreError as error:
        result = StepResult(problems=[job_problems.from_error(error)])
    except Exception as error:
        # The job's edge: one step must not keep the others from being done.
        log.error("closing step %s failed: %s", step.name, logs.describe_failure(error))
        result = StepResult(problems=[jobs.problem_of(error)])
    if result.skipped is not None:
        jobs.end(run, RunStatus.SKIPPED, detail={"why": str(result.skipped)})
    else:
        outcome = RunStatus.FAILED if result.problems else RunStatus.DONE
        jobs.end(run, outcome, result.problems, dict(result.detail))
    return run


def is_its_turn(clinic: Clinic) -> bool:
    """Return whether sending may begin by itself: not between the closing hour and the clinic's offset."""
    local = clock.now().astimezone(clinic.zone)
    closed = datetime.combine(local.date(), clinic.settings.close_at, clinic.zone)
    since = (local - closed) % timedelta(days=1)
    return since >= timedelta(minutes=clinic.settings.resolved_sync_offset_minutes)


def status(clinic: Clinic, day: date | None = None) -> ClosingOut:
    """Return how far a day's closing is, the newest one's unless a day is given."""
    closing = jobs.newest(JOB, "", day)
    day = day or (closing.day if closing and closing.day else clinic.today())
    steps = [_step_status(name, jobs.newest(JOB, name, day)) for name in STEPS]
    if closing is None:
        return ClosingOut(day=day, running=False, status=None, done=0, total=len(STEPS), steps=steps)
    found = ClosingOut(
        day=day,
        running=closing.ended_at is None and jobs.is_running(clinic.settings.home, JOB),
        status=closing.status,
        done=closing.done,
        total=len(STEPS),
        error=job_problems.as_lines(job_problems.from_text(closing.error)),
        steps=steps,
    )
    if found.running:
        _add_progress(found)
    return found


def _add_progress(closing: ClosingOut) -> None:
    """Add to a running closing how far its sending is, and how long it will go on."""
    sending = jobs.newest("sync")
    if sending is not None and sending.ended_at is not None:
        sending = None
    if sending is not None:
        step = next(step for step in closing.steps if step.name == "synchronise")
        step.done, step.total = sending.done, sending.total
    closing.seconds_left = _seconds_left(closing.steps, sending)


def _step_status(name: str, run: JobRun | None) -> ClosingStepOut:
    if run is None:
        return ClosingStepOut(name=name, status=None)
    return ClosingStepOut(
        name=name,
        status=run.status,
        done=run.done,
        total=run.total,
        error=job_problems.as_lines(job_problems.from_text(run.error)),
        started_at=run.started_at,
        ended_at=run.ended_at,
        detail=run.detail,
    )


def _seconds_left(steps: Sequence[ClosingStepOut], sending: JobRun | None) -> int | None:
    """Return how long a running closing will go on; None when that cannot be known.

    A sending is estimated by its own speed, any other step by how long it took last time.
    """
    left = 0.0
    for step in steps:
        if step.status in ENDED and step.ended_at:
            continue
        if step.name == "synchronise" and sending is not None:
            seconds = jobs.seconds_left(sending)
        else:
            seconds = _usual_seconds_left(step)
        if seconds is None:
            return None
        left += seconds
    return round(left)


def _usual_seconds_left(step: ClosingStepOut) -> float | None:
    usual = jobs.usual_seconds(JOB, step.name)
    if usual is None:
        return None
    elapsed = (clock.now() - step.started_at).total_seconds() if step.started_at else 0.0
    return max(0.0, usual - elapsed)


def was_cut_off(clinic: Clinic) -> bool:
    """Return whether the newest closing was ended from outside, half-way, and not gone on with since."""
    closing = jobs.newest(JOB)
    return (
        closing is not None
        and closing.status == RunStatus.RUNNING
        and not jobs.is_running(clinic.settings.home, JOB)
    )


def has_failed(clinic: Clinic) -> bool:
    """Return whether a recent day's closing ended with a failed step, and was not wholly done since."""
    newest = (jobs.newest(JOB, "", day) for day in {*missed_days(clinic), clinic.today()})
    return any(run is not None and run.status == RunStatus.FAILED for run in newest)


def waits_for_nobody(clinic: Clinic) -> bool:
    """Return whether a recent day was left open for people in its queues or for a counter, and nobody keeps it open now."""
    for day in {*missed_days(clinic), clinic.today()}:
        step = jobs.newest(JOB, "queues", day)
        if step is None or step.status != RunStatus.SKIPPED:
            continue
        why = job_problems.from_line(str(step.detail.get("why", "")))
        if why.code == PEOPLE_HERE and not people_left.still_here(clinic, day):
            return True
        if why.code == COUNTERS_OUT and not machines.not_delivered(day):
            return True
    return False


def missed_day(clinic: Clinic) -> date | None:
    """Return the oldest recent day with visits that was never wholly closed; None when there is none.

    Today counts only after the closing hour.
    """
    return next(iter(missed_days(clinic)), None)


def missed_days(clinic: Clinic) -> list[date]:
    """Return every recent day with visits that was never wholly closed, oldest first."""
    last = clinic.today() - timedelta(days=0 if is_over(clinic) else 1)
    days = (
        Visit.select(Visit.service_on)
        .distinct()
        .where(Visit.service_on <= last, Visit.service_on >= last - timedelta(days=LOOK_BACK_DAYS))
        .order_by(Visit.service_on)
    )
    closed = {
        row.day
        for row in JobRun.select(JobRun.day).where(
            JobRun.job == JOB, JobRun.step == "", JobRun.status == RunStatus.DONE, JobRun.day.is_null(False)
        )
    }
    return [row.service_on for row in days if row.service_on not in closed]
