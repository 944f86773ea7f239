"""Checks of the database and of what its rows tell: the clock, the log, indexes, other servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.foundation import audit_check, audit_reads, clock, feed, shared_files
from core.foundation.clinic import Clinic
from core.foundation.database import check, database, is_sqlite
from core.foundation.errors import CoreError, DatabaseError
from core.models import AuditEvent, Change
from server import repairs
from server.doctor.findings import CheckResult
from server.text import audit_sentences
from server.text.failures import failure
from server.text.formatting import when
from server.text.problem_words import sentence
from server.text.translation import _

CLOCK_SECONDS = 300
"""How far clocks may differ, in seconds."""


def check_clock(clinic: Clinic) -> Iterator[CheckResult]:
    """Check the clock: one that is behind shows by its newest records, which are from the future."""
    newest = max((at for at in (_newest(Change), _newest(AuditEvent)) if at is not None), default=None)
    if newest is not None and newest - clock.now() > timedelta(seconds=CLOCK_SECONDS):
        yield CheckResult(
            "error",
            "clock",
            _(
                "It says {now}, but there are records of {newest}. Set the clock: sudo timedatectl set-ntp true"
            ).format(now=when(clock.now(), clinic.zone), newest=when(newest, clinic.zone)),
        )
    else:
        yield CheckResult("ok", "clock", f"{when(clock.now(), clinic.zone)} ({clinic.zone})")


def _newest(table: type[Change] | type[AuditEvent]) -> datetime | None:
    """Return the instant of the newest row by its number: of older ones a clock that once ran ahead may be the cause."""
    row = table.select(table.at).order_by(table.sequence.desc()).first()
    return row.at if row is not None else None


def check_database(clinic: Clinic) -> Iterator[CheckResult]:
    """Check the database file, or that servers of one PostgreSQL hear each other."""
    found = check()
    yield _damaged(found) if found else CheckResult("ok", "database", _("whole"))
    if not is_sqlite():
        yield from _servers(clinic)


def _servers(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that servers of one PostgreSQL hear each other, and that each finds what the others made."""
    if not feed.hears_others():
        yield CheckResult("error", "database", sentence("database_pooler: LISTEN"))
    for server in shared_files.others(database.obj, clinic.settings.home):
        if clinic.settings.shared:
            words = _("{name} works on this database too").format(name=server.name)
            yield CheckResult("ok", "database", words)
        else:
            words = _(
                "{name} works on this database too: backups and reports stay on the machine that closed the day. "
                "Set LOKET_SHARED on both to a folder that both reach."
            )
            yield CheckResult("warning", "backup", words.format(name=server.name))


def check_unopened(refusal: CoreError) -> Iterator[CheckResult]:
    """Say why the database could not be opened; damaged only when the check finds it so."""
    found = check() if isinstance(refusal, DatabaseError) and refusal.reason == "database_unread" else None
    yield _damaged(found) if found else CheckResult("error", "database", failure(refusal))


def _damaged(found: str) -> CheckResult:
    return CheckResult("error", "database", sentence(f"database_damaged: {found[:80]}"))


def check_searches(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of searches that are slow for want of an index or of the tables' statistics."""
    for table, _index in repairs.missing_indexes():
        words = _("An index of the table {table} is missing: searches are slow.").format(table=table.__name__)
        yield CheckResult("warning", "database", words, repair="searches")
    if repairs.lacks_statistics():
        words = _("The tables were never counted: searches may be slow.")
        yield CheckResult("warning", "database", words, repair="searches")


def check_unreal_sign_ins(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of sign-ins that would be good for too long."""
    if number := repairs.unreal_sign_ins():
        words = _("{number} sign-ins are of a clock that ran ahead.").format(number=number)
        yield CheckResult("warning", "clock", words, repair="sign_ins")


def check_audit(clinic: Clinic) -> Iterator[CheckResult]:
    """Check the log of changes and the log of reads."""
    report = audit_check.verify()
    for words in audit_sentences.problems(report):
        yield CheckResult("error", "audit", words)
    if any(problem.code == "unprotected" for problem in report.problems):
        yield CheckResult("error", "audit", _("Loket can have the log refuse changes again."), repair="log")
    for words in audit_sentences.vouched(report, clinic.zone):
        yield CheckResult("warning", "audit", words)
    if not report.problems and not report.vouched:
        yield CheckResult("ok", "audit", _("chain unbroken"))
    yield from check_reserve()


def check_reserve() -> Iterator[CheckResult]:
    """Tell of reads that were kept in the reserve while the disk was full, and of a reserve that is not there."""
    reads = audit_reads.reads()
    waiting = len(reads.reserve.rows())
    if waiting:
        words = _(
            "{number} reads are kept in the reserve: the disk was full. Make room; the next read carries them in."
        ).format(number=waiting)
        yield CheckResult("warning", "audit", words)
    elif reads.path.exists() and not reads.reserve.is_whole():
        words = _("The reserve of the log of reads is not set aside: a full disk would stop care. Make room.")
        yield CheckResult("warning", "audit", words)
