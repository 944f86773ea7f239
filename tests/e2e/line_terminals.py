"""People without a terminal: a real `ssh -T`, its lines in and out."""

from __future__ import annotations

import subprocess
import threading
import time

from tests.e2e.terminals import PATIENCE_SECONDS, DemoClinic, password_environment, ssh_command


def line_ssh_command(username: str, port: int, *options: str, host: str = "127.0.0.1") -> list[str]:
    """As `ssh_command`, but without asking for a terminal unless the options do."""
    ssh, _with_terminal, *rest = ssh_command(username, port, host=host)
    return [ssh, *(options or ("-T",)), *rest]


def piped(clinic: DemoClinic, username: str, *answers: str) -> subprocess.CompletedProcess[str]:
    """`ssh host < answers`."""
    return subprocess.run(
        line_ssh_command(username, clinic.ssh_port),
        env=password_environment(clinic.home.parent, "dumb"),
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        timeout=60,
    )


def line_terminal(clinic: DemoClinic, username: str, *options: str) -> LineTerminal:
    """Somebody's `ssh -T` to a demo clinic; other options instead of `-T`."""
    command = line_ssh_command(username, clinic.ssh_port, *options)
    return LineTerminal(command, password_environment(clinic.home.parent, "dumb"))


class LineTerminal:
    """Somebody who waits for each question before answering it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._heard = b""
        self._read_up_to = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while data := self.process.stdout.read(65536):
            self._heard += data

    @property
    def text(self) -> str:
        return self._heard.decode()

    def hears(self, words: str) -> str:
        """Wait until the words were said after what was heard before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (at := self.text.find(words, self._read_up_to)) < 0:
            assert time.monotonic() < deadline, f"{words!r} never came:\n{self.text}"
            time.sleep(0.02)
        heard = self.text[self._read_up_to :]
        self._read_up_to = at + len(words)
        return heard

    def types(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())

    def answers(self, *answers: str, to: str = ":") -> None:
        for answer in answers:
            self.hears(to)
            self.types(f"{answer}\n")

    def cut(self) -> None:
        """The line breaks: nothing is said to the other end."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> LineTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self._reader.join()
        self.process.stdout.close()
