"""Follows the clinic's base and journal in a folder, into a database that nobody is served from.

The copy stands in `standby/LINE/` of the data folder, one folder for each line of the journal. It carries its own
position, and each look applies all records that came since in one transaction: a machine that is cut off at any moment
goes on from where its copy is.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage

from core.daily.backup.archives import SQLITE_MEMBER, identity, storage_errors
from core.daily.backup.journal_reading import Secrets
from core.daily.backup.journal_ways import Way, Ways
from core.daily.backup.rebuilding import Rebuilt, position_of, rebuild
from core.daily.backup.restoration import checked
from core.daily.backup.retention import BackupInfo, backups_in
from core.daily.backup.scratch import scratch
from core.foundation import clock, high_water, signatures
from core.foundation.config import Settings
from core.foundation.database import instant_text
from core.foundation.errors import BackupError, DatabaseError
from core.foundation.journal import standbys
from core.foundation.journal.positions import Position
from core.foundation.journal.proof_keys import ProofKey
from core.foundation.journal.standbys import StandbyNote
from core.foundation.private_files import locked, sync_folder, write_private

log = logging.getLogger(__name__)

PAIRING = "pairing.json"
LOCK = "standby.lock"
FILES = "home"
"""Folder beside the copy with the clinic's own files, as `core.daily.backup.home_files` puts them back."""
SECRETS_KEPT = 8


@dataclass(frozen=True)
class Pairing:
    """The file that a standby keeps of its pairing, 0600: the journal can be read with it."""

    folder: str
    name: str
    secret: str
    """Its own key, an age identity: bases and secrets are encrypted to it once the core knows it."""
    recovery_public: str
    """Public half of the clinic's recovery key."""
    signer: str
    """The signer that bases and secrets must have."""
    secrets: tuple[str, ...] = ()
    """Of the journal, the newest first."""


@dataclass(frozen=True)
class Standing:
    """The position of a standby after a look into the folder."""

    line: str
    number: int
    moment: str
    """ISO instant of the newest action that it holds; of the base where there was none."""
    waiting: int
    """Actions in the folder that it could not take over: a file before them is damaged or missing."""
    applied: int
    """Actions taken over by this look."""
    is_new_base: bool

    def document(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self)


def pair(settings: Settings, folder: Path, key_text: str, name: str) -> None:
    """Make a data folder a standby's: read the newest base with the recovery key, which is not kept.

    Args:
        settings: Of the standby; facility and engine are the clinic's.
        folder: With the clinic's bases and journal.
        key_text: The recovery key, with the signer's fingerprint in a line of its own.
        name: Of the standby, as the core shows it.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_schema`, `unsigned`, `other_signer`, `signer_unknown`,
            `disk_full`, `standby_name`, `other_engine`.
        DatabaseError: `clinic_exists`: there is a clinic in this data folder.
    """
    if high_water.had_clinic(settings.home):
        raise DatabaseError("clinic_exists", str(settings.home))
    if not settings.resolved_database_url.startswith("sqlite"):
        raise BackupError("other_engine", "PostgreSQL")
    recovery = identity(key_text)
    own = pyrage.x25519.Identity.generate()
    paired = Pairing(
        str(folder.resolve()),
        standbys.proper_name(name),
        str(own),
        str(recovery.to_public()),
        signatures.expected(key_text, settings.home),
    )
    with turn(settings.home):
        follower = Follower(settings, paired, recovery)
        base = follower.newest_base()
        if base is None:
            raise BackupError("missing", str(folder))
        # All or nothing: without the pairing the folder is no standby's, and the next try begins again.
        follower.take_over(base)
        with storage_errors():
            follower.keep()
            standbys.pair(folder, follower.files / FILES, paired.name, str(own.to_public()))
        follower.look()


def is_paired(home: Path) -> bool:
    """Return whether a data folder is a standby's that was paired.

    Args:
        home: The data folder.
    """
    return standbys.is_standby(home) and (home / standbys.FOLDER / PAIRING).exists()


