"""Numbered schema steps, applied at start; a copy of the database is kept before each."""

from __future__ import annotations

from pathlib import Path

import apsw
import peewee
from playhouse.migrations import Runner

from core.foundation.errors import SettingsError

FOLDER = Path(__file__).parent


def runner(database: peewee.Database, folder: Path = FOLDER) -> Runner:
    """Peewee's migration runner for one of Loket's databases."""
    return Runner(database, directory=str(folder))


def pending(database: peewee.Database, folder: Path = FOLDER) -> list[str]:
    """Names of steps not yet applied, in order."""
    return [step.name for step in runner(database, folder).status() if step.applied is None]


def latest(folder: Path = FOLDER) -> str:
    """The newest step this version knows; a backup made by a newer one is refused."""
    return str(runner(peewee.SqliteDatabase(None), folder).migrations()[-1].name)


def migrate(database: peewee.Database, folder: Path = FOLDER) -> list[str]:
    """Apply what is pending; returns the names applied.

    Raises:
        SettingsError: A newer version of Loket has changed the schema; this one would misread it.

    Side effects: before a step is applied to an existing SQLite file, a consistent copy is
    written beside it (`loket.sqlite3.before-0002_...`). PostgreSQL's own tools keep its copies.
    """
    refuse_newer(database, folder)
    steps = pending(database, folder)
    if not steps:
        return []
    file = Path(str(database.database))
    existing = database.get_tables() if isinstance(database, peewee.SqliteDatabase) else []
    if "patient" in existing:
        copy_sqlite(file, file.with_name(f"{file.name}.before-{steps[0]}"))
    return [str(name) for name in runner(database, folder).up()]


def refuse_newer(database: peewee.Database, folder: Path = FOLDER) -> None:
    """Refuse a database whose schema a newer version of Loket has changed; this one would misread it.

    Raises:
        SettingsError: That version is to be installed again.
    """
    unknown = [step.name for step in runner(database, folder).status() if step.path is None]
    if unknown:
        raise SettingsError(
            "The data is a newer Loket's ({step}): install that version again.", step=unknown[-1]
        )


def require_current(database: peewee.Database, folder: Path = FOLDER) -> None:
    """Refuse a database of another version's schema: a command must not change it under a server that runs.

    Raises:
        SettingsError: A step was not applied yet, or a newer version has changed the schema.
    """
    refuse_newer(database, folder)
    steps = pending(database, folder)
    if steps:
        raise SettingsError(
            "The data is an older Loket's ({step} is missing): start the server again, it brings the data up to date.",
            step=steps[0],
        )


def copy_sqlite(file: Path, copy: Path) -> None:
    """Write a consistent copy of a SQLite database, also while other processes write to it.

    Args:
        file: The database in use.
        copy: The copy to write: one file, with no log beside it. What it held before is replaced.

    Raises:
        apsw.Error: The database cannot be read or the copy cannot be written.
    """
    copy.unlink(missing_ok=True)
    source = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
    target = apsw.Connection(str(copy))
    try:
        source.set_busy_timeout(10_000)  # milliseconds; another process may be writing
        with target.backup("main", source, "main") as running:
            running.step()
        target.execute("PRAGMA journal_mode=DELETE").fetchall()
    finally:
        source.close()
        target.close()
