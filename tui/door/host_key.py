"""The door's SSH host key, generated at the first start."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import asyncssh

FILE_NAME = "ssh_host_ed25519_key"


def load_host_key(path: Path) -> asyncssh.SSHKey:
    """Return the host key; generate it where there is none.

    Two doors starting at once agree on one key: it is written under another name and linked into place, and
    the second door reads the first one's.

    Args:
        path: The private key's file; made with mode 0600, its folder with 0700.

    Returns:
        The key, Ed25519 when made here.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="loket")
        made = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(key.export_private_key("openssh"))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
        finally:
            made.unlink()
    return asyncssh.read_private_key(path)
