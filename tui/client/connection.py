"""Requests to the core, with the schemas of `core.schemas` in and out.

Nothing is retried here: only a registration, whose id makes it safe to send again, is repeated by its own
resource. A refusal raises `RefusedError`; no answer raises `UnreachableError`.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from core.schemas.base import Problem
from tui.client.errors import RefusedError, UnreachableError
from tui.client.kept_drafts import KeptDrafts
from tui.client.several_cores import SeveralCores
from tui.client.transport import one_packet_transport

API = "/api/v1"
TIMEOUT = httpx.Timeout(20.0, connect=5.0)  # seconds; the server of a clinic answers in milliseconds
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Answers of a proxy in front of a core that is down.
GATEWAY_STATUSES = frozenset({502, 503, 504})
# Headers that httpx sends by itself and the core does not read.
UNUSED_HEADERS = ("Accept", "Connection", "User-Agent", "Accept-Encoding")

Trust = Mapping[str, ssl.SSLContext | None]
"""Address of a core -> the TLS with which it is asked; None for plain HTTP."""

SchemaT = TypeVar("SchemaT", bound=BaseModel)


class CoreConnection:
    """The connection of one person to the core.

    Attributes:
        base_url: Address of the core, without a path.
        token: Bearer token; replaced when the same person signs in again.
        language: Language of the texts that the server writes, such as the reasons of a proposal.
        origin: Address of the person's terminal, for the audit log; believed from a door only.
        door_token: The credential of the door that the person came through; empty: none.
        session_id: Name of the sign-in, by which the change feed tells of its end.
        kept_drafts: Forms on this machine's disk, where the terminal is a counter's own; None at a door.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        language: str = "id",
        origin: str = "",
        http: httpx.AsyncClient | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            base_url: Address of the core, without a path.
            token: Bearer token, when the person is signed in already.
            language: Language of the texts that the server writes.
            origin: Address of the person's terminal, for the audit log.
            http: Connections shared with the other sessions of the process.
            trust: Address -> whom to trust there, where it is https; several where another core may take over.
        """
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.language = language
        self.origin = origin
        self.door_token = ""
        self.session_id = ""
        self.kept_drafts: KeptDrafts | None = None
        self.http = http or _connections(trust or {self.base_url: None})

    async def close(self) -> None:
        """Close the connections, including those shared with other clients."""
        await self.http.aclose()

    def stream_request(self) -> tuple[httpx.AsyncClient, str, dict[str, str]]:
        """Return the connections, the address and the headers with which the change feed is read."""
        return self.http, f"{self.base_url}{API}/changes", self._headers()

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.origin and self.door_token:
            headers |= {"X-Loket-Origin": self.origin, "X-Loket-Door": self.door_token}
        return headers

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> httpx.Response:
        """Send one request.

        Args:
            method: HTTP method.
            path: Path below the API's root, without a slash at its start.
            body: Content, sent as JSON; None sends none.
            params: Query parameters.
            token: Sent instead of the connection's own.

        Returns:
            The answer, whose status is below 400.

        Raises:
            RefusedError: The core answered with a problem.
            UnreachableError: There was no answer of the core.
        """
        headers = self._headers()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = await self.http.request(
                method, f"{self.base_url}{API}/{path}", json=body, params=params, headers=headers
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise UnreachableError(type(error).__name__) from error
        if _is_of_gateway(response):
            raise UnreachableError(f"gateway answered {response.status_code}")
        if response.is_error:
            raise RefusedError(_problem(response))
        return response

    async def one(
        self, schema: type[SchemaT], method: str, path: str, body: Any = None, **params: Any
    ) -> SchemaT:
        """Send one request and read the answer as one object.

        Args:
            schema: Schema of the answer.
            method: HTTP method.
            path: Path below the API's root.
            body: Content, sent as JSON; None sends none.
            params: Query parameters.

        Returns:
            The answer.

        Raises:
            RefusedError: The core answered with a problem.
            UnreachableError: There was no answer of the core.
            ValidationError: The answer does not follow the schema, for example because it was cut short.
        """
        response = await self.send(method, path, body, params or None)
        return schema.model_validate_json(response.content)

    async def many(self, schema: type[SchemaT], path: str, **params: Any) -> list[SchemaT]:
        """Ask for a list.

        Args:
            schema: Schema of the items.
            path: Path below the API's root.
            params: Query parameters.

        Returns:
            The items, in the order of the answer.

        Raises:
            RefusedError: The core answered with a problem.
            UnreachableError: There was no answer of the core.
            ValidationError: The answer does not follow the schema.
        """
        response = await self.send("GET", path, params=params or None)
        return _list_of(schema).validate_json(response.content)


@cache
def _list_of(schema: type[SchemaT]) -> TypeAdapter[list[SchemaT]]:
    return TypeAdapter(list[schema])  # type: ignore[valid-type]


def _connections(trust: Trust) -> httpx.AsyncClient:
    transports = {address: one_packet_transport(tls) for address, tls in trust.items()}
    http = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, transport=_joined(transports))
    for header in UNUSED_HEADERS:
        del http.headers[header]
    if any(
        httpx.URL(address).host not in LOOPBACK for address in trust
    ):  # compressing costs time and saves bytes only across a line
        http.headers["Accept-Encoding"] = "gzip"
    return http


def _joined(transports: Mapping[str, httpx.AsyncBaseTransport]) -> httpx.AsyncBaseTransport:
    return SeveralCores(transports) if len(transports) > 1 else next(iter(transports.values()))


def _is_of_gateway(response: httpx.Response) -> bool:
    if response.status_code not in GATEWAY_STATUSES:
        return False
    return "problem" not in response.headers.get("content-type", "")


def _problem(response: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return Problem(title="HTTP", status=response.status_code, code="http_error")
