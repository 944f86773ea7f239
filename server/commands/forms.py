"""`loket forms`: the specialised forms of the record."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, help="The specialised forms of the record.")


@app.command("check")
def forms_check(file: Path) -> None:
    """Check a form's file before it goes into LOKET_HOME/forms."""
    from core.records.forms import check_file

    problems = check_file(file)
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print("ok")
