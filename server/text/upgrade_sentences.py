"""Sentences of `loket upgrade` and `loket rollback`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from core.daily.upgrading import LeftOut
from server.text.formatting import when
from server.text.translation import _

SHOWN = 10
"""Lines of the list that are shown at once; all of them are in the file."""


def nothing_to_do() -> str:
    """Return that the data are this version's."""
    return _("The data are this version's already.")


def upgraded(backup: str, steps: Sequence[str]) -> Iterator[str]:
    """Yield what an upgrade did.

    Args:
        backup: Path of the backup made before.
        steps: Names of the steps.
    """
    yield _("Backup made before: {file}").format(file=backup)
    yield _("Brought up to date: {steps}").format(steps=", ".join(steps))
    yield _("Start the server: sudo systemctl start loket. The way back: loket rollback --key KEYFILE")


def what_is_left_out(
    made_at: datetime, rows: Sequence[LeftOut], file: Path | None, zone: ZoneInfo
) -> Iterator[str]:
    """Yield what a way back leaves out.

    Args:
        made_at: When the backup was made.
        rows: The visits.
        file: Where the whole list stands.
        zone: The clinic's time zone.
    """
    yield _("Back to the data of {when}. Visits with something recorded since: {number}").format(
        when=when(made_at, zone), number=len(rows)
    )
    yield from rows_of(rows)
    if file is not None:
        yield _("All of them, to be entered again, stand in {file}").format(file=file)


def rows_of(rows: Sequence[LeftOut]) -> Iterator[str]:
    """Yield the first of the visits that are to be entered again, new ones with a plus."""
    for row in rows[:SHOWN]:
        mark = "+" if row.is_new else "~"
        yield f"  {mark} {row.day:%d-%m-%Y} {row.numbers:10} {row.medical_record_number} {row.name}"
    if len(rows) > SHOWN:
        yield _("  and {number} more").format(number=len(rows) - SHOWN)


def ask() -> str:
    """Return the question before the way back."""
    return _("Go back? (yes/no)")


def rolled_back() -> str:
    """Return what comes after the way back."""
    return _("Done. Install the version before, then start the server, and enter what the list names.")
