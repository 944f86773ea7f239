"""Invariants of the day, checked in the database, the reports and the terminals' records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from bench.day.staff import Day
from core.foundation import audit_check
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryAction, EntryStatus, Priority
from core.models import Change, QueueEntry, QueueEvent, Ticket, Visit

A, S = EntryAction, EntryStatus
Report = dict[str, Any]


@dataclass
class Finding:
    """Result of one invariant.

    Attributes:
        name: What.
        looked_at: How many cases were examined.
        faults: Those that break it, as sentences.
    """

    name: str
    looked_at: int = 0
    faults: list[str] = field(default_factory=list)

    def expect(self, holds: bool, fault: str) -> None:
        """Examine one case."""
        self.looked_at += 1
        if not holds:
            self.faults.append(fault)


class Records:
    """The day's rows in the database."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.all_entries = {row.id: row for row in QueueEntry.select()}
        self.entries = {key: row for key, row in self.all_entries.items() if row.voided_at is None}
        self.events = list(QueueEvent.select().order_by(QueueEvent.sequence))
        self.tickets = list(Ticket.select())
        self.visits = {row.id: row for row in Visit.select()}
        self.paths: dict[str, list[QueueEntry]] = defaultdict(list)
        for row in sorted(self.entries.values(), key=lambda row: (row.started_at, row.id)):
            self.paths[row.visit_id].append(row)

    def standing(self) -> Iterator[QueueEvent]:
        """Return the events that were not undone, without the undos."""
        for event in self.events:
            if event.undone_at is None and event.action != A.UNDO and event.entry_id in self.entries:
                yield event


def check(clinic: Clinic, day: Day, waits: Report, register: Report) -> list[Finding]:
    """Check all invariants."""
    records = Records(clinic)
    checks: list[Callable[[Records, Day, Finding], None]] = [
        receipts, numbers, paths, closed, replay, called_once, starved, round_trips, losers, feed, hashes,
        nothing_unexpected,
    ]  # fmt: skip
    findings = []
    for one in checks:
        finding = Finding((one.__doc__ or "").rstrip("."))
        one(records, day, finding)
        findings.append(finding)
    return [*findings, reports_agree(records, waits), register_agrees(records, register)]


def receipts(records: Records, day: Day, finding: Finding) -> None:
    """Check that every receipt's visit is there, once, with the number on the receipt."""
    numbers = {(row.visit_id, row.number) for row in records.tickets}
    for receipt in day.receipts:
        there = (receipt["visit_id"], receipt["ticket"]["number"]) in numbers
        finding.expect(
            there and receipt["visit_id"] in records.visits, f"lost: {receipt['ticket']['number']}"
        )
    finding.expect(len(records.visits) == len(day.receipts), "visits and receipts differ in number")


def numbers(records: Records, day: Day, finding: Finding) -> None:
    """Check that no number is missing or used twice."""
    given = defaultdict(list)
    for ticket in records.tickets:
        given[ticket.cluster].append(ticket.sequence)
    for cluster, sequences in given.items():
        finding.expect(sorted(sequences) == list(range(1, len(sequences) + 1)), f"{cluster}: {sequences}")
    finding.looked_at = len(records.tickets)


def paths(records: Records, day: Day, finding: Finding) -> None:
    """Check that every visit has one continuous path, without gap or overlap."""
    for visit, path in records.paths.items():
        whole = path[0].came_from_id is None and path[-1].status != S.TRANSFERRED
        for earlier, later in pairwise(path):
            whole = whole and later.came_from_id == earlier.id and earlier.status == S.TRANSFERRED
            whole = whole and earlier.ended_at == later.started_at
        finding.expect(whole, f"visit {visit}: {[(row.cluster, row.status) for row in path]}")
    finding.expect(set(records.paths) == set(records.visits), "a visit without a path")


def closed(records: Records, day: Day, finding: Finding) -> None:
    """Check that nobody is in a queue after the closing, and every visit has an end."""
    for row in records.entries.values():
        finding.expect(row.ended_at is not None, f"{row.cluster} {row.id} is still {row.status}")
    for visit in records.visits.values():
        finding.expect(visit.ended_at is not None and visit.status != "in-progress", f"visit {visit.id}")


