"""Signing in and out, and the SSH door's own calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from core import accounts
from core.actors import actor_of
from core.database import connection
from core.models import Token
from core.schemas.accounts import AccountShape, Credentials, DoorKey, PasswordCheck, TokenShape
from core.schemas.clinic import ClinicShape
from core.schemas.queues import ServicePoint
from core.vocabulary import Permission
from server.security import ActorNow, ClinicNow, SecretNow, origin

router = APIRouter(tags=["accounts"])

ResultT = TypeVar("ResultT")


def _shape(secret: str, token: Token) -> TokenShape:
    return TokenShape(token=secret, expires_at=token.expires_at, account=actor_of(token.account).shape())


async def _checking(request: Request, check: Callable[[], ResultT]) -> ResultT:
    """Check a password where few are checked at a time.

    Each costs 64 MiB and a tenth of a second. Forty at once, the workers of this process, would take 2 GB
    and leave none to the counters.
    """
    return await to_thread.run_sync(check, limiter=request.app.state.password_checks)


@router.post("/tokens", status_code=201)
async def sign_in(body: Credentials, request: Request, clinic: ClinicNow) -> TokenShape:
    """Exchange name and password for a bearer token."""

    def check() -> TokenShape:
        hours, came_from = clinic.settings.token_hours, origin(request)
        with connection():
            return _shape(*accounts.sign_in(body.username, body.password, hours=hours, origin=came_from))

    return await _checking(request, check)


@router.delete("/tokens", status_code=204)
def sign_out(secret: SecretNow) -> Response:
    """End this token."""
    accounts.sign_out(secret)
    return Response(status_code=204)


@router.post("/tokens/check", status_code=204)
async def check_password(body: PasswordCheck, request: Request, actor: ActorNow) -> Response:
    """Unlock an idle terminal."""

    def check() -> None:
        with connection():
            accounts.check_password(actor, body.password)

    await _checking(request, check)
    return Response(status_code=204)


@router.get("/accounts/me")
def me(actor: ActorNow) -> AccountShape:
    """Who the token stands for."""
    return actor.shape()


@router.put("/accounts/me/service-point")
def choose_service_point(body: ServicePoint, actor: ActorNow) -> AccountShape:
    """The room where one calls patients from now on."""
    with connection():
        return accounts.choose_service_point(actor, body.service_point)


@router.get("/clinic")
def clinic_facts(actor: ActorNow, clinic: ClinicNow) -> ClinicShape:
    """What a terminal needs to know once."""
    settings = clinic.settings
    return ClinicShape(
        facility_name=settings.facility_name,
        language=settings.language,
        timezone=settings.timezone.key,
        today=clinic.today(),
        undo_seconds=settings.undo_seconds,
        calls_before_skip=settings.calls_before_skip,
        wait_warning_minutes=settings.wait_warning_minutes,
        wait_limit_minutes=settings.regular_wait_limit_minutes,
        idle_lock_minutes=settings.idle_lock_minutes,
        preset=clinic.clusters.preset,
        demo=clinic.demo,
        public_url=clinic.public_url,
        has_printer=bool(settings.printer),
        print_tickets=settings.print_tickets,
        printer_columns=settings.printer_columns,
    )


@router.post("/door/keys/check")
def key_known(body: DoorKey, actor: ActorNow) -> dict[str, bool]:
    """Whether a key may sign an account in; asked before its possession is proved."""
    actor.require(Permission.OPEN_DOOR)
    with connection():
        return {"known": accounts.key_is_known(body.username, body.public_key)}


@router.post("/door/tokens", status_code=201)
def sign_in_by_key(body: DoorKey, request: Request, actor: ActorNow, clinic: ClinicNow) -> TokenShape:
    """A token for a key whose possession the door has proved."""
    hours = clinic.settings.token_hours
    with connection():
        secret, token = accounts.sign_in_by_key(
            actor, body.username, body.public_key, hours=hours, origin=origin(request)
        )
        return _shape(secret, token)
