"""`loket audit`: the log of who read and changed what."""

from __future__ import annotations

import dataclasses

import typer

from server.commands import console
from server.commands.console import JsonOption

app = typer.Typer(no_args_is_help=True, help="The log of who read and changed what.")


@app.command("verify")
def audit_verify(as_json: JsonOption = False) -> None:
    """Look at every row of the log, and at whether the records are as their last change left them."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from core.foundation import audit_check
    from server.text import audit_sentences

    console.open_clinic()
    with Progress("audit", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar:
        task = bar.add_task("audit", total=None)
        report = audit_check.verify(lambda done, total: bar.update(task, completed=done, total=total))
    document = {**dataclasses.asdict(report), "whole": not report.problems}
    console.print_lines(audit_sentences.verified(report), document, as_json)
    if report.problems:
        raise typer.Exit(1)
