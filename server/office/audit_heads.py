"""The end of each clinic's audit log, as the clinic told it last: a log that was cut does not extend it.

A clinic sends how many rows its log has, the newest hash, and the hash that its log has now at the
place of which the office knows. Fewer rows, or another hash at that place, is refused and shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core.foundation import clock
from server.office.models import OfficeClinic, transaction

HEADER = "x-loket-audit-head"
FORM = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) (\d{1,18}) ([0-9a-f]{64}|-)")
"""Rows, newest hash, rows at the place known, hash there (`-`: none)."""


@dataclass(frozen=True)
class AuditHead:
    """A clinic's words about its log."""

    count: int
    hash: str
    known_count: int
    known_hash: str


def parse(text: str) -> AuditHead | None:
    """Return the head of a request's header; None when it has none."""
    found = FORM.fullmatch(text.strip())
    return AuditHead(int(found[1]), found[2], int(found[3]), found[4]) if found else None


def take(clinic: OfficeClinic, head: AuditHead) -> dict[str, Any]:
    """Keep a head that extends the last one; refuse and note another.

    Args:
        clinic: Whose log.
        head: What it says of it.

    Returns:
        `accepted`, and the rows of the head that is kept.
    """
    with transaction():
        kept = OfficeClinic.get_by_id(clinic.code)
        if extends(head, kept.audit_count, kept.audit_hash):
            values = {"audit_count": head.count, "audit_hash": head.hash, "audit_refused_at": None}
        else:
            values = {"audit_refused_at": kept.audit_refused_at or clock.now()}
        OfficeClinic.update(**values).where(OfficeClinic.code == clinic.code).execute()
    return {"accepted": "audit_count" in values, "count": values.get("audit_count", kept.audit_count)}


def extends(head: AuditHead, count: int, hash_: str) -> bool:
    """Return whether a head can be the same log, later.

    Args:
        head: What the clinic says now.
        count: Rows of the head that is kept; 0: none is.
        hash_: Its hash.
    """
    if count == 0:
        return True
    if head.count <= count:
        return head.count == count and head.hash == hash_
    return head.known_count == count and head.known_hash == hash_


def accept_anew(code: str) -> bool:
    """Forget the head that is kept of a clinic, after a restore that its people can explain.

    Returns:
        Whether there is such a clinic.
    """
    forgotten = {"audit_count": 0, "audit_hash": "", "audit_refused_at": None}
    with transaction():
        return bool(OfficeClinic.update(**forgotten).where(OfficeClinic.code == code).execute())
