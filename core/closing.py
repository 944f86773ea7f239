"""The day's closing: one job of named steps that can be cut off anywhere and run again.

Steps, in order: `queues` (open entries end with an outcome), `backup`, `reports` (CSV and
XLSX into the data folder), `synchronise`, `verify` (the newest backup is proven and
unchanged, and the office confirmed). Each step can be done again; a backup that already holds
the newest change is not. A failed step does not stop the later ones, and is tried again by the
next run.

What went wrong is kept as problem lines, `code: detail`, one a line; the edges turn the codes into words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from core import accounts, appointments, backup, clock, job_runs, outbox, queueing, reports, synchronisation
from core.clinic import Clinic
from core.config import Settings
from core.database import connection, instant_text
from core.errors import CoreError
from core.models import Change, JobRun, Visit
from core.vocabulary import RunStatus

log = logging.getLogger(__name__)

JOB = "closing"
LOOK_BACK_DAYS = 31
"""How far a day that was never closed is looked for."""


Step = Callable[[Clinic, date], dict[str, Any]]
ONE_DAY = frozenset({"queues", "reports"})
"""Steps about one day; the others are about everything up to now."""
SENDING = frozenset({"synchronise", "verify"})
"""Steps that wait for the clinic's turn at the office."""


class StepSkippedError(Exception):
    """The step does not apply to this clinic or not yet; its text is a problem line."""


def run(clinic: Clinic, day: date | None = None, *, send: bool = True) -> dict[str, Any]:
    """Close a day, or today and every recent day that was never closed. Again is harmless.

    Before the closing hour today's queues stay as they are, and today counts as not closed.

    Args:
        clinic: Which clinic.
        day: One day only.
        send: False leaves the sending, and with it the proof, to a later run: many clinics close at
            the same hour, and the office wants them one after the other.

    Returns:
        `status` of the day, today unless given.
    """
    with job_runs.alone(clinic.settings.home, JOB) as first, connection():
        if first:
            days = [day] if day is not None else sorted({*missed_days(clinic), clinic.today()})
            _close(clinic, days, send)
        return status(clinic, day)


def _close(clinic: Clinic, days: list[date], send: bool) -> None:
    """Do every step for every day; those that are not about one day are done once for all."""
    sends = synchronisation.is_set_up(clinic.settings)
    wholes = {day: job_runs.begin(JOB, day=day, total=len(STEPS)) for day in days}
    ends: dict[date, list[JobRun]] = {day: [] for day in days}
    for number, (name, step) in enumerate(STEPS.items(), 1):
        if name in SENDING and sends and not send:
            step = _not_yet
        if name in ONE_DAY:
            for day in days:
                ends[day].append(_do(name, step, clinic, day))
        elif name == "backup" and (known := _sufficient_backup(days[-1])) is not None:
            for day in days:
                ends[day].append(known)
        else:
            done = _do(name, step, clinic, days[-1])
            for day in days:
                ends[day].append(done if day == done.day else job_runs.copy(done, day))
        for whole in wholes.values():
            job_runs.advance(whole, number, len(STEPS))
    for day, runs in ends.items():
        errors = "\n".join(run.error for run in runs if run.error)
        over = runs[0].status != RunStatus.SKIPPED and (send or not sends)
        outcome = RunStatus.FAILED if errors else RunStatus.DONE if over else RunStatus.SKIPPED
        job_runs.end(wholes[day], outcome, errors or None)


def _sufficient_backup(day: date) -> JobRun | None:
    """The day's backup, if it holds the newest change."""
    before = job_runs.newest(JOB, "backup", day)
    if before is None or before.status != RunStatus.DONE:
        return None
    return before if (before.detail or {}).get("until", "") >= _newest_change() else None


def _newest_change() -> str:
    """When something last changed: ISO instant, empty when nothing ever did."""
    newest = Change.select(Change.at).order_by(Change.sequence.desc()).first()
    return instant_text(newest.at) if newest is not None else ""


def _do(name: str, step: Step, clinic: Clinic, day: date) -> JobRun:
    """Run one step; what goes wrong is in the row that is returned."""
    run = job_runs.begin(JOB, name, day)
    error: str | None = None
    outcome = RunStatus.DONE
    detail: dict[str, Any] = {}
    try:
        detail = step(clinic, day)
        error = detail.pop("error", None)
        outcome = RunStatus.FAILED if error else RunStatus.DONE
    except StepSkippedError as skipped:
        outcome, detail = RunStatus.SKIPPED, {"why": str(skipped)}
    except CoreError as failure:
        outcome, error = RunStatus.FAILED, str(failure)
    except Exception as failure:
        # The job's edge: one step must not keep the others from being done.
        log.exception("closing step %s failed", name)
        outcome, error = RunStatus.FAILED, job_runs.reason(failure)
    job_runs.end(run, outcome, error, detail)
    return run


def _queues(clinic: Clinic, day: date) -> dict[str, Any]:
    if day >= clinic.today() and not _is_over(clinic):
        raise StepSkippedError("not_over")
    ended = queueing.close_day(clinic, accounts.system_actor(JOB), day)
    return {"ended": ended, "not_come": appointments.close_day(day)}


def _backup(clinic: Clinic, day: date) -> dict[str, Any]:
    until = instant_text(clock.now())
    info = backup.make(clinic)
    return {
        "path": info.path,
        "bytes": info.bytes,
        "until": until,
        "error": "\n".join(info.problems) or None,
    }


def _reports(clinic: Clinic, day: date) -> dict[str, Any]:
    for name in reports.REPORTS:
        written = reports.write(clinic, name, day, reports.build(clinic, name, day))
    return {"folder": str(written[0].parent), "reports": len(reports.REPORTS)}


