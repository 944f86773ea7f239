"""Backups that were made: where they are, which stay, and the second place."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.backup.archives import sha256_of, storage_errors
from core.clinic import Clinic
from core.config import Settings
from core.database import instant_text
from core.errors import BackupError

FOLDER_NAME = "backups"
NAME = re.compile(r"^loket-(?P<facility>[A-Za-z0-9.-]+)-(?P<at>\d{8}T\d{6}Z)\.tar\.gz\.age$")
COMMAND_SECONDS = 3600
FILE_MARK = "{file}"
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
    """What went wrong beside it, as problem lines: `second_place: ...`, `command: ...`."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return {**asdict(self), "made_at": instant_text(self.made_at), "problems": list(self.problems)}


def describe(info: BackupInfo) -> None:
    """Write what is known of a backup beside it; nothing secret."""
    beside = Path(f"{info.path}.json")
    beside.write_text(json.dumps(info.document()), "utf-8")


def sync_folder(folder: Path) -> None:
    """Have the disk remember the names in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def take_elsewhere(settings: Settings, info: BackupInfo) -> BackupInfo:
    """Take the backup to the second place and hand it to the command; a failure is noted, not raised."""
    problems = []
    path = Path(info.path)
    if settings.backup_second:
        try:
            _copy_second(path, Path(settings.backup_second), info.sha256)
        except (BackupError, OSError) as error:
            problems.append(f"second_place: {error}")
    if settings.backup_command:
        try:
            arguments = command_for(settings.backup_command, path)
            done = subprocess.run(
                arguments, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
            )
            if done.returncode != 0:
                problems.append(f"command: exit code {done.returncode} {_last_line(done.stderr)}".strip())
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            problems.append(f"command: {type(error).__name__}")
    if not problems:
        return info
    info = BackupInfo(**{**info.__dict__, "problems": tuple(problems)})
    with storage_errors():
        describe(info)
    return info


def command_for(command: str, path: Path) -> list[str]:
    """The command with the backup's path where `{file}` stands, or at its end."""
    words = shlex.split(command)
    if not any(FILE_MARK in word for word in words):
        words.append(FILE_MARK)
    return [word.replace(FILE_MARK, str(path)) for word in words]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1][:200]


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


def places(settings: Settings) -> list[Path]:
    """The folders that hold backups and are there now."""
    second = [Path(settings.backup_second)] if settings.backup_second else []
    return [place for place in (settings.home / FOLDER_NAME, *second) if place.is_dir()]


def kept(times: Iterable[datetime], daily: int, monthly: int) -> set[datetime]:
    """Which backups stay: the newest of each of the last days, and of each of the last months.

    Args:
        times: When backups were made, in the zone whose days count.
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


def rotate(folder: Path, settings: Settings, *, newest: str = "") -> list[str]:
    """Delete this facility's backups that the rule does not keep; returns their names.

    Args:
        folder: Where they are.
        settings: The rule, and the time zone in which days and months are counted.
        newest: Name of the one just made. It stays, also when the clock went back and the others
            look younger.
    """
    files = _files(folder, settings.facility_code)
    times = (at.astimezone(settings.timezone) for at in files)
    stay = kept(times, settings.backup_keep_daily, settings.backup_keep_monthly)
    dropped = []
    for at, path in files.items():
        if at not in stay and path.name != newest:
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
