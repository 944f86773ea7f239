"""Moving a patient from the counter: the confirmation of the registration holds here too.

A room moves a patient by what was found; the counter has only the complaint, and the rules have read that.
"""

from __future__ import annotations

from typing import Any

from core.complaints.facts import RoutingDecision
from core.foundation.clinic import Clinic
from core.foundation.codes import DoubtAnswer, EntryAction, Permission, Sex, Verdict
from core.foundation.database import connection
from core.foundation.errors import RuleError
from core.foundation.permissions import Actor
from core.models import QueueEntry
from core.queues import service as queueing
from core.queues.entries import load_entry
from core.routing import SUSPECTED, danger_code
from core.schemas.queues import EntryCommand, EntryOut
from core.schemas.registration import RoutingQuery
from core.visits import routing_check

AGAINST_COMPLAINT = "against_complaint"
"""Warning of an answer: the complaint points to another cluster than the one moved to."""
AGAINST_THE_RULES = frozenset({Verdict.MISMATCH, Verdict.BLOCKED})


def transfer(clinic: Clinic, actor: Actor, entry_id: str, command: EntryCommand) -> EntryOut:
    """Move a patient to another cluster.

    Where the counter moves somebody with a danger sign elsewhere than the rules say, a reason is needed. Any other
    move against the complaint is done and told by a warning, so that it can be taken back at once.

    Args:
        clinic: The clinic.
        actor: Actor of the move.
        entry_id: The entry that ends.
        command: The target, and the reason where one is needed.

    Raises:
        RuleError: `override_reason_required`, with the routing decision.
        ValidationError, ConflictError, NotAllowedError, NotFoundError: Those of `core.queues.service.act`.
    """
    with connection():
        entry = load_entry(entry_id)
        is_judged = _is_counters(actor, entry) and command.cluster in clinic.clusters and not command.reason
        decision = _decision(clinic, entry, str(command.cluster)) if is_judged else None
    is_against = decision is not None and decision.verdict in AGAINST_THE_RULES
    if decision is not None and is_against and decision.red_flags:
        routing = routing_check.routing_out(clinic, decision, clinic.settings.language)
        raise RuleError("override_reason_required", routing=routing.model_dump(mode="json"))
    moved = queueing.act(clinic, actor, entry_id, EntryAction.TRANSFER, command)
    return moved.model_copy(update={"warnings": [AGAINST_COMPLAINT]}) if is_against else moved


def _is_counters(actor: Actor, entry: QueueEntry) -> bool:
    """Return whether the actor moves this patient as the counter does, knowing only the complaint."""
    return actor.can(Permission.REGISTER) and not actor.works_in(entry.cluster)


def _decision(clinic: Clinic, entry: QueueEntry, cluster: str) -> RoutingDecision:
    visit, patient = entry.visit, entry.visit.patient
    query = RoutingQuery(
        chief_complaint=visit.chief_complaint,
        birth_date=patient.birth_date,
        sex=Sex(patient.sex),
        pregnant=visit.pregnant,
        cluster=cluster,
        # The question was answered at the registration, and is not asked again.
        doubt_answer=_answered(visit.routing or {}),
    )
    return routing_check.decide(clinic, query)


def _answered(routing: dict[str, Any]) -> DoubtAnswer | None:
    """Return how the question about a danger sign was answered, by what the registration kept."""
    if routing.get("cleared"):
        return DoubtAnswer.NO
    is_raised = any(code == danger_code(SUSPECTED) for code, _word in routing.get("red_flags", ()))
    return DoubtAnswer.YES if is_raised else None
