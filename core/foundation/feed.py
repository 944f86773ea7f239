"""The change feed: numbered events that panes follow and that receipts point into.

Sequences become visible in order (one writer at a time, see `core.foundation.database`), so a reader
that has seen N misses nothing by asking for what comes after N. Being told is only about being
quick: a listener that hears nothing for a while looks for itself.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.foundation import clock
from core.foundation.database import after_commit, database, is_sqlite, line_limits, session_apart
from core.foundation.identifiers import new_id
from core.foundation.statements import Statement, create
from core.models import Change

CHANNEL = "loket_changes"
"""PostgreSQL's channel on which servers tell each other that there is something new."""
PROBE_CHANNEL = "loket_probe"
NOTIFY = "SELECT pg_notify(%s, '')"
PROBE_SECONDS = 5.0  # longest wait of the doctor for its own word
HEARING_SECONDS = 0.5  # longest wait before a hearing thread sees that it is to end
RECONNECT_SECONDS = 2.0

_log = logging.getLogger(__name__)
_this_program = new_id()
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

    Args:
        kind: What happened, such as `entry_changed`.
        cluster: The cluster whose pane changes.
        entry_id: The queue entry that changed.
        visit_id: The visit that changed.
        data: Anything else that the listener needs; no names.

    Returns:
        The event's sequence.
    """
    change = create(
        Change, kind=kind, cluster=cluster, entry=entry_id, visit=visit_id, data=data, at=clock.now()
    )
    if not is_sqlite():
        # Delivered by PostgreSQL when the transaction commits, and not at all when it fails.
        database.execute_sql("SELECT pg_notify(%s, %s)", (CHANNEL, _this_process()))
    after_commit(_notify)
    return int(change.sequence)


def _this_process() -> str:
    """Return the name of this process among all of all servers, also where several were forked from one."""
    return f"{_this_program} {os.getpid()}"


def since(sequence: int, limit: int = 200) -> list[Change]:
    """Events after `sequence`, oldest first."""
    return list(Change.select().where(Change.sequence > sequence).order_by(Change.sequence).limit(limit))


def newest_sequence() -> int:
    """The last event's sequence; 0 when there is none."""
    return int(_NEWEST.value() or 0)


_NEWEST = Statement(lambda: Change.select(Change.sequence).order_by(Change.sequence.desc()).limit(1))


def last_before(instant: datetime) -> int:
    """The sequence of the last event before an instant; 0 when there is none.

    Walks back from the newest event, so that it costs what has happened since.
    """
    before = Change.select(Change.sequence).where(Change.at < instant)
    return int(before.order_by(Change.sequence.desc()).limit(1).scalar() or 0)


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


def hears_others() -> bool:
    """Return whether what one session tells on PostgreSQL is heard by another; a pooler in between may swallow it."""
    with session_apart() as hearing, session_apart() as telling:
        hearing.execute(f"LISTEN {PROBE_CHANNEL}")
        telling.execute(NOTIFY, (PROBE_CHANNEL,))
        return any(True for _ in hearing.notifies(timeout=PROBE_SECONDS, stop_after=1))


def _hear(url: str, ending: threading.Event) -> None:
    import psycopg

    while not ending.is_set():
        try:
            with psycopg.connect(url, autocommit=True, **line_limits(url)) as hearing:
                hearing.execute(f"LISTEN {CHANNEL}")
                _notify()  # whatever was committed before it listened
                while not ending.is_set():
                    for notice in hearing.notifies(timeout=HEARING_SECONDS):
                        if notice.payload != _this_process():
                            _notify()
        except psycopg.Error as error:  # a pooler between refuses in words of its own
            _log.warning("other servers are not heard: %s", type(error).__name__)
            ending.wait(RECONNECT_SECONDS)


def _notify() -> None:
    with _guard:
        listeners = tuple(_listeners)
    for listener in listeners:
        listener()
