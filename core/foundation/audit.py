"""Log of changes and who made them: append-only, each row bound to the one before by a keyed hash.

Changing, removing or renumbering a row breaks every hash after it, and the key stands outside the
database (`core.foundation.audit_files`), so that the rest cannot be computed again. How many rows
there are and the newest hash are kept outside too, and travel to the office with each day's
manifest, so that cutting off the end shows. `core.foundation.audit_check` looks at all of it;
who read what stands in a log of its own, `core.foundation.audit_reads`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.foundation import audit_protection, audit_reads, audit_records, clock, state
from core.foundation.audit_chain import (
    BROKEN,
    EMPTY,
    GENESIS,
    KEYED,
    KINDS_BOUND,
    OPENED,
    RESTORED,
    UNPROTECTED,
    Seal,
    chained,
    contradiction,
)
from core.foundation.audit_files import (
    HEAD_FILE,
    KEY_FILE,
    RESTORED_FILE,
    AuditKey,
    Head,
    HeadFile,
    read_or_make_key,
    restore_facts,
)
from core.foundation.database import (
    after_commit,
    connection,
    instant_text,
    transaction,
    transaction_memo,
    tuples,
)
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, create, given
from core.models import AuditEvent

log = logging.getLogger(__name__)


@dataclass
class _Open:
    """The chain of the clinic that this process has open."""

    key: AuditKey
    head: HeadFile


_open: list[_Open] = []


def open_chain(home: Path) -> None:
    """Take the clinic's key and head, making both at the first start; to be called with the database open.

    What this finds wrong does not stop the start, for care goes on: it is written into the chain,
    where `loket audit verify` finds it.
    """
    is_new = not (home / KEY_FILE).exists()
    key = read_or_make_key(home)
    head = HeadFile(home / HEAD_FILE, key)
    _open[:] = [_Open(key, head)]
    audit_reads.open_log(home, key)
    restored = home / RESTORED_FILE
    audit_reads.reads().is_restored = restored.exists()
    with connection():
        known, bound = _known_key()
        is_ours = known == key.fingerprint and bound >= audit_records.TABLES.keys()
        if is_ours and head.exists() and not restored.exists():
            return
    with transaction():
        known, bound = _known_key()
        if (is_new and not head.exists()) or known not in {None, key.fingerprint} or restored.exists():
            head.replace(Head(*last_row()))
        if known != key.fingerprint:
            _begin(key, lost=known is not None)
        elif restored.exists():
            record(None, RESTORED, "audit", "", **restore_facts(restored.read_text("utf-8")))
        elif not head.exists():
            record(None, OPENED, "audit", "")
        if known == key.fingerprint and (more := audit_records.TABLES.keys() - bound):
            record(None, KINDS_BOUND, "audit", "", kinds=sorted(more))
    restored.unlink(missing_ok=True)


def _known_key() -> tuple[str | None, set[str]]:
    """Return the fingerprint of the key that the newest rows were made with, and the kinds of record that it binds.

    Without a row that tells there was no key yet: None.
    """
    told = AuditEvent.select(AuditEvent.action, AuditEvent.detail).where(
        AuditEvent.action.in_((KEYED, KINDS_BOUND))
    )
    kinds: set[str] = set()
    for action, detail in tuples(told.order_by(AuditEvent.sequence.desc())):
        kinds |= set(detail.get("kinds", ()))
        if action == KEYED:
            return str(detail.get("key")), kinds | audit_records.FROM_THE_FIRST
    return None, kinds


def _begin(key: AuditKey, lost: bool) -> None:
    """Write the row that begins a keyed chain, with a seal over what is there already."""
    seal = Seal()
    rows = AuditEvent.select(AuditEvent.sequence, AuditEvent.hash).order_by(AuditEvent.sequence)
    for sequence, hash_ in tuples(rows):
        seal.add(sequence, hash_)
    facts: dict[str, Any] = {"key": key.fingerprint, "kinds": sorted(audit_records.TABLES), **seal.document()}
    if lost:
        facts["key_lost"] = True
    record(None, KEYED, "audit", "", None, **facts)


def protect(actor: Actor) -> None:
    """Have the databases refuse changes of both logs again, where they no longer do; the logs say that they did not.

    Args:
        actor: Who had it done.
    """
    with transaction():
        if lost := audit_protection.lost():
            audit_protection.put_back(lost)
            record(actor, UNPROTECTED, "audit", "", triggers=sorted(lost))
    audit_reads.reads().look_at_protection()
    audit_reads.shown(actor, "audit_read", [], kind="audit")


def chain() -> tuple[AuditKey, HeadFile]:
    """Return the key and the head file of the open clinic.

    Raises:
        RuntimeError: No clinic is open: a defect of the caller.
    """
    if not _open:
        raise RuntimeError("no audit chain is open")
    return _open[0].key, _open[0].head


def record(
    actor: Actor | None,
    action: str,
    kind: str,
    target: str,
    patient_id: str | None = None,
    **detail: Any,
) -> None:
    """Append one event, in the caller's transaction or in one of its own.

    To be called after the change: the row keeps a hash of what the record says now.

    Args:
        actor: Who; None for what the system does before anyone exists.
        action: Past tense: `registered`, `entry_called`.
        kind: What `target` is: `patient`, `visit`, `queue_entry`, `account`.
        target: Its id.
        patient_id: Whose record this concerns.
        **detail: JSON-safe facts: reasons, changed field names, never clinical text.
    """
    record_each(actor, action, kind, [(target, patient_id)], **detail)


def refused(action: str, subject: str, source: str) -> None:
    """Append a sign-in that failed, or that had to wait: nobody is signed in who could have done it.

    Args:
        action: `sign_in_failed` or `sign_in_refused`.
        subject: Id of the account; empty for a name that nobody has, which is kept nowhere.
        source: Address of whoever tried.
    """
    _append(None, action, "account", [(subject, None)], {"source": source}, origin=source)


def record_each(
    actor: Actor | None, action: str, kind: str, targets: Sequence[tuple[str, str | None]], **detail: Any
) -> None:
    """Append an event for each of several targets; as `record` else.

    Args:
        actor: Who.
        action: Past tense.
        kind: What the targets are.
        targets: Each one's id, with whose record it concerns; none: nothing is written.
        **detail: JSON-safe facts, the same for each.
    """
    _append(actor, action, kind, targets, detail)


def _append(
    actor: Actor | None,
    action: str,
    kind: str,
    targets: Sequence[tuple[str, str | None]],
    detail: Mapping[str, Any],
    origin: str = "",
) -> None:
    if not targets:
        return
    if action.endswith("_read"):
        _shown(actor, action, kind, targets, detail)
        return
    key, head = chain()
    with transaction():
        states = _states_after(key, action, kind, [target for target, _ in targets])
        before = _states_before(kind, states)
        end = _end_of_chain(head)
        actual = {
            "at": clock.now(),
            "account": actor.account_id if actor else None,
            "origin": (actor.origin if actor else origin)[:80],
        }
        values = [
            {
                **actual,
                "action": action,
                "kind": kind,
                "target": target,
                "patient_id": patient_id,
                "detail": {**detail, **before.get(target, {})},
                "record_version": states[target].version if target in states else None,
                "record_hash": states[target].hash if target in states else None,
            }
            for target, patient_id in targets
        ]
        if end.broken is not None:
            place = (
                1 if action == KEYED else 0
            )  # no row of a keyed chain stands before the one that begins it
            values.insert(place, {**actual, **EMPTY, "account": None, "action": BROKEN, "detail": end.broken})
            end.broken = None
        events = chained(key, values, end.row.sequence, end.row.hash)
        _insert(events)
        audit_reads.note_written(patient_id for _target, patient_id in targets)
        end.row = Head(events[-1]["sequence"], events[-1]["hash"])


@dataclass
class _End:
    """The end of the chain while a transaction adds to it: nobody else does, so it is looked at once."""

    row: Head
    """The newest row."""
    broken: dict[str, Any] | None
    """How it contradicts the head noted outside, until that is written; None where it does not."""


_END = "audit_end"
"""Key of the chain's end in the memo of a transaction."""


