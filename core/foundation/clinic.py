"""One clinic's fixed facts, handed to every core function that needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import peewee

from core.complaints.vocabulary import Vocabulary, fingerprint, told_with_line
from core.foundation import audit, clock, high_water, known_clinic, shared_files
from core.foundation.config import Settings
from core.foundation.database import connection, database, open_database, require_sessions, unusable
from core.foundation.errors import SettingsError
from core.foundation.journal import attachment, standbys
from core.foundation.migrations import migrate, refuse_newer, require_current
from core.foundation.private_files import write_private
from core.linkage import search_keys
from core.queues.clusters import ClusterSet, load_clusters
from core.records.forms import FormDefinition, load_forms
from core.visits.roster import Roster, load_roster

SOUND_WORDS = "vocabulary.sound"
"""File of the data folder with the fingerprint of the complaint words that were checked last and found sound: the same
files and the same code come to the same result, so a start need not wait for it."""


@dataclass(frozen=True)
class Clinic:
    """Settings with what is derived from them once."""

    settings: Settings
    clusters: ClusterSet
    demo: bool = field(default=False, compare=False)
    """Made-up people, known passwords, loopback only."""

    @classmethod
    def open(cls, settings: Settings, *, demo: bool = False, migrates: bool = True) -> Clinic:
        """Open the database, bring its schema and search keys up to date and read the clusters.

        Args:
            settings: The clinic's.
            demo: Whether its people are made up.
            migrates: Whether an existing database is brought up to date. Only the server does that: a command that
                did would change the tables under a server of the older version. An empty one is always prepared.

        Raises:
            SettingsError: A file named in the settings is missing or wrong; the database is another version's.
            DatabaseError: The database cannot be used, or holds less than was there
                (`core.foundation.high_water`); `standby`, `superseded`: this machine is not the core.
        """
        clusters = _clusters_of(settings)
        today = clock.day_of(clock.now(), settings.timezone)
        with _told_in_words(settings):
            opened = _opened(settings)
            with connection():
                _require_usable(settings, opened)
                is_new = not high_water.has_clinic(opened)
                if migrates or is_new:
                    migrate(opened)
                else:
                    require_current(opened)
                if is_new:  # what happened to other clinics of the same places is none of its business
                    high_water.give_identity(opened, settings.home)
                attachment.attach(settings, opened)
                if migrates:
                    attachment.compare(settings)
                search_keys.rebuild_if_outdated()
                high_water.give_identity(opened, settings.home)
                known_clinic.has_begun(settings.home)
                with suppress(OSError):  # a full disk: the numbers noted before still hold
                    high_water.note(opened, settings.home, today)
                shared_files.exchange(opened, settings, demo=demo)
            audit.open_chain(settings.home)
        return cls(settings, clusters, demo)

    @classmethod
    def require_openable(cls, settings: Settings) -> None:
        """Refuse settings with which `open` would fail, or a file of the clinic's own that is wrong; nothing is changed.

        Args:
            settings: The clinic's; no other clinic is open in this process.

        Raises:
            SettingsError: As `open` and `read_files`.
            DatabaseError: As `open`.
        """
        clinic = cls(settings, _clusters_of(settings))
        clinic.read_files()
        with _told_in_words(settings):
            opened = _opened(settings)
            try:
                with connection():
                    _require_usable(settings, opened)
                    if "state" in opened.get_tables():  # the oldest versions had none, and no second machine
                        attachment.require_core(settings, opened)
            finally:
                database.close()

    @classmethod
    def without_database(cls, settings: Settings) -> Clinic:
        """Return the clinic of some settings for work on its files alone: its database may be lost.

        Raises:
            SettingsError: The clusters file is missing or wrong.
        """
        return cls(settings, load_clusters(settings.clusters))

    @classmethod
    def unmigrated(cls, settings: Settings) -> Clinic:
        """Return the clinic on its database as it is, also an older version's: for a backup, and nothing else.

        Raises:
            DatabaseError: The database is not there.
        """
        high_water.require_database_file(settings.home, settings.resolved_database_url)
        open_database(settings.resolved_database_url)
        return cls.without_database(settings)

    def read_files(self) -> None:
        """Check the clinic's own words, forms and roster now, so that a mistake stops the start.

        Words that were found sound before are compiled when they are first needed, see `SOUND_WORDS`.

        Raises:
            SettingsError: A file is missing or wrong.
        """
        try:
            self._check_words()
        except SettingsError as error:
            raise SettingsError(
                "LOKET_VOCABULARY: {why}", why=told_with_line(error, self._words_file)
            ) from None
        _ = self.forms
        _ = self.roster_file

    def _check_words(self) -> None:
        stamp = self.settings.home / SOUND_WORDS
        found = known = ""
        with suppress(OSError, UnicodeDecodeError):  # the check says what is wrong
            found = fingerprint(self._words_file)
            known = stamp.read_text("ascii")
        if found and found == known:
            return
        _ = self.vocabulary
        with suppress(OSError):  # checked again at the next start
            write_private(stamp, found.encode())

    @property
    def _words_file(self) -> Path | None:
        return Path(self.settings.vocabulary) if self.settings.vocabulary else None

    @property
    def public_url(self) -> str:
        """Address at which patients' phones find this server; empty when they cannot."""
        return self.settings.public_url or (self.settings.http.url if self.demo else "")

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return self.settings.timezone

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The routing words in use."""
        return Vocabulary.load(self._words_file)

    @cached_property
    def forms(self) -> dict[str, FormDefinition]:
        """The specialised forms in use, by code: those that ship, and the clinic's own."""
        return load_forms(self.settings.home / "forms")

    @cached_property
    def roster_file(self) -> Roster:
        """Closed days, and who works when, as a file says; `core.visits.roster_versions.current` is what holds."""
        return load_roster(self.settings.roster, self.clusters)

    def note_mark(self) -> None:
        """Note how far the database is, for the next start.

        Raises:
            OSError: The data folder cannot be written.
        """
        with connection():
            high_water.note(database.obj, self.settings.home, self.today())

    def share_files(self) -> list[str]:
        """Exchange the data folder's files with the other servers of the database; return those that came from them.

        Raises:
            SettingsError: The servers' key is not here.
            OSError: The data folder cannot be written.
        """
        with connection():
            return shared_files.exchange(database.obj, self.settings, demo=self.demo)

    def today(self) -> date:
        """The clinic's calendar day now."""
        return clock.day_of(clock.now(), self.zone)


