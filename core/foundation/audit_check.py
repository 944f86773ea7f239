"""Looks at the whole audit log: is each row as it was written, are all there, and do the records still agree?"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apsw
import peewee

from core.foundation import audit, audit_chain, audit_protection, audit_reads, audit_records
from core.foundation.audit_files import AuditKey, Head, HeadFile
from core.foundation.audit_vouches import COLUMNS, AuditProblem, Vouch, known
from core.foundation.codes import RightsOutcome
from core.foundation.database import connection, database, document_text, is_sqlite, tuples
from core.foundation.permissions import Actor
from core.models import AuditEvent, EncounterVersion, PatientVersion, RightsChange, RolePermission

PAGE = 2000
"""Rows read at once: the memory stays the same however long the log is."""
LISTED = 50
"""Problems told in one look; more of them help nobody."""
FIRST_BREAK = 2
"""Number of the row that tells of a break where the chain begins: the one that begins it stands before."""

Progress = Callable[[int, int], None]
"""Called with how many rows were looked at, of how many."""


@dataclass
class AuditReport:
    """Findings of one check of the log."""

    rows: int = 0
    reads: int = 0
    """Rows of the log of reads."""
    records: int = 0
    """Records compared with the hash of their last change."""
    records_older: int = 0
    """Records not changed since the chain has a key: nothing to compare them with."""
    problems: list[AuditProblem] = field(default_factory=list)
    """Breaks that nobody has vouched for."""
    vouched: list[tuple[AuditProblem, Vouch]] = field(default_factory=list)
    """Breaks that two people have vouched for: they are there for good, and are named at each look."""
    notes: list[AuditProblem] = field(default_factory=list)
    """Events that explain a gap: `database_restored`."""
    known: Mapping[str, Vouch] = field(default_factory=dict)
    """Fingerprint -> vouch, of the breaks that were looked into."""
    log: str = "changes"
    """The log whose problems are added."""

    def add(self, problem: AuditProblem) -> None:
        """Keep a problem, up to the number that is told; one that is vouched for by itself."""
        of_log = dataclasses.replace(problem, log=self.log)
        vouch = self.known.get(of_log.fingerprint)
        if vouch is not None:
            self.vouched.append((of_log, vouch))
        elif len(self.problems) < LISTED:
            self.problems.append(of_log)


def examine(actor: Actor) -> AuditReport:
    """Look at the whole log, to vouch for what is found; as `verify` else.

    What the log would notice of itself at its next row it notices first: the break is then one that lasts.

    Args:
        actor: Who looks.
    """
    audit.record(actor, "audit_examined", "audit", "")
    audit_reads.shown(actor, "audit_read", [], kind="audit")
    return verify()


def verify(progress: Progress | None = None) -> AuditReport:
    """Look at every row of the log and at every record that it names."""
    key, head_file = audit.chain()
    with connection():
        report = AuditReport(known=known(key))
        head = head_file.read()  # first: rows written meanwhile are only after it
        walk = _Walk(key, head, report)
        total = AuditEvent.select(peewee.fn.MAX(AuditEvent.sequence)).scalar() or 0
        for row in _rows():
            walk.look(row)
            if progress and report.rows % PAGE == 0:
                progress(report.rows, total)
        _head(walk, head, head_file, report)
        _protection(report)
        _reads(key, report)
        for kind in audit_records.TABLES:
            _records(key, kind, walk.bound_since.get(kind), report)
        for versions in VERSIONS:
            _versions(key, versions, report)
            _versions_taken_out(versions, report)
        _rights(report)
        if progress:
            progress(report.rows, max(total, report.rows))
    return report


def _reads(key: AuditKey, report: AuditReport) -> None:
    """Look at the log of reads in the same way; what it has is marked by its name."""
    reads = audit_reads.reads()
    found = AuditReport(known=report.known, log="reads")
    if not reads.path.exists():
        if reads.head.exists():
            found.add(AuditProblem("log_missing"))
            report.problems += found.problems
        return
    head = reads.head.read()
    file = apsw.Connection(str(reads.path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        file.set_busy_timeout(audit_reads.BUSY_MILLISECONDS)
        walk = _Walk(key, head, found)
        query = f"SELECT {', '.join(COLUMNS)} FROM read_event ORDER BY sequence"  # noqa: S608
        people = 0
        for row in file.execute(query):
            walk.look(values := dict(zip(COLUMNS, row, strict=True)))
            people += len(_document(values["detail"]).get("patients", ()))
        _head(walk, head, reads.head, found)
        if file.execute("SELECT COUNT(*) FROM read_person").fetchall()[0][0] != people:
            found.add(AuditProblem("index_differs"))
        if audit_protection.lost_on_sqlite(audit_protection.READS, file.execute):
            found.add(AuditProblem("unprotected"))
    except apsw.Error:
        found.add(AuditProblem("log_missing"))
    finally:
        file.close()
    report.reads = found.rows
    report.problems += found.problems
    report.vouched += found.vouched


def _rows() -> Iterator[dict[str, Any]]:
    """Yield the stored rows by number, their texts as they are stored."""
    after = 0
    mark = "?" if is_sqlite() else "%s"
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM audit_event WHERE sequence > {mark} ORDER BY sequence LIMIT {PAGE}"  # noqa: S608
    )
    while page := database.execute_sql(query, (after,)).fetchall():
        for row in page:
            yield dict(zip(COLUMNS, row, strict=True))
        after = page[-1][0]


class _Walk:
    """Follows the chain from its first row."""

    def __init__(self, key: AuditKey, head: Head | None, report: AuditReport) -> None:
        self._key = key
        self._head = head
        self._report = report
        self._seal = audit_chain.Seal()
        self._ours: bool | None = None
        """None before the first keyed row; then whether the rows are of the key we have."""
        self._previous = audit_chain.GENESIS
        self.last = 0
        self.head_hash = ""
        """Return the row at the head's number."""
        self.keyed_since: str | None = None
        self.bound_since: dict[str, str] = {}
        """Kind of record -> instant from which on the chain binds it."""

    def look(self, row: dict[str, Any]) -> None:
        """Judge the next row."""
        self._report.rows += 1
        row["account"] = row["account_id"]
        if self._ours is not None and row["sequence"] != self.last + 1:
            missing = row["sequence"] - self.last - 1
            self._report.add(AuditProblem("rows_missing", row["sequence"], number=missing, state=row["hash"]))
        if row["action"] == audit_chain.KEYED:
            self._begin(row)
        self._judge(row)
        self._note(row)
        self._seal.add(row["sequence"], row["hash"])
        self._previous, self.last = row["hash"], row["sequence"]
        if self._head is not None and row["sequence"] == self._head.sequence:
            self.head_hash = row["hash"]

    def _begin(self, row: dict[str, Any]) -> None:
        detail = _document(row["detail"])
        self._ours = detail.get("key") == self._key.fingerprint
        if self._ours and detail.get("key_lost"):
            number = self._report.rows - 1
            self._report.add(AuditProblem("key_lost", row["sequence"], number=number, state=row["hash"]))
        sealed = self._seal.document()
        if self._ours and sealed != {name: detail.get(name) for name in ("rows", "seal")}:
            self._report.add(AuditProblem("old_rows_changed", row["sequence"], state=sealed["seal"]))
        if self._ours and self.keyed_since is None:
            self.keyed_since = row["at"]
        if self._ours:
            # Where nothing stood in the log before, nothing can be in the clinic that it does not tell of.
            since = "" if detail.get("rows") == 0 and not detail.get("key_lost") else row["at"]
            self._bind({*audit_records.FROM_THE_FIRST, *detail.get("kinds", ())}, since)

    def _bind(self, kinds: Iterable[str], since: str) -> None:
        for kind in kinds:
            self.bound_since.setdefault(kind, since)

    def _bind_from_now(self, row: dict[str, Any]) -> None:
        """Take back that all records are told of, where the log had to begin again: the break itself says so."""
        if row["sequence"] == FIRST_BREAK:
            self.bound_since = {kind: since or row["at"] for kind, since in self.bound_since.items()}

    def _judge(self, row: dict[str, Any]) -> None:
        if self._ours is False:
            return  # made with a key that is lost; the row that begins our chain says so
        expected = (
            audit_chain.keyed_hash(self._key, row, row["at"], row["detail"])
            if self._ours
            else _plain_hash(row)
        )
        if row["previous_hash"] != self._previous or row["hash"] != expected:
            state = self._key.digest(document_text([self._previous, *(row[name] for name in COLUMNS)]))
            self._report.add(AuditProblem("row_changed", row["sequence"], state=state))

    def _note(self, row: dict[str, Any]) -> None:
        if row["action"] == audit_chain.BROKEN:
            self._report.add(_broken(row))
            self._bind_from_now(row)
        if row["action"] == audit_chain.UNPROTECTED:
            self._report.add(AuditProblem("was_unprotected", row["sequence"], state=row["hash"]))
        if row["action"] == audit_chain.KINDS_BOUND and self._ours:
            self._bind(_document(row["detail"]).get("kinds", ()), row["at"])
        if row["action"] == audit_chain.RESTORED:
            self._report.notes.append(AuditProblem("database_restored", row["sequence"]))


