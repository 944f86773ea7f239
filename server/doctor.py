"""What is wrong with an installation and what to do, in plain words."""

from __future__ import annotations

import shlex
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import apsw
import httpx
import peewee
from peewee import fn

from core import audit, backup, clock, closing, outbox, synchronisation
from core.clinic import Clinic
from core.config import Address, Settings
from core.database import connection, database, is_sqlite, unusable
from core.errors import CoreError, SettingsError
from core.models import AuditEvent, Change
from core.vocabulary import RunStatus
from server import problem_words
from server.problem_words import sentence
from server.text import N_, _
from server.words import failure, size, when

FREE_BYTES = 2 * 1024**3
BACKUP_HOURS = 36
CLOCK_SECONDS = 300
"""How far clocks may be apart."""
SAFE_SQLITE = (3, 51, 3)
"""Older ones have the WAL-reset race that can corrupt a database with several connections."""

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Level
    subject: str
    """One of `SUBJECTS`."""
    words: str
    """What is so, and for anything but `ok` what to do."""

    def document(self) -> dict[str, str]:
        """For `--json`."""
        return {"level": self.level, "subject": self.subject, "words": self.words}


SIGNS: dict[Level, str] = {"ok": " ok ", "warning": "  ! ", "error": " !! "}
SUBJECTS = {
    "disk": N_("disk"),
    "secrets": N_("secrets"),
    "sqlite": N_("SQLite"),
    "settings": N_("settings"),
    "clock": N_("clock"),
    "database": N_("database"),
    "audit": N_("audit"),
    "backup": N_("backup"),
    "closing": N_("closing"),
    "sync": N_("sending"),
    "server": N_("server"),
    "ssh": N_("SSH door"),
}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings for people, what is wrong marked by sign."""
    names = {subject: _(word) for subject, word in SUBJECTS.items()}
    width = max(map(len, names.values()))
    for finding in findings:
        yield f"{SIGNS[finding.level]} {names[finding.subject]:{width}} {finding.words}"


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; an error in one thing does not hide the others."""
    findings = [*_looked("disk", lambda: _machine(settings))]
    try:
        clinic = Clinic.open(settings)
    except SettingsError as error:
        return [*findings, Finding("error", "settings", failure(error)), *_server(settings)]
    except CoreError as error:
        return [*findings, Finding("error", "database", failure(error)), *_server(settings)]
    with connection():
        for subject, look in (
            ("clock", _clock),
            ("database", _database),
            ("audit", _audit),
            ("backup", _backups),
            ("closing", _closing),
            ("sync", _sync),
        ):
            findings += _looked(subject, lambda look=look: look(clinic))  # type: ignore[misc]
    return findings + _server(settings)


