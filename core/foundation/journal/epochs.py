"""The epoch: how often the clinic has moved to another machine by `loket promote`.

It stands in the database, which travels, and in the journal's folder, which all machines see. A core that finds a
higher one there than its own is not the core any more: what it goes on saving would be lost and its numbers given twice.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.foundation.database import document_text
from core.foundation.errors import DatabaseError, JournalError
from core.foundation.private_files import sync_folder, write_private

STATE_KEY = "epoch"
FILE = "core.epoch"
"""In the journal's folder: every promotion so far, oldest first."""
SUPERSEDED = "clinic.superseded"
"""In the data folder of a core that has met a higher epoch: it stays refused, also where the folder is away."""

KEPT = "clinic.epoch"
"""In the data folder of a core that was promoted: its epoch."""


@dataclass(frozen=True)
class Promotion:
    """One machine's taking over."""

    epoch: int
    at: str
    """ISO instant."""
    line: str = ""
    """Line of the journal that was followed."""
    number: int = 0
    """Of its last record that the new core holds."""
    newest_change: int = -1
    """Last sequence of the feed that the new core took over; -1: it has not caught up yet."""

    @property
    def is_settled(self) -> bool:
        """Return whether the new core has caught up."""
        return self.newest_change >= 0


def own(connection: Any) -> int:
    """Return the epoch of a database; 0 before the first promotion.

    Args:
        connection: An open APSW connection.
    """
    row = connection.execute("SELECT value FROM state WHERE key = ?", (STATE_KEY,)).fetchone()
    return int(json.loads(row[0])["epoch"]) if row else 0


def take(connection: Any, epoch: int) -> None:
    """Give a database its epoch, in the caller's transaction.

    Args:
        connection: An open APSW connection, in a writing transaction.
        epoch: The new one.
    """
    connection.execute(
        "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (STATE_KEY, document_text({"epoch": epoch})),
    )


def promotions(folder: Path) -> list[Promotion]:
    """Return every promotion that a folder tells of, oldest first.

    Args:
        folder: The journal's.

    Raises:
        JournalError: `place_failed`: it cannot be read who is the core.
        OSError: The folder cannot be read.
    """
    try:
        return [Promotion(**values) for values in json.loads((folder / FILE).read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise JournalError("place_failed", FILE) from None


def begin(folder: Path, own_epoch: int, at: str) -> Promotion:
    """Write a new epoch into a folder: from here on no older core acknowledges anything that is not there yet.

    Args:
        folder: The journal's.
        own_epoch: Of the database that takes over.
        at: ISO instant.

    Raises:
        JournalError: `place_failed`.
        OSError: The folder cannot be written.
    """
    known = promotions(folder)
    made = Promotion(max(own_epoch, *(known_one.epoch for known_one in known), 0) + 1, at)
    _write(folder, [*known, made])
    return made


def settle(folder: Path, promotion: Promotion) -> None:
    """Write how far the new core has caught up, from where the older one's further work is counted.

    Args:
        folder: The journal's.
        promotion: From `begin`, completed.

    Raises:
        JournalError: `place_failed`.
        OSError: The folder cannot be written.
    """
    _write(folder, [promotion if known.epoch == promotion.epoch else known for known in promotions(folder)])


def newer(folder: Path, own_epoch: int) -> Promotion | None:
    """Return the promotion by which another machine took over from an epoch; None when none did.

    Args:
        folder: The journal's.
        own_epoch: The epoch asked about.

    Raises:
        JournalError: `place_failed`.
        OSError: The folder cannot be read.
    """
    later = [known for known in promotions(folder) if known.epoch > own_epoch]
    return next((known for known in later if known.is_settled), later[0] if later else None)


def require_newest(folder: Path, connection: Any, home: Path) -> None:
    """Refuse to go on where another machine took over, and remember it in the data folder.

    Args:
        folder: The journal's.
        connection: An open APSW connection to this core's database.
        home: Its data folder.

    Raises:
        JournalError: `superseded`, or `place_failed`.
        OSError: The folder cannot be read.
    """
    found = newer(folder, own(connection))
    if found is not None:
        write_private(home / SUPERSEDED, json.dumps(asdict(found)).encode())
        raise JournalError("superseded", found.at)


def superseded_by(home: Path) -> Promotion | None:
    """Return the promotion that a data folder is known to be superseded by.

    Args:
        home: The data folder.
    """
    try:
        return Promotion(**json.loads((home / SUPERSEDED).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return Promotion(0, "?")  # it was written for one reason only


def require_not_superseded(home: Path) -> None:
    """Refuse the data folder of a core that was superseded.

    Args:
        home: The data folder.

    Raises:
        DatabaseError: `superseded`.
    """
    if (found := superseded_by(home)) is not None:
        raise DatabaseError("superseded", found.at)


def forget(home: Path) -> None:
    """Let a data folder be a core's again: its database was replaced.

    Args:
        home: The data folder.
    """
    (home / SUPERSEDED).unlink(missing_ok=True)


def keep(home: Path, epoch: int) -> None:
    """Note a core's epoch beside its database: a restore to an earlier moment does not take it away.

    Args:
        home: The data folder.
        epoch: That of its database.

    Raises:
        OSError: The data folder cannot be written.
    """
    write_private(home / KEPT, f"{epoch}\n".encode())


def kept(home: Path) -> int:
    """Return the epoch that a data folder's core has; 0 before the first promotion.

    Args:
        home: The data folder.
    """
    try:
        return int((home / KEPT).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def completed(promotion: Promotion, line: str, number: int, newest_change: int) -> Promotion:
    """Return a promotion with how far the new core has caught up.

    Args:
        promotion: From `begin`.
        line: Line that was followed.
        number: Of its last record.
        newest_change: Last sequence of the feed.
    """
    return replace(promotion, line=line, number=number, newest_change=newest_change)


def _write(folder: Path, all_of_them: list[Promotion]) -> None:
    write_private(folder / FILE, json.dumps([asdict(promotion) for promotion in all_of_them]).encode())
    sync_folder(folder)
