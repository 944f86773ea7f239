"""The part of the clinic that a counter's machine holds: enough to register, and no diagnoses, notes or complaints.

The machine says how far it is, and gets what is new since: the people who changed or came, the visits of the day that
moved, and each small table whose digest differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from core.counters import machines
from core.foundation import clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, NumberSeries, NumberStatus, Role
from core.foundation.database import document_text, transaction, tuples
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import (
    Account,
    AccountKey,
    Allergy,
    Appointment,
    Change,
    Counter,
    CounterPerson,
    LentNumber,
    Patient,
    QueueEntry,
    RightsChange,
    RolePermission,
    Table,
    Ticket,
    Token,
    Visit,
)
from core.patients import record_numbers
from core.queues import lent_blocks
from core.schemas.counters import CopyAsked, Rows, StoreCopy

ROLES = frozenset({Role.CLERK, Role.NURSE, Role.CLINICIAN})
"""Roles that sign in at a counter without the core."""
RECORD_NUMBERS = 20
"""Medical record numbers that a machine has ready: new patients are a small part of those who come."""
OVERLAP = timedelta(seconds=5)
"""Cards that were written so shortly before the last copy are sent again: a save stamps its row before it commits."""
BATCH = 400
"""Ids in one query."""


def fresh(clinic: Clinic, actor: Actor, asked: CopyAsked) -> StoreCopy:
    """Lend numbers, note how the machine stands, and return what is new to it.

    Args:
        clinic: The clinic.
        actor: The machine.
        asked: What it has, and how it stands.

    Raises:
        NotAllowedError: The actor is no machine of a counter, or it was reported lost.
    """
    today = clinic.today()
    with transaction():
        machine = machines.of(actor)
        sequence, now = feed.newest_sequence(), clock.now()
        is_whole = asked.day != today or not 0 < asked.after <= sequence
        _note(machine, asked)
        lent = _lend(clinic, actor, machine, asked, today)
        since = None if is_whole else machine_since(asked)
        people = _people(machine, asked, today, is_whole=is_whole)
        tables = {name: rows for name, rows in _small(machine).items()}
        digests = {name: _digest(rows) for name, rows in tables.items()}
        sent = {name: rows for name, rows in tables.items() if asked.has.get(name) != digests[name]}
        sent["patient"] = _rows(Patient, _in(Patient.id, people), HIDDEN_OF_PATIENTS)
        sent["allergy"] = _allergies(machine, people, since)
        sent |= _visits(today, asked.after if not is_whole else None)
        _note_people(machine, people, is_whole=is_whole)
    if lent:
        clinic.note_mark()
    return StoreCopy(
        sequence=sequence,
        day=today,
        now=now,
        is_whole=is_whole,
        tables={name: sent[name] for name in ORDER if name in sent},
        digests=digests,
    )


ORDER = (
    "account", "account_key", "token", "rights_change", "role_permission", "counter", "patient", "allergy", "visit",
    "ticket", "queue_entry", "appointment", "lent_number",
)  # fmt: skip
"""Tables of a copy, each after those that its rows point to."""
HIDDEN_OF_PATIENTS: Mapping[str, Any] = {
    "mother_id": None,
    "no_known_allergies_by_id": None,
    "death_reported_on": None,
    "religion": "",
    "education": "",
    "occupation": "",
    "marital_status": "",
    "merged_into_id": None,
}
"""Columns of a card that point to what a counter does not hold."""
HIDDEN_OF_VISITS: Mapping[str, Any] = {
    "chief_complaint": "-",
    "routing": "{}",
    "override_reason": None,
    "suggested_cluster": None,
    "disposition": None,
}
HIDDEN_OF_ENTRIES: Mapping[str, Any] = {
    "priority_reason": "",
    "end_reason": None,
    "came_from_id": None,
    "returns_to_id": None,
}
HIDDEN_OF_ACCOUNTS: Mapping[str, Any] = {
    "password_hash": "!",
    "practitioner_nik": None,
    "second_factor_step": None,
}
"""No password's hash leaves the core: a counter checks with what it made itself when its people signed in there."""


def machine_since(asked: CopyAsked) -> Any:
    """Return the instant since which a machine has not seen changes of cards: that of the last change it knows."""
    row = Change.get_or_none(Change.sequence == asked.after)
    return row.at - OVERLAP if row is not None else None


