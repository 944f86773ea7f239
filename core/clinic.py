"""One clinic's fixed facts, handed to every core function that needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import peewee

from core import clock
from core.clusters import ClusterSet, load_clusters
from core.config import Settings
from core.database import connection, open_database, unusable
from core.errors import SettingsError
from core.forms import Form, load_forms
from core.migrations import migrate
from core.routing import Vocabulary


@dataclass(frozen=True)
class Clinic:
    """Settings with what is derived from them once."""

    settings: Settings
    clusters: ClusterSet
    demo: bool = field(default=False, compare=False)
    """Made-up people, known passwords, loopback only."""

    @classmethod
    def open(cls, settings: Settings, *, demo: bool = False) -> Clinic:
        """Open the database, bring its schema up to date and read the clusters.

        Raises:
            SettingsError: A file named in the settings is missing or wrong.
            DatabaseError: The database cannot be used.
        """
        try:
            clusters = load_clusters(settings.clusters)
        except SettingsError as error:
            raise SettingsError("LOKET_CLUSTERS: {why}", why=error) from None
        try:
            settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(
                "LOKET_HOME: {path} cannot be used ({why})", path=settings.home, why=error.strerror
            ) from None
        database = open_database(settings.resolved_database_url)
        try:
            with connection():
                migrate(database)
        except peewee.DatabaseError as error:
            if (known := unusable(error)) is None:
                raise
            raise known from None
        return cls(settings, clusters, demo)

    def read_files(self) -> None:
        """Read the clinic's own words and forms now, so that a mistake stops the start.

        Raises:
            SettingsError: A file is missing or wrong.
        """
        try:
            _ = self.vocabulary
        except SettingsError as error:
            raise SettingsError("LOKET_VOCABULARY: {why}", why=error) from None
        _ = self.forms

    @property
    def public_url(self) -> str:
        """Where patients' phones find this server; empty when they cannot."""
        return self.settings.public_url or (self.settings.http.url if self.demo else "")

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return self.settings.timezone

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The routing words in use."""
        return Vocabulary.load(Path(self.settings.vocabulary) if self.settings.vocabulary else None)

    @cached_property
    def forms(self) -> dict[str, Form]:
        """The specialised forms in use, by code: those that ship, and the clinic's own."""
        return load_forms(self.settings.home / "forms")

    def today(self) -> date:
        """The clinic's calendar day now."""
        return clock.day_of(clock.now(), self.zone)


def age_on(birth_date: date, day: date) -> int:
    """Whole years on `day`; a birthday on 29 February falls on 1 March in other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
