"""Signing in and out, a person's own account, and the SSH door's own calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import to_thread
from fastapi import Request, Response

from core.accounts import guessing, second_factor, sign_ins
from core.accounts import service as accounts
from core.accounts.key_proofs import KeyProofGiven
from core.foundation.codes import Permission
from core.foundation.database import connection
from core.foundation.errors import NotSignedInError, TooManyAttemptsError
from core.foundation.networks import network_of
from core.models import Token
from core.schemas.accounts import (
    AccountOut,
    CodeGiven,
    Credentials,
    DoorKey,
    DoorSignIn,
    PasswordChange,
    PasswordCheck,
    SecondFactorFields,
    SecondFactorOffer,
    TokenOut,
)
from core.schemas.queues import ServicePoint
from server import connections
from server.resources import resource
from server.security import ActorAtSignIn, ActorNow, ClinicNow, Peer, SecretNow, peer, require_code

router = resource("accounts")

ResultT = TypeVar("ResultT")
CROWDED_SECONDS = 2  # to wait when there are more


class WaitingGuesses:
    """Counts the strangers' passwords that wait to be checked, by source: one source fills no queue."""

    def __init__(self, per_source: int) -> None:
        self._per_source = per_source
        self._of_source: Counter[str] = Counter()

    @contextmanager
    def take(self, address: str) -> Iterator[None]:
        """Hold a place in the queue.

        Raises:
            TooManyAttemptsError: So many of this source wait already.
        """
        source = network_of(address)
        if self._of_source[source] >= self._per_source:
            raise TooManyAttemptsError(CROWDED_SECONDS)
        self._of_source[source] += 1
        try:
            yield
        finally:
            self._of_source[source] -= 1
            if not self._of_source[source]:
                del self._of_source[source]


def _token_out(secret: str, token: Token) -> TokenOut:
    account = sign_ins.actor_for(token).shape()
    return TokenOut(token=secret, expires_at=token.expires_at, account=account, session_id=token.id)


async def _run_check(request: Request, username: str, check: Callable[[Peer], ResultT]) -> ResultT:
    """Check a password in a thread, a few at a time.

    Each costs 64 MiB and a tenth of a second. Forty at once, the workers of this process, would take 2 GB
    and leave none to the counters. Addresses that have not signed in as this account lately wait in a queue of
    their own, so that guesses keep nobody waiting at a counter that is known.
    """

    def look() -> tuple[Peer, bool]:
        came_from = peer(request)
        with connection():
            return came_from, sign_ins.is_known_source(username, came_from.source)

    state = request.app.state
    try:
        came_from, is_known = await to_thread.run_sync(look)
        if is_known:
            return await to_thread.run_sync(check, came_from, limiter=state.password_checks)
        with state.waiting_guesses.take(came_from.source):
            return await to_thread.run_sync(check, came_from, limiter=state.strangers_password_checks)
    except (NotSignedInError, TooManyAttemptsError) as error:
        await connections.answer_slowly(error)
        raise


@router.post("/tokens", status_code=201)
async def sign_in(body: Credentials, request: Request, clinic: ClinicNow) -> TokenOut:
    """Exchange name and password for a bearer token.

    Args:
        body: What is asked for.
        request: The request, whose address guesses are counted by.
        clinic: The clinic.
    """

    def check(came_from: Peer) -> TokenOut:
        hours = clinic.settings.token_hours
        with connection():
            secret, token = sign_ins.sign_in(
                body.username,
                body.password,
                hours=hours,
                origin=came_from.origin,
                source=came_from.source,
                code=body.code,
            )
            return _token_out(secret, token)

    return await _run_check(request, body.username, check)


@router.delete("/tokens", status_code=204)
def sign_out(secret: SecretNow, request: Request) -> Response:
    """End this token."""
    sign_ins.sign_out(secret, peer(request).origin)
    return Response(status_code=204)


