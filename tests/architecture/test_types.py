"""The type checker knows the rows of the tables, so that a misspelt column is found before it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import peewee
import pytest

from core.models import ALL_TABLES, Table

ROOT = Path(__file__).parents[2]
SNIPPET = """
from core.models import Account, Patient, QueueEntry, State

def probe(patient: Patient, entry: QueueEntry, account: Account, state: State) -> None:
    patient.nmae
    reveal_type(patient.id)
    reveal_type(patient.birth_date)
    reveal_type(patient.birth_date_estimated)
    reveal_type(patient.updated_at)
    reveal_type(patient.voided_at)
    reveal_type(patient.mother)
    reveal_type(patient.mother_id)
    reveal_type(patient.created_by_id)
    reveal_type(entry.visit.patient.name)
    reveal_type(account.clusters)
    reveal_type(state.value)
    patient.voided_at = "yesterday"
"""
REVEALED = [
    "str",
    "datetime.date",
    "bool",
    "datetime.datetime",
    "datetime.datetime | None",
    "core.models.Patient | None",
    "str | None",
    "str",
    "str",
    "list[Any]",
    "dict[str, Any]",
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of a module that reads rows."""
    snippet = tmp_path_factory.mktemp("types") / "snippet.py"
    snippet.write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", str(snippet)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout


def test_a_misspelt_column_is_an_error(checked: str) -> None:
    assert '"Patient" has no attribute "nmae"' in checked


def test_a_value_of_another_type_is_an_error(checked: str) -> None:
    assert "Incompatible types in assignment" in checked


def test_columns_have_the_types_of_their_values(checked: str) -> None:
    revealed = re.findall('Revealed type is "([^"]+)"', checked)
    assert [kind.replace("builtins.", "") for kind in revealed] == REVEALED


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.__name__)
def test_the_id_of_each_relation_is_declared(table: type[Table]) -> None:
    """Peewee makes `patient_id` beside `patient`, of which the type checker is told in `core.models`."""
    relations = {
        field.object_id_name: "str | None" if field.null else "str"
        for field in table._meta.sorted_fields
        if isinstance(field, peewee.ForeignKeyField)
    }
    declared = {name: kind for name, kind in table.__annotations__.items() if name in relations}
    assert declared == relations


def test_all_tables_are_known_before_those_that_point_to_them() -> None:
    assert {table._meta.table_name for table in ALL_TABLES} >= {"appointment", "state", "patient"}
    known: set[type[peewee.Model]] = set()
    for table in ALL_TABLES:
        known.add(table)
        pointed_at = {
            field.rel_model
            for field in table._meta.sorted_fields
            if isinstance(field, peewee.ForeignKeyField)
        }
        assert pointed_at <= known, table