def _end_of_chain(head: HeadFile) -> _End:
    """Return the chain's end in this transaction; the head outside moves on once it has committed."""
    memo = transaction_memo()
    known: _End | None = memo.get(_END)
    if known is None:
        sequence, previous = last_row()
        broken = contradiction(head, sequence, previous, hash_at)
        memo[_END] = known = _End(Head(sequence, previous), broken)
        move = head.advance if broken is None else head.replace
        after_commit(lambda: move(memo[_END].row))
    return known


def _insert(events: Sequence[Mapping[str, Any]]) -> None:
    """Store rows of the chain: most actions write one."""
    if len(events) == 1:
        create(AuditEvent, **events[0])
    else:
        AuditEvent.insert_many(events).execute()


def _shown(
    actor: Actor | None,
    action: str,
    kind: str,
    targets: Sequence[tuple[str, str | None]],
    detail: Mapping[str, Any],
) -> None:
    """Write reads where reads belong: into the log of their own."""
    people = [patient_id for _target, patient_id in targets if patient_id]
    target = targets[0][0] if len(targets) == 1 else ""
    is_care = action in CARE
    audit_reads.shown(actor, action, people, kind=kind, target=target, is_care=is_care, asked=detail)


BEFORE = "audit_before"
"""Key of what was announced in a transaction: kind and id of a record -> what stood there, as the log tells it."""


