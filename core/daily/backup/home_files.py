"""Files that belong to the clinic beside its database and make a restored machine the same one.

The SSH door's host key and the clinic's certificate authority (with others every counter would refuse to connect), the key of the audit
chains, the clinic's own forms, what routing learned. The door's credential stays behind: it is made anew at the
next start.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.foundation.audit_files import HEAD_FILE, KEY_FILE, RESTORED_FILE
from core.foundation.audit_reads import HEAD_FILE as READS_HEAD
from core.foundation.audit_reads import READS_FILE
from core.foundation.errors import BackupError
from core.foundation.migrations import copy_sqlite
from core.foundation.private_files import write_private

PREFIX = "home"
"""Folder of these files in the archive."""
KEPT = (
    "ssh_host_ed25519_key",
    KEY_FILE,
    "routing-model.json",
    "forms/*.toml",
    "tls/ca.*",
    "backup-signer.key",
)
"""Patterns below the data folder."""
BOUND = "door.token"
"""Belongs to the database it was made with, and opens the door: never in a backup, made anew at the next start.
The key of the audit chains is bound to it too, where the backup has one."""
MAX_BYTES = 4 * 2**20
"""Of one such file."""


def files_of(home: Path) -> Iterator[tuple[Path, str]]:
    """Each file that is there, and its name in the archive."""
    for pattern in KEPT:
        for file in sorted(home.glob(pattern)):
            if file.is_file() and file.stat().st_size <= MAX_BYTES:
                yield file, f"{PREFIX}/{file.relative_to(home).as_posix()}"


def copied_reads(home: Path, copy: Path) -> list[tuple[Path, str]]:
    """Return a consistent copy of the log of reads and its name in the archive; nothing when there is none.

    Args:
        home: The data folder.
        copy: Where the copy may stand meanwhile.
    """
    if not (home / READS_FILE).exists():
        return []
    copy_sqlite(home / READS_FILE, copy)
    return [(copy, f"{PREFIX}/{READS_FILE}")]


def extract_reads(archive: tarfile.TarFile, folder: Path) -> None:
    """Put an archive's log of reads, which may be large, below `folder`.

    Args:
        archive: The archive being opened.
        folder: Where its files go.
    """
    try:
        stored = archive.extractfile(f"{PREFIX}/{READS_FILE}")
    except KeyError:
        return  # of before there was one
    if stored is None:
        return
    target = folder / PREFIX / READS_FILE
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("wb") as writer:
        os.fchmod(writer.fileno(), 0o600)
        shutil.copyfileobj(stored, writer)


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


def put_back(
    folder: Path, home: Path, recovery_file: Path, recovery_public: str, noted: dict[str, str]
) -> None:
    """Give a restored data folder what it lacks; what is there stays, but for what is bound to the database.

    Args:
        folder: Where an archive was extracted.
        home: The data folder.
        recovery_file: Where the public half of the recovery key stands.
        recovery_public: That of the key that opened the backup: later ones are made for it too.
        noted: Facts of the restore (`restore_facts`); the next start writes them into the audit log.
    """
    (home / BOUND).unlink(missing_ok=True)
    source = folder / PREFIX
    if (source / KEY_FILE).exists():
        (home / KEY_FILE).unlink(missing_ok=True)
    if (source / READS_FILE).exists() and not (home / READS_FILE).exists():
        shutil.copyfile(
            source / READS_FILE, home / READS_FILE
        )  # reads of after the backup are never given up
        (home / READS_FILE).chmod(0o600)
        (home / READS_HEAD).unlink(missing_ok=True)
    # The head is that of the rows that are gone now; the next start notes the restore in its place.
    _write(home / RESTORED_FILE, json.dumps(noted, ensure_ascii=False).encode())
    (home / HEAD_FILE).unlink(missing_ok=True)
    for pattern in KEPT:
        for file in source.glob(pattern):
            target = home / file.relative_to(source)
            if not target.exists():
                _write(target, file.read_bytes())
    if not recovery_file.exists():
        recovery_file.write_text(f"{recovery_public}\n", "utf-8")


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(target, content)
