"""Where the tests' files lie: in memory where the machine has room for them, else in the system's own place.

Loket syncs what it acknowledges, and a sync takes milliseconds on a disk: thousands of them were half of the
time of the tests of sending and closing. No test can tell the difference: what a `kill -9` leaves behind is
the same on either. `PYTEST_DEBUG_TEMPROOT` puts the files elsewhere.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # Linux's file system in memory
ROOM_BYTES = (
    2 * 1024**3
)  # a whole run holds some tens of megabytes at a time; a container's 64 MB are too few
PLACE = "PYTEST_DEBUG_TEMPROOT"

if (
    PLACE not in os.environ
    and os.access(IN_MEMORY, os.W_OK)
    and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
):
    os.environ[PLACE] = str(IN_MEMORY)


def folder() -> str | None:
    """Return where files belong that cannot lie in a test's own folder; None is the system's place."""
    return os.environ.get(PLACE)
