"""People at real terminals: a real `ssh` client in a pseudo-terminal, its screen kept by pyte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pyte

from tests.ports import free_port
from tests.processes import ServerProcess

ROOT = Path(__file__).parents[2]
KEYS = {
    "<Enter>": "\r", "<Tab>": "\t", "<Esc>": "\x1b", "<Up>": "\x1b[A", "<Down>": "\x1b[B", "<Right>": "\x1b[C",
    "<Left>": "\x1b[D", "<F1>": "\x1bOP", "<F2>": "\x1bOQ", "<F3>": "\x1bOR", "<F4>": "\x1bOS",
    "<F5>": "\x1b[15~", "<F6>": "\x1b[17~", "<F7>": "\x1b[18~", "<F8>": "\x1b[19~", "<F9>": "\x1b[20~",
    "<F10>": "\x1b[21~", "<Home>": "\x1b[H", "<Ctrl-Q>": "\x11", "<Ctrl-S>": "\x13", "<Backspace>": "\x7f",
}  # fmt: skip
KEY_NAME = re.compile("|".join(map(re.escape, KEYS)) + "|.", re.DOTALL)
PATIENCE_SECONDS = 30.0  # how long a person stares before the test gives up; nothing is asserted about speed


def single_keys(keys: str) -> list[str]:
    """What each key sends, one by one; `<Enter>`, `<F2>` and the like stand for keys."""
    return [KEYS.get(key, key) for key in KEY_NAME.findall(keys)]


def children_of(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


class DemoClinic:
    """`python -m server --demo` with its SSH door, as `make run` starts it."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.settings = settings
        self.log = home.parent / "server.log"
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
            **self.settings,
        }

    def __enter__(self) -> DemoClinic:
        self.start()
        return self

    def start(self) -> None:
        """Start the server, again after it was killed."""
        self.process = ServerProcess("--demo", environment=self.environment, log=self.log)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the server answers and its door is open."""
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, self.log.read_text()
            try:
                httpx.get(f"{self.url}/readyz").raise_for_status()
                socket.create_connection(("127.0.0.1", self.ssh_port)).close()
                return
            except (httpx.HTTPError, OSError):
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0

    def sign_in(
        self,
        username: str,
        columns: int = 80,
        rows: int = 24,
        term: str = "xterm",
        options: Sequence[str] = (),
    ) -> Terminal:
        environment = password_environment(self.home.parent, term)
        return Terminal(ssh_command(username, self.ssh_port, *options), environment, columns, rows)


def ssh_command(username: str, port: int, *more: str, host: str = "127.0.0.1") -> list[str]:
    """The command of a person with a password, whose own settings of ssh do not matter."""
    return [
        "ssh", "-tt", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", "-F", "/dev/null", *more, f"{username}@{host}",
    ]  # fmt: skip


def password_environment(folder: Path, term: str) -> dict[str, str]:
    """What lets ssh find the demo's password without a terminal to ask at."""
    secret = folder / "askpass"
    if not secret.exists():
        secret.write_text("#!/bin/sh\necho demo\n")
        secret.chmod(0o700)
    return {**os.environ, "TERM": term, "SSH_ASKPASS": str(secret), "SSH_ASKPASS_REQUIRE": "force"}


class _Screen(pyte.Screen):
    """pyte's screen, with faint text kept as italics, which nothing here uses: pyte knows no faint text."""

    def select_graphic_rendition(self, *attributes: int, **kind: Any) -> None:
        """Take the attributes of what is written next."""
        super().select_graphic_rendition(*(3 if each == 2 else each for each in attributes), **kind)


class Terminal:
    """A program in a pseudo-terminal, such as one person's `ssh` session."""

    def __init__(
        self, command: list[str], environment: dict[str, str], columns: int = 80, rows: int = 24
    ) -> None:
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.received = 0
        self.ended = False
        """True once the program has said its last."""
        self.raw = b""
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            # Before the program starts: it must never see another size.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._file, 65536):
                with self._lock:
                    self.received += len(data)
                    self.raw += data
                    self._stream.feed(data)
        self.ended = True

    @property
    def text(self) -> str:
        with self._lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def cursor(self) -> tuple[int, int] | None:
        """Column and row of the cursor; None while it is hidden."""
        cursor = self.screen.cursor
        return None if cursor.hidden else (cursor.x, cursor.y)

    @property
    def left_of_cursor(self) -> str:
        """What stands before the cursor in its row."""
        with self._lock:
            return str(self.screen.display[self.screen.cursor.y][: self.screen.cursor.x])

    def cells(self) -> dict[str, Any]:
        """The screen as data: runs of text with attributes `b`old, `f`aint, `u`nderlined and `r`everse, and the cursor."""
        with self._lock:
            rows = [_runs(self.screen.buffer[y], self.screen.columns) for y in range(self.screen.lines)]
            return {"rows": rows, "cursor": self.cursor}

    def press(self, keys: str) -> None:
        """Type; `<Enter>`, `<F2>` and the like stand for keys. All of it leaves in one packet."""
        self.press_all(single_keys(keys))

    def press_all(self, keys: list[str]) -> None:
        """Type what `single_keys` gave."""
        os.write(self._file, "".join(keys).encode())

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}:\n{self.text}"
            time.sleep(0.02)

    def wait_for(self, *words: str) -> str:
        """Wait until all of the words are on the screen."""
        self.wait_until(lambda: all(word in self.text for word in words), f"{words} appeared")
        return self.text

    def wait_without(self, words: str) -> str:
        """Wait until the words are gone."""
        self.wait_until(lambda: words not in self.text, f"{words} went")
        return self.text

    def cut(self) -> None:
        """The line breaks: nothing is said to the other end."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._close()

    def _close(self) -> None:
        """Let the reader come to its end before the number of the file is free: it would read the next terminal's."""
        self._reader.join(PATIENCE_SECONDS)
        os.close(self._file)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._close()
        except (ProcessLookupError, ChildProcessError, OSError):
            pass


def _runs(line: Any, columns: int) -> list[list[str]]:
    runs: list[list[str]] = []
    for x in range(columns):
        cell = line[x]
        shown = (("b", cell.bold), ("f", cell.italics), ("u", cell.underscore), ("r", cell.reverse))
        names = "".join(name for name, is_on in shown if is_on)
        if runs and runs[-1][1] == names:
            runs[-1][0] += cell.data
        else:
            runs.append([cell.data, names])
    return runs
