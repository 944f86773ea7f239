"""The same driver on a terminal of this process: a real pseudo-terminal with the app in a child process."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.terminal.screens import Emulator

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from tests.terminal.counter import Counter
from tui.terminal.local import AppFailedError, NoTerminalError, run_local
try:
    run_local(lambda capabilities: Counter("local"))
except AppFailedError:
    print("FAILED")
except NoTerminalError:
    print("NO TERMINAL")
else:
    print("ENDED")
"""


class Session:
    """A child on a pseudo-terminal of 80x24."""

    def __init__(self, term: str = "xterm") -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.emulator = Emulator(80, 24)
        self.received = b""
        self.child = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(root=str(ROOT))],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=os.environ | {"TERM": term},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read_until(self, text: str) -> None:
        while text not in self.emulator.text():
            assert self.pump(), f"never saw {text!r} in\n{self.emulator.text()}"

    def pump(self, seconds: float = 30) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        data = os.read(self.master, 65536)
        self.received += data
        self.emulator.feed(data)
        return True

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait(self) -> None:
        while self.child.poll() is None:
            self.pump(0.1)
        while self.pump(0.1):
            pass

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def local():
    session = Session()
    yield session
    session.close()


def test_the_app_runs_and_gives_the_terminal_back(local):
    """Keys work, the window's size is followed, and the terminal's modes are as before at the end."""
    local.read_until("Counter of local")
    assert termios.tcgetattr(local.slave) != local.before
    local.type("Mendoza\tAna")
    local.read_until("Ana")
    fcntl.ioctl(local.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    os.kill(local.child.pid, signal.SIGWINCH)
    local.emulator.resize(100, 30)
    local.read_until("Counter of local")
    local.type("\x1b[21~")
    local.wait()
    assert b"ENDED" in local.received
    assert b"\x1b[?1049l" in local.received
    assert termios.tcgetattr(local.slave) == local.before


@pytest.mark.parametrize(("term", "obeys"), [("vt220", True), ("xterm", False)])
def test_a_vt_stops_the_line_by_itself(term, obeys):
    """The kernel obeys XOFF of a real terminal; elsewhere Ctrl+S is a key like any other."""
    session = Session(term)
    try:
        session.read_until("Counter of local")
        assert bool(termios.tcgetattr(session.slave)[0] & termios.IXON) is obeys
        # Left while the terminal wants silence: the shell must not wait for its XON.
        session.type("\x13")
        os.kill(session.child.pid, signal.SIGTERM)
        session.wait()
        assert termios.tcgetattr(session.slave) == session.before
    finally:
        session.close()


def test_a_failing_app_gives_the_terminal_back(local):
    """No traceback, no patient's number, and a usable terminal."""
    local.read_until("Counter of local")
    local.type("\x1b[20~")
    local.wait()
    assert b"FAILED" in local.received
    assert b"6371014101900001" not in local.received
    assert termios.tcgetattr(local.slave) == local.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(local, number):
    local.read_until("Counter of local")
    os.kill(local.child.pid, number)
    local.wait()
    assert b"\x1b[?1049l" in local.received
    assert termios.tcgetattr(local.slave) == local.before


def test_the_shell_keeps_a_blocking_terminal(local):
    """Non-blocking mode stays with the app's own descriptor."""
    local.read_until("Counter of local")
    assert os.get_blocking(local.slave)


def test_without_a_terminal_it_says_so():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(root=str(ROOT))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "NO TERMINAL"
