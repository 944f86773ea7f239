"""Making a backup: copied while in use, encrypted, opened again and compared at once.

It is encrypted to the recovery key and to a second key that exists only in memory until the file
has been decrypted with it and restored into a scratch database.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw
import pyrage

from core import clock, job_runs
from core.backup.archives import Content, Opened, pack, postgres_tool, sha256_of, storage_errors, unpack
from core.backup.keeping import (
    FOLDER_NAME,
    STAMP,
    BackupInfo,
    describe,
    places,
    rotate,
    sync_folder,
    take_elsewhere,
)
from core.backup.keys import recipient
from core.backup.scratch import fill_postgres, look_at_file, look_at_url, restored, scratch, scratch_postgres
from core.clinic import Clinic
from core.config import Settings
from core.database import database, instant_text, is_sqlite
from core.errors import BackupError


def make(clinic: Clinic) -> BackupInfo:
    """Make one backup and prove it; then take it to the second place and drop the oldest.

    Registrations go on meanwhile: the copy is one read transaction.

    Raises:
        BackupError: `no_recovery_key`, `running`, `disk_full`, `database_damaged`, `postgres_tool`, ...;
            no half-written backup stays behind.
    """
    settings = clinic.settings
    key = recipient(clinic)
    with job_runs.alone(settings.home, "backup") as first:
        if not first:
            raise BackupError("running")
        at = clock.now().replace(microsecond=0)
        folder = settings.home / FOLDER_NAME
        with scratch(folder) as work:
            data, content = _copy(settings, work, at)
            packed = work / "backup.age"
            witness = pyrage.x25519.Identity.generate()
            pack(data, content, settings.home, packed, [key, witness.to_public()])
            data.unlink(missing_ok=True)
            _prove(packed, witness, content, settings, work)
            info = _keep(folder, settings.facility_code, at, packed, content)
        info = take_elsewhere(settings, info)
        for place in places(settings):
            rotate(place, settings, newest=Path(info.path).name)
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
        try:
            return copy, look_at_file(copy, settings.facility_code, made_at)
        except BackupError as error:
            if error.reason != "damaged":
                raise
            # The copy is what the database is: not the backup but the data in use are damaged.
            raise BackupError("database_damaged", error.detail) from None
    dump = work / "copy.dump"
    postgres_tool(["pg_dump", "--format=custom", f"--file={dump}"], settings.resolved_database_url)
    with scratch_postgres(settings.resolved_database_url) as url:
        fill_postgres(dump, url)
        return dump, look_at_url(url, settings.facility_code, made_at)


def _prove(packed: Path, key: Any, expected: Content, settings: Settings, work: Path) -> Opened:
    """Decrypt the file as it is on the disk, restore it, and compare."""
    opened = unpack(packed, key, work)
    if opened.content != expected:
        raise BackupError("damaged", "the manifest differs")
    if not restored(opened, settings).same_data(expected):
        raise BackupError("damaged", "the restored copy differs")
    return opened


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
        describe(info)
        sync_folder(folder)
    return info