def _broken(row: dict[str, Any]) -> AuditProblem:
    """Return what the log itself noticed when its next row was written."""
    facts = _document(row["detail"])
    if facts.get("noted") is None:
        return AuditProblem("head_lost", row["sequence"], state=row["hash"])
    if facts.get("differs"):
        return AuditProblem("head_differed", row["sequence"], state=row["hash"])
    number = facts["noted"] - facts["found"]
    return AuditProblem("rows_were_cut", row["sequence"], number=number, state=row["hash"])


def _document(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain_hash(row: dict[str, Any]) -> str:
    names = ("previous_hash", "at", "account", "origin", "action", "kind", "target", "patient_id")
    return audit_chain.plain_hash(*(row[name] for name in names), _document(row["detail"]))


def _head(walk: _Walk, head: Head | None, file: HeadFile, report: AuditReport) -> None:
    """Compare the end of the chain with what is kept outside the database."""
    if walk.keyed_since is None:
        report.add(AuditProblem("chain_missing"))
    if head is None:
        report.add(AuditProblem("head_differs" if file.exists() else "head_missing"))
    elif head.sequence > walk.last:
        report.add(AuditProblem("rows_cut", head.sequence, number=head.sequence - walk.last))
    elif head.hash != walk.head_hash:
        report.add(AuditProblem("head_differs", head.sequence))


def _protection(report: AuditReport) -> None:
    """Look whether the database itself still refuses changes of the log."""
    if audit_protection.lost():
        report.add(AuditProblem("unprotected"))


def _records(key: AuditKey, kind: str, bound_since: str | None, report: AuditReport) -> None:
    """Compare the records of one kind with the hash that their last change left."""
    table = audit_records.TABLES[kind]
    after = ""
    while ids := [
        row[0]
        for row in table.select(table.id)
        .where(table.id > after)
        .order_by(table.id)
        .limit(audit_records.SLICE)
        .tuples()
    ]:
        after = ids[-1]
        history = _bound_rows(kind, ids)
        told = {id_: (rows[-1].sequence, rows[-1].hash) for id_, rows in history.items()}
        stored: dict[str, str] = {}
        for number in {int(hash_.partition(":")[0]) for _, hash_ in told.values()}:
            of_set = [id_ for id_, (_, hash_) in told.items() if hash_.startswith(f"{number}:")]
            stored |= audit_records.hashes(key, kind, of_set, number)
        report.records += len(told)
        report.records_older += len(ids) - len(told)
        for id_, (sequence, hash_) in told.items():
            if stored.get(id_) != hash_:
                report.add(AuditProblem("record_changed", sequence, kind, id_, state=stored.get(id_, "")))
        _changes(kind, history, report)
        untold = [id_ for id_ in ids if id_ not in told or history[id_][0].before == ""]
        unaudited = _made_since(kind, untold, bound_since)
        now = audit_records.hashes(key, kind, unaudited)
        for id_ in unaudited:
            report.add(AuditProblem("record_unaudited", None, kind, id_, state=now[id_]))
    _missing(kind, report)


def _made_since(kind: str, ids: list[str], bound_since: str | None) -> list[str]:
    """Return the records that say they were made since the log binds their kind."""
    if not ids or bound_since is None:
        return []
    table = audit_records.TABLES[kind]
    made_at = getattr(table, audit_records.MADE_AT[kind])
    query = table.select(table.id).where(table.id.in_(ids), made_at > bound_since)
    if kind == "account":  # Loket makes those of its jobs and doors by itself; nobody can sign in as them
        query = query.where(table.disabled_at.is_null())
    return [row[0] for row in query.tuples()]


@dataclass(frozen=True)
class _BoundRow:
    """A row of the log that binds a record."""

    sequence: int
    hash: str
    before: str | None
    """The record's hash before the change; empty where the log had not bound it yet, None where the row tells nothing."""


def _bound_rows(kind: str, ids: list[str]) -> dict[str, list[_BoundRow]]:
    """Return id -> the rows that bind each record, in their order; of kinds that keep versions, the newest alone."""
    columns = [AuditEvent.target, AuditEvent.sequence, AuditEvent.record_hash]
    tells = kind in audit_records.CHANGED
    rows = (
        AuditEvent.select(*columns, *([AuditEvent.detail] if tells else []))
        .where(AuditEvent.target.in_(ids), AuditEvent.kind == kind, AuditEvent.record_hash.is_null(False))
        .order_by(AuditEvent.sequence)
    )
    found: dict[str, list[_BoundRow]] = {}
    for target, sequence, hash_, *detail in tuples(rows):
        before = detail[0].get(audit_records.HASH_BEFORE) if detail else None
        row = _BoundRow(sequence, hash_, before)
        found[target] = [*found.get(target, []), row] if tells else [row]
    return found


def _changes(kind: str, history: dict[str, list[_BoundRow]], report: AuditReport) -> None:
    """Find records that were not, before a change, what the change before had left."""
    for id_, rows in history.items():
        for earlier, later in itertools.pairwise(rows):
            if later.before is not None and later.before != earlier.hash:
                report.add(AuditProblem("record_changed", later.sequence, kind, id_, state=later.before))


def _missing(kind: str, report: AuditReport) -> None:
    """Find records that the log names and that are not there: none is ever deleted."""
    table = audit_records.TABLES[kind]
    gone = (
        AuditEvent.select(AuditEvent.target)
        .distinct()
        .where(
            AuditEvent.kind == kind,
            AuditEvent.record_hash.is_null(False),
            AuditEvent.target.not_in(table.select(table.id)),
        )
        .limit(LISTED)
    )
    for (target,) in tuples(gone):
        report.add(AuditProblem("record_missing", None, kind, target))


@dataclass(frozen=True)
class _Versions:
    """A table of earlier versions of records."""

    kind: str
    table: Any
    record: str
    """Its column that names the record."""


VERSIONS = (
    _Versions("patient", PatientVersion, "patient"),
    _Versions("encounter", EncounterVersion, "encounter"),
)
"""Earlier contents of a record, one before each change: what was bound then has to be what was kept.

Without this a change behind Loket's back would be bound, and so vouched for, by the next change that is none.
"""


def _versions(key: AuditKey, versions: _Versions, report: AuditReport) -> None:
    """Compare the kept versions of one kind with the hashes that the log has of them."""
    table, after = versions.table, 0
    kept = table.select(table.id, getattr(table, versions.record), table.version, table.data)
    while page := tuples(kept.where(table.id > after).order_by(table.id).limit(audit_records.SLICE)):
        after = page[-1][0]
        ids = list(dict.fromkeys(row[1] for row in page))
        bound = _hashes_of_versions(versions.kind, ids)
        now = {
            row.id: row.__data__
            for row in audit_records.TABLES[versions.kind].select().where(_among(versions, ids))
        }
        for _number, id_, version, data in page:
            told = bound.get((id_, version), [])
            values = {**now.get(id_, {}), **data, "version": version}
            if told and not any(_is_of(key, versions.kind, values, hash_) for _sequence, hash_ in told):
                state = key.digest(document_text([version, data]))
                report.add(AuditProblem("record_changed", told[-1][0], versions.kind, id_, state=state))


def _versions_taken_out(versions: _Versions, report: AuditReport) -> None:
    """Find earlier versions that the log has bound and that are no longer kept: each change keeps the one before it."""
    table, kept, after = audit_records.TABLES[versions.kind], versions.table, ""
    of_record = getattr(kept, versions.record)
    changed = table.select(table.id, table.version).where(table.version > 1).order_by(table.id)
    while page := tuples(changed.where(table.id > after).limit(audit_records.SLICE)):
        after = page[-1][0]
        ids = [row[0] for row in page]
        there = set(tuples(kept.select(of_record, kept.version).where(of_record.in_(ids))))
        newest = dict(page)
        for (id_, version), told in _hashes_of_versions(versions.kind, ids).items():
            if version < newest[id_] and (id_, version) not in there:
                report.add(
                    AuditProblem("version_missing", told[-1][0], versions.kind, id_, state=str(version))
                )


def _among(versions: _Versions, ids: list[str]) -> Any:
    return audit_records.TABLES[versions.kind].id.in_(ids)


def _is_of(key: AuditKey, kind: str, values: dict[str, Any], hash_: str) -> bool:
    """Return whether a hash is that of these values; also where they do not tell all that it covers."""
    found = audit_records.hash_of_values(key, kind, int(hash_.partition(":")[0]), values)
    return found is None or found == hash_


def _hashes_of_versions(kind: str, ids: list[str]) -> dict[tuple[str, int], list[tuple[int, str]]]:
    """Return id and version -> rows and hashes that the log has of it, in their order."""
    rows = (
        AuditEvent.select(
            AuditEvent.target, AuditEvent.record_version, AuditEvent.sequence, AuditEvent.record_hash
        )
        .where(AuditEvent.target.in_(ids), AuditEvent.kind == kind, AuditEvent.record_hash.is_null(False))
        .order_by(AuditEvent.sequence)
    )
    found: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for target, version, sequence, hash_ in tuples(rows):
        found.setdefault((target, version), []).append((sequence, hash_))
    return found


def _rights(report: AuditReport) -> None:
    """Find rights of roles that no approved request has given or taken."""
    held = RolePermission.select(
        RolePermission.role, RolePermission.permission, RolePermission.granted,
        RightsChange.role, RightsChange.permission, RightsChange.granted, RightsChange.outcome,
    ).join(RightsChange, peewee.JOIN.LEFT_OUTER)  # fmt: skip
    for role, permission, granted, *asked in tuples(held):
        if asked != [role, permission, granted, RightsOutcome.APPROVED]:
            what = f"{role} {permission} {'+' if granted else '-'}"
            report.add(AuditProblem("record_unaudited", None, "right", what, state=what))
