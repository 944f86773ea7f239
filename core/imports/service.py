"""An existing patient list, CSV or XLSX, brought in: guessed columns, a dry run, and going on after a stop.

Each row ends in one of four ways. `taken`: a new patient. `paired`: a new patient who may be here already;
the pair waits for clerical review, and nobody is joined on a doubt. `merged`: the person was known, and what
the list knows more is filled in. `set_aside`: nothing is stored, because name, sex or birth date cannot be read. What
contradicts itself is stored without the number in doubt, and waits on the work list as well.

The report beside the list (`list.csv.report.csv`) names rows and lines, never people. Rows are stored in
batches; each batch notes how far it came in the same transaction, so that a stopped import goes on
at the row where it stopped, and a finished one is not done twice.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.foundation import clock, jobs, state
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission
from core.foundation.database import transaction
from core.foundation.errors import RuleError
from core.foundation.permissions import Actor
from core.imports import set_aside
from core.imports.dates import DateOrder
from core.imports.row_decisions import Decided, Decisions
from core.imports.row_reader import ImportTable, read_table, record_numbers_in
from core.linkage import review_queue
from core.patients import deaths, record_numbers
from core.patients import service as patients

OUTCOMES = ("taken", "paired", "merged", "set_aside")
BATCH = 32
"""Rows that are stored at once: few enough that the counters never wait long behind them."""


@dataclass
class ImportReport:
    """Outcome of an import."""

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
    """Each of `OUTCOMES` -> rows."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows were set aside or a value was left out -> rows."""
    file: str = ""
    """Where the report of each row is."""

    def resume(self, noted: Mapping[str, Any] | None) -> None:
        """Go on where an earlier run noted that it was."""
        if noted is not None:
            self.done = self.resumed_at = int(noted["done"])
            self.outcomes.update(noted["outcomes"])
            self.reasons.update(noted["reasons"])

    def add(self, decided: Sequence[Decided]) -> None:
        """Count rows that are settled."""
        for row in decided:
            self.outcomes[row.outcome] += 1
            self.reasons.update(set(row.reasons))
        self.done += len(decided)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": self.total,
            "done": self.done,
            "resumed_at": self.resumed_at,
            "dry_run": self.dry_run,
            **{name: self.outcomes[name] for name in OUTCOMES},
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
    order: DateOrder | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Bring in a list, or say what would come of it.

    Args:
        clinic: The clinic.
        actor: Who; every patient is in the audit log under this name.
        file: `.csv` (comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252) or `.xlsx` (the first sheet that has headings).
        dry_run: Store nothing. Duplicates inside the file are found all the same.
        columns: Field -> heading, where the guess is wrong; an empty heading leaves the field out.
        order: Order of day and month, where the admin says it; None: as the dates of the list prove it.
        progress: Called with rows done and rows in all.

    Returns:
        Counts, reasons and the columns used.

    Raises:
        ValidationError: `file`: `unreadable`, `no_headings`, or no column for name or birth date.
        RuleError: `import_running` while another run is at it.
    """
    actor.require(Permission.EDIT_PATIENTS)
    table = read_table(file, columns or {}, order)
    written_to = f"{file}.{'dry-run' if dry_run else 'report'}.csv"
    report = ImportReport(table.columns, table.ignored, len(table.rows), dry_run, file=written_to)
    with jobs.alone(clinic.settings.home, "import") as free:
        if not free:
            raise RuleError("import_running")
        decisions = Decisions(clinic, table)
        if dry_run:
            _try(decisions, report, progress)
        else:
            _store(decisions, actor, report, file.name, progress)
    return report


def stopped_at(table: ImportTable) -> int:
    """Rows that an earlier run stored of this list with these columns; 0 when none or all were."""
    noted = state.fact(_key(table))
    done = int(noted["done"]) if noted else 0
    return done if done < len(table.rows) else 0


def _key(table: ImportTable) -> str:
    columns = "".join(f"{name}={heading};" for name, heading in sorted(table.columns.items()))
    if table.dates.order is not DateOrder.ASSUMED:
        columns += table.dates.order
    return "import:" + hashlib.sha256(table.digest + columns.encode()).hexdigest()[:24]


def _try(decisions: Decisions, report: ImportReport, progress: Callable[[int, int], None] | None) -> None:
    with _Lines(Path(report.file), 0, decisions.table) as lines:
        while report.done < report.total:
            decided = decisions.decide(report.done, BATCH)
            lines.add(decided)
            report.add(decided)
            if progress is not None:
                progress(report.done, report.total)


def _store(
    decisions: Decisions,
    actor: Actor,
    report: ImportReport,
    name: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Store a list batch by batch; what cannot be stored goes on the work list under the file's name.

    Whom a row is like takes long to find, and the counters go on meanwhile; only for a moment then may nobody else
    write. Where somebody was registered or corrected in between, the batch is decided once more, at that moment.
    """
    key = _key(decisions.table)
    report.resume(state.fact(key))
    with transaction():
        record_numbers.go_on_above(
            filter(None, map(record_numbers.of_paper, record_numbers_in(decisions.table)))
        )
    with _Lines(Path(report.file), report.done, decisions.table) as lines:
        while report.done < report.total:
            before = patients.last_change()
            decided = decisions.decide(report.done, BATCH)
            with transaction(unhurried=True):
                if patients.last_change() != before:
                    decisions.forget()
                    decided = decisions.decide(report.done, BATCH)
                _store_batch(actor, decided)
                set_aside.add(actor, name, decisions.table, decided)
                decisions.forget()
                report.add(decided)
                state.note(key, done=report.done, outcomes=report.outcomes, reasons=report.reasons)
                lines.add(decided)  # before the commit: what is stored is in the report, however the run ends
            if progress is not None:
                progress(report.done, report.total)


def _store_batch(actor: Actor, decided: Sequence[Decided]) -> None:
    patients.store(actor, [row.new for row in decided if row.new], clock.now())
    for row in decided:
        if row.given:
            patients.fill(actor, patients.find(row.patient_id), row.given)
    for row in decided:
        if row.deceased_on is not None:
            deaths.report_death(actor, patients.find(row.patient_id).id, row.deceased_on)
    for row in decided:
        for other in row.alike:
            review_queue.add(patients.find(row.patient_id), patients.find(other))


class _Lines:
    """The report of each row: number, line of the file, outcome, medical record number, reasons. Readable by its owner only."""

    HEADING = ("row", "line", "outcome", "medical_record_number", "reasons")

    def __init__(self, file: Path, done: int, table: ImportTable) -> None:
        self._file = file
        self._table = table
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

    def add(self, decided: Sequence[Decided]) -> None:
        numbers = record_numbers.of_patients([row.patient_id for row in decided if row.patient_id])
        for row in decided:
            number = numbers.get(row.patient_id, "")
            line = self._table.line(row.number)
            self._writer.writerow((row.number, line, row.outcome, number, "; ".join(row.reasons)))
        self._handle.flush()