def _clusters_of(settings: Settings) -> ClusterSet:
    """Read the clusters on a machine that may be the core.

    Raises:
        DatabaseError: `standby`.
        SettingsError: The file is missing or wrong.
    """
    standbys.require_core(settings.home)
    try:
        return load_clusters(settings.clusters)
    except SettingsError as error:
        raise SettingsError("LOKET_CLUSTERS: {why}", why=error) from None


def _opened(settings: Settings) -> peewee.Database:
    """Open the database in a data folder, which is made where there is none."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    high_water.require_database_file(settings.home, settings.resolved_database_url)
    return open_database(settings.resolved_database_url)


def _require_usable(settings: Settings, opened: peewee.Database) -> None:
    """Refuse a database that this Loket cannot go on with, before anything in it is changed.

    Raises:
        DatabaseError: It holds less than was there, or is empty where there was a clinic; see `Clinic.open`.
        SettingsError: A newer Loket has changed its schema, or the journal is not for it.
    """
    require_sessions(settings.resolved_database_url)
    high_water.require_nothing_lost(opened, settings.home, clock.day_of(clock.now(), settings.timezone))
    refuse_newer(opened)
    attachment.require_engine(settings, opened)
    if not high_water.has_clinic(opened):
        known_clinic.require_first(settings)


@contextmanager
def _told_in_words(settings: Settings) -> Iterator[None]:
    """Turn what keeps the database or the data folder from being used into one plain error.

    Raises:
        DatabaseError: The database cannot be used.
        SettingsError: The data folder cannot be used.
    """
    try:
        yield
    except peewee.DatabaseError as error:
        if (known := unusable(error)) is None:
            raise
        raise known from None
    except OSError as error:
        raise SettingsError(
            "LOKET_HOME: {path} cannot be used ({why})", path=settings.home, why=error.strerror or error
        ) from None
