"""People without a terminal: a real `ssh -T`, its lines in and out."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from tests.e2e.terminals import PATIENCE_SECONDS, DemoClinic


def ssh_command(clinic: DemoClinic, username: str, *options: str) -> list[str]:
    return [
        "ssh", *options, "-p", str(clinic.ssh_port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", "-F", "/dev/null", f"{username}@127.0.0.1",
    ]  # fmt: skip


def ssh_environment(home: Path) -> dict[str, str]:
    secret = home.parent / "askpass"
    secret.write_text("#!/bin/sh\necho demo\n")
    secret.chmod(0o700)
    return {**os.environ, "TERM": "dumb", "SSH_ASKPASS": str(secret), "SSH_ASKPASS_REQUIRE": "force"}


def piped(clinic: DemoClinic, username: str, *answers: str) -> subprocess.CompletedProcess[str]:
    """`ssh host < answers`."""
    return subprocess.run(
        ssh_command(clinic, username, "-T"),
        env=ssh_environment(clinic.home),
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        timeout=60,
    )


class LineTerminal:
    """Somebody who waits for each question before answering it."""

    def __init__(self, clinic: DemoClinic, username: str, *options: str) -> None:
        self.process = subprocess.Popen(
            ssh_command(clinic, username, *(options or ("-T",))),
            env=ssh_environment(clinic.home),
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
