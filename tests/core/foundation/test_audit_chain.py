"""The audit log holds against whoever can write to the database: each way of tampering is found."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from core.accounts import service as accounts
from core.foundation import audit, audit_chain, audit_check, audit_records, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Role
from core.foundation.config import Settings
from core.foundation.database import connection, database, instant_text, transaction
from core.foundation.permissions import Actor, actor_of
from core.models import Account, AccountKey, AuditEvent, Patient
from core.patients import service as patients

TRIGGERS = ("audit_event_no_update", "audit_event_no_delete")


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic with a clerk and a log of some length, made once."""
    home = tmp_path_factory.mktemp("clinic")
    Clinic.open(Settings(home=home))
    accounts.create_account("sari", "Sari", Role.CLERK, "panjang sekali 1")
    with connection():
        sari = actor_of(Account.get(Account.username == "sari"))
    for number in range(20):
        audit.record(sari, "entry_called", "queue_entry", f"entry-{number}", "patient-1", place=number)
    database.close()
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(made_home, tmp_path / "clinic")
    return tmp_path / "clinic"


@pytest.fixture
def opened(home: Path) -> Iterator[Path]:
    Clinic.open(Settings(home=home))
    yield home
    database.close()


@pytest.fixture
def sari(opened: Path) -> Actor:
    with connection():
        return actor_of(Account.get(Account.username == "sari"))


def behind(home: Path, *statements: str) -> None:
    """Change the database as its admin can: with another program, triggers taken off and put back."""
    database.close()
    file = apsw.Connection(str(home / "loket.sqlite3"))
    triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _sql in triggers:
        file.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        file.execute(statement)
    for _name, sql in triggers:
        file.execute(str(sql))
    file.close()


def codes() -> set[str]:
    return {problem.code for problem in audit_check.verify().problems}


def test_an_untouched_log_is_whole(opened: Path) -> None:
    report = audit_check.verify()
    assert report.problems == []
    assert report.rows >= 22
    assert report.records == 1


def recomputed(home: Path) -> None:
    """Take one row out and compute the chain anew, as it could be done while it had no key."""
    behind(home, "DELETE FROM audit_event WHERE sequence = 8")
    file = apsw.Connection(str(home / "loket.sqlite3"))
    for name in TRIGGERS:
        file.execute(f"DROP TRIGGER {name}")
    previous = audit_chain.GENESIS
    columns = "at, account_id, origin, action, kind, target, patient_id, detail"
    rows = file.execute(f"SELECT sequence, {columns} FROM audit_event ORDER BY sequence").fetchall()
    for number, (sequence, *values, detail) in enumerate(rows, start=1):
        hash_ = audit_chain.plain_hash(previous, *values, json.loads(str(detail)))
        file.execute(
            "UPDATE audit_event SET sequence = ?, previous_hash = ?, hash = ? WHERE sequence = ?",
            (number, previous, hash_, sequence),
        )
        previous = hash_
    file.close()


SWAP = (
    "UPDATE audit_event SET sequence = 1000 WHERE sequence = 9",
    "UPDATE audit_event SET sequence = 9 WHERE sequence = 10",
    "UPDATE audit_event SET sequence = 10 WHERE sequence = 1000",
)

