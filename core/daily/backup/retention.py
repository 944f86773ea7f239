"""Backups that were made: where they are, which stay, and the second place."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from core.daily.backup.archives import sha256_of, storage_errors
from core.daily.backup.journal_ways import Ways
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import instant_text
from core.foundation.errors import BackupError, JournalError
from core.foundation.journal.attachment import place_of
from core.foundation.journal.frames import Segment, segments_in

FOLDER_NAME = "backups"
NAME = re.compile(r"^loket-(?P<facility>[A-Za-z0-9.-]+)-(?P<at>\d{8}T\d{6}Z)\.tar\.gz\.age$")
COMMAND_SECONDS = 3600
FILE_MARK = "{file}"
STAMP = "%Y%m%dT%H%M%SZ"
Purpose = Literal["closing", "hand", "upgrade", "journal"]
KEPT_PURPOSES: tuple[Purpose, ...] = ("hand", "upgrade", "journal")
NEWEST_KEPT = 5
"""Backups made for each of `KEPT_PURPOSES` that stay, whatever their age."""
PLAIN_COPIES = {"before": 7, "replaced": 30}
"""Kind of an unencrypted copy of the database -> days for which it stays."""
PATIENT_COPIES, PATIENT_COPY_DAYS = "copies/*.json", 7
"""Documents made for patients (`core.exchange.patient_copy`), and the days for which they stay."""
GROWING_TABLES = ("patient", "visit", "audit_event")
"""Tables from which no row is ever deleted: a database with fewer of them has lost some."""


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
    """Problems that did not spoil it, as lines: `second_place: ...`, `command: ...`."""
    made_for: str = ""
    """Why it was made: a `Purpose`; empty in older ones."""
    clinic: str = ""
    """The clinic's id; empty in older ones."""
    line: str = ""
    """The line of the journal that goes on from it; empty: none does."""
    number: int = 0
    """Of the last transaction of that line that it holds."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return {**asdict(self), "made_at": instant_text(self.made_at), "problems": list(self.problems)}


def describe(info: BackupInfo) -> None:
    """Write what is known of a backup beside it; nothing secret."""
    beside = Path(f"{info.path}.json")
    beside.write_text(json.dumps(info.document()), "utf-8")


def take_elsewhere(settings: Settings, info: BackupInfo, known_problems: Sequence[str] = ()) -> BackupInfo:
    """Take the backup to the second places and hand it to the command; a failure is noted, not raised.

    Args:
        settings: They name the places.
        info: The backup.
        known_problems: Those that it has already.
    """
    problems = [*known_problems]
    path = Path(info.path)
    for second in second_places(settings):
        try:
            _require_journals_place(settings, second)
            _copy_second(path, second, info.sha256)
        except JournalError as error:
            problems.append(str(error))
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
    info = BackupInfo(**{**info.__dict__, "problems": tuple(dict.fromkeys(problems))})
    with storage_errors():
        describe(info)
    return info


def command_for(command: str, path: Path) -> list[str]:
    """Return the command with the backup's path in place of `{file}`, or at its end."""
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


def second_places(settings: Settings) -> list[Path]:
    """Return the folders that each backup is taken to; the journal's is one, since its base must be beside it."""
    named = (settings.backup_second, settings.journal_dir)
    return [Path(folder) for folder in dict.fromkeys(named) if folder]


def _require_journals_place(settings: Settings, second: Path) -> None:
    """Refuse a folder that was the journal's place and is an empty mount point now.

    Raises:
        JournalError: `place_missing`, `place_other`.
    """
    place = place_of(settings)
    if place is not None and place.folder == second and not place.is_new():
        place.require()


def places(settings: Settings) -> list[Path]:
    """Return the folders that hold backups and are there now."""
    return [
        place for place in (settings.daily_folder / FOLDER_NAME, *second_places(settings)) if place.is_dir()
    ]


