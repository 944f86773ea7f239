"""An SSH server that gives each connection a program in a pseudo-terminal, with the door's own algorithms.

The yardsticks run behind it: ncurses, and the app with Textual's own driver. What differs from Loket's door is
then only what the program writes.

    python -m bench.counter.pty_door PORT HOME PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import asyncssh

from tui.door import ssh_server
from tui.door.asyncssh_internals import drop_padding_packets
from tui.door.host_key import FILE_NAME, load_host_key


class Visitor(asyncssh.SSHServer):
    """Signs in any name with the demo's password."""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Send no padding, as the door does."""
        drop_padding_packets(conn)

    def begin_auth(self, username: str) -> bool:
        """Require authentication."""
        return True

    def password_auth_supported(self) -> bool:
        """Offer passwords."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Accept the demo's password."""
        return password == "demo"


async def serve_one(process: asyncssh.SSHServerProcess[bytes], command: list[str]) -> None:
    """Pass bytes between a channel and a program until either ends."""
    master, slave = pty.openpty()
    columns, rows, *_ = process.get_terminal_size()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**os.environ, "TERM": process.get_terminal_type() or "xterm", "LANG": "C.UTF-8"}
    child = subprocess.Popen(  # noqa: ASYNC220  # one program a bench
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def pass_on() -> None:
        try:
            process.stdout.write(os.read(master, 65536))
        except OSError:
            loop.remove_reader(master)
            ended.set()

    loop.add_reader(master, pass_on)
    try:
        while data := await process.stdin.read(65536):
            os.write(master, data)
    finally:
        child.kill()
        child.wait()
        await ended.wait()
        os.close(master)
        process.exit(0)


async def serve(port: int, home: Path, command: list[str]) -> None:
    async with asyncssh.listen(
        "0.0.0.0", port, server_factory=Visitor, process_factory=lambda process: serve_one(process, command),
        server_host_keys=[load_host_key(home / FILE_NAME)], kex_algs=[*ssh_server.POST_QUANTUM, *ssh_server.CLASSIC], encryption_algs=ssh_server.CIPHERS,
        mac_algs=ssh_server.MACS, compression_algs=ssh_server.COMPRESSIONS, signature_algs=ssh_server.SIGNATURES, server_version="Loket",
        keepalive_interval=0, line_editor=False, kbdint_auth=False, encoding=None,
    ) as server:  # fmt: skip
        await server.wait_closed()


if __name__ == "__main__":
    # By the ordinary way out: the program behind a channel must not be left running without its terminal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
