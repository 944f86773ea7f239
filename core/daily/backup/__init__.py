"""Backups that are known to restore: made while in use, encrypted, opened again at once.

The recovery key's secret half is shown once at installation and is not kept on this machine.
"""

from core.daily.backup.archives import sha256_of
from core.daily.backup.creation import make
from core.daily.backup.recovery_keys import (
    DEMO_SECRET,
    create_recovery_key,
    has_recovery_key,
    signer_line,
)
from core.daily.backup.restoration import (
    BACKUP_ALONE,
    TO_THE_END,
    Aim,
    PreparedRestore,
    RestorePreview,
    prepared,
    preview,
    restore,
    verify,
)
from core.daily.backup.restores import put_on_list
from core.daily.backup.retention import BackupInfo, Purpose, kept, list_backups, rotate, take_elsewhere
from core.foundation.journal.recovery_recipient import PUBLIC_KEY

__all__ = [
    "BACKUP_ALONE", "DEMO_SECRET", "PUBLIC_KEY", "TO_THE_END", "Aim", "BackupInfo", "PreparedRestore", "Purpose", "RestorePreview",
    "create_recovery_key", "has_recovery_key", "kept", "list_backups", "make", "prepared", "preview", "put_on_list", "restore", "rotate",
    "sha256_of", "signer_line", "take_elsewhere", "verify",
]  # fmt: skip
