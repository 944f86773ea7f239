"""The store of a counter's machine on its disk: a sealed copy of the database, and a sealed log of what changed since.

The database itself is open in memory only. The changeset of each transaction is sealed and on the disk before the
transaction commits, so nothing is confirmed that a power cut could take. Everything is encrypted and bound to its place
(AES-256-GCM): a frame that was cut short at the end is left out, since nobody was told of it; any other that does not
open means that the files were changed, and is said.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.foundation.errors import DatabaseError
from core.foundation.private_files import sync_folder, write_private

BASE_FILE = "store.base"
LOG_FILE = "store-{generation}.log"
LOGS = "store-*.log"
KEY_BYTES = 32
NONCE_BYTES = 12
GENERATION_BYTES = 8
LENGTH = struct.Struct(">I")
"""Length of a frame, before it."""
MOST_LOG_BYTES = 8 * 2**20
"""Above it the log is folded into a new base: opening reads no more than this besides it."""
LEVEL = 1
"""Of compression: a small machine has to do it at each transaction."""


class SealedStore:
    """The files of one store, opened with its key."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._cipher = AESGCM(key)
        self._generation = b""
        self._log: int | None = None
        self._place = 0
        self.log_bytes = 0
        """Length of the log."""

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether a folder holds a store."""
        return (folder / BASE_FILE).exists()

    def begin(self, image: bytes) -> None:
        """Keep a new copy of the database, and begin a new log; the store before is there until this one is whole.

        Args:
            image: The database file.

        Raises:
            OSError: The disk cannot be written.
        """
        generation = os.urandom(GENERATION_BYTES)
        sealed = self._sealed(zlib.compress(image, LEVEL), b"base" + generation)
        write_private(self._folder / BASE_FILE, generation + sealed)
        sync_folder(self._folder)
        self._generation = generation
        self._open_log(os.O_TRUNC)
        for old in self._folder.glob(LOGS):
            if old != self._log_file:
                old.unlink(missing_ok=True)

    def read(self) -> tuple[bytes, list[bytes]]:
        """Return the copy of the database and the changesets after it, and go on after the last whole one.

        Raises:
            DatabaseError: `store_key`: it does not open with this key; `store_damaged`: it was changed.
            OSError: It cannot be read.
        """
        content = (self._folder / BASE_FILE).read_bytes()
        generation, sealed = content[:GENERATION_BYTES], content[GENERATION_BYTES:]
        try:
            image = zlib.decompress(self._opened(sealed, b"base" + generation))
        except InvalidTag:
            raise DatabaseError("store_key") from None
        self._generation = generation
        changes = list(self._frames())
        self._open_log(0)
        return image, changes

    def append(self, change: bytes) -> None:
        """Keep what a transaction changed; it is on the disk when this returns.

        Raises:
            OSError: The disk cannot be written: the transaction must not commit.
        """
        assert self._log is not None
        sealed = self._sealed(zlib.compress(change, LEVEL), self._bound(self._place))
        frame = LENGTH.pack(len(sealed)) + sealed
        try:
            written = os.pwrite(self._log, frame, self.log_bytes)
            if written != len(frame):
                raise OSError("the frame was not written whole")
            os.fdatasync(self._log)
        except OSError:
            os.ftruncate(self._log, self.log_bytes)
            raise
        self._place += 1
        self.log_bytes += len(frame)

    def is_long(self) -> bool:
        """Return whether the log is to be folded into a new base."""
        return self.log_bytes > MOST_LOG_BYTES

    def close(self) -> None:
        """Close the files."""
        if self._log is not None:
            os.close(self._log)
            self._log = None

    @property
    def _log_file(self) -> Path:
        return self._folder / LOG_FILE.format(generation=self._generation.hex())

    def _open_log(self, flags: int) -> None:
        self.close()
        if flags:
            self._place = self.log_bytes = 0
        self._log = os.open(self._log_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
        os.ftruncate(self._log, self.log_bytes)
        os.fsync(self._log)
        sync_folder(self._folder)

    def _frames(self) -> Iterator[bytes]:
        self._place = self.log_bytes = 0
        try:
            content = self._log_file.read_bytes()
        except FileNotFoundError:
            return
        while self.log_bytes < len(content):
            start = self.log_bytes + LENGTH.size
            (length,) = LENGTH.unpack(content[self.log_bytes : start].ljust(LENGTH.size, b"\0"))
            end = start + length
            if not length or end > len(content):
                return  # cut short: nobody was told of it
            try:
                change = zlib.decompress(self._opened(content[start:end], self._bound(self._place)))
            except InvalidTag:
                if end == len(content):
                    return  # its end was not on the disk yet
                raise DatabaseError("store_damaged", f"frame {self._place}") from None
            self._place += 1
            self.log_bytes = end
            yield change

    def _bound(self, place: int) -> bytes:
        return b"log" + self._generation + place.to_bytes(8)

    def _sealed(self, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound)

    def _opened(self, sealed: bytes, bound: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
