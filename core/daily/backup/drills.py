"""The last drill with the recovery key: a backup that nobody can open any more is found before it is needed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from core.foundation import clock
from core.foundation.database import instant_text

FILE = "last.drill"


def note_drill(home: Path, backup: Path) -> None:
    """Note that a backup was opened with the recovery key now; without a data folder there is nothing to note.

    Args:
        home: The data folder.
        backup: The file that was opened.
    """
    if home.is_dir():
        values = {"at": instant_text(clock.now()), "file": backup.name}
        (home / FILE).write_text(json.dumps(values), "utf-8")


def last_drill(home: Path) -> datetime | None:
    """Return when the recovery key last opened a backup; None when it is not known to have done so."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        at = datetime.fromisoformat(json.loads((home / FILE).read_text("utf-8"))["at"])
        return None if clock.is_future(at) else at
    return None
