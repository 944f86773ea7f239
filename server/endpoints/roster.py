"""The roster: closed days, and who works when."""

from __future__ import annotations

from core.schemas.roster import RosterChange, RosterOut
from core.visits import roster_versions
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("roster")


@router.get("/roster")
def roster(actor: ActorNow, clinic: ClinicNow) -> RosterOut:
    """Return the roster that holds now."""
    return roster_versions.shown(clinic, actor)


@router.put("/roster")
def change_roster(body: RosterChange, actor: ActorNow, clinic: ClinicNow) -> RosterOut:
    """Save the whole roster; 409 where somebody saved one meanwhile."""
    return roster_versions.change(clinic, actor, body)
