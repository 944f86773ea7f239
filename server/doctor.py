"""Checks of an installation, each with its remedy, in plain words."""

from __future__ import annotations

import shlex
import shutil
import socket
import ssl
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

from core.accounts.service import system_actor
from core.daily import backup, closing
from core.daily.backup import journal_status
from core.daily.backup.drills import last_drill
from core.daily.backup.journal_status import StandbyLag
from core.daily.standby import following
from core.exchange import outbox
from core.exchange import service as synchronisation
from core.exchange.bpjs import bpjs_link, code_mapping, pcare_views
from core.foundation import (
    audit_check,
    audit_reads,
    certificates,
    clock,
    disk_encryption,
    feed,
    high_water,
    jobs,
    shared_files,
    wal_archive,
)
from core.foundation.clinic import Clinic
from core.foundation.codes import RunStatus
from core.foundation.config import HostPort, Settings
from core.foundation.database import check, connection, database, is_sqlite, unusable
from core.foundation.errors import CoreError, DatabaseError, SettingsError
from core.foundation.job_problems import JobProblem
from core.foundation.journal import standbys
from core.models import AuditEvent, Change
from core.queues import paper_forms
from core.schemas.clinic import SyncOut
from core.visits import danger_signatures
from server import first_start, repairs
from server.text import audit_sentences, problem_words, standby_sentences
from server.text.failures import failure
from server.text.formatting import size, when
from server.text.problem_words import sentence
from server.text.translation import N_, _, speaking

FREE_BYTES = 2 * 1024**3
FULL_BYTES = 4 * 1024**2
FREE_MEMORY_BYTES = 256 * 1024**2
BACKUP_HOURS = 36
DRILL_DAYS = 92
"""A quarter of a year between two drills with the recovery key."""
STANDBY_SECONDS = 60
"""Longest silence of a standby."""
LONGEST_CODE = 40
"""Letters that a server of ours says at most when it is asked whether it is ready."""
CERTIFICATE_DAYS = 30
"""Before the end of a certificate it is told."""
CLOCK_SECONDS = 300
"""How far clocks may differ, in seconds."""
SAFE_SQLITE = (3, 51, 3)
"""Older versions have the WAL-reset race that can corrupt a database with several connections."""

Level = Literal["ok", "warning", "error", "mended"]


@dataclass(frozen=True)
class CheckResult:
    """Result of one check."""

    level: Level
    subject: str
    """One of `SUBJECTS`."""
    words: str
    """The finding and, unless it is `ok`, its remedy."""
    repair: str = ""
    """The repair that needs no person's decision, a name in `repairs.REPAIRS`; empty: there is none."""

    def document(self) -> dict[str, str]:
        """Return the result for `--json`."""
        return {"level": self.level, "subject": self.subject, "words": self.words, "repair": self.repair}


SIGNS: dict[Level, str] = {"ok": " ok ", "warning": "  ! ", "error": " !! ", "mended": "  + "}
SUBJECTS = {
    "disk": N_("disk"),
    "memory": N_("memory"),
    "zone": N_("time zone"),
    "printer": N_("printer"),
    "paper": N_("paper forms"),
    "secrets": N_("secrets"),
    "sqlite": N_("SQLite"),
    "settings": N_("settings"),
    "clock": N_("clock"),
    "database": N_("database"),
    "audit": N_("audit"),
    "backup": N_("backup"),
    "journal": N_("journal"),
    "standby": N_("standby"),
    "drill": N_("drill"),
    "closing": N_("closing"),
    "sync": N_("sending"),
    "bpjs": N_("BPJS"),
    "dangers": N_("danger signs"),
    "server": N_("server"),
    "https": N_("encryption"),
    "ssh": N_("SSH door"),
}


