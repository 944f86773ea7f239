"""Danger signs of the complaint rules: read, signed, and signatures taken back."""

from __future__ import annotations

from core.schemas.oversight import DangerOut, DangerPageOut, DangerSignFields, DangerTakeBackFields
from core.visits import danger_signatures
from server.resources import resource
from server.security import ActorNow, ClinicNow

router = resource("dangers")


@router.get("/dangers")
def dangers(actor: ActorNow, clinic: ClinicNow) -> list[DangerOut]:
    """Return every danger sign with who has signed it, those without a valid signature first."""
    return danger_signatures.listed(clinic, actor)


@router.get("/dangers/{code}")
def danger(code: str, actor: ActorNow, clinic: ClinicNow) -> DangerPageOut:
    """Return a danger sign's page, and what has changed since it was signed."""
    return danger_signatures.of_sign(clinic, actor, code)


@router.post("/dangers/{code}/signature", status_code=201)
def sign(code: str, body: DangerSignFields, actor: ActorNow, clinic: ClinicNow) -> DangerPageOut:
    """Sign the page that was read; 409 where the rules are others by now.

    Args:
        code: The danger sign.
        body: Which page was read.
        actor: Who signs.
        clinic: The clinic.
    """
    return danger_signatures.sign(clinic, actor, code, body.digest)


@router.post("/dangers/{code}/signature/take-back")
def take_back(code: str, body: DangerTakeBackFields, actor: ActorNow, clinic: ClinicNow) -> DangerPageOut:
    """Take the signature under a danger sign back.

    Args:
        code: The danger sign.
        body: Why.
        actor: Who takes it back.
        clinic: The clinic.
    """
    return danger_signatures.take_back(clinic, actor, code, body.reason)
