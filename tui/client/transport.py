"""Sends a request's head and body in one packet.

httpcore writes them one after the other and its sockets do not wait (TCP_NODELAY), so each request with a body
is two packets: 52 bytes of headers more, and an acknowledgement. Here written bytes are held until an answer
is read, since the request is complete then.
"""

from __future__ import annotations

import importlib.util
import ssl
import sys
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

KEPT_SECONDS = (
    70.0  # for which an unused connection is kept: a new one costs four packets. The server's limit is 75
)
MOST_HELD_BYTES = 4096  # beyond it a second packet is needed anyway

if importlib.util.find_spec("sniffio") is None:
    # httpcore asks for it at each lock of each request, and looks through all folders of packages in vain.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class _JoinedStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._held = b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # httpcore's
        self._held += buffer
        if len(self._held) > MOST_HELD_BYTES:
            await self._send(timeout)

    async def _send(self, timeout: float | None) -> None:  # noqa: ASYNC109  # as above
        held, self._held = self._held, b""
        if held:
            await self._stream.write(held, timeout)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # as above
        await self._send(timeout)
        return await self._stream.read(max_bytes, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # as above
    ) -> httpcore.AsyncNetworkStream:
        return _JoinedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _JoiningBackend(httpcore.AnyIOBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _JoinedStream(stream)


def one_packet_transport(tls: ssl.SSLContext | None = None) -> httpx.AsyncHTTPTransport:
    """Return a transport for `httpx.AsyncClient`; without `tls` publicly known servers are trusted.

    httpcore's pool takes a network backend, but httpx has no parameter for it, so the pool gets it afterwards.
    `tests/tui/test_transport.py` fails when an upgrade moves it.
    """
    limits = httpx.Limits(keepalive_expiry=KEPT_SECONDS)
    transport = httpx.AsyncHTTPTransport(verify=tls or True, limits=limits)
    vars(transport._pool)["_network_backend"] = _JoiningBackend()
    return transport