def replay(records: Records, day: Day, finding: Finding) -> None:
    """Check that each event begins where the one before it ended, and the last gives the entry's status."""
    status: dict[str, str | None] = defaultdict(lambda: None)
    for event in records.events:
        right = event.from_status == status[event.entry_id]
        finding.expect(right, f"event {event.sequence} {event.action} from {event.from_status}")
        status[event.entry_id] = event.to_status
    for key, row in records.all_entries.items():
        finding.expect(status[key] == row.status, f"{key}: {status[key]} is not {row.status}")


def called_once(records: Records, day: Day, finding: Finding) -> None:
    """Check that no call was given to two rooms, and none to a patient in a room."""
    given = Counter((call["id"], call["version"]) for call in day.calls)
    for (entry, version), times in given.items():
        finding.expect(times == 1, f"{entry} version {version} was given to {times} rooms")
    for event in records.events:
        if event.action == A.CALL:
            free = event.from_status in {S.WAITING, S.SKIPPED}
            finding.expect(free, f"event {event.sequence}: a call of somebody {event.from_status}")
    intervals = defaultdict(list)
    for row in records.entries.values():
        if row.served_at is not None and row.practitioner_id and row.status != S.LEFT:
            intervals[row.practitioner_id].append((row.served_at, row.ended_at))
    for room in intervals.values():
        for (_start, end), (start, _end) in pairwise(sorted(room)):
            finding.expect(end is not None and end <= start, f"a room served two at once at {start}")


def starved(records: Records, day: Day, finding: Finding) -> None:
    """Check that beyond the time limit no protected patient who came later is called before a regular one."""
    limit = timedelta(minutes=records.clinic.settings.regular_wait_limit_minutes)
    timeline = Timeline(records)
    for event in records.events:
        entry = records.all_entries[event.entry_id]
        if event.action != A.CALL or (event.entry_id, timeline.version_of(event)) in day.calls_by_name:
            continue
        if Priority(event.before["priority"]).rank != Priority.ELDERLY.rank:
            continue
        passed = [
            row
            for row in timeline.ready_regular(entry.cluster, event)
            if row.queued_at < entry.queued_at and event.at - row.queued_at >= limit
        ]
        finding.expect(not passed, f"event {event.sequence} passed {len(passed)} who waited too long")


class Timeline:
    """State of every entry at an event."""

    def __init__(self, records: Records) -> None:
        self._entries = records.all_entries
        self._of: dict[str, list[QueueEvent]] = defaultdict(list)
        for event in records.events:
            self._of[event.entry_id].append(event)

    def version_of(self, event: QueueEvent) -> int:
        """Return an entry's version after an event: it begins with 1 and each event adds one."""
        return 1 + [other.sequence for other in self._of[event.entry_id]].index(event.sequence)

    def ready_regular(self, cluster: str, at: QueueEvent) -> Iterator[QueueEntry]:
        """Return the regular patients who could have been called just before an event."""
        for row in self._entries.values():
            if row.cluster != cluster or row.reserved_for_id is not None:
                continue
            before = [event for event in self._of[row.id] if event.sequence < at.sequence]
            after = [event for event in self._of[row.id] if event.sequence >= at.sequence]
            if not before or before[-1].to_status != S.WAITING:
                continue
            facts = next((event.before for event in after if event.before), None)
            priority = facts["priority"] if facts else row.priority
            if priority == Priority.REGULAR and not (row.voided_at and row.voided_at <= at.at):
                yield row


def round_trips(records: Records, day: Day, finding: Finding) -> None:
    """Check that patients back from a round trip hold the old number and place, for the same clinician."""
    for path in records.paths.values():
        for earlier, later in pairwise(path):
            if earlier.returns_to_id and later.cluster == records.entries[earlier.returns_to_id].cluster:
                origin = records.entries[earlier.returns_to_id]
                same = (later.ticket_id, later.queued_at) == (origin.ticket_id, origin.queued_at)
                kept = later.reserved_for_id == origin.practitioner_id
                finding.expect(same and kept, f"visit {later.visit_id}")


