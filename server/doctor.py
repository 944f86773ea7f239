"""What is wrong with an installation and what to do, in plain words."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import apsw
import httpx

from core import audit, backup, clock, closing, outbox, synchronisation
from core.clinic import Clinic
from core.config import Settings
from core.database import connection, database, is_sqlite
from core.errors import CoreError
from core.vocabulary import RunStatus
from server.words import _, size

FREE_BYTES = 2 * 1024**3
BACKUP_HOURS = 36
SAFE_SQLITE = (3, 51, 3)
"""Older ones have the WAL-reset race that can corrupt a database with several connections."""

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Level
    subject: str
    words: str
    """What is so, and for anything but `ok` what to do."""

    def document(self) -> dict[str, str]:
        """For `--json`."""
        return {"level": self.level, "subject": self.subject, "words": self.words}


SIGNS: dict[Level, str] = {"ok": " ok ", "warning": "  ! ", "error": " !! "}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings for people, what is wrong marked by sign."""
    for finding in findings:
        yield f"{SIGNS[finding.level]} {finding.subject:9} {finding.words}"


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; an error in one thing does not hide the others."""
    findings = list(_machine(settings))
    try:
        clinic = Clinic.open(settings)
    except CoreError as error:
        return [
            *findings,
            Finding(
                "error", "database", _("{error}. Correct the setting, then start again.").format(error=error)
            ),
        ]
    with connection():
        findings += [*_database(clinic), *_backups(clinic), *_closing(clinic), *_sync(clinic)]
    findings += _server(settings)
    return findings


def _machine(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        yield Finding(
            "error",
            "disk",
            _("{size} free at {home}. Make room before the next backup.").format(size=size(free), home=home),
        )
    else:
        yield Finding("ok", "disk", _("{size} free").format(size=size(free)))
    for file in (settings.door_token_file, home / "ssh_host_ed25519_key", Path(".env")):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding(
                "error", "secrets", _("Others can read {file}. Run: chmod 600 {file}").format(file=file)
            )
    version = tuple(int(part) for part in apsw.sqlitelibversion().split("."))
    if version < SAFE_SQLITE:
        yield Finding(
            "error",
            "sqlite",
            _("SQLite {version} is too old. Run: make setup").format(version=apsw.sqlitelibversion()),
        )
    else:
        yield Finding("ok", "sqlite", apsw.sqlitelibversion())


def _database(clinic: Clinic) -> Iterator[Finding]:
    if is_sqlite():
        result = database.execute_sql("PRAGMA quick_check").fetchone()[0]
        if result != "ok":
            yield Finding(
                "error",
                "database",
                _("The file is damaged. Stop the server and run: loket restore FILE --key KEYFILE"),
            )
        else:
            yield Finding("ok", "database", _("whole"))
    broken = audit.verify()
    if broken is not None:
        yield Finding(
            "error",
            "audit",
            _("Event {number} was changed afterwards. Keep the file and report it.").format(number=broken),
        )
    else:
        yield Finding("ok", "audit", _("chain unbroken"))


def _backups(clinic: Clinic) -> Iterator[Finding]:
    if not clinic.demo and not backup.has_recovery_key(clinic.settings.home):
        yield Finding(
            "error",
            "backup",
            _("There is no recovery key. Run: loket backup key, and keep it off this machine"),
        )
    kept = backup.list_backups(clinic)
    if not kept:
        yield Finding("warning", "backup", _("There is none yet. Run: loket backup now"))
        return
    hours = (clock.now() - kept[0].made_at).total_seconds() / 3600
    if hours > BACKUP_HOURS:
        yield Finding(
            "error",
            "backup",
            _("The newest is {hours:.0f} hours old. Run: loket backup now").format(hours=hours),
        )
    else:
        yield Finding(
            "ok",
            "backup",
            _("newest {hours:.0f} hours old, {number} kept").format(hours=hours, number=len(kept)),
        )
    if not kept[0].verified:
        yield Finding(
            "error", "backup", _("It is not known whether the newest can be opened. Run: loket backup now")
        )
    for problem in kept[0].problems:
        yield Finding(
            "error", "backup", _("The newest went only partly well: {problem}").format(problem=problem)
        )
    second = clinic.settings.backup_second
    if not second:
        yield Finding(
            "warning", "backup", _("No second place. Set LOKET_BACKUP_SECOND to a folder on another disk.")
        )
    elif not Path(second).is_dir():
        yield Finding(
            "error",
            "backup",
            _("The second place {place} is not there. Is the disk connected?").format(place=second),
        )


def _closing(clinic: Clinic) -> Iterator[Finding]:
    status = closing.status(clinic)
    if status["status"] == RunStatus.FAILED:
        yield Finding(
            "error",
            "closing",
            _("The closing of {day} is not whole: {error}").format(day=status["day"], error=status["error"]),
        )
    elif (missed := closing.missed_day(clinic)) is not None and missed < clinic.today():
        yield Finding(
            "warning",
            "closing",
            _("{day} was never closed. The server does it after its start.").format(day=missed.isoformat()),
        )
    else:
        yield Finding("ok", "closing", _("every day is closed"))


def _sync(clinic: Clinic) -> Iterator[Finding]:
    if (missing := synchronisation.what_is_missing(clinic.settings)) is not None:
        yield Finding("warning", "sync", _("Nothing is sent: {missing}.").format(missing=missing))
        return
    status = outbox.status(clinic)
    if status.last_error:
        yield Finding(
            "warning",
            "sync",
            _("{number} records wait: {error}").format(number=status.pending, error=status.last_error),
        )
    if status.refused:
        yield Finding(
            "warning",
            "sync",
            _("The office refused {number} records. See: loket sync status").format(number=status.refused),
        )
    if not status.last_error and not status.refused:
        yield Finding(
            "ok", "sync", _("{pending} pending, {sent} sent").format(pending=status.pending, sent=status.sent)
        )


def _server(settings: Settings) -> list[Finding]:
    url = f"{settings.resolved_server_url}/readyz"
    try:
        ready = httpx.get(url, timeout=3).status_code == 200
    except httpx.TransportError:
        return [Finding("warning", "server", _("It does not answer. Start it with: loket serve"))]
    return [
        Finding(
            "ok" if ready else "error",
            "server",
            _("answers") if ready else _("It is not ready; see its log."),
        )
    ]
