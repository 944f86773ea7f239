"""An existing patient list, CSV or XLSX, brought in: guessed columns, a dry run, and going on after a stop.

Each row ends in one of three ways. `taken`: a new patient. `merged`: the person was known, and what
the list knows more is filled in. `set_aside`: nothing is stored, and the report says why (a name or
birth date that cannot be read, a possible duplicate that a person must decide).

The report beside the list (`list.csv.report.csv`) names rows, never people. Rows are stored in
batches; each batch notes how far it came in the same transaction, so that a stopped import goes on
at the row where it stopped, and a finished one is not done twice.
"""

from __future__ import annotations

import csv
import hashlib
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic

from core import clock, job_runs, matching, outbox, patients
from core.actors import Actor
from core.blocking import COLUMN_KINDS, probes, stored_keys
from core.clinic import Clinic
from core.database import transaction
from core.errors import RuleError, ValidationError
from core.import_rows import Table, read_row, read_table
from core.likeness import EXISTING, REVIEW, Person, Score, score_from
from core.models import Patient
from core.schemas import DuplicateQuery, PatientFields
from core.vocabulary import Permission

BATCH = 8
"""Rows per transaction: few enough that the counter never waits long behind one."""
PAUSE_SHARE = 0.5
"""Of the time a batch took, left to the counters after it: SQLite lets nobody else write meanwhile."""

FILLED = (
    "nik", "bpjs_number", "family_card_number", "passport_number", "mother_name", "phone", "address", "rt",
    "rw", "village_code",
)  # fmt: skip
"""What a known patient takes over from the list where the record is empty."""


@dataclass
class ImportReport:
    """What came of a list."""

    columns: dict[str, str]
    """Field -> heading it is read from: the guess that the admin confirms."""
    ignored: list[str]
    """Headings that nothing is read from."""
    total: int
    dry_run: bool
    done: int = 0
    resumed_at: int = 0
    """The row at which an earlier run had stopped; 0 for a run from the start."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """`taken`, `merged`, `set_aside` -> rows."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were set aside or a value was left out -> rows."""
    file: str = ""
    """Where the report of each row is."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": self.total,
            "done": self.done,
            "resumed_at": self.resumed_at,
            "dry_run": self.dry_run,
            **{name: self.outcomes[name] for name in ("taken", "merged", "set_aside")},
            "reasons": dict(self.reasons.most_common()),
            "columns": self.columns,
            "ignored": self.ignored,
            "report": self.file,
        }


def run(
    clinic: Clinic,
    actor: Actor,
    file: Path,
    *,
    dry_run: bool = True,
    columns: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Bring in a list, or say what would come of it.

    Args:
        clinic: The clinic.
        actor: Who; every patient is in the audit log under this name.
        file: `.csv` (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) or `.xlsx` (the first sheet that has headings).
        dry_run: Store nothing. Duplicates inside the file are found all the same.
        columns: Field -> heading, where the guess is wrong; an empty heading leaves the field out.
        progress: Called with rows done and rows in all.

    Returns:
        Counts, reasons and the columns used.

    Raises:
        ValidationError: `file`: `unreadable`, `no_headings`, or no column for name or birth date.
        RuleError: `import_running` while another run is at it.
    """
    actor.require(Permission.EDIT_PATIENTS)
    table = read_table(file, columns or {})
    report = ImportReport(table.columns, table.ignored, len(table.rows), dry_run)
    work: _Work = _DryRun(clinic) if dry_run else _Import(clinic, actor)
    with job_runs.alone(clinic.settings.home, "import") as free:
        if not free:
            raise RuleError("import_running")
        _rows(work, table, report, file, progress)
    return report


def stopped_at(table: Table) -> int:
    """Rows that an earlier run stored of this list with these columns; 0 when none or all were."""
    noted = outbox.fact(_key(table))
    done = int(noted["done"]) if noted else 0
    return done if done < len(table.rows) else 0


