"""The work of each step of the closing.

Each function takes the clinic and the day, and returns a `StepResult`. It may raise a `CoreError`,
which fails the step alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from core.accounts import service as accounts
from core.counters import machines
from core.daily import backup
from core.daily.backup import journal_proof
from core.daily.reports import report_files, report_tables
from core.daily.reports.registry import REPORTS
from core.exchange import outbox
from core.exchange import service as synchronisation
from core.foundation import clock, feed, high_water, job_problems
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import database
from core.foundation.errors import BackupError, JournalError
from core.foundation.job_problems import JobProblem
from core.queues import people_left
from core.queues import service as queueing
from core.visits import appointments

JOB = "closing"
NEWEST_CHANGE = "newest_change"
"""Name in a step's detail of the sequence of the newest change that it saw."""
PEOPLE_HERE = "people_here"
"""Code of the problem that leaves a day open because people are still in its queues."""

COUNTERS_OUT = "counters_out"
"""Code of the problem that leaves a day open because a counter has not delivered what it registered."""


@dataclass(frozen=True)
class StepResult:
    """The outcome of one step."""

    detail: Mapping[str, Any] = field(default_factory=dict)
    """JSON-safe facts for the admin."""
    problems: Sequence[JobProblem] = ()
    """Any of them makes the step failed."""
    skipped: JobProblem | None = None
    """Why the step does not apply to this clinic, or not yet."""


def end_queues(clinic: Clinic, day: date) -> StepResult:
    """End the day's open queue entries and appointments with an outcome, but for those who may stay."""
    if day >= clinic.today() and not is_over(clinic):
        return StepResult(skipped=JobProblem("not_over"))
    stays = people_left.may_stay(clinic, day)
    ended = queueing.close_day(clinic, accounts.system_actor(JOB), day, stays=stays)
    not_come = appointments.close_day(day)
    if here := people_left.still_here(clinic, day):
        return StepResult(skipped=JobProblem(PEOPLE_HERE, {"people": here}))
    if names := machines.not_delivered(day):
        return StepResult(skipped=JobProblem(COUNTERS_OUT, {"counters": ", ".join(names)}))
    return StepResult({"ended": ended, "not_come": not_come})


def is_over(clinic: Clinic) -> bool:
    """Return whether today's closing hour has passed."""
    return clock.now().astimezone(clinic.zone).time() >= clinic.settings.close_at


def make_backup(clinic: Clinic, day: date) -> StepResult:
    """Make a backup and prove it; one that holds everything already is only taken to the second place again.

    Before it the journal since the last one is proven; what is wrong there is told, and the backup made all the same.
    """
    proof, problems = _proven_journal(clinic)
    info = sufficient_backup(clinic)
    if info is None:
        info = backup.make(clinic, "closing")
    elif info.problems:
        info = backup.take_elsewhere(clinic.settings, replace(info, problems=()))
    return StepResult(
        {"path": info.path, "bytes": info.bytes, "newest_change": info.newest_change, **proof},
        [*problems, *(job_problems.from_line(line) for line in info.problems)],
    )


def _proven_journal(clinic: Clinic) -> tuple[dict[str, Any], list[JobProblem]]:
    """Return what the proof of the journal found, as detail of the step and as its problems."""
    try:
        proof = journal_proof.prove(clinic.settings)
    except (JournalError, BackupError) as error:
        return {}, [job_problems.from_error(error)]
    return ({"journal": proof.records, "tables": proof.tables} if proof is not None else {}), []


def sufficient_backup(clinic: Clinic) -> backup.BackupInfo | None:
    """Return the newest backup, if it is proven and holds the newest change: by its number, not by a clock."""
    info = next(iter(backup.list_backups(clinic)), None)
    if info is None or not info.verified or info.clinic != high_water.clinic_id(database.obj):
        return None
    return info if info.newest_change == feed.newest_sequence() else None


def write_reports(clinic: Clinic, day: date) -> StepResult:
    """Write the reports of the day into the data folder, those with names by the setting; where they say something else than before, note it."""
    newest_change = feed.newest_sequence()  # before the reading: what is recorded meanwhile counts as later
    names_too = clinic.settings.reports_with_names
    wanted = [report.name for report in REPORTS.values() if names_too or not report.has_names]
    built = {name: report_tables.build(clinic, name, day) for name in wanted}
    outdated = [name for name in wanted if report_files.is_outdated(clinic, name, day, built[name])]
    for name, report in built.items():
        written = report_files.write(clinic, name, day, report)
    if outdated:
        report_files.note_written_again(clinic, day, outdated)
    return StepResult(
        {
            "folder": str(written[0].parent),
            "reports": len(wanted),
            "written_again": len(outdated),
            NEWEST_CHANGE: newest_change,
        }
    )


def await_turn(clinic: Clinic, day: date) -> StepResult:
    """Leave a step of sending to a later run."""
    return StepResult(skipped=JobProblem("begins_at", {"time": f"{sends_at(clinic.settings):%H:%M}"}))


def sends_at(settings: Settings) -> time:
    """Return when this clinic's turn at the office begins: the closing hour and its own offset."""
    closes = datetime.combine(date.min, settings.close_at)
    return (closes + timedelta(minutes=settings.resolved_sync_offset_minutes)).time()


def send(clinic: Clinic, day: date) -> StepResult:
    """Send what waits in the outbox."""
    if (missing := synchronisation.what_is_missing(clinic.settings)) is not None:
        return StepResult(skipped=JobProblem("not_set_up", {"settings": missing}))
    outcome = synchronisation.run(clinic)
    document = outcome.document()
    del document["error"]
    return StepResult(document, [outcome.error] if outcome.error else [])


def prove(clinic: Clinic, day: date) -> StepResult:
    """Prove the day: a proven backup is on the disk as it was written, and the office agrees."""
    problems = _backup_problems(clinic)
    agrees = None
    if synchronisation.is_set_up(clinic.settings):
        state = outbox.status(clinic)
        agrees = state.manifest_agrees
        if state.pending and state.last_error:
            problems.append(JobProblem("records_wait", {"records": state.pending}))
        if state.refused:
            problems.append(JobProblem("records_refused", {"records": state.refused}))
        if agrees is False and state.only_there:
            problems.append(JobProblem("only_there", {"records": state.only_there}))
        elif agrees is False:
            problems.append(JobProblem("sets_differ"))
    return StepResult({"agrees": agrees}, problems)


def _backup_problems(clinic: Clinic) -> list[JobProblem]:
    newest = next(iter(backup.list_backups(clinic)), None)
    if newest is None or not newest.verified:
        return [JobProblem("no_proven_backup")]
    if newest.sha256 != backup.sha256_of(Path(newest.path)):
        return [JobProblem("backup_changed", {"path": newest.path})]
    return []
