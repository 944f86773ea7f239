"""A second PostgreSQL that follows the first by its own replication: whether all that was saved is there too.

Loket sets nothing up and promotes nothing: PostgreSQL's tools do (docs/running.md). Here is asked whether the replica
follows, and whether a save waits for it. Its slot says up to where it has synced, to any role.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from core.foundation import wal_archive
from core.foundation.database import database

SLOT = "loket_replica"
"""Name of the slot in the recipe."""
WAITS = "SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'"


def names_several(url: str) -> bool:
    """Return whether an address of PostgreSQL names several servers, of which the one that can be written to is used.

    Args:
        url: `LOKET_DATABASE_URL`.
    """
    hosts = parse_qs(urlsplit(url).query).get("host", [""])[-1]
    return "," in hosts


def examine(url: str) -> tuple[str, ...] | None:
    """Look whether a replica has everything that was saved before this call; needs a connection.

    Args:
        url: `LOKET_DATABASE_URL`.

    Returns:
        Problems as lines, `code: detail`; None where there is no replica and none is named.
    """
    slot = database.execute_sql(wal_archive.SLOT_FACTS, (SLOT,)).fetchone()
    if slot is None:
        return ("replica_missing",) if names_several(url) else None
    if slot[1] in {"lost", "unreserved"}:
        return ("replica_lost",)
    if not slot[0]:
        return ("replica_silent",)
    problems = []
    if (behind := wal_archive.bytes_behind(SLOT)) > 0:
        problems.append(f"replica_behind: {behind / 1e6:.1f} MB")
    if not names_several(url):
        problems.append("replica_unnamed")
    if not database.execute_sql(WAITS).fetchone()[0]:
        problems.append("replica_not_waited")
    return tuple(problems)
