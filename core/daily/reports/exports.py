"""Files that name patients: asked for by one person, released by the head of the clinic, then given for a day.

The one gate for every way a report leaves Loket as a file: over HTTP, into the data folder, by `loket report`. The
closing's own files stay in the data folder; whether those name patients is the setting `LOKET_REPORTS_WITH_NAMES`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from core.daily.reports import report_tables
from core.daily.reports.registry import REPORTS, Report
from core.daily.reports.report_tables import ReportTable
from core.foundation import approvals, audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import ApprovalKind, Permission
from core.foundation.database import connection, transaction
from core.foundation.errors import NotAllowedError, NotFoundError, RuleError
from core.foundation.permissions import Actor
from core.schemas.oversight import ApprovalOut

CONCEALED = "***"
"""Stands for clinical text that its reader may not see: not for a cell that is empty."""
GIVEN_FOR = timedelta(hours=24)
"""Time in which a released file can be taken, in each format and again."""


def ask(actor: Actor, name: str, day: date, reason: str) -> ApprovalOut:
    """Ask for leave to take a report that names patients as a file.

    Args:
        actor: Who wants the file.
        name: The report.
        day: The day it is of.
        reason: What for, in words.

    Raises:
        NotAllowedError: The role reads no reports.
        NotFoundError: There is no such report.
        RuleError: `names_nobody`: this report needs no leave.
        ConflictError: `already_requested`.
    """
    actor.require(Permission.READ_REPORTS)
    if not _known(name).has_names:
        raise RuleError("names_nobody")
    with transaction():
        asked = approvals.ask(actor, ApprovalKind.EXPORT, _target(name, day), reason, **_person(actor))
        return approvals.out(asked)


def give(clinic: Clinic, actor: Actor, name: str, day: date, output: str) -> ReportTable:
    """Return a report that leaves Loket as a file, or refuse.

    Args:
        clinic: The clinic.
        actor: Who takes the file.
        name: The report.
        day: The day it is of.
        output: Format of the file, for the audit log.

    Raises:
        NotAllowedError: The role reads no reports; `approval_required` where it names patients and nobody else has
            released it to this person within the last day.
        NotFoundError: There is no such report.

    Side effects: a file that names patients is a row of the audit log, which stands on the list of the day.
    """
    actor.require(Permission.READ_REPORTS)
    is_naming = _known(name).has_names
    with connection():
        if is_naming and not is_released(actor, name, day):
            raise NotAllowedError(Permission.APPROVE, code="approval_required")
        built = report_tables.build(clinic, name, day)
        if is_naming:
            audit.record(actor, "report_exported", "report", name, date=day.isoformat(), output=output)
    return built


def shown(clinic: Clinic, actor: Actor, name: str, day: date) -> ReportTable:
    """Return a report for a screen; clinical text in it only for whoever may read records.

    Args:
        clinic: The clinic.
        actor: Who reads.
        name: The report.
        day: The day it is of.

    Raises:
        NotAllowedError: The role reads no reports.
        NotFoundError: There is no such report.
    """
    actor.require(Permission.READ_REPORTS)
    clinical = _known(name).clinical
    built = report_tables.build(clinic, name, day)
    hidden = {index for index, column in enumerate(built.columns) if column in clinical}
    if not hidden or actor.can(Permission.READ_RECORDS):
        return built
    rows = [
        tuple(CONCEALED if index in hidden and cell != "" else cell for index, cell in enumerate(row))
        for row in built.rows
    ]
    return replace(built, rows=rows)


def is_released(actor: Actor, name: str, day: date) -> bool:
    """Return whether somebody else has released a file to this person within the last day.

    Args:
        actor: Who wants the file.
        name: The report.
        day: The day it is of.
    """
    given = approvals.granted(actor, ApprovalKind.EXPORT, _target(name, day), clock.now() - GIVEN_FOR)
    return any(row.detail == _person(actor) for row in given)


def _known(name: str) -> Report:
    if name not in REPORTS:
        raise NotFoundError("report", name)
    return REPORTS[name]


def _target(name: str, day: date) -> str:
    return f"{name} {day.isoformat()}"


def _person(actor: Actor) -> dict[str, str]:
    """Return who stands behind a command: all commands act under one account."""
    return {} if actor.session_id else {"by": actor.origin}
