"""The keyed chain: how rows are bound to each other, and to the head that is kept outside the database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.foundation.audit_files import AuditKey, HeadFile
from core.foundation.database import document_text, instant_text

GENESIS = "0" * 64
KEYED = "chain_keyed"
"""Action of the row that begins a keyed chain; it seals the rows before it, or says that their key is lost."""
KINDS_BOUND = "kinds_bound"
"""Action of the row from which on the chain binds further kinds of record."""
BROKEN = "chain_broken"
"""Action of the row that says: the rows before it are not those that were noted outside the database."""
UNPROTECTED = "log_unprotected"
"""Action of the row that says: the database did not refuse changes of the log, and does again from here on."""
RESTORED = "database_restored"
OPENED = "chain_opened"

EMPTY: dict[str, Any] = {
    "kind": "audit",
    "target": "",
    "patient_id": None,
    "record_version": None,
    "record_hash": None,
}
"""Columns of a row about the log itself."""


class Seal:
    """Adds up rows that an older chain left, so that they can be told from changed ones for good."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = hashlib.sha256()

    def add(self, sequence: int, hash_: str) -> None:
        """Count one row."""
        self.rows += 1
        self._sum.update(f"{sequence} {hash_}\n".encode())

    def document(self) -> dict[str, Any]:
        """As it stands in the detail of the row that begins a keyed chain."""
        return {"rows": self.rows, "seal": self._sum.hexdigest()}


def contradiction(
    head: HeadFile, sequence: int, hash_: str, hash_at: Callable[[int], str]
) -> dict[str, Any] | None:
    """Return how the rows that are there contradict the head noted outside; None when they do not.

    It becomes a row of the chain: otherwise the rows to come would move the head over the gap.

    Args:
        head: The head file.
        sequence: Number of the newest row.
        hash_: Its hash.
        hash_at: Gives the hash of an earlier row.
    """
    noted = head.read()
    if noted is None:
        return {"noted": None, "found": sequence}
    if noted.sequence > sequence:
        return {"noted": noted.sequence, "found": sequence}
    at_head = hash_ if noted.sequence == sequence else hash_at(noted.sequence)
    if noted.sequence and at_head != noted.hash:
        return {"noted": noted.sequence, "found": sequence, "differs": True}
    return None


def chained(
    key: AuditKey, values: Sequence[dict[str, Any]], sequence: int, previous: str
) -> list[dict[str, Any]]:
    """Return rows with their numbers and hashes.

    Args:
        key: The chain's key.
        values: The rows' other columns, in their order.
        sequence: Number of the row before the first of them.
        previous: Its hash.
    """
    events = []
    for each in values:
        sequence += 1
        event = {**each, "sequence": sequence, "previous_hash": previous}
        previous = keyed_hash(key, event, instant_text(event["at"]), document_text(event["detail"]))
        events.append({**event, "hash": previous})
    return events


HASHED = (
    "sequence", "previous_hash", "at", "account", "origin", "action", "kind", "target", "patient_id",
    "record_version", "record_hash", "detail",
)  # fmt: skip
"""Columns that the keyed hash of a row covers, in this order: all of them."""


def keyed_hash(key: AuditKey, event: Mapping[str, Any], at: str, detail: str) -> str:
    """Return the hash of a row.

    Args:
        key: The chain's key.
        event: The row, with the columns of `HASHED`.
        at: Its instant as stored text.
        detail: Its detail as stored text.
    """
    stored = {**event, "at": at, "detail": detail}
    return key.digest(document_text([stored[name] for name in HASHED]))


def plain_hash(*parts: Any) -> str:
    """Return the hash of a row as it was before the chain had a key."""
    return hashlib.sha256(document_text(parts).encode()).hexdigest()
