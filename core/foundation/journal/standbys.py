"""The files of standbys in the journal's folder: the key that the journal is encrypted to for them, and their position.

The key's public half is signed with the signer of the clinic's backups. A standby has that signer from the first base,
which only the recovery key opens; so whoever can write into the folder and no more is given nothing.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature

from core.foundation import signatures
from core.foundation.errors import BackupError, DatabaseError
from core.foundation.private_files import write_private

CONTEXT = b"loket standby 1\n"
PAIRING = "standby-{name}.pairing"
NOTE = "standby-{name}.note"
NAME = re.compile(r"^[A-Za-z0-9-]{1,40}$")
FOLDER = "standby"
"""In a standby's data folder: what it has followed so far."""


@dataclass(frozen=True)
class StandbyNote:
    """The position of a standby."""

    name: str
    line: str
    number: int
    """Of the last record that it holds."""
    moment: str
    """ISO instant of that record; of the base where there was none."""
    waiting: int
    """Records in the folder that it does not hold."""
    looked_at: str
    """ISO instant at which it last looked into the folder."""


def pair(folder: Path, home_of_signer: Path, name: str, recipient: str) -> None:
    """Leave a standby's public key in the folder.

    Args:
        folder: The journal's.
        home_of_signer: Where the signer of the clinic's backups stands.
        name: The standby's.
        recipient: Public half of its key.

    Raises:
        BackupError: `no_signer`.
        OSError: The folder cannot be written.
    """
    signature = signatures.signer_of(home_of_signer).sign(_signed(name, recipient))
    document = {"name": name, "recipient": recipient, "signature": b64encode(signature).decode()}
    write_private(folder / PAIRING.format(name=name), json.dumps(document).encode())


def recipients(folder: Path, home: Path) -> list[Any]:
    """Return the keys of the standbys that are paired; a file that the clinic's signer has not signed is none.

    Args:
        folder: The journal's.
        home: The core's data folder.

    Raises:
        BackupError: `no_signer`.
        OSError: The folder cannot be read.
    """
    public = signatures.signer_of(home).public_key()
    found = []
    for file in sorted(folder.glob(PAIRING.format(name="*"))):
        try:
            values = json.loads(file.read_text("utf-8"))
            public.verify(b64decode(values["signature"]), _signed(values["name"], values["recipient"]))
            found.append(pyrage.x25519.Recipient.from_str(values["recipient"]))
        except (ValueError, KeyError, TypeError, InvalidSignature, pyrage.RecipientError):
            continue
    return found


def _signed(name: str, recipient: str) -> bytes:
    return CONTEXT + json.dumps([name, recipient]).encode()


def leave(folder: Path, note: StandbyNote) -> None:
    """Leave a standby's position in the folder, for the core's `loket doctor`.

    Args:
        folder: The journal's.
        note: The position.

    Raises:
        OSError: The folder cannot be written.
    """
    write_private(folder / NOTE.format(name=note.name), json.dumps(asdict(note)).encode())


def notes(folder: Path) -> list[StandbyNote]:
    """Return the positions that standbys have left; one that cannot be read is left out.

    Args:
        folder: The journal's.

    Raises:
        OSError: The folder cannot be read.
    """
    found = []
    for file in sorted(folder.glob(NOTE.format(name="*"))):
        try:
            found.append(StandbyNote(**json.loads(file.read_text("utf-8"))))
        except (ValueError, TypeError):
            continue
    return found


def withdraw(folder: Path, name: str) -> None:
    """Take away what a standby left: it is the core now.

    Args:
        folder: The journal's.
        name: The standby's.

    Raises:
        OSError: The folder cannot be written.
    """
    for pattern in (PAIRING, NOTE):
        (folder / pattern.format(name=name)).unlink(missing_ok=True)


def is_standby(home: Path) -> bool:
    """Return whether a data folder is a standby's.

    Args:
        home: The data folder.
    """
    return any((home / FOLDER).glob("*/*.sqlite3"))


def require_core(home: Path) -> None:
    """Refuse to serve from a standby's data folder.

    Args:
        home: The data folder.

    Raises:
        DatabaseError: `standby`.
    """
    if is_standby(home):
        raise DatabaseError("standby", str(home))


def proper_name(text: str) -> str:
    """Return a standby's name as it may stand in a file's.

    Args:
        text: The machine's name, or one that was given.

    Raises:
        BackupError: `standby_name`.
    """
    if not NAME.match(text):
        raise BackupError("standby_name", text[:40])
    return text