def lines(findings: Sequence[CheckResult]) -> Iterator[str]:
    """Yield the results for people, faults marked by a sign."""
    names = {subject: _(word) for subject, word in SUBJECTS.items()}
    width = max(map(len, names.values()))
    for finding in findings:
        yield f"{SIGNS[finding.level]} {names[finding.subject]:{width}} {finding.words}"
    if number := sum(bool(finding.repair) for finding in findings):
        yield _("{number} of these Loket mends itself: loket doctor --repair").format(number=number)


def documents(
    clinic: Clinic, language: str, *, by: str = "", repair: bool = False
) -> dict[str, list[dict[str, str]]]:
    """Return every finding as `GET doctor` sends it.

    Args:
        clinic: The clinic, open in this process.
        language: Language of the words.
        by: Who asked for repairs, for the audit log.
        repair: Whether what Loket can mend itself is mended first.
    """
    with speaking(language):
        found = examine_open(clinic)
        if repair:
            found = [*mended(clinic, found, by), *examine_open(clinic)]
        return {
            "findings": [{**finding.document(), "title": _(SUBJECTS[finding.subject])} for finding in found]
        }


def mended(clinic: Clinic, findings: Sequence[CheckResult], by: str) -> list[CheckResult]:
    """Do the repairs that findings name, and return how each went.

    Args:
        clinic: The clinic, open.
        findings: Of an examination just before.
        by: Who asked for it, for the audit log.
    """
    subjects = {finding.repair: finding.subject for finding in findings if finding.repair}
    results = []
    for code, error in repairs.mend(clinic, subjects, by):
        if error is None:
            results.append(CheckResult("mended", subjects[code], _("Mended.")))
        else:
            why = failure(error) if isinstance(error, CoreError) else sentence(str(jobs.problem_of(error)))
            results.append(CheckResult("error", subjects[code], _("Not mended: {why}").format(why=why)))
    return results


def examine(settings: Settings) -> list[CheckResult]:
    """Run every check; an error in one does not hide the others."""
    findings = _before_opening(settings)
    if standbys.is_standby(settings.home):
        return [*findings, *_looked("standby", lambda: _as_standby(settings))]
    try:
        high_water.require_clinic(settings.home, settings.resolved_database_url)
        clinic = Clinic.open(settings, migrates=False)
    except SettingsError as error:
        return [*findings, CheckResult("error", "settings", failure(error)), *_server(settings)]
    except CoreError as error:
        refusal = error
        return [*findings, *_looked("database", lambda: _unopened(refusal)), *_server(settings)]
    return [*findings, *_of_clinic(clinic), *_server(settings)]


def examine_open(clinic: Clinic) -> list[CheckResult]:
    """Run every check on a clinic that is open."""
    return [*_before_opening(clinic.settings), *_of_clinic(clinic), *_server(clinic.settings)]


def _before_opening(settings: Settings) -> list[CheckResult]:
    return [
        *_looked("disk", lambda: _machine(settings)),
        *_looked("memory", _memory),
        *_looked("zone", lambda: _zone(settings)),
        *_looked("printer", lambda: _printer(settings)),
        *_looked("https", lambda: _https(settings)),
    ]


def _of_clinic(clinic: Clinic) -> list[CheckResult]:
    findings: list[CheckResult] = []
    with connection():
        for subject, look in (
            ("clock", _clock),
            ("database", _database),
            ("audit", _audit),
            ("backup", _backups),
            ("journal", _journal),
            ("backup", _leftovers),
            ("database", _searches),
            ("clock", _unreal_sign_ins),
            ("closing", _closing),
            ("sync", _sync),
            ("bpjs", _bpjs),
            ("dangers", _dangers),
            ("paper", _paper),
        ):
            findings += _looked(subject, lambda look=look: look(clinic))  # type: ignore[misc]
    return findings


def _memory() -> Iterator[CheckResult]:
    """Check the memory that is left, where the system tells it."""
    file = Path("/proc/meminfo")
    if not file.exists():
        return
    rows = dict(line.split(":", 1) for line in file.read_text("ascii").splitlines() if ":" in line)
    free = int(rows["MemAvailable"].split()[0]) * 1024
    if free < FREE_MEMORY_BYTES:
        words = _("Only {size} of memory are left. End what is not Loket's, or add memory.")
        yield CheckResult("warning", "memory", words.format(size=size(free)))
    else:
        yield CheckResult("ok", "memory", _("{size} free").format(size=size(free)))