def _not_yet(clinic: Clinic, day: date) -> dict[str, Any]:
    raise StepSkippedError(f"begins_at: {sends_at(clinic.settings):%H:%M}")


def sends_at(settings: Settings) -> time:
    """When this clinic's turn at the office begins: the closing hour and its own offset."""
    closes = datetime.combine(date.min, settings.close_at)
    return (closes + timedelta(minutes=settings.resolved_sync_offset_minutes)).time()


def is_its_turn(clinic: Clinic) -> bool:
    """Whether sending by itself may begin: not between the closing hour and the clinic's offset."""
    local = clock.now().astimezone(clinic.zone)
    closed = datetime.combine(local.date(), clinic.settings.close_at, clinic.zone)
    since = (local - closed) % timedelta(days=1)
    return since >= timedelta(minutes=clinic.settings.resolved_sync_offset_minutes)


def _synchronise(clinic: Clinic, day: date) -> dict[str, Any]:
    if (missing := synchronisation.what_is_missing(clinic.settings)) is not None:
        raise StepSkippedError(f"not_set_up: {missing}")
    return synchronisation.run(clinic).document()


def _verify(clinic: Clinic, day: date) -> dict[str, Any]:
    """The day is safe when a proven backup is on the disk as it was written and the office agrees."""
    problems = []
    newest = next(iter(backup.list_backups(clinic)), None)
    if newest is None or not newest.verified:
        problems.append("no_proven_backup")
    elif newest.sha256 != backup.sha256_of(Path(newest.path)):
        problems.append(f"backup_changed: {newest.path}")
    agrees = None
    if synchronisation.is_set_up(clinic.settings):
        state = outbox.status(clinic)
        agrees = state.manifest_agrees
        if state.pending and state.last_error:
            problems.append(f"records_wait: {state.pending}")
        if state.refused:
            problems.append(f"records_refused: {state.refused}")
        if state.manifest_agrees is False:
            problems.append(f"only_there: {state.only_there}" if state.only_there else "sets_differ")
    return {"error": "\n".join(problems) or None, "agrees": agrees}


STEPS: dict[str, Step] = {
    "queues": _queues,
    "backup": _backup,
    "reports": _reports,
    "synchronise": _synchronise,
    "verify": _verify,
}
"""Name -> what it does; returns JSON-safe facts, with `error` when it went only partly well."""


def status(clinic: Clinic, day: date | None = None) -> dict[str, Any]:
    """How far a day's closing is, the newest one's unless given.

    `{day, running, status, done, total, error, seconds_left, steps: [...]}`.

    Each step: `{name, status, done, total, error, started_at, ended_at, detail}`; status is
    null when it was not begun.
    """
    whole = job_runs.newest(JOB, "", day)
    day = day or (whole.day if whole and whole.day else clinic.today())
    running = whole is not None and whole.ended_at is None and job_runs.is_running(clinic.settings.home, JOB)
    steps = [_step_status(name, job_runs.newest(JOB, name, day)) for name in STEPS]
    sending = job_runs.newest("sync") if running else None
    if sending is not None and sending.ended_at is None:
        for step in steps:
            if step["name"] == "synchronise":
                step |= {"done": sending.done, "total": sending.total}
    return {
        "seconds_left": _seconds_left(steps, sending) if running else None,
        "day": day.isoformat(),
        "running": running,
        "status": whole.status if whole else None,
        "done": whole.done if whole else 0,
        "total": len(STEPS),
        "error": whole.error if whole else None,
        "steps": steps,
    }


def _seconds_left(steps: list[dict[str, Any]], sending: JobRun | None) -> int | None:
    """What is left of a running closing: a sending by its own speed, other steps as long as last time."""
    now, left = clock.now(), 0.0
    for step in steps:
        if step["status"] in {RunStatus.DONE, RunStatus.FAILED, RunStatus.SKIPPED} and step["ended_at"]:
            continue
        if step["name"] == "synchronise" and sending is not None and sending.ended_at is None:
            seconds = job_runs.seconds_left(sending)
            if seconds is None:
                return None
            left += seconds
            continue
        usual = job_runs.usual_seconds(JOB, step["name"])
        if usual is None:
            return None
        begun = datetime.fromisoformat(step["started_at"]) if step["started_at"] else now
        left += max(0.0, usual - (now - begun).total_seconds())
    return round(left)


def _step_status(name: str, run: JobRun | None) -> dict[str, Any]:
    return {
        "name": name,
        "status": run.status if run else None,
        "done": run.done if run else 0,
        "total": run.total if run else 0,
        "error": run.error if run else None,
        "started_at": instant_text(run.started_at) if run else None,
        "ended_at": instant_text(run.ended_at) if run and run.ended_at else None,
        "detail": run.detail if run else {},
    }


def _is_over(clinic: Clinic) -> bool:
    return clock.now().astimezone(clinic.zone).time() >= clinic.settings.close_at


def was_cut_off(clinic: Clinic) -> bool:
    """Whether the newest closing was ended from outside, half-way, and not gone on with since."""
    whole = job_runs.newest(JOB)
    return (
        whole is not None
        and whole.status == RunStatus.RUNNING
        and not job_runs.is_running(clinic.settings.home, JOB)
    )


def missed_day(clinic: Clinic) -> date | None:
    """The oldest recent day with visits that was never closed whole; None when there is none.

    Today counts only after the closing hour.
    """
    return next(iter(missed_days(clinic)), None)


def missed_days(clinic: Clinic) -> list[date]:
    """Every recent day with visits that was never closed whole, oldest first."""
    last = clinic.today() - timedelta(days=0 if _is_over(clinic) else 1)
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
