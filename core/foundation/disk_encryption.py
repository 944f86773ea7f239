"""Encryption of the disk below a folder, as far as Linux tells without being root."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = Path("/sys")
MOUNTS = Path("/proc/self/mountinfo")
ENCRYPTED = "CRYPT-"
"""Beginnings of the id of a dm-crypt device: LUKS, and plain."""


def is_encrypted(folder: Path, *, system: Path = SYSTEM, mounts: Path = MOUNTS) -> bool | None:
    """Return whether what is written below a folder is encrypted on its disk; None when that cannot be told.

    A folder of eCryptfs or fscrypt cannot be told from others, nor a disk that encrypts itself.

    Args:
        folder: The data folder.
        system: Where the kernel shows its devices.
        mounts: What is mounted where, for file systems on several devices.
    """
    number = os.stat(folder).st_dev
    device = system / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    if not device.exists():
        named = _mounted_device(f"{os.major(number)}:{os.minor(number)}", mounts)
        if named is None:
            return None
        device = system / "class" / "block" / named
    return _device_is_encrypted(device) if device.exists() else None


def _mounted_device(number: str, mounts: Path) -> str | None:
    """Return the device of a file system that has no device number of its own, such as btrfs."""
    try:
        lines = mounts.read_text("utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        source = [*after.split(), "", ""][1]
        if before.split()[2:3] == [number] and source.startswith("/dev/"):
            return os.path.basename(os.path.realpath(source))
    return None


def _device_is_encrypted(device: Path) -> bool:
    """Return whether a device, or all those that it lies on, are encrypted."""
    resolved = device.resolve()
    id_file = resolved / "dm" / "uuid"
    if id_file.exists() and id_file.read_text("utf-8").startswith(ENCRYPTED):
        return True
    below = sorted((resolved / "slaves").glob("*")) if (resolved / "slaves").is_dir() else []
    if not below and (resolved / "partition").exists():
        return _device_is_encrypted(resolved.parent)
    return bool(below) and all(_device_is_encrypted(part) for part in below)
