"""`loket import patients`: imports a patient list; the admin confirms every guess.

The columns are guessed and confirmed, a dry run reports the outcome of each row, and only then are
rows stored. The clinic may be at work meanwhile: rows are stored in short transactions with pauses
between them, and a list that was stopped half-way, however hard, goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from core.accounts import service as accounts
from core.foundation.clinic import Clinic
from core.foundation.database import connection
from core.foundation.errors import ValidationError
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.imports.dates import DateOrder
from core.imports.row_reader import HEADINGS, ImportTable, read_table
from core.imports.service import ImportReport
from server.commands import console
from server.commands.console import AUDIT_NAME, YES
from server.text.import_sentences import (
    COLUMNS_QUESTION,
    DATE_ORDERS,
    NOTES,
    OUTCOMES,
    absent_fields,
    column_problem,
    note_meaning,
)
from server.text.translation import _
from server.worker_process import NICENESS

SAMPLES = 3
"""Values shown of each column, so that the admin sees a wrong guess."""
SHOWN = 20
"""Kinds of notes shown; the report file has all."""
STOP = frozenset({"q", "quit"})
out = Console(stderr=True)
"""Questions and reports for the admin; standard output is for `--json`."""


def import_list(
    clinic: Clinic,
    file: Path,
    *,
    given: Sequence[str],
    yes: bool,
    dry_run: bool,
    tried: bool,
    as_json: bool,
    order: DateOrder | None = None,
) -> int:
    """Confirm the columns, try, ask, then store; return the command's exit status.

    Args:
        clinic: The clinic.
        file: CSV or XLSX.
        given: `field=heading` pairs over the guess; an empty heading leaves the field out.
        yes: Take the columns as they are and do not ask before storing.
        dry_run: Stop after the dry run.
        tried: Leave the dry run out: there was one.
        as_json: Print the last report as JSON on standard output.
        order: Order of day and month, where the admin knows it.

    Raises:
        ValidationError: The file or a column given cannot be read.
    """
    columns = dict(_pair(text) for text in given)
    table = _confirmed(file, columns, order, ask=not yes)
    os.nice(NICENESS)
    with connection():
        stopped_at = importing.stopped_at(table)
        actor = accounts.system_actor(AUDIT_NAME)
        if stopped_at and not dry_run:
            out.print(
                _("An earlier run stopped after row {row} of {rows}: going on there.").format(
                    row=stopped_at, rows=len(table.rows)
                )
            )
        elif dry_run or not tried:
            report = _run(clinic, actor, file, columns, order, dry_run=True)
            _show(report)
            if dry_run:
                return _done(report, as_json)
            if not yes and _asked(_("Store this?") + " [y/N]").lower() not in YES:
                return 1
        report = _run(clinic, actor, file, columns, order, dry_run=False)
    _show(report)
    return _done(report, as_json)


def _pair(text: str) -> tuple[str, str]:
    name, equals, heading = text.partition("=")
    if not equals or name.strip() not in HEADINGS:
        raise ValidationError(
            {"column": _("write field=heading; fields: {fields}").format(fields=", ".join(HEADINGS))}
        )
    return name.strip(), heading.strip()


def _confirmed(file: Path, columns: dict[str, str], order: DateOrder | None, *, ask: bool) -> ImportTable:
    """Return the list with its columns as the admin confirmed them; `columns` takes up corrections."""
    while True:
        table = _read(file, columns, order, ask=ask)
        if not ask and table is not None:
            return table
        answer = _asked(_(COLUMNS_QUESTION))
        if answer.lower() in STOP:
            raise typer.Abort
        agreed = answer.lower() in {"", *YES}
        if agreed and table is not None:
            return table
        if not agreed:
            _correct(columns, answer)


def _read(file: Path, columns: dict[str, str], order: DateOrder | None, *, ask: bool) -> ImportTable | None:
    """Read the list and show the guess; None when the columns are wrong and the admin can correct them.

    Raises:
        ValidationError: The file cannot be read.
        Exit: The columns are wrong and nobody is asked.
    """
    try:
        table = read_table(file, columns, order)
    except ValidationError as error:
        if "file" in error.fields:
            raise
        _show_problems(error)
        if not ask:
            raise typer.Exit(1) from None
        return None
    _show_guess(table)
    return table


def _correct(columns: dict[str, str], answer: str) -> None:
    """Take up a `field=heading` pair that the admin typed."""
    try:
        columns.update([_pair(answer)])
    except ValidationError as error:
        _show_problems(error)


def _asked(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip()


def _show_problems(error: ValidationError) -> None:
    for name, code in error.fields.items():
        out.print(f"! {name}: {column_problem(code)}", markup=False)


def _show_guess(table: ImportTable) -> None:
    title = _("{rows} rows").format(rows=len(table.rows))
    grid = Grid(_("field"), _("column"), _("first values"), title=title)
    for name in HEADINGS:
        if name in table.places:
            place = table.places[name]
            grid.add_row(name, escape(table.columns[name]), escape(" | ".join(_samples(table, place))))
    out.print(grid)
    if table.ignored:
        out.print(_("Not read: {headings}").format(headings=", ".join(table.ignored)), markup=False)
    if absent := absent_fields(table.absent):
        out.print(absent, markup=False)
    if "birth_date" in table.places:
        out.print(_(DATE_ORDERS[table.dates.order]), markup=False)


def _samples(table: ImportTable, place: int) -> list[str]:
    """Return the first values of a column that are not empty."""
    cells = (row[place] for row in table.rows if place < len(row))
    filled = (str(cell) for cell in cells if cell not in (None, ""))
    return list(islice(filled, SAMPLES))


def _run(
    clinic: Clinic,
    actor: Actor,
    file: Path,
    columns: dict[str, str],
    order: DateOrder | None,
    *,
    dry_run: bool,
) -> ImportReport:
    title = _("dry run") if dry_run else _("storing")
    bar = Progress(TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=out)
    with bar:
        task = bar.add_task(title, total=None)
        return importing.run(
            clinic,
            actor,
            file,
            dry_run=dry_run,
            columns=columns,
            order=order,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _show(report: ImportReport) -> None:
    out.print(_("Would be:") if report.dry_run else _("Done:"))
    for name, meaning in OUTCOMES.items():
        out.print(f"  {report.outcomes[name]:>7}  {_(meaning)}")
    # The evidence for a possible duplicate is in the report file, row by row.
    noted = [(code, rows) for code, rows in report.reasons.most_common() if ": " in code or code in NOTES]
    if noted:
        out.print(_("Noted:"))
    for code, rows in noted[:SHOWN]:
        out.print(f"  {rows:>7}  {code}: {note_meaning(code)}", markup=False, soft_wrap=True)
    out.print(_("Row by row: {file}").format(file=report.file), markup=False, soft_wrap=True)


def _done(report: ImportReport, as_json: bool) -> int:
    if as_json:
        console.print_json(report.document())
    return 0
