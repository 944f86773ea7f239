"""Makes a standby the clinic's core: the new epoch first, then the last record, then the copy becomes the database.

Everything is prepared in the copy; its renaming into place is the last step. A promotion that was cut off is done again
by the same command, under the next epoch.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from core.daily.backup import home_files
from core.daily.backup.archives import storage_errors
from core.daily.backup.rebuilding import position_of
from core.daily.standby import following
from core.daily.standby.following import Follower, Standing
from core.foundation import audit, clock, high_water
from core.foundation.config import Settings
from core.foundation.database import connect, connection, database, instant_text, open_database, transaction
from core.foundation.errors import BackupError
from core.foundation.high_water import FOREVER, Mark
from core.foundation.journal import attachment, epochs, positions, proof_keys, standbys
from core.foundation.journal.epoch_places import EpochPlaces
from core.foundation.journal.epochs import Promotion
from core.foundation.journal.recovery_recipient import PUBLIC_KEY
from core.foundation.journal.second_place import SecondPlace
from core.foundation.private_files import sync_folder, write_private
from core.schemas.record import StatedReason

AUDIT_ACTION = "promoted"
OWN_LINE = "own.line"
"""File beside the copy, with the line of the journal that it goes on in: it is a follower's copy no more."""


@dataclass(frozen=True)
class Promoted:
    """The outcome of a promotion."""

    epoch: int
    standing: Standing
    """The moment to which the clinic's data go."""
    folder: str
    """The journal's, which is this core's second place now."""


def promote(settings: Settings, because: str, by: str = "", *, leaves_out_numbers: bool = False) -> Promoted:
    """Make this standby the core. The old one must be off; if it is not, it refuses from its next action on.

    Args:
        settings: Of the standby.
        because: Why, in words; the head of the clinic sees it and approves afterwards.
        by: Who does it, as the audit log shall say.
        leaves_out_numbers: Whether 20 numbers of each cluster are left out: the old core may have given out some
            that never reached the folder. Where yet another machine has taken over meanwhile, they are anyway.

    Raises:
        BackupError: `reason_missing`, `no_standby`, `missing`, `damaged`, `not_paired`, `disk_full`, ...
        JournalError: `place_failed`.
        OSError: The folder cannot be read or written.
    """
    if not StatedReason(because).is_given:
        raise BackupError("reason_missing")
    with following.turn(settings.home):
        follower = Follower(settings, following.pairing_of(settings.home))
        if not follower.folder.is_dir():
            raise BackupError("missing", str(follower.folder))
        leaves_out_numbers = leaves_out_numbers or _later_core(follower) is not None
        settled, standing = _as_left(follower) or _caught_up(follower)
        _prepare_home(follower, standing, because, by)
        _prepare_copy(follower, settled, leaves_out_numbers)
        _put_in_place(follower)
    return Promoted(settled.epoch, standing, str(follower.folder))


def later_core(settings: Settings) -> Promotion | None:
    """Return the promotion by which yet another machine took over whose work this standby does not hold, if one did.

    Args:
        settings: Of the standby.

    Raises:
        BackupError: `no_standby`.
        JournalError: `place_failed`.
    """
    return _later_core(Follower(settings, following.pairing_of(settings.home)))


def _later_core(follower: Follower) -> Promotion | None:
    own, clinic = _own_epoch(follower.data), _clinic(follower.data)
    others = [
        known
        for known in _places(follower).known()
        if known.machine != follower.paired.name or not known.machine
    ]
    return epochs.first_after(others, own, clinic)


def _caught_up(follower: Follower) -> tuple[Promotion, Standing]:
    """Begin the new epoch, take over the last record, and write how far that is.

    A standby that cannot follow ends here before the old core is told of anything.
    """
    follower.look()
    places = _places(follower)
    begun = places.begin(
        _own_epoch(follower.data), instant_text(clock.now()), _clinic(follower.data), follower.paired.name
    )
    standing = follower.look()
    with closing(connect(f"sqlite:///{follower.data}")) as opened:
        opened.connect()
        newest_change = high_water.look(opened, FOREVER).newest_change
    settled = epochs.completed(begun, standing.line, standing.number, newest_change)
    places.settle(settled)
    return settled, standing


