"""Signs on the second places that there is a clinic of this facility, whose data folder is not the empty one here.

An empty data folder has no sign of its own: the data disk may not be mounted on it, or `LOKET_HOME` may be mistyped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.foundation.config import Settings
from core.foundation.errors import DatabaseError, JournalError
from core.foundation.journal.patience import patiently
from core.foundation.private_files import write_private

DECIDED = "clinic.new"
"""In the data folder: the admin has said that a new clinic begins here; gone once it has begun."""
SIGNS = ("loket-{facility}-*.tar.gz.age", "journal-{facility}-*.journal")
"""Backups and journal of a facility."""


def require_first(settings: Settings) -> None:
    """Refuse to begin an empty clinic where a second place holds what an earlier one left, unless that was decided.

    A place that cannot be reached says nothing.

    Args:
        settings: Of the clinic that is about to begin.

    Raises:
        DatabaseError: `database_elsewhere`.
    """
    if (settings.home / DECIDED).exists():
        return
    for folder in _second_places(settings):
        if _has_sign(folder, settings.facility_code):
            raise DatabaseError("database_elsewhere", str(folder))


def decide(home: Path) -> None:
    """Let the next start begin an empty clinic, whatever the second places hold.

    Args:
        home: The data folder.

    Raises:
        OSError: It cannot be written.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(home / DECIDED, b"")


def has_begun(home: Path) -> None:
    """Forget the decision: it held for one start.

    Args:
        home: The data folder.
    """
    (home / DECIDED).unlink(missing_ok=True)


def _second_places(settings: Settings) -> Iterator[Path]:
    for folder in dict.fromkeys((settings.journal_dir, settings.backup_second)):
        if folder:
            yield Path(folder)


def _has_sign(folder: Path, facility: str) -> bool:
    patterns = [pattern.format(facility=facility) for pattern in SIGNS]
    try:
        return patiently(lambda: any(any(folder.glob(pattern)) for pattern in patterns))
    except (JournalError, OSError):
        return False
