"""The end of this process, as long requests to other services see it: none is begun any more once it was asked for.

What such a request would have sent waits in the outbox, as after any answer that did not come.
"""

from __future__ import annotations

import threading

from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

_asked = threading.Event()


def ask() -> None:
    """Let no further request begin: this process ends."""
    _asked.set()


def forget() -> None:
    """Let requests begin: a server starts."""
    _asked.clear()


def is_asked() -> bool:
    """Return whether this process is about to end."""
    return _asked.is_set()


def require_going_on() -> None:
    """Refuse to begin a request in a process that is about to end.

    Raises:
        SyncError: `cut_off`.
    """
    if _asked.is_set():
        raise SyncError(JobProblem("cut_off"))
