"""Nothing clinical is ever deleted: every deletion in the code is named here, with why what goes may go.

Permenkes 24/2022 asks for 25 years after the last visit. Loket deletes no record at all, so no cleanup can break that; a
new deletion fails here until somebody says what it deletes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import peewee

from core.models import ALL_TABLES

ROOT = Path(__file__).parents[2]
DELETION = re.compile(
    r"(?<![\w.])([A-Z]\w+)\.delete\(\)|DELETE FROM (\w+)|(delete_instance\b|DROP TABLE [^\s\"]+|TRUNCATE TABLE)"
)

MAY_GO = {
    "BpjsCode": "a code that BPJS and the clinic agree on, taken back by the admin",
    "BpjsListItem": "a list that BPJS sent, replaced by its newest",
    "CandidatePair": "a pair of look-alikes that are none any more: found again by the next look",
    "Draft": "a half-typed form that was saved or thrown away",
    "LentNumber": "on a counter's machine, a copy: a number that the core does not lend it any more",
    "Token": "on a counter's machine, a copy: a sign-in that has ended at the core",
    "MedicineCode": "the list of KFA, read anew",
    "NonMatch": "a judgement that was taken back; the audit log keeps both",
    "OfficeFailure": "wrong passwords of the last minutes",
    "PatientKey": "search keys, made from the card",
    "RemoteResource": "an id that SATUSEHAT gave and does not know any more",
    "RolePermission": "a right that is as at first again; its request stays",
    "RoutingExample": "a correction that was undone",
    "SignInFailure": "wrong passwords, after their time",
    "State": "a note of the machine to itself",
    "DROP TABLE {NOTES}": "a move's notes to itself, in the database that it fills",
    "journal_record": "a changeset that is on the second place, or that a new base holds",
    "patient_key": "search keys, made from the card",
    "state": "a note of the machine to itself",
}
"""Table of which rows are deleted -> what goes."""


def deletions() -> Iterator[tuple[str, str]]:
    """Yield (file, table) of each deletion of rows."""
    for folder in ("core", "server"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" in file.parts:
                continue
            for match in DELETION.finditer(file.read_text(encoding="utf-8")):
                yield str(file.relative_to(ROOT)), match[1] or match[2] or match[3]


def test_every_deletion_is_of_what_may_go() -> None:
    found = set(deletions())
    assert {(file, table) for file, table in found if table not in MAY_GO} == set()
    assert {table for _, table in found} == set(MAY_GO), "the list names what is deleted, and nothing else"


def test_no_record_goes_with_another() -> None:
    """A foreign key that cascades would delete rows that no code names."""
    for table in ALL_TABLES:
        for field in table._meta.fields.values():
            if isinstance(field, peewee.ForeignKeyField):
                assert field.on_delete in {None, "NO ACTION", "RESTRICT"}, f"{table.__name__}.{field.name}"


def test_no_migration_deletes_rows_of_a_record() -> None:
    for file in sorted((ROOT / "core/foundation/migrations").glob("0*.py")):
        said = {
            match[1] or match[2] or match[3] for match in DELETION.finditer(file.read_text(encoding="utf-8"))
        }
        assert said <= set(MAY_GO), file.name
