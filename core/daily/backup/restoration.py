"""Opening a backup: the drill, what a restore would bring and lose, and the restore itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

import apsw
import peewee
from playhouse.migrations import Runner

from core.daily import moving
from core.daily.backup import home_files
from core.daily.backup.archives import Content, Opened, identity, sha256_of, storage_errors, unpack
from core.daily.backup.journal_reading import Secrets
from core.daily.backup.journal_ways import Ways
from core.daily.backup.rebuilding import Rebuilt, rebuild
from core.daily.backup.retention import STAMP, BackupInfo, backups_in
from core.daily.backup.scratch import (
    fill_postgres,
    look_at_file,
    look_at_url,
    replace_postgres,
    restored,
    scratch,
    scratch_postgres,
)
from core.foundation import clock, lost_data, signatures
from core.foundation.config import Settings
from core.foundation.database import database_apart, instant_text
from core.foundation.errors import BackupError, JournalError
from core.foundation.high_water import Mark
from core.foundation.journal import epochs
from core.foundation.journal.epoch_places import EpochPlaces
from core.foundation.journal.epochs import Promotion
from core.foundation.journal.recovery_recipient import PUBLIC_KEY
from core.foundation.migrations import FOLDER, migrate
from core.foundation.private_files import sync_folder
from core.schemas.record import StatedReason


@dataclass(frozen=True)
class RestorePreview:
    """The gains and losses of a restore."""

    made_at: str
    counts: dict[str, int]
    """Rows in the backup."""
    present_counts: dict[str, int]
    """Rows in the database that would be replaced; empty when there is none."""
    changes_lost: int
    """Changes of the present database that the restored one will not have."""
    journal_records: int = 0
    """Transactions of the journal that come after the backup and are restored too."""
    journal_until: str = ""
    """ISO instant of the last of them; empty when there is none."""
    journal_unread: int = 0
    """Transactions of the journal that cannot be reached: what is before them is damaged or missing."""
    passed_over: int = 0
    """Newer backups of the folder that the recovery key does not open: another clinic's, or of another key."""
    present_unread: bool = False
    """True if there is a database in place that cannot be read."""

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def verify(file: Path, key_text: str, settings: Settings | None = None) -> BackupInfo:
    """Do the drill: open a backup with the recovery key, restore it into a scratch database, compare.

    Args:
        file: The backup.
        key_text: The recovery key.
        settings: Of the clinic, for a backup of PostgreSQL; None: as this machine has them.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_format`, `other_engine`.
    """
    settings = settings or Settings.load()
    with scratch(Path(tempfile.gettempdir())) as work:
        opened = unpack(file, identity(key_text), work)
        content = opened.content
        if not restored(opened, settings).same_data(content):
            raise BackupError("damaged", "the restored copy differs from its manifest")
    return BackupInfo(
        path=str(file),
        made_at=datetime.fromisoformat(content.made_at),
        bytes=file.stat().st_size,
        sha256=sha256_of(file),
        counts=content.counts,
        newest_change=content.newest_change,
        schema=content.schema,
        verified=True,
    )


@dataclass(frozen=True)
class Aim:
    """The point to which a restore goes."""

    uses_journal: bool = True
    """True if the journal's records after the backup are restored too."""
    until: datetime | None = None
    """The moment to go back to; None: the last that the journal holds."""


TO_THE_END = Aim()
BACKUP_ALONE = Aim(uses_journal=False)


def preview(
    file: Path, key_text: str, settings: Settings, unsigned_because: str = "", aim: Aim = TO_THE_END
) -> RestorePreview:
    """Return the gains and losses of a restore, without changing anything.

    Args:
        file: The backup; or a folder, of which the newest backup is taken that is old enough.
        key_text: The recovery key, with the signer's fingerprint in a line of its own.
        settings: Of the clinic.
        unsigned_because: Why a backup is taken that the clinic's signer has not signed.
        aim: How far to go.

    Raises:
        BackupError: As `restore`.
    """
    with prepared(file, key_text, settings, unsigned_because, aim) as ready:
        return ready.preview()


