"""PostgreSQL's own continuous archive, as pg_receivewal keeps it: whether all that was saved is on the second place.

Loket does not receive the log itself: PostgreSQL's tools do (docs/running.md). Here is asked whether they do. A slot
makes PostgreSQL keep what was not received; its position says up to where the archive has synced.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import database
from core.foundation.errors import JournalError
from core.foundation.journal.patience import patiently

SLOT = "loket_archive"
"""Name of the slot, and of the role that receives: `deploy/loket-wal.service`."""
RECEIVING_SECONDS = 5.0
"""Longest wait for the archive to have what was saved a moment ago."""
LOOK_SECONDS = 0.1
BASE_DAYS = 8
"""Age from which on a base is too old: the timer makes one each week."""
SEGMENTS_TO_A_NAME = 0x1_0000_0000
"""Bytes of log that share the middle eight digits of a file's name."""
SLOT_FACTS = "SELECT active, wal_status FROM pg_replication_slots WHERE slot_name = %s"
RECEIVED = """SELECT restart_lsn >= %s::pg_lsn, pg_wal_lsn_diff(%s::pg_lsn, restart_lsn)
    FROM pg_replication_slots WHERE slot_name = %s"""
POSITION = """SELECT pg_current_wal_flush_lsn()::text, pg_walfile_name(pg_current_wal_flush_lsn()),
    (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')"""


@dataclass(frozen=True)
class ArchiveState:
    """Findings about the archive."""

    problems: tuple[str, ...]
    """As problem lines, `code: detail`."""
    base_at: datetime | None = None
    """Instant of the newest base."""


@dataclass(frozen=True)
class LogEnd:
    """End of the log that PostgreSQL has written."""

    at: str
    file: str
    segment_bytes: int


def examine(settings: Settings) -> ArchiveState:
    """Look whether the archive has everything that was saved before this call; needs a connection.

    Args:
        settings: The clinic's, on PostgreSQL.
    """
    slot = _row(SLOT_FACTS, SLOT)
    if slot is None:
        return ArchiveState(("wal_no_slot",))
    if slot[1] in {"lost", "unreserved"}:
        return ArchiveState(("wal_lost",))
    if not slot[0]:
        return ArchiveState(("wal_silent",))
    position = LogEnd(*_needed(POSITION))
    if (behind := _behind(position, SLOT)) > 0:
        return ArchiveState((f"wal_behind: {behind / 1e6:.1f} MB",))
    if not settings.wal_archive:
        return ArchiveState(("wal_unseen",))
    try:
        return patiently(lambda: _in_folder(Path(settings.wal_archive), position))
    except JournalError:
        return ArchiveState((f"wal_folder: {settings.wal_archive}",))
    except OSError as error:
        return ArchiveState((f"wal_folder: {settings.wal_archive} ({error.strerror})",))


def _row(statement: str, *values: object) -> tuple[object, ...] | None:
    found: tuple[object, ...] | None = database.execute_sql(statement, values).fetchone()
    return found


def _needed(statement: str) -> tuple[str, str, int]:
    at, file, size = _row(statement) or ("", "", 0)
    return str(at), str(file), int(str(size))


def bytes_behind(slot: str) -> int:
    """Return how many bytes of the log a receiver has not synced after some patience; needs a connection.

    Args:
        slot: The receiver's.
    """
    return _behind(LogEnd(*_needed(POSITION)), slot)


def _behind(position: LogEnd, slot: str) -> int:
    until = time.monotonic() + RECEIVING_SECONDS
    while True:
        found = _row(RECEIVED, position.at, position.at, slot)
        is_there, bytes_ = found if found is not None else (False, None)
        if is_there:
            return 0
        if time.monotonic() > until:
            return max(1, int(str(bytes_ or 1)))
        time.sleep(LOOK_SECONDS)


def _in_folder(folder: Path, position: LogEnd) -> ArchiveState:
    """Look whether a base is there, and every file of the log since.

    Raises:
        OSError: The folder is not there, or cannot be read.
    """
    received = {file.name.removesuffix(".partial") for file in (folder / "wal").iterdir()}
    bases = sorted(folder.glob("base-*Z"), reverse=True)
    if not bases:
        return ArchiveState(("wal_no_base",))
    manifest = json.loads((bases[0] / "backup_manifest").read_bytes())
    ranges = manifest["WAL-Ranges"]
    made_at = datetime.strptime(bases[0].name, "base-%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if any(int(part["Timeline"]) != int(position.file[:8], 16) for part in ranges):
        return ArchiveState(("wal_no_base",), made_at)  # of before a restore: another log
    problems = []
    begins = min(_place(part["Start-LSN"]) for part in ranges)
    missing = next((name for name in _files(begins, position) if name not in received), None)
    if missing is not None:
        problems.append(f"wal_gap: {missing}")
    if clock.now() - made_at > timedelta(days=BASE_DAYS):
        problems.append(f"wal_base_old: {(clock.now() - made_at).days}")
    return ArchiveState(tuple(problems), made_at)


def _place(lsn: str) -> int:
    """Return a position in the log, `0/16B3748`, as a number of bytes."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def _files(begins: int, position: LogEnd) -> Iterator[str]:
    """Yield the names of the log's files from a position up to where it is written."""
    size = position.segment_bytes
    to_a_name = SEGMENTS_TO_A_NAME // size
    last = int(position.file[8:16], 16) * to_a_name + int(position.file[16:], 16)
    for number in range(begins // size, last + 1):
        yield f"{position.file[:8]}{number // to_a_name:08X}{number % to_a_name:08X}"
