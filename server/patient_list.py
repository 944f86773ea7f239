"""`loket import patients`: a patient list comes in, with the admin's word on every guess.

The columns are guessed and confirmed, a dry run says what would come of each row, and only then are
rows stored. The clinic may be at work meanwhile: rows are stored in short transactions with pauses
between them, and a list that was stopped half-way, however hard, goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from core import importing
from core.accounts import Actor, system_actor
from core.clinic import Clinic
from core.database import connection
from core.errors import ValidationError
from core.import_rows import HEADINGS, Table, read_table
from core.importing import ImportReport

SAMPLES = 3
"""Values of a column shown, so that a wrong guess is seen."""
out = Console(stderr=True)
"""What is said to the person; standard output is for `--json`."""

QUESTION = (
    "Are the columns right?  Enter: yes   field=heading: read a field from another column"
    "   field=: leave it out   q: stop"
)
WHAT_HAPPENED = {
    "taken": "new patients",
    "merged": "known already; what the list knew more was filled in",
    "set_aside": "set aside: nothing stored, see the report",
}


def import_list(
    clinic: Clinic,
    file: Path,
    *,
    given: Sequence[str],
    yes: bool,
    dry_run: bool,
    tried: bool,
    as_json: bool,
) -> int:
    """Ask, try, ask, store; returns the command's exit status.

    Args:
        clinic: The clinic.
        file: CSV or XLSX.
        given: `field=heading` pairs over the guess; an empty heading leaves the field out.
        yes: Take the columns as they are and do not ask before storing.
        dry_run: Stop after the dry run.
        tried: Leave the dry run out: there was one.
        as_json: Print the last report as JSON on standard output.
    """
    columns = dict(_pair(text) for text in given)
    table = _confirmed(file, columns, ask=not yes)
    with connection():
        stopped_at = importing.stopped_at(table)
        actor = system_actor("loket command")
        if stopped_at and not dry_run:
            out.print(f"An earlier run stopped after row {stopped_at} of {len(table.rows)}: going on there.")
        elif dry_run or not tried:
            report = _run(clinic, actor, file, columns, dry_run=True)
            _show(report)
            if dry_run:
                return _done(report, as_json)
            if not yes and not typer.confirm("Store this?", err=True):
                return 1
        report = _run(clinic, actor, file, columns, dry_run=False)
    _show(report)
    return _done(report, as_json)


def _pair(text: str) -> tuple[str, str]:
    name, equals, heading = text.partition("=")
    if not equals or name.strip() not in HEADINGS:
        raise ValidationError({"column": f"write field=heading; fields: {', '.join(HEADINGS)}"})
    return name.strip(), heading.strip()


def _confirmed(file: Path, columns: dict[str, str], *, ask: bool) -> Table:
    """The list with its columns as the admin wants them; `columns` takes up what is corrected."""
    while True:
        table: Table | None = None
        try:
            table = read_table(file, columns)
        except ValidationError as error:
            if not ask or "file" in error.fields:
                raise
            _say_wrong(error)
        else:
            _show_guess(table)
            if not ask:
                return table
        answer = typer.prompt(QUESTION, default="", show_default=False, err=True).strip()
        if answer.lower() in {"q", "quit"}:
            raise typer.Abort
        if answer.lower() in {"", "y", "yes"}:
            if table is not None:
                return table
            continue
        try:
            columns.update([_pair(answer)])
        except ValidationError as error:
            _say_wrong(error)


def _say_wrong(error: ValidationError) -> None:
    for name, code in error.fields.items():
        out.print(f"! {name}: {code}", markup=False)


def _show_guess(table: Table) -> None:
    grid = Grid("field", "column", "first values", title=f"{len(table.rows)} rows")
    for name in HEADINGS:
        if name in table.places:
            place = table.places[name]
            cells = (row[place] for row in table.rows if place < len(row))
            samples = list(islice((str(cell) for cell in cells if cell not in (None, "")), SAMPLES))
            grid.add_row(name, escape(table.columns[name]), escape(" | ".join(samples)))
    out.print(grid)
    if table.ignored:
        out.print(f"Not read: {', '.join(table.ignored)}", markup=False)


def _run(clinic: Clinic, actor: Actor, file: Path, columns: dict[str, str], *, dry_run: bool) -> ImportReport:
    title = "dry run" if dry_run else "storing"
    bar = Progress(TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=out)
    with bar:
        task = bar.add_task(title, total=None)
        return importing.run(
            clinic,
            actor,
            file,
            dry_run=dry_run,
            columns=columns,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _show(report: ImportReport) -> None:
    out.print("Would be:" if report.dry_run else "Done:")
    for name, meaning in WHAT_HAPPENED.items():
        out.print(f"  {report.outcomes[name]:>7}  {meaning}")
    if report.reasons:
        out.print("Noted:")
        for reason, rows in report.reasons.most_common(20):
            out.print(f"  {rows:>7}  {reason}", markup=False)
    out.print(f"Row by row: {report.file}", markup=False, soft_wrap=True)


def _done(report: ImportReport, as_json: bool) -> int:
    if as_json:
        print(json.dumps(report.document(), ensure_ascii=False, indent=2))  # noqa: T201
    return 0
