"""Answers each request at a counter's machine: from the core while it is there, otherwise from the store here.

Both run the same application. Without the core only that is answered which registering needs; the rest says that it waits
for the core, and since when.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core.accounts import drafts, sign_ins
from core.counters import fresh_copy, local_sign_ins, pending
from core.foundation.database import connection
from core.foundation.errors import CoreError, NotFoundError, NotSignedInError, TooManyAttemptsError
from core.foundation.permissions import Actor
from core.schemas.accounts import TokenOut
from core.schemas.counters import CounterStanding
from server import problems
from server.api_paths import API
from server.app import MAX_BODY_BYTES
from server.counter.keeper import Keeper
from server.counter.link import AwayError, Link
from server.counter.machine import Machine

log = logging.getLogger(__name__)

HERE = tuple(
    (method, re.compile(f"{API}/{path}"))
    for method, path in (
        ("GET", "(clusters|clinic|waiting-room|accounts/me|villages|appointments|roster|vitals)"),
        ("GET", "patients(/recent|/unverified|/[0-9a-f-]{36})?"),
        ("GET", "patients/[0-9a-f-]{36}/(sharing|allergies)"),
        (
            "POST",
            "(patients/duplicates|routing|registrations/check|registrations|insurance/check|print-jobs)",
        ),
        ("GET", "registrations/[^/]+"),
        ("POST", "registrations/[^/]+/undo"),
        ("GET", "queues/[A-Za-z0-9]+(/day-end)?"),
        ("GET", "queue-entries/[^/]+"),
        ("GET", "changes"),
        ("GET", "drafts(/.*)?"),
        ("PUT", "drafts/.*"),
        ("DELETE", "drafts/.*"),
        ("DELETE", "tokens"),
        ("POST", "door/(keys/check|tokens)"),
        ("GET", "door/sources"),
    )
)
"""Calls that are answered without the core: those that registering needs."""
LINE_ENDED = (httpx.TransportError, httpx.StreamError)
"""Ends of an answer that did not come whole."""
SAFE = frozenset({"GET", "HEAD"})
HARMLESS = frozenset(
    f"{API}/{path}"
    for path in (
        "registrations", "registrations/check", "routing", "patients/duplicates", "insurance/check", "tokens",
        "tokens/check", "door/keys/check",
    )
)  # fmt: skip
"""Calls that are answered here although the core may have got them: they change nothing, or are done once by their id."""
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "content-length", "upgrade", "te"})
"""Headers of one connection."""
OWN = f"{API}/counter"


@dataclass
class _LocalSignIn:
    """A sign-in that was allowed here, until the core is asked about it."""

    username: str
    password: str
    core_token: str = ""


class CounterGate:
    """The application that a counter's machine serves."""

    def __init__(self, machine: Machine, link: Link, keeper: Keeper) -> None:
        self._machine = machine
        self._link = link
        self._keeper = keeper
        self._signed_in_here: dict[str, _LocalSignIn] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        answer = await self._answer(request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        body = await _body(request)
        assert self._machine.app is not None
        await self._machine.app(scope, _again(body, receive), send)

    async def _answer(self, request: Request) -> Response | None:
        """Return the answer; None where the application on the store gives it."""
        path = request.url.path
        if path in {"/healthz", "/readyz"}:
            is_ready = self._link.is_near or self._machine.is_open
            return PlainTextResponse("ready\n" if is_ready else "closed\n", 200 if is_ready else 503)
        if path == OWN or path.startswith(f"{OWN}/"):
            return await self._own(request)
        if (length := request.headers.get("content-length", "0")).isdigit() and int(length) > MAX_BODY_BYTES:
            return problems.problem(413, "too_large", "Too large")
        if self._link.is_near:
            try:
                return await self._from_core(request)
            except AwayError as away:
                self._link.lose()
                if away.is_sent and not _is_harmless(request):
                    # It may have been done: only asking again, once the core is back, can tell.
                    return PlainTextResponse("", 504)
        return await self._from_here(request)

    # From the core

    async def _from_core(self, request: Request) -> Response:
        body = await _body(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        headers.setdefault("accept-encoding", "identity")
        if not await self._as_the_core_knows(headers):
            return problems.problem(401, "not_signed_in", "NotSignedIn")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await self._link.pass_on(request.method, target, headers, body)
        given = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
        if target.startswith(f"{API}/changes"):
            return StreamingResponse(_raw(answer), answer.status_code, given)
        content = await _read(answer)
        if request.url.path == f"{API}/tokens" and answer.status_code == httpx.codes.CREATED:
            await self._remember(body, content, answer.headers)
        if request.url.path == f"{API}/door/tokens" and answer.status_code == httpx.codes.CREATED:
            await self._remember(b"{}", content, answer.headers)
        if answer.is_success and request.method in {"GET", "DELETE"}:
            return await self._with_what_is_here(request, content, answer, given)
        return Response(content, answer.status_code, given)

    async def _with_what_is_here(
        self, request: Request, content: bytes, answer: httpx.Response, given: dict[str, str]
    ) -> Response:
        """Add to the core's answer what only this machine has: the forms that were left half-typed without the core."""
        path, method = request.url.path, request.method
        if path == f"{API}/clinic":
            facts = json.loads(_plain(content, answer.headers))
            return JSONResponse({**facts, "at_counter": True})
        if not path.startswith(f"{API}/drafts"):
            return Response(content, answer.status_code, given)
        actor = await self._known_here(request)
        if actor is not None and method == "DELETE":
            await to_thread.run_sync(drafts.drop, actor, path.removeprefix(f"{API}/drafts/"))
        if actor is not None and path == f"{API}/drafts":
            kind = request.query_params.get("kind", "")
            here = await to_thread.run_sync(drafts.read_all, actor, kind)
            there = json.loads(_plain(content, answer.headers))
            known = {draft["key"] for draft in there}
            more = [draft.model_dump(mode="json") for draft in here if draft.key not in known]
            return JSONResponse(there + more)
        return Response(content, answer.status_code, given)

    async def _known_here(self, request: Request) -> Actor | None:
        try:
            actor: Actor = await self._actor(request)
        except NotSignedInError:
            return None
        return actor

    async def _as_the_core_knows(self, headers: dict[str, str]) -> bool:
        """Put the core's token in the place of one that was given here; False where the core does not accept the person."""
        secret = headers.get("authorization", "").removeprefix("Bearer ").strip()
        own = self._signed_in_here.get(secret)
        if own is None:
            return True
        if not own.core_token:
            credentials = {"username": own.username, "password": own.password}
            answer = await self._link.pass_on(
                "POST",
                f"{API}/tokens",
                {"content-type": "application/json"},
                json.dumps(credentials).encode(),
            )
            content = await _read(answer)
            if answer.status_code != httpx.codes.CREATED:
                del self._signed_in_here[secret]
                await to_thread.run_sync(local_sign_ins.end, secret)
                return False
            token = TokenOut.model_validate_json(_plain(content, answer.headers))
            own.core_token, own.password = token.token, ""
        headers["authorization"] = f"Bearer {own.core_token}"
        return True

    async def _remember(self, body: bytes, content: bytes, headers: httpx.Headers) -> None:
        """Let whoever has signed in at the core go on here, and open the store by this password."""
        if not self._machine.is_open or self._machine.key is None:
            return
        try:
            token = TokenOut.model_validate_json(_plain(content, headers))
            given = json.loads(body)
        except ValueError:
            return
        if token.account.needs_code:
            return
        may = await to_thread.run_sync(
            local_sign_ins.remember, token.token, token.account.id, token.session_id, token.expires_at
        )
        if may and given.get("password"):
            await to_thread.run_sync(
                self._machine.slots.put,
                given["username"],
                token.account.id,
                given["password"],
                self._machine.key,
            )

    # From here

    async def _from_here(self, request: Request) -> Response | None:
        path, method = request.url.path, request.method
        try:
            if (method, path) == ("POST", f"{API}/tokens"):
                return await self._sign_in(request)
            if (method, path) == ("POST", f"{API}/tokens/check"):
                return await self._check_password(request)
        except TooManyAttemptsError as error:
            await self._machine.close()
            details = {"retry_after_seconds": error.retry_after_seconds}
            return problems.problem(429, error.code, "TooManyAttempts", details=details)
        except NotSignedInError as error:
            return problems.problem(401, error.code, "NotSignedIn")
        except (CoreError, OSError) as error:
            log.error("the store cannot be opened: %s", error)
            return problems.problem(503, "store_closed", "StoreClosed")
        if not self._machine.is_open:
            return self._away("store_closed")
        if self._machine.clock.left() <= timedelta():
            return self._away("away_too_long")
        if not path.startswith(API):
            return None if path.startswith("/display") else self._away("core_away")
        is_here = any(verb == method and pattern.fullmatch(path) for verb, pattern in HERE)
        if not is_here or await _is_late_entry(request):
            return self._away("core_away")
        return None

    def _away(self, code: str) -> Response:
        since = self._link.away_since
        details = {"since": since.isoformat() if since is not None else None}
        return problems.problem(503, code, "Away", details=details)

    async def _sign_in(self, request: Request) -> Response:
        given = json.loads(await _body(request))
        username, password = str(given.get("username", "")), str(given.get("password", ""))
        opened = await to_thread.run_sync(self._machine.slots.open, username, password)
        await self._machine.open(opened.key)
        self._link.clock = self._machine.clock
        origin = request.client.host if request.client else ""
        left = self._machine.clock.left()
        secret, token, actor = await to_thread.run_sync(local_sign_ins.allow, opened.account_id, left, origin)
        self._signed_in_here[secret] = _LocalSignIn(username, password)
        out = TokenOut(token=secret, expires_at=token.expires_at, account=actor.shape(), session_id=token.id)
        return JSONResponse(out.model_dump(mode="json"), 201)

    async def _check_password(self, request: Request) -> Response:
        actor = await self._actor(request)
        given = json.loads(await _body(request))
        opened = await to_thread.run_sync(
            self._machine.slots.open, actor.username, str(given.get("password", ""))
        )
        if opened.account_id != actor.account_id:
            raise NotSignedInError("another account's")
        return Response(status_code=204)

    async def _actor(self, request: Request) -> Any:
        if not self._machine.is_open:
            raise NotSignedInError("the store is closed")
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").strip()

        def look() -> Any:
            with connection():
                return sign_ins.authenticate(secret)

        return await to_thread.run_sync(look)

    # About this machine

    async def _own(self, request: Request) -> Response:
        if request.url.path == OWN:
            standing = await to_thread.run_sync(self._standing)
            return JSONResponse(standing.model_dump(mode="json"))
        handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            f"GET {OWN}/questions": self._questions,
            f"POST {OWN}/settled": self._settled,
        }
        handler = handlers.get(f"{request.method} {request.url.path}")
        if handler is None:
            return problems.problem(404, "not_found", "NotFound")
        try:
            await self._actor(request)
            return await handler(request)
        except NotSignedInError as error:
            return problems.problem(401, error.code, "NotSignedIn")
        except NotFoundError as error:
            return problems.problem(404, error.code, "NotFound")

    def _standing(self) -> CounterStanding:
        is_away = not self._link.is_near
        if not self._machine.is_open:
            return CounterStanding(
                name=self._keeper.name,
                is_away=is_away,
                away_since=self._link.away_since,
                is_open=False,
                has_secret=self._machine.has_secret,
            )
        waiting, asked = pending.counts()
        left = self._machine.clock.left()
        return CounterStanding(
            name=self._keeper.name,
            is_away=is_away,
            away_since=self._link.away_since,
            waiting=waiting,
            asked=asked,
            numbers_left=self._machine.numbers_left(),
            has_secret=self._machine.has_secret,
            sequence=self._machine.sequence(),
            hours_left=round(left / timedelta(hours=1), 1) if is_away else None,
        )

    async def _questions(self, _request: Request) -> Response:
        found = await to_thread.run_sync(pending.questions)
        return JSONResponse([question.model_dump(mode="json") for question in found])

    async def _settled(self, request: Request) -> Response:
        registration_id = str(json.loads(await _body(request)).get("id", ""))

        def settle() -> None:
            with connection():
                fresh_copy.drop_made(pending.settle(registration_id))

        await to_thread.run_sync(settle)
        return Response(status_code=204)


def _is_harmless(request: Request) -> bool:
    path = request.url.path
    return request.method in SAFE or path in HARMLESS or path.startswith(f"{API}/drafts")


def _is_registration(request: Request) -> bool:
    return request.method == "POST" and request.url.path == f"{API}/registrations"


async def _is_late_entry(request: Request) -> bool:
    """Return whether a registration is a late entry: its number on paper is known to the core alone."""
    if not _is_registration(request):
        return False
    try:
        return bool(json.loads(await _body(request)).get("late"))
    except (ValueError, AttributeError):
        return False


async def _body(request: Request) -> bytes:
    return await request.body()


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body again that was read, and then what the connection says."""
    is_given = False

    async def give() -> Any:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


async def _read(answer: httpx.Response) -> bytes:
    """Return the body as it came, compressed or not.

    Raises:
        AwayError: It was cut short.
    """
    try:
        return b"".join([part async for part in answer.aiter_raw()])
    except (*LINE_ENDED, RuntimeError) as error:  # the connections of before were closed under it
        raise AwayError(is_sent=True) from error
    finally:
        await answer.aclose()


async def _raw(answer: httpx.Response) -> Any:
    """Yield a stream as it comes; it ends when the core is lost."""
    try:
        async for part in answer.aiter_raw():
            yield part
    except (*LINE_ENDED, RuntimeError):
        return
    finally:
        await answer.aclose()


def _plain(content: bytes, headers: httpx.Headers) -> bytes:
    return httpx.Response(200, headers=headers, content=content).content
