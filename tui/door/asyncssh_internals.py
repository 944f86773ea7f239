"""All uses of asyncssh's private parts.

`tests/terminal/test_asyncssh_internals.py` checks each use, so that an upgrade that breaks one fails there.

- asyncssh puts an empty MSG_IGNORE (36 bytes on the wire) before every encrypted packet, a defence for CBC
  ciphers that AEAD ciphers do not need; only AEAD ciphers are offered here.
- Its `pause_writing` does nothing while the client's window has room, so the bytes that wait in the transport and in
  the kernel must be counted.
- A question that any living client must answer tells a half-open connection from a quiet one.
- It checks what a client has signed to sign in by key and keeps it to itself; the core wants to check it too.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.constants import MSG_IGNORE

KEEPALIVE_IDLE_SECONDS = 240  # of silence before TCP asks whether the other side is there
KEEPALIVE_EVERY_SECONDS = 30  # between the questions after that
KEEPALIVE_TRIES = 4  # unanswered questions after which the line is dead
UNACKNOWLEDGED_MILLISECONDS = 90_000  # data not acknowledged for so long: the line is dead


def drop_padding_packets(connection: asyncssh.SSHServerConnection) -> None:
    """Send no MSG_IGNORE on this connection."""
    send = connection.send_packet

    def send_unless_padding(packet_type: int, *parts: bytes, handler: Any = None) -> None:
        if packet_type != MSG_IGNORE:
            send(packet_type, *parts, handler=handler)

    vars(connection)["send_packet"] = send_unless_padding


def unsent_bytes(connection: asyncssh.SSHServerConnection) -> int:
    """Return the number of bytes that wait in asyncio and in the kernel, unacknowledged ones included."""
    transport = connection._transport
    if transport is None:
        return 0
    waiting = transport.get_write_buffer_size()
    sock = connection.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        try:
            # SIOCOUTQ of a TCP socket is the same request as TIOCOUTQ of a terminal.
            waiting += struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        except OSError:
            return int(waiting)
    return int(waiting)


async def is_alive(connection: asyncssh.SSHServerConnection, seconds: float) -> bool:
    """Return whether a client answers a request that every client answers, if only with "unknown request"."""
    try:
        async with asyncio.timeout(seconds):
            await connection._make_global_request(b"keepalive@openssh.com")
    except (TimeoutError, asyncssh.Error, OSError):
        return False
    return True


def watch_line(connection: asyncssh.SSHServerConnection) -> None:
    """Let the kernel find dead lines: no byte at the SSH level, and none at all while there is traffic."""
    sock = connection.get_extra_info("socket")
    if sock is None:
        return
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_EVERY_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_TRIES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MILLISECONDS),
    ):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def keep_proof(connection: asyncssh.SSHServerConnection, keep: Callable[[bytes, bytes, bytes], None]) -> None:
    """Pass on what a client has signed to sign in by key, once asyncssh has found it good.

    Args:
        connection: Not signed in yet.
        keep: Called with the session's id, the request that was signed, and the signature.
    """
    validate = connection.validate_public_key

    async def validate_and_keep(username: str, key_data: bytes, msg: bytes, signature: bytes) -> bool:
        is_good = await validate(username, key_data, msg, signature)
        if is_good and msg:
            keep(connection._session_id, msg, signature)
        return is_good

    vars(connection)["validate_public_key"] = validate_and_keep
