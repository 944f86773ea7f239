"""Attaches the journal to the clinic's database in each process that opens it.

Without `LOKET_JOURNAL_DIR` nothing is watched; a line that a database still has is ended, since what is written from
here on is in no journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw
import peewee

from core.foundation.config import Settings
from core.foundation.database import Sqlite, database, transaction
from core.foundation.errors import BackupError, DatabaseError, JournalError, SettingsError
from core.foundation.journal import epochs, positions, proof_keys
from core.foundation.journal.capture import Capture, ShipsLater
from core.foundation.journal.epoch_places import EpochPlaces
from core.foundation.journal.frames import segments_in
from core.foundation.journal.patience import patiently
from core.foundation.journal.positions import Position
from core.foundation.journal.second_place import SecondPlace
from core.foundation.journal.shipping import Carrier, Shipper


@dataclass(frozen=True)
class Journal:
    """The journal of the database that this process has open."""

    place: SecondPlace
    shipper: Shipper


_attached: list[Journal] = []


def attached() -> Journal | None:
    """Return the journal of the open database; None where there is none."""
    return _attached[0] if _attached else None


def place_of(settings: Settings) -> SecondPlace | None:
    """Return the second place of the settings; None where there is none.

    Args:
        settings: Of the clinic.
    """
    if not settings.journal_dir:
        return None
    return SecondPlace(Path(settings.journal_dir), settings.home, settings.facility_code)


def attach(settings: Settings, opened: peewee.Database) -> None:
    """Watch the transactions of a database, if the settings name a second place.

    Args:
        settings: Of the clinic.
        opened: Its database, open in this thread, its schema up to date.

    Raises:
        SettingsError: It is not SQLite.
        DatabaseError: `superseded`.
    """
    detach()
    require_core(settings, opened)
    require_engine(settings, opened)
    place = place_of(settings)
    if isinstance(opened, Sqlite):
        _watch(settings, opened, place)
    keep_epoch(settings.home, opened)


def _watch(settings: Settings, opened: Sqlite, place: SecondPlace | None) -> None:
    if place is None:
        end_line(opened)
        return
    shipper = Shipper(place, Path(str(opened.database)))
    opened.watcher = Capture(settings.home, shipper)
    _attached.append(Journal(place, shipper))


def keep_epoch(home: Path, opened: peewee.Database) -> None:
    """Let a core that was promoted stay the core, also where its database is of a moment before that.

    Args:
        home: Its data folder.
        opened: The database.
    """
    if epochs.kept(home) > epochs.own(opened):
        with opened.atomic():
            epochs.take(opened, epochs.kept(home))


def require_engine(settings: Settings, opened: peewee.Database) -> None:
    """Refuse a journal on a database that has an archive of its own.

    Args:
        settings: Of the clinic.
        opened: Its database.

    Raises:
        SettingsError: It is not SQLite.
    """
    if settings.journal_dir and not isinstance(opened, Sqlite):
        raise SettingsError("LOKET_JOURNAL_DIR: only for SQLite; PostgreSQL has an archive of its own")


def require_core(settings: Settings, opened: peewee.Database) -> None:
    """Refuse a database whose clinic has moved to another machine since, as the data folder or any place tells.

    Args:
        settings: Of the clinic.
        opened: Its database, open in this thread.

    Raises:
        DatabaseError: `superseded`.
        OSError: The data folder cannot be written.
    """
    epochs.require_not_superseded(settings.home)
    own = max(epochs.own(opened), epochs.kept(settings.home))
    EpochPlaces(settings).require_newest(own, epochs.clinic_of(opened))


def detach() -> None:
    """End the journal of the database that was open before."""
    for journal in _attached:
        journal.shipper.stop()
    _attached.clear()


def end_line(opened: peewee.Database) -> None:
    """End a database's line, if it has one: something was or will be written that is in no journal.

    Args:
        opened: The database.
    """
    if not isinstance(opened, Sqlite):
        return
    if not opened.table_exists(positions.RECORDS) or positions.read(opened.connection()) is None:
        return
    with opened.atomic():
        positions.end_line(opened.connection())


def go_on(settings: Settings, opened: peewee.Database) -> None:
    """Let a database that was brought on by the journal go on in a line of its own, and capture what is written to it now.

    The settings' second place holds what the database was made from. What is captured is shipped by the next start.

    Args:
        settings: Of the clinic.
        opened: The database, open in this thread, exactly as base and journal have made it; nobody is served yet.

    Raises:
        JournalError: `place_missing`.
        OSError: The place or the data folder cannot be written.
    """
    place = place_of(settings)
    assert place is not None
    place.adopt()
    proof_keys.keep(settings.home, proof_keys.made())
    capture_apart(settings, opened)
    position = positions.read(opened.connection())
    assert position is not None
    line = positions.later_line(max(position.line, newest_line(place)))
    with opened.atomic():
        positions.go_on(opened.connection(), line)


def newest_line(place: SecondPlace) -> str:
    """Return the latest line of which the second place holds records; empty where it holds none.

    Args:
        place: The second place.

    Raises:
        OSError: It cannot be read.
    """
    return max((segment.line for segment in segments_in(place.folder, place.facility)), default="")


def capture_apart(settings: Settings, opened: peewee.Database) -> None:
    """Capture what is written to a database that nobody is served from; without a line of the journal nothing is.

    Args:
        settings: Of the clinic.
        opened: The database.
    """
    assert isinstance(opened, Sqlite)
    opened.watcher = Capture(settings.home, ShipsLater())


def compare(settings: Settings) -> None:
    """Compare a database that is about to be served with its journal, and bring there what waits.

    A place that cannot be read now says nothing: it is set aside, and compared when it is back.

    Args:
        settings: Of the clinic.

    Raises:
        DatabaseError: `database_less`: the journal holds more than the database; `superseded`: another machine took
            over.
    """
    journal = attached()
    if journal is None:
        return
    file = Path(str(database.database))
    try:
        patiently(lambda: _ship_once(journal.place, file))
    except JournalError as error:
        if error.code == "journal_ahead":
            raise DatabaseError("database_less", error.detail) from None
        if error.code == "superseded":
            raise DatabaseError(error.code, error.detail) from None
    except (OSError, BackupError, apsw.Error):
        return  # told when it is tried again


def _ship_once(place: SecondPlace, file: Path) -> None:
    carrier = Carrier(place, file)
    try:
        carrier.ship()
    finally:
        carrier.close()


def prepare_base(*, adopts: bool) -> Position | None:
    """Make a new secret for the base that is about to be copied, and begin a line where there is none.

    Args:
        adopts: Whether a folder that is not known yet becomes the second place.

    Returns:
        The line's position; None when this process has no journal.

    Raises:
        JournalError: The place is not there, or is another.
        OSError: It cannot be written.
    """
    journal = attached()
    if journal is None:
        return None
    if adopts or journal.place.is_new():
        journal.place.adopt()
    patiently(journal.place.require)
    before = patiently(lambda: newest_line(journal.place))
    proof_keys.keep(journal.place.home, proof_keys.made())
    with transaction():
        connection = database.connection()
        position = positions.read(connection)
        if position is None or position.schema != positions.schema_of(connection):
            position = positions.new_line(connection, before)
    return position
