"""A PostgreSQL cluster of the tests' own, in a folder that goes away."""

from __future__ import annotations

import os
import shutil
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

NUMBERS = count(1)
"""Of databases, each with a name of its own."""


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; yields the URL of its database without a name: `postgresql://.../`.

    PostgreSQL refuses to run as root, so root hands it to the system's `postgres` account.
    """
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed here")
    as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="loket-pg-", dir=scratch.folder()))
    port = free_port()
    if as_other:
        shutil.chown(folder, "postgres")

    def call(*command: str) -> None:
        subprocess.run([*as_other, *command], check=True, capture_output=True, cwd="/")

    call(
        str(programs / "initdb"),
        "-D",
        f"{folder}/data",
        "-U",
        "loket",
        "--auth=trust",
        "-E",
        "UTF8",
        "--no-sync",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call(
        str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w", "-o", options, "-l", f"{folder}/log", "start"
    )
    try:
        yield f"postgresql://loket@127.0.0.1:{port}/"
    finally:
        call(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


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
