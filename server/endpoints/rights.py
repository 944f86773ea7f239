"""Rights of each role: read by admin and supervisor, changed by both together."""

from __future__ import annotations

from core.accounts import rights
from core.schemas.accounts import RightsChangeFields, RightsChangeOut, RightsOut
from server.resources import resource
from server.security import ActorNow

router = resource("rights")


@router.get("/rights")
def table(actor: ActorNow) -> list[RightsOut]:
    """Return what every role may do now, and what it may do by default."""
    return rights.table(actor)


@router.get("/rights/changes")
def changes(actor: ActorNow) -> list[RightsChangeOut]:
    """Return the requests to change rights, newest first."""
    return rights.changes(actor)


@router.post("/rights/changes", status_code=201)
def request(body: RightsChangeFields, actor: ActorNow) -> RightsChangeOut:
    """Ask for a change; it holds when the supervisor has approved it."""
    return rights.request(actor, body)


@router.post("/rights/changes/{change_id}/approve")
def approve(change_id: str, actor: ActorNow) -> RightsChangeOut:
    """Approve a change that another person asked for."""
    return rights.decide(actor, change_id, approved=True)


@router.post("/rights/changes/{change_id}/refuse")
def refuse(change_id: str, actor: ActorNow) -> RightsChangeOut:
    """Refuse a change that another person asked for."""
    return rights.decide(actor, change_id, approved=False)


@router.delete("/rights/changes/{change_id}")
def withdraw(change_id: str, actor: ActorNow) -> RightsChangeOut:
    """Take a request back that nobody has decided on."""
    return rights.withdraw(actor, change_id)
