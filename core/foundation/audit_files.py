"""The two small files that hold the audit chains against whoever can write to the database.

`audit.key` (0600) keys the hash of each row: without it a chain cannot be computed again after a
row was changed. The head files keep, outside the database, how many rows each chain has and the
hash of the newest: without them nobody would see that the last rows, or all, were taken away.
Both travel in each backup, which is encrypted to the recovery key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from core.foundation.private_files import locked, sync_folder

KEY_FILE = "audit.key"
HEAD_FILE = "audit.head"
RESTORED_FILE = "audit.restored"
"""Left by a restore: the next start writes into the log that rows after the backup are gone, who restored and why."""
HEAD_BYTES = 192  # a head of fixed size within one sector: it is old or new after a power loss, never half
SYNC_SECONDS = 1.0  # how often a head is flushed to the disk itself; one that is behind is no fault


def restore_facts(noted: str) -> dict[str, str]:
    """Return what a restore left in `RESTORED_FILE`: `backup`, and since there are reasons `reason` and `by`."""
    try:
        facts = json.loads(noted)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        return {"backup": noted.strip()[:200]}
    return {str(name): str(value)[:200] for name, value in facts.items()}


@dataclass(frozen=True)
class Head:
    """The newest row of a chain."""

    sequence: int
    """Its number, which is also how many rows the chain has had."""
    hash: str


class AuditKey:
    """The key of a clinic's audit chains."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.fingerprint = hashlib.sha256(b"loket audit key" + secret).hexdigest()[:16]
        """Tells one key from another; says nothing about it."""

    def digest(self, text: str) -> str:
        """Return the keyed hash of a text, hexadecimal."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def read_or_make_key(home: Path) -> AuditKey:
    """Return the key in the data folder; a new one, readable by its owner alone, where there is none.

    Raises:
        OSError: The folder cannot be written, or the key not be read.
    """
    file = home / KEY_FILE
    if (known := _read_key(file)) is not None:
        return known
    part = home / f"{KEY_FILE}.{secrets.token_hex(4)}"
    _write_new(part, secrets.token_hex(32).encode() + b"\n")
    try:
        os.link(part, file)  # of two processes that start at once the first one's key stays
    except FileExistsError:
        if _read_key(file) is None:  # there, but no key of ours: it cannot have made any row
            os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(home)
    made = _read_key(file)
    if made is None:
        raise OSError(f"{file} cannot be read")
    return made


def _read_key(file: Path) -> AuditKey | None:
    try:
        secret = bytes.fromhex(file.read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        return None
    return AuditKey(secret) if len(secret) == 32 else None


class HeadFile:
    """Keeps a chain's head outside its database; several processes may move it on."""

    def __init__(self, path: Path, key: AuditKey) -> None:
        self.path = path
        self._key = key
        self._synced_at = 0.0

    def exists(self) -> bool:
        """Return whether there is one, readable or not."""
        return self.path.exists()

    def read(self) -> Head | None:
        """Return the head; None when there is none, or when it was not written with the key."""
        try:
            return self._parsed(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def advance(self, head: Head) -> None:
        """Note a newer head; an older one changes nothing."""
        with locked(self.path) as handle:
            known = self._parsed(os.pread(handle, HEAD_BYTES, 0))
            if known is not None and known.sequence >= head.sequence:
                return
            self._write(handle, head)

    def replace(self, head: Head) -> None:
        """Note a head whatever was there: at the beginning of a chain and after a restore."""
        with locked(self.path) as handle:
            self._synced_at = 0.0
            self._write(handle, head)
        sync_folder(self.path.parent)

    def _write(self, handle: int, head: Head) -> None:
        text = f"{head.sequence} {head.hash}"
        line = f"{text} {self._key.digest('head ' + text)}".encode()
        os.pwrite(handle, line.ljust(HEAD_BYTES - 1) + b"\n", 0)
        now = time.monotonic()
        if now - self._synced_at >= SYNC_SECONDS:
            os.fsync(handle)
            self._synced_at = now

    def _parsed(self, content: bytes) -> Head | None:
        words = content.decode("ascii", "replace").split()
        if len(words) != 3 or not words[0].isdigit():
            return None
        expected = self._key.digest(f"head {words[0]} {words[1]}")
        if not hmac.compare_digest(words[2].encode(), expected.encode()):
            return None
        return Head(int(words[0]), words[1])


def _write_new(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())