def _rows(
    work: _Work, table: Table, report: ImportReport, file: Path, progress: Callable[[int, int], None] | None
) -> None:
    key, dry_run = _key(table), report.dry_run
    noted = None if dry_run else outbox.fact(key)
    if noted is not None:
        report.done = report.resumed_at = int(noted["done"])
        report.outcomes.update(noted["outcomes"])
        report.reasons.update(noted["reasons"])
    report.file = str(file) + (".dry-run.csv" if dry_run else ".report.csv")
    with _Lines(Path(report.file), report.done) as lines:
        for first in range(report.done, report.total, BATCH):
            batch = table.rows[first : first + BATCH]
            started = time.monotonic()
            with nullcontext() if dry_run else transaction():
                for number, cells in enumerate(batch, first + 1):
                    lines.add(number, _one(work, table, cells, report))
                report.done = first + len(batch)
                if not dry_run:
                    outbox.note(key, done=report.done, outcomes=report.outcomes, reasons=report.reasons)
                lines.flush()  # before the commit: what is stored is in the report, however the run ends
            if progress is not None:
                progress(report.done, report.total)
            if not dry_run:
                time.sleep(PAUSE_SHARE * (time.monotonic() - started))


def _key(table: Table) -> str:
    columns = "".join(f"{name}={heading};" for name, heading in sorted(table.columns.items()))
    return "import:" + hashlib.sha256(table.digest + columns.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class _Outcome:
    outcome: str
    reasons: tuple[str, ...] = ()
    record_number: str = ""


def _one(work: _Work, table: Table, cells: Sequence[Any], report: ImportReport) -> _Outcome:
    read = read_row(table, cells, work.clinic.today())
    reasons = list(read.problems)
    try:
        if read.fatal:
            raise ValidationError(read.fatal)
        fields = _believable(work.clinic, read.fields, reasons)
        outcome = _decide(work, fields, read.record_number, tuple(reasons))
    except ValidationError as error:
        codes = [f"{name.removeprefix('patient.')}: {code}" for name, code in error.fields.items()]
        outcome = _Outcome("set_aside", (*reasons, *codes))
    report.outcomes[outcome.outcome] += 1
    report.reasons.update(set(outcome.reasons))
    return outcome


def _believable(clinic: Clinic, values: dict[str, Any], reasons: list[str]) -> PatientFields:
    """The row as a clerk would have typed it; a number that cannot be one is left out and noted.

    Raises:
        ValidationError: What remains cannot be stored.
    """
    for _ in range(len(values) + 1):
        try:
            fields = PatientFields(**values)
            patients.check(clinic, fields)
        except pydantic.ValidationError as error:
            wrong = {str(e["loc"][0]) if e["loc"] else "row": str(e["type"]) for e in error.errors()}
        except ValidationError as error:
            wrong = {name.removeprefix("patient."): code for name, code in error.fields.items()}
        else:
            return fields
        if not set(wrong) <= set(FILLED):
            raise ValidationError(wrong)
        for name, code in wrong.items():
            reasons.append(f"{name}: {code}")
            values.pop(name)
    raise ValidationError({"row": "unreadable"})


def _decide(work: _Work, fields: PatientFields, number: str, notes: tuple[str, ...]) -> _Outcome:
    person = matching.person_in(DuplicateQuery(**fields.model_dump()))
    found, known = work.nearest(person)
    if found is None or found.probability < REVIEW:
        kept = work.free_record_number(number)
        if number and kept is None:
            notes = (*notes, "record_number: not_kept")
        return _Outcome("taken", notes, work.take(fields, person, kept or ""))
    if found.probability >= EXISTING:
        return _Outcome("merged", notes, work.fill(known, fields))
    return _Outcome("set_aside", (*notes, "possible_duplicate", *found.reasons[:3]), _number_of(known))


def _number_of(patient_id: str) -> str:
    """The medical record number of a stored patient; empty for a row of the list itself."""
    patient = Patient.get_or_none(Patient.id == patient_id)
    return str(patient.medical_record_number) if patient else ""


class _Work:
    """What is done with a row; the dry run keeps its own index instead of writing."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic

    def nearest(self, person: Person) -> tuple[Score | None, str]:
        """The best score, and whose it is."""
        best = matching.ranked(person, REVIEW)
        return best[0] if best else (None, "")

    def free_record_number(self, number: str) -> str | None:
        """The number of the paper file as it is kept; None when it cannot be."""
        return patients.free_record_number(number)

    def take(self, fields: PatientFields, person: Person, number: str) -> str:
        """A new patient, under this number if there is one; returns the medical record number."""
        raise NotImplementedError

    def fill(self, patient_id: str, fields: PatientFields) -> str:
        """A known one; returns the medical record number."""
        raise NotImplementedError


class _Import(_Work):
    def __init__(self, clinic: Clinic, actor: Actor) -> None:
        super().__init__(clinic)
        self._actor = actor

    def take(self, fields: PatientFields, person: Person, number: str) -> str:
        patient = patients.create(
            self.clinic, self._actor, fields, clock.now(), medical_record_number=number or None
        )
        return str(patient.medical_record_number)

    def fill(self, patient_id: str, fields: PatientFields) -> str:
        patient = patients.find(patient_id)
        given = {name: getattr(fields, name) for name in FILLED}
        patients.fill(self._actor, patient, given)
        return str(patient.medical_record_number)


class _DryRun(_Work):
    """Finds duplicates inside the list by an index of its own."""

    def __init__(self, clinic: Clinic) -> None:
        super().__init__(clinic)
        self._people: list[Person] = []
        self._numbers: set[str] = set()
        self._index: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    def nearest(self, person: Person) -> tuple[Score | None, str]:
        stored, known = super().nearest(person)
        rows: dict[int, None] = {}
        for kind, values in probes(person):
            for value in values:
                rows.update(dict.fromkeys(self._index.get((kind, value), ())[:60]))
        inside = [score_from(person, self._people[row], REVIEW) for row in rows]
        likely = [one for one in (*inside, stored) if one is not None]
        best = max(likely, key=lambda one: one.probability, default=None)
        return best, known if best is stored else ""

    def free_record_number(self, number: str) -> str | None:
        free = super().free_record_number(number)
        return None if free in self._numbers else free

    def take(self, fields: PatientFields, person: Person, number: str) -> str:
        row = len(self._people)
        self._numbers.add(number)
        self._people.append(person)
        for kind, value in stored_keys(person):
            self._index[kind, value].append(row)
            if kind == "name":
                sound, _, born = value.rpartition(" ")
                self._index["span", f"{sound} {born[:4]}-01-01/{born[:4]}-12-31"].append(row)
        for column in COLUMN_KINDS:
            if value := getattr(person, column):
                self._index[column, value].append(row)
        return number

    def fill(self, patient_id: str, fields: PatientFields) -> str:
        return _number_of(patient_id)


class _Lines:
    """The report of each row: number, outcome, medical record number, reasons. Readable by its owner only."""

    HEADING = ("row", "outcome", "medical_record_number", "reasons")

    def __init__(self, file: Path, done: int) -> None:
        self._file = file
        self._kept = list(self._earlier(done))

    def _earlier(self, done: int) -> Iterator[list[str]]:
        if done and self._file.exists():
            with self._file.open(newline="", encoding="utf-8") as earlier:
                yield from (
                    line for line in csv.reader(earlier) if line[0].isdigit() and int(line[0]) <= done
                )

    def __enter__(self) -> _Lines:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._handle = os.fdopen(descriptor, "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._handle)
        self._writer.writerow(self.HEADING)
        self._writer.writerows(self._kept)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.close()

    def add(self, number: int, outcome: _Outcome) -> None:
        self._writer.writerow((number, outcome.outcome, outcome.record_number, "; ".join(outcome.reasons)))

    def flush(self) -> None:
        self._handle.flush()
