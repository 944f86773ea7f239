"""The second place: a folder on another disk that holds the journal and the bases it goes on from.

It carries a mark with a name. A disk that is not connected leaves an empty folder where it was mounted; without the
mark the journal would be written onto the first disk, and lost with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.foundation.errors import JournalError
from core.foundation.identifiers import new_id
from core.foundation.private_files import sync_folder, write_private

MARK = "journal.place"
"""File with the place's name, there and in the data folder."""
NAME = re.compile(r"^[0-9a-f-]{36}$")


@dataclass(frozen=True)
class SecondPlace:
    """The folder of `LOKET_JOURNAL_DIR`, as one clinic uses it."""

    folder: Path
    home: Path
    """The clinic's data folder."""
    facility: str
    """The facility's code."""

    def require(self) -> None:
        """Refuse a folder that is not the place that this clinic's journal is on.

        Raises:
            JournalError: `place_missing`: it is not there; `place_other`: it is another one, or an empty folder.
            OSError: It cannot be read.
        """
        if not self.folder.is_dir():
            raise JournalError("place_missing", str(self.folder))
        known = _read(self.home / MARK)
        if not known or known != _read(self.folder / MARK):
            raise JournalError("place_other", str(self.folder))

    def is_new(self) -> bool:
        """Return whether this clinic has never had a journal."""
        return not (self.home / MARK).exists()

    def adopt(self) -> None:
        """Make the folder the clinic's second place, whatever was there.

        Raises:
            JournalError: `place_missing`.
            OSError: It cannot be written.
        """
        if not self.folder.is_dir():
            raise JournalError("place_missing", str(self.folder))
        name = _read(self.folder / MARK) or new_id()
        for folder in (self.folder, self.home):
            write_private(folder / MARK, f"{name}\n".encode("ascii"))
            sync_folder(folder)

    def is_on_first_disk(self) -> bool:
        """Return whether the place would be lost with the data."""
        return self.folder.stat().st_dev == self.home.stat().st_dev


def _read(file: Path) -> str:
    """Return a place's name; empty where there is none."""
    try:
        text = file.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return text if NAME.match(text) else ""
