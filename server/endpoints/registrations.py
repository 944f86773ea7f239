"""The check before the save, and the save."""

from __future__ import annotations

from fastapi import APIRouter, Response

from core import matching, queue_undo, registration
from core.database import connection
from core.schemas.queues import EntryShape
from core.schemas.registration import (
    CheckQuery,
    CheckShape,
    Receipt,
    RegistrationRequest,
    RoutingQuery,
    RoutingShape,
)
from core.vocabulary import Permission
from server.security import ActorNow, ClinicNow, LanguageNow

router = APIRouter(tags=["registration"])


@router.post("/routing")
def routing(body: RoutingQuery, actor: ActorNow, clinic: ClinicNow, language: LanguageNow) -> RoutingShape:
    """What the rules say of a complaint and a chosen cluster."""
    actor.require(Permission.READ_QUEUES)
    with connection():
        return registration.check_routing(clinic, body, language)


@router.post("/registrations/check")
def check(body: CheckQuery, actor: ActorNow, clinic: ClinicNow, language: LanguageNow) -> CheckShape:
    """Who may be the same person and which cluster the rules propose, in one answer: a request costs a line."""
    actor.require(Permission.READ_PATIENTS)
    if body.visit:
        actor.require(Permission.READ_QUEUES)
    with connection():
        return CheckShape(
            duplicates=matching.duplicates(clinic, body.person) if body.person else None,
            routing=registration.check_routing(clinic, body.visit, language) if body.visit else None,
        )


@router.post("/registrations", status_code=201, responses={200: {"model": Receipt}})
def register(body: RegistrationRequest, actor: ActorNow, clinic: ClinicNow, response: Response) -> Receipt:
    """Save a registration once: 201 the first time, 200 with the same receipt when sent again."""
    receipt, made = registration.register(clinic, actor, body)
    response.status_code = 201 if made else 200
    return receipt


@router.get("/registrations/{registration_id}")
def receipt(registration_id: str, actor: ActorNow) -> Receipt:
    """The receipt of an earlier save."""
    return registration.receipt(actor, registration_id)


@router.post("/registrations/{registration_id}/undo")
def undo(registration_id: str, actor: ActorNow, clinic: ClinicNow) -> EntryShape:
    """Take a registration back while the patient still stands at the counter."""
    saved = registration.receipt(actor, registration_id)
    return queue_undo.undo_registration(clinic, actor, saved.visit_id)
