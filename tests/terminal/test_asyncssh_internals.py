"""What `tui/door/asyncssh_internals.py` takes from asyncssh's insides still is what it was."""

from __future__ import annotations

import asyncio
import inspect

import asyncssh

from tests.terminal.conftest import until
from tests.terminal.door import client, open_door
from tui.door.asyncssh_internals import is_alive, unsent_bytes


def test_a_connection_sends_every_packet_through_one_method():
    parameters = list(inspect.signature(asyncssh.SSHServerConnection.send_packet).parameters)
    assert parameters == ["self", "pkttype", "args", "handler"]
    assert asyncssh.constants.MSG_IGNORE == 2


async def test_a_letter_comes_back_in_one_packet(tmp_path):
    """No padding packet is put before the echo of a key."""
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        clerk.type("a")
        await until(lambda: clerk.emulator.text().splitlines()[1].startswith("|a "))
        before, packets = clerk.received, clerk.connection._recv_seq
        clerk.type("b")
        await until(lambda: clerk.received != before)
        assert clerk.received[len(before) :] == b"b"
        assert clerk.connection._recv_seq == packets + 1


async def test_a_living_client_answers_and_a_dead_one_does_not(tmp_path):
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        (connection,) = opened.door.state.connections
        assert await is_alive(connection, 5.0)
        assert unsent_bytes(connection) >= 0
        transport = clerk.connection._transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        assert not await is_alive(connection, 0.2)
        transport.resume_reading()


async def test_what_a_client_does_not_take_is_counted(tmp_path):
    """Bytes in asyncio's and in the kernel's buffers count as pending."""
    async with open_door(tmp_path) as opened, client(opened) as clerk:
        await clerk.sees("Counter")
        (connection,) = opened.door.state.connections
        await until(lambda: unsent_bytes(connection) == 0)
        transport = clerk.connection._transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        for _ in range(200):
            connection.send_debug("x" * 30_000)
        assert unsent_bytes(connection) > 100_000
        transport.resume_reading()
