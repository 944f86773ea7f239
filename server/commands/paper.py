"""`loket paper`: numbered forms on which a counter writes while no computer answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.foundation.codes import NumberStatus
from server.commands import console
from server.commands.console import AUDIT_NAME, JsonOption

if TYPE_CHECKING:
    from core.foundation.clinic import Clinic
    from core.models import LentNumber

app = typer.Typer(no_args_is_help=True, help="Numbered paper forms for the hours without a computer.")

NumberArgument = Annotated[str, typer.Argument(help="Number of the form, as printed.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words.")]


@app.command("print")
def paper_print(
    cluster: Annotated[str, typer.Option(help="Code of the cluster.")],
    count: Annotated[int, typer.Option(help="How many forms.", min=1, max=100)] = 20,
    to: Annotated[
        Path | None, typer.Option(help="Write the text to this file instead; - for standard output.")
    ] = None,
) -> None:
    """Print forms, each with a number that is given to nobody else."""
    from core.accounts.service import system_actor
    from core.foundation.database import connection
    from core.foundation.errors import PrinterError
    from core.queues import paper_forms
    from server.text import paper_sentences

    clinic = console.open_clinic()
    printer = "" if to is not None else clinic.settings.printer
    if to is None and not printer:
        raise PrinterError("no_printer")
    with connection():
        actor = system_actor(AUDIT_NAME)
        made = paper_forms.print_forms(clinic, actor, cluster.upper(), count)
        printed = _print_all(clinic, made, to)
        for form in made[printed:]:
            paper_forms.end(clinic, actor, form.number, NumberStatus.VOIDED, "not printed")
    if to is None or str(to) != "-":
        print(paper_sentences.printed([form.number for form in made[:printed]]))
    if printed < len(made):
        print(paper_sentences.not_printed(len(made) - printed))
        raise typer.Exit(1)


def _print_all(clinic: Clinic, made: list[LentNumber], to: Path | None) -> int:
    """Print forms one after the other; return how many were, which is less than all where the printer fails."""
    from core.foundation.errors import PrinterError
    from core.printing.documents import to_text
    from core.printing.paper_form import PaperForm, form_document
    from server import printer

    settings = clinic.settings
    texts: list[bytes] = []
    for number, form in enumerate(made):
        form_of = PaperForm(settings.facility_name, clinic.clusters[form.cluster].name, form.number)
        document = form_document(form_of, settings.language)
        if to is not None:
            texts.append(to_text(document, settings.printer_columns))
            continue
        try:
            printer.print_document(settings.printer, settings.printer_columns, document)
        except PrinterError:
            return number
    if to is not None:
        _write(to, b"".join(texts))
    return len(made)


def _write(to: Path, text: bytes) -> None:
    if str(to) == "-":
        print(text.decode("ascii"), end="")
    else:
        to.write_bytes(text)


@app.command("list")
def paper_list(
    status: Annotated[NumberStatus | None, typer.Option(help="Only those in this state.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the forms and what became of each."""
    from core.accounts.service import system_actor
    from core.foundation.database import connection
    from core.queues import paper_forms

    console.open_clinic()
    with connection():
        forms = paper_forms.listed(system_actor(AUDIT_NAME), status)
    console.print_rows([form.model_dump(mode="json") for form in forms], as_json)


@app.command("void")
def paper_void(number: NumberArgument, reason: ReasonOption) -> None:
    """Note that a form was spoiled or lost: nobody is registered with it."""
    _end(number, NumberStatus.VOIDED, reason)


@app.command("return")
def paper_return(number: NumberArgument, reason: ReasonOption) -> None:
    """Note that an unused form came back and was torn up."""
    _end(number, NumberStatus.RETURNED, reason)


def _end(number: str, outcome: NumberStatus, reason: str) -> None:
    from core.accounts.service import system_actor
    from core.foundation.database import connection
    from core.queues import paper_forms

    clinic = console.open_clinic()
    with connection():
        form = paper_forms.end(
            clinic, system_actor(AUDIT_NAME), number, outcome, console.words(reason, "reason")
        )
    console.print_ok(form.number)
