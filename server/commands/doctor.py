"""`loket doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands import console
from server.commands.console import JsonOption


def doctor(
    as_json: JsonOption = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend first what Loket can mend itself; nothing is lost by that.")
    ] = False,
) -> None:
    """Check the installation and say in plain words what is wrong and what to do."""
    from server.doctor import examine, lines, mended

    settings = console.load_settings()
    findings = examine(settings)
    if repair and any(finding.repair for finding in findings):
        done = mended(console.open_clinic(), findings, console.AUDIT_NAME)
        findings = [*done, *examine(settings)]
    console.print_lines(lines(findings), [finding.document() for finding in findings], as_json)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
