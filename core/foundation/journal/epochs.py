"""The epoch: how often the clinic has moved to another machine by `loket promote`.

It stands in the database, which travels, in the journal's folder, which all machines see, and in every other folder that
takes backups (`epoch_places`). A core that finds a higher one there than its own is not the core any more: what it goes on
saving would be lost and its numbers given twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.foundation.database import document_text
from core.foundation.errors import DatabaseError, JournalError
from core.foundation.private_files import sync_folder, write_private

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
    clinic: str = ""
    """Id of the clinic that moved: a backup disk may hold those of several. Empty in older ones, which count for all."""
    machine: str = ""
    """Name of the one that took over."""

    @property
    def is_settled(self) -> bool:
        """Return whether the new core has caught up."""
        return self.newest_change >= 0

    def is_of(self, clinic: str) -> bool:
        """Return whether a clinic is the one that moved, as far as both are known.

        Args:
            clinic: Its id; empty: it is not known.
        """
        return not (clinic and self.clinic) or self.clinic == clinic


def own(connection: Any) -> int:
    """Return the epoch of a database; 0 before the first promotion.

    Args:
        connection: An open APSW connection, or a Peewee database.
    """
    row = _rows(connection, "SELECT value FROM state WHERE key = 'epoch'").fetchone()
    return int(json.loads(row[0])["epoch"]) if row else 0


def clinic_of(connection: Any) -> str:
    """Return the id of the clinic in a database; empty for one that never had any.

    Args:
        connection: An open APSW connection, or a Peewee database.
    """
    row = _rows(connection, "SELECT value FROM state WHERE key = 'clinic'").fetchone()
    return str(json.loads(row[0])["id"]) if row else ""


def _rows(connection: Any, sql: str) -> Any:
    run = getattr(connection, "execute_sql", None) or connection.execute
    return run(sql)


def take(connection: Any, epoch: int) -> None:
    """Give a database its epoch, in the caller's transaction.

    Args:
        connection: An open APSW connection or a Peewee database, in a writing transaction.
        epoch: The new one.
    """
    value = document_text({"epoch": epoch})
    _rows(
        connection,
        f"INSERT INTO state (key, value) VALUES ('epoch', '{value}')"  # noqa: S608  # a number
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
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


def write(folder: Path, made: Iterable[Promotion]) -> None:
    """Add promotions to those that a folder tells of; what is there already is not written again.

    Args:
        folder: The folder.
        made: Promotions of one clinic; one that has caught up replaces itself from before.

    Raises:
        JournalError: `place_failed`: it cannot be read who is the core.
        OSError: The folder cannot be read or written.
    """
    known = promotions(folder)
    together = merged([*known, *made])
    if together != known:
        write_private(folder / FILE, json.dumps([asdict(promotion) for promotion in together]).encode())
        sync_folder(folder)


def merged(found: Iterable[Promotion]) -> list[Promotion]:
    """Return promotions without their doubles, oldest first: of each the one that has caught up.

    Args:
        found: Promotions, as several folders tell of them.
    """
    kept: dict[tuple[str, int], Promotion] = {}
    for promotion in found:
        key = (promotion.clinic, promotion.epoch)
        if key not in kept or promotion.is_settled:
            kept[key] = promotion
    return sorted(kept.values(), key=lambda promotion: (promotion.epoch, promotion.clinic))


def first_after(known: Sequence[Promotion], own_epoch: int, clinic: str = "") -> Promotion | None:
    """Return the promotion by which another machine took over from an epoch; None when none did.

    Args:
        known: Promotions, oldest first.
        own_epoch: The epoch asked about.
        clinic: Id of the clinic asked about; empty: it is not known.
    """
    later = [promotion for promotion in known if promotion.epoch > own_epoch and promotion.is_of(clinic)]
    return next((promotion for promotion in later if promotion.is_settled), later[0] if later else None)


def newer(folder: Path, own_epoch: int, clinic: str = "") -> Promotion | None:
    """Return the promotion by which another machine took over from an epoch, as one folder tells; None when none did.

    Args:
        folder: The journal's.
        own_epoch: The epoch asked about.
        clinic: Id of the clinic asked about; empty: it is not known.

    Raises:
        JournalError: `place_failed`.
        OSError: The folder cannot be read.
    """
    return first_after(promotions(folder), own_epoch, clinic)


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
    known = promotions(folder)  # mostly none: then the database is not asked
    mine = max(own(connection), kept(home)) if known else 0
    found = first_after(known, mine, clinic_of(connection)) if known else None
    if found is not None:
        note_superseded(home, found)
        raise JournalError("superseded", found.at)


def note_superseded(home: Path, by: Promotion) -> None:
    """Remember in a data folder that another machine took over from its core.

    Args:
        home: The data folder.
        by: The promotion.

    Raises:
        OSError: The data folder cannot be written.
    """
    write_private(home / SUPERSEDED, json.dumps(asdict(by)).encode())


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
