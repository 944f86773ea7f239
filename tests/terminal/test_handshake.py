"""Connecting costs few bytes: what the door offers before anybody has signed in."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct

import asyncssh
import pytest

from tests.terminal.door import client, open_door

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


async def test_the_exchange_is_post_quantum_and_no_nist_curve_is_offered(tmp_path):
    """C13: a client that knows such an exchange uses it; the classic one is for those that do not, unless barred."""
    async with open_door(tmp_path) as opened:
        lists, _, _ = await offered(opened.door.port)
        assert lists["key exchange"] == ["mlkem768x25519-sha256", "curve25519-sha256"]
        assert not any("nistp" in name for names in lists.values() for name in names)
        for wanted in ("mlkem768x25519-sha256", "curve25519-sha256"):
            async with client(opened, kex_algs=[wanted]) as person:
                await person.sees("Counter")
    async with open_door(tmp_path, {"classic_exchange": False}) as opened:
        async with client(opened) as person:
            await person.sees("Counter")
        with pytest.raises((asyncssh.Error, OSError)):
            async with client(opened, kex_algs=["curve25519-sha256"]):
                pass


AUDIT = shutil.which("ssh-audit")


@pytest.mark.skipif(AUDIT is None, reason="ssh-audit is not installed here")
@pytest.mark.parametrize("classic", [False, True])
async def test_ssh_audit_has_no_warning(tmp_path, classic):
    """Except, where it is allowed, that the classic exchange is not post-quantum: older clients need it."""
    assert AUDIT is not None
    async with open_door(tmp_path, {"classic_exchange": classic}) as opened:
        opened.door.state.admission.known.add("127.0.0.1")  # its many connections are no flood
        audit = await asyncio.create_subprocess_exec(
            AUDIT, "--json", "--skip-rate-test", "-p", str(opened.door.port), "127.0.0.1",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        report = json.loads((await audit.communicate())[0])
    notes = [
        (item["algorithm"], level)
        for kind in ("kex", "key", "enc", "mac")
        for item in report[kind]
        for level in ("fail", "warn")
        if item.get("notes", {}).get(level)
    ]
    assert report["kex"], report
    assert notes == ([("curve25519-sha256", "warn")] if classic else [])


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
