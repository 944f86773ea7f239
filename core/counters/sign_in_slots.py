"""Slots of those who open a counter's store by a password: one for each person who has signed in here while the core was there.

A slot holds the store's key, encrypted under a key that Argon2id makes of the password and, where the machine has one,
of a secret on a token or in its TPM. No hash of a password comes from the core. Five wrong guesses close the store, until
the core opens it again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.foundation.errors import NotSignedInError, TooManyAttemptsError
from core.foundation.private_files import sync_folder, write_private

FILE = "slots.json"
GUESSES_FILE = "guesses"
MOST_GUESSES = 5
"""Wrong passwords in a row, of whomever, after which the store stays closed."""
CLOSED_SECONDS = 3600
"""Wait that somebody is told who is refused then: by then the core may be back."""
PASSES = 3
MEMORY_KIB = 64 * 1024
"""The second choice of RFC 9106 section 4: a small machine has so much to spare at a sign-in."""
LANES = 4
SALT_BYTES = 16
NONCE_BYTES = 12
KEY_BYTES = 32


@dataclass(frozen=True)
class OpenedSlot:
    """A slot that a password has opened."""

    account_id: str
    key: bytes
    """The store's."""


class SignInSlots:
    """The slots of one machine."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        """Args: `folder` on the disk; `secret` of the machine, empty where it has none."""
        self._file = folder / FILE
        self._guesses = folder / GUESSES_FILE
        self._secret = secret

    def put(self, username: str, account_id: str, password: str, key: bytes) -> None:
        """Let a person open the store from now on, whose password the core has just accepted.

        Args:
            username: As signed in.
            account_id: The account.
            password: Its password.
            key: The store's key.

        Raises:
            OSError: The disk cannot be written.
        """
        slots = self._read()
        salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
        name = _name(username)
        sealed = AESGCM(self._key_of(password, salt)).encrypt(nonce, key, name.encode())
        slots[name] = {
            "account": account_id,
            "salt": _text(salt),
            "nonce": _text(nonce),
            "sealed": _text(sealed),
        }
        self._write(slots)
        self.forgive()

    def open(self, username: str, password: str) -> OpenedSlot:
        """Return what a password opens.

        Args:
            username: As typed.
            password: As typed.

        Raises:
            NotSignedInError: It does not fit, or this person has not signed in here before.
            TooManyAttemptsError: Too many did not.
        """
        self.require_open()
        name = _name(username)
        slot = self._read().get(name)
        if slot is None:
            self._key_of(password, b"\0" * SALT_BYTES)  # an unknown name costs as much time
        else:
            cipher = AESGCM(self._key_of(password, _bytes(slot["salt"])))
            try:
                key = cipher.decrypt(_bytes(slot["nonce"]), _bytes(slot["sealed"]), name.encode())
            except InvalidTag:
                pass
            else:
                self.forgive()
                return OpenedSlot(slot["account"], key)
        self._count()
        raise NotSignedInError("wrong name or password")

    def require_open(self) -> None:
        """Refuse whoever tries after too many wrong guesses.

        Raises:
            TooManyAttemptsError: The store is closed until the core opens it.
        """
        if self.is_closed():
            raise TooManyAttemptsError(CLOSED_SECONDS)

    def is_closed(self) -> bool:
        """Return whether too many guesses were wrong."""
        return self._wrong() >= MOST_GUESSES

    def knows(self, username: str) -> bool:
        """Return whether this person has signed in here before."""
        return _name(username) in self._read()

    def accounts(self) -> set[str]:
        """Return the ids of the accounts that have a slot."""
        return {slot["account"] for slot in self._read().values()}

    def forgive(self) -> None:
        """Forget the wrong guesses."""
        self._guesses.unlink(missing_ok=True)

    def keep_only(self, accounts: set[str]) -> None:
        """Take the slots of all other accounts away: they were disabled, or have another role now."""
        slots = self._read()
        kept = {name: slot for name, slot in slots.items() if slot["account"] in accounts}
        if kept != slots:
            self._write(kept)

    def clear(self) -> None:
        """Take all slots away: the store has another key, or none."""
        self._write({})

    def _count(self) -> None:
        write_private(self._guesses, str(self._wrong() + 1).encode())
        sync_folder(self._guesses.parent)

    def _wrong(self) -> int:
        try:
            return int(self._guesses.read_text("ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            return MOST_GUESSES

    def _key_of(self, password: str, salt: bytes) -> bytes:
        slow = hash_secret_raw(
            password.encode(), salt, PASSES, MEMORY_KIB, parallelism=LANES, hash_len=KEY_BYTES, type=Type.ID
        )
        kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=self._secret or None, info=b"loket counter slot")
        return kdf.derive(slow)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            slots: dict[str, dict[str, Any]] = json.loads(self._file.read_text("ascii"))
        except (OSError, ValueError):
            return {}
        return slots

    def _write(self, slots: dict[str, dict[str, Any]]) -> None:
        write_private(self._file, json.dumps(slots).encode())
        sync_folder(self._file.parent)


def _name(username: str) -> str:
    """Return the name of a slot: who works at a counter is not written on its disk in plain words."""
    return hashlib.sha256(username.strip().lower().encode()).hexdigest()[:32]


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