def pairing_of(home: Path) -> Pairing:
    """Return what a standby keeps of its pairing.

    Args:
        home: The data folder.

    Raises:
        BackupError: `no_standby`.
    """
    try:
        values = json.loads((home / standbys.FOLDER / PAIRING).read_text("utf-8"))
        return Pairing(**{**values, "secrets": tuple(values["secrets"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        raise BackupError("no_standby", str(home)) from None


def catch_up(settings: Settings) -> Standing:
    """Take over what came since the last look, and leave a note of the position in the folder.

    Args:
        settings: Of the standby.

    Raises:
        BackupError: `no_standby`, `missing`, `damaged`, `wrong_key`, `disk_full`, ...
        OSError: The folder cannot be read.
    """
    with turn(settings.home):
        return Follower(settings, pairing_of(settings.home)).look()


@contextmanager
def turn(home: Path) -> Iterator[None]:
    """Let one process at a time change the copy.

    Args:
        home: The data folder.

    Raises:
        BackupError: `disk`, `disk_full`.
    """
    with ExitStack() as held:
        with storage_errors():
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(locked(home / LOCK))
        yield


class Follower:
    """One standby's copy and the folder that it follows; its user holds `turn`."""

    def __init__(self, settings: Settings, paired: Pairing, recovery: Any = None) -> None:
        self.settings = settings
        self.paired = paired
        self.folder = Path(paired.folder)
        self._own = pyrage.x25519.Identity.from_str(paired.secret)
        self._recovery = recovery
        known = [ProofKey(secret) for secret in paired.secrets]
        self._secrets = Secrets(known, recovery or self._own, paired.signer)

    @property
    def files(self) -> Path:
        """Folder of the copy that is followed now: that of the latest line.

        Raises:
            BackupError: `no_standby`.
        """
        lines = sorted(path for path in (self.settings.home / standbys.FOLDER).iterdir() if path.is_dir())
        lines = [path for path in lines if not path.name.startswith(".")]
        if not lines:
            raise BackupError("no_standby", str(self.settings.home))
        return lines[-1]

    @property
    def data(self) -> Path:
        """The copy's SQLite file."""
        return self.files / SQLITE_MEMBER

    def position(self) -> Position:
        """Return how far the copy is.

        Raises:
            BackupError: `no_standby`, `damaged`.
        """
        found = position_of(self.data)
        if found is None:
            raise BackupError("damaged", str(self.data))
        return found

    def look(self) -> Standing:
        """Take over what came since the last look.

        Raises:
            BackupError: `missing`: the folder is not there; `damaged`, `wrong_key`, ...
            OSError: The folder cannot be read.
        """
        if not self.folder.is_dir():
            raise BackupError("missing", str(self.folder))
        done, is_new_base = self._bring_on(), False
        base, position = self.newest_base(), self.position()
        if base is not None and (base.line > position.line or self._is_given_up(position)):
            self.take_over(base)
            done, is_new_base = self._bring_on(), True
        position = self.position()
        waiting = self._way(position).length()
        standing = Standing(
            position.line, position.number, self._moment(done), waiting, done.records, is_new_base
        )
        self._remember(standing)
        return standing

    def newest_base(self) -> BackupInfo | None:
        """Return the newest backup of the folder from which a line goes on, of a past that was not given up.

        Raises:
            OSError: The folder cannot be read.
        """
        ways = Ways(self.folder, self.settings.facility_code)
        found = [
            info
            for info in backups_in(self.folder, self.settings.facility_code)
            if info.line and not ways.is_given_up(info.line, info.number)
        ]
        return max(found, key=lambda info: (info.line, info.number), default=None)

    def take_over(self, base: BackupInfo) -> None:
        """Let the copy go on from a base; the one of the line before is removed.

        Args:
            base: From `newest_base`.

        Raises:
            BackupError: As `restore`.
        """
        place = self.settings.home / standbys.FOLDER
        with scratch(self.settings.home) as work:
            made = self._opened(Path(base.path), work)
            (made / "moment").write_text(instant_text(base.made_at), "ascii")
            with storage_errors():
                place.mkdir(mode=0o700, exist_ok=True)
                target = place / self._line_of(made, base)
                shutil.rmtree(target, ignore_errors=True)
                os.rename(made, target)
                sync_folder(place)
        for other in place.iterdir():
            if other.is_dir() and other != target:
                shutil.rmtree(other, ignore_errors=True)

    def keep(self) -> None:
        """Keep the pairing, with the secrets that are known by now.

        Raises:
            OSError: The data folder cannot be written.
        """
        secrets = tuple(key.secret for key in self._secrets.known[:SECRETS_KEPT])
        if secrets != self.paired.secrets or not is_paired(self.settings.home):
            self.paired = Pairing(**{**asdict(self.paired), "secrets": secrets})
            file = self.settings.home / standbys.FOLDER / PAIRING
            write_private(file, json.dumps(asdict(self.paired)).encode())

    def _opened(self, file: Path, work: Path) -> Path:
        """Open a base with the first key that fits; return the folder with what is in it."""
        keys = [self._own, *(key.identity for key in self._secrets.known)]
        for number, key in enumerate([self._recovery, *keys] if self._recovery is not None else keys):
            folder = work / f"base-{number}"
            folder.mkdir()
            try:
                checked(file, key, self.paired.signer, self.settings, folder)
            except BackupError as error:
                if error.reason != "wrong_key":
                    raise
            else:
                return folder
        raise BackupError("not_paired", file.name)

    def _line_of(self, made: Path, base: BackupInfo) -> str:
        """Return the line that an opened base belongs to, which must be the one that it was taken for."""
        position = position_of(made / SQLITE_MEMBER)
        if position is None or position.line != base.line:
            raise BackupError("damaged", Path(base.path).name)
        return position.line

    def _way(self, position: Position) -> Way:
        """Return the way on from a position, over into the lines of whoever took over or was restored since."""
        return Ways(self.folder, self.settings.facility_code).onwards(position.line, position.number)

    def _is_given_up(self, position: Position) -> bool:
        """Return whether the core went back to before a position: the copy holds what was given up."""
        ways = Ways(self.folder, self.settings.facility_code)
        return ways.is_given_up(position.line, position.number)

    def _bring_on(self) -> Rebuilt:
        """Apply all records that came since."""
        position = self.position()
        way = self._way(position)
        if not way.has_files():
            return Rebuilt(0, position.number, None, 0, high_water.Mark())
        try:
            return rebuild(self.data, way.records(self._secrets))
        except BackupError as error:
            if error.reason == "wrong_key":
                raise BackupError("not_paired", "journal") from None
            raise

    def _moment(self, done: Rebuilt) -> str:
        """Return the instant of the newest action of the copy, and keep it beside."""
        file = self.files / "moment"
        if done.at is not None:
            file.write_text(instant_text(done.at), "ascii")
        with suppress(OSError, ValueError):
            return instant_text(datetime.fromisoformat(file.read_text("ascii").strip()))
        return ""

    def _remember(self, standing: Standing) -> None:
        with storage_errors():
            self.keep()
        note = StandbyNote(
            self.paired.name,
            standing.line,
            standing.number,
            standing.moment,
            standing.waiting,
            instant_text(clock.now()),
        )
        write_private(self.settings.home / standbys.FOLDER / "note.json", json.dumps(asdict(note)).encode())
        try:
            standbys.leave(self.folder, note)
        except OSError as error:
            log.warning("no note could be left in the folder: %s", error.strerror)


def last_note(home: Path) -> StandbyNote | None:
    """Return how far a standby was at its last look; None before the first.

    Args:
        home: The data folder.
    """
    try:
        return StandbyNote(**json.loads((home / standbys.FOLDER / "note.json").read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
