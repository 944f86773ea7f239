"""Numbered schema steps, applied at start; a copy of the database is kept before each."""

from __future__ import annotations

import shutil
from pathlib import Path

import peewee
from playhouse.migrations import Runner

from core.errors import SettingsError

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
    unknown = [step.name for step in runner(database, folder).status() if step.path is None]
    if unknown:
        raise SettingsError(
            "The data is a newer Loket's ({step}): install that version again.", step=unknown[-1]
        )
    steps = pending(database, folder)
    if not steps:
        return []
    file = Path(str(database.database))
    existing = database.get_tables() if isinstance(database, peewee.SqliteDatabase) else []
    if "patient" in existing:
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy2(file, file.with_name(f"{file.name}.before-{steps[0]}"))
    return [str(name) for name in runner(database, folder).up()]
