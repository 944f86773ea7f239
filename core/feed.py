"""The change feed: numbered events that panes follow and that receipts point into.

Sequences become visible in order (one writer at a time, see `core.database`), so a reader
that has seen N misses nothing by asking for what comes after N. Being told is only about being
quick: a listener that hears nothing for a while looks for itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from core import clock
from core.database import after_commit, database, is_sqlite
from core.identifiers import new_id
from core.models import Change

CHANNEL = "loket_changes"
"""PostgreSQL's channel on which servers tell each other that there is something new."""
HEARING_SECONDS = 0.5  # longest wait before a hearing thread sees that it is to end
RECONNECT_SECONDS = 2.0

_log = logging.getLogger(__name__)
_this_process = new_id()
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
    if not is_sqlite():
        # Delivered by PostgreSQL when the transaction commits, and not at all when it fails.
        database.execute_sql("SELECT pg_notify(%s, %s)", (CHANNEL, _this_process))
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


def hear_other_servers(url: str) -> Callable[[], None]:
    """Tell listeners also of what other servers on the same PostgreSQL commit.

    On SQLite there are none. Keeps a thread and a connection of its own, made anew when it is lost.

    Args:
        url: The clinic's database.

    Returns:
        A function that ends it, within `HEARING_SECONDS`.
    """
    ending = threading.Event()
    if not is_sqlite():
        threading.Thread(target=_hear, args=(url, ending), name="loket-feed", daemon=True).start()
    return ending.set


def _hear(url: str, ending: threading.Event) -> None:
    import psycopg

    while not ending.is_set():
        try:
            with psycopg.connect(url, autocommit=True) as hearing:
                hearing.execute(f"LISTEN {CHANNEL}")
                _notify()  # whatever was committed before it listened
                while not ending.is_set():
                    for notice in hearing.notifies(timeout=HEARING_SECONDS):
                        if notice.payload != _this_process:
                            _notify()
        except psycopg.OperationalError as error:
            _log.warning("other servers are not heard: %s", type(error).__name__)
            ending.wait(RECONNECT_SECONDS)


def _notify() -> None:
    with _guard:
        listeners = tuple(_listeners)
    for listener in listeners:
        listener()
