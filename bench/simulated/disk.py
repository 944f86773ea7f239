"""A disk below SQLite that fails by plan: errors at a write or a sync, a full disk, a kill, a loss of power.

It is an apsw VFS over the system's own. What was written and not yet synced is remembered, so that a loss of power can lose
any part of it and tear a write in two, as a disk may. A crash leaves a new data folder behind, as the machine finds it
after the crash; the old one and whoever still has it open are forgotten. Truncations count as durable at once, and files
that Loket writes without SQLite (heads, marks) as they are in the system's cache.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import apsw

NAME = "simulated"
SECTOR = 512  # bytes that a disk writes whole
Fault = Literal["write error", "sync error", "disk full", "kill", "power loss"]
FAULTS: tuple[Fault, ...] = ("write error", "sync error", "disk full", "kill", "power loss")
CRASHES = frozenset({"kill", "power loss"})


@dataclass
class Unsynced:
    """A write that a loss of power may lose."""

    offset: int
    before: bytes
    data: bytes
    size: int
    """Of the file before it."""


class Disk(apsw.VFS):
    """The disk of all databases of this process."""

    def __init__(self) -> None:
        super().__init__(NAME, "unix", makedefault=True)
        self.chance = random.Random(0)
        self.home = Path()
        self.crashed_into: Path | None = None
        """The data folder after a crash; set until the world has gone on in it."""
        self.operations = 0
        self.crashes = 0
        self.unsynced: dict[str, list[Unsynced]] = {}
        self._plan: tuple[Fault, int] | None = None

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        """Open a file."""
        return File(self, name, flags)

    def begin(self, home: Path, chance: random.Random) -> None:
        """Go on with a data folder; everything in it is on the disk."""
        self.home, self.chance, self.crashed_into = home, chance, None
        self.unsynced, self._plan = {}, None

    def plan(self, fault: Fault, after: int) -> None:
        """Let a fault happen after some more writes and syncs."""
        self._plan = (fault, self.operations + after)

    def withdraw(self) -> bool:
        """Forget a fault that was planned; return whether it is still to come."""
        waits, self._plan = self._plan is not None, None
        return waits

    def crash(self, *, power: bool) -> None:
        """Leave the data folder behind as a crash would."""
        self.crashes += 1
        target = self.home.with_name(f"home-{self.crashes}")
        target.mkdir()
        for file in sorted(self.home.iterdir()):
            if file.is_file() and not file.name.endswith("-shm"):
                (target / file.name).write_bytes(self._after(file) if power else file.read_bytes())
        self.crashed_into = target

    def _after(self, file: Path) -> bytes:
        """Return a file as the power left it: synced writes whole; of the others any part."""
        content = bytearray(file.read_bytes())
        pending = self.unsynced.get(str(file), [])
        for write in reversed(pending):
            content[write.offset : write.offset + len(write.data)] = write.before
            del content[write.size :]
        for write in pending:
            fate = self.chance.random()
            if fate < 0.5:
                continue
            data = write.data
            if fate < 0.6:
                data = data[: self.chance.randrange(0, len(data) + 1, SECTOR)]
            if len(content) < write.offset:
                content.extend(bytes(write.offset - len(content)))
            content[write.offset : write.offset + len(data)] = data
        return bytes(content)

    def happens(self, path: str, *, sync: bool) -> None:
        """Count a write or sync, and fail if it is its turn.

        Raises:
            apsw.Error: The planned fault, in the words of a disk.
        """
        if self.crashed_into is not None:
            raise _io_error(apsw.SQLITE_IOERR_WRITE)
        if not path.startswith(str(self.home)):
            return
        self.operations += 1
        if self._plan is None or self.operations < self._plan[1]:
            return
        fault = self._plan[0]
        if fault == "sync error" and not sync:
            return
        self._plan = None
        if fault in CRASHES:
            self.crash(power=fault == "power loss")
        if fault == "disk full":
            raise apsw.FullError("database or disk is full (simulated)")
        raise _io_error(apsw.SQLITE_IOERR_FSYNC if sync else apsw.SQLITE_IOERR_WRITE)


def _io_error(code: int) -> apsw.IOError:
    error = apsw.IOError("disk I/O error (simulated)")
    error.extendedresult = code  # type: ignore[attr-defined]
    return error


class File(apsw.VFSFile):
    """A file of the disk."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name or "")
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write, and remember what was there until the next sync."""
        self._disk.happens(self._path, sync=False)
        size = self.xFileSize()
        here = max(0, min(len(data), size - offset))
        before = super().xRead(here, offset) if here else b""
        self._disk.unsynced.setdefault(self._path, []).append(Unsynced(offset, before, bytes(data), size))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Sync: what was written is on the disk now."""
        self._disk.happens(self._path, sync=True)
        self._disk.unsynced.pop(self._path, None)
        super().xSync(flags)


def remove(folder: Path) -> None:
    """Remove a data folder of before a crash."""
    shutil.rmtree(folder, ignore_errors=True)
