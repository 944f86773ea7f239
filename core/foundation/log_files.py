"""The server's log in the data folder, beside standard error: for the admin at a screen, who cannot ask the system's journal.

It holds what `core.foundation.logs` lets through, so no patient data. Lines are written by a thread of their own:
a disk that hangs holds nobody up, and a line that cannot be written is missing here only.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

from core.foundation.logs import PlacesOnlyFormatter

FILE = "loket.log"
MOST_BYTES = 1024 * 1024
"""Size from which on a new file is begun; the one before is kept as `loket.log.1`."""
MOST_WAITING = 1000
"""Lines that wait for the disk; further ones are left out."""
END_SECONDS = 2.0
"""Longest wait for the disk at the process's end."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""From the least to the gravest."""


def keep(home: Path) -> None:
    """Write this process's log into the data folder as well, from now on; again does nothing.

    Args:
        home: The data folder, which is there.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, _FileHandler) for handler in root.handlers):
        root.addHandler(_FileHandler(home / FILE))


def newest_lines(home: Path, most: int, *, level: str = "DEBUG", text: str = "") -> list[str]:
    """Return the newest lines of the log, oldest first; what belongs to a line stands indented behind it.

    Args:
        home: The data folder.
        most: Entries to return.
        level: The least grave to return, one of `LEVELS`.
        text: Letters that an entry holds, whatever their case; empty: any.

    Raises:
        OSError: The file is there and cannot be read.
    """
    wanted = frozenset(LEVELS[LEVELS.index(level) :])
    entries = [
        entry
        for entry in _entries(_text(home / f"{FILE}.1") + _text(home / FILE))
        if _level(entry) in wanted and text.casefold() in entry.casefold()
    ]
    return [_printable(line) for entry in entries[-most:] for line in entry.split("\n")]


def _text(file: Path) -> str:
    """Return a file's text; it is never much longer than `MOST_BYTES`."""
    try:
        return file.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _entries(text: str) -> Iterator[str]:
    """Yield each line with the indented ones behind it."""
    entry: list[str] = []
    for line in text.splitlines():
        if entry and not line.startswith(" "):
            yield "\n".join(entry)
            entry = []
        entry.append(line)
    if entry:
        yield "\n".join(entry)


def _level(entry: str) -> str:
    """Return the level that stands behind date and time; what has none is grave, so that no filter hides it."""
    words = entry.split(" ", 3)
    return words[2] if len(words) > 2 and words[2] in LEVELS else "ERROR"


def _printable(line: str) -> str:
    """Return a line without what could steer a terminal: an address or a header may stand in it."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


class _FileHandler(logging.Handler):
    """Hands lines to a thread that appends them; several processes may share the file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.setFormatter(PlacesOnlyFormatter())
        self._file = file
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            return  # standard error has it
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: the handler for standard error does."""

    def close(self) -> None:
        """Write what waits, and end."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            pass
        else:
            self._thread.join(END_SECONDS)
        super().close()

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._append(line)
            except OSError:
                continue  # a full disk, or one that is gone: standard error has the line

    def _append(self, line: str) -> None:
        handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, f"{line}\n".encode(errors="replace"))
            is_full = os.fstat(handle).st_size > MOST_BYTES
        finally:
            os.close(handle)
        if is_full:
            self._file.replace(self._file.with_name(f"{self._file.name}.1"))
