"""What the admin sees: synchronisation, backups, reports, the audit log."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, Response

from core import audit, backup, closing, outbox, reports
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.errors import NotFoundError
from core.schemas.base import Identifier
from core.schemas.clinic import BackupShape, ClosingShape, ReportShape, SyncShape, WrittenShape
from core.vocabulary import Permission
from server import apart, problem_words
from server.security import ActorNow, AdminNow, ClinicNow, LanguageNow
from server.text import speaking

router = APIRouter(tags=["administration"])


@router.get("/sync")
def sync_status(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> SyncShape:
    """Where synchronisation stands."""
    return _sync(clinic, language)


@router.post("/sync/run", status_code=202)
def run_sync(
    actor: AdminNow, clinic: ClinicNow, language: LanguageNow, background: BackgroundTasks
) -> SyncShape:
    """Start a synchronisation; it goes on after the answer."""
    background.add_task(apart.run, clinic, "synchronisation")
    return _sync(clinic, language)


def _sync(clinic: Clinic, language: str) -> SyncShape:
    with connection(), speaking(language):
        return problem_words.sync_in_words(outbox.status(clinic))


@router.get("/closing")
def closing_status(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> ClosingShape:
    """How far the newest closing is: today's, or the day it was about."""
    return _closing(clinic, language)


@router.post("/closing/run", status_code=202)
def run_closing(
    actor: AdminNow, clinic: ClinicNow, language: LanguageNow, background: BackgroundTasks
) -> ClosingShape:
    """Start the day's closing by hand; twice is harmless."""
    background.add_task(apart.run, clinic, "closing")
    return _closing(clinic, language)


def _closing(clinic: Clinic, language: str) -> ClosingShape:
    with connection(), speaking(language):
        return problem_words.closing_in_words(closing.status(clinic))


@router.get("/backups")
def backups(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> list[BackupShape]:
    """The backups kept, newest first."""
    with speaking(language):
        return [problem_words.backup_in_words(info) for info in backup.list_backups(clinic)]


@router.get("/reports/{name}", response_model=None)
def report(
    name: str,
    actor: ActorNow,
    clinic: ClinicNow,
    day: Annotated[date | None, Query(alias="date")] = None,
    output: Annotated[str, Query(alias="format", pattern="^(json|csv|xlsx)$")] = "json",
) -> Response | ReportShape:
    """One report of a day or its period, as JSON, CSV or XLSX."""
    built = _report(name, actor, clinic, day)
    if output == "csv":
        return Response(reports.to_csv(built), media_type="text/csv; charset=utf-8")
    if output == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(reports.to_xlsx(built), media_type=kind)
    return ReportShape(
        name=name,
        title=built.title,
        definition=built.definition,
        source=built.source,
        columns=list(built.columns),
        rows=[list(row) for row in built.rows],
    )


@router.post("/reports/{name}/files", status_code=201)
def write_report(
    name: str, actor: ActorNow, clinic: ClinicNow, day: Annotated[date | None, Query(alias="date")] = None
) -> WrittenShape:
    """Put one report into the data folder as CSV and XLSX."""
    built = _report(name, actor, clinic, day)
    written = reports.write(clinic, name, day or clinic.today(), built)
    return WrittenShape(files=[str(path) for path in written])


def _report(name: str, actor: Actor, clinic: Clinic, day: date | None) -> reports.Report:
    actor.require(Permission.READ_REPORTS)
    if name not in reports.REPORTS:
        raise NotFoundError("report", name)
    with connection():
        return reports.build(clinic, name, day or clinic.today())


@router.get("/audit")
def audit_log(
    actor: AdminNow,
    patient_id: Identifier | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """The newest audit events, of one patient or of all."""
    with connection():
        events = audit.newest(limit, patient_id)
        return [
            {
                "sequence": event.sequence,
                "at": event.at.isoformat(),
                "account": event.account.username if event.account else None,
                "origin": event.origin,
                "action": event.action,
                "kind": event.kind,
                "target": event.target,
                "patient_id": event.patient_id,
                "detail": event.detail,
            }
            for event in events
        ]
