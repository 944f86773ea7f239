"""Files that only their owner reads: replaced as a whole, so that a cut leaves old or new content; held by one process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in one step; its folder is there already.

    Args:
        path: The file, which may be there.
        content: All of it.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    made = path.with_name(f".{path.name}.new")
    made.unlink(missing_ok=True)
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def sync_folder(folder: Path) -> None:
    """Have the disk remember the names in a folder: a file that was made or replaced there outlives a power cut.

    Raises:
        OSError: It cannot.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a file alone among all processes, waiting for whoever has it; yields its handle, open for reading and writing.

    Args:
        path: The file; it is made where it is not there.

    Raises:
        OSError: It cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)
