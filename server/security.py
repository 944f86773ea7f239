"""Who asks: the bearer token of a request becomes an actor, or the request is refused."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core import accounts
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection
from core.errors import NotSignedInError
from core.vocabulary import Permission


def get_clinic(request: Request) -> Clinic:
    """The clinic this server serves."""
    return cast(Clinic, request.app.state.clinic)


_scheme = HTTPBearer(auto_error=False, description="What `POST tokens` answers")


def bearer(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]) -> str:
    """The request's token.

    Raises:
        NotSignedInError: There is none.
    """
    if given is None or not given.credentials:
        raise NotSignedInError("no token")
    return given.credentials.strip()


def origin(request: Request) -> str:
    """Where a request comes from; a door passes its own peer's address on."""
    host = request.client.host if request.client else ""
    return f"{host} {request.headers.get('x-loket-origin', '')}".strip()[:80]


def get_actor(request: Request, secret: Annotated[str, Depends(bearer)]) -> Actor:
    """Who the token stands for."""
    with connection():
        return accounts.authenticate(secret, origin(request))


def get_admin(actor: Annotated[Actor, Depends(get_actor)]) -> Actor:
    """An actor who may administer."""
    actor.require(Permission.ADMINISTER)
    return actor


def language(request: Request) -> str:
    """`id` or `en`, from Accept-Language; the clinic's own otherwise."""
    wanted = request.headers.get("accept-language", "").strip().lower()[:2]
    return wanted if wanted in {"id", "en"} else get_clinic(request).settings.language


ClinicNow = Annotated[Clinic, Depends(get_clinic)]
ActorNow = Annotated[Actor, Depends(get_actor)]
AdminNow = Annotated[Actor, Depends(get_admin)]
LanguageNow = Annotated[str, Depends(language)]
SecretNow = Annotated[str, Depends(bearer)]
