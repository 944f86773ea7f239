"""Backups that are known to restore: made while in use, encrypted, opened again at once.

Each backup is encrypted to the recovery key and to a second key that exists only in memory
until the file has been decrypted with it, restored into a scratch database and compared.
The recovery key's secret half is shown once at installation and is not kept on this machine.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import apsw
import peewee
import pyrage
from playhouse.apsw_ext import APSWDatabase
from playhouse.migrations import Runner

from core import clock, job_runs
from core.archives import (
    Content,
    Opened,
    identity,
    look,
    pack,
    postgres_tool,
    sha256_of,
    storage_errors,
    unpack,
)
from core.clinic import Clinic
from core.config import Settings
from core.database import connect, database, instant_text, is_sqlite
from core.errors import BackupError
from core.identifiers import new_id
from core.migrations import FOLDER

PUBLIC_KEY = "recovery.pub"
DEMO_SECRET = "recovery.demo-key"
FOLDER_NAME = "backups"
NAME = re.compile(r"^loket-(?P<facility>[A-Za-z0-9.-]+)-(?P<at>\d{8}T\d{6}Z)\.tar\.gz\.age$")
COMMAND_SECONDS = 3600
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class BackupInfo:
    """One backup as the admin sees it."""

    path: str
    made_at: datetime
    """Aware UTC."""
    bytes: int
    """Of the encrypted file."""
    sha256: str
    counts: dict[str, int]
    newest_change: int
    schema: list[str]
    verified: bool
    """Decrypted, restored into a scratch database and found equal."""
    problems: tuple[str, ...] = field(default=())
    """What went wrong beside it: the second place, the command."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return {**asdict(self), "made_at": instant_text(self.made_at), "problems": list(self.problems)}