def kept(times: Iterable[datetime], daily: int, monthly: int) -> set[datetime]:
    """Return the backups that stay: the newest of each of the last days, and of each of the last months.

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


def rotate(folder: Path, settings: Settings, made: BackupInfo) -> list[str]:
    """Delete this clinic's backups that no rule keeps; return their names.

    Besides those of the days and months stay: the one just made, also when the clock went back and the
    others look younger; the last that holds more than it, since it may be the only one left of a lost
    database; the newest made by hand and before upgrades; those of another clinic; those on which a line of
    the journal rests that has none of its own yet; and those of which it is not known what they hold.

    Args:
        folder: Where they are.
        settings: The rule, and the time zone in which days and months are counted.
        made: The one just made.
    """
    found = _described(folder, settings.facility_code)
    own = {path: info for path, info in found.items() if _is_of(info, made.clinic)}
    stay = {Path(made.path).name} | {path.name for path in found if path not in own}
    stay |= _kept_by_time(own, settings) | _kept_by_purpose(own) | _holding_more(own, made)
    stay |= {Path(info.path).name for info in Ways(folder, settings.facility_code).needed([*own.values()])}
    dropped = [path for path in own if path.name not in stay]
    for path in dropped:
        path.unlink(missing_ok=True)
        Path(f"{path}.json").unlink(missing_ok=True)
    return [path.name for path in dropped]


def _is_of(info: BackupInfo, clinic: str) -> bool:
    """Return whether a backup is known to be of a clinic; older ones do not name it."""
    return info.verified and info.clinic in {"", clinic}


def _kept_by_time(found: Mapping[Path, BackupInfo], settings: Settings) -> set[str]:
    zone = settings.timezone
    times = kept(
        (info.made_at.astimezone(zone) for info in found.values()),
        settings.backup_keep_daily,
        settings.backup_keep_monthly,
    )
    return {path.name for path, info in found.items() if info.made_at in times}


def _kept_by_purpose(found: Mapping[Path, BackupInfo]) -> set[str]:
    stay: set[str] = set()
    for purpose in KEPT_PURPOSES:
        of_it = [path.name for path, info in _newest_first(found) if info.made_for == purpose]
        stay.update(of_it[:NEWEST_KEPT])
    return stay


def _holding_more(found: Mapping[Path, BackupInfo], made: BackupInfo) -> set[str]:
    """Return the last backup that holds more than the new one, if there is any."""
    more = [path.name for path, info in _newest_first(found) if _holds_more(info, made)]
    return set(more[:1])


def _holds_more(info: BackupInfo, made: BackupInfo) -> bool:
    rows = (info.counts.get(table, 0) > made.counts.get(table, 0) for table in GROWING_TABLES)
    return info.newest_change > made.newest_change or any(rows)


def _newest_first(found: Mapping[Path, BackupInfo]) -> list[tuple[Path, BackupInfo]]:
    return sorted(found.items(), key=lambda item: item[1].made_at, reverse=True)


def _files(folder: Path, facility: str) -> dict[datetime, Path]:
    found = {}
    for path in folder.glob("loket-*.tar.gz.age"):
        name = NAME.match(path.name)
        if name is not None and name["facility"] == facility:
            found[datetime.strptime(name["at"], STAMP).replace(tzinfo=UTC)] = path
    return found


def drop_plain_copies(settings: Settings) -> list[Path]:
    """Remove unencrypted copies of what the database holds that nobody needs any more, and return them.

    Those of before a change of the schema go a week after it, those that a restore put aside after a month: by then
    the backups hold what they held. A patient's own copy that nobody carried away goes after a week.
    """
    url, now = settings.resolved_database_url, clock.now().timestamp()
    kept_for = [(file, PATIENT_COPY_DAYS) for file in settings.home.glob(PATIENT_COPIES)]
    if url.startswith("sqlite:///"):
        base = Path(url.removeprefix("sqlite:///"))
        for kind, days in PLAIN_COPIES.items():
            kept_for += [(file, days) for file in base.parent.glob(f"{base.name}.{kind}-*")]
    old = [file for file, days in kept_for if file.is_file() and now - file.stat().st_mtime > days * 86_400]
    for file in old:
        file.unlink(missing_ok=True)
    return old


def drop_journal(settings: Settings) -> list[Path]:
    """Remove files of the journal that no backup goes on with any more, and return them.

    Those after the newest `LOKET_BACKUP_KEEP_DAILY` backups of the second place stay: any moment since can be restored. Of
    an earlier line, none of whose backups is left, nothing stays, unless there is a backup of which it is not known.

    Args:
        settings: They name the place and the number.

    Raises:
        OSError: The place cannot be read or written.
    """
    place = place_of(settings)
    if place is None or not place.folder.is_dir():
        return []
    found = backups_in(place.folder, place.facility)
    ways = Ways(place.folder, place.facility)
    begins: dict[str, int] = {}
    for info in (*found[: settings.backup_keep_daily], *ways.needed(found)):
        if info.line:
            begins[info.line] = min(info.number, begins.get(info.line, info.number))
    for line in sorted(ways.links):  # each after the one that it goes on from
        origin = ways.links[line].origin
        if origin.line in begins and begins[origin.line] <= origin.number:
            begins[line] = 0
    if not begins or not all(info.verified for info in found):
        return []
    segments = segments_in(place.folder, place.facility)
    dropped = [
        segment.path
        for segment, after in zip_longest(segments, segments[1:])
        if _is_needless(segment, after, begins)
    ]
    for path in dropped:
        path.unlink()
    return dropped


def _is_needless(segment: Segment, after: Segment | None, begins: Mapping[str, int]) -> bool:
    """Return whether every record of a file stands before the backups that go on with its line, if there are any."""
    if segment.line not in begins:
        return segment.line < max(begins)
    return after is not None and after.line == segment.line and after.first <= begins[segment.line] + 1


def list_backups(clinic: Clinic) -> list[BackupInfo]:
    """Return the backups in the data folder, newest first; those that a wrong clock put into the future last."""
    return backups_in(clinic.settings.daily_folder / FOLDER_NAME, clinic.settings.facility_code)


def backups_in(folder: Path, facility: str) -> list[BackupInfo]:
    """Return a facility's backups in a folder, newest first; those that a wrong clock put into the future last.

    Args:
        folder: Where they are.
        facility: The facility's code.
    """
    listed = [info for _, info in _newest_first(_described(folder, facility))]
    return sorted(listed, key=lambda info: clock.is_future(info.made_at))


def _described(folder: Path, facility: str) -> dict[Path, BackupInfo]:
    """Return a facility's backups in a folder with what is known of each."""
    return {path: _description(path, at) for at, path in _files(folder, facility).items()}


def _description(path: Path, at: datetime) -> BackupInfo:
    try:
        values = json.loads(Path(f"{path}.json").read_text("utf-8"))
        values |= {"made_at": at, "path": str(path), "problems": tuple(values.get("problems", ()))}
        return BackupInfo(**values)
    except (OSError, ValueError, TypeError):
        # The description is lost; the backup itself may be good: the drill will tell.
        return BackupInfo(str(path), at, path.stat().st_size, "", {}, 0, [], verified=False)
