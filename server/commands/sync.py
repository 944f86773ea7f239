"""`loket sync`: sending to the City Health Office or SATUSEHAT, by hand."""

from __future__ import annotations

import typer

from server.commands import console
from server.commands.console import JsonOption

app = typer.Typer(no_args_is_help=True, help="Synchronisation with the City Health Office.")


@app.command("now")
def sync_now(as_json: JsonOption = False) -> None:
    """Send what the office has yet to get."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from core.exchange import service as synchronisation
    from server.text import sync_sentences

    clinic = console.open_clinic()
    with Progress("sync", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar:
        task = bar.add_task("sync", total=None)
        outcome = synchronisation.run(
            clinic, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print_lines(sync_sentences.sync_done(outcome.document()), outcome.document(), as_json)
    if outcome.error:
        raise typer.Exit(1)


@app.command("status")
def sync_status(as_json: JsonOption = False) -> None:
    """Show how far the day's closing is; what is pending, sent and set aside, and why."""
    from core.daily import closing
    from core.exchange import outbox
    from core.foundation.database import connection
    from server.text import sync_sentences
    from server.text.problem_words import closing_in_words, sync_in_words

    clinic = console.open_clinic()
    with connection():
        status, day = sync_in_words(outbox.status(clinic)), closing_in_words(closing.status(clinic))
    document = status.model_dump(mode="json") | {"closing": day.model_dump(mode="json")}
    console.print_lines(sync_sentences.sync_status(status, day, clinic.zone), document, as_json)


@app.command("check")
def sync_check(as_json: JsonOption = False) -> None:
    """Walk SATUSEHAT's sandbox once with a made-up visit; write down which facts of its guide hold there."""
    import json

    from core.exchange import service as synchronisation
    from core.foundation import clock
    from server.text import problem_words, sync_sentences

    clinic = console.open_clinic()
    found, problem = synchronisation.check_sandbox(clinic)
    documents = [fact.document() for fact in found]
    document = {
        "at": clock.now().isoformat(),
        "server": clinic.settings.satusehat_url,
        "facts": documents,
        "error": str(problem) if problem else None,
    }
    lines = [*sync_sentences.facts(documents), *problem_words.lines(problem)]
    if found:
        file = clinic.settings.home / sync_sentences.FACTS_FILE
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        lines.append(sync_sentences.facts_written(str(file)))
    console.print_lines(lines, document, as_json)
    if problem is not None or any(fact.outcome != "confirmed" for fact in found):
        raise typer.Exit(1)


@app.command("places")
def sync_places(as_json: JsonOption = False) -> None:
    """Make the clinic's units and rooms at SATUSEHAT; whatever is there already is kept."""
    from core.exchange import service as synchronisation
    from server.text import problem_words, sync_sentences

    made, problem = synchronisation.make_places(console.open_clinic())
    documents = [place.document() for place in made]
    lines = [*sync_sentences.places(documents), *problem_words.lines(problem)]
    document = {"places": documents, "error": str(problem) if problem else None}
    console.print_lines(lines, document, as_json)
    if problem is not None:
        raise typer.Exit(1)