def restore(
    file: Path,
    key_text: str,
    settings: Settings,
    unsigned_because: str = "",
    aim: Aim = TO_THE_END,
    *,
    because: str,
    by: str = "",
) -> BackupInfo:
    """Replace the database by a backup and what the journal holds after it. The present one is kept beside it.

    A fresh data folder also gets back the door's host key, the clinic's own forms and what routing
    learned, and goes on making backups for the same recovery key.

    Nothing is touched until the backup has been opened, restored into a scratch database and
    compared. The server must not be running.

    Args:
        file: The backup; or a folder, of which the newest backup is taken that is old enough.
        key_text: The recovery key, with the signer's fingerprint in a line of its own.
        settings: Of the clinic.
        unsigned_because: Why a backup is taken that the clinic's signer has not signed; it goes into the audit log.
        aim: How far to go.
        because: Why the database is replaced, in words; the head of the clinic sees it and approves afterwards.
        by: Who does it, as the audit log shall say.

    Raises:
        BackupError: `reason_missing`, `missing`, `wrong_key`, `damaged`, `newer_schema`, `newer_format`, `other_engine`, `in_use`,
            `disk_full`, `unsigned`, `other_signer`, `signer_unknown`, `words_missing`.
    """
    with prepared(file, key_text, settings, unsigned_because, aim) as ready:
        return ready.restore(because, by)


@contextmanager
def prepared(
    file: Path, key_text: str, settings: Settings, unsigned_because: str = "", aim: Aim = TO_THE_END
) -> Iterator[PreparedRestore]:
    """Open a backup, bring it as far as is asked for, and yield the result, with which nothing was done yet.

    Args:
        file: The backup; or a folder, of which the newest backup is taken that is old enough.
        key_text: The recovery key, with the signer's fingerprint in a line of its own.
        settings: Of the clinic.
        unsigned_because: Why a backup is taken that the clinic's signer has not signed.
        aim: How far to go.

    Raises:
        BackupError: As `restore`.
    """
    with scratch(settings.home) as work:
        chosen, opened, passed_over = _newest_for_key(
            _candidates(file, settings, aim.until), key_text, settings, work, unsigned_because
        )
        made_at = opened.content.made_at
        journal = None
        if aim.uses_journal and (folder := _journal_of(chosen, settings, opened.content)) is not None:
            wanted = signatures.expected(key_text, settings.home)
            secrets = Secrets([], identity(key_text), wanted, unsigned_because)
            opened, journal = _brought_on(opened, folder, secrets, aim.until)
        yield PreparedRestore(
            settings, chosen, key_text, unsigned_because, opened, made_at, journal, passed_over
        )


