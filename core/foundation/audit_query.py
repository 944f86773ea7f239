"""Both audit logs as they are asked: who was shown or changed whom, what an account did, what broke the glass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import apsw
import peewee

from core.foundation import audit_reads, audit_records
from core.foundation.audit_chain import BROKEN, KEYED, OPENED, RESTORED, UNPROTECTED
from core.foundation.database import connection, instant_text, tuples
from core.models import Account, AuditEvent, Patient

Log = Literal["changes", "reads"]
LOGS: tuple[Log, ...] = ("changes", "reads")
ABOUT_ITSELF = (KEYED, OPENED, BROKEN, UNPROTECTED)
"""Rows of the log of reads that nobody asked for."""
MERGES = ("patients_merged", "patients_merged_by_card", "merge_undone")
WATCHED = (
    *MERGES,
    "glass_broken",
    "record_released",
    "approval_requested",
    "approval_approved",
    "approval_refused",
    "rights_change_requested",
    "rights_change_approved",
    "rights_change_refused",
    "rights_change_withdrawn",
    "danger_signed",
    "danger_signature_taken_back",
    "second_factor_reset",
    # One person could make, or take over, the account that approves what that person asks for.
    "account_created",
    "account_edited",
    "account_enabled",
    "password_set",
    "key_added",
    "setting_changed",
    "report_exported",
    "loss_accepted",
    "promoted",
    RESTORED,
    BROKEN,
    UNPROTECTED,
)
"""Changes that the supervisor looks at the same day."""


@dataclass(frozen=True)
class AuditQuery:
    """Conditions for the rows wanted; one that is empty does not narrow."""

    patient_id: str | None = None
    account: str | None = None
    """Sign-in name."""
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Only rows before it: the time of a page's last row asks for the next page."""
    logs: tuple[Log, ...] = LOGS
    watched: bool = False
    """Only what the supervisor looks at the same day, each deed once."""


@dataclass(frozen=True)
class AuditLine:
    """One row of either log."""

    log: Log
    sequence: int
    at: datetime
    account: str | None
    """Sign-in name; None for the system, and for whom nobody was signed in."""
    account_name: str
    origin: str
    action: str
    kind: str
    target: str
    patient_id: str | None
    detail: dict[str, Any]
    patients: list[str] = field(default_factory=list)
    """Patient who was shown."""


def newest(query: AuditQuery, limit: int = 100) -> list[AuditLine]:
    """Return the newest rows first, of both logs in order of time.

    Args:
        query: Which rows.
        limit: Highest number of rows.
    """
    with connection():
        found = [line for log in query.logs for line in _SOURCES[log](query, limit)]
        found.sort(key=lambda line: (line.at, line.sequence), reverse=True)
        return found[:limit]


def people(lines: Iterable[AuditLine]) -> dict[str, Patient]:
    """Return the patients whom rows are about, by id."""
    ids = {id_ for line in lines for id_ in (line.patient_id, *line.patients) if id_}
    with connection():
        return {
            row.id: row
            for part in audit_records.parts(sorted(ids))
            for row in Patient.select().where(Patient.id.in_(part))
        }


def _records_of(patient_id: str | None) -> list[str]:
    """Return the ids under which a patient was ever known: records that were merged into one are one person's."""
    found = [patient_id or ""]
    for known in found:  # grows while merged records are found that others were merged into before
        merged = tuples(Patient.select(Patient.id).where(Patient.merged_into == known))
        found += [row[0] for row in merged if row[0] not in found]
    return found


def _changes(query: AuditQuery, limit: int) -> list[AuditLine]:
    rows = AuditEvent.select(AuditEvent, Account).join(
        Account, peewee.JOIN.LEFT_OUTER, on=(AuditEvent.account == Account.id), attr="account"
    )
    conditions = (
        (query.patient_id, AuditEvent.patient_id.in_(_records_of(query.patient_id))),
        (query.watched, AuditEvent.action.in_(WATCHED)),
        # A merge has a row of its own, and one for each of the two records.
        (query.watched, (AuditEvent.kind != "patient") | AuditEvent.action.not_in(MERGES)),
        (query.account, Account.username == query.account),
        (query.action, AuditEvent.action == query.action),
        (query.since, AuditEvent.at >= query.since),
        (query.until, AuditEvent.at < query.until),
    )
    for given, condition in conditions:
        rows = rows.where(condition) if given else rows
    return [
        AuditLine(
            log="changes",
            sequence=row.sequence,
            at=row.at,
            account=row.account.username if row.account else None,
            account_name=row.account.name if row.account else "",
            origin=row.origin,
            action=row.action,
            kind=row.kind,
            target=row.target,
            patient_id=row.patient_id,
            detail={name: value for name, value in row.detail.items() if name != audit_records.HASH_BEFORE},
        )
        for row in rows.order_by(AuditEvent.sequence.desc()).limit(limit)
    ]


def _reads(query: AuditQuery, limit: int) -> list[AuditLine]:
    reads = audit_reads.reads()
    if query.watched or not reads.path.exists():
        return []
    names = {row[0]: (row[1], row[2]) for row in _accounts()}
    by_name = {username: id_ for id_, (username, _name) in names.items()}
    conditions: list[tuple[str, Any]] = [
        ("action NOT IN (SELECT value FROM json_each(?))", json.dumps(ABOUT_ITSELF)),
        (
            "sequence IN (SELECT sequence FROM read_person"
            " WHERE patient_id IN (SELECT value FROM json_each(?)))",
            json.dumps(_records_of(query.patient_id)) if query.patient_id else None,
        ),
        ("account_id = ?", by_name.get(query.account, "") if query.account else None),
        ("action = ?", query.action),
        ("at >= ?", instant_text(query.since) if query.since else None),
        ("at < ?", instant_text(query.until) if query.until else None),
    ]
    given = [(words, value) for words, value in conditions if value is not None]
    wanted = " AND ".join(words for words, _value in given)
    columns = "sequence, at, account_id, origin, action, kind, target, patient_id, detail"
    statement = f"SELECT {columns} FROM read_event WHERE {wanted} ORDER BY sequence DESC LIMIT ?"  # noqa: S608
    file = apsw.Connection(str(reads.path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        file.set_busy_timeout(audit_reads.BUSY_MILLISECONDS)
        rows = file.execute(statement, [*(value for _words, value in given), limit]).fetchall()
    finally:
        file.close()
    return [_read_line(row, names) for row in rows]


def _accounts() -> list[tuple[Any, ...]]:
    return tuples(Account.select(Account.id, Account.username, Account.name))


def _read_line(row: Any, names: dict[str, tuple[str, str]]) -> AuditLine:
    sequence, at, account_id, origin, action, kind, target, patient_id, text = row
    detail = json.loads(text)
    username, name = names.get(account_id, (account_id, ""))
    return AuditLine(
        log="reads",
        sequence=sequence,
        at=datetime.fromisoformat(at),
        account=username,
        account_name=name,
        origin=origin,
        action=action,
        kind=kind,
        target=target,
        patient_id=patient_id,
        patients=detail.pop("patients", []),
        detail=detail,
    )


_SOURCES: dict[Log, Callable[[AuditQuery, int], list[AuditLine]]] = {"changes": _changes, "reads": _reads}
