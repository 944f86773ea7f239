"""What belongs to the clinic beside its database: without it a restored machine would not be the same one.

The SSH door's host key (with another one every counter's `ssh` would refuse to connect), the
door's credential (its other half is in the database), the clinic's own forms, what routing learned.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.errors import BackupError

PREFIX = "home"
"""Where these files stand in the archive."""
KEPT = ("ssh_host_ed25519_key", "door.token", "routing-model.json", "forms/*.toml")
"""Patterns below the data folder."""
BOUND = "door.token"
"""Belongs to the database it was made with: what is there is replaced, or made anew at the next start."""
MAX_BYTES = 4 * 2**20
"""Of one such file."""


def files_of(home: Path) -> Iterator[tuple[Path, str]]:
    """Each file that is there, and its name in the archive."""
    for pattern in KEPT:
        for file in sorted(home.glob(pattern)):
            if file.is_file() and file.stat().st_size <= MAX_BYTES:
                yield file, f"{PREFIX}/{file.relative_to(home).as_posix()}"


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Put an archive's files below `folder`; what is none of `KEPT` is left out.

    Raises:
        BackupError: `damaged`: a file is larger than any of ours.
    """
    for member in archive.getmembers():
        name = PurePosixPath(member.name)
        if not member.isfile() or name.parts[:1] != (PREFIX,) or ".." in name.parts:
            continue
        below = PurePosixPath(*name.parts[1:])
        if not any(below.match(pattern) for pattern in KEPT):
            continue
        if member.size > MAX_BYTES:
            raise BackupError("damaged", member.name)
        stored = archive.extractfile(member)
        if stored is not None:
            _write(folder / PREFIX / below, stored.read())


def put_back(folder: Path, home: Path, recovery_file: Path, recovery_public: str) -> None:
    """Give a restored data folder what it lacks; what is there stays, but for what is bound to the database.

    Args:
        folder: Where an archive was extracted.
        home: The data folder.
        recovery_file: Where the public half of the recovery key stands.
        recovery_public: That of the key that opened the backup: later ones are made for it too.
    """
    (home / BOUND).unlink(missing_ok=True)
    source = folder / PREFIX
    for pattern in KEPT:
        for file in source.glob(pattern):
            target = home / file.relative_to(source)
            if not target.exists():
                _write(target, file.read_bytes())
    if not recovery_file.exists():
        recovery_file.write_text(f"{recovery_public}\n", "utf-8")


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f"{target.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())
    os.replace(part, target)