def _zone(settings: Settings) -> Iterator[CheckResult]:
    """Compare the clinic's time zone with the system's: the times of its log then differ from those on the screens."""
    now = clock.now()
    ours, systems = now.astimezone(settings.timezone).utcoffset(), now.astimezone().utcoffset()
    if ours == systems:
        yield CheckResult("ok", "zone", str(settings.timezone))
        return
    words = _("The clinic's is {ours}, the system's is another. Run: sudo timedatectl set-timezone {ours}")
    yield CheckResult("warning", "zone", words.format(ours=settings.timezone))


def _printer(settings: Settings) -> Iterator[CheckResult]:
    """Check that a printer on the network answers, and that a device is there."""
    if not settings.printer:
        return
    host, separator, port = settings.printer.rpartition(":")
    if separator and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=3).close()
        except OSError:
            words = _("The printer {address} does not answer. Is it switched on, and its cable in?")
            yield CheckResult("warning", "printer", words.format(address=settings.printer))
            return
    elif not Path(settings.printer).exists() and not settings.printer.endswith(".txt"):
        words = _("The printer {address} does not answer. Is it switched on, and its cable in?")
        yield CheckResult("warning", "printer", words.format(address=settings.printer))
        return
    yield CheckResult("ok", "printer", _("answers"))


