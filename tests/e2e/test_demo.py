"""`loket demo` in a terminal: panes move, and nothing is left when the terminal is closed."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.foundation.config import Settings
from tests.people import Caller
from tests.ports import free_port

PATIENCE_SECONDS = 240.0  # nothing is asserted about speed


class OpenedDemo:
    """`loket demo` in a pseudo-terminal."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ, "LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{self.port}", "TERM": "xterm",
            "LOKET_SSH": f"127.0.0.1:{free_port()}", "LOKET_LANGUAGE": "en", "COLUMNS": "80", "LINES": "24",
        }  # fmt: skip
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-m", "server.cli", "demo", *options], environment)

    def read_until(self, words: bytes) -> bytes:
        """Return what the terminal shows until these words."""
        shown, until = b"", time.monotonic() + PATIENCE_SECONDS
        while words not in shown:
            assert time.monotonic() < until, shown[-2000:]
            if select.select([self.terminal], [], [], 0.2)[0]:
                shown += os.read(self.terminal, 65536)
        return shown

    def pids(self) -> dict[int, str]:
        """Processes of this demo, with their command lines."""
        mark = f"LOKET_HOME={self.home}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile, or is another user's
        return {pid: line for pid, line in found.items() if line}

    def processes(self) -> list[str]:
        """Command lines of all processes of this demo."""
        return list(self.pids().values())

    def nothing_is_left(self) -> None:
        """Wait until no process of the demo runs."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.processes():
            assert time.monotonic() < until, self.processes()
            time.sleep(0.1)


def _close_the_terminal(demo: OpenedDemo) -> None:
    os.close(demo.terminal)


def _kill(number: int) -> Callable[[OpenedDemo], None]:
    return lambda demo: os.kill(demo.pid, number)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "ended_by", [_close_the_terminal, _kill(signal.SIGKILL), _kill(signal.SIGTERM)],
    ids=["terminal closed", "kill -9", "kill"],
)  # fmt: skip
def test_no_process_of_the_demo_outlives_its_terminal(
    settings: Settings, tmp_path: Path, ended_by: Callable[[OpenedDemo], None]
) -> None:
    demo = OpenedDemo(tmp_path / "home", "--quiet")
    try:
        demo.read_until(b"Demo: everybody's password is demo.")
        assert sum("-m server --demo" in line for line in demo.processes()) == 1
        ended_by(demo)
        os.waitpid(demo.pid, 0)
        if ended_by is not _close_the_terminal:
            os.close(demo.terminal)
        demo.nothing_is_left()
    finally:
        for pid in demo.pids():
            os.kill(pid, signal.SIGKILL)


def test_the_panes_of_the_demo_move(tmp_path: Path) -> None:
    demo = OpenedDemo(tmp_path / "home")
    try:
        demo.read_until(b"Demo: everybody's password is demo.")
        with Caller(demo.url, "supervisor") as supervisor:
            first = {item["code"]: item["waiting"] for item in supervisor.get("clusters").json()}
            assert sum(first.values()) >= 12
            begin = supervisor.get("queues/UMUM").json()["sequence"]
            until = time.monotonic() + PATIENCE_SECONDS
            while supervisor.get("queues/UMUM").json()["sequence"] == begin:
                assert time.monotonic() < until
                time.sleep(0.5)
    finally:
        os.close(demo.terminal)
        os.waitpid(demo.pid, 0)
        demo.nothing_is_left()
