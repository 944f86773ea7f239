"""Try other words and rules on the complaints of the last month: which of them would go elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from core.complaints.facts import RoutingDecision, RoutingFacts
from core.complaints.vocabulary import Vocabulary
from core.foundation import audit
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission, Priority
from core.foundation.database import connection
from core.foundation.permissions import Actor
from core.models import Patient, Visit
from core.routing import route
from core.visits.routing_model import current_model

PERIOD = timedelta(days=31)
"""How far back the complaints are tried: a month."""


@dataclass(frozen=True)
class Answered:
    """One answer to a complaint, as far as a change of it matters."""

    cluster: str | None
    """The proposal; None: unsure or blocked."""
    priority: Priority | None

    @staticmethod
    def of(decision: RoutingDecision) -> Answered:
        """Return what a decision comes to."""
        return Answered(decision.proposal, decision.proposed_priority)


@dataclass(frozen=True)
class RoutingChange:
    """A complaint that would be answered otherwise."""

    complaint: str
    before: Answered
    after: Answered


@dataclass(frozen=True)
class TrialFigures:
    """The outcome of a trial."""

    visits: int
    changes: Counter[RoutingChange]
    """RoutingChange -> visits; the dangers that would be lost first, then the commonest."""

    @property
    def dangers_lost(self) -> int:
        """Visits that would no longer be red."""
        return sum(number for change, number in self.changes.items() if _loses_danger(change))


def trial(clinic: Clinic, actor: Actor, tried: Vocabulary) -> TrialFigures:
    """Decide the complaints of the last month twice, and return those that differ.

    Args:
        clinic: As it is.
        actor: Who tries; kept in the audit log, since complaints are shown.
        tried: The other words and rules.

    Raises:
        NotAllowedError: The actor may not administer the clinic.
    """
    actor.require(Permission.ADMINISTER)
    changes: Counter[RoutingChange] = Counter()
    visits = 0
    with connection():
        for facts in _complaints(clinic):
            visits += 1
            before, after = (_answer(clinic, words, facts) for words in (clinic.vocabulary, tried))
            if before != after:
                changes[RoutingChange(facts.chief_complaint, before, after)] += 1
        audit.record(actor, "routing_tried", "routing", "complaints", visits=visits, changed=changes.total())
    in_order = sorted(changes.items(), key=lambda entry: (not _loses_danger(entry[0]), -entry[1]))
    return TrialFigures(visits, Counter(dict(in_order)))


def _loses_danger(change: RoutingChange) -> bool:
    return change.before.priority is Priority.RED and change.after.priority is not Priority.RED


def _answer(clinic: Clinic, words: Vocabulary, facts: RoutingFacts) -> Answered:
    return Answered.of(route(facts, None, clinic.clusters, words, current_model(clinic)))


def _complaints(clinic: Clinic) -> Iterator[RoutingFacts]:
    """Yield the complaints of the last month with what was known of the patients."""
    rows = (
        Visit.select(Visit, Patient)
        .join(Patient)
        .where(Visit.service_on >= clinic.today() - PERIOD, Visit.voided_at.is_null())
        .order_by(Visit.started_at)
    )
    for visit in rows:
        yield RoutingFacts(
            visit.chief_complaint,
            sex=visit.patient.sex,
            pregnant=visit.pregnant,
            birth_date=visit.patient.birth_date,
            visit_date=visit.service_on,
        )