def _note(machine: Counter, asked: CopyAsked) -> None:
    machine.contact_at = clock.now()
    machine.waiting, machine.asked, machine.away_since = asked.waiting, asked.asked, asked.away_since
    machine.has_secret = asked.has_secret
    machine.save()


def _lend(clinic: Clinic, actor: Actor, machine: Counter, asked: CopyAsked, today: date) -> bool:
    """Take back what is left of earlier days, and lend for today and tomorrow; return whether anything was lent."""
    over = LentNumber.select().where(
        LentNumber.counter == machine.id,
        LentNumber.series == NumberSeries.LENT,
        LentNumber.status == NumberStatus.LENT,
        LentNumber.service_on < today,
    )
    unused = [row for row in over if row.number not in asked.holds] if not asked.waiting else []
    lent_blocks.end(actor, unused, NumberStatus.RETURNED, f"{machine.name}: not needed")
    made = lent_blocks.top_up(clinic, actor, machine.id, today)
    made += lent_blocks.top_up(clinic, actor, machine.id, today + timedelta(days=1))
    return bool(made) | _lend_record_numbers(actor, machine)


def _lend_record_numbers(actor: Actor, machine: Counter) -> bool:
    ready = LentNumber.select().where(
        LentNumber.counter == machine.id,
        LentNumber.series == NumberSeries.RECORD,
        LentNumber.status == NumberStatus.LENT,
    )
    missing = RECORD_NUMBERS - ready.count()
    if missing < RECORD_NUMBERS // 2:
        return False
    for number in record_numbers.reserve(missing):
        LentNumber.create(
            id=new_id(),
            series=NumberSeries.RECORD,
            cluster="",
            service_on=lent_blocks.ANY_DAY,
            sequence=int(number),
            number=number,
            status=NumberStatus.LENT,
            lent_at=clock.now(),
            lent_by=actor.account_id,
            counter=machine.id,
        )
    return True


def _people(machine: Counter, asked: CopyAsked, today: date, *, is_whole: bool) -> list[str]:
    """Return the ids of the patients to be sent."""
    days = machine.days if machine.has_secret else 0
    first = today - timedelta(days=days)
    came = Visit.select(Visit.patient).where(Visit.service_on >= first, Visit.voided_at.is_null())
    booked = Appointment.select(Appointment.patient).where(
        Appointment.service_on >= today, Appointment.status == AppointmentStatus.BOOKED
    )
    if is_whole:
        those = Patient.select(Patient.id).where(
            Patient.voided_at.is_null(), Patient.id.in_(came) | Patient.id.in_(booked)
        )
        return [row.id for row in those]
    since = machine_since(asked)
    held = CounterPerson.select(CounterPerson.patient).where(
        CounterPerson.counter == machine.id, CounterPerson.held_until.is_null()
    )
    changed = Patient.select(Patient.id).where(Patient.updated_at >= since, Patient.id.in_(held))
    lately = came.join(Change, on=(Change.visit == Visit.id)).where(Change.sequence > asked.after)
    new_bookings = booked.where(Appointment.booked_at >= since)
    new = Patient.select(Patient.id).where(
        Patient.voided_at.is_null(),
        Patient.id.in_(lately) | Patient.id.in_(new_bookings),
        Patient.id.not_in(held),
    )
    return [row.id for row in changed] + [row.id for row in new]


def _note_people(machine: Counter, people: list[str], *, is_whole: bool) -> None:
    """Keep whose cards the machine holds: who is to be told if it is stolen."""
    now = clock.now()
    if is_whole:
        CounterPerson.update(held_until=now).where(
            CounterPerson.counter == machine.id, CounterPerson.held_until.is_null()
        ).execute()
    for first in range(0, len(people), BATCH):
        rows = [
            {"counter": machine.id, "patient": id_, "sent_at": now, "held_until": None}
            for id_ in people[first : first + BATCH]
        ]
        CounterPerson.insert_many(rows).on_conflict(
            conflict_target=[CounterPerson.counter, CounterPerson.patient], update={"held_until": None}
        ).execute()


