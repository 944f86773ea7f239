"""The state of the journal: the loss if the disk died now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.daily.backup.journal_ways import Ways
from core.daily.backup.retention import backups_in
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection, database, is_sqlite
from core.foundation.errors import JournalError
from core.foundation.journal import epochs, positions, standbys
from core.foundation.journal.attachment import attached, place_of
from core.foundation.journal.patience import patiently
from core.foundation.journal.positions import Position
from core.foundation.journal.second_place import SecondPlace
from core.foundation.journal.shipping import PROBE_SECONDS, code_of, tail_of

CATCH_UP_SECONDS = PROBE_SECONDS + 1.0
"""Time for what was saved just now to arrive; a place that was away is looked at again every `PROBE_SECONDS`."""


@dataclass(frozen=True)
class StandbyLag:
    """The distance of a standby behind the core."""

    name: str
    actions: int
    """Saved actions that it does not hold; -1: it has not taken over the newest base yet."""
    silent_seconds: float
    """Since it last looked into the folder."""


@dataclass(frozen=True)
class JournalStatus:
    """The state of the journal, as known now."""

    problem: str = ""
    """Line of a problem, as `server.text.problem_words` has words for; empty: it is in step."""
    is_on_first_disk: bool = False
    """True if the second place would be lost with the data."""
    standbys: tuple[StandbyLag, ...] = ()
    """The standbys that have left a note in the second place."""


def examine(settings: Settings) -> JournalStatus | None:
    """Compare the open database with the second place itself; None where there is no journal.

    Args:
        settings: Of the clinic.
    """
    place = place_of(settings)
    if place is None or not is_sqlite():
        return None
    try:
        return patiently(lambda: _looked(place))
    except JournalError as error:
        return JournalStatus(str(error))
    except OSError as error:
        return JournalStatus(f"{code_of(error)}: {error.strerror}")


def _looked(place: SecondPlace) -> JournalStatus:
    try:
        place.require()
        with connection():
            epochs.require_newest(place.folder, database.connection(), place.home)
        return JournalStatus(_what_is_missing(place), place.is_on_first_disk(), tuple(_standbys(place)))
    finally:
        database.close()  # this thread's own connection


def _standbys(place: SecondPlace) -> Iterator[StandbyLag]:
    position = _position()
    for note in standbys.notes(place.folder):
        is_same = position is not None and position.line == note.line
        actions = max(0, position.number - note.number) if position is not None and is_same else -1
        silent = clock.now() - datetime.fromisoformat(note.looked_at)
        yield StandbyLag(note.name, actions, silent.total_seconds())


def _what_is_missing(place: SecondPlace) -> str:
    position = _position()
    if position is None or not _sees_base(place, position):
        return "base_due"
    until = time.monotonic() + CATCH_UP_SECONDS
    while (tail := tail_of(place, position.line).number) < position.number:
        if time.monotonic() > until:
            return f"journal_behind: {position.number - tail}"
        time.sleep(0.05)
    return ""


def _position() -> Position | None:
    with connection():
        return positions.read(database.connection())


def has_base(place: SecondPlace, line: str) -> bool:
    """Return whether the second place holds a backup from which a line goes on.

    Args:
        place: The second place.
        line: The line.

    Raises:
        OSError: The place cannot be read.
    """
    return any(
        info.line == line and Path(info.path).exists() for info in backups_in(place.folder, place.facility)
    )


_with_base: list[str] = []
"""The line whose base was seen on the second place; empty while none was."""


def base_is_due() -> bool:
    """Return whether the journal waits for a backup, and its place is there to take it.

    A line that goes on from another waits too, although nothing of it can be lost: the sooner it has a base of its
    own, the shorter a restore takes.
    """
    return _place_lacks(_has_own_base)


def is_unprotected() -> bool:
    """Return whether what is saved now would be lost with the disk although the place is there: no base holds it."""
    return _place_lacks(_sees_base)


def _place_lacks(base: Callable[[SecondPlace, Position], bool]) -> bool:
    """Return whether the journal's place is there, and lacks a base for the database's position.

    Args:
        base: Tells whether the place has it.
    """
    journal = attached()
    if journal is None:
        return False
    try:
        if not journal.place.is_new():
            journal.place.require()
        position = _position()
        return position is None or not base(journal.place, position)
    except (OSError, JournalError):
        return False


def _has_own_base(place: SecondPlace, position: Position) -> bool:
    """Look for a base of the database's own line; one that leads into it is remembered, but is not enough."""
    _sees_base(place, position)
    return has_base(place, position.line)


def _sees_base(place: SecondPlace, position: Position) -> bool:
    """Look for a base from which the journal leads into the database's line, and remember that it was seen."""
    found = has_base(place, position.line) or (bool(position.after) and _rests_on_base(place, position.line))
    _with_base[:] = [position.line] if found else []
    return found


def _rests_on_base(place: SecondPlace, line: str) -> bool:
    there = [info for info in backups_in(place.folder, place.facility) if Path(info.path).exists()]
    return Ways(place.folder, place.facility).base_of(line, 0, there) is not None


def lag() -> int | None:
    """Return how many actions this process knows not to be on the second place; None where there is no journal.

    -1 while the line has no base on the place to go on from, as far as one was seen: without it nothing of the
    line can be restored, however far it is shipped. Never waits for the place.
    """
    journal = attached()
    if journal is None:
        return None
    position = _position()
    if position is None or position.line not in _with_base:
        return -1
    return position.number - journal.shipper.on_place(position.line)


def standbys_lag() -> int | None:
    """Return how many actions the standby that is nearest lacks; None where none has left a note, -1 where none follows.

    Waits for the place at most as long as for any look at it.
    """
    journal = attached()
    if journal is None:
        return None
    try:
        found = patiently(lambda: _standbys_of(journal.place))
    except (OSError, JournalError):
        return -1
    behind = [lag.actions for lag in found if lag.actions >= 0]
    return min(behind) if behind else (-1 if found else None)


def _standbys_of(place: SecondPlace) -> list[StandbyLag]:
    try:
        return list(_standbys(place))
    finally:
        database.close()  # this thread's own connection
