"""`loket import patients`: a patient list comes in, with the admin's word on every guess.

The columns are guessed and confirmed, a dry run says what would come of each row, and only then are
rows stored. The clinic may be at work meanwhile: rows are stored in short transactions with pauses
between them, and a list that was stopped half-way, however hard, goes on where it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from core import importing
from core.accounts import system_actor
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.errors import ValidationError
from core.import_rows import HEADINGS, Table, read_table
from core.importing import ImportReport
from server.apart import NICENESS
from server.text import N_, _

SAMPLES = 3
"""Values of a column shown, so that a wrong guess is seen."""
SHOWN = 20
"""Kinds of notes shown; the report has all."""
YES = frozenset({"y", "ya", "yes"})
out = Console(stderr=True)
"""What is said to the person; standard output is for `--json`."""

QUESTION = N_(
    "Are the columns right?  Enter: yes   field=heading: read a field from another column"
    "   field=: leave it out   q: stop"
)
WHAT_HAPPENED = {
    "taken": N_("new patients"),
    "merged": N_("known already; what the list knew more was filled in"),
    "set_aside": N_("set aside: nothing stored, see the report"),
}
MEANINGS = {
    "name: required": N_("no name"),
    "birth_date: required": N_("no birth date and no age"),
    "birth_date: unreadable": N_("this is no date"),
    "birth_date: birth_date_in_future": N_("the birth date is yet to come"),
    "birth_date: birth_date_too_old": N_("older than 120 years"),
    "birth_date: estimated": N_("worked out from the age"),
    "birth_date: from_nik": N_("taken from the NIK"),
    "sex: required": N_("neither male nor female, and no NIK that says it"),
    "sex: unreadable": N_("neither male nor female, and no NIK that says it"),
    "sex: from_nik": N_("taken from the NIK"),
    "nik: digits_lost": N_("a spreadsheet dropped the last digit: make the column text, then export again"),
    "nik: taken": N_("somebody else has this number"),
    "bpjs_number: taken": N_("somebody else has this number"),
    "bpjs_number: zeros_added": N_("the zeros that a spreadsheet dropped were put back"),
    "record_number: not_kept": N_("the paper number is no number or in use; a new one is given"),
    "possible_duplicate": N_("perhaps a patient who is known: a person must decide"),
    "meant_as_well": N_("somebody else, such as a twin, may be meant as well"),
}
"""What is noted of a row -> what it means to the admin."""
PROBLEMS = {
    "unknown_column": N_("there is no such heading in the list"),
    "required": N_("the list needs a column for it"),
}
"""What may be wrong with the columns."""


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
    os.nice(NICENESS)
    with connection():
        stopped_at = importing.stopped_at(table)
        actor = system_actor("loket command")
        if stopped_at and not dry_run:
            out.print(
                _("An earlier run stopped after row {row} of {rows}: going on there.").format(
                    row=stopped_at, rows=len(table.rows)
                )
            )
        elif dry_run or not tried:
            report = _run(clinic, actor, file, columns, dry_run=True)
            _show(report)
            if dry_run:
                return _done(report, as_json)
            if not yes and _asked(_("Store this?") + " [y/N]").lower() not in YES:
                return 1
        report = _run(clinic, actor, file, columns, dry_run=False)
    _show(report)
    return _done(report, as_json)


def _pair(text: str) -> tuple[str, str]:
    name, equals, heading = text.partition("=")
    if not equals or name.strip() not in HEADINGS:
        raise ValidationError(
            {"column": _("write field=heading; fields: {fields}").format(fields=", ".join(HEADINGS))}
        )
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
        answer = _asked(_(QUESTION))
        if answer.lower() in {"q", "quit"}:
            raise typer.Abort
        if answer.lower() in {"", *YES}:
            if table is not None:
                return table
            continue
        try:
            columns.update([_pair(answer)])
        except ValidationError as error:
            _say_wrong(error)


def _asked(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip()


def _say_wrong(error: ValidationError) -> None:
    for name, code in error.fields.items():
        out.print(f"! {name}: {_(PROBLEMS[code]) if code in PROBLEMS else code}", markup=False)


def _show_guess(table: Table) -> None:
    title = _("{rows} rows").format(rows=len(table.rows))
    grid = Grid(_("field"), _("column"), _("first values"), title=title)
    for name in HEADINGS:
        if name in table.places:
            place = table.places[name]
            cells = (row[place] for row in table.rows if place < len(row))
            samples = list(islice((str(cell) for cell in cells if cell not in (None, "")), SAMPLES))
            grid.add_row(name, escape(table.columns[name]), escape(" | ".join(samples)))
    out.print(grid)
    if table.ignored:
        out.print(_("Not read: {headings}").format(headings=", ".join(table.ignored)), markup=False)


def _run(clinic: Clinic, actor: Actor, file: Path, columns: dict[str, str], *, dry_run: bool) -> ImportReport:
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
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _show(report: ImportReport) -> None:
    out.print(_("Would be:") if report.dry_run else _("Done:"))
    for name, meaning in WHAT_HAPPENED.items():
        out.print(f"  {report.outcomes[name]:>7}  {_(meaning)}")
    # What speaks for a possible duplicate stands in the report, row by row.
    noted = [(code, rows) for code, rows in report.reasons.most_common() if ": " in code or code in MEANINGS]
    if noted:
        out.print(_("Noted:"))
    for code, rows in noted[:SHOWN]:
        out.print(f"  {rows:>7}  {code}: {_meaning(code)}", markup=False, soft_wrap=True)
    out.print(_("Row by row: {file}").format(file=report.file), markup=False, soft_wrap=True)


def _meaning(code: str) -> str:
    return _(MEANINGS[code]) if code in MEANINGS else _("cannot be right, left out")


def _done(report: ImportReport, as_json: bool) -> int:
    if as_json:
        print(json.dumps(report.document(), ensure_ascii=False, indent=2))  # noqa: T201
    return 0
