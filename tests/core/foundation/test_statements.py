"""Statements that are built once give what Peewee gives each time, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import pytest

from core.accounts import service as accounts
from core.foundation.clinic import Clinic
from core.foundation.codes import Role, Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database, snapshot, transaction, transaction_memo
from core.foundation.statements import Statement, among, create, find, given, given_for
from core.models import Account, Change, Patient
from tests.postgres import new_database

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    opened = Clinic.open(Settings(home=tmp_path, database_url=url))
    with connection():
        yield opened
    if not database.is_closed():
        database.close()


@pytest.fixture
def account(clinic: Clinic) -> Account:
    return accounts.create_account("gigi", "Drg", Role.CLINICIAN, "rahasia-sekali", ["GIGI"])


def _patient(account: Account, number: int) -> Patient:
    return create(
        Patient, id=f"p{number}", medical_record_number=f"{number:08}", name="Ani", sex=Sex.FEMALE,
        birth_date=date(1990, 1, number), created_at=AT, created_by=account, updated_at=AT,
    )  # fmt: skip


def test_a_row_is_stored_and_found_as_peewee_does_it(account: Account) -> None:
    made = _patient(account, 1)
    known = Patient.get_by_id("p1")
    found = find(Patient, "p1")
    assert found is not None
    assert found.__data__ == known.__data__
    assert (made.id, made.birth_date, made.created_by_id) == (known.id, known.birth_date, account.id)
    assert not made.dirty_fields
    assert not found.dirty_fields
    assert find(Patient, "nobody") is None
    assert found.created_by.name == "Drg"


def test_a_row_that_the_database_numbers_gets_its_number(clinic: Clinic) -> None:
    before = Change.select().count()
    numbers = [create(Change, kind="test", data={"a": [1]}, at=AT).sequence for _ in range(2)]
    stored = Change.select().where(Change.kind == "test").order_by(Change.sequence)
    assert [row.sequence for row in stored] == numbers
    assert [(row.data, row.at) for row in stored] == [({"a": [1]}, AT)] * 2
    assert Change.select().count() == before + 2


def test_values_are_stored_and_read_as_their_columns_do(account: Account) -> None:
    for number in (1, 2, 3):
        _patient(account, number)
    statement = Statement(
        lambda: (
            Patient.select(Patient.id, Patient.birth_date, Patient.birth_date_estimated, Patient.created_at)
            .where(among(Patient.id, "ids"), Patient.birth_date >= given("born"))
            .order_by(Patient.id)
        )
    )
    for _ in range(2):
        assert statement.rows(ids=["p1", "p2", "nobody"], born=date(1990, 1, 2)) == [
            ("p2", date(1990, 1, 2), False, AT)
        ]
    assert statement.rows(ids=[], born=date(1990, 1, 1)) == []
    assert statement.value(ids=["p3"], born=date(1990, 1, 1)) == "p3"


def test_a_change_says_how_many_rows_it_changed(account: Account) -> None:
    _patient(account, 1)
    rename = Statement(
        lambda: Patient.update({Patient.name: given_for(Patient.name, "name")}).where(
            Patient.id == given("id")
        )
    )
    assert rename.change(id="p1", name="Budi") == 1
    assert rename.change(id="nobody", name="Budi") == 0
    assert Patient.get_by_id("p1").name == "Budi"


def test_sql_of_ones_own_has_named_places(account: Account) -> None:
    _patient(account, 1)
    statement = Statement(lambda: "SELECT name FROM patient WHERE id = :id AND (:id = :id) AND sex = :sex")
    assert statement.rows(id="p1", sex="female") == [("Ani",)]
    assert statement.first(id="p1", sex="male") is None


def test_a_snapshot_does_not_see_what_is_committed_later(clinic: Clinic, account: Account) -> None:
    def write() -> None:
        with connection(), transaction():
            _patient(account, 1)
        database.close()

    with snapshot():
        assert find(Patient, "p1") is None
        writer = Thread(target=write)
        writer.start()
        writer.join()
        assert find(Patient, "p1") is None
    assert find(Patient, "p1") is not None


def test_a_snapshot_ends_with_its_block_however_it_ends(clinic: Clinic) -> None:
    with pytest.raises(ZeroDivisionError), snapshot():
        raise ZeroDivisionError
    with transaction():
        create(Change, kind="test", data={}, at=AT)


def test_what_a_transaction_keeps_ends_with_it(clinic: Clinic) -> None:
    with transaction():
        transaction_memo()["known"] = 1
        with transaction():
            assert transaction_memo() == {"known": 1}
    with transaction():
        assert transaction_memo() == {}
    with pytest.raises(RuntimeError):
        transaction_memo()