TAMPERINGS: dict[str, tuple[Callable[[Path], None] | tuple[str, ...], str]] = {
    "the last ten rows cut off": (
        ("DELETE FROM audit_event WHERE sequence > (SELECT MAX(sequence) - 10 FROM audit_event)",), "rows_cut",
    ),
    "all rows deleted": (("DELETE FROM audit_event",), "rows_were_cut"),
    "a middle row deleted": (("DELETE FROM audit_event WHERE sequence = 9",), "rows_missing"),
    "a detail changed": (("UPDATE audit_event SET detail = '{\"place\":99}' WHERE sequence = 9",), "row_changed"),
    "the time changed": (
        ("UPDATE audit_event SET at = '2020-01-01T00:00:00.000000Z' WHERE sequence = 9",), "row_changed",
    ),
    "the account changed": (("UPDATE audit_event SET account_id = NULL WHERE sequence = 9",), "row_changed"),
    "two rows swapped": (SWAP, "row_changed"),
    "the chain recomputed without the key": (recomputed, "row_changed"),
    "the sequence renumbered": (
        (
            "DELETE FROM audit_event WHERE sequence = 9",
            *(f"UPDATE audit_event SET sequence = {n - 1} WHERE sequence = {n}" for n in range(10, 60)),
        ),
        "row_changed",
    ),
    "the last row edited, its own hash too": (
        (
            "UPDATE audit_event SET origin = 'elsewhere', hash = '" + "0" * 64 + "' "
            "WHERE sequence = (SELECT MAX(sequence) FROM audit_event)",
        ),
        "head_differs",
    ),
    "a record changed": (("UPDATE account SET name = 'Orang Lain' WHERE username = 'sari'",), "record_changed"),
    "a record taken out": (("DELETE FROM account WHERE username = 'sari'",), "record_missing"),
    "the triggers taken off": ((), "unprotected"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_is_found(name: str, home: Path) -> None:
    how, code = TAMPERINGS[name]
    if callable(how):
        how(home)
    elif how:
        behind(home, *how)
    else:
        file = apsw.Connection(str(home / "loket.sqlite3"))
        for trigger in TRIGGERS:
            file.execute(f"DROP TRIGGER {trigger}")
        file.close()
    Clinic.open(Settings(home=home))
    assert code in codes()
    for number in range(20):
        audit.record(None, "entry_called", "queue_entry", f"later-{number}")
    assert codes() - {"unprotected"} or name == "the triggers taken off"
    database.close()


def test_a_cut_stays_visible_when_new_rows_fill_the_place_of_those_taken_out(home: Path) -> None:
    behind(home, "DELETE FROM audit_event WHERE sequence > (SELECT MAX(sequence) - 10 FROM audit_event)")
    Clinic.open(Settings(home=home))
    for number in range(20):
        audit.record(None, "entry_called", "queue_entry", f"later-{number}")
    found = audit_check.verify().problems
    assert [(problem.code, problem.number) for problem in found] == [("rows_were_cut", 10)]
    database.close()


def test_all_rows_and_the_note_of_their_end_taken_out_is_found(home: Path) -> None:
    behind(home, "DELETE FROM audit_event")
    (home / "audit.head").unlink()
    Clinic.open(Settings(home=home))
    assert codes() == {"head_lost"}
    database.close()


def test_a_lost_key_is_said_and_the_log_goes_on(home: Path) -> None:
    (home / "audit.key").unlink()
    Clinic.open(Settings(home=home))
    audit.record(None, "entry_called", "queue_entry", "later")
    assert "key_lost" in codes()
    assert "row_changed" not in codes()
    database.close()


def test_rows_of_before_the_key_stay_verifiable_and_sealed(home: Path) -> None:
    old = apsw.Connection(str(home / "loket.sqlite3"))
    for trigger in TRIGGERS:
        old.execute(f"DROP TRIGGER {trigger}")
    old.execute("DELETE FROM audit_event")
    previous = audit_chain.GENESIS
    for number in range(1, 6):
        at = instant_text(clock.now())
        values = (at, None, "", "entry_called", "queue_entry", f"old-{number}", None)
        hash_ = audit_chain.plain_hash(previous, *values, {})
        old.execute(
            "INSERT INTO audit_event (sequence, at, account_id, origin, action, kind, target, patient_id, detail,"
            " previous_hash, hash) VALUES (?,?,?,?,?,?,?,?,'{}',?,?)",
            (number, *values, previous, hash_),
        )
        previous = hash_
    old.close()
    for name in ("audit.key", "audit.head"):
        (home / name).unlink()
    Clinic.open(Settings(home=home))
    assert codes() == {"unprotected"}
    old = apsw.Connection(str(home / "loket.sqlite3"))
    old.execute("UPDATE audit_event SET sequence = 50 WHERE sequence = 5")
    old.execute("UPDATE audit_event SET sequence = 5 WHERE sequence = 6")
    old.execute("UPDATE audit_event SET sequence = 6 WHERE sequence = 50")
    old.close()
    assert "old_rows_changed" in codes()
    database.close()


def test_the_database_itself_refuses_to_change_or_delete_a_row(opened: Path) -> None:
    for statement in ("DELETE FROM audit_event", "UPDATE audit_event SET origin = 'x'"):
        with pytest.raises(Exception, match="append-only"), transaction():
            database.execute_sql(statement)


def test_a_record_put_in_behind_loket_s_back_is_found(opened: Path, sari: Actor) -> None:
    values = {"id": "018f0000-0000-7000-8000-000000000001", "medical_record_number": "00000001", "name": "X"}
    Patient.create(
        **values, sex="male", birth_date="1990-01-01", created_at=clock.now(), updated_at=clock.now(),
        created_by=sari.account_id,
    )  # fmt: skip
    assert codes() == {"record_unaudited"}


def test_an_account_put_in_and_dated_back_is_found_also_after_a_change_through_loket(home: Path) -> None:
    behind(
        home,
        "INSERT INTO account (id, username, name, role, clusters, password_hash, must_change_password, service_point, created_at)"
        " VALUES ('a', 'gelap', 'Gelap', 'admin', '[]', '!', 0, '', '2000-01-01T00:00:00.000000Z')",
    )
    Clinic.open(Settings(home=home))
    assert codes() == {"record_unaudited"}
    accounts.edit_account("gelap", name="Terang")
    assert codes() == {"record_unaudited"}
    database.close()


@pytest.mark.parametrize("kind", audit_records.TABLES)
def test_every_column_is_bound_or_left_out_by_name(kind: str) -> None:
    bound = set(audit_records.COLUMNS[kind][max(audit_records.COLUMNS[kind])])
    left_out = audit_records.LEFT_OUT[kind]
    assert not bound & left_out
    assert bound | left_out == set(audit_records.TABLES[kind]._meta.fields)


def test_a_wrong_password_does_not_vouch_for_a_changed_account(home: Path) -> None:
    behind(home, "UPDATE account SET role = 'admin' WHERE username = 'sari'")
    Clinic.open(Settings(home=home))
    with connection():
        account = Account.get(Account.username == "sari")
    audit.refused("sign_in_failed", account.id, "10.0.0.9")
    audit.record(actor_of(account), "signed_in", "account", account.id)
    assert "record_changed" in codes()
    database.close()


@pytest.fixture
def patient(opened: Path, sari: Actor) -> Patient:
    """A patient whom the log knows."""
    with transaction():
        made: Patient = Patient.create(
            id="018f0000-0000-7000-8000-000000000002", medical_record_number="00000002", name="Budi", sex="male",
            birth_date="1990-01-01", created_at=clock.now(), updated_at=clock.now(), created_by=sari.account_id,
        )  # fmt: skip
        audit.record(sari, "patient_created", "patient", made.id, made.id)
    return made


@pytest.mark.parametrize("action", sorted(audit_records.UNCHANGED))
def test_what_changes_nothing_of_a_patient_does_not_vouch_for_a_changed_one(
    action: str, patient: Patient, sari: Actor, home: Path
) -> None:
    behind(home, "UPDATE patient SET name = 'Orang Lain'")
    Clinic.open(Settings(home=home))
    audit.record(sari, action, "patient", patient.id, patient.id)
    assert codes() == {"record_changed"}


def test_a_later_change_does_not_vouch_for_what_was_changed_before_it(
    patient: Patient, sari: Actor, home: Path
) -> None:
    behind(home, "UPDATE patient SET name = 'Orang Lain'")
    Clinic.open(Settings(home=home))
    for phone in ("081200000001", "081200000002"):
        with transaction():
            now = Patient.get_by_id(patient.id)
            patients.keep_version(now, sari, "edit")
            patients.update_row(now, {"phone": phone}, clock.now())
            audit.record(sari, "patient_edited", "patient", patient.id, patient.id)
    assert [(problem.code, problem.target) for problem in audit_check.verify().problems] == [
        ("record_changed", patient.id)
    ]


def test_an_earlier_version_that_is_changed_is_found(patient: Patient, sari: Actor, home: Path) -> None:
    with transaction():
        patients.keep_version(patient, sari, "edit")
        patients.update_row(patient, {"phone": "081200000001"}, clock.now())
        audit.record(sari, "patient_edited", "patient", patient.id, patient.id)
    assert codes() == set()
    behind(home, "UPDATE patient_version SET data = replace(data, 'Budi', 'Ali')")
    Clinic.open(Settings(home=home))
    assert codes() == {"record_changed"}


def test_an_earlier_version_that_is_taken_out_is_found(patient: Patient, sari: Actor, home: Path) -> None:
    for phone in ("081200000001", "081200000002"):
        with transaction():
            now = Patient.get_by_id(patient.id)
            patients.keep_version(now, sari, "edit")
            patients.update_row(now, {"phone": phone}, clock.now())
            audit.record(sari, "patient_edited", "patient", patient.id, patient.id)
    assert codes() == set()
    behind(home, "DELETE FROM patient_version WHERE version = 1")
    Clinic.open(Settings(home=home))
    assert codes() == {"version_missing"}


def test_a_key_and_a_right_that_were_put_in_are_found(opened: Path, sari: Actor, home: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk5W0p4b0pYdmFqZ2pQdmZ2cW5zdmJ0cW9hZ2ZqZ2pQ"
    behind(
        home,
        f"INSERT INTO account_key (id, account_id, public_key, label, created_at)"
        f" VALUES ('k', '{sari.account_id}', '{key}', '', '2999-01-01T00:00:00.000000Z')",
        "INSERT INTO rights_change (id, role, permission, granted, reason, requested_at, requested_by_id, outcome)"
        f" VALUES ('r', 'clerk', 'read_notes', 1, 'x', '2000-01-01T00:00:00.000000Z', '{sari.account_id}', 'refused')",
        "INSERT INTO role_permission (role, permission, granted, change_id) VALUES ('clerk', 'read_notes', 1, 'r')",
    )
    Clinic.open(Settings(home=home))
    found = {(problem.code, problem.kind) for problem in audit_check.verify().problems}
    assert found == {("record_unaudited", kind) for kind in ("account_key", "right", "rights_change")}


def test_a_log_of_before_says_from_when_on_it_binds_more(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "before")
    kept = audit_records.FROM_THE_FIRST
    with pytest.MonkeyPatch.context() as before:
        for name in ("TABLES", "COLUMNS", "LEFT_OUT", "MADE_AT"):
            known = getattr(audit_records, name)
            before.setattr(audit_records, name, {kind: known[kind] for kind in kept})
        Clinic.open(settings)
        accounts.create_account("sari", "Sari", Role.CLERK, "panjang sekali 1")
        account = Account.get(Account.username == "sari")
        AccountKey.create(id="old", account=account, public_key="ssh-ed25519 AAAA", created_at=clock.now())
        database.close()
    Clinic.open(settings)
    assert [row.detail["kinds"] for row in AuditEvent.select().where(AuditEvent.action == "kinds_bound")] == [
        sorted(audit_records.TABLES.keys() - kept)
    ]
    assert codes() == set()
    AccountKey.create(id="new", account=account, public_key="ssh-ed25519 AAAB", created_at=clock.now())
    assert codes() == {"record_unaudited"}
    Clinic.open(settings)
    assert AuditEvent.select().where(AuditEvent.action == "kinds_bound").count() == 1
    database.close()


def test_the_key_and_the_head_are_for_their_owner_alone(opened: Path) -> None:
    for name in ("audit.key", "audit.head"):
        assert (opened / name).stat().st_mode & 0o077 == 0


def test_progress_is_told(opened: Path) -> None:
    told: list[tuple[int, int]] = []
    report = audit_check.verify(lambda done, total: told.append((done, total)))
    assert told[-1] == (report.rows, report.rows)


def test_no_row_holds_the_text_that_it_hashes(opened: Path, sari: Actor) -> None:
    row = AuditEvent.get(AuditEvent.action == "account_created")
    assert row.record_hash is not None
    assert row.record_hash.startswith(f"{max(audit_records.COLUMNS['account'])}:")
    assert hashlib.sha256(b"Sari").hexdigest() not in row.record_hash
