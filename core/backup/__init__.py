"""Backups that are known to restore: made while in use, encrypted, opened again at once.

The recovery key's secret half is shown once at installation and is not kept on this machine.
"""

from core.backup.archives import sha256_of
from core.backup.keeping import BackupInfo, kept, list_backups, rotate
from core.backup.keys import DEMO_SECRET, PUBLIC_KEY, create_recovery_key, has_recovery_key
from core.backup.making import make
from core.backup.restoring import RestorePreview, preview, restore, verify

__all__ = [
    "DEMO_SECRET", "PUBLIC_KEY", "BackupInfo", "RestorePreview", "create_recovery_key", "has_recovery_key",
    "kept", "list_backups", "make", "preview", "restore", "rotate", "sha256_of", "verify",
]  # fmt: skip
