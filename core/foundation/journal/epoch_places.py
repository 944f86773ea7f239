"""Every folder in which an epoch can stand: each door that makes or lets work a core asks all of them, and tells all.

The journal's folder is not enough: a backup disk is carried to another machine, the journal's setting is taken out, a
second disk is plugged in again. What one of them knows, the others are told at the next occasion (`tell`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.foundation.config import Settings
from core.foundation.errors import DatabaseError, JournalError
from core.foundation.journal import epochs
from core.foundation.journal.epochs import Promotion
from core.foundation.journal.patience import patiently

log = logging.getLogger(__name__)

BACKUPS = "backups"
"""Folder of the daily files that holds the backups."""


@dataclass(frozen=True)
class EpochPlaces:
    """The folders of one machine in which an epoch can stand."""

    settings: Settings
    first: Path | None = None
    """The folder of the journal that is followed, or of the backup that was chosen, where the settings name another."""
    must: Path | None = None
    """The folder without which there is no new epoch: the one that the older core looks into."""

    def newer(self, own_epoch: int, clinic: str = "") -> Promotion | None:
        """Return the promotion by which another machine took over from an epoch, as any place tells; None when none did.

        Args:
            own_epoch: The epoch asked about.
            clinic: Id of the clinic asked about; empty: it is not known.

        Raises:
            JournalError: `place_failed`: a place that is there does not tell.
        """
        noted = epochs.superseded_by(self.settings.home)
        if noted is not None and not noted.epoch:
            return noted  # which one cannot be read any more
        return epochs.first_after(self.known(), own_epoch, clinic)

    def known(self) -> list[Promotion]:
        """Return every promotion that a place tells of, oldest first; the data folder's own memory is one.

        Raises:
            JournalError: `place_failed`: a place that is there does not tell.
        """
        noted = epochs.superseded_by(self.settings.home)
        found = [noted] if noted is not None and noted.epoch else []
        for folder in self._reached():
            found += _told_by(folder)
        return epochs.merged(found)

    def begin(self, own_epoch: int, at: str, clinic: str = "", machine: str = "") -> Promotion:
        """Write a new epoch into every place: from here on no older core acknowledges anything that is not there yet.

        Args:
            own_epoch: Of the database that takes over.
            at: ISO instant.
            clinic: Id of the clinic.
            machine: Name of the one that takes over.

        Raises:
            JournalError: `place_failed`.
            OSError: `must` cannot be written.
        """
        ours = [promotion.epoch for promotion in self.known() if promotion.is_of(clinic)]
        made = Promotion(max(own_epoch, *ours, 0) + 1, at, clinic=clinic, machine=machine)
        self.tell(made)
        return made

    def settle(self, promotion: Promotion) -> None:
        """Write how far the new core has caught up, from where the older one's further work is counted.

        Args:
            promotion: From `begin`, completed.

        Raises:
            JournalError: `place_failed`.
            OSError: `must` cannot be written.
        """
        self.tell(promotion)

    def tell(self, *made: Promotion) -> None:
        """Write promotions, and those that any place knows of, into all others that can be reached.

        Args:
            made: New ones.

        Raises:
            JournalError: `place_failed`.
            OSError: `must` cannot be written.
        """
        everything = epochs.merged([*self.known(), *made])
        for folder in self._reached() if everything else ():
            try:
                epochs.write(folder, everything)
            except OSError as error:
                if folder == self.must:
                    raise
                log.warning("no epoch could be written into %s: %s", folder, error.strerror)

    def require_newest(self, own_epoch: int, clinic: str) -> None:
        """Refuse to go on where another machine took over, and remember it in the data folder.

        A place that cannot be read says nothing: a broken backup disk is no reason to close the clinic.

        Args:
            own_epoch: Of this core's database.
            clinic: Id of the clinic in it.

        Raises:
            DatabaseError: `superseded`.
            OSError: The data folder cannot be written.
        """
        for folder in self._reached():
            try:
                found = epochs.first_after(_told_by(folder), own_epoch, clinic)
            except JournalError as error:
                log.warning("%s does not tell who is the core: %s", folder, error)
                continue
            if found is not None:
                epochs.note_superseded(self.settings.home, found)
                raise DatabaseError("superseded", found.at)

    def _reached(self) -> Iterator[Path]:
        """Yield the places that are there now, the journal's first."""
        backups = self.settings.daily_folder / BACKUPS
        named = (self.settings.journal_dir, self.first, self.settings.backup_second, backups)
        for folder in dict.fromkeys(Path(place).absolute() for place in named if place):
            if _is_there(folder):
                yield folder


def _told_by(folder: Path) -> list[Promotion]:
    """Return the promotions that one place tells of.

    Raises:
        JournalError: `place_failed`, `place_slow`.
    """
    try:
        return patiently(lambda: epochs.promotions(folder))
    except OSError as error:
        raise JournalError("place_failed", f"{folder}: {error.strerror}") from None


def _is_there(folder: Path) -> bool:
    """Return whether a place can be reached now; one that hangs cannot."""
    look: Callable[[], bool] = folder.is_dir
    try:
        return patiently(look)
    except (JournalError, OSError):
        return False
