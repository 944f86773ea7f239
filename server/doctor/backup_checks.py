"""Checks of the backups: made, opened, kept elsewhere, and left unfinished."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.daily import backup
from core.daily.backup.drills import last_drill
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from server import repairs
from server.doctor.findings import CheckResult
from server.text.problem_words import sentence
from server.text.translation import _

BACKUP_HOURS = 36
"""A day, and the time until the next closing at the latest."""
DRILL_DAYS = 92
"""A quarter of a year between two drills with the recovery key."""


def check_backups(clinic: Clinic) -> Iterator[CheckResult]:
    """Check that backups can be made, that the newest is good, and that it is kept elsewhere too."""
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
        yield from check_drill(settings)


def check_leftovers(clinic: Clinic) -> Iterator[CheckResult]:
    """Tell of unfinished files: a backup that was cut off may leave much."""
    if found := repairs.leftovers(clinic.settings):
        words = _("{number} unfinished files lie about from work that was cut off, such as {file}.")
        words = words.format(number=len(found), file=found[0])
        yield CheckResult("warning", "backup", words, repair="leftovers")


def check_drill(settings: Settings) -> Iterator[CheckResult]:
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
