"""One backup as a file: a tar.gz of the database and its manifest, encrypted with age.

`age -d -i KEY FILE | tar xz` opens it without Loket. What is inside is always judged by
opening it again: `examine` decrypts into a scratch folder and looks at the database there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import apsw
import peewee
import pyrage
from playhouse.migrations import Runner

from core.daily.backup import home_files
from core.foundation import signatures
from core.foundation.database import watched
from core.foundation.errors import BackupError
from core.foundation.high_water import clinic_id
from core.foundation.journal import epochs, positions
from core.foundation.migrations import FOLDER

MANIFEST = "manifest.json"
SQLITE_MEMBER = "loket.sqlite3"
POSTGRES_MEMBER = "loket.dump"
FORMAT = 1
MAX_SIGNATURE = 1024 * 1024  # bytes
CHUNK = 1024 * 1024  # bytes


@dataclass(frozen=True)
class Content:
    """The content of a copy of the database; the manifest inside the archive."""

    engine: str
    """`sqlite` or `postgres`."""
    facility_code: str
    made_at: str
    """ISO instant."""
    schema: list[str]
    """Migrations applied, in order."""
    counts: dict[str, int]
    """Table -> rows."""
    newest_change: int
    """Last sequence of the change feed."""
    newest_audit: int
    """Last sequence of the audit log."""
    format: int = FORMAT
    made_for: str = ""
    """Why it was made: `closing`, `hand`, `upgrade`; empty in older ones."""
    clinic: str = ""
    """The clinic's id; empty in older ones."""
    line: str = ""
    """The line of the journal that goes on from it; empty: none does."""
    number: int = 0
    """Of the last transaction of that line that it holds."""
    epoch: int = 0
    """How often the clinic had moved to another machine by then."""

    def same_data(self, other: Content) -> bool:
        """Return whether two looks at a database saw the same rows."""
        return (self.counts, self.newest_change, self.newest_audit, self.schema) == (
            other.counts,
            other.newest_change,
            other.newest_audit,
            other.schema,
        )


@dataclass(frozen=True)
class Opened:
    """An archive that was decrypted into a folder."""

    content: Content
    """Its manifest."""
    data: Path
    """The SQLite file or PostgreSQL dump."""
    folder: Path = field(repr=False)
    signer: str = ""
    """Fingerprint of who signed it; empty when nobody did."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn a full or failing disk, or a database that it damaged, into one plain error.

    Raises:
        BackupError: `disk_full`, `disk` or `database_damaged`.
    """
    try:
        yield
    except apsw.FullError:
        raise BackupError("disk_full") from None
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise BackupError("database_damaged", str(error)) from None
    except apsw.IOError as error:
        raise BackupError("disk", str(error)) from None
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise BackupError("disk_full" if full else "disk", error.strerror or type(error).__name__) from None


def pack(data: Path, content: Content, home: Path, target: Path, recipients: list[Any]) -> None:
    """Write data, manifest and the data folder's own files as an encrypted archive, flushed to the disk.

    Args:
        data: The copy of the database.
        content: Its manifest.
        home: The data folder.
        target: The archive; what is packed lies beside it meanwhile.
        recipients: Keys of age that open it.

    Raises:
        BackupError: The disk is full or fails.
    """
    plain = target.with_suffix(".plain")
    try:
        with storage_errors():
            manifest = target.with_suffix(".manifest")
            manifest.write_text(json.dumps(asdict(content)), "utf-8")
            reads = home_files.copied_reads(home, target.with_suffix(".reads"))
            signature = target.with_suffix(".signature")
            signer = signatures.signer_of(home)
            parts = [
                (manifest, MANIFEST),
                (data, SQLITE_MEMBER if content.engine == "sqlite" else POSTGRES_MEMBER),
                *home_files.files_of(home),
                *reads,
            ]
            signature.write_text(signatures.sign(signer, parts), "utf-8")
            with tarfile.open(plain, "w:gz", compresslevel=6) as archive:
                for file, name in [*parts, (signature, signatures.MEMBER)]:
                    archive.add(file, name)
            for file in (manifest, signature, *(copy for copy, _ in reads)):
                file.unlink()
            with plain.open("rb") as reader, target.open("wb") as writer:
                os.fchmod(writer.fileno(), 0o600)
                pyrage.encrypt_io(reader, writer, recipients)
                writer.flush()
                os.fsync(writer.fileno())
    finally:
        plain.unlink(missing_ok=True)


