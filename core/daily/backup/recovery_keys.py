"""The recovery key: its public half stays here, its secret half is shown once and kept elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyrage

from core.foundation import signatures
from core.foundation.clinic import Clinic
from core.foundation.errors import BackupError
from core.foundation.journal.recovery_recipient import PUBLIC_KEY, recipient_of

DEMO_SECRET = "recovery.demo-key"


def create_recovery_key(home: Path) -> str:
    """Make the recovery key and keep its public half.

    Returns:
        What is written down and kept off this machine: the fingerprint of the backups' signer (`# signer ...`), and the
        secret half (`AGE-SECRET-KEY-1...`).

    Raises:
        BackupError: `key_exists`: replacing it would make the older backups look lost.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(home / PUBLIC_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise BackupError("key_exists", str(home / PUBLIC_KEY)) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{made.to_public()}\n")
    return f"{signer_line(home)}\n{made}"


def signer_line(home: Path) -> str:
    """Return the line of the recovery sheet that tells the clinic's backups from others'."""
    return f"# signer {signatures.fingerprint(signatures.signer_of(home).public_key())}"


def has_recovery_key(home: Path) -> bool:
    """Return whether backups can be made."""
    return (home / PUBLIC_KEY).exists()


def recipient(clinic: Clinic) -> Any:
    """Return the public half, to encrypt to.

    Raises:
        BackupError: `no_recovery_key`.
    """
    home = clinic.settings.home
    if clinic.demo and not has_recovery_key(home):
        # Made-up people only: the demo keeps its secret, so that the whole drill can be tried.
        secret = home / DEMO_SECRET
        secret.write_text(create_recovery_key(home) + "\n", "utf-8")
        secret.chmod(0o600)
    return recipient_of(home)
