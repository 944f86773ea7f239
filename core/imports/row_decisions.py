"""Decides for each row of a patient list: taken, paired, merged or set aside, and why. Nothing is stored here.

A row that says name, sex and birth date is somebody, and is stored: a number that another has, or that the row itself
contradicts, is left out and asked about. A list has nobody who can be asked, so a row is joined with a known patient only
where nothing that both say differs.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import pydantic

from core.foundation.clinic import Clinic
from core.foundation.codes import DuplicateBand, NoIdentifierReason
from core.foundation.errors import ValidationError
from core.foundation.identifiers import new_id
from core.imports.row_reader import ImportTable, read_row
from core.linkage import candidates
from core.linkage.birth_dates import REAL_DATES, SURE_DATES
from core.linkage.blocking import People
from core.linkage.candidates import Match
from core.linkage.caps import OWN_NUMBERS, REVIEW
from core.linkage.name_comparison import SURE_NAMES
from core.linkage.scoring import Person, household_differs, mothers_differ, person_from
from core.patients import record_numbers
from core.patients import service as patients
from core.patients.fields import IMPORT_FILLED, UNIQUE_NUMBERS
from core.patients.service import NewPatient
from core.schemas.patients import PatientFields

RECORD_NUMBER = "medical_record_number"
CORROBORATING = frozenset(
    {"same_mother", "same_family_card", "same_phone", "same_address", "same_long_address"}
)
"""Comparison levels of the household by which a list's row is told from a namesake; a similar one is not enough."""
MOST_PAIRS = 3
"""Pairs that a row makes: the best match and those that are meant as well."""


@dataclass(frozen=True)
class Decided:
    """Decision about a row."""

    number: int
    """Of the row, counted from 1."""
    outcome: str
    """`taken`, `paired`, `merged` or `set_aside`."""
    reasons: tuple[str, ...] = ()
    patient_id: str = ""
    """The patient that the row becomes, is added to or is set aside for."""
    new: NewPatient | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    """Columns that a known patient may take over."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """Content of a row that somebody has to mend: field -> text."""
    mended_beside: str = ""
    """The patient beside whom a row that was stored waits on the work list; empty where nothing is to be mended."""
    deceased_on: date | None = None
    """The day of death that the list says of the patient."""
    alike: tuple[str, ...] = ()
    """Patients whose record may be this person's: each makes a pair for clerical review."""


class Decisions:
    """Decides about a list row by row, and stores nothing.

    Patients that a row creates or adds to are remembered until they are stored, since the next row may be the
    same person.
    """

    def __init__(self, clinic: Clinic, table: ImportTable) -> None:
        self.table = table
        self._clinic = clinic
        self._people: People[str] = People()
        self._owners: dict[tuple[str, str], str] = {}
        """Column and number -> id of the patient, of those remembered."""

    def forget(self) -> None:
        """Forget the patients remembered: they are stored, or will not be."""
        self._people, self._owners = People(), {}

    def decide(self, done: int, count: int) -> list[Decided]:
        """Return the decisions about the next `count` rows."""
        rows = [_read(self._clinic, self.table, cells) for cells in self.table.rows[done : done + count]]
        owners = ChainMap(self._owners, _stored_owners(rows))
        return [
            _completed(self._decide(number, row, owners), row) for number, row in enumerate(rows, done + 1)
        ]

    def _decide(self, number: int, row: _Row, owners: Mapping[tuple[str, str], str]) -> Decided:
        if row.values is None:
            return Decided(number, "set_aside", row.reasons)
        person = person_from(row.values)
        known = candidates.candidates(person) | self._people.candidates(person)
        matches = candidates.ranked(person, REVIEW, known)
        if not matches:
            return self._taken(number, row, person, owners)
        best, rivals = matches[0], candidates.meant_as_well(matches)
        is_known = candidates.band_of(matches, rivals) is DuplicateBand.EXISTING
        if is_known and _is_sure(row, best, owners):
            return self._merged(number, row, best, owners)
        return self._paired(number, row, person, owners, [best, *rivals])

    def _merged(self, number: int, row: _Row, match: Match, owners: Mapping[tuple[str, str], str]) -> Decided:
        """Decide that a row is a known patient, who takes over what the list knows more."""
        assert row.values is not None
        patient_id = match.patient_id
        given = {name: row.values[name] for name in IMPORT_FILLED if row.values[name]}
        others = [
            name
            for name in UNIQUE_NUMBERS
            if owners.get((name, given.get(name, "")), patient_id) != patient_id
        ]
        reasons = (*row.reasons, *(f"{name}: taken" for name in others))
        if "nik" in given and row.is_against_nik:
            others.append("nik")
            reasons = (*reasons, "nik: of_another")
        for name in others:
            given.pop(name, None)
        self._keep(patient_id, _filled(match.person, given), given)
        return Decided(number, "merged", reasons, patient_id, given=given)

    def _paired(
        self,
        number: int,
        row: _Row,
        person: Person,
        owners: Mapping[tuple[str, str], str],
        alike: Sequence[Match],
    ) -> Decided:
        """Decide that a row becomes a patient who may be here already: a person looks at the pair.

        Args:
            number: Number of the row.
            row: The row.
            person: Its person.
            owners: Column and number -> id of the patient that has it.
            alike: The patients that it may be, best match first.
        """
        decided = self._taken(number, row, person, owners)
        also = [candidates.MEANT_AS_WELL] if len(alike) > 1 else []
        reasons = (*decided.reasons, "possible_duplicate", *also, *alike[0].score.reasons[:3])
        ids = tuple(match.patient_id for match in alike[:MOST_PAIRS])
        return replace(decided, outcome="paired", reasons=reasons, alike=ids)

    def _taken(
        self, number: int, row: _Row, person: Person, owners: Mapping[tuple[str, str], str]
    ) -> Decided:
        """Decide on a new patient, without a number that another has or that the row contradicts.

        The row then waits on the work list beside whoever has the number, or beside the patient that it became.
        """
        assert row.values is not None
        taken = {name: owner for name in UNIQUE_NUMBERS if (owner := owners.get((name, row.values[name])))}
        left_out = {*taken, *(["nik"] if row.is_against_nik else [])}
        values = row.values | dict.fromkeys(left_out)
        if not values["nik"]:
            values["no_identifier_reason"] = NoIdentifierReason.FORGOTTEN
        paper, reasons = record_numbers.of_paper(row.record_number), (*row.reasons, *row.contradictions)
        reasons = (*reasons, *(f"{name}: taken" for name in taken))
        if row.record_number and (paper is None or (RECORD_NUMBER, paper) in owners):
            paper, reasons = None, (*reasons, "record_number: not_kept")
        new = NewPatient(new_id(), values, paper)
        self._keep(new.id, person_from(values), values | {RECORD_NUMBER: paper})
        beside = next(iter(taken.values()), new.id) if left_out or row.contradictions else ""
        return Decided(number, "taken", reasons, new.id, new, mended_beside=beside)

    def _keep(self, patient_id: str, person: Person, numbers: Mapping[str, Any]) -> None:
        self._people.put(patient_id, person)
        for name in (*UNIQUE_NUMBERS, RECORD_NUMBER):
            if numbers.get(name):
                self._owners.setdefault((name, numbers[name]), patient_id)