def _looked(subject: str, look: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Run a check; one that fails is a finding itself."""
    try:
        yield from look()
    except CoreError as error:
        yield CheckResult("error", subject, failure(error))
    except peewee.DatabaseError as error:
        known = unusable(error)
        yield CheckResult(
            "error", subject, failure(known) if known else sentence(f"internal: {type(error).__name__}")
        )
    except OSError as error:
        yield CheckResult("error", subject, sentence(f"disk: {error.strerror} ({error.filename})"))


def _machine(settings: Settings) -> Iterator[CheckResult]:
    if settings.home.exists():  # a folder that is not there is told by the check of the database
        yield from _data_folder(settings)
    version = tuple(int(part) for part in apsw.sqlitelibversion().split("."))
    if version < SAFE_SQLITE:
        yield CheckResult(
            "error",
            "sqlite",
            _("SQLite {version} is too old. Run: make setup").format(version=apsw.sqlitelibversion()),
        )
    else:
        yield CheckResult("ok", "sqlite", apsw.sqlitelibversion())


def _data_folder(settings: Settings) -> Iterator[CheckResult]:
    """Check the room in the data folder, its encryption, and who may read its secrets."""
    home = settings.home
    free = shutil.disk_usage(home).free
    if free < FULL_BYTES:
        words = _(
            "The disk is full at {home}: nothing can be saved. Make room now; saving goes on by itself."
        )
        yield CheckResult("error", "disk", words.format(home=home))
    elif free < FREE_BYTES:
        yield CheckResult(
            "error",
            "disk",
            _("{size} free at {home}. Make room before the next backup.").format(size=size(free), home=home),
        )
    else:
        yield CheckResult("ok", "disk", _("{size} free").format(size=size(free)))
    yield from _at_rest(home)
    for file in repairs.open_to_others(settings):
        if file == home:
            words = _("Others can look into {home}. Run: chmod 700 {home}").format(home=home)
        else:
            words = _("Others can read {file}. Run: chmod 600 {file}").format(file=file)
        yield CheckResult("error", "secrets", words, repair="permissions")


def _at_rest(home: Path) -> Iterator[CheckResult]:
    """Tell whether whoever carries the machine away can read it, and what lies about unread."""
    encrypted = disk_encryption.is_encrypted(home)
    if encrypted is None:
        words = _("Whether the disk is encrypted cannot be told. See docs/running.md")
        yield CheckResult("warning", "disk", words)
    elif not encrypted:
        words = _("The disk is not encrypted: whoever takes it away reads every record. See docs/running.md")
        yield CheckResult("warning", "disk", words)
    else:
        yield CheckResult("ok", "disk", _("encrypted"))
    if (home / first_start.FILE).exists():
        words = _("The admin's password and the recovery key wait to be read. Run: loket first-start show")
        yield CheckResult("warning", "secrets", words)


def _clock(clinic: Clinic) -> Iterator[CheckResult]:
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


def _database(clinic: Clinic) -> Iterator[CheckResult]:
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


def _unopened(refusal: CoreError) -> Iterator[CheckResult]:
    """Say why the database could not be opened; damaged only when the check finds it so."""
    found = check() if isinstance(refusal, DatabaseError) and refusal.reason == "database_unread" else None
    yield _damaged(found) if found else CheckResult("error", "database", failure(refusal))


def _damaged(found: str) -> CheckResult:
    return CheckResult("error", "database", sentence(f"database_damaged: {found[:80]}"))


def _leftovers(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of unfinished files: a backup that was cut off may leave much."""
    if found := repairs.leftovers(clinic.settings):
        words = _("{number} unfinished files lie about from work that was cut off, such as {file}.")
        words = words.format(number=len(found), file=found[0])
        yield CheckResult("warning", "backup", words, repair="leftovers")


def _searches(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of searches that are slow for want of an index or of the tables' statistics."""
    for table, _index in repairs.missing_indexes():
        words = _("An index of the table {table} is missing: searches are slow.").format(table=table.__name__)
        yield CheckResult("warning", "database", words, repair="searches")
    if repairs.lacks_statistics():
        words = _("The tables were never counted: searches may be slow.")
        yield CheckResult("warning", "database", words, repair="searches")


def _unreal_sign_ins(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of sign-ins that would be good for too long."""
    if number := repairs.unreal_sign_ins():
        words = _("{number} sign-ins are of a clock that ran ahead.").format(number=number)
        yield CheckResult("warning", "clock", words, repair="sign_ins")


def _audit(clinic: Clinic) -> Iterator[CheckResult]:
    report = audit_check.verify()
    for words in audit_sentences.problems(report):
        yield CheckResult("error", "audit", words)
    for words in audit_sentences.vouched(report, clinic.zone):
        yield CheckResult("warning", "audit", words)
    if not report.problems and not report.vouched:
        yield CheckResult("ok", "audit", _("chain unbroken"))
    yield from _reserve()


def _reserve() -> Iterator[CheckResult]:
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


def _backups(clinic: Clinic) -> Iterator[CheckResult]:
    settings = clinic.settings
    if not clinic.demo and not backup.has_recovery_key(settings.home):
        yield CheckResult("error", "backup", sentence("no_recovery_key"))
    folder = settings.daily_folder / "backups"
    if folder.exists() and (why := _not_writable(folder)):
        yield CheckResult(
            "error",
            "backup",
            _("{folder} cannot be written: {why}. Backups need it.").format(folder=folder, why=why),
        )
    kept = backup.list_backups(clinic)
    if not kept:
        yield CheckResult("warning", "backup", _("There is none yet. Run: loket backup now"), repair="backup")
    else:
        yield from _newest_backup(kept)
    yield from _elsewhere(settings, kept)
    if kept and not clinic.demo:
        yield from _drill(settings)


def _journal(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that what is acknowledged is on the second place: compared now, whatever the server believes."""
    if not is_sqlite():
        yield from _archive(clinic)
        return
    status = journal_status.examine(clinic.settings)
    if status is None:
        return
    if status.problem:
        yield CheckResult("error", "journal", sentence(status.problem))
        if status.problem.split(":")[0] not in PLACE_IS_READ:
            words = _(
                "While that place is away this machine cannot know whether another one took over (loket promote). If one "
                "did, end the server here."
            )
            yield CheckResult("warning", "standby", words)
    elif status.is_on_first_disk:
        words = _("The second place {place} is on the same disk as the data and would be lost with it.")
        yield CheckResult("warning", "journal", words.format(place=clinic.settings.journal_dir))
    else:
        yield CheckResult("ok", "journal", _("in step: every saved action is on the second place"))
    yield from _standbys(status.standbys)


PLACE_IS_READ = frozenset({"base_due", "journal_behind", "superseded"})
"""Problems of the journal that are found in its folder: who is the core was read there too."""
NO_FAULTS = frozenset({"wal_no_slot", "wal_unseen", "wal_base_old"})
"""Problems of the archive with which nothing that it promised is lost."""


def _archive(clinic: Clinic) -> Iterator[CheckResult]:
    """Check PostgreSQL's own archive: that its log is received, and that a base and all of the log since are there."""
    found = wal_archive.examine(clinic.settings)
    for problem in found.problems:
        level: Level = "warning" if problem.split(":")[0] in NO_FAULTS else "error"
        yield CheckResult(level, "journal", sentence(problem))
    if not found.problems and found.base_at is not None:
        hours = max(0.0, (clock.now() - found.base_at).total_seconds() / 3600)
        words = _("in step: every saved action is in PostgreSQL's archive; its base is {hours:.0f} hours old")
        yield CheckResult("ok", "journal", words.format(hours=hours))


def _standbys(found: Sequence[StandbyLag]) -> Iterator[CheckResult]:
    """Tell how far each machine is that could take over."""
    for lag in found:
        if lag.silent_seconds > STANDBY_SECONDS:
            words = _("{name} has not looked for {minutes:.0f} minutes. Run there: loket standby").format(
                name=lag.name, minutes=lag.silent_seconds / 60
            )
            yield CheckResult("warning", "standby", words)
        elif lag.actions:
            words = _("{name} does not hold all yet: {number} actions").format(
                name=lag.name, number=lag.actions if lag.actions > 0 else "?"
            )
            yield CheckResult("warning", "standby", words)
        else:
            yield CheckResult("ok", "standby", _("{name} holds every saved action").format(name=lag.name))


def _as_standby(settings: Settings) -> Iterator[CheckResult]:
    """Tell how far this machine is, where it is the standby."""
    note = following.last_note(settings.home)
    words = standby_sentences.noted(note, settings.timezone)
    silent = clock.now() - datetime.fromisoformat(note.looked_at) if note is not None else timedelta.max
    is_late = silent > timedelta(seconds=STANDBY_SECONDS)
    yield CheckResult("warning" if is_late else "ok", "standby", words)
    if note is not None and note.waiting:
        words = _("{number} actions of the folder cannot be read.").format(number=note.waiting)
        yield CheckResult("error", "standby", words)


def _drill(settings: Settings) -> Iterator[CheckResult]:
    """Check when somebody last opened a backup with the recovery key itself: only that proves that it is not lost."""
    at = last_drill(settings.home)
    advice = _("Run: loket backup verify FILE --key KEYFILE")
    if at is None:
        words = _("Nobody has yet opened a backup with the recovery key.")
        yield CheckResult("warning", "drill", f"{words} {advice}")
    elif (days := (clock.now() - at).days) > DRILL_DAYS:
        words = _("The last drill with the recovery key was {days} days ago.").format(days=days)
        yield CheckResult("warning", "drill", f"{words} {advice}")


def _newest_backup(kept: Sequence[backup.BackupInfo]) -> Iterator[CheckResult]:
    hours = (clock.now() - kept[0].made_at).total_seconds() / 3600
    if hours > BACKUP_HOURS:
        yield CheckResult(
            "error",
            "backup",
            _("The newest is {hours:.0f} hours old. Run: loket backup now").format(hours=hours),
            repair="backup",
        )
    else:
        yield CheckResult(
            "ok",
            "backup",
            _("newest {hours:.0f} hours old, {number} kept").format(hours=max(0.0, hours), number=len(kept)),
        )
    if not kept[0].verified:
        words = _("It is not known whether the newest can be opened. Run: loket backup now")
        yield CheckResult("error", "backup", words, repair="backup")
    for problem in kept[0].problems:
        yield CheckResult("error", "backup", sentence(problem), repair="backup")


def _elsewhere(settings: Settings, kept: Sequence[backup.BackupInfo]) -> Iterator[CheckResult]:
    """Check the place for backups that survives the loss of this machine."""
    program = shlex.split(settings.backup_command)[0] if settings.backup_command else ""
    if program and not shutil.which(program):
        yield CheckResult("error", "backup", sentence(f"command: {program}?"))
    if settings.backup_second:
        yield from _second_place(Path(settings.backup_second), settings.home, kept)
    elif not program:
        words = _("No second place. Set LOKET_BACKUP_SECOND to a folder on another disk.")
        yield CheckResult("warning", "backup", words)


def _second_place(second: Path, home: Path, kept: Sequence[backup.BackupInfo]) -> Iterator[CheckResult]:
    """Check the folder of `LOKET_BACKUP_SECOND`: only its first fault is of use."""
    if not second.is_dir():
        words = _("The second place {place} is not there. Is the disk connected?").format(place=second)
        yield CheckResult("error", "backup", words)
    elif why := _not_writable(second):
        words = _("The second place {place} cannot be written: {why}.").format(place=second, why=why)
        yield CheckResult("error", "backup", words)
    elif _newest_is_missing(second, kept):
        words = _("The newest backup is not at the second place {place}. Run: loket backup now")
        yield CheckResult("error", "backup", words.format(place=second), repair="backup")
    elif second.stat().st_dev == home.stat().st_dev:
        words = _("The second place {place} is on the same disk as the data and would be lost with it.")
        yield CheckResult("warning", "backup", words.format(place=second))


def _newest_is_missing(second: Path, kept: Sequence[backup.BackupInfo]) -> bool:
    """Return whether the newest backup did not arrive; one with problems of its own tells why itself."""
    if not kept or kept[0].problems:
        return False
    return not (second / Path(kept[0].path).name).exists()


def _not_writable(folder: Path) -> str | None:
    """Return why no file can be made in a folder, in the system's words; None when one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _closing(clinic: Clinic) -> Iterator[CheckResult]:
    status = closing.status(clinic)
    if closing.was_cut_off(clinic):
        words = _("{day}: ").format(day=status.day) + sentence("cut_off")
        yield CheckResult("error", "closing", words, repair="closing")
    elif status.status == RunStatus.FAILED:
        for problem in problem_words.told(status.error):
            words = _("The closing of {day} is not whole: {error}").format(day=status.day, error=problem.text)
            yield CheckResult("error", "closing", f"{words} {problem.remedy}".strip(), repair="closing")
    elif (missed := closing.missed_day(clinic)) is not None and missed < clinic.today():
        yield CheckResult(
            "warning",
            "closing",
            _("{day} was never closed. The server does it after its start.").format(day=missed.isoformat()),
            repair="closing",
        )
    else:
        yield CheckResult("ok", "closing", _("every day is closed"))


def _sync(clinic: Clinic) -> Iterator[CheckResult]:
    settings = clinic.settings
    missing = synchronisation.what_is_missing(settings)
    if missing is not None:
        yield CheckResult("warning", "sync", sentence(f"not_set_up: {missing}"))
        return
    with httpx.Client() as client:
        found = synchronisation.probe(settings, client)
    if found.problem:
        yield CheckResult("error", "sync", sentence(found.problem))
    yield from _clock_difference(found.ahead_seconds)
    yield from _encryption(settings)
    yield from _outbox(outbox.status(clinic), found.problem)


def _clock_difference(ahead_seconds: float | None) -> Iterator[CheckResult]:
    """Compare the clock with the receiver's."""
    if ahead_seconds is None or abs(ahead_seconds) <= CLOCK_SECONDS:
        return
    words = _(
        "It differs from the other end's by {minutes:.0f} minutes. Set it: sudo timedatectl set-ntp true"
    )
    yield CheckResult("error", "clock", words.format(minutes=abs(ahead_seconds) / 60))


def _encryption(settings: Settings) -> Iterator[CheckResult]:
    """Warn of patients' records that cross a network unencrypted."""
    if settings.sync_target != "office":
        return  # the settings allow SATUSEHAT by https:// only
    url = urlsplit(settings.office_url)
    if url.scheme == "http" and not _is_here(url.hostname or ""):
        words = _("Records of patients go to {host} unencrypted. Ask the office for an https:// address.")
        yield CheckResult("warning", "sync", words.format(host=url.hostname))


def _outbox(status: SyncOut, told_problem: JobProblem | None) -> Iterator[CheckResult]:
    """Report waiting and refused records; `told_problem` was reported already."""
    if status.last_error and status.last_error != str(told_problem):
        words = _("At the last sending, {number} records still wait: {error}")
        words = words.format(number=status.pending, error=sentence(status.last_error))
        yield CheckResult("warning", "sync", words, repair="sync")
    if status.refused:
        words = _("The office refused {number} records. See: loket sync status")
        yield CheckResult("warning", "sync", words.format(number=status.refused))
    if not (told_problem or status.last_error or status.refused):
        words = _("{pending} pending, {sent} sent").format(pending=status.pending, sent=status.sent)
        yield CheckResult("ok", "sync", words)


UNMAPPED = {
    "poli": N_("clusters"),
    "doctor": N_("clinicians"),
    "medicine": N_("medicines"),
    "procedure": N_("procedures"),
    "allergy": N_("allergies"),
}
"""Kinds of what needs a code at BPJS."""


def _bpjs(clinic: Clinic) -> Iterator[CheckResult]:
    """Report how the visits of insured people get to BPJS, where it is set up; `loket bpjs check` asks it."""
    if not bpjs_link.is_set_up(clinic.settings):
        return
    status = pcare_views.status(clinic, system_actor())
    if status.last_error:
        yield CheckResult("warning", "bpjs", sentence(status.last_error))
    if status.set_aside:
        words = _("{number} visits were set aside; at the counter, F7 and B say why and what to do.")
        yield CheckResult("warning", "bpjs", words.format(number=status.set_aside))
    if status.comparison is not None and (status.comparison["missing"] or status.comparison["only_there"]):
        words = _("On {day} BPJS did not hold the same. Run: loket bpjs compare")
        yield CheckResult("warning", "bpjs", words.format(day=status.comparison["day"]))
    for kind, titles in code_mapping.unmapped(clinic).items():
        words = _("Without a code at BPJS: {kind}: {titles}. The admin maps them at the counter: F7, K.")
        names = ", ".join(titles[:5]) + (f", ... ({len(titles)})" if len(titles) > 5 else "")
        yield CheckResult("warning", "bpjs", words.format(kind=_(UNMAPPED[kind]), titles=names))
    if not status.last_error and not status.set_aside:
        yield CheckResult("ok", "bpjs", _("{number} visits wait to be sent").format(number=status.waiting))


def _dangers(clinic: Clinic) -> Iterator[CheckResult]:
    """Say how many danger signs no clinician of this clinic has signed as they are now."""
    standing = danger_signatures.counted(clinic)
    if standing.unsigned:
        words = _(
            "{number} of {all} danger signs ({rules} rules) are not signed, {changed} of them changed since. The "
            "head of the clinic reads and signs them: F6, S."
        )
        yield CheckResult("warning", "dangers", words.format(
            number=standing.unsigned, all=standing.signs, rules=standing.unsigned_rules, changed=standing.changed
        ))  # fmt: skip
    else:
        words = _("all {number} danger signs are signed").format(number=standing.signs)
        yield CheckResult("ok", "dangers", words)


def _paper(clinic: Clinic) -> Iterator[CheckResult]:
    """Say for which clusters no stack of numbered forms lies ready: it cannot be printed while nothing works."""
    short = paper_forms.clusters_without_stack(clinic)
    if short:
        words = _(
            "Fewer than {least} printed forms for: {clusters}. Without them nobody is registered properly while no "
            "computer answers. Run: loket paper print --cluster {first} --count 20 (or F6, F)"
        )
        yield CheckResult("warning", "paper", words.format(
            least=paper_forms.LEAST_READY, clusters=", ".join(short), first=short[0]
        ))  # fmt: skip
    else:
        yield CheckResult("ok", "paper", _("a stack of printed forms for each cluster"))


def _is_here(host: str) -> bool:
    return HostPort(host=host, port=0).is_loopback


def _server(settings: Settings) -> list[CheckResult]:
    url = settings.resolved_server_url
    try:
        answer = httpx.get(f"{url}/readyz", timeout=3, verify=_trust(settings))
    except httpx.ConnectError:
        return [CheckResult("warning", "server", _("It does not answer. Start it with: loket serve"))]
    except httpx.TransportError:
        answer = None
    if answer is None or answer.status_code not in {200, 503} or len(answer.text) > LONGEST_CODE:
        words = _(
            "Something else, or a server that hangs, is at {url}. End it, or set LOKET_HTTP to another port."
        )
        return [CheckResult("error", "server", words.format(url=url))]
    if answer.status_code != 200:
        words = _("It is not ready; see its log.") + f" {sentence(answer.text.strip())}"
        return [CheckResult("error", "server", words.strip())]
    return [CheckResult("ok", "server", _("answers")), *_door(settings.ssh)]


def _trust(settings: Settings) -> ssl.SSLContext:
    """Return the TLS for the server of this data folder, or for publicly known ones."""
    file = settings.tls_certificate or str(settings.certificate_files.authority)
    if not (settings.http_is_encrypted and Path(file).exists()):
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=file)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False  # the file says which server it is
    return context


def _https(settings: Settings) -> Iterator[CheckResult]:
    """Tell how others reach the server: unencrypted, or until when its certificate is good."""
    if settings.http.is_loopback and not settings.tls_certificate:
        yield CheckResult("ok", "https", _("not needed: the server is reached from this machine only"))
        return
    if not settings.http_is_encrypted:
        words = _(
            "{address} is not encrypted: passwords and records can be read on the network. Set LOKET_PLAIN_HTTP=no"
        )
        yield CheckResult("warning", "https", words.format(address=settings.http.url))
        return
    files = settings.certificate_files
    file = Path(settings.tls_certificate or files.server)
    try:
        left = certificates.ends_at(file.read_bytes()) - clock.now()
        shown = certificates.fingerprint((file if settings.tls_certificate else files.authority).read_bytes())
    except ValueError:
        yield CheckResult("error", "https", _("{file} is no certificate.").format(file=file))
        return
    if left < timedelta(0):
        words = _("The certificate has ended: {file}. Restart the server, or put a new one there.")
        yield CheckResult("error", "https", words.format(file=file))
    elif left < timedelta(days=CERTIFICATE_DAYS):
        words = _("The certificate ends in {days} days: {file}. Restart the server, or put a new one there.")
        yield CheckResult("warning", "https", words.format(days=left.days, file=file))
    else:
        words = _("good for {days} days; SHA-256 {fingerprint}").format(days=left.days, fingerprint=shown)
        yield CheckResult("ok", "https", words)


def _door(address: HostPort) -> Iterator[CheckResult]:
    """Check the SSH door: it sends its version to every connection."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104  # not bound to
    try:
        with socket.create_connection((host, address.port), timeout=3) as line:
            said = line.recv(4)
    except OSError:
        said = b""
    if said == b"SSH-":
        yield CheckResult("ok", "ssh", _("answers"))
    else:
        words = _("The SSH door does not answer at port {port}. See the server's log.").format(
            port=address.port
        )
        yield CheckResult("warning", "ssh", words)
