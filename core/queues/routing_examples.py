"""Corrections of a routing decision, kept as examples to learn from."""

from __future__ import annotations

from datetime import datetime

from core.foundation.ages import age_in_days
from core.foundation.identifiers import new_id
from core.foundation.statements import create
from core.models import RoutingExample, Visit

OVERRIDE_SOURCE = "override"
"""`RoutingExample.source` of a cluster that the counter chose against the rules."""
TRANSFER_SOURCE = "transfer"
"""`RoutingExample.source` of a move out of the first cluster: the patient belonged where the move went."""


def add(visit: Visit, chosen: str, source: str, at: datetime) -> None:
    """Keep the cluster that a visit belonged to, in the caller's transaction.

    Args:
        visit: With its patient, its complaint and the cluster that was proposed.
        chosen: Code of the right cluster.
        source: `OVERRIDE_SOURCE` or `TRANSFER_SOURCE`.
        at: Instant of the correction.
    """
    patient = visit.patient
    create(
        RoutingExample,
        id=new_id(),
        complaint=visit.chief_complaint,
        age_days=age_in_days(patient.birth_date, visit.service_on),
        sex=patient.sex,
        pregnant=visit.pregnant,
        proposed=visit.suggested_cluster,
        chosen=chosen,
        source=source,
        visit=visit,
        at=at,
    )


def forget_transfer(visit_id: str) -> None:
    """Delete the example that a move of this visit made."""
    RoutingExample.delete().where(
        RoutingExample.visit == visit_id, RoutingExample.source == TRANSFER_SOURCE
    ).execute()