def losers(records: Records, day: Day, finding: Finding) -> None:
    """Check that a caller who was too late was told who was faster, and the present state."""
    for refusal in day.losers:
        details = refusal["details"]
        told = bool(details["changed_by"]) and bool(details["status"]) and bool(details["number"])
        finding.expect(told, str(refusal))


def feed(records: Records, day: Day, finding: Finding) -> None:
    """Check that every event of a queue is in the change feed."""
    changes = Counter(row.entry_id for row in Change.select(Change.entry).where(Change.kind == "entry"))
    for entry, number in Counter(event.entry_id for event in records.events).items():
        finding.expect(changes[entry] == number, f"{entry}: {number} events, {changes[entry]} changes")


def hashes(records: Records, day: Day, finding: Finding) -> None:
    """Check that the audit log's chain is whole."""
    finding.expect(audit_check.verify().problems == [], "broken")


def nothing_unexpected(records: Records, day: Day, finding: Finding) -> None:
    """Check that every answer was an expected one."""
    finding.looked_at = sum(len(times) for times in day.seconds.values())
    finding.faults += day.unexpected


def reports_agree(records: Records, report: Report) -> Finding:
    """Count the day from its events alone and compare the report of waits with it."""
    finding = Finding("The report of waits agrees with the events")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    called: set[str] = set()
    served: set[str] = set()
    for event in records.standing():
        cluster = records.entries[event.entry_id].cluster
        if event.action == A.ISSUE:
            counts[cluster]["Nomor"] += 1
        if event.action in {A.CALL, A.START, A.RESUME}:
            called.add(event.entry_id)
        if event.action in {A.START, A.RESUME, A.FINISH}:
            served.add(event.entry_id)
        counts[cluster]["Pergi"] += event.to_status == S.LEFT
        counts[cluster]["Dibatalkan"] += event.to_status == S.CANCELLED
    for name, entries in (("Dipanggil", called), ("Dilayani", served)):
        for entry in entries:
            counts[records.entries[entry].cluster][name] += 1
    rows = {row[0]: dict(zip(report["columns"], row, strict=True)) for row in report["rows"]}
    for cluster in records.clinic.clusters:
        for name in ("Nomor", "Dipanggil", "Dilayani", "Pergi", "Dibatalkan"):
            reported, counted = rows[cluster][name], counts[cluster][name]
            finding.expect(reported == counted, f"{cluster} {name}: {reported} is not {counted}")
    return finding


def register_agrees(records: Records, report: Report) -> Finding:
    """Compare the day's register with the visits that had a service, by the events."""
    finding = Finding("The day's register has a line for every visit that was served")
    starts = {A.START, A.RESUME, A.FINISH}
    served = {
        records.entries[event.entry_id].visit_id for event in records.standing() if event.action in starts
    }
    *lines, total = report["rows"]
    finding.expect(len(lines) == len(served), f"{len(lines)} lines for {len(served)} visits")
    finding.expect(total[1] == len(served), f"a total of {total[1]} for {len(served)} visits")
    for visit in records.visits.values():
        path = [(row.cluster, row.status) for row in records.paths[visit.id]]
        finding.expect((visit.status == "finished") == (visit.id in served), f"{visit.status}: {path}")
    return finding


def longest_waits(records: Records) -> dict[str, float]:
    """Return the longest waits in minutes, by class, from the place in the queue to the call."""
    longest: dict[str, float] = {}
    for row in records.entries.values():
        if row.called_at is not None and row.reserved_for_id is None:
            kind = {0: "red", 1: "yellow", 2: "protected"}.get(Priority(row.priority).rank, "regular")
            longest[kind] = max(longest.get(kind, 0.0), minutes(row.started_at, row.called_at))
    return longest


def minutes(start: datetime, end: datetime) -> float:
    """Return the minutes between two instants."""
    return (end - start).total_seconds() / 60
