"""Checks of the machine: disk, memory, time zone, printer, secrets, SQLite."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import apsw

from core.foundation import clock, disk_encryption
from core.foundation.config import Settings
from server import first_start, repairs
from server.doctor.findings import CheckResult
from server.text.formatting import size
from server.text.translation import _

FREE_BYTES = 2 * 1024**3
"""Room that a backup with its check needs, in an ordinary clinic."""
FULL_BYTES = 4 * 1024**2
"""With less than this no transaction is certain to be saved."""
FREE_MEMORY_BYTES = 256 * 1024**2
"""Memory that a closing needs beside the server."""
SAFE_SQLITE = (3, 51, 3)
"""Older versions have the WAL-reset race that can corrupt a database with several connections."""


def check_memory() -> Iterator[CheckResult]:
    """Check the memory that is left, where the system tells it."""
    file = Path("/proc/meminfo")
    if not file.exists():
        return
    rows = dict(line.split(":", 1) for line in file.read_text("ascii").splitlines() if ":" in line)
    free = int(rows["MemAvailable"].split()[0]) * 1024
    if free < FREE_MEMORY_BYTES:
        words = _("Only {size} of memory are left. End what is not Loket's, or add memory.")
        yield CheckResult("warning", "memory", words.format(size=size(free)))
    else:
        yield CheckResult("ok", "memory", _("{size} free").format(size=size(free)))


def check_zone(settings: Settings) -> Iterator[CheckResult]:
    """Compare the clinic's time zone with the system's: the times of its log then differ from those on the screens."""
    now = clock.now()
    ours, systems = now.astimezone(settings.timezone).utcoffset(), now.astimezone().utcoffset()
    if ours == systems:
        yield CheckResult("ok", "zone", str(settings.timezone))
        return
    words = _("The clinic's is {ours}, the system's is another. Run: sudo timedatectl set-timezone {ours}")
    yield CheckResult("warning", "zone", words.format(ours=settings.timezone))


def check_printer(settings: Settings) -> Iterator[CheckResult]:
    """Check that a printer on the network answers, and that a device is there."""
    if not settings.printer:
        return
    host, separator, port = settings.printer.rpartition(":")
    if separator and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=3).close()
        except OSError:
            words = _("The printer {address} does not answer. Is it switched on, and its cable in?")
            yield CheckResult("warning", "printer", words.format(address=settings.printer))
            return
    elif not Path(settings.printer).exists() and not settings.printer.endswith(".txt"):
        words = _("The printer {address} does not answer. Is it switched on, and its cable in?")
        yield CheckResult("warning", "printer", words.format(address=settings.printer))
        return
    yield CheckResult("ok", "printer", _("answers"))


def check_machine(settings: Settings) -> Iterator[CheckResult]:
    """Check the data folder and the version of SQLite."""
    if settings.home.exists():  # a folder that is not there is told by the check of the database
        yield from _data_folder(settings)
    version = tuple(int(part) for part in apsw.sqlitelibversion().split("."))
    if version < SAFE_SQLITE:
        yield CheckResult(
            "error",
            "sqlite",
            _("SQLite {version} is too old. Run: make setup").format(version=apsw.sqlitelibversion()),
        )
    else:
        yield CheckResult("ok", "sqlite", apsw.sqlitelibversion())


def _data_folder(settings: Settings) -> Iterator[CheckResult]:
    """Check the room in the data folder, its encryption, and who may read its secrets."""
    home = settings.home
    free = shutil.disk_usage(home).free
    if free < FULL_BYTES:
        words = _(
            "The disk is full at {home}: nothing can be saved. Make room now; saving goes on by itself."
        )
        yield CheckResult("error", "disk", words.format(home=home))
    elif free < FREE_BYTES:
        yield CheckResult(
            "error",
            "disk",
            _("{size} free at {home}. Make room before the next backup.").format(size=size(free), home=home),
        )
    else:
        yield CheckResult("ok", "disk", _("{size} free").format(size=size(free)))
    yield from check_at_rest(home)
    for file in repairs.open_to_others(settings):
        if file == home:
            words = _("Others can look into {home}. Run: chmod 700 {home}").format(home=home)
        else:
            words = _("Others can read {file}. Run: chmod 600 {file}").format(file=file)
        yield CheckResult("error", "secrets", words, repair="permissions")


def check_at_rest(home: Path) -> Iterator[CheckResult]:
    """Tell whether whoever carries the machine away can read it, and what lies about unread."""
    encrypted = disk_encryption.is_encrypted(home)
    if encrypted is None:
        words = _("Whether the disk is encrypted cannot be told. See docs/running.md")
        yield CheckResult("warning", "disk", words)
    elif not encrypted:
        words = _("The disk is not encrypted: whoever takes it away reads every record. See docs/running.md")
        yield CheckResult("warning", "disk", words)
    else:
        yield CheckResult("ok", "disk", _("encrypted"))
    if (home / first_start.FILE).exists():
        words = _("The admin's password and the recovery key wait to be read. Run: loket first-start show")
        yield CheckResult("warning", "secrets", words)
