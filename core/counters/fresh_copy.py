"""Puts what the core sends into the store of a counter's machine, beside what this one has made and not delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.counters import pending
from core.counters.copies import ROLES as SIGN_IN_ROLES
from core.foundation import feed, state
from core.foundation.database import database, transaction
from core.linkage.key_queries import add_keys
from core.linkage.search_keys import keys_of_patients
from core.models import (
    Account,
    AccountKey,
    Allergy,
    Appointment,
    Counter,
    LentNumber,
    Patient,
    PendingRegistration,
    QueueEntry,
    RightsChange,
    RolePermission,
    Table,
    Ticket,
    Token,
    Visit,
)
from core.schemas.counters import Rows, StoreCopy

FRESH_FACT = "counter_copy"
"""Fact of the store: `sequence`, `day` and the `digests` of the small tables."""
TABLES: Mapping[str, type[Table]] = {
    "account": Account,
    "account_key": AccountKey,
    "token": Token,
    "rights_change": RightsChange,
    "role_permission": RolePermission,
    "counter": Counter,
    "patient": Patient,
    "allergy": Allergy,
    "visit": Visit,
    "ticket": Ticket,
    "queue_entry": QueueEntry,
    "appointment": Appointment,
    "lent_number": LentNumber,
}
WHOLE = ("account_key", "role_permission")
"""Small tables of which only what is sent stays."""
OF_VISITS = (
    ("queue_event", "entry_id IN (SELECT id FROM queue_entry WHERE visit_id IN ({}))"),
    ("late_entry", "visit_id IN ({})"),
    ("routing_example", "visit_id IN ({})"),
    ("registration", "visit_id IN ({})"),
    ("queue_entry", "visit_id IN ({})"),
    ("ticket", "visit_id IN ({})"),
    ("visit", "id IN ({})"),
)
"""Tables with rows of a visit, those that point to others first."""


def apply(copy: StoreCopy) -> None:
    """Store a copy that the core has sent.

    Side effects: the panes of this machine are told.
    """
    with transaction():
        database.execute_sql("PRAGMA defer_foreign_keys = ON")
        ours = _ours()
        if copy.is_whole:
            _drop_old(copy, ours)
        for name, rows in copy.tables.items():
            _put(name, rows, ours)
        fact = state.fact(FRESH_FACT) or {}
        digests = {**fact.get("digests", {}), **copy.digests}
        state.note(FRESH_FACT, sequence=copy.sequence, day=copy.day.isoformat(), digests=digests)
        for cluster in {row["cluster"] for row in copy.tables.get("queue_entry", [])}:
            feed.append("entry", cluster=cluster)


def _ours() -> dict[str, set[str]]:
    """Return the ids of what this machine has made and the core does not have."""
    open_rows = list(
        PendingRegistration.select().where(PendingRegistration.id.in_(list(pending.open_ids()) or [""]))
    )
    return {
        "visit": {row.made["visit_id"] for row in open_rows},
        "patient": {row.made["patient_id"] for row in open_rows},
        "new_patient": {row.made["patient_id"] for row in open_rows if row.made["medical_record_number"]},
    }


def _put(name: str, rows: Rows, ours: Mapping[str, set[str]]) -> None:
    table = TABLES[name]
    if name in WHOLE:
        table.delete().execute()
    if name == "token":
        _end_tokens(rows)
    if name == "lent_number":
        _put_lent(rows)
        return
    if name == "appointment":
        used = {
            row.id for row in Appointment.select().where(Appointment.visit.in_(list(ours["visit"]) or [""]))
        }
        rows = [row for row in rows if row["id"] not in used]
    if name == "patient":
        _make_room(rows, ours["new_patient"])
    if name == "ticket":
        _make_turns(rows, ours["visit"])
    _upsert(table, rows)
    if name == "patient" and rows:
        _renew_keys([row["id"] for row in rows])


def _upsert(table: type[Table], rows: Rows) -> None:
    key = _key_of(table)
    for row in rows:
        columns = ", ".join(row)
        places = ", ".join("?" for _ in row)
        changed = ", ".join(f"{column} = excluded.{column}" for column in row if column not in key)
        action = f"DO UPDATE SET {changed}" if changed else "DO NOTHING"
        database.execute_sql(
            f"INSERT INTO {table._meta.table_name} ({columns}) VALUES ({places})"  # noqa: S608  # names of columns
            f" ON CONFLICT ({', '.join(key)}) {action}",
            list(row.values()),
        )


def _key_of(table: type[Table]) -> list[str]:
    key: Any = table._meta.primary_key
    names = key.field_names if hasattr(key, "field_names") else [key.name]
    return [table._meta.fields[name].column_name for name in names]


def _end_tokens(rows: Rows) -> None:
    """Take away the sign-ins that the core does not name; those that were made here stay until it is asked."""
    known = [row["id"] for row in rows]
    gone = [
        row.id for row in Token.select(Token.id, Token.method) if row.id not in known and row.method != LOCAL
    ]
    for part in _parts(gone):
        Token.delete().where(Token.id.in_(part)).execute()


LOCAL = "counter"
"""Method of a sign-in that this machine has allowed without the core."""


def _put_lent(rows: Rows) -> None:
    """Add the numbers that are lent now; one that was given out here stays as it is."""
    known = {row["id"] for row in rows}
    over = [row.id for row in LentNumber.select().where(LentNumber.visit.is_null()) if row.id not in known]
    for part in _parts(over):
        LentNumber.delete().where(LentNumber.id.in_(part)).execute()
    here = {row.id for row in LentNumber.select(LentNumber.id)}
    taken = {(row.series, row.number, row.service_on.isoformat()) for row in LentNumber.select()}
    new = [row for row in rows if row["id"] not in here]
    _upsert(
        LentNumber, [row for row in new if (row["series"], row["number"], row["service_on"]) not in taken]
    )


def _make_room(rows: Rows, ours: set[str]) -> None:
    """Take a number from a patient who was made here, where the core has another with it: that is asked at delivery."""
    if not ours:
        return
    for row in rows:
        for column in ("nik", "bpjs_number"):
            if row.get(column):
                Patient.update({column: None}).where(
                    getattr(Patient, column) == row[column],
                    Patient.id != row["id"],
                    Patient.id.in_(list(ours)),
                ).execute()


def _make_turns(rows: Rows, ours: set[str]) -> None:
    """Move a ticket that was given out here behind one of the core's that has its place."""
    if not ours:
        return
    for row in rows:
        Ticket.update(turn=Ticket.turn + 1).where(
            Ticket.cluster == row["cluster"], Ticket.service_on == row["service_on"],
            Ticket.turn == row["turn"], Ticket.id != row["id"], Ticket.visit.in_(list(ours)),
        ).execute()  # fmt: skip


