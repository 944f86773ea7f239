"""A request across a thin line is one packet."""

from __future__ import annotations

import asyncio
import sys
from importlib.abc import MetaPathFinder

import httpx
import pytest

from tui.client.transport import one_packet_transport


async def test_head_and_body_are_written_at_once():
    """What the server's first read brings is the whole request; so is that of the next on the same line."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            heard.append(data)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(transport=one_packet_transport()) as client:
        for name in ("Ana", "Budi"):
            response = await client.post(f"http://127.0.0.1:{port}/", json={"name": name})
            assert response.text == "ok"
    assert [data.startswith(b"POST /") for data in heard] == [True, True]
    assert [data.endswith(b"}") for data in heard] == [True, True]


async def test_a_long_body_arrives_whole():
    received = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        received.extend(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(transport=one_packet_transport()) as client:
        content = bytes(range(256)) * 400
        assert (await client.post(f"http://127.0.0.1:{port}/", content=content)).status_code == 204
    assert bytes(received) == content


async def test_no_request_searches_for_modules(monkeypatch: pytest.MonkeyPatch):
    """httpcore looked for sniffio several times a request: each goes through all folders of packages in vain."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    searched: list[str] = []

    class Noting(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            searched.append(name)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, httpx.AsyncClient(transport=one_packet_transport()) as client:
        await client.get(url)
        monkeypatch.setattr(sys, "meta_path", [Noting(), *sys.meta_path])
        await client.get(url)
    assert searched == []
