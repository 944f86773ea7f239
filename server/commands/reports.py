"""`loket report`: a report on the screen or in a file."""

from __future__ import annotations

import dataclasses
import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from core.daily.reports.registry import REPORTS
from core.foundation.errors import ValidationError
from server.commands import console
from server.commands.console import JsonOption

SUFFIXES = frozenset({".csv", ".xlsx"})


def report(
    name: Annotated[str, typer.Argument(metavar="|".join(REPORTS), help="Name of the report.")],
    day: Annotated[str, typer.Option(help="YYYY-MM-DD; today otherwise.")] = "",
    output: Annotated[Path | None, typer.Option(help="A .csv or .xlsx file.")] = None,
    because: Annotated[
        str,
        typer.Option(
            help="Why a report that names patients is wanted: asks the head of the clinic for leave, for a day."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Print the report of a day, or of the week or month that holds it, or write it to a file."""
    from core.accounts.service import system_actor
    from core.daily.reports import exports, report_files
    from core.foundation.database import connection
    from server.text.report_sentences import asked_for_leave, report_lines

    clinic = console.open_clinic()
    if name not in REPORTS:
        raise ValidationError({"report": "name"})
    if output is not None and output.suffix not in SUFFIXES:
        raise ValidationError({"output": "suffix"})
    wanted = _parsed_day(day) if day else clinic.today()
    with connection():
        actor = system_actor(console.AUDIT_NAME)
        if because and not exports.is_released(actor, name, wanted):
            asked = exports.ask(actor, name, wanted, console.words(because, "because"))
            console.print_lines([asked_for_leave()], asked.model_dump(mode="json"), as_json)
            raise typer.Exit(1)
        built = exports.give(clinic, actor, name, wanted, output.suffix if output else "command")
    if output is None:
        console.print_lines(report_lines(built), {"name": name, **dataclasses.asdict(built)}, as_json)
    elif output.suffix == ".xlsx":
        _write_private(output, report_files.to_xlsx(built))
    else:
        _write_private(output, report_files.to_csv(built).encode("utf-8-sig"))


def _parsed_day(text: str) -> date:
    """Return a day written 2026-01-31.

    Raises:
        ValidationError: It is written otherwise.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError({"day": "format"}) from None


def _write_private(file: Path, content: bytes) -> None:
    """Write a file with patients' names, readable by its owner only."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as writer:
        writer.write(content)
