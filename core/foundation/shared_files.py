"""Files of the data folder that all servers of one PostgreSQL share, so that whichever closes the day can.

The keys of the audit chain and of the backups, the SSH door's host key, the certificate authority, the clinic's own
forms and what routing learned. They stand in the database, encrypted to a key that is not in it: `servers.key`, which the first
server makes and the admin copies into the data folder of each further one. Whoever reads the database alone can
forge no audit row and no backup. On SQLite there is one server, and nothing to share.
"""

from __future__ import annotations

import hashlib
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import peewee
import pyrage

from core.foundation import audit_reads, clock, high_water
from core.foundation.audit_chain import GENESIS
from core.foundation.audit_files import HEAD_FILE, Head, HeadFile, read_or_make_key
from core.foundation.audit_files import KEY_FILE as AUDIT_KEY
from core.foundation.config import Settings
from core.foundation.database import ADVISORY_WRITER, database_apart, instant_text
from core.foundation.errors import SettingsError
from core.foundation.private_files import write_private

KEY_FILE = "servers.key"
SEEN_FILE = "shared.seen"
"""The files at the last exchange: name -> digest. It tells a file that was changed here from one that was changed elsewhere."""
KEYS = (
    AUDIT_KEY,
    "backup-signer.key",
    "recovery.pub",
    "ssh_host_ed25519_key",
    "tls/ca.pem",
    "tls/ca.key",
)
"""Files that no server takes away from the others: one that is gone here comes back."""
CHANGING = ("routing-model.json", "forms/*.toml")
"""Patterns of files that may be changed, added and removed on any server."""
READS = tuple(f"{audit_reads.READS_FILE}{suffix}" for suffix in ("", "-wal", "-shm"))
BOUND = {
    AUDIT_KEY: (HEAD_FILE, *READS, audit_reads.HEAD_FILE),
    "tls/ca.pem": ("tls/server.pem", "tls/server.key"),
}
"""File -> files that were made with the one it replaces, and go with it."""
MAX_BYTES = 4 * 2**20
STAMP = "%Y%m%dT%H%M%SZ"
SERVER_PREFIX, FILE_PREFIX, RECIPIENT = "server:", "file:", "servers"
"""Names in the table `state`."""
HEARD_WITHIN = timedelta(days=1)
"""A server that was not heard of for longer is none any more."""


@dataclass(frozen=True)
class OtherServer:
    """A server of the same database."""

    name: str
    """Of its machine."""
    heard_at: datetime


@dataclass(frozen=True)
class _Stored:
    """A file as the database has it."""

    digest: str
    content: str
    """Encrypted, base64."""


def exchange(opened: peewee.Database, settings: Settings, *, demo: bool = False) -> list[str]:
    """Bring the data folder and the database to the same files, and say that this server is there.

    A file that was changed on one side only wins; where both were, the database's does, and the own one stays beside it.

    Args:
        opened: The clinic's PostgreSQL, open; on SQLite nothing is done.
        settings: The clinic's.
        demo: Whether its people are made up: then the key may stand in the database too.

    Returns:
        Names of the files that came from the other servers.

    Raises:
        SettingsError: The servers' key is not here.
        OSError: The data folder cannot be written.
    """
    if isinstance(opened, peewee.SqliteDatabase) or not high_water.has_clinic(opened):
        return []
    home = settings.home
    with _alone(opened):
        identity = _identity(opened, home, demo=demo)
        _note_server(opened, home)
        theirs = _stored(opened)
        if AUDIT_KEY not in theirs and not (home / AUDIT_KEY).exists():
            _begin_head(opened, home)  # with a key made now, while no other server can make another one
        mine, seen = _local(home), _seen(home)
        came = []
        for name in sorted({*mine, *theirs, *seen}):
            if _settle(opened, home, identity, name, (mine.get(name), theirs.get(name), seen.get(name))):
                came.append(name)
        write_private(home / SEEN_FILE, json.dumps(_local(home)).encode())
    return came


def exchange_unopened(settings: Settings, *, demo: bool = False) -> list[str]:
    """Exchange files before anything else is made in the data folder: keys that are there already are not made anew.

    Args:
        settings: The clinic's.
        demo: Whether its people are made up.

    Raises:
        SettingsError: The servers' key is not here.
    """
    url = settings.resolved_database_url
    if url.startswith("sqlite"):
        return []
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with database_apart(url) as opened:
            return exchange(opened, settings, demo=demo)
    except peewee.DatabaseError:
        return []  # the start that follows says why the database cannot be used


def others(opened: peewee.Database, home: Path) -> list[OtherServer]:
    """Return the other servers of the database that were heard of lately.

    Args:
        opened: The clinic's database.
        home: The data folder of this server.
    """
    rows = _rows(opened, SERVER_PREFIX)
    own = _server_key(home)
    found = [
        OtherServer(value["name"], datetime.fromisoformat(value["at"]))
        for key, value in rows.items()
        if key != own
    ]
    return [server for server in found if clock.now() - server.heard_at < HEARD_WITHIN]


@contextmanager
def _alone(opened: peewee.Database) -> Iterator[None]:
    """Let no other server save or exchange meanwhile."""
    with opened.atomic():
        opened.execute_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_WRITER})")
        yield