def identity(key_text: str) -> Any:
    """Read the recovery key from its text; comment lines of a key file are left out.

    Raises:
        BackupError: `wrong_key`: that is no recovery key.
    """
    lines = [line.strip() for line in key_text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return pyrage.x25519.Identity.from_str(lines[0] if lines else "")
    except pyrage.IdentityError:
        raise BackupError("wrong_key", "this is not a recovery key (AGE-SECRET-KEY-...)") from None


def unpack(file: Path, key: Any, folder: Path) -> Opened:
    """Decrypt an archive into `folder`.

    Args:
        file: The archive.
        key: The recovery key, as age reads it.
        folder: Gets what was packed.

    Raises:
        BackupError: `missing`, `wrong_key`, `damaged`, `newer_format`, or the disk's.
    """
    if not file.is_file():
        raise BackupError("missing", str(file))
    plain = folder / "plain.tar.gz"
    with storage_errors():
        reader, writer = file.open("rb"), plain.open("wb")
    with reader, writer:
        try:
            pyrage.decrypt_io(reader, writer, [key])
        except pyrage.DecryptError as error:
            wrong = "No matching keys" in str(error)
            raise BackupError("wrong_key" if wrong else "damaged", file.name) from None
        except OSError as error:
            if error.errno is not None:
                with storage_errors():
                    raise
            raise BackupError("damaged", file.name) from None
    try:
        return _extract(plain, folder)
    except (tarfile.TarError, EOFError, KeyError, TypeError, ValueError):
        raise BackupError("damaged", file.name) from None
    finally:
        plain.unlink(missing_ok=True)


def _extract(plain: Path, folder: Path) -> Opened:
    with tarfile.open(plain, "r:gz") as archive:
        manifest = archive.extractfile(MANIFEST)
        if manifest is None:
            raise KeyError(MANIFEST)
        values = json.loads(manifest.read())
        if values.get("format") != FORMAT:
            raise BackupError("newer_format", str(values.get("format")))
        content = Content(**values)
        member = SQLITE_MEMBER if content.engine == "sqlite" else POSTGRES_MEMBER
        stored = archive.extractfile(member)
        if stored is None:
            raise KeyError(member)
        data = folder / member
        with storage_errors(), data.open("wb") as writer:
            os.fchmod(writer.fileno(), 0o600)
            while chunk := stored.read(CHUNK):
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        with storage_errors():
            home_files.extract(archive, folder)
            home_files.extract_reads(archive, folder)
        return Opened(content, data, folder, _signer(archive, folder, data))


def _signer(archive: tarfile.TarFile, folder: Path, data: Path) -> str:
    """Return who signed what was extracted; empty for archives of before there were signatures."""
    if signatures.MEMBER not in archive.getnames():
        return ""
    document, manifest = archive.extractfile(signatures.MEMBER), archive.extractfile(MANIFEST)
    if document is None or manifest is None:
        raise KeyError(signatures.MEMBER)
    kept = folder / MANIFEST
    kept.write_bytes(manifest.read())
    home = folder / home_files.PREFIX
    extracted = {MANIFEST: kept, data.name: data}
    extracted |= {
        f"{home_files.PREFIX}/{file.relative_to(home).as_posix()}": file
        for file in home.rglob("*")
        if file.is_file()
    }
    with storage_errors():
        return signatures.signer_in(document.read(MAX_SIGNATURE), extracted)


def look(database: peewee.Database, facility_code: str, made_at: str, made_for: str = "") -> Content:
    """Count everything in an open database.

    Args:
        database: The database.
        facility_code: Whose it is.
        made_at: ISO instant of the look.
        made_for: Why it is looked at, for the manifest.

    Raises:
        BackupError: `damaged`: SQLite's own check finds a fault, or a table is missing.
    """
    sqlite = isinstance(database, peewee.SqliteDatabase)
    try:
        if sqlite:
            verdict = database.execute_sql("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise BackupError("damaged", "integrity check")
        counts = {
            table: database.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0]  # noqa: S608
            for table in sorted(database.get_tables())
            if not table.startswith("sqlite_")
        }
        schema = [step.name for step in Runner(database, str(FOLDER)).status() if step.applied is not None]
        newest = [
            database.execute_sql(f"SELECT COALESCE(MAX(sequence), 0) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("change", "audit_event")
        ]
        epoch = epochs.own(database) if "state" in counts else 0
        line, number = _place_in_journal(database) if sqlite and positions.RECORDS in counts else ("", 0)
    except (peewee.DatabaseError, apsw.Error):
        raise BackupError("damaged", "the database cannot be read") from None
    engine = "sqlite" if sqlite else "postgres"
    return Content(
        engine,
        facility_code,
        made_at,
        schema,
        counts,
        newest_change=newest[0],
        newest_audit=newest[1],
        made_for=made_for,
        clinic=clinic_id(database),
        line=line,
        number=number,
        epoch=epoch,
    )


def _place_in_journal(database: peewee.Database) -> tuple[str, int]:
    """Return the line of a database and its number in it; an empty line where it has none."""
    position = positions.read(database.connection())
    return ("", 0) if position is None else (position.line, position.number)


def sha256_of(file: Path) -> str:
    """Hexadecimal digest of a file as it is on the disk."""
    total = hashlib.sha256()
    with storage_errors(), file.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def postgres_tool(arguments: list[str], url: str) -> None:
    """Run one of PostgreSQL's own tools on a database; its password is not on the command line.

    Raises:
        BackupError: `postgres_tool`: it is not installed or failed, with its last line.
    """
    parts = urlsplit(url)
    person, _at, place = parts.netloc.rpartition("@")
    user, _colon, password = person.partition(":")
    bare = watched(urlunsplit(parts._replace(netloc=f"{user}@{place}" if user else place)))
    try:
        done = subprocess.run(
            [*arguments, f"--dbname={bare}"],
            env=os.environ | ({"PGPASSWORD": unquote(password)} if password else {}),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise BackupError("postgres_tool", f"{arguments[0]} is not installed") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BackupError("postgres_tool", lines[-1][:300])
