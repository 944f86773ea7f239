"""Learning from corrections: which model routing uses now, and how a new one comes into use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from core import audit
from core.accounts import Actor
from core.clinic import Clinic
from core.database import connection
from core.models import RoutingExample
from core.routing.facts import Facts
from core.routing.learning import Example, Figures, Model, evaluate, train
from core.vocabulary import Permission

FILE = "routing-model.json"
"""In the data folder: readable, and removed to switch learning off."""


def current_model(clinic: Clinic) -> Model | None:
    """The model in use, or None: none was trained, or none helped."""
    file = clinic.settings.home / FILE
    try:
        return _loaded(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _loaded(file: Path, changed_ns: int) -> Model:
    return Model.load(file)


def learn(clinic: Clinic, actor: Actor) -> Figures:
    """Train on all corrections so far; taken into use only when it helps more than it harms.

    Returns:
        Figures on held-out examples, the rules alone beside rules with the model.
    """
    actor.require(Permission.ADMINISTER)
    with connection():
        examples = [
            Example(
                Facts(row.complaint, age_days=row.age_days, sex=row.sex, pregnant=row.pregnant), row.chosen
            )
            for row in RoutingExample.select().order_by(RoutingExample.at)
            if row.chosen in clinic.clusters
        ]
    figures = evaluate(None, examples, clinic.clusters, clinic.vocabulary)
    if figures.passed:
        train(examples, clinic.vocabulary).save(clinic.settings.home / FILE)
    audit.record(actor, "routing_model_trained", "routing", FILE, in_use=figures.passed)
    return figures


def switch_off(clinic: Clinic, actor: Actor) -> None:
    """Use the rules alone from now on."""
    actor.require(Permission.ADMINISTER)
    (clinic.settings.home / FILE).unlink(missing_ok=True)
    audit.record(actor, "routing_model_removed", "routing", FILE)
