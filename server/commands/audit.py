"""`loket audit`: the log of who read and changed what."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands import console
from server.commands.console import JsonOption
from server.text.translation import _

if TYPE_CHECKING:
    from core.foundation.audit_check import AuditReport

app = typer.Typer(no_args_is_help=True, help="The log of who read and changed what.")


@app.command("verify")
def audit_verify(as_json: JsonOption = False) -> None:
    """Look at every row of the log, and at whether the records are as their last change left them."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from core.counters import chains
    from core.foundation import audit_check
    from server.text import audit_sentences, counter_sentences

    clinic = console.open_clinic()
    with Progress("audit", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar:
        task = bar.add_task("audit", total=None)
        report = audit_check.verify(lambda done, total: bar.update(task, completed=done, total=total))
    broken = list(chains.breaks())
    said = [
        *audit_sentences.verified(report, clinic.zone),
        *(counter_sentences.broken_chain(words) for words in broken),
    ]
    console.print_lines(said, {**_document(report), "counters": broken}, as_json)
    if report.problems or broken:
        raise typer.Exit(1)


@app.command("vouch")
def audit_vouch(
    because: Annotated[str, typer.Option(help="What happened, and who looked into it.")],
    as_json: JsonOption = False,
) -> None:
    """Ask the head of the clinic to vouch for the breaks that are there now.

    Once approved, `loket audit verify` names them with the words, and tells any further break from them.
    """
    from core.accounts.service import system_actor
    from core.foundation import audit_check, audit_vouches
    from server.text import audit_sentences

    console.open_clinic()
    actor = system_actor(console.AUDIT_NAME)
    report = audit_check.examine(actor)
    told = list(audit_sentences.lasting(report))
    asked = audit_vouches.ask(actor, report.problems, " ".join(because.split()), told)
    lines = [*told, _("The head of the clinic is asked: it waits on the list of the day, on the screen.")]
    lines += audit_sentences.not_lasting(report)
    document = {"id": asked.id, "asked": told, "breaks": asked.detail["breaks"]}
    console.print_lines(lines, document, as_json)


def _document(report: AuditReport) -> dict[str, Any]:
    """Return a report for scripts: `whole` is true of a log in which nothing ever broke."""
    return {
        "rows": report.rows,
        "reads": report.reads,
        "records": report.records,
        "records_older": report.records_older,
        "problems": [dataclasses.asdict(problem) for problem in report.problems],
        "vouched": [
            {**dataclasses.asdict(problem), **dataclasses.asdict(vouch)} for problem, vouch in report.vouched
        ],
        "notes": [dataclasses.asdict(note) for note in report.notes],
        "whole": not report.problems and not report.vouched,
    }
