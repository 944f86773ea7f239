"""Opening a backup: the drill, what a restore would bring and lose, and the restore itself."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw
import peewee
from playhouse.migrations import Runner

from core import clock
from core.backup import home_files
from core.backup.archives import Content, Opened, identity, sha256_of, storage_errors, unpack
from core.backup.keeping import STAMP, BackupInfo, sync_folder
from core.backup.keys import PUBLIC_KEY
from core.backup.scratch import (
    fill_postgres,
    look_at_url,
    replace_postgres,
    restored,
    scratch,
    scratch_postgres,
)
from core.config import Settings
from core.errors import BackupError
from core.migrations import FOLDER


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


def verify(file: Path, key_text: str, settings: Settings | None = None) -> BackupInfo:
    """The drill: open a backup with the recovery key, restore it into a scratch database, compare.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_format`, `other_engine`.
    """
    settings = settings or Settings.load()
    with scratch(Path(tempfile.gettempdir())) as work:
        opened = unpack(file, identity(key_text), work)
        content = opened.content
        if not restored(opened, settings).same_data(content):
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
    with scratch(settings.home) as work:
        opened = _checked(file, key_text, settings, work)
        present = _present(settings)
    content = opened.content
    lost = max(0, present.newest_change - content.newest_change) if present else 0
    return RestorePreview(content.made_at, content.counts, present.counts if present else {}, lost)


def restore(file: Path, key_text: str, settings: Settings) -> BackupInfo:
    """Replace the database by a backup. The present one is kept beside it under another name.

    A fresh data folder also gets back the door's host key, the clinic's own forms and what routing
    learned, and goes on making backups for the same recovery key.

    Nothing is touched until the backup has been opened, restored into a scratch database and
    compared. The server must not be running.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_schema`, `newer_format`,
            `other_engine`, `in_use`, `disk_full`.
    """
    with scratch(settings.home) as work:
        opened = _checked(file, key_text, settings, work)
        if opened.content.engine == "sqlite":
            _replace_file(opened.data, Path(settings.resolved_database_url.removeprefix("sqlite:///")))
        else:
            _replace_postgres(opened.data, settings.resolved_database_url)
        with storage_errors():
            home_files.put_back(
                opened.folder, settings.home, settings.home / PUBLIC_KEY, str(identity(key_text).to_public())
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
    if not restored(opened, settings).same_data(content):
        raise BackupError("damaged", "the restored copy differs from its manifest")
    return opened


def _present(settings: Settings) -> Content | None:
    """What the database in place holds; None when there is none or it cannot be read."""
    url = settings.resolved_database_url
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    try:
        return look_at_url(url, settings.facility_code, "")
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
        sync_folder(target.parent)


def _replace_postgres(dump: Path, url: str) -> None:
    name = urlsplit(url).path.lstrip("/")
    aside = f"{name[:40]}_{clock.now().strftime(STAMP).lower()}"
    with scratch_postgres(url) as made:
        fill_postgres(dump, made)
        replace_postgres(url, made, aside)


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