def _renew_keys(ids: Sequence[str]) -> None:
    for part in _parts(ids):
        marks = ", ".join("?" for _ in part)
        database.execute_sql(f"DELETE FROM patient_key WHERE patient_id IN ({marks})", part)  # noqa: S608
        add_keys(keys_of_patients(part))


def _drop_old(copy: StoreCopy, ours: Mapping[str, set[str]]) -> None:
    """Drop the people and visits that are not in a whole copy."""
    visits = {row["id"] for row in copy.tables.get("visit", [])} | ours["visit"]
    gone = [row.id for row in Visit.select(Visit.id) if row.id not in visits]
    _drop_visits(gone)
    people = {row["id"] for row in copy.tables.get("patient", [])} | ours["patient"]
    people |= {row.patient_id for row in Visit.select(Visit.patient)}
    booked = {
        row.patient_id for row in Appointment.select(Appointment.patient) if row.patient_id not in people
    }
    _delete("appointment", "patient_id IN ({})", sorted(booked))
    strangers = [row.id for row in Patient.select(Patient.id) if row.id not in people]
    for name in ("allergy", "patient_key", "patient_version"):
        _delete(name, "patient_id IN ({})", strangers)
    _delete("patient", "id IN ({})", strangers)


def _drop_visits(ids: Sequence[str]) -> None:
    for part in _parts(ids):
        marks = ", ".join("?" for _ in part)
        database.execute_sql(f"UPDATE appointment SET visit_id = NULL WHERE visit_id IN ({marks})", part)  # noqa: S608
        database.execute_sql(f"UPDATE lent_number SET visit_id = NULL WHERE visit_id IN ({marks})", part)  # noqa: S608
        database.execute_sql(
            "UPDATE change SET entry_id = NULL, visit_id = NULL WHERE visit_id IN"  # noqa: S608
            f" ({marks}) OR entry_id IN (SELECT id FROM queue_entry WHERE visit_id IN ({marks}))",
            [*part, *part],
        )
    for name, condition in OF_VISITS:
        _delete(name, condition, ids)


def _delete(table: str, condition: str, ids: Sequence[str]) -> None:
    for part in _parts(ids):
        marks = ", ".join("?" for _ in part)
        database.execute_sql(f"DELETE FROM {table} WHERE {condition.format(marks)}", part)  # noqa: S608


def _parts(ids: Iterable[str], size: int = 400) -> Iterable[list[str]]:
    wanted = list(ids)
    for first in range(0, len(wanted), size):
        yield wanted[first : first + size]


def drop_made(row: PendingRegistration) -> None:
    """Drop what was made here for a registration that the core took otherwise: its own rows come with the next copy."""
    with transaction():
        database.execute_sql("PRAGMA defer_foreign_keys = ON")
        _drop_visits([row.made["visit_id"]])
        patient_id = row.made["patient_id"]
        if (
            row.made["medical_record_number"]
            and not Visit.select().where(Visit.patient == patient_id).exists()
        ):
            for name in ("allergy", "patient_key", "patient_version"):
                _delete(name, "patient_id IN ({})", [patient_id])
            _delete("patient", "id IN ({})", [patient_id])


def accounts_that_sign_in() -> set[str]:
    """Return the ids of the accounts that sign in at a counter without the core, as the core says."""
    rows = Account.select(Account.id).where(
        Account.role.in_(SIGN_IN_ROLES), Account.second_factor.is_null(), Account.disabled_at.is_null()
    )
    return {row.id for row in rows}
