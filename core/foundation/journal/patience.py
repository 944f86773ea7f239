"""Looks at a place that may hang, such as a network folder whose server has gone, without hanging with it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from core.foundation.errors import JournalError

PATIENCE_SECONDS = 5.0
"""Longest wait for a place."""

ResultT = TypeVar("ResultT")


def patiently(look: Callable[[], ResultT]) -> ResultT:
    """Return what a function returns, which runs in a thread of its own; raise what it raises.

    Args:
        look: Asks the place.

    Raises:
        JournalError: `place_slow`: it has not returned in time. Its thread is left to itself.
    """
    answers: queue.SimpleQueue[tuple[ResultT | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((look(), None))
        except Exception as error:
            # The thread's edge: whoever waits raises it.
            answers.put((None, error))

    threading.Thread(target=run, daemon=True, name="loket-journal-look").start()
    try:
        result, error = answers.get(timeout=PATIENCE_SECONDS)
    except queue.Empty:
        raise JournalError("place_slow") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