def _small(machine: Counter) -> dict[str, Rows]:
    now = clock.now()
    signs_in = Account.select(Account.id).where(Account.role.in_(ROLES), Account.second_factor.is_null())
    doors = Account.select(Account.id).where(Account.role == Role.DOOR)
    live = (Token.revoked_at.is_null()) & (Token.expires_at > now)
    seats = (Token.account.in_(signs_in) & ~Token.needs_code) | Token.account.in_(doors)
    lent = (LentNumber.counter == machine.id) & (LentNumber.status == NumberStatus.LENT)
    bookings = (Appointment.service_on >= machine_day()) & (Appointment.status == AppointmentStatus.BOOKED)
    return {
        "account": [_account_row(row) for row in _rows(Account, None, HIDDEN_OF_ACCOUNTS)],
        "account_key": _rows(AccountKey, AccountKey.revoked_at.is_null() & AccountKey.account.in_(signs_in)),
        "token": _rows(Token, live & seats),
        "rights_change": _rows(RightsChange, RightsChange.outcome == "approved"),
        "role_permission": _rows(RolePermission, None),
        "counter": _rows(Counter, Counter.id == machine.id, {"store_key": "", **_STANDING}),
        "appointment": _rows(Appointment, bookings, {"chief_complaint": "-", "phone": ""}),
        "lent_number": _rows(LentNumber, lent),
    }


_STANDING: Mapping[str, Any] = {
    "contact_at": None,
    "waiting": 0,
    "asked": 0,
    "away_since": None,
    "chain_length": 0,
    "chain_head": "",
}
"""Columns that change with each contact, and would make the table new each time."""


def machine_day() -> date:
    """Return a day from which on bookings are sent: yesterday, in every time zone."""
    return clock.now().date() - timedelta(days=1)


def _account_row(row: dict[str, Any]) -> dict[str, Any]:
    """Say only whether there is a second factor: such an account does not sign in without the core."""
    return {**row, "second_factor": "-" if row["second_factor"] else None}


def _visits(today: date, after: int | None) -> dict[str, Rows]:
    """Return the visits of a day with their tickets and entries; only those that moved after a change, if one is given."""
    those = Visit.select(Visit.id).where(Visit.service_on == today)
    if after is not None:
        moved = Change.select(Change.visit).where(Change.sequence > after, Change.visit.is_null(False))
        entries = (
            QueueEntry.select(QueueEntry.visit)
            .join(Change, on=(Change.entry == QueueEntry.id))
            .where(Change.sequence > after)
        )
        those = those.where(Visit.id.in_(moved) | Visit.id.in_(entries))
    ids = [row.id for row in those]
    return {
        "visit": _rows(Visit, _in(Visit.id, ids), HIDDEN_OF_VISITS),
        "ticket": _rows(Ticket, _in(Ticket.visit, ids)),
        "queue_entry": _rows(QueueEntry, _in(QueueEntry.visit, ids), HIDDEN_OF_ENTRIES),
    }


def _allergies(machine: Counter, people: list[str], since: Any) -> Rows:
    rows = _rows(Allergy, _in(Allergy.patient, people))
    if since is None:
        return rows
    held = CounterPerson.select(CounterPerson.patient).where(
        CounterPerson.counter == machine.id, CounterPerson.held_until.is_null()
    )
    is_new = (Allergy.recorded_at >= since) | (Allergy.voided_at >= since)
    known = {row["id"] for row in rows}
    return rows + [
        row for row in _rows(Allergy, is_new & Allergy.patient.in_(held)) if row["id"] not in known
    ]


def _in(field: Any, ids: Iterable[str]) -> list[Any]:
    """Return conditions, one for each batch of ids; none where there are no ids."""
    wanted = list(ids)
    return [field.in_(wanted[first : first + BATCH]) for first in range(0, len(wanted), BATCH)]


def _rows(table: type[Table], where: Any, hidden: Mapping[str, Any] | None = None) -> Rows:
    """Return rows with their columns as they are stored.

    Args:
        table: The table.
        where: A condition, several of which each finds other rows, or None for all.
        hidden: Column -> value that is sent instead.
    """
    conditions = where if isinstance(where, list) else [where]
    fields = table._meta.sorted_fields
    found: Rows = []
    for condition in conditions:
        query = table.select() if condition is None else table.select().where(condition)
        for cells in tuples(query):
            row = {field.column_name: field.db_value(cell) for field, cell in zip(fields, cells, strict=True)}
            found.append(row | dict(hidden or {}))
    return found


def _digest(rows: Rows) -> str:
    ordered = sorted(rows, key=document_text)
    return hashlib.sha256(document_text({"rows": ordered}).encode()).hexdigest()[:16]
