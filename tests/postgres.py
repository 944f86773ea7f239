"""A PostgreSQL cluster of the tests' own, in a folder that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests import scratch
from tests.ports import free_port


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let `-k "not postgres"` leave out whatever asks for the cluster."""
    if "postgres" in getattr(item, "fixturenames", ()):
        item.extra_keyword_matches.add("postgres")


NUMBERS = count(1)
"""Of databases, each with a name of its own."""


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Cluster:
    """A PostgreSQL on a data folder, which may be killed and whose folder may go."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"postgresql://loket@127.0.0.1:{self.port}/"
        self._folder = folder
        # PostgreSQL refuses to run as root, so root hands it to the system's `postgres` account.
        self._as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as_other:
            shutil.chown(folder, "postgres")

    def call(self, program: str, *arguments: str) -> None:
        command = [*self._as_other, str(self.programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def make(self) -> None:
        """Make an empty one."""
        self.call("initdb", "-D", str(self.data), "-U", "loket", "--auth=trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} "
            "-c fsync=off"
        )
        log = str(self._folder / "log")
        self.call("pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l", log, "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def die(self) -> None:
        """Be killed at once, with the disk."""
        process = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(process, signal.SIGKILL)
        shutil.rmtree(self.data, ignore_errors=True)


@contextmanager
def machine() -> Iterator[Cluster]:
    """A folder for a cluster that is not there yet; whatever runs in it at the end is stopped."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    folder = Path(tempfile.mkdtemp(prefix="loket-pg-", dir=scratch.folder()))
    cluster = Cluster(programs, folder)
    try:
        yield cluster
    finally:
        if (cluster.data / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; yields the URL of its database without a name: `postgresql://.../`."""
    with machine() as made:
        made.make()
        made.start()
        yield made.url


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL cluster without a database's name; `new_database` makes one."""
    with cluster() as url:
        yield url


def new_database(server: str) -> str:
    """Make an empty database; gives its URL.

    Args:
        server: The cluster's URL, as `cluster` yields it.
    """
    name = f"clinic_{next(NUMBERS)}"
    with psycopg.connect(f"{server}postgres", autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}")
    return f"{server}{name}"
