"""Connecting costs few bytes: what the door offers before anybody has signed in."""

from __future__ import annotations

import asyncio
import shutil
import struct

import pytest

from tests.terminal.door import open_door

KEXINIT = 20
COOKIE = 16
MARKERS = {"ext-info-s", "kex-strict-s-v00@openssh.com"}  # no algorithms: they say what else is understood
LISTS = (
    "key exchange", "host key", "cipher up", "cipher down", "mac up", "mac down", "compression up", "compression down",
    "language up", "language down",
)  # fmt: skip


async def offered(port: int) -> tuple[dict[str, list[str]], int, bytes]:
    """The door's algorithm lists, the bytes it sends before any answer, and its greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"SSH-2.0-test\r\n")
    greeting = await reader.readline()
    header = await reader.readexactly(5)
    length, padding = struct.unpack(">IB", header)
    payload = (await reader.readexactly(length - 1))[: length - 1 - padding]
    assert payload[0] == KEXINIT
    writer.close()
    await writer.wait_closed()
    lists, at = {}, 1 + COOKIE
    for name in LISTS:
        (size,) = struct.unpack(">I", payload[at : at + 4])
        text = payload[at + 4 : at + 4 + size].decode()
        lists[name] = [item for item in text.split(",") if item and item not in MARKERS]
        at += 4 + size
    return lists, len(greeting) + 4 + length, greeting


async def test_one_or_two_of_each_kind_are_offered(tmp_path):
    async with open_door(tmp_path) as opened:
        lists, size, greeting = await offered(opened.door.port)
    assert greeting == b"SSH-2.0-Loket\r\n"
    assert lists["host key"] == ["ssh-ed25519"]
    for name in LISTS[:8]:
        assert 1 <= len(lists[name]) <= 2, name
    assert lists["language up"] == lists["language down"] == []
    assert all("gcm" in cipher or "poly1305" in cipher for cipher in lists["cipher down"])
    assert size < 400


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
async def test_nothing_invites_clients_to_hide_keystrokes_in_chaff(tmp_path):
    """OpenSSH 9.5 and newer send 7 to 24 times the bytes to a server that says it knows `ping@openssh.com`."""
    async with open_door(tmp_path) as opened:
        ssh = await asyncio.create_subprocess_exec(
            "ssh", "-vvv", "-F", "/dev/null", "-p", str(opened.door.port), "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "clerk@127.0.0.1",
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        told = (await ssh.communicate())[1].decode()
    assert "kex_input_ext_info: server-sig-algs=" in told
    assert "ping@openssh.com" not in told
