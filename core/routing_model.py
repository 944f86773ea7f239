"""Learning from corrections: which model routing uses now, and how a new one comes into use."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from core import audit
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.models import Patient, QueueEntry, RoutingExample, Visit
from core.routing.facts import Facts
from core.routing.learning import Example, Figures, Model, evaluate, train
from core.vocabulary import Permission, VisitStatus

log = logging.getLogger(__name__)

FILE = "routing-model.json"
"""In the data folder: readable, and removed to switch learning off."""

MOST_ACCEPTED = 3000
"""Visits without a correction that are learnt from: some weeks of a clinic."""


def current_model(clinic: Clinic) -> Model | None:
    """The model in use, or None: none was trained, or none helped."""
    return model_in(clinic.settings.home)


def model_in(home: Path) -> Model | None:
    """The model in use in a data folder; one of another version of Loket is left alone."""
    file = home / FILE
    try:
        return _loaded(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _loaded(file: Path, changed_ns: int) -> Model | None:
    try:
        return Model.load(file)
    except ValueError:
        log.warning("%s is no routing model of this version: the rules work alone", FILE)
        return None


def learn(clinic: Clinic, actor: Actor) -> Figures:
    """Train on all corrections so far beside visits that needed none.

    The new model is taken into use only when, on examples it has not seen, it helps more than luck
    explains and hardly ever harms; otherwise the rules work alone from now on.

    Returns:
        Figures on held-out examples, the rules alone beside rules with the model.
    """
    actor.require(Permission.ADMINISTER)
    with connection():
        examples = [*_corrections(clinic), *_accepted(clinic)]
    figures = evaluate(None, examples, clinic.clusters, clinic.vocabulary)
    file = clinic.settings.home / FILE
    if figures.passed:
        train(examples, clinic.clusters, clinic.vocabulary).save(file)
    else:
        file.unlink(missing_ok=True)
    audit.record(actor, "routing_model_trained", "routing", FILE, in_use=figures.passed)
    return figures


def _corrections(clinic: Clinic) -> list[Example]:
    """One example a visit: an override that was moved on after all is labelled by the move."""
    newest = {row.visit_id: row for row in RoutingExample.select().order_by(RoutingExample.at)}
    return [
        Example(Facts(row.complaint, age_days=row.age_days, sex=row.sex, pregnant=row.pregnant), row.chosen)
        for row in newest.values()
        if row.chosen in clinic.clusters
    ]


def _accepted(clinic: Clinic) -> list[Example]:
    """The newest visits that stayed where they were sent: what a model must not spoil."""
    entries = (
        QueueEntry.select(QueueEntry, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(
            QueueEntry.came_from.is_null(),
            QueueEntry.voided_at.is_null(),
            Visit.voided_at.is_null(),
            Visit.status != VisitStatus.CANCELLED,
            Visit.id.not_in(RoutingExample.select(RoutingExample.visit)),
        )
        .order_by(Visit.started_at.desc())
        .limit(MOST_ACCEPTED)
    )
    return [
        Example(
            Facts(
                entry.visit.chief_complaint,
                age_days=(entry.service_on - entry.visit.patient.birth_date).days,
                sex=entry.visit.patient.sex,
                pregnant=entry.visit.pregnant,
            ),
            entry.cluster,
        )
        for entry in entries
        if entry.cluster in clinic.clusters
    ]


def switch_off(clinic: Clinic, actor: Actor) -> None:
    """Use the rules alone from now on."""
    actor.require(Permission.ADMINISTER)
    (clinic.settings.home / FILE).unlink(missing_ok=True)
    audit.record(actor, "routing_model_removed", "routing", FILE)
