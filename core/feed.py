"""The change feed: numbered events that panes follow and that receipts point into.

Sequences become visible in order (one writer at a time, see `core.database`), so a reader
that has seen N misses nothing by asking for what comes after N.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from core import clock
from core.database import after_commit
from core.models import Change

_listeners: set[Callable[[], None]] = set()
_guard = threading.Lock()


def append(
    kind: str,
    *,
    cluster: str | None = None,
    entry_id: str | None = None,
    visit_id: str | None = None,
    **data: Any,
) -> int:
    """Add an event in the caller's transaction; listeners hear of it after the commit.

    Returns:
        The event's sequence.
    """
    change = Change.create(
        kind=kind, cluster=cluster, entry=entry_id, visit=visit_id, data=data, at=clock.now()
    )
    after_commit(_notify)
    return int(change.sequence)


def since(sequence: int, limit: int = 200) -> list[Change]:
    """Events after `sequence`, oldest first."""
    return list(Change.select().where(Change.sequence > sequence).order_by(Change.sequence).limit(limit))


def newest_sequence() -> int:
    """The last event's sequence; 0 when there is none."""
    return int(Change.select(Change.sequence).order_by(Change.sequence.desc()).limit(1).scalar() or 0)


def listen(listener: Callable[[], None]) -> Callable[[], None]:
    """Call `listener` (from whatever thread committed) when there is something new.

    Returns:
        A function that ends it.
    """
    with _guard:
        _listeners.add(listener)

    def stop() -> None:
        with _guard:
            _listeners.discard(listener)

    return stop


def _notify() -> None:
    with _guard:
        listeners = tuple(_listeners)
    for listener in listeners:
        listener()