@dataclass(frozen=True)
class PreparedRestore:
    """A database that is ready to take the place of the present one."""

    settings: Settings
    file: Path
    key_text: str = field(repr=False)
    unsigned_because: str
    opened: Opened
    made_at: str
    """Instant at which the backup was made."""
    journal: WithJournal | None
    passed_over: int = 0
    """Newer backups of the folder that the recovery key does not open."""

    def preview(self) -> RestorePreview:
        """Return the gains and losses."""
        present, content = _present(self.settings), self.opened.content
        lost = max(0, present.newest_change - content.newest_change) if present else 0
        found = RestorePreview(
            self.made_at,
            content.counts,
            present.counts if present else {},
            lost,
            passed_over=self.passed_over,
            present_unread=present is None and self._is_file_there(),
        )
        if self.journal is None:
            return found
        return replace(
            found,
            journal_records=self.journal.done.records,
            journal_until=self._reached(),
            journal_unread=self.journal.unread,
        )

    def taken_over(self) -> Promotion | None:
        """Return the promotion by which another machine took over after what is restored; None when none did.

        Raises:
            BackupError: `place_failed`: a folder that is there does not tell.
        """
        own = max(_epoch_in(self.opened), epochs.kept(self.settings.home))
        try:
            return self._places().newer(own, self.opened.content.clinic)
        except JournalError as error:
            raise BackupError(error.code, error.detail) from None

    def _places(self) -> EpochPlaces:
        """Return where an epoch can stand: also beside the backup, on whatever disk that is."""
        journal = Path(self.settings.journal_dir) if self.settings.journal_dir else None
        return EpochPlaces(self.settings, self.file.parent, must=journal)

    def restore(self, because: str, by: str = "", *, old_is_off: bool = False) -> BackupInfo:
        """Replace the present database, which is kept beside it.

        Args:
            because: Why, in words; the head of the clinic sees it and approves afterwards.
            by: Who does it, as the audit log shall say.
            old_is_off: Whether the machine that took over since is off: this one becomes the core instead of it.

        Raises:
            BackupError: `reason_missing`, `in_use`, `disk_full`, `damaged`, `taken_over`, `place_unwritten`.
        """
        if not StatedReason(because).is_given:
            raise BackupError("reason_missing")
        after_whom = self.taken_over()
        if after_whom is not None and not old_is_off:
            raise BackupError("taken_over", after_whom.at)
        goes_on = self._journal_goes_on()
        begun = self._begin_epoch(old_is_off=old_is_off)
        expected = self._put_in_place()
        with storage_errors():
            home_files.put_back(
                self.opened.folder,
                self.settings.home,
                self.settings.home / PUBLIC_KEY,
                str(identity(self.key_text).to_public()),
                {
                    "backup": f"{self._reached()} {self.unsigned_because}".strip(),
                    "reason": because,
                    "by": by,
                },
            )
        after = _present(self.settings)
        if after is None or not after.same_data(expected):
            raise BackupError("damaged", "the restored database differs from the backup")
        content = self.opened.content
        done = epochs.completed(begun, content.line, content.number, content.newest_change)
        with storage_errors():
            end = self.journal.end if self.journal else None
            lost_data.note_restored(self.settings, end, goes_on=goes_on)
            EpochPlaces(self.settings, self.file.parent).settle(done)
        return BackupInfo(
            path=str(self.file),
            made_at=datetime.fromisoformat(self.made_at),
            bytes=self.file.stat().st_size,
            sha256=sha256_of(self.file),
            counts=after.counts,
            newest_change=after.newest_change,
            schema=after.schema,
            verified=True,
        )

    def _journal_goes_on(self) -> bool:
        """Return whether what is saved from here on rests on the base and journal in the second place of the settings.

        Not where the backup came from elsewhere or bears another signature: then a base is due.
        """
        content, folder = self.opened.content, self.settings.journal_dir
        if not (content.line and folder) or self.unsigned_because or not self._stays_sqlite():
            return False
        place = Path(folder)
        try:
            if self.journal is not None and not self.journal.folder.samefile(place):
                return False
            bases = backups_in(place, content.facility_code)
            return Ways(place, content.facility_code).reach(content.line, content.number, bases)
        except OSError:
            return False

    def _stays_sqlite(self) -> bool:
        is_file = self.settings.resolved_database_url.startswith("sqlite")
        return is_file and self.opened.content.engine == "sqlite"

    def _put_in_place(self) -> Content:
        """Replace the present database; where that fails, it goes on as the core that this machine has become."""
        try:
            return _put_in_place(self.opened, self.settings.resolved_database_url)
        except BaseException:
            with suppress(Exception):  # the first error is what has to be told
                lost_data.keep_epoch(self.settings)
            raise

    def _begin_epoch(self, *, old_is_off: bool) -> Promotion:
        """Write the epoch of this machine into all places, before anything is put in place: the other one learns of it.

        Also where none is known to have taken over: the machine before this one may be repaired and started again.

        Args:
            old_is_off: Whether that one is off for good: then it need not be told by a place that takes nothing.

        Raises:
            BackupError: `in_use`, `disk_full`, `place_unwritten`.
        """
        self._require_closed()
        home, clinic = self.settings.home, self.opened.content.clinic
        with storage_errors():
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            own = max(_epoch_in(self.opened), epochs.kept(home))
            places = EpochPlaces(self.settings, self.file.parent) if old_is_off else self._places()
            try:
                begun = places.begin(own, instant_text(clock.now()), clinic, gethostname())
            except OSError as error:
                raise BackupError(
                    "place_unwritten", f"{self.settings.journal_dir}: {error.strerror}"
                ) from None
            epochs.keep(home, begun.epoch)  # the restored database takes it from there
        return begun

    def _require_closed(self) -> None:
        """Refuse while a server has the present database open.

        Raises:
            BackupError: `in_use`.
        """
        if self._is_file_there():
            _must_be_closed(Path(self.settings.resolved_database_url.removeprefix("sqlite:///")))

    def _is_file_there(self) -> bool:
        """Return whether there is a SQLite file in place."""
        url = self.settings.resolved_database_url
        return url.startswith("sqlite") and Path(url.removeprefix("sqlite:///")).exists()

    def _reached(self) -> str:
        """Return the moment whose data these are."""
        at = self.journal.done.at if self.journal is not None else None
        return instant_text(at) if at is not None else self.made_at


