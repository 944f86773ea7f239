"""The clinic's settings, the day's closing, synchronisation, backups, reports and the audit trail."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import BackgroundTasks, Query, Response

from core.daily import backup, closing
from core.daily.reports import exports, report_files, report_tables
from core.daily.reports.registry import REPORTS
from core.exchange import outbox
from core.exchange.bpjs import bpjs_link
from core.foundation import audit_reads
from core.foundation.clinic import Clinic
from core.foundation.codes import MachineRole
from core.foundation.database import connection, tuples
from core.foundation.permissions import Actor
from core.models import Visit
from core.schemas.clinic import BackupOut, ClinicOut, ClosingOut, ExportAsked, ReportOut, SyncOut, WrittenOut
from core.schemas.oversight import ApprovalOut
from server import worker_process
from server.resources import resource
from server.security import ActorAtSignIn, ActorNow, AdminNow, ClinicNow, LanguageNow
from server.text import problem_words
from server.text.translation import speaking

router = resource("clinic")


@router.get("/clinic")
def clinic_facts(actor: ActorAtSignIn, clinic: ClinicNow) -> ClinicOut:
    """Return the settings that a terminal reads once."""
    settings = clinic.settings
    return ClinicOut(
        facility_name=settings.facility_name,
        language=settings.language,
        timezone=settings.timezone.key,
        today=clinic.today(),
        undo_seconds=settings.undo_seconds,
        calls_before_skip=settings.calls_before_skip,
        wait_warning_minutes=settings.wait_warning_minutes,
        wait_limit_minutes=settings.regular_wait_limit_minutes,
        idle_lock_minutes=settings.idle_lock_minutes,
        preset=clinic.clusters.preset,
        demo=clinic.demo,
        public_url=clinic.public_url,
        has_printer=bool(settings.printer),
        print_tickets=settings.print_tickets,
        printer_columns=settings.printer_columns,
        asks_sharing=settings.sync_target == "satusehat",
        asks_identity=[name for name in settings.identity_asked.split(",") if name],
        asks_bpjs=bpjs_link.is_set_up(settings),
        gives_numbers_at_home=bool(settings.jkn_username and settings.jkn_password),
        at_counter=settings.role is MachineRole.COUNTER,
    )


@router.get("/sync")
def sync_status(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> SyncOut:
    """Return the state of the synchronisation."""
    return _sync(clinic, language)


@router.post("/sync/run", status_code=202)
def run_sync(
    actor: AdminNow, clinic: ClinicNow, language: LanguageNow, background: BackgroundTasks
) -> SyncOut:
    """Start a synchronisation; it goes on after the answer."""
    background.add_task(worker_process.run, clinic, "synchronisation")
    return _sync(clinic, language)


def _sync(clinic: Clinic, language: str) -> SyncOut:
    with connection(), speaking(language):
        return problem_words.sync_in_words(outbox.status(clinic))


@router.get("/closing")
def closing_status(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> ClosingOut:
    """Return the state of the newest closing: today's, or an earlier day's."""
    return _closing(clinic, language)


@router.post("/closing/run", status_code=202)
def run_closing(
    actor: AdminNow, clinic: ClinicNow, language: LanguageNow, background: BackgroundTasks
) -> ClosingOut:
    """Start the day's closing by hand; twice is harmless."""
    background.add_task(worker_process.run, clinic, "closing")
    return _closing(clinic, language)


def _closing(clinic: Clinic, language: str) -> ClosingOut:
    with connection(), speaking(language):
        return problem_words.closing_in_words(closing.status(clinic))


@router.get("/backups")
def backups(actor: AdminNow, clinic: ClinicNow, language: LanguageNow) -> list[BackupOut]:
    """Return the backups kept, newest first."""
    with speaking(language):
        return [problem_words.backup_in_words(info) for info in backup.list_backups(clinic)]


@router.get("/reports/{name}", response_model=None)
def report(
    name: str,
    actor: ActorNow,
    clinic: ClinicNow,
    day: Annotated[date | None, Query(alias="date")] = None,
    output: Annotated[str, Query(alias="format", pattern="^(json|csv|xlsx)$")] = "json",
) -> Response | ReportOut:
    """Return one report of a day or its period: JSON for a screen, CSV or XLSX as a file.

    A file that names patients is given to who asked for it (`requests`) and was released it.
    """
    built = _report(name, actor, clinic, day, output)
    if output == "csv":
        return Response(report_files.to_csv(built), media_type="text/csv; charset=utf-8")
    if output == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(report_files.to_xlsx(built), media_type=kind)
    return ReportOut(
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
) -> WrittenOut:
    """Write one report into the data folder as CSV and XLSX."""
    built = _report(name, actor, clinic, day, "files")
    written = report_files.write(clinic, name, day or clinic.today(), built)
    return WrittenOut(files=[str(path) for path in written])


@router.post("/reports/{name}/requests", status_code=201)
def ask_for_file(
    name: str,
    body: ExportAsked,
    actor: ActorNow,
    clinic: ClinicNow,
    day: Annotated[date | None, Query(alias="date")] = None,
) -> ApprovalOut:
    """Ask for leave to take a report that names patients as a file; the head of the clinic decides."""
    return exports.ask(actor, name, day or clinic.today(), body.reason)


def _report(
    name: str, actor: Actor, clinic: Clinic, day: date | None, output: str
) -> report_tables.ReportTable:
    day = day or clinic.today()
    with connection():
        if output == "json":
            built = exports.shown(clinic, actor, name, day)
        else:
            built = exports.give(clinic, actor, name, day, output)
        rows = tuples(Visit.select(Visit.patient).distinct().where(Visit.service_on == day))
    shown = [row[0] for row in rows] if REPORTS[name].has_names else []
    audit_reads.shown(
        actor, "report_read", shown, kind="report", target=name, asked={"date": day.isoformat()}
    )
    return built
