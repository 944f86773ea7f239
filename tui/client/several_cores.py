"""One client for a core that may stand at several addresses: the machine that serves, and the one that takes over.

A request goes to the address that answered last. Where nobody takes the connection, the next address is tried with the
same request: nothing of it was sent, so that it cannot be done twice. What was sent and not answered is not repeated.
A machine that says that it is not the core any more is left: the next request goes to the next address.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import httpx

NO_CORE = frozenset({"superseded", "standby"})
"""Codes of a machine that is not the core: another took over from it, or it stands by."""

logger = logging.getLogger(__name__)


class SeveralCores(httpx.AsyncBaseTransport):
    """Sends each request to the first of several addresses at which somebody takes the connection."""

    def __init__(self, transports: Mapping[str, httpx.AsyncBaseTransport]) -> None:
        """Prepare; nothing is sent yet.

        Args:
            transports: Address of a core, without a path -> what reaches it; the first is tried first.
        """
        self._transports = dict(transports)
        self._addresses = list(transports)
        self.address = self._addresses[0]
        """The address that answered last."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, whatever address it was written for.

        Raises:
            httpx.TransportError: Nobody takes the connection anywhere, or whoever took it gave no answer.
        """
        start = self._addresses.index(self.address)
        failure: httpx.TransportError | None = None
        for address in self._addresses[start:] + self._addresses[:start]:
            try:
                response = await self._transports[address].handle_async_request(
                    _written_for(address, request)
                )
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = failure or error
            else:
                self._note(address)
                if await _is_no_core(response):
                    self._turn_away()
                return response
        assert failure is not None
        raise failure

    def _turn_away(self) -> None:
        """Send the following requests to the next address; what was sent here is not sent again."""
        after = self._addresses.index(self.address) + 1
        self._note(self._addresses[after % len(self._addresses)])

    def _note(self, address: str) -> None:
        if address != self.address:
            logger.warning("the core answers at %s now", address)
            self.address = address

    async def aclose(self) -> None:
        """Close the connections to all addresses."""
        for transport in self._transports.values():
            await transport.aclose()


async def _is_no_core(response: httpx.Response) -> bool:
    """Return whether whoever answered says that another machine is the core."""
    if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
        return False
    try:
        document = json.loads(await response.aread())
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("code") in NO_CORE


def _written_for(address: str, request: httpx.Request) -> httpx.Request:
    """Return the request with another address in it; content and headers stay."""
    target = httpx.URL(address)
    url = request.url.copy_with(scheme=target.scheme, host=target.host, port=target.port)
    headers = request.headers.copy()
    headers["Host"] = url.netloc.decode("ascii")
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
    )