def _completed(decided: Decided, row: _Row) -> Decided:
    """Return a decision with the words of a row that is to be mended, and with the day of death."""
    if decided.outcome == "set_aside":
        return replace(decided, typed=row.typed)
    if decided.mended_beside:
        decided = replace(decided, typed=row.typed)
    if row.deceased_on is None:
        return decided
    reasons = (*decided.reasons, "deceased: marked")
    return replace(decided, deceased_on=row.deceased_on, reasons=reasons)


def _is_sure(row: _Row, match: Match, owners: Mapping[tuple[str, str], str]) -> bool:
    """Return whether a row is its match beyond doubt: a list has nobody who can be asked.

    A number of the person's own tells, or the number of the paper file, or besides name and birth date something of
    the household, where nothing of the household differs. Name and birth date alone are a namesake's as well.
    """
    assert row.values is not None
    person = person_from(row.values)
    if household_differs(person, match.person) and not _is_one_card(match, person):
        return False
    paper = record_numbers.of_paper(row.record_number)
    if paper and owners.get((RECORD_NUMBER, paper)) == match.patient_id:
        return True
    reasons = set(match.score.reasons)
    is_named = bool(reasons & SURE_NAMES and reasons & _SAID_DATES)
    return bool(reasons & OWN_NUMBERS) or (is_named and bool(reasons & CORROBORATING))


_SAID_DATES = SURE_DATES | {"same_usual_date"}
"""Levels of birth dates that agree, a placeholder too: an age that was told joins nobody in a list."""


def _is_one_card(match: Match, person: Person) -> bool:
    """Return whether number, name and birth date agree: somebody who moved, with another telephone."""
    agreeing = set(match.score.reasons)
    is_one = agreeing & OWN_NUMBERS and agreeing & SURE_NAMES and agreeing & REAL_DATES
    return bool(is_one) and not mothers_differ(person, match.person)


def _filled(person: Person, given: Mapping[str, Any]) -> Person:
    """Return a known person with the values that the list adds."""
    added = {name: value for name, value in given.items() if getattr(person, name, value) in (None, "")}
    return replace(person, **added)


def _stored_owners(rows: Sequence[_Row]) -> dict[tuple[str, str], str]:
    """Return column and number -> id of the patient that has it, for the numbers of these rows."""
    found: dict[tuple[str, str], str] = {}
    for name in UNIQUE_NUMBERS:
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
    typed: Mapping[str, str]
    contradictions: tuple[str, ...] = ()
    deceased_on: date | None = None

    @property
    def is_against_nik(self) -> bool:
        """Return whether sex or birth date say that the NIK is another person's."""
        return any(code.endswith(": nik_differs") for code in self.contradictions)


def _read(clinic: Clinic, table: ImportTable, cells: Sequence[Any]) -> _Row:
    read = read_row(table, cells, clinic.today())
    if read.fatal:
        return _Row(None, (*read.problems, *_codes(read.fatal)), read.record_number, read.typed)
    values, wrong = _believable(clinic, read.fields)
    return _Row(
        values,
        (*read.problems, *wrong),
        read.record_number,
        read.typed,
        _codes(read.contradictions),
        read.deceased_on,
    )


def _codes(problems: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}: {code}" for name, code in problems.items())


def _believable(clinic: Clinic, given: dict[str, Any]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the columns that can be stored, None when none can, and the problems.

    A value that cannot be stored is left out where the field may be empty, and the rest is checked once more.
    """
    given = dict(given)
    noted: list[str] = []
    while True:
        values, wrong = _checked(clinic, given)
        noted += [f"{name}: {code}" for name, code in wrong.items()]
        if values is not None:
            return values, tuple(noted)
        if not wrong.keys() <= given.keys() & set(IMPORT_FILLED):
            return None, tuple(noted)
        for name in wrong:
            del given[name]


def _checked(clinic: Clinic, given: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return the columns to store, or None and field -> code of the problems."""
    try:
        return patients.checked(clinic, PatientFields(**given)), {}
    except pydantic.ValidationError as error:
        return None, {str(e["loc"][0]) if e["loc"] else "row": str(e["type"]) for e in error.errors()}
    except ValidationError as error:
        return None, {name.removeprefix("patient."): code for name, code in error.fields.items()}
