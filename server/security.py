"""Authentication: turns the bearer token of a request into an actor, or refuses the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core.accounts import sign_ins
from core.foundation import audit
from core.foundation.clinic import Clinic
from core.foundation.codes import AccessReason, Permission
from core.foundation.database import connection
from core.foundation.errors import NotAllowedError, NotSignedInError
from core.foundation.permissions import Actor
from core.schemas.base import Line
from core.schemas.record import StatedReason
from server.api_paths import route_path
from server.text.translation import LANGUAGES

DOOR_HEADER = "x-loket-door"
"""An SSH door's own credential, beside that of the person for whom it asks."""
ORIGIN_HEADER = "x-loket-origin"
"""Where that person sits: `ssh 10.0.0.5`. Believed only from a door."""
MUST_CHANGE = "password_change_required"
MUST_GIVE_CODE = "second_factor_required"


@dataclass(frozen=True)
class Peer:
    """Origin of a request.

    Attributes:
        origin: For the audit log: the address, and what a door adds.
        source: The address of the person, by which guesses are counted.
    """

    origin: str
    source: str


# What asks nobody is a coroutine: a plain function costs each request a thread's turn.
async def get_clinic(request: Request) -> Clinic:
    """Return the clinic of this server."""
    return cast(Clinic, request.app.state.clinic)


_scheme = HTTPBearer(auto_error=False, description="What `POST tokens` answers")


async def bearer(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]) -> str:
    """Return the request's token.

    Raises:
        NotSignedInError: The request has no token.
    """
    if given is None or not given.credentials:
        raise NotSignedInError("no token")
    return given.credentials.strip()


def peer(request: Request) -> Peer:
    """Return where a request comes from; a door passes its own peer's address on."""
    host = request.client.host if request.client else ""
    said = request.headers.get(ORIGIN_HEADER, "")
    if not (said.isascii() and said.isprintable() and _is_from_door(request, host)):
        return Peer(host, host)
    return Peer(f"{host} {said}".strip()[:80], (said.split() or [host])[-1][:64])


def _is_from_door(request: Request, host: str) -> bool:
    secret = request.headers.get(DOOR_HEADER, "")
    if not secret:
        return False
    try:
        with connection():
            return sign_ins.authenticate(secret, source=host).can(Permission.OPEN_DOOR)
    except NotSignedInError:
        return False


def get_actor_at_sign_in(request: Request, secret: Annotated[str, Depends(bearer)]) -> Actor:
    """Return the account of the token as an actor, also while it has to choose a password."""
    host = request.client.host if request.client else ""
    with connection():
        actor = sign_ins.authenticate(secret, peer(request).origin, source=host)
    request.state.actor = actor
    return actor


def require_code(actor: Actor) -> None:
    """Refuse a sign-in whose second factor is still to be given.

    Raises:
        NotAllowedError: `second_factor_required`.
    """
    if actor.needs_code:
        raise NotAllowedError("code", MUST_GIVE_CODE)


async def get_actor(actor: Annotated[Actor, Depends(get_actor_at_sign_in)]) -> Actor:
    """Return the account of the token as an actor.

    Raises:
        NotAllowedError: That person has to give the code of the second factor, or to choose a password, first.
    """
    require_code(actor)
    if actor.must_change_password:
        raise NotAllowedError("password", MUST_CHANGE)
    return actor


async def get_admin(actor: Annotated[Actor, Depends(get_actor)]) -> Actor:
    """Return an actor who may administer."""
    actor.require(Permission.ADMINISTER)
    return actor


def audit_refusal(request: Request, error: NotAllowedError) -> None:
    """Write into the audit log what somebody who is signed in was not allowed to do."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None or error.code in {MUST_CHANGE, MUST_GIVE_CODE}:
        return
    with connection():
        audit.record(
            actor, "request_refused", "request", f"{request.method} {route_path(request.scope)}"[:80],
            code=error.code, permission=str(error.permission), path=request.url.path[:200],
        )  # fmt: skip


async def language(request: Request) -> str:
    """Return the installed language that Accept-Language names first; the clinic's own otherwise."""
    wanted = request.headers.get("accept-language", "").strip().lower()[:2]
    clinic: Clinic = request.app.state.clinic
    return wanted if wanted in LANGUAGES else clinic.settings.language


async def given_reason(
    reason: Annotated[Line, Query(max_length=200, description="At least five letters")] = "",
    reason_code: Annotated[AccessReason, Query()] = AccessReason.OTHER,
) -> StatedReason:
    """Return why a record outside one's own queue is opened.

    Args:
        reason: In words.
        reason_code: One of the short list.
    """
    return StatedReason(reason, reason_code)


ClinicNow = Annotated[Clinic, Depends(get_clinic)]
ActorAtSignIn = Annotated[Actor, Depends(get_actor_at_sign_in)]
ActorNow = Annotated[Actor, Depends(get_actor)]
AdminNow = Annotated[Actor, Depends(get_admin)]
LanguageNow = Annotated[str, Depends(language)]
ReasonNow = Annotated[StatedReason, Depends(given_reason)]
SecretNow = Annotated[str, Depends(bearer)]
