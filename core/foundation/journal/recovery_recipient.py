"""The public half of the recovery key, to which backups and the journal are encrypted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyrage

from core.foundation.errors import BackupError

PUBLIC_KEY = "recovery.pub"


def recipient_of(home: Path) -> Any:
    """Return the recipient in a data folder.

    Args:
        home: The data folder.

    Raises:
        BackupError: `no_recovery_key`.
    """
    try:
        return pyrage.x25519.Recipient.from_str((home / PUBLIC_KEY).read_text("utf-8").strip())
    except FileNotFoundError:
        raise BackupError("no_recovery_key", str(home / PUBLIC_KEY)) from None
    except pyrage.RecipientError:
        raise BackupError("no_recovery_key", f"{home / PUBLIC_KEY} is damaged") from None