@dataclass(frozen=True)
class RestorePreview:
    """What a restore would bring and what it would lose."""

    made_at: str
    counts: dict[str, int]
    """Rows in the backup."""
    present_counts: dict[str, int]
    """Rows in the database that would be replaced; empty when there is none."""
    changes_lost: int
    """Changes of the present database that the backup does not have."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def create_recovery_key(home: Path) -> str:
    """Make the recovery key and keep its public half.

    Returns:
        The secret half (`AGE-SECRET-KEY-1...`), to be written down and kept off this machine.

    Raises:
        BackupError: `key_exists`: replacing it would make the older backups look lost.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(home / PUBLIC_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise BackupError("key_exists", str(home / PUBLIC_KEY)) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{made.to_public()}\n")
    return str(made)


def has_recovery_key(home: Path) -> bool:
    """Whether backups can be made."""
    return (home / PUBLIC_KEY).exists()


def _recipient(clinic: Clinic) -> Any:
    home = clinic.settings.home
    if clinic.demo and not has_recovery_key(home):
        # Made-up people only: the demo keeps its secret, so that the whole drill can be tried.
        secret = home / DEMO_SECRET
        secret.write_text(create_recovery_key(home) + "\n", "utf-8")
        secret.chmod(0o600)
    try:
        return pyrage.x25519.Recipient.from_str((home / PUBLIC_KEY).read_text("utf-8").strip())
    except FileNotFoundError:
        raise BackupError("no_recovery_key", str(home / PUBLIC_KEY)) from None
    except pyrage.RecipientError:
        raise BackupError("no_recovery_key", f"{home / PUBLIC_KEY} is damaged") from None


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A folder of mode 0700 beside the data, so that files can be renamed into place."""
    with storage_errors():
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make(clinic: Clinic) -> BackupInfo:
    """Make one backup and prove it; then take it to the second place and drop the oldest.

    Registrations go on meanwhile: the copy is one read transaction.

    Raises:
        BackupError: `no_recovery_key`, `running`, `disk_full`, `damaged`, `postgres_tool`, ...;
            no half-written backup stays behind.
    """
    settings = clinic.settings
    recipient = _recipient(clinic)
    with job_runs.alone(settings.home, "backup") as first:
        if not first:
            raise BackupError("running")
        at = clock.now().replace(microsecond=0)
        folder = settings.home / FOLDER_NAME
        with _scratch(folder) as work:
            data, content = _copy(settings, work, at)
            packed = work / "backup.age"
            witness = pyrage.x25519.Identity.generate()
            pack(data, content, packed, [recipient, witness.to_public()])
            data.unlink(missing_ok=True)
            _prove(packed, witness, content, settings, work)
            info = _keep(folder, settings.facility_code, at, packed, content)
        info = _elsewhere(settings, info)
        for place in _places(settings):
            rotate(place, settings)
    return info


def _copy(settings: Settings, work: Path, at: datetime) -> tuple[Path, Content]:
    """A consistent copy of the database in use, and what it holds."""
    made_at = instant_text(at)
    if is_sqlite():
        copy = work / "copy.sqlite3"
        with storage_errors():
            source = apsw.Connection(str(database.database), flags=apsw.SQLITE_OPEN_READWRITE)
            target = apsw.Connection(str(copy))
            try:
                source.set_busy_timeout(10_000)
                with target.backup("main", source, "main") as running:
                    running.step()
                # A file on its own, without a log beside it.
                target.execute("PRAGMA journal_mode=DELETE").fetchall()
            finally:
                source.close()
                target.close()
        return copy, _look_at_file(copy, settings.facility_code, made_at)
    dump = work / "copy.dump"
    postgres_tool(["pg_dump", "--format=custom", f"--file={dump}", settings.resolved_database_url])
    with _scratch_postgres(settings.resolved_database_url) as url:
        _fill_postgres(dump, url)
        return dump, _look_at_url(url, settings.facility_code, made_at)


def _look_at_file(file: Path, facility_code: str, made_at: str) -> Content:
    return _look_at_url(f"sqlite:///{file}", facility_code, made_at)


def _look_at_url(url: str, facility_code: str, made_at: str) -> Content:
    opened = APSWDatabase(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else connect(url)
    try:
        opened.connect()
        return look(opened, facility_code, made_at)
    except (peewee.DatabaseError, apsw.Error):
        raise BackupError("damaged", "the database cannot be opened") from None
    finally:
        opened.close()


@contextmanager
def _scratch_postgres(url: str) -> Iterator[str]:
    """A database of its own on the same server, dropped afterwards."""
    import psycopg

    name = f"loket_scratch_{new_id().replace('-', '')[-12:]}"
    try:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    except psycopg.Error as error:
        raise BackupError("postgres_tool", f"no scratch database: {str(error).splitlines()[0]}") from None
    try:
        parts = urlsplit(url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


def _fill_postgres(dump: Path, url: str, *extra: str) -> None:
    postgres_tool(["pg_restore", "--no-owner", "--no-privileges", *extra, f"--dbname={url}", str(dump)])


def _prove(packed: Path, key: Any, expected: Content, settings: Settings, work: Path) -> Opened:
    """Decrypt the file as it is on the disk, restore it, and compare."""
    opened = unpack(packed, key, work)
    if opened.content != expected:
        raise BackupError("damaged", "the manifest differs")
    if not _restored(opened, settings).same_data(expected):
        raise BackupError("damaged", "the restored copy differs")
    return opened


def _restored(opened: Opened, settings: Settings) -> Content:
    """What the archive's database holds once it is a database again."""
    content = opened.content
    if content.engine == "sqlite":
        return _look_at_file(opened.data, content.facility_code, content.made_at)
    if not settings.resolved_database_url.startswith("postgres"):
        raise BackupError("other_engine", "a PostgreSQL backup needs LOKET_DATABASE_URL=postgresql://...")
    with _scratch_postgres(settings.resolved_database_url) as url:
        _fill_postgres(opened.data, url)
        return _look_at_url(url, content.facility_code, content.made_at)


def _keep(folder: Path, facility: str, at: datetime, packed: Path, content: Content) -> BackupInfo:
    """Give the proven file its name and a description without secrets beside it."""
    path = folder / f"loket-{facility}-{at.strftime(STAMP)}.tar.gz.age"
    info = BackupInfo(
        path=str(path),
        made_at=at,
        bytes=packed.stat().st_size,
        sha256=sha256_of(packed),
        counts=content.counts,
        newest_change=content.newest_change,
        schema=content.schema,
        verified=True,
    )
    with storage_errors():
        os.replace(packed, path)
        _describe(info)
        _sync_folder(folder)
    return info


def _describe(info: BackupInfo) -> None:
    beside = Path(f"{info.path}.json")
    beside.write_text(json.dumps(info.document()), "utf-8")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _elsewhere(settings: Settings, info: BackupInfo) -> BackupInfo:
    """Take the backup to the second place and hand it to the command; a failure is noted, not raised."""
    problems = []
    path = Path(info.path)
    if settings.backup_second:
        try:
            _copy_second(path, Path(settings.backup_second), info.sha256)
        except (BackupError, OSError) as error:
            problems.append(f"second place: {error}")
    if settings.backup_command:
        try:
            arguments = [*shlex.split(settings.backup_command), str(path)]
            done = subprocess.run(
                arguments, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
            )
            if done.returncode != 0:
                problems.append(f"command: exit code {done.returncode}: {done.stderr.strip()[-200:]}")
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            problems.append(f"command: {type(error).__name__}")
    if not problems:
        return info
    info = BackupInfo(**{**info.__dict__, "problems": tuple(problems)})
    with storage_errors():
        _describe(info)
    return info


def _copy_second(path: Path, second: Path, sha256: str) -> None:
    if not second.is_dir():
        # Making it could write onto the mount point of a disk that is not there.
        raise BackupError("missing", str(second))
    part = second / f"{path.name}.part"
    with storage_errors():
        shutil.copyfile(path, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
    if sha256_of(part) != sha256:
        part.unlink()
        raise BackupError("damaged", str(part))
    with storage_errors():
        os.replace(part, second / path.name)
        shutil.copyfile(f"{path}.json", second / f"{path.name}.json")


def _places(settings: Settings) -> list[Path]:
    second = [Path(settings.backup_second)] if settings.backup_second else []
    return [place for place in (settings.home / FOLDER_NAME, *second) if place.is_dir()]


def kept(times: Iterable[datetime], daily: int, monthly: int) -> set[datetime]:
    """Which backups stay: the newest of each of the last days, and of each of the last months.

    Args:
        times: When backups were made.
        daily: Number of days that have a backup, newest first.
        monthly: Number of months that have a backup, newest first.
    """
    newest_first = sorted(times, reverse=True)
    days: dict[object, datetime] = {}
    months: dict[object, datetime] = {}
    for at in newest_first:
        days.setdefault(at.date(), at)
        months.setdefault((at.year, at.month), at)
    return {*list(days.values())[:daily], *list(months.values())[:monthly]}


def rotate(folder: Path, settings: Settings) -> list[str]:
    """Delete this facility's backups that the rule does not keep; returns their names."""
    files = _files(folder, settings.facility_code)
    stay = kept(files, settings.backup_keep_daily, settings.backup_keep_monthly)
    dropped = []
    for at, path in files.items():
        if at not in stay:
            path.unlink(missing_ok=True)
            Path(f"{path}.json").unlink(missing_ok=True)
            dropped.append(path.name)
    return dropped


def _files(folder: Path, facility: str) -> dict[datetime, Path]:
    found = {}
    for path in folder.glob("loket-*.tar.gz.age"):
        name = NAME.match(path.name)
        if name is not None and name["facility"] == facility:
            found[datetime.strptime(name["at"], STAMP).replace(tzinfo=UTC)] = path
    return found


def list_backups(clinic: Clinic) -> list[BackupInfo]:
    """The backups in the data folder, newest first."""
    folder = clinic.settings.home / FOLDER_NAME
    listed = []
    for at, path in sorted(_files(folder, clinic.settings.facility_code).items(), reverse=True):
        try:
            values = json.loads(Path(f"{path}.json").read_text("utf-8"))
            values |= {"made_at": at, "path": str(path), "problems": tuple(values.get("problems", ()))}
            listed.append(BackupInfo(**values))
        except (OSError, ValueError, TypeError):
            # The description is lost; the backup itself may be good: the drill will tell.
            listed.append(BackupInfo(str(path), at, path.stat().st_size, "", {}, 0, [], verified=False))
    return listed


def verify(file: Path, key_text: str, settings: Settings | None = None) -> BackupInfo:
    """The drill: open a backup with the recovery key, restore it into a scratch database, compare.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_format`, `other_engine`.
    """
    settings = settings or Settings.load()
    with _scratch(Path(tempfile.gettempdir())) as work:
        opened = unpack(file, identity(key_text), work)
        content = opened.content
        if not _restored(opened, settings).same_data(content):
            raise BackupError("damaged", "the restored copy differs from its manifest")
    return BackupInfo(
        path=str(file),
        made_at=datetime.fromisoformat(content.made_at),
        bytes=file.stat().st_size,
        sha256=sha256_of(file),
        counts=content.counts,
        newest_change=content.newest_change,
        schema=content.schema,
        verified=True,
    )


def preview(file: Path, key_text: str, settings: Settings) -> RestorePreview:
    """What a restore would bring and lose; changes nothing.

    Raises:
        BackupError: As `restore`.
    """
    with _scratch(settings.home) as work:
        opened = _checked(file, key_text, settings, work)
        present = _present(settings)
    content = opened.content
    lost = max(0, present.newest_change - content.newest_change) if present else 0
    return RestorePreview(content.made_at, content.counts, present.counts if present else {}, lost)


def restore(file: Path, key_text: str, settings: Settings) -> BackupInfo:
    """Replace the database by a backup. The present one is kept beside it under another name.

    Nothing is touched until the backup has been opened, restored into a scratch database and
    compared. The server must not be running.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_schema`, `newer_format`,
            `other_engine`, `in_use`, `disk_full`.
    """
    with _scratch(settings.home) as work:
        opened = _checked(file, key_text, settings, work)
        if opened.content.engine == "sqlite":
            _replace_file(opened.data, Path(settings.resolved_database_url.removeprefix("sqlite:///")))
        else:
            _fill_postgres(
                opened.data, settings.resolved_database_url, "--clean", "--if-exists", "--single-transaction"
            )
    after = _present(settings)
    if after is None or not after.same_data(opened.content):
        raise BackupError("damaged", "the restored database differs from the backup")
    return BackupInfo(
        path=str(file),
        made_at=datetime.fromisoformat(opened.content.made_at),
        bytes=file.stat().st_size,
        sha256=sha256_of(file),
        counts=after.counts,
        newest_change=after.newest_change,
        schema=after.schema,
        verified=True,
    )


def _checked(file: Path, key_text: str, settings: Settings, work: Path) -> Opened:
    opened = unpack(file, identity(key_text), work)
    content = opened.content
    known = {step.name for step in Runner(peewee.SqliteDatabase(None), str(FOLDER)).migrations()}
    if set(content.schema) - known:
        raise BackupError("newer_schema", max(content.schema))
    engine = "postgres" if settings.resolved_database_url.startswith("postgres") else "sqlite"
    if content.engine != engine:
        raise BackupError("other_engine", f"made on {content.engine}")
    if not _restored(opened, settings).same_data(content):
        raise BackupError("damaged", "the restored copy differs from its manifest")
    return opened


def _present(settings: Settings) -> Content | None:
    """What the database in place holds; None when there is none or it cannot be read."""
    url = settings.resolved_database_url
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    try:
        return _look_at_url(url, settings.facility_code, "")
    except BackupError:
        return None


def _replace_file(data: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if target.exists():
        _must_be_closed(target)
        aside = target.with_name(f"{target.name}.replaced-{clock.now().strftime(STAMP)}")
        with storage_errors():
            for suffix in ("", "-wal", "-shm"):
                part = Path(f"{target}{suffix}")
                if part.exists():
                    os.replace(part, f"{aside}{suffix}")
    with storage_errors():
        os.replace(data, target)
        _sync_folder(target.parent)


def _must_be_closed(target: Path) -> None:
    """Refuse while a server has the file open: leaving WAL mode needs to be its only user."""
    try:
        opened = apsw.Connection(str(target))
    except apsw.Error:
        return  # not a database any more; it is put aside as it is
    try:
        opened.execute("PRAGMA journal_mode=DELETE").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        raise BackupError("in_use", "stop the server first") from None
    except apsw.Error:
        return
    finally:
        opened.close()
