"""People at real terminals: a real `ssh` client in a pseudo-terminal, its screen kept by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pyte

ROOT = Path(__file__).parents[2]
KEYS = {
    "<Enter>": "\r", "<Tab>": "\t", "<Esc>": "\x1b", "<Up>": "\x1b[A", "<Down>": "\x1b[B", "<Right>": "\x1b[C",
    "<Left>": "\x1b[D", "<F1>": "\x1bOP", "<F2>": "\x1bOQ", "<F3>": "\x1bOR", "<F4>": "\x1bOS",
    "<F5>": "\x1b[15~", "<F6>": "\x1b[17~", "<F7>": "\x1b[18~", "<F8>": "\x1b[19~", "<F9>": "\x1b[20~",
    "<F10>": "\x1b[21~", "<Ctrl-Q>": "\x11", "<Ctrl-S>": "\x13", "<Backspace>": "\x7f",
}  # fmt: skip
PATIENCE_SECONDS = 30.0  # how long a person stares before the test gives up; nothing is asserted about speed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DemoClinic:
    """`python -m server --demo` with its SSH door, as `make run` starts it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.http_port, self.ssh_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "LOKET_HOME": str(self.home),
            "LOKET_LANGUAGE": "en",
            "LOKET_HTTP": f"127.0.0.1:{self.http_port}",
            "LOKET_SSH": f"127.0.0.1:{self.ssh_port}",
        }

    def __enter__(self) -> DemoClinic:
        self.log = (self.home.parent / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "--demo"],
            env=self.environment,
            cwd=ROOT,
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, (self.home.parent / "server.log").read_text()
            try:
                httpx.get(f"{self.url}/readyz").raise_for_status()
                socket.create_connection(("127.0.0.1", self.ssh_port)).close()
                return self
            except (httpx.HTTPError, OSError):
                assert time.monotonic() < deadline, (self.home.parent / "server.log").read_text()
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0
        self.log.close()

    def sign_in(
        self,
        username: str,
        columns: int = 80,
        rows: int = 24,
        term: str = "xterm",
        options: Sequence[str] = (),
    ) -> Terminal:
        return Terminal(self, username, columns, rows, term, options)


class Terminal:
    """One person's `ssh` session."""

    def __init__(
        self, clinic: DemoClinic, username: str, columns: int, rows: int, term: str, options: Sequence[str]
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.received = 0
        self.raw = b""
        secret = clinic.home.parent / "askpass"
        secret.write_text("#!/bin/sh\necho demo\n")
        secret.chmod(0o700)
        environment = {**os.environ, "TERM": term, "SSH_ASKPASS": str(secret), "SSH_ASKPASS_REQUIRE": "force"}
        command = [
            "ssh", "-tt", *options, "-p", str(clinic.ssh_port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", "-F", "/dev/null", f"{username}@127.0.0.1",
        ]  # fmt: skip
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.execvpe("ssh", command, environment)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._file, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self.received += len(data)
                self.raw += data
                self._stream.feed(data)

    @property
    def text(self) -> str:
        with self._lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, keys: str) -> None:
        """Type; `<Enter>`, `<F2>` and the like stand for keys. All of it leaves in one packet."""
        for name, sequence in KEYS.items():
            keys = keys.replace(name, sequence)
        os.write(self._file, keys.encode())

    def wait_for(self, *words: str) -> str:
        """Wait until all of the words are on the screen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(word in self.text for word in words):
            assert time.monotonic() < deadline, f"{words} never appeared:\n{self.text}"
            time.sleep(0.02)
        return self.text

    def wait_without(self, words: str) -> str:
        """Wait until the words are gone."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words in self.text:
            assert time.monotonic() < deadline, f"{words} stayed:\n{self.text}"
            time.sleep(0.02)
        return self.text

    def cut(self) -> None:
        """The line breaks: nothing is said to the other end."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._file)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._file)
        except (ProcessLookupError, ChildProcessError, OSError):
            pass
