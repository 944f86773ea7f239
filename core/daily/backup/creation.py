"""Makes a backup: copied while in use, encrypted, opened again and compared at once.

It is encrypted to the recovery key and to a second key that exists only in memory until the file
has been decrypted with it and restored into a scratch database.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage

from core.daily.backup.archives import Content, Opened, pack, postgres_tool, sha256_of, storage_errors, unpack
from core.daily.backup.recovery_keys import recipient
from core.daily.backup.retention import (
    FOLDER_NAME,
    STAMP,
    BackupInfo,
    Purpose,
    describe,
    drop_journal,
    drop_plain_copies,
    places,
    rotate,
    second_places,
    take_elsewhere,
)
from core.daily.backup.scratch import (
    fill_postgres,
    look_at_file,
    look_at_url,
    restored,
    scratch,
    scratch_postgres,
)
from core.foundation import clock, jobs
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import database, instant_text, is_sqlite
from core.foundation.errors import BackupError, JournalError
from core.foundation.journal import attachment, proof_keys, standbys
from core.foundation.journal.epoch_places import EpochPlaces
from core.foundation.migrations import copy_sqlite
from core.foundation.private_files import sync_folder


def make(clinic: Clinic, made_for: Purpose = "hand") -> BackupInfo:
    """Make one backup and prove it; then take it to the second place and drop the oldest.

    Registrations go on meanwhile: the copy is one read transaction.

    Args:
        clinic: The clinic.
        made_for: Why it is made; the rotation goes by it.

    Raises:
        BackupError: `no_recovery_key`, `running`, `disk_full`, `database_damaged`, `postgres_tool`, ...;
            no half-written backup stays behind.
    """
    settings = clinic.settings
    key = recipient(clinic)
    with jobs.alone(settings.home, "backup") as first:
        if not first:
            raise BackupError("running")
        settings.require_daily_folder()
        folder = settings.daily_folder / FOLDER_NAME
        at = _free_second(clock.now(), [folder, *second_places(settings)], settings.facility_code)
        problems = _begin_base(made_for)
        with scratch(folder) as work:
            data, content = _copy(settings, work, at, made_for)
            packed = work / "backup.age"
            witness = pyrage.x25519.Identity.generate()
            pack(
                data,
                content,
                settings.home,
                packed,
                [key, witness.to_public(), *_journal_recipients(settings, content)],
            )
            data.unlink(missing_ok=True)
            _prove(packed, witness, content, settings, work)
            info = _keep(folder, settings.facility_code, at, packed, content)
        info = take_elsewhere(settings, info, problems)
        with suppress(JournalError):  # a place that does not tell; the next backup tries again
            EpochPlaces(settings).tell()
        for place in places(settings):
            rotate(place, settings, info)
        with suppress(OSError):  # a place that fails was told; the next backup looks again
            drop_journal(settings)
        drop_plain_copies(settings)
    return info


def _begin_base(made_for: Purpose) -> list[str]:
    """Let the journal go on from the backup; where its place is not there, that is no reason not to make one.

    Returns:
        What went wrong, as problems of the backup.
    """
    try:
        attachment.prepare_base(adopts=made_for == "hand")
    except (JournalError, BackupError) as error:
        return [str(error)]
    except OSError as error:
        return [f"place_failed: {error.strerror}"]
    return []


def _journal_recipients(settings: Settings, content: Content) -> list[Any]:
    """Return the journal's own secret, so that the daily proof can open the base, and the keys of the standbys."""
    journal = attachment.attached()
    if journal is None or not content.line:
        return []
    with storage_errors():
        followers = standbys.recipients(journal.place.folder, settings.home)
    return [*(key.recipient for key in proof_keys.kept(settings.home)[:1]), *followers]


def _copy(settings: Settings, work: Path, at: datetime, made_for: str) -> tuple[Path, Content]:
    """Return a consistent copy of the database in use, and its content."""
    made_at = instant_text(at)
    if is_sqlite():
        copy = work / "copy.sqlite3"
        with storage_errors():
            copy_sqlite(Path(str(database.database)), copy)
        try:
            return copy, look_at_file(copy, settings.facility_code, made_at, made_for)
        except BackupError as error:
            if error.reason != "damaged":
                raise
            # The copy is what the database is: not the backup but the data in use are damaged.
            raise BackupError("database_damaged", error.detail) from None
    dump = work / "copy.dump"
    postgres_tool(["pg_dump", "--format=custom", f"--file={dump}"], settings.resolved_database_url)
    with scratch_postgres(settings.resolved_database_url) as url:
        fill_postgres(dump, url)
        return dump, look_at_url(url, settings.facility_code, made_at, made_for)


def _prove(packed: Path, key: Any, expected: Content, settings: Settings, work: Path) -> Opened:
    """Decrypt the file as it is on the disk, restore it, and compare."""
    opened = unpack(packed, key, work)
    if opened.content != expected:
        raise BackupError("damaged", "the manifest differs")
    if not restored(opened, settings).same_data(expected):
        raise BackupError("damaged", "the restored copy differs")
    return opened


def _name(facility: str, at: datetime) -> str:
    return f"loket-{facility}-{at.strftime(STAMP)}.tar.gz.age"


def _free_second(now: datetime, folders: list[Path], facility: str) -> datetime:
    """Return the first second, from now on, of which no folder holds a backup.

    Two machines on one second place may make theirs within one second: the later would take the place of the earlier,
    on which a journal rests.
    """
    at = now.replace(microsecond=0)
    while any(_is_taken(folder / _name(facility, at)) for folder in folders):
        at += timedelta(seconds=1)
    return at


def _is_taken(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a place that cannot be read is told when the backup is copied there
        return False


def _keep(folder: Path, facility: str, at: datetime, packed: Path, content: Content) -> BackupInfo:
    """Give the proven file its name and a description without secrets beside it."""
    path = folder / _name(facility, at)
    info = BackupInfo(
        path=str(path),
        made_at=at,
        bytes=packed.stat().st_size,
        sha256=sha256_of(packed),
        counts=content.counts,
        newest_change=content.newest_change,
        schema=content.schema,
        verified=True,
        made_for=content.made_for,
        clinic=content.clinic,
        line=content.line,
        number=content.number,
    )
    with storage_errors():
        os.replace(packed, path)
        describe(info)
        sync_folder(folder)
    return info