def _looked(subject: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; one that fails is a finding itself."""
    try:
        yield from look()
    except CoreError as error:
        yield Finding("error", subject, failure(error))
    except peewee.DatabaseError as error:
        known = unusable(error)
        yield Finding(
            "error", subject, failure(known) if known else sentence(f"internal: {type(error).__name__}")
        )
    except OSError as error:
        yield Finding("error", subject, sentence(f"disk: {error.strerror} ({error.filename})"))


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
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        words = _("Others can look into {home}. Run: chmod 700 {home}").format(home=home)
        yield Finding("error", "secrets", words)
    version = tuple(int(part) for part in apsw.sqlitelibversion().split("."))
    if version < SAFE_SQLITE:
        yield Finding(
            "error",
            "sqlite",
            _("SQLite {version} is too old. Run: make setup").format(version=apsw.sqlitelibversion()),
        )
    else:
        yield Finding("ok", "sqlite", apsw.sqlitelibversion())


def _clock(clinic: Clinic) -> Iterator[Finding]:
    """A clock that went back shows by records from the future."""
    newest = max((at for at in (_newest(Change), _newest(AuditEvent)) if at is not None), default=None)
    if newest is not None and newest - clock.now() > timedelta(seconds=CLOCK_SECONDS):
        yield Finding(
            "error",
            "clock",
            _(
                "It says {now}, but there are records of {newest}. Set the clock: sudo timedatectl set-ntp true"
            ).format(now=when(clock.now(), clinic.zone), newest=when(newest, clinic.zone)),
        )
    else:
        yield Finding("ok", "clock", f"{when(clock.now(), clinic.zone)} ({clinic.zone})")


def _newest(table: type[Change] | type[AuditEvent]) -> datetime | None:
    found: datetime | None = table.select(fn.MAX(table.at)).scalar()
    return found


def _database(clinic: Clinic) -> Iterator[Finding]:
    if is_sqlite():
        result = database.execute_sql("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            yield Finding(
                "error", "database", sentence(f"database_damaged: {str(result).splitlines()[0][:80]}")
            )
            return
    yield Finding("ok", "database", _("whole"))


def _audit(clinic: Clinic) -> Iterator[Finding]:
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
    settings = clinic.settings
    if not clinic.demo and not backup.has_recovery_key(settings.home):
        yield Finding("error", "backup", sentence("no_recovery_key"))
    folder = settings.home / "backups"
    if folder.exists() and (why := _not_writable(folder)):
        yield Finding(
            "error",
            "backup",
            _("{folder} cannot be written: {why}. Backups need it.").format(folder=folder, why=why),
        )
    kept = backup.list_backups(clinic)
    if not kept:
        yield Finding("warning", "backup", _("There is none yet. Run: loket backup now"))
    else:
        yield from _newest_backup(kept)
    yield from _elsewhere(settings, kept)


def _newest_backup(kept: Sequence[backup.BackupInfo]) -> Iterator[Finding]:
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
            _("newest {hours:.0f} hours old, {number} kept").format(hours=max(0.0, hours), number=len(kept)),
        )
    if not kept[0].verified:
        yield Finding(
            "error", "backup", _("It is not known whether the newest can be opened. Run: loket backup now")
        )
    for problem in kept[0].problems:
        yield Finding("error", "backup", sentence(problem))


def _elsewhere(settings: Settings, kept: Sequence[backup.BackupInfo]) -> Iterator[Finding]:
    """The place that survives this machine."""
    if settings.backup_command and not shutil.which(shlex.split(settings.backup_command)[0]):
        yield Finding("error", "backup", sentence(f"command: {shlex.split(settings.backup_command)[0]}?"))
    second = Path(settings.backup_second)
    if not settings.backup_second:
        if not settings.backup_command:
            words = _("No second place. Set LOKET_BACKUP_SECOND to a folder on another disk.")
            yield Finding("warning", "backup", words)
        return
    if not second.is_dir():
        words = _("The second place {place} is not there. Is the disk connected?").format(place=second)
    elif why := _not_writable(second):
        words = _("The second place {place} cannot be written: {why}.").format(place=second, why=why)
    elif kept and not kept[0].problems and not (second / Path(kept[0].path).name).exists():
        words = _("The newest backup is not at the second place {place}. Run: loket backup now").format(
            place=second
        )
    elif second.stat().st_dev == settings.home.stat().st_dev:
        words = _(
            "The second place {place} is on the same disk as the data and would be lost with it."
        ).format(place=second)
        yield Finding("warning", "backup", words)
        return
    else:
        return
    yield Finding("error", "backup", words)


def _not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder, in the system's words; None when one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _closing(clinic: Clinic) -> Iterator[Finding]:
    status = closing.status(clinic)
    if closing.was_cut_off(clinic):
        yield Finding("error", "closing", _("{day}: ").format(day=status["day"]) + sentence("cut_off"))
    elif status["status"] == RunStatus.FAILED:
        for problem in problem_words.told(status["error"]):
            words = _("The closing of {day} is not whole: {error}").format(
                day=status["day"], error=problem.text
            )
            yield Finding("error", "closing", f"{words} {problem.remedy}".strip())
    elif (missed := closing.missed_day(clinic)) is not None and missed < clinic.today():
        yield Finding(
            "warning",
            "closing",
            _("{day} was never closed. The server does it after its start.").format(day=missed.isoformat()),
        )
    else:
        yield Finding("ok", "closing", _("every day is closed"))


def _sync(clinic: Clinic) -> Iterator[Finding]:
    settings = clinic.settings
    if (missing := synchronisation.what_is_missing(settings)) is not None:
        yield Finding("warning", "sync", sentence(f"not_set_up: {missing}"))
        return
    with httpx.Client() as client:
        found = synchronisation.probe(settings, client)
    if found.problem:
        yield Finding("error", "sync", sentence(found.problem))
    if found.ahead_seconds is not None and abs(found.ahead_seconds) > CLOCK_SECONDS:
        yield Finding(
            "error",
            "clock",
            _(
                "It differs from the other end's by {minutes:.0f} minutes. Set it: sudo timedatectl set-ntp true"
            ).format(minutes=abs(found.ahead_seconds) / 60),
        )
    url = urlsplit(settings.office_url)
    if settings.sync_target == "office" and url.scheme == "http" and not _is_here(url.hostname or ""):
        words = _("Records of patients go to {host} unencrypted. Ask the office for an https:// address.")
        yield Finding("warning", "sync", words.format(host=url.hostname))
    status = outbox.status(clinic)
    if status.last_error and status.last_error != found.problem:
        words = _("At the last sending, {number} records still wait: {error}")
        yield Finding(
            "warning", "sync", words.format(number=status.pending, error=sentence(status.last_error))
        )
    if status.refused:
        yield Finding(
            "warning",
            "sync",
            _("The office refused {number} records. See: loket sync status").format(number=status.refused),
        )
    if not found.problem and not status.last_error and not status.refused:
        yield Finding(
            "ok", "sync", _("{pending} pending, {sent} sent").format(pending=status.pending, sent=status.sent)
        )


def _is_here(host: str) -> bool:
    return Address(host=host, port=0).is_loopback


def _server(settings: Settings) -> list[Finding]:
    url = settings.resolved_server_url
    try:
        answer = httpx.get(f"{url}/readyz", timeout=3)
    except httpx.ConnectError:
        return [Finding("warning", "server", _("It does not answer. Start it with: loket serve"))]
    except httpx.TransportError:
        answer = None
    if answer is None or answer.text not in {"ready\n", "migrating\n"}:
        words = _(
            "Something else, or a server that hangs, is at {url}. End it, or set LOKET_HTTP to another port."
        )
        return [Finding("error", "server", words.format(url=url))]
    if answer.status_code != 200:
        return [Finding("error", "server", _("It is not ready; see its log."))]
    return [Finding("ok", "server", _("answers")), *_door(settings.ssh)]


def _door(address: Address) -> Iterator[Finding]:
    """The SSH door says its version to whoever connects."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104  # not bound to
    try:
        with socket.create_connection((host, address.port), timeout=3) as line:
            said = line.recv(4)
    except OSError:
        said = b""
    if said == b"SSH-":
        yield Finding("ok", "ssh", _("answers"))
    else:
        words = _("The SSH door does not answer at port {port}. See the server's log.").format(
            port=address.port
        )
        yield Finding("warning", "ssh", words)
