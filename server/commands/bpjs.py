"""`loket bpjs`: visits of insured people in P-Care, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands import console
from server.commands.console import JsonOption

app = typer.Typer(no_args_is_help=True, help="Visits of insured people in BPJS's P-Care.")


@app.command("check")
def bpjs_check(
    write: Annotated[bool, typer.Option("--write", help="Write what was found into .env.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try BPJS with the clinic's keys: what is confirmed, what is different."""
    from core.exchange.bpjs import service_check
    from server.text import bpjs_sentences

    clinic = console.open_clinic()
    findings = service_check.check(clinic)
    documents = [finding.document() for finding in findings]
    lines = list(bpjs_sentences.check(documents))
    settings = {finding.setting: finding.value for finding in findings if finding.setting}
    lines += [f"{name}={value}" for name, value in settings.items()]
    if write and settings:
        _write(Path(".env"), settings)
    console.print_lines(lines, {"findings": documents}, as_json)
    if any(finding.outcome == "failed" for finding in findings):
        raise typer.Exit(1)


def _write(file: Path, settings: dict[str, str]) -> None:
    """Put settings into `.env`, in place of what stands there."""
    kept = file.read_text("utf-8").splitlines() if file.exists() else []
    kept = [line for line in kept if line.partition("=")[0].strip() not in settings]
    file.write_text(
        "\n".join([*kept, *(f"{name}={value}" for name, value in settings.items())]) + "\n", "utf-8"
    )
    file.chmod(0o600)


@app.command("send")
def bpjs_send(as_json: JsonOption = False) -> None:
    """Bring BPJS up to date now."""
    from core.exchange.bpjs import pcare_run
    from server.text import bpjs_sentences, problem_words

    outcome = pcare_run.run(console.open_clinic())
    document = {
        "settled": outcome.settled,
        "set_aside": outcome.set_aside,
        "waiting": outcome.waiting,
        "error": str(outcome.error) if outcome.error else None,
    }
    lines = [*bpjs_sentences.run_done(document), *problem_words.lines(outcome.error)]
    console.print_lines(lines, document, as_json)
    if outcome.error:
        raise typer.Exit(1)


@app.command("compare")
def bpjs_compare(as_json: JsonOption = False) -> None:
    """Compare today, and each day that changed, with what BPJS holds."""
    from core.exchange.bpjs import day_comparison
    from server.text import bpjs_sentences, problem_words

    made, problem = day_comparison.compare_days(console.open_clinic())
    documents = [day.document() for day in made]
    lines = [*bpjs_sentences.comparison(documents), *problem_words.lines(problem)]
    console.print_lines(lines, {"days": documents, "error": str(problem) if problem else None}, as_json)
    if problem is not None or not all(day.agrees for day in made):
        raise typer.Exit(1)


@app.command("map")
def bpjs_map(
    kind: Annotated[str, typer.Argument(help="poli, doctor, medicine or procedure")],
    ours: Annotated[str, typer.Argument(help="Cluster, username, medicine, or code here.")],
    theirs: Annotated[str, typer.Argument(help="BPJS's code; empty takes it back, - says it has none.")],
) -> None:
    """Say which code BPJS has for a cluster, a doctor, a medicine or a procedure."""
    from core.accounts.service import system_actor
    from core.exchange.bpjs import code_mapping
    from core.foundation.database import connection

    clinic = console.open_clinic()
    with connection():
        code_mapping.map_code(clinic, system_actor(console.AUDIT_NAME), kind, ours, theirs)
