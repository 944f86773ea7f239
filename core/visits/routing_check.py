"""The routing decision on a complaint, and its check against the cluster that was chosen."""

from __future__ import annotations

from collections.abc import Iterable

from core.complaints.facts import Reason, RedFlag, RoutingDecision, RoutingFacts, reason_text
from core.foundation.clinic import Clinic
from core.foundation.errors import ValidationError
from core.foundation.languages import DEFAULT_LANGUAGE
from core.routing import route
from core.schemas.registration import ReasonOut, RoutingOut, RoutingQuery, SuggestionOut
from core.visits.routing_model import current_model


def check_routing(clinic: Clinic, query: RoutingQuery, language: str = DEFAULT_LANGUAGE) -> RoutingOut:
    """Return the decision on a complaint and, if one is chosen, on its cluster.

    Args:
        clinic: For its clusters, words and model.
        query: Complaint, patient and chosen cluster.
        language: Language of the reasons.

    Raises:
        ValidationError: `cluster` is not one of the clinic's.
    """
    if query.cluster is not None and query.cluster not in clinic.clusters:
        raise ValidationError({"cluster": "unknown"})
    return routing_out(clinic, decide(clinic, query), language)


def decide(clinic: Clinic, query: RoutingQuery) -> RoutingDecision:
    """Return the decision of rules and model, as of today."""
    facts = RoutingFacts(
        chief_complaint=query.chief_complaint,
        sex=query.sex,
        pregnant=query.pregnant,
        birth_date=query.birth_date,
        visit_date=clinic.today(),
        doubt_answer=query.doubt_answer,
    )
    return route(facts, query.cluster, clinic.clusters, clinic.vocabulary, current_model(clinic))


def routing_out(clinic: Clinic, decision: RoutingDecision, language: str) -> RoutingOut:
    """Return a decision as sent to terminals.

    Args:
        clinic: For the names of its clusters.
        decision: From `decide`.
        language: Language of the reasons.
    """

    def reasons_out(grounds: Iterable[Reason]) -> list[ReasonOut]:
        return [
            ReasonOut(
                rule=ground.rule_id, word=ground.word, text=reason_text(ground, language, clinic.clusters)
            )
            for ground in grounds
        ]

    def flags_out(flags: Iterable[RedFlag]) -> list[ReasonOut]:
        return [ReasonOut(rule=flag.code, word=flag.word, text=flag.word) for flag in flags]

    return RoutingOut(
        verdict=decision.verdict,
        suggestions=[
            SuggestionOut(cluster=item.cluster, score=item.score, reasons=reasons_out(item.reasons))
            for item in decision.suggestions
        ],
        reasons=reasons_out(decision.reasons),
        red_flags=flags_out(decision.red_flags),
        priority=decision.proposed_priority,
        question=decision.question,
        blocked_field=decision.blocked_field,
        blocked_code=decision.blocked_code,
        doubt=next(iter(flags_out([decision.doubt] if decision.doubt is not None else [])), None),
        cleared=flags_out(decision.cleared),
        says_pregnant=decision.says_pregnant,
    )
