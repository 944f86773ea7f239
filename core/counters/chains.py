"""The audit chain of a counter's own machine: its rows go to the core at each delivery, and the core's chain keeps their head.

A row is bound to the one before by a hash, so that none can be left out, changed or put in between once the core has the
head. On the machine itself the rows lie in the sealed store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from core.counters import machines
from core.foundation import audit, state
from core.foundation.database import connection, document_text, instant_text, transaction
from core.foundation.errors import ConflictError
from core.foundation.permissions import Actor
from core.models import AuditEvent, Counter, CounterEvent
from core.schemas.counters import ChainFields, ChainRow

SENT_FACT = "counter_chain"
"""Fact of a machine's store: how many rows the core has, their newest hash, and the last event that they hold."""
PAGE = 200  # rows in one request


def hash_of(previous: str, row: dict[str, Any]) -> str:
    """Return the hash of a row.

    Args:
        previous: Hash of the row before; empty before the first.
        row: The row.
    """
    return hashlib.sha256(f"{previous}\n{document_text(row)}".encode()).hexdigest()


def take(actor: Actor, fields: ChainFields) -> int:
    """Keep the rows that a machine delivers, and their head in the core's own chain; return how many there are now.

    Args:
        actor: The machine.
        fields: The rows after those that the core has.

    Raises:
        ConflictError: `chain_broken`: they do not follow what is here. The core's chain keeps that too.
    """
    with transaction():
        machine = machines.of(actor)
        if fields.after != machine.chain_length:
            if fields.after > machine.chain_length:
                audit.record(actor, "counter_chain_broken", "counter", machine.id, at=machine.chain_length)
            raise ConflictError("chain_elsewhere", length=machine.chain_length)
        head = machine.chain_head
        for place, row in enumerate(fields.rows, start=machine.chain_length + 1):
            head = hash_of(head, row.row)
            if head != row.hash:
                raise ConflictError("chain_broken", length=machine.chain_length)
            CounterEvent.create(counter=machine.id, number=place, row=row.row, hash=head)
        if fields.rows:
            machine.chain_length += len(fields.rows)
            machine.chain_head = head
            machine.save()
            audit.record(
                actor, "counter_chain", "counter", machine.id, counter=machine.name,
                length=machine.chain_length, head=head,
            )  # fmt: skip
        return machine.chain_length


def breaks() -> Iterator[str]:
    """Yield what is wrong with the counters' chains: a row that is missing, changed, or not what the core's chain says."""
    with connection():
        for machine in Counter.select().order_by(Counter.name):
            yield from (f"{machine.name}: {what}" for what in _breaks_of(machine))


def _breaks_of(machine: Counter) -> Iterator[str]:
    heads = {
        int(event.detail["length"]): str(event.detail["head"])
        for event in AuditEvent.select().where(
            AuditEvent.action == "counter_chain", AuditEvent.target == machine.id
        )
    }
    head, number = "", 0
    for row in CounterEvent.select().where(CounterEvent.counter == machine.id).order_by(CounterEvent.number):
        number += 1
        head = hash_of(head, row.row)
        if row.number != number:
            yield f"row {number} is missing"
            return
        if head != row.hash:
            yield f"row {number} was changed"
            return
        if heads.get(number, head) != head:
            yield f"row {number} is not what the core's chain says"
            return
    if number < max(heads, default=0):
        yield f"rows after {number} are missing"


def to_send() -> tuple[int, list[ChainRow], dict[str, Any]]:
    """Return on a counter's machine how many rows the core has, those that follow, and the fact to note when it has them."""
    with connection():
        fact = state.fact(SENT_FACT) or {"length": 0, "head": "", "event": 0}
        events = (
            AuditEvent.select()
            .where(AuditEvent.sequence > fact["event"])
            .order_by(AuditEvent.sequence)
            .limit(PAGE)
        )
        head, rows, last = fact["head"], [], fact["event"]
        for event in events:
            row = _row(event)
            head, last = hash_of(head, row), event.sequence
            rows.append(ChainRow(row=row, hash=head))
    sent = {"length": fact["length"] + len(rows), "head": head, "event": last}
    return fact["length"], rows, sent


def note_sent(sent: dict[str, Any]) -> None:
    """Note on a counter's machine what the core has now."""
    with transaction():
        state.note(SENT_FACT, **sent)


def _row(event: AuditEvent) -> dict[str, Any]:
    return {
        "at": instant_text(event.at),
        "account": event.account_id,
        "origin": event.origin,
        "action": event.action,
        "kind": event.kind,
        "target": event.target,
        "patient": event.patient_id,
        "detail": event.detail,
        "hash": event.hash,
    }