def about_to_change(kind: str, *ids: str) -> None:
    """Note what records say before they are changed; to be called in the transaction of the change.

    The row of the change tells it, so that what was written behind Loket's back is not vouched for by the next change.

    Args:
        kind: One of `audit_records.CHANGED`.
        *ids: The records.
    """
    known = transaction_memo().setdefault(BEFORE, {})
    key, _head = chain()
    for id_ in ids:
        told = last_hash(kind, id_)
        number = int(told.partition(":")[0]) if told else None
        known[kind, id_] = audit_records.hashes(key, kind, [id_], number).get(id_, "") if told else ""


def last_hash(kind: str, id_: str) -> str | None:
    """Return the newest hash that the log has of a record; None where it never bound it."""
    found: str | None = _LAST_HASH.value(kind=kind, target=id_)
    return found


_LAST_HASH = Statement(
    lambda: (
        AuditEvent.select(AuditEvent.record_hash)
        .where(
            AuditEvent.target == given("target"),
            AuditEvent.kind == given("kind"),
            AuditEvent.record_hash.is_null(False),
        )
        .order_by(AuditEvent.sequence.desc())
        .limit(1)
    )
)


def _states_before(kind: str, states: dict[str, audit_records.RecordState]) -> dict[str, dict[str, str]]:
    """Return what the rows of changed records tell of before; a change that was not announced binds nothing.

    Args:
        kind: What the records are.
        states: What they say now; those of changes that were not announced are taken out.
    """
    if kind not in audit_records.CHANGED:
        return {}
    known = transaction_memo().setdefault(BEFORE, {})
    told: dict[str, dict[str, str]] = {}
    for id_, state_now in list(states.items()):
        if (kind, id_) in known:
            told[id_] = {audit_records.HASH_BEFORE: known[kind, id_]}
        elif last_hash(kind, id_) is not None:
            log.error("a change of %s %s was not announced to the audit log", kind, id_)
            del states[id_]
            continue
        known[kind, id_] = state_now.hash
    return told


CARE = frozenset({"visit_read", "history_read", "work_read", "worklist_read"})
"""Reads of patients in one's own queue; outside it the reason's own row has to be written first."""


def _states_after(
    key: AuditKey, action: str, kind: str, ids: Sequence[str]
) -> dict[str, audit_records.RecordState]:
    """Return id -> version and hash of each record that the action changed."""
    return audit_records.states(key, kind, ids) if audit_records.is_bound(kind, action) else {}


def last_row() -> tuple[int, str]:
    """Return number and hash of the newest row; what the first one follows when there is none."""
    row = _LAST_ROW.first()
    return (row[0], row[1]) if row else (0, GENESIS)


_LAST_ROW = Statement(
    lambda: (
        AuditEvent.select(AuditEvent.sequence, AuditEvent.hash).order_by(AuditEvent.sequence.desc()).limit(1)
    )
)


TOLD = "audit_told"
"""Key of the fact how much of the log the office knows."""


def head_to_tell() -> str:
    """Return the end of the log for the office: rows, newest hash, and the same at the place it knows of."""
    sequence, hash_ = last_row()
    known = (state.fact(TOLD) or {}).get("count", 0)
    return f"{sequence} {hash_} {known} {hash_at(known) or '-'}"


def note_told(head: str, answer: object) -> None:
    """Note what the office said of the end of the log; one that knows nothing of it says nothing.

    Args:
        head: What was told.
        answer: `{"accepted": ..., "count": ...}`, the count of rows that the office keeps.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("count"), int):
        return
    accepted = answer.get("accepted") is True
    state.note(TOLD, count=answer["count"], accepted=accepted, at=instant_text(clock.now()))


def hash_at(sequence: int) -> str:
    """Return the hash of one row; empty when it is not there."""
    return _HASH_AT.value(sequence=sequence) or ""


_HASH_AT = Statement(
    lambda: AuditEvent.select(AuditEvent.hash).where(AuditEvent.sequence == given("sequence"))
)
