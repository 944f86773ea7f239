"""Loket's promises (README, docs/architecture.md), checked against the tables and against what was acknowledged."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from core.foundation import audit_check, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import ENDED_STATUSES, EntryAction
from core.foundation.database import connection, database
from core.foundation.permissions import Actor
from core.models import QueueEntry, Registration, Ticket, TicketCounter
from core.queues import views
from core.schemas.queues import EntryOut
from core.schemas.registration import Receipt

GROWING = (
    "patient", "visit", "ticket", "queue_entry", "queue_event", "registration", "change", "audit_event", "outbox",
)  # fmt: skip
"""Tables from which no row ever goes."""


class Broken(AssertionError):
    """A promise that was not kept."""

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


class EntryLook(NamedTuple):
    """The part of an entry that a pane knows."""

    cluster: str
    status: str
    version: int


@dataclass
class Promises:
    """Remembers what was acknowledged, follows the feed as a pane does, and looks whether both hold."""

    checked: Counter[str] = field(default_factory=Counter)
    """Promise -> how often it was looked at."""
    receipts: dict[str, Receipt] = field(default_factory=dict)
    """Registration id -> what the clerk was shown."""
    acknowledged: dict[str, EntryLook] = field(default_factory=dict)
    """Entry id -> the newest state that somebody was told of."""
    actions: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Entry id -> how often each action was acknowledged."""
    callers: dict[str, str] = field(default_factory=dict)
    """Entry id -> who was told that they had called it."""
    pane: dict[str, EntryLook] = field(default_factory=dict)
    """Entry id -> what a pane shows that reads only what the feed names."""
    seen: int = 0
    """The newest sequence that the pane has seen."""
    rows: dict[str, int] = field(default_factory=dict)

    def _expect(self, promise: str, holds: bool, words: str) -> None:
        self.checked[promise] += 1
        if not holds:
            raise Broken(promise, words)

    # What somebody is told.

    def told_receipt(self, clinic: Clinic, actor: Actor, receipt: Receipt) -> None:
        """Note a receipt that a clerk sees, and look for what it says."""
        known = self.receipts.get(receipt.registration_id)
        if known is not None:
            same = (known.visit_id, known.ticket.number) == (receipt.visit_id, receipt.ticket.number)
            self._expect("once", same, f"{receipt.ticket.number} instead of {known.ticket.number}")
        self.receipts[receipt.registration_id] = receipt
        with connection():
            pane = views.queue(clinic, actor, receipt.ticket.cluster)
            visits = Registration.select().where(Registration.visit == receipt.visit_id).count()
        shown = {entry.number for entry in pane.entries}
        self._expect("a receipt is in the pane", receipt.ticket.number in shown, receipt.ticket.number)
        self._expect(
            "a receipt is in the pane", pane.sequence >= receipt.sequence > 0, f"sequence {receipt.sequence}"
        )
        self._expect("once", visits == 1, f"{visits} registrations of one visit")

    def told_entry(self, out: EntryOut, action: EntryAction, by: str, acted: str) -> None:
        """Note an answer to whoever acted on an entry.

        Args:
            out: The answer: after a move, the entry that began.
            action: What was asked for.
            by: Who asked.
            acted: Id of the entry that it was asked of.
        """
        self.acknowledged[out.id] = EntryLook(out.cluster, str(out.status), out.version)
        self.actions[acted][str(action)] += 1
        if action is EntryAction.CALL:
            other = self.callers.get(out.id)
            self._expect("nobody is called by two", other in {None, by}, f"{out.number}: {other} and {by}")
            self.callers[out.id] = by

    def forget_caller(self, entry_id: str) -> None:
        """Note that a call no longer holds: skipped, undone, ended."""
        self.callers.pop(entry_id, None)

    # After every step.

    def after_step(self) -> None:
        """Look whether the feed names everything that changed."""
        with connection():
            self._follow()
            there = self._entries()
        self._expect("panes show the table", self.pane == there, _difference(self.pane, there))

    def _follow(self) -> None:
        news = feed.since(self.seen, limit=10_000)
        sequences = [change.sequence for change in news]
        self._expect("panes show the table", sequences == sorted(set(sequences)), "feed out of order")
        for change in news:
            if change.kind == "day_closed":
                self.pane = self._entries()
            elif change.entry_id is not None:
                self.pane.update(self._entries(change.entry_id))
            self.seen = change.sequence

    def _entries(self, entry_id: str | None = None) -> dict[str, EntryLook]:
        """Read the entries, or one; in plain SQL, because it is done after each step."""
        where, values = ("", ()) if entry_id is None else (" WHERE id = ?", (entry_id,))
        rows = database.execute_sql(f"SELECT id, cluster, status, version FROM queue_entry{where}", values)
        return {id_: EntryLook(cluster, status, version) for id_, cluster, status, version in rows.fetchall()}

    # After a crash, and at the end of a day.

    def whole(self, clinic: Clinic) -> None:
        """Look at everything."""
        with connection():
            self.after_step()
            self._durable()
            self._numbers()
            self._one_place()
            self._moves()
            self._versions()
            self._nothing_erased()
            self._audit(clinic)

    def _durable(self) -> None:
        there = self._entries()
        for entry_id, known in self.acknowledged.items():
            row = there.get(entry_id)
            kept = row is not None and (row == known or row.version > known.version)
            self._expect("what was acknowledged is there", kept, f"{entry_id}: {known}, found {row}")
        saved = dict(database.execute_sql("SELECT id, visit_id FROM registration").fetchall())
        numbered = {visit for (visit,) in database.execute_sql("SELECT visit_id FROM ticket").fetchall()}
        for id_, receipt in self.receipts.items():
            kept = saved.get(id_) == receipt.visit_id and receipt.visit_id in numbered
            self._expect("what was acknowledged is there", kept, f"{receipt.ticket.number} of {id_}")

    def _numbers(self) -> None:
        given: dict[tuple[str, date], list[int]] = defaultdict(list)
        for row in Ticket.select(Ticket.cluster, Ticket.service_on, Ticket.sequence):
            given[row.cluster, row.service_on].append(row.sequence)
        counters = {(row.cluster, row.service_on): row.last_number for row in TicketCounter.select()}
        for place, numbers in given.items():
            dense = sorted(numbers) == list(range(1, len(numbers) + 1))
            self._expect("numbers are unique and without gaps", dense, f"{place}: {sorted(numbers)}")
            self._expect(
                "numbers are unique and without gaps",
                counters.get(place) == len(numbers),
                f"{place}: counter",
            )

    def _one_place(self) -> None:
        ended = {str(status) for status in ENDED_STATUSES}
        open_places = database.execute_sql(
            "SELECT visit.patient_id, entry.cluster, entry.status FROM queue_entry AS entry"
            " JOIN visit ON visit.id = entry.visit_id WHERE entry.voided_at IS NULL"
        )
        places = Counter(
            (patient, cluster) for patient, cluster, status in open_places.fetchall() if status not in ended
        )
        twice = [place for place, number in places.items() if number > 1]
        self._expect("one place in a queue", not twice, str(twice))

    def _moves(self) -> None:
        """Look whether whoever came from another queue left it at the same instant."""
        before = QueueEntry.alias()
        moved = (
            QueueEntry.select(
                QueueEntry.started_at, before.ended_at.alias("left_at"), before.status.alias("was")
            )
            .join(before, on=(QueueEntry.came_from == before.id))
            .where(QueueEntry.voided_at.is_null(), before.ended_at.is_null(False))
            .dicts()
        )
        for row in moved:
            self._expect("a move is one instant", row["left_at"] == row["started_at"], str(row))

    def _versions(self) -> None:
        """Look whether every step raised the version by one: whoever acts on an old look is told."""
        steps = Counter(id_ for (id_,) in database.execute_sql("SELECT entry_id FROM queue_event").fetchall())
        for id_, entry in self._entries().items():
            words = f"{id_}: {entry.version}, {steps[id_]} steps"
            self._expect("every step has a version", entry.version == steps[id_], words)

    def _nothing_erased(self) -> None:
        for table in GROWING:
            (rows,) = database.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()
            self._expect("nothing is erased", rows >= self.rows.get(table, 0), f"{table}: {rows}")
            self.rows[table] = rows

    def _audit(self, clinic: Clinic) -> None:
        problems = audit_check.verify().problems
        self._expect("the audit chain is whole", not problems, str(problems[:2]))
        written: dict[str, Counter[str]] = defaultdict(Counter)
        rows = database.execute_sql("SELECT action, target FROM audit_event WHERE kind = 'queue_entry'")
        for action, target in rows.fetchall():
            written[target][action.removeprefix("entry_")] += 1
        for entry_id, done in self.actions.items():
            for action, times in done.items():
                words = f"{action} of {entry_id}: {written[entry_id][action]} of {times}"
                self._expect("who did what is written down", written[entry_id][action] >= times, words)


def _difference(shown: dict[str, EntryLook], there: dict[str, EntryLook]) -> str:
    for key in {*shown, *there}:
        if shown.get(key) != there.get(key):
            return f"{key}: shown {shown.get(key)}, is {there.get(key)}"
    return ""
