"""Half-typed forms on the counter's own disk, for while the core does not answer.

A form that could not be saved by the core lies here, encrypted with a key that Argon2id makes of the password: who
takes the machine away reads nothing, and the same person finds the form again after the next sign-in.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pydantic import ValidationError

from core.foundation import clock
from core.foundation.private_files import sync_folder, write_private
from core.schemas.registration import DraftOut

SALT_FILE = "salt"
SALT_BYTES = 16
NONCE_BYTES = 12
"""Of ChaCha20-Poly1305 (RFC 8439 2.8)."""
KEY_BYTES = 32
PASSES = 2
MEMORY_KIB = 19 * 1024
"""With `PASSES` the least that OWASP's password storage page asks of Argon2id: a counter's machine is small."""
KEPT_FOR = timedelta(days=7)
"""Afterwards a form is nobody's any more."""
MOST_FORMS = 50
"""Of one person; the oldest goes first."""


class KeptDrafts:
    """The forms of the person who is signed in, one file each, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._root = folder
        self._username = ""
        self._folder: Path | None = None
        self._cipher: ChaCha20Poly1305 | None = None

    def unlock(self, username: str, password: str) -> None:
        """Open a person's forms once the core has accepted the password, and take away those that are too old.

        A folder that cannot be made keeps nothing: the form is then as safe as without it.

        Args:
            username: Name of the account.
            password: Its password.
        """
        folder = self._root / hashlib.sha256(username.encode()).hexdigest()[:16]
        try:
            salt = _salt_of(folder)
        except OSError:
            self.lock()
            return
        key = hash_secret_raw(
            password.encode(), salt, PASSES, MEMORY_KIB, parallelism=1, hash_len=KEY_BYTES, type=Type.ID
        )
        self._username, self._folder, self._cipher = username, folder, ChaCha20Poly1305(key)
        self._tidy()

    def change_password(self, password: str) -> None:
        """Seal the forms of whoever is signed in anew, for another password."""
        drafts = [draft for draft in map(self._read, self._files()) if draft is not None]
        self.unlock(self._username, password)
        for draft in drafts:
            self.save(draft.key, draft.data)

    def lock(self) -> None:
        """Forget the key."""
        self._folder = self._cipher = None

    def save(self, key: str, data: Mapping[str, Any]) -> bool:
        """Keep a form, and return whether it is on the disk.

        Args:
            key: Key of the draft.
            data: The form, as `PUT drafts/{key}` takes it.
        """
        if self._folder is None or self._cipher is None:
            return False
        draft = DraftOut(key=key, data=dict(data), saved_at=clock.now())
        nonce = os.urandom(NONCE_BYTES)
        file = self._file_of(key)
        # Bound to its file's name: one that was put in another's place does not open.
        sealed = self._cipher.encrypt(nonce, draft.model_dump_json().encode(), file.name.encode())
        try:
            write_private(file, nonce + sealed)
            sync_folder(self._folder)
        except OSError:
            return False
        return True

    def drop(self, key: str) -> None:
        """Delete a form: the core has it, or nobody wants it."""
        if self._folder is not None:
            _remove(self._file_of(key))

    def get(self, key: str) -> DraftOut | None:
        """Return a form; None when there is none, or it was sealed with another password."""
        return self._read(self._file_of(key)) if self._folder is not None else None

    def all(self, kind: str) -> list[DraftOut]:
        """Return the forms of one kind, the newest first.

        Args:
            kind: Beginning of their keys, as `GET drafts` takes it.
        """
        read = [self._read(file) for file in self._files()]
        return [draft for draft in read if draft is not None and draft.key.partition(":")[0] == kind]

    def _file_of(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.draft"

    def _files(self) -> list[Path]:
        if self._folder is None:
            return []
        return sorted(self._folder.glob("*.draft"), key=_written_at, reverse=True)

    def _read(self, file: Path) -> DraftOut | None:
        assert self._cipher is not None
        try:
            sealed = file.read_bytes()
            opened = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], file.name.encode())
            return DraftOut.model_validate(json.loads(opened))
        except (OSError, InvalidTag, ValueError, ValidationError):
            return None

    def _tidy(self) -> None:
        oldest = (clock.now() - KEPT_FOR).timestamp()
        for place, file in enumerate(self._files()):
            if place >= MOST_FORMS or _written_at(file) < oldest:
                _remove(file)


def _written_at(file: Path) -> float:
    """Return when a file was written, in seconds; 0 when another terminal has taken it away meanwhile."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _remove(file: Path) -> None:
    """Delete a form that is not needed any more; where the disk refuses, it stays sealed until it is too old."""
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _salt_of(folder: Path) -> bytes:
    """Return the salt of a person's key; it is made at the first sign-in here."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / SALT_FILE
    if not file.exists():
        write_private(file, os.urandom(SALT_BYTES))
        sync_folder(folder)
    return file.read_bytes()
