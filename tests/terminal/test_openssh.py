"""The door with the client that people really use: OpenSSH's `ssh`."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import shutil
import socket
import struct
import subprocess
import sys
import termios
from pathlib import Path

import asyncssh
import pytest

from tests.terminal.conftest import until
from tests.terminal.door import open_door
from tests.terminal.screens import Emulator
from tests.terminal.test_lines import dialogue
from tui.door.admission import Penalty

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no OpenSSH client")


def command(port: int, key: Path, *more: str) -> list[str]:
    options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
        "LogLevel=ERROR",
    ]
    words = [word for option in options for word in ("-o", option)]
    return ["ssh", "-F", "none", "-p", str(port), "-i", str(key), *words, *more, "clerk@127.0.0.1"]


def make_key(opened, folder: Path) -> Path:
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = folder / "id"
    path.write_bytes(key.export_private_key("openssh"))
    path.chmod(0o600)
    opened.accounts.keys["clerk"] = " ".join(key.export_public_key("openssh").decode().split()[:2])
    return path


@pytest.mark.parametrize("compression", [(), ("-C",)])
async def test_ssh_on_a_terminal(tmp_path, compression):
    """Sign in by key, type, leave; with and without compression."""
    async with open_door(tmp_path / "home") as opened:
        key = make_key(opened, tmp_path)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        child = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time worth a thread
            command(opened.door.port, key, *compression),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "HOME": str(tmp_path)},
        )
        os.close(slave)
        emulator = Emulator(80, 24)
        loop = asyncio.get_running_loop()

        def read() -> None:
            try:
                emulator.feed(os.read(master, 65536))
            except OSError:
                loop.remove_reader(master)

        loop.add_reader(master, read)
        try:
            await until(lambda: "Counter of clerk" in emulator.text(), "first screen")
            os.write(master, b"Mendoza\tAna\t1990")
            await until(lambda: opened.apps[0].values()["birth"] == "1990")
            await until(lambda: "1990" in emulator.text())
            os.write(master, b"\x1b[21~")
            await until(lambda: child.poll() is not None)
            assert child.returncode == 0
        finally:
            loop.remove_reader(master)
            child.kill()
            child.wait()
            os.close(master)


async def test_ssh_without_a_terminal(tmp_path):
    async with open_door(tmp_path / "home", line_mode=dialogue) as opened:
        key = make_key(opened, tmp_path)
        child = await asyncio.create_subprocess_exec(
            *command(opened.door.port, key, "-T"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        out, _ = await child.communicate(b"Siti\n")
        assert out.decode() == "account-clerk: who?\n— hello Siti\n"


SECOND_DOOR = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.terminal.counter import Counter
from tests.terminal.door import Accounts, Address, Settings
from tui.door.contracts import DoorOptions
from tui.door.ssh_server import serve
settings = Settings(Path({home!r}), Address(port={port}))
asyncio.run(serve(settings, lambda *_: Counter("second"), Accounts(), options=DoorOptions(reuse_port=True)))
"""


async def test_a_second_door_on_the_same_port(tmp_path):
    """Two processes listen on one port with one host key, and both get people."""
    root = str(Path(__file__).parents[2])
    async with open_door(tmp_path, {"reuse_port": True}) as opened:
        port = opened.door.port
        script = SECOND_DOOR.format(root=root, home=str(tmp_path), port=port)
        child = subprocess.Popen([sys.executable, "-c", script])  # noqa: ASYNC220
        try:
            names: set[str] = set()
            host_keys: set[str] = set()
            for _ in range(200):
                connection = await asyncssh.connect(
                    "127.0.0.1", port, username="clerk", password="demo", known_hosts=None, client_keys=None,
                    agent_path=None, config=None,
                )  # fmt: skip
                host_key = connection.get_server_host_key()
                assert host_key is not None
                host_keys.add(host_key.get_fingerprint())
                process = await connection.create_process(
                    term_type="xterm", term_size=(80, 24), encoding=None
                )
                seen = b""
                while b"nobody" not in seen:
                    seen += await process.stdout.read(4096)
                names.add("second" if b"second" in seen else "first")
                connection.abort()
                if names == {"first", "second"}:
                    break
            assert names == {"first", "second"}
            assert len(host_keys) == 1
        finally:
            child.kill()
            child.wait()


def test_a_port_that_is_taken_is_an_error(tmp_path):
    """Without the wish to share, a taken port is said, not shared in silence."""

    async def run(port: int) -> None:
        async with open_door(
            tmp_path, settings={"ssh": type("A", (), {"host": "127.0.0.1", "port": port})()}
        ):
            pass

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            asyncio.run(run(taken.getsockname()[1]))


async def test_ssh_shows_how_long_to_wait(tmp_path):
    """B4: who is turned away reads why, instead of "Connection reset" or "Permission denied"."""
    async with open_door(tmp_path / "home") as opened:
        key = make_key(opened, tmp_path)
        penalties = opened.door.state.admission.penalties
        penalties._now = lambda: 0.0
        for _ in range(4):
            penalties.add("127.0.0.1", Penalty.WRONG)
        child = await asyncio.create_subprocess_exec(
            *command(opened.door.port, key, "-T"), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )  # fmt: skip
        _, told = await child.communicate()
        assert "please wait 20 seconds" in told.decode()
        assert opened.apps == []
        await until(lambda: opened.door.state.admission._explaining == 0)