@router.post("/tokens/check", status_code=204)
async def check_password(body: PasswordCheck, request: Request, actor: ActorAtSignIn) -> Response:
    """Unlock an idle terminal.

    Args:
        body: What is asked for.
        request: The request, whose address guesses are counted by.
        actor: Who asks.
    """

    def check(came_from: Peer) -> None:
        with connection():
            sign_ins.check_password(actor, body.password, came_from.source)

    await _run_check(request, actor.username, check)
    return Response(status_code=204)


@router.post("/account/password", status_code=204)
async def change_password(body: PasswordChange, request: Request, actor: ActorAtSignIn) -> Response:
    """Choose another password for oneself; one's other sign-ins end.

    Args:
        body: What is asked for.
        request: The request, whose address guesses are counted by.
        actor: Who asks.
    """
    require_code(actor)

    def check(came_from: Peer) -> None:
        with connection():
            accounts.change_own_password(actor, body.old_password, body.new_password, came_from.source)

    await _run_check(request, actor.username, check)
    return Response(status_code=204)


@router.post("/account/code", status_code=204)
def give_code(body: CodeGiven, request: Request, actor: ActorAtSignIn) -> Response:
    """Give the code of one's second factor; until then a sign-in is good for nothing else.

    Args:
        body: What is asked for.
        request: The request, whose address guesses are counted by.
        actor: Who asks.
    """
    with connection():
        second_factor.give(actor, body.code, peer(request).source)
    return Response(status_code=204)


@router.post("/account/second-factor", status_code=201)
def offer_second_factor(actor: ActorNow) -> SecondFactorOffer:
    """Return a secret for an authenticator app."""
    secret = second_factor.offer(actor)
    return SecondFactorOffer(secret=secret, address=second_factor.address(actor.username, secret))


@router.put("/account/second-factor", status_code=204)
def set_up_second_factor(body: SecondFactorFields, actor: ActorNow) -> Response:
    """Ask for a code at every sign-in of one's own account from now on."""
    with connection():
        second_factor.set_up(actor, body.secret, body.code)
    return Response(status_code=204)


@router.get("/accounts/me")
def me(actor: ActorAtSignIn) -> AccountOut:
    """Return the account that the token signs in."""
    return actor.shape()


@router.put("/accounts/me/service-point")
def choose_service_point(body: ServicePoint, actor: ActorNow) -> AccountOut:
    """Choose the room to which one calls patients from now on."""
    with connection():
        return accounts.choose_service_point(actor, body.service_point)


@router.post("/door/keys/check")
def key_known(body: DoorKey, actor: ActorNow) -> dict[str, bool]:
    """Return whether a key may sign an account in, before its possession is proved."""
    actor.require(Permission.OPEN_DOOR)
    with connection():
        return {"known": sign_ins.key_is_known(body.username, body.public_key)}


@router.get("/door/sources")
def known_sources(actor: ActorNow) -> list[str]:
    """Return the addresses that have signed in lately: a door keeps places for them."""
    actor.require(Permission.OPEN_DOOR)
    with connection():
        return guessing.known_sources()


@router.post("/door/tokens", status_code=201)
def sign_in_by_key(body: DoorSignIn, request: Request, actor: ActorNow, clinic: ClinicNow) -> TokenOut:
    """Exchange the proof that somebody holds a key of an account for a bearer token; each proof is taken once.

    Args:
        body: What is asked for.
        request: The request, whose address guesses are counted by.
        actor: Who asks.
        clinic: The clinic.
    """
    came_from, hours = peer(request), clinic.settings.token_hours
    proof = KeyProofGiven(body.proof.session_id, body.proof.signed, body.proof.signature)
    with connection():
        secret, token = sign_ins.sign_in_by_key(
            actor, body.username, body.public_key, proof,
            hours=hours, origin=came_from.origin, source=came_from.source,
        )  # fmt: skip
        return _token_out(secret, token)
