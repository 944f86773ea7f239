"""Registrations, and the checks before them."""

from __future__ import annotations

from fastapi import Response

from core.counters import pending
from core.foundation.codes import MachineRole, Permission
from core.foundation.database import connection, transaction
from core.patients import duplicate_check, nik_holders
from core.queues import undo as queue_undo
from core.schemas.queues import EntryOut
from core.schemas.registration import (
    CheckOut,
    CheckQuery,
    Receipt,
    RegistrationRequest,
    RoutingOut,
    RoutingQuery,
)
from core.visits import registration, routing_check
from server.resources import resource
from server.security import ActorNow, ClinicNow, LanguageNow

router = resource("registration")


@router.post("/routing")
def routing(body: RoutingQuery, actor: ActorNow, clinic: ClinicNow, language: LanguageNow) -> RoutingOut:
    """Return the rules' answer to a complaint and a chosen cluster."""
    actor.require(Permission.READ_QUEUES)
    with connection():
        return routing_check.check_routing(clinic, body, language)


@router.post("/registrations/check")
def check(body: CheckQuery, actor: ActorNow, clinic: ClinicNow, language: LanguageNow) -> CheckOut:
    """Return the possible duplicates and the proposed cluster in one answer, which saves a request."""
    actor.require(Permission.READ_PATIENTS)
    if body.visit:
        actor.require(Permission.READ_QUEUES)
    with connection():
        return CheckOut(
            duplicates=duplicate_check.duplicates(clinic, body.person) if body.person else None,
            nik=nik_holders.doubt_of(clinic, body.person) if body.person else None,
            routing=routing_check.check_routing(clinic, body.visit, language) if body.visit else None,
        )


@router.post("/registrations", status_code=201, responses={200: {"model": Receipt}})
def register(body: RegistrationRequest, actor: ActorNow, clinic: ClinicNow, response: Response) -> Receipt:
    """Save a registration once: 201 the first time, 200 with the same receipt when sent again."""
    receipt, made = registration.register(clinic, actor, body)
    response.status_code = 201 if made else 200
    return receipt


@router.get("/registrations/{registration_id}")
def receipt(registration_id: str, actor: ActorNow) -> Receipt:
    """Return the receipt of an earlier save."""
    return registration.receipt(actor, registration_id)


@router.post("/registrations/{registration_id}/undo")
def undo(registration_id: str, actor: ActorNow, clinic: ClinicNow) -> EntryOut:
    """Undo a registration while the patient is still at the counter."""
    saved = registration.receipt(actor, registration_id)
    with transaction():
        if clinic.settings.role == MachineRole.COUNTER:
            pending.undo(actor, registration_id, saved.visit_id)
        return queue_undo.undo_registration(clinic, actor, saved.visit_id)
