"""`loket office`: the City Health Office's end, and the clinics that may send to it."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands import console
from server.commands.console import JsonOption


def office(
    add_clinic: Annotated[
        str, typer.Option(help="Facility code: makes its token (a new one if it has one) and prints it once.")
    ] = "",
    name: Annotated[str, typer.Option(help="The clinic's name, with --add-clinic.")] = "",
    days: Annotated[
        int, typer.Option(help="Life of the token in days, with --add-clinic.", min=1, max=3650)
    ] = 365,
    bar_clinic: Annotated[str, typer.Option(help="Facility code: its token ends; what it sent stays.")] = "",
    accept_audit: Annotated[
        str,
        typer.Option(
            help="Facility code: take the clinic's audit log as it is now, after a restore it explained."
        ),
    ] = "",
    clinics: Annotated[bool, typer.Option("--clinics", help="List the clinics.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the City Health Office's end, or see to who may send to it."""
    from server import tls_groups
    from server.office import app as office_app

    settings = console.load_settings()
    if add_clinic:
        print(office_app.add_clinic(settings, add_clinic, name or add_clinic, days))
    elif bar_clinic:
        office_app.bar_clinic(settings, bar_clinic)
        console.print_ok(bar_clinic)
    elif accept_audit:
        office_app.accept_audit(settings, accept_audit)
        console.print_ok(accept_audit)
    elif clinics:
        console.print_rows(office_app.list_clinics(settings), as_json)
    else:
        tls_groups.bound(encrypted=bool(settings.tls_certificate) and not settings.office_http.is_loopback)
        office_app.serve_office(settings)
