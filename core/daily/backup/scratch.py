"""Scratch places: a folder beside the data, a database that is dropped again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from core.daily.backup.archives import Content, Opened, look, postgres_tool, storage_errors
from core.foundation.config import Settings
from core.foundation.database import connect, line_limits
from core.foundation.errors import BackupError
from core.foundation.identifiers import new_id


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Yield a folder of mode 0700 beside the data, so that files can be renamed into place."""
    with storage_errors():
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def look_at_file(file: Path, facility_code: str, made_at: str, made_for: str = "") -> Content:
    """Return the content of a SQLite file.

    Args:
        file: The database.
        facility_code: Of the clinic.
        made_at: Instant of the backup, as its manifest says it.
        made_for: Purpose of the backup; empty for the daily one.
    """
    return look_at_url(f"sqlite:///{file}", facility_code, made_at, made_for)


def look_at_url(url: str, facility_code: str, made_at: str, made_for: str = "") -> Content:
    """Return the content of a database.

    Args:
        url: The database.
        facility_code: Of the clinic.
        made_at: Instant of the backup, as its manifest says it.
        made_for: Purpose of the backup; empty for the daily one.

    Raises:
        BackupError: `damaged`: it cannot be opened.
    """
    opened = APSWDatabase(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else connect(url)
    try:
        opened.connect()
        return look(opened, facility_code, made_at, made_for)
    except (peewee.DatabaseError, apsw.Error):
        raise BackupError("damaged", "the database cannot be opened") from None
    finally:
        opened.close()


@contextmanager
def scratch_postgres(url: str) -> Iterator[str]:
    """Yield the URL of a scratch database on the same server, dropped afterwards.

    Raises:
        BackupError: `no_scratch`: the server makes none.
    """
    import psycopg

    name = f"loket_scratch_{new_id().replace('-', '')[-12:]}"
    try:
        with psycopg.connect(url, autocommit=True, **line_limits(url)) as session:
            session.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type, unused-ignore]
    except psycopg.Error as error:
        raise BackupError("no_scratch", str(error).splitlines()[0]) from None
    try:
        parts = urlsplit(url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(url, autocommit=True, **line_limits(url)) as session:
            session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type, unused-ignore]


def fill_postgres(dump: Path, url: str) -> None:
    """Restore a dump into an empty PostgreSQL database."""
    postgres_tool(["pg_restore", "--no-owner", "--no-privileges", str(dump)], url)


def replace_postgres(url: str, by: str, aside: str) -> None:
    """Let one database take the name of another, which is kept under a name of its own.

    Args:
        url: The database to be replaced; nobody may be connected to it.
        by: The one that takes its name.
        aside: What the replaced one is called from then on, at most 63 letters.

    Raises:
        BackupError: `in_use`: somebody is connected; `postgres_tool`: it may not be renamed.
    """
    import psycopg
    from psycopg import sql

    present, new = (sql.Identifier(urlsplit(each).path.lstrip("/")) for each in (url, by))
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    # Neither may be the one this session is in; both renames are one transaction.
    beside = urlunsplit(urlsplit(url)._replace(path="/postgres"))
    try:
        with psycopg.connect(beside, **line_limits(url)) as session:
            session.execute(rename.format(present, sql.Identifier(aside)))
            session.execute(rename.format(new, present))
    except psycopg.errors.ObjectInUse:
        raise BackupError("in_use") from None
    except psycopg.Error as error:
        raise BackupError("postgres_tool", str(error).splitlines()[0]) from None


def restored(opened: Opened, settings: Settings) -> Content:
    """Restore the archive's database into a scratch one and return its content.

    Raises:
        BackupError: `other_engine`: it is of PostgreSQL, and the clinic's is not; or as `fill_postgres`.
    """
    content = opened.content
    if content.engine == "sqlite":
        return look_at_file(opened.data, content.facility_code, content.made_at)
    if not settings.resolved_database_url.startswith("postgres"):
        raise BackupError("other_engine", "a PostgreSQL backup needs LOKET_DATABASE_URL=postgresql://...")
    with scratch_postgres(settings.resolved_database_url) as url:
        fill_postgres(opened.data, url)
        return look_at_url(url, content.facility_code, content.made_at)
