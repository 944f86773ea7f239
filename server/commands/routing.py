"""`loket routing`: the words, rules and model that propose a cluster for a complaint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.foundation.ages import DAYS_PER_YEAR
from core.foundation.codes import Sex
from core.foundation.setting_variables import language_wanted
from server.commands import console
from server.commands.console import AUDIT_NAME, JsonOption
from server.text import translation

app = typer.Typer(no_args_is_help=True, help="The words and rules that propose a cluster.")


@app.command("check")
def routing_check(
    file: Annotated[Path | None, typer.Argument(help="The clinic's own file; else what Loket ships.")] = None,
) -> None:
    """Check a vocabulary file before it is taken into use."""
    from core.complaints.danger_examples import example_faults
    from core.complaints.rules.validation import check_vocabulary
    from core.complaints.vocabulary import Vocabulary
    from core.queues.clusters import load_clusters
    from server.text import routing_sentences

    # A file can be checked on any machine: no data folder is opened.
    translation.speak(language_wanted())
    problems = [routing_sentences.problem(found) for found in check_vocabulary(file)]
    if not problems:
        problems = [
            routing_sentences.fault(found)
            for found in example_faults(Vocabulary.load(file), load_clusters("poli"))
        ]
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    if file is None:
        print("ok")
        return
    print(routing_sentences.file_accepted(file))


@app.command("explain")
def routing_explain(
    complaint: str,
    age: Annotated[float | None, typer.Option(help="Years; 0.25 for three months.", min=0, max=130)] = None,
    sex: Annotated[Sex | None, typer.Option()] = None,
    pregnant: bool = False,
    words: Annotated[
        Path | None,
        typer.Option("--with", help="A clinic's own file of words and rules, instead of the one in use."),
    ] = None,
) -> None:
    """Say which cluster is proposed for a complaint, and why, word by word."""
    from core.complaints.explanation import explain
    from core.complaints.facts import RoutingFacts
    from core.complaints.vocabulary import Vocabulary
    from core.queues.clusters import load_clusters
    from core.visits.routing_model import model_in
    from server.text import routing_sentences

    settings = console.load_settings()
    own = words or (Path(settings.vocabulary) if settings.vocabulary else None)
    vocabulary = Vocabulary.load(own)
    age_days = None if age is None else round(age * DAYS_PER_YEAR)
    facts = RoutingFacts(complaint, age_days=age_days, sex=sex, pregnant=pregnant)
    clusters, model = load_clusters(settings.clusters), model_in(settings.home)
    explained = explain(facts, None, clusters, vocabulary, model)
    for line in routing_sentences.explanation(explained, settings.language):
        print(line)


@app.command("try")
def routing_try(
    file: Annotated[Path, typer.Argument(help="A clinic's own file of words and rules.")],
) -> None:
    """Say which complaints of the last month would go elsewhere with another file of words and rules."""
    from core.accounts import service as accounts
    from core.complaints.vocabulary import Vocabulary
    from core.foundation.database import connection
    from core.visits.routing_trial import trial
    from server.text import routing_sentences

    clinic = console.open_clinic()
    tried = Vocabulary.load(file)
    with connection():
        actor = accounts.system_actor(AUDIT_NAME)
    for line in routing_sentences.tried(trial(clinic, actor, tried)):
        print(line)


@app.command("dangers")
def routing_dangers(as_json: JsonOption = False) -> None:
    """List the danger signs with who has signed them; the head of the clinic signs at the counter: F6, S."""
    from core.accounts import service as accounts
    from core.foundation.database import connection
    from core.visits import danger_signatures
    from server.text import routing_sentences

    clinic = console.open_clinic()
    with connection():
        actor = accounts.system_actor(AUDIT_NAME)
    signs = danger_signatures.listed(clinic, actor)
    document = [sign.model_dump(mode="json") for sign in signs]
    console.print_lines(routing_sentences.dangers(signs, clinic.zone), document, as_json)


@app.command("learn")
def routing_learn(
    off: Annotated[bool, typer.Option("--off", help="Use the rules alone from now on.")] = False,
) -> None:
    """Train on the corrections made so far; used only when it helps more than it harms."""
    from core.accounts import service as accounts
    from core.foundation.database import connection
    from core.visits import routing_model
    from server.text import routing_sentences

    clinic = console.open_clinic()
    with connection():
        actor = accounts.system_actor(AUDIT_NAME)
        if off:
            routing_model.switch_off(clinic, actor)
            print(routing_sentences.switched_off())
            return
        figures = routing_model.learn(clinic, actor)
    print(routing_sentences.learned(figures))