@dataclass(frozen=True)
class WithJournal:
    """A base and the journal after it, brought together."""

    folder: Path
    done: Rebuilt
    end: Mark
    """All that the journal knows to have been given out, also after the moment and on ways that were given up."""
    unread: int
    """Transactions that the journal holds and that could not be reached."""


def _epoch_in(opened: Opened) -> int:
    """Return the epoch of the database in an opened backup; of a PostgreSQL dump as its manifest tells it."""
    if opened.content.engine != "sqlite":
        return opened.content.epoch
    with closing(apsw.Connection(str(opened.data), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        return epochs.own(database)


def _brought_on(
    opened: Opened, folder: Path, secrets: Secrets, until: datetime | None
) -> tuple[Opened, WithJournal]:
    """Bring a base to a moment, and look at the result."""
    content = opened.content
    with storage_errors():
        way = Ways(folder, content.facility_code, until).onwards(content.line, content.number)
        later = _given_out_later(opened, folder, secrets) if until is not None else Mark()
        done = rebuild(opened.data, way.records(secrets), until)
        unread = max(0, way.length() - done.read)
    after = look_at_file(opened.data, content.facility_code, content.made_at)
    return replace(opened, content=after), WithJournal(folder, done, done.end.joined(later), unread)


def _given_out_later(opened: Opened, folder: Path, secrets: Secrets) -> Mark:
    """Return how far the clinic came in the end, where a moment is gone back to: no number of after it is given again."""
    content = opened.content
    way = Ways(folder, content.facility_code).onwards(content.line, content.number)
    copy = opened.data.with_name("later.sqlite3")
    shutil.copyfile(opened.data, copy)
    try:
        return rebuild(copy, way.records(secrets)).end
    finally:
        copy.unlink()


def _candidates(file: Path, settings: Settings, until: datetime | None) -> list[Path]:
    """Return the backup itself; of a folder those that were made before a moment, newest first.

    Raises:
        BackupError: `missing`: there is none.
    """
    if not file.is_dir():
        return [file]
    found = [
        info for info in backups_in(file, settings.facility_code) if until is None or info.made_at <= until
    ]
    if not found:
        raise BackupError("missing", str(file))
    with storage_errors():
        ways = Ways(file, settings.facility_code, until)
    # Those of a past that was given up come last: the journal does not lead on from them.
    found.sort(key=lambda info: ways.is_given_up(info.line, info.number))
    return [Path(info.path) for info in found]


def _newest_for_key(
    files: Sequence[Path], key_text: str, settings: Settings, work: Path, unsigned_because: str
) -> tuple[Path, Opened, int]:
    """Open the newest backup that the key opens; a clinic that was begun by mistake may have left newer ones.

    Returns:
        The backup, its content, and the number of newer ones that the key does not open.

    Raises:
        BackupError: `wrong_key`: it opens none; and as `restore`.
    """
    for number, file in enumerate(files):
        try:
            return file, _checked(file, key_text, settings, work, unsigned_because), number
        except BackupError as error:
            if error.reason != "wrong_key" or file == files[-1]:
                raise
    raise BackupError("missing")


def _journal_of(file: Path, settings: Settings, content: Content) -> Path | None:
    """Return the folder that holds the journal after a backup: beside it, or the second place of the settings."""
    if not content.line:
        return None
    for folder in (file.parent, Path(settings.journal_dir) if settings.journal_dir else None):
        if (
            folder is not None
            and folder.is_dir()
            and Ways(folder, content.facility_code).onwards(content.line, content.number).length()
        ):
            return folder
    return None


def _checked(file: Path, key_text: str, settings: Settings, work: Path, unsigned_because: str) -> Opened:
    wanted = signatures.expected(key_text, settings.home)
    return checked(file, identity(key_text), wanted, settings, work, unsigned_because)


def checked(
    file: Path, key: Any, signer: str, settings: Settings, work: Path, unsigned_because: str = ""
) -> Opened:
    """Open a backup, and refuse one that this Loket cannot go on with.

    Args:
        file: The backup.
        key: Identity that opens it.
        signer: Fingerprint of who must have signed it, from `signatures.expected`.
        settings: Of the clinic.
        work: Folder to open it in.
        unsigned_because: Why a backup is taken that the clinic's signer has not signed.

    Raises:
        BackupError: As `restore`.
    """
    opened = unpack(file, key, work)
    signatures.require(opened.signer, signer, unsigned_because)
    content = opened.content
    known = {step.name for step in Runner(peewee.SqliteDatabase(None), str(FOLDER)).migrations()}
    if set(content.schema) - known:
        raise BackupError("newer_schema", max(content.schema))
    engine = "postgres" if settings.resolved_database_url.startswith("postgres") else "sqlite"
    if content.engine == "postgres" and engine == "sqlite":
        raise BackupError("other_engine", f"made on {content.engine}")
    if not restored(opened, settings).same_data(content):
        raise BackupError("damaged", "the restored copy differs from its manifest")
    return opened


def _present(settings: Settings) -> Content | None:
    """Return the content of the database in place; None when there is none or it cannot be read."""
    url = settings.resolved_database_url
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    try:
        return look_at_url(url, settings.facility_code, "")
    except BackupError:
        return None


def _put_in_place(opened: Opened, url: str) -> Content:
    """Put the archive's database in the place of the present one, which is kept; return what has to be there now."""
    if opened.content.engine == "postgres":
        _replace_postgres(opened.data, url)
    elif url.startswith("postgres"):
        return _move_into_postgres(opened, url)
    else:
        _replace_file(opened.data, Path(url.removeprefix("sqlite:///")))
    return opened.content


def _move_into_postgres(opened: Opened, url: str) -> Content:
    """Move what was backed up on SQLite into a new PostgreSQL database, and let that take the place of the present one."""
    copy = f"sqlite:///{opened.data}"
    with database_apart(copy) as database:
        migrate(database)
    content = look_at_url(copy, opened.content.facility_code, opened.content.made_at)
    with scratch_postgres(url) as made:
        moving.move(copy, made)
        replace_postgres(url, made, _aside(url))
    return content


def _replace_file(data: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if target.exists():
        _must_be_closed(target)
        aside = target.with_name(f"{target.name}.replaced-{clock.now().strftime(STAMP)}")
        with storage_errors():
            for suffix in ("", "-wal", "-shm"):
                part = Path(f"{target}{suffix}")
                if part.exists():
                    os.replace(part, f"{aside}{suffix}")
    with storage_errors():
        os.replace(data, target)
        sync_folder(target.parent)


def _replace_postgres(dump: Path, url: str) -> None:
    with scratch_postgres(url) as made:
        fill_postgres(dump, made)
        replace_postgres(url, made, _aside(url))


def _aside(url: str) -> str:
    """Return the name that the replaced database is kept under."""
    name = urlsplit(url).path.lstrip("/")
    return f"{name[:40]}_{clock.now().strftime(STAMP).lower()}"


def _must_be_closed(target: Path) -> None:
    """Refuse while a server has the file open: leaving WAL mode needs to be its only user."""
    try:
        opened = apsw.Connection(str(target))
    except apsw.Error:
        return  # not a database any more; it is put aside as it is
    try:
        opened.execute("PRAGMA journal_mode=DELETE").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        raise BackupError("in_use", "stop the server first") from None
    except apsw.Error:
        return
    finally:
        opened.close()
