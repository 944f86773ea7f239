"""`loket import`: patient lists and code lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from server.commands import console
from server.commands.console import JsonOption

if TYPE_CHECKING:
    from core.terminology.icd10 import Imported

app = typer.Typer(no_args_is_help=True, help="Bring in lists: patients, ICD-10 codes.")


@app.command("patients")
def import_patients(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    column: Annotated[
        list[str] | None, typer.Option(help="field=heading, where the guess is wrong; field= leaves it out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: take the columns and store.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    tried: Annotated[bool, typer.Option("--tried", help="Store without a dry run before.")] = False,
    dates: Annotated[
        Literal["day_first", "month_first"] | None,
        typer.Option(help="Order of day and month, where the list's dates do not prove it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a patient list (CSV or XLSX): confirm the columns, try, then store; goes on after a stop."""
    from core.imports.dates import DateOrder
    from server.commands.patient_list import import_list

    clinic = console.open_clinic()
    raise typer.Exit(
        import_list(
            clinic, file, given=column or [], yes=yes, dry_run=dry_run, tried=tried, as_json=as_json,
            order=DateOrder(dates) if dates else None,
        )
    )  # fmt: skip


@app.command("diagnoses")
def import_diagnoses(file: Path, as_json: JsonOption = False) -> None:
    """Take the full ICD-10 list (edition 2010, as SATUSEHAT and PCare use it) from CSV or XLSX."""
    from core.terminology import icd10

    _import_codes(file, icd10.import_codes, as_json)


@app.command("procedures")
def import_procedures(file: Path, as_json: JsonOption = False) -> None:
    """Take procedures from CSV or XLSX: ICD-9-CM codes, or the clinic's own (TG-01)."""
    from core.orders import procedures

    _import_codes(file, procedures.import_codes, as_json)


@app.command("medicines")
def import_medicines(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: store what the preview shows.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take KFA's table of products (CSV or XLSX): only medicines known here, after a preview."""
    from dataclasses import asdict

    from core.exchange.satusehat import official_displays
    from core.foundation.database import connection
    from core.orders import kfa
    from server.text.import_sentences import STORE_QUESTION, medicines_previewed, medicines_stored
    from server.text.translation import _

    clinic = console.open_clinic()
    with connection():
        document = asdict(kfa.import_codes(file, dry_run=True))
        if not as_json:
            console.print_lines(medicines_previewed(document), document, as_json=False)
        is_stored = not dry_run and (yes or as_json or typer.confirm(_(STORE_QUESTION)))
        if is_stored:
            kfa.import_codes(file)
            if clinic.settings.sync_target == "satusehat":
                official_displays.send_medicines_again()
    stored = {"stored": is_stored}
    console.print_lines(medicines_stored(is_stored), document | stored, as_json)


def _import_codes(file: Path, take: Callable[[Path], Imported], as_json: bool) -> None:
    from core.foundation.database import connection
    from server.text.import_sentences import codes_imported

    console.open_clinic()
    with connection():
        result = take(file)
    document = {"taken": result.taken, "newer": result.newer, "refused": list(result.refused)}
    console.print_lines(codes_imported(document), document, as_json)