def _places(follower: Follower) -> EpochPlaces:
    return EpochPlaces(follower.settings, follower.folder, must=follower.folder)


def _as_left(follower: Follower) -> tuple[Promotion, Standing] | None:
    """Return the promotion that was cut off after the copy had its epoch: nothing can have come since."""
    note = following.last_note(follower.settings.home)
    if note is None or not _is_own_line(follower):
        return None
    own = _own_epoch(follower.data)
    for known in epochs.promotions(follower.folder):
        if known.epoch == own and known.is_settled:
            return known, Standing(note.line, note.number, note.moment, note.waiting, 0, False)
    return None


def _is_own_line(follower: Follower) -> bool:
    """Return whether the copy follows no more, but has begun the line of the core that it becomes."""
    position = position_of(follower.data)
    return position is None or position.line == _read(follower.settings.home / standbys.FOLDER / OWN_LINE)


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _own_epoch(data: Path) -> int:
    with closing(apsw.Connection(str(data), flags=apsw.SQLITE_OPEN_READONLY)) as opened:
        return epochs.own(opened)


def _clinic(data: Path) -> str:
    with closing(apsw.Connection(str(data), flags=apsw.SQLITE_OPEN_READONLY)) as opened:
        return epochs.clinic_of(opened)


def _prepare_home(follower: Follower, standing: Standing, because: str, by: str) -> None:
    """Give the data folder the clinic's own files, and the folder of the journal as its second place."""
    home = follower.settings.home
    with storage_errors():
        home_files.put_back(
            follower.files,
            home,
            home / PUBLIC_KEY,
            follower.paired.recovery_public,
            {"backup": standing.moment, "reason": because, "by": by},
        )
    SecondPlace(follower.folder, home, follower.settings.facility_code).adopt()
    proof_keys.keep(home, proof_keys.made())


def _prepare_copy(follower: Follower, settled: Promotion, leaves_out_numbers: bool) -> None:
    """Write the epoch, the audit rows and the mark."""
    settings, url = follower.settings, f"sqlite:///{follower.data}"
    today = clock.day_of(clock.now(), settings.timezone)
    with closing(connect(url)) as opened:
        opened.connect()
        if epochs.own(opened.connection()) != settled.epoch:
            position = position_of(follower.data)
            assert position is not None  # it follows
            place = SecondPlace(follower.folder, settings.home, settings.facility_code)
            own = positions.later_line(max(position.line, attachment.newest_line(place)))
            write_private(settings.home / standbys.FOLDER / OWN_LINE, own.encode())
            attachment.capture_apart(settings, opened)
            with opened.atomic():
                positions.go_on(opened.connection(), own)
                epochs.take(opened.connection(), settled.epoch)
                if leaves_out_numbers:
                    high_water.skip_ahead(opened, Mark(), today)
    attachment.capture_apart(settings, open_database(url))
    try:
        with connection():
            audit.open_chain(settings.home)
            with transaction():
                audit.record(None, AUDIT_ACTION, "clinic", settings.facility_code, epoch=settled.epoch)
            high_water.note(database.obj, settings.home, today)
    finally:
        database.close()
    epochs.keep(settings.home, settled.epoch)


def _put_in_place(follower: Follower) -> None:
    """Let the copy be the database of this data folder, which is a standby's no more."""
    home, url = follower.settings.home, follower.settings.resolved_database_url
    target = Path(url.removeprefix("sqlite:///"))
    _close(follower.data)
    with storage_errors():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.replace(follower.data, target)
        sync_folder(target.parent)
        standbys.withdraw(follower.folder, follower.paired.name)
        shutil.rmtree(home / standbys.FOLDER)


def _close(data: Path) -> None:
    """Bring all of a database into its one file.

    Raises:
        BackupError: `in_use`.
    """
    with closing(apsw.Connection(str(data))) as opened:
        try:
            opened.execute("PRAGMA journal_mode=DELETE").fetchall()
        except (apsw.BusyError, apsw.LockedError):
            raise BackupError("in_use") from None
