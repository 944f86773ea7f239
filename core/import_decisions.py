"""What becomes of each row of a patient list: taken, merged or set aside, and why. Nothing is stored here."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pydantic

from core import matching, patients, record_numbers
from core.blocking import People
from core.clinic import Clinic
from core.errors import ValidationError
from core.identifiers import new_id
from core.import_rows import Table, read_row
from core.likeness import REVIEW, Person
from core.patients import NewPatient
from core.schemas.patients import PatientFields
from core.vocabulary import DuplicateBand

FILLED = (
    "nik", "bpjs_number", "family_card_number", "passport_number", "mother_name", "phone", "address", "rt",
    "rw", "village_code",
)  # fmt: skip
"""What a known patient takes over from the list where the record is empty."""
OWN_NUMBERS = ("nik", "bpjs_number")
"""Columns whose value only one patient has."""
RECORD_NUMBER = "medical_record_number"


@dataclass(frozen=True)
class Decided:
    """What is to be done with a row."""

    number: int
    """Of the row, counted from 1."""
    outcome: str
    reasons: tuple[str, ...] = ()
    patient_id: str = ""
    """Whose record the row becomes, is added to or is set aside for."""
    new: NewPatient | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """Columns that a known patient may take over."""


class Decisions:
    """Decides what becomes of a list, row by row, and stores nothing.

    Whom a row takes or adds to is kept in mind until it is stored, since the next row may be the same person.
    """

    def __init__(self, clinic: Clinic, table: Table) -> None:
        self.table = table
        self._clinic = clinic
        self._people: People[str] = People()
        self._owners: dict[tuple[str, str], str] = {}
        """Column and number -> whose it is, of those kept in mind."""

    def forget(self) -> None:
        """What was decided is stored, or is not to be."""
        self._people, self._owners = People(), {}

    def decide(self, done: int, count: int) -> list[Decided]:
        """So many rows, after those that are done."""
        rows = [_read(self._clinic, self.table, cells) for cells in self.table.rows[done : done + count]]
        owners = ChainMap(self._owners, _stored_owners(rows))
        return [self._decide(number, row, owners) for number, row in enumerate(rows, done + 1)]

    def _decide(self, number: int, row: _Row, owners: Mapping[tuple[str, str], str]) -> Decided:
        if row.values is None:
            return Decided(number, "set_aside", row.reasons)
        person = patients.person_from(row.values)
        known = matching.candidates(person) | self._people.candidates(person)
        matches = matching.ranked(person, REVIEW, known)
        if not matches:
            return self._taken(number, row, person, owners)
        score, patient_id, _ = matches[0]
        rivals = matching.meant_as_well(matches)
        if matching.band_of(matches, rivals) is not DuplicateBand.EXISTING:
            also = [matching.MEANT_AS_WELL] if rivals else []
            reasons = (*row.reasons, "possible_duplicate", *also, *score.reasons[:3])
            return Decided(number, "set_aside", reasons, patient_id)
        given = {name: row.values[name] for name in FILLED if row.values[name]}
        others = [
            name for name in OWN_NUMBERS if owners.get((name, given.get(name, "")), patient_id) != patient_id
        ]
        for name in others:
            del given[name]
        self._keep(patient_id, _filled(known[patient_id], given), given)
        reasons = (*row.reasons, *(f"{name}: taken" for name in others))
        return Decided(number, "merged", reasons, patient_id, given=given)

    def _taken(
        self, number: int, row: _Row, person: Person, owners: Mapping[tuple[str, str], str]
    ) -> Decided:
        """A new patient, unless a number that only one person has is another's."""
        assert row.values is not None
        for name in OWN_NUMBERS:
            if owner := owners.get((name, row.values[name])):
                return Decided(number, "set_aside", (*row.reasons, f"{name}: taken"), owner)
        paper, reasons = record_numbers.of_paper(row.record_number), row.reasons
        if row.record_number and (paper is None or (RECORD_NUMBER, paper) in owners):
            paper, reasons = None, (*reasons, "record_number: not_kept")
        new = NewPatient(new_id(), row.values, paper)
        self._keep(new.id, person, row.values | {RECORD_NUMBER: paper})
        return Decided(number, "taken", reasons, new.id, new)

    def _keep(self, patient_id: str, person: Person, numbers: Mapping[str, Any]) -> None:
        self._people.put(patient_id, person)
        for name in (*OWN_NUMBERS, RECORD_NUMBER):
            if numbers.get(name):
                self._owners.setdefault((name, numbers[name]), patient_id)


def _filled(person: Person, given: Mapping[str, Any]) -> Person:
    """Somebody known with what the list adds."""
    added = {name: value for name, value in given.items() if getattr(person, name, value) in (None, "")}
    return replace(person, **added)


def _stored_owners(rows: Sequence[_Row]) -> dict[tuple[str, str], str]:
    """Column and number -> who has it, of the numbers that these rows give."""
    found: dict[tuple[str, str], str] = {}
    for name in OWN_NUMBERS:
        numbers = [row.values[name] for row in rows if row.values and row.values[name]]
        found |= {(name, number): owner for number, owner in patients.owners(name, numbers).items()}
    papers = [paper for row in rows if (paper := record_numbers.of_paper(row.record_number))]
    return found | {(RECORD_NUMBER, number): owner for number, owner in record_numbers.owners(papers).items()}


@dataclass(frozen=True)
class _Row:
    """A row as a clerk would have typed it."""

    values: dict[str, Any] | None
    """Columns of a patient; None when they cannot be stored."""
    reasons: tuple[str, ...]
    record_number: str


def _read(clinic: Clinic, table: Table, cells: Sequence[Any]) -> _Row:
    read = read_row(table, cells, clinic.today())
    if read.fatal:
        wrong = tuple(f"{name}: {code}" for name, code in read.fatal.items())
        return _Row(None, (*read.problems, *wrong), read.record_number)
    values, wrong = _believable(clinic, read.fields)
    return _Row(values, (*read.problems, *wrong), read.record_number)


def _believable(clinic: Clinic, given: dict[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What can be stored, None when nothing, and what was wrong; a number that cannot be one is left out."""
    given = dict(given)
    noted: list[str] = []
    while True:
        try:
            return patients.checked(clinic, PatientFields(**given)), tuple(noted)
        except pydantic.ValidationError as error:
            wrong = {str(e["loc"][0]) if e["loc"] else "row": str(e["type"]) for e in error.errors()}
        except ValidationError as error:
            wrong = {name.removeprefix("patient."): code for name, code in error.fields.items()}
        noted += [f"{name}: {code}" for name, code in wrong.items()]
        left_out = {name for name in wrong if name in FILLED and name in given}
        if left_out != set(wrong):
            return None, tuple(noted)
        for name in left_out:
            given.pop(name)
