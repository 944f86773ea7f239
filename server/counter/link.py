"""The line from a counter's machine to the core."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import httpx

from core.counters.machine_clock import MachineClock
from core.foundation import clock
from server.api_paths import API

log = logging.getLogger(__name__)

CONNECT_SECONDS = 1.5  # on a clinic's own network; a patient stands at the counter
ANSWER_SECONDS = 20.0  # a core that is busy is not away: the stream tells that
HEARTBEAT_SECONDS = 2
SILENCE_SECONDS = 5.0
"""Silence of the core's stream after which it counts as away."""


class AwayError(Exception):
    """The core did not answer.

    Attributes:
        is_sent: Whether it may have got the request.
    """

    def __init__(self, *, is_sent: bool) -> None:
        super().__init__("the core is away")
        self.is_sent = is_sent


class Link:
    """Asks the core, and knows whether it answers."""

    def __init__(self, url: str, credential: str, tls: ssl.SSLContext | None) -> None:
        """Args: `url` of the core; `credential` of this machine; `tls` with which it is asked, None for plain HTTP."""
        self.url = url
        self.clock = MachineClock()
        self.is_near = False
        """True while requests go to the core: it answers, and has everything that was made without it."""
        self.away_since: datetime | None = clock.own_now()
        self.received = 0
        """Bytes of the answers by which the store is kept fresh, as they came over the line."""
        self._headers = {"Authorization": f"Bearer {credential}"}
        self._tls = tls
        self._http = self._connections()
        self._lost = asyncio.Event()

    def _connections(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        # Not by a proxy of the environment: with the cable out it would answer in the core's place.
        return httpx.AsyncClient(
            base_url=self.url, timeout=timeout, verify=self._tls or True, trust_env=False
        )

    async def begin_anew(self) -> None:
        """Forget the connections of before: on a line that was cut they say nothing for a long time."""
        old, self._http = self._http, self._connections()
        await old.aclose()

    def lose(self) -> None:
        """Note that the core does not answer: what waits for it is answered here."""
        if self.is_near or self.away_since is None:
            log.warning("the core does not answer")
            self.away_since = self.clock.now()
        self.is_near = False
        self._lost.set()

    def come_near(self) -> None:
        """Note that the core answers and has everything."""
        if not self.is_near:
            log.warning("the core answers")
        self.is_near, self.away_since = True, None
        self._lost = asyncio.Event()

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request of this machine's own.

        Args:
            method: HTTP method.
            path: Path below the API's root, with its slash.
            body: Content, sent as JSON; None sends none.

        Raises:
            AwayError: There was no answer, or it was none of a core.
        """
        headers = {**self._headers, "Accept-Encoding": "gzip"}
        try:
            async with self._http.stream(method, API + path, json=body, headers=headers) as answer:
                await answer.aread()
                self.received += answer.num_bytes_downloaded
        except httpx.TransportError as error:
            raise AwayError(
                is_sent=not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            ) from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise AwayError(is_sent=True)
        return answer

    async def pass_on(
        self, method: str, target: str, headers: dict[str, str], content: bytes
    ) -> httpx.Response:
        """Send somebody's request to the core and return its answer, whose body is read with `aread` or `aiter_raw`.

        Args:
            method: HTTP method.
            target: Path and query.
            headers: As they came.
            content: Body.

        Raises:
            AwayError: The core does not answer, or was lost meanwhile.
        """
        is_stream = target.startswith(f"{API}/changes")
        request = self._http.build_request(
            method, target, headers=headers, content=content,
            timeout=httpx.Timeout(None if is_stream else ANSWER_SECONDS, connect=CONNECT_SECONDS),
        )  # fmt: skip
        return await self._unless_lost(self._http.send(request, stream=True))

    async def _unless_lost(self, sending: Any) -> httpx.Response:
        """Wait for an answer, but not beyond the loss of the core."""
        answering = asyncio.ensure_future(sending)
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({answering, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise AwayError(is_sent=True)
            answer: httpx.Response = answering.result()
            return answer
        except RuntimeError as error:  # the connections of before were closed under it
            raise AwayError(is_sent=True) from error
        except httpx.TransportError as error:
            self.lose()
            is_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise AwayError(is_sent=is_sent) from error
        finally:
            answering.cancel()
            losing.cancel()

    async def lines(self) -> AsyncGenerator[str]:
        """Yield the events of the core's change feed, its signs of life among them as empty texts.

        Raises:
            AwayError: It ended, or was silent.
        """
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        target = f"{API}/changes?heartbeat={HEARTBEAT_SECONDS}"
        try:
            async with self._http.stream("GET", target, headers=self._headers, timeout=timeout) as answer:
                if answer.is_error:
                    raise AwayError(is_sent=True)
                async for line in answer.aiter_lines():
                    self.received += len(line) + 1
                    yield line.removeprefix("event: ") if line.startswith("event: ") else ""
        except httpx.TransportError as error:
            raise AwayError(is_sent=False) from error
        raise AwayError(is_sent=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def is_revoked(answer: httpx.Response) -> bool:
    """Return whether the core itself says that it does not know this machine any more; no portal on the way does."""
    return code_of(answer) in {"not_signed_in", "not_allowed"}


def code_of(answer: httpx.Response) -> str:
    """Return the code of a refusal; empty where it has none."""
    try:
        return str(json.loads(answer.content).get("code", ""))
    except (ValueError, AttributeError):
        return ""
