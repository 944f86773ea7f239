"""A demo clinic whose server and door can be reached over the counted line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.counter.link import FAR
from bench.servers import until_ready
from core.foundation.config import Settings
from server.run import Background
from tests.e2e.terminals import ROOT, Terminal, children_of, password_environment, ssh_command
from tests.people import Caller

HTTP_PORT, SSH_PORT = 8460, 8422
TERM = "xterm-256color"


def prepared_home() -> Path:
    """Make a demo clinic's data folder, once for all runs; the caller removes it."""
    home = Path(tempfile.mkdtemp(prefix="loket-bench-")) / "prepared"
    with Background(Settings(home=home)):
        pass
    return home


MANY_OF_ONE_ACCOUNT = {
    "LOKET_SSH_SEATS": "1000",
    "LOKET_SSH_SEATS_PER_ACCOUNT": "1000",
    "LOKET_SSH_CONNECTIONS_PER_ACCOUNT": "1000",
    "LOKET_SSH_CONNECTIONS_PER_SOURCE": "1000",
    "LOKET_SSH_STARTS": "1000:30:2000",
    "LOKET_SSH_STARTS_PER_SOURCE": "1000",
    "LOKET_HTTP_STREAMS_PER_ACCOUNT": "300",
    "LOKET_HTTP_STREAMS_PER_SOURCE": "300",
    "LOKET_HTTP_STREAMS_PER_STRANGER": "150",
}
"""Benches sit at one address and sign in as one account; a clinic's bounds would measure nothing but themselves."""


class Clinic:
    """A server and its SSH door on a data folder of their own, until the block ends.

    Attributes:
        url: Address of the core, not over the line.
        folder: The folder of its data and its log.
    """

    def __init__(self, prepared: Path, *, with_door: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="loket-bench-"))
        self.home = self.folder / "home"
        self.url = f"http://127.0.0.1:{HTTP_PORT}"
        shutil.copytree(prepared, self.home)
        self._with_door = with_door
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOKET_")},
            "LOKET_HOME": str(self.home),
            "LOKET_LANGUAGE": "en",
            "LOKET_HTTP": f"0.0.0.0:{HTTP_PORT}",
            "LOKET_SSH": f"0.0.0.0:{SSH_PORT}",
            "LOKET_SERVER_URL": self.url,
            "LOKET_PLAIN_HTTP": "yes",  # what a line costs is measured without encryption, as before there was any
            **MANY_OF_ONE_ACCOUNT,
        }

    def __enter__(self) -> Clinic:
        self._log = (self.folder / "server.log").open("ab")
        command = [sys.executable, "-m", "server", *([] if self._with_door else ["--no-door"])]
        self._process = subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=self._log, stderr=self._log
        )
        door = SSH_PORT if self._with_door else None
        until_ready(self.url, self._process, door=door, log=self.folder / "server.log")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._log.close()
        shutil.rmtree(self.folder)

    def children(self) -> list[int]:
        """Return the ids of the processes that the server started: its door."""
        return children_of(self._process.pid)

    def sign_in(self, username: str, *more: str, host: str = FAR) -> Terminal:
        """Open a real `ssh` session over the line; `more` are options of ssh such as `-C`."""
        return Terminal(
            ssh_command(username, SSH_PORT, *more, host=host), password_environment(self.folder, TERM)
        )

    def caller(self, username: str) -> Caller:
        """Return an account's calls to the core, not over the line."""
        return Caller(self.url, username)
