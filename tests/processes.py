"""Processes of Loket, each forked from one that has read its modules already: a start takes a tenth of the time.

A process is one of its own all the same, with an environment and output of its own and nothing opened before;
`kill -9` takes it away at any moment. A start from nothing, `loket demo`, is that of `tests/e2e/test_wheel.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "tests.read_ahead"])


class ServerProcess:
    """`python -m server`, with the part of `subprocess.Popen` that the tests use."""

    def __init__(self, *arguments: str, environment: dict[str, str], log: Path | None = None) -> None:
        """Start it.

        Args:
            arguments: Words after `python -m server`.
            environment: All of its environment.
            log: File to which its output and that of its children is appended; None: nowhere.
        """
        given = (list(arguments), environment, str(log or os.devnull))
        self._process = PROCESSES.Process(target=_serve, args=given, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(arguments: list[str], environment: dict[str, str], log: str) -> None:
    for number, file in enumerate((os.devnull, log, log)):
        opened = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("r", "w", "w"))
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["server", *arguments]
    runpy.run_module("server", run_name="__main__")
