"""The model learned from corrections: the one in use, and how a new one comes into use."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from core.complaints.facts import RoutingFacts
from core.complaints.learned.corrections import EvaluationFigures, Example, NaiveBayes, evaluate, train
from core.foundation import ages, audit
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission, VisitStatus
from core.foundation.database import connection
from core.foundation.permissions import Actor
from core.models import Patient, QueueEntry, RoutingExample, Visit

log = logging.getLogger(__name__)

FILE = "routing-model.json"
"""Name of the file in the data folder. It is readable, and removed to switch learning off."""

MOST_ACCEPTED = 3000
"""Visits without a correction to learn from, at most: some weeks of a clinic."""


def current_model(clinic: Clinic) -> NaiveBayes | None:
    """Return the model in use, or None where none was trained or none helped."""
    return model_in(clinic.settings.home)


def model_in(home: Path) -> NaiveBayes | None:
    """Return the model in use in a data folder; one of another version of Loket is ignored."""
    file = home / FILE
    try:
        return _loaded(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _loaded(file: Path, changed_ns: int) -> NaiveBayes | None:
    try:
        return NaiveBayes.load(file)
    except ValueError:
        log.warning("%s is no routing model of this version: the rules work alone", FILE)
        return None


def learn(clinic: Clinic, actor: Actor) -> EvaluationFigures:
    """Train on all corrections so far and on visits that needed none.

    The new model is taken into use only when, on examples it has not seen, it helps more than luck
    explains and hardly ever harms; otherwise the rules work alone from now on.

    Returns:
        Figures on held-out examples, for the rules alone and for rules with the model.

    Raises:
        NotAllowedError: The actor may not administer the clinic.
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
    """Return one example for each corrected visit, labelled by its newest correction."""
    newest = {row.visit_id: row for row in RoutingExample.select().order_by(RoutingExample.at)}
    return [
        Example(
            RoutingFacts(row.complaint, age_days=row.age_days, sex=row.sex, pregnant=row.pregnant), row.chosen
        )
        for row in newest.values()
        if row.chosen in clinic.clusters
    ]


def _accepted(clinic: Clinic) -> list[Example]:
    """Return the newest visits that stayed where they were sent, which a model must not change."""
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
            RoutingFacts(
                entry.visit.chief_complaint,
                age_days=ages.age_in_days(entry.visit.patient.birth_date, entry.service_on),
                sex=entry.visit.patient.sex,
                pregnant=entry.visit.pregnant,
            ),
            entry.cluster,
        )
        for entry in entries
        if entry.cluster in clinic.clusters
    ]


def switch_off(clinic: Clinic, actor: Actor) -> None:
    """Use the rules alone from now on.

    Raises:
        NotAllowedError: The actor may not administer the clinic.
    """
    actor.require(Permission.ADMINISTER)
    (clinic.settings.home / FILE).unlink(missing_ok=True)
    audit.record(actor, "routing_model_removed", "routing", FILE)