def _identity(opened: peewee.Database, home: Path, *, demo: bool) -> Any:
    """Return the servers' key; the first server of a database makes it.

    Raises:
        SettingsError: It is another server's, and not here.
    """
    file = home / KEY_FILE
    known = _rows(opened, RECIPIENT).get(RECIPIENT)
    if known is not None and demo and "demo_key" in known and not file.exists():
        write_private(file, f"{known['demo_key']}\n".encode())
    identity = _read_key(file)
    if known is not None:
        if identity is None or str(identity.to_public()) != known["recipient"]:
            raise SettingsError(
                "Another server of this database has the servers' key. Copy {file} from its data folder into {home} "
                "(chmod 600), then start again.",
                file=KEY_FILE,
                home=home,
            )
        return identity
    if identity is None:
        identity = pyrage.x25519.Identity.generate()
        write_private(file, f"{identity}\n".encode())
    value = {"recipient": str(identity.to_public())} | ({"demo_key": str(identity)} if demo else {})
    _put(opened, RECIPIENT, value)
    return identity


def _read_key(file: Path) -> Any:
    try:
        return pyrage.x25519.Identity.from_str(file.read_text("ascii").strip())
    except FileNotFoundError:
        return None
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise SettingsError("{file} is no key of the servers.", file=file) from None


def _note_server(opened: peewee.Database, home: Path) -> None:
    _put(opened, _server_key(home), {"name": socket.gethostname(), "at": instant_text(clock.now())})


def _server_key(home: Path) -> str:
    place = f"{socket.gethostname()} {home.resolve()}"
    return SERVER_PREFIX + hashlib.sha256(place.encode()).hexdigest()[:16]


def _local(home: Path) -> dict[str, str]:
    """Return name -> digest of the files that are here."""
    files = [home / name for name in KEYS]
    for pattern in CHANGING:
        files += sorted(home.glob(pattern))
    return {
        file.relative_to(home).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and file.stat().st_size <= MAX_BYTES
    }


def _stored(opened: peewee.Database) -> dict[str, _Stored]:
    rows = _rows(opened, FILE_PREFIX).values()
    return {value["name"]: _Stored(value["digest"], value["content"]) for value in rows}


def _seen(home: Path) -> dict[str, str]:
    try:
        return dict(json.loads((home / SEEN_FILE).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _settle(
    opened: peewee.Database,
    home: Path,
    identity: Any,
    name: str,
    states: tuple[str | None, _Stored | None, str | None],
) -> bool:
    """Bring one file to the same on both sides; return whether it came from the other servers.

    Args:
        opened: The clinic's database.
        home: The data folder.
        identity: The servers' key.
        name: The file's name below the data folder.
        states: Its digest here, what the database has, and the digest that the last exchange saw.
    """
    mine, stored, seen = states
    theirs = stored.digest if stored else None
    if mine == theirs:
        return False
    is_mine_newer = theirs == seen and (mine is not None or name not in KEYS)
    if is_mine_newer:
        _publish(opened, home, identity, name, mine)
        return False
    _put_aside(home, name, changed_here=mine is not None and mine != seen)
    if stored is not None:
        target = home / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(target, pyrage.decrypt(b64decode(stored.content), [identity]))
    if name == AUDIT_KEY:
        _begin_head(opened, home)
    return True


def _begin_head(opened: peewee.Database, home: Path) -> None:
    """Let this server's look at the audit chain begin at the row that is the newest now."""
    sql = "SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1"
    sequence, hash_ = opened.execute_sql(sql).fetchone() or (0, GENESIS)
    HeadFile(home / HEAD_FILE, read_or_make_key(home)).replace(Head(sequence, hash_))


def _publish(opened: peewee.Database, home: Path, identity: Any, name: str, digest: str | None) -> None:
    """Put a file of this server into the database, or take it away there."""
    key = FILE_PREFIX + hashlib.sha256(name.encode()).hexdigest()[:24]
    if digest is None:
        opened.execute_sql("DELETE FROM state WHERE key = %s", (key,))
        return
    sealed = pyrage.encrypt((home / name).read_bytes(), [identity.to_public()])
    _put(opened, key, {"name": name, "digest": digest, "content": b64encode(sealed).decode()})


def _put_aside(home: Path, name: str, *, changed_here: bool) -> None:
    """Make room for another server's file; an own one that was never shared stays beside it."""
    stamp = clock.now().strftime(STAMP)
    gone = [home / name, *(home / bound for bound in BOUND.get(name, ()))]
    for file in gone:
        if not file.exists():
            continue
        if changed_here:
            file.rename(file.with_name(f"{file.name}.before-{stamp}"))
        else:
            file.unlink()


def _rows(opened: peewee.Database, prefix: str) -> Mapping[str, dict[str, Any]]:
    rows = opened.execute_sql("SELECT key, value FROM state WHERE key LIKE %s", (f"{prefix}%",)).fetchall()
    return {key: json.loads(value) for key, value in rows}


def _put(opened: peewee.Database, key: str, value: dict[str, Any]) -> None:
    opened.execute_sql(
        "INSERT INTO state (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, json.dumps(value, sort_keys=True, separators=(",", ":"))),
    )
