"""`loket codes`: the official texts of codes, which SATUSEHAT compares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands import console
from server.commands.console import JsonOption

app = typer.Typer(no_args_is_help=True, help="The official texts of codes, which SATUSEHAT compares.")


@app.command("import")
def import_codes(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    of: Annotated[str, typer.Option("--list", help="icd10, icd9, loinc or snomed.")] = "icd10",
    as_json: JsonOption = False,
) -> None:
    """Take the official texts of a list of codes (CSV or XLSX): a column for the code, one for the text."""
    from core.exchange.satusehat import official_displays
    from core.foundation.database import connection
    from server.text.import_sentences import displays_imported

    console.open_clinic()
    with connection():
        result = official_displays.import_displays(file, of)
    document = {
        "taken": result.taken,
        "refused": list(result.refused),
        "waiting_again": result.waiting_again,
    }
    console.print_lines(displays_imported(document), document, as_json)


@app.command("check")
def check_codes(as_json: JsonOption = False) -> None:
    """Name the codes in the records that have no official text yet, the most used first."""
    from core.exchange.satusehat import official_displays
    from core.foundation.database import connection
    from server.text.import_sentences import displays_checked

    console.open_clinic()
    with connection():
        missing = official_displays.codes_without_display()
    document = {"missing": missing}
    console.print_lines(displays_checked(document), document, as_json)
    if missing:
        raise typer.Exit(1)
