"""A line to PostgreSQL that falls silent, nothing reset: the other server goes on, and the first one recovers (F5)."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from core.foundation.database import (
    LINE_LIMITS,
    SESSION_LIMITS,
    connect,
    connection,
    open_database,
    transaction,
    watched,
)
from tests.postgres import cluster
from tests.server.silent_line import SilentLine

HOLDER = """
import sys
import peewee
from core.foundation.database import connection, database, open_database, transaction

open_database(sys.argv[1])
try:
    with transaction():
        print("holds", flush=True)
        sys.stdin.readline()
        database.execute_sql("SELECT 1")
except peewee.DatabaseError as error:
    print("lost", flush=True)
with transaction():
    print("again", database.execute_sql("SELECT 1").fetchone()[0], flush=True)
"""
"""A server that has the writers' lock when its line falls silent, tries to go on later, and then once more."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with cluster() as url:
        yield f"{url}postgres"


@pytest.fixture
def line(postgres: str) -> Iterator[SilentLine]:
    made = SilentLine(postgres)
    yield made
    made.close()


def test_another_server_saves_while_the_first_ones_line_is_silent(postgres: str, line: SilentLine) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, line.through(postgres)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    try:
        assert holder.stdout.readline() == "holds\n"
        line.fall_silent()
        open_database(postgres)
        with transaction():  # waits for the lock, and gets it: PostgreSQL has ended the silent one's session
            pass
        line.come_back()
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "lost\n", "what it had begun is not committed"
        assert holder.stdout.readline() == "again 1\n", "and no dead connection is handed out again"
    finally:
        holder.kill()
        holder.wait()


def test_every_connection_has_the_limits(postgres: str) -> None:
    """The pool's, and that of the feed: both ends notice a line on which nothing comes any more."""
    opened = connect(postgres)
    opened.connect()
    try:
        for name, value in SESSION_LIMITS.items():
            assert opened.execute_sql(f"SHOW {name}").fetchone()[0] == str(value), name
        handle = socket.socket(fileno=opened.connection().pgconn.socket)
        try:
            assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            for option, name in (
                (socket.TCP_USER_TIMEOUT, "tcp_user_timeout"),
                (socket.TCP_KEEPIDLE, "keepalives_idle"),
                (socket.TCP_KEEPINTVL, "keepalives_interval"),
                (socket.TCP_KEEPCNT, "keepalives_count"),
            ):
                assert handle.getsockopt(socket.IPPROTO_TCP, option) == LINE_LIMITS[name], name
        finally:
            handle.detach()
    finally:
        opened.close()


def test_a_connection_that_the_server_ended_is_not_handed_out(postgres: str) -> None:
    opened = open_database(postgres)
    with connection():
        (ours,) = opened.execute_sql("SELECT pg_backend_pid()").fetchone()
    with psycopg.connect(postgres, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", (ours,))
        while administrator.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (ours,)).fetchone():
            pass
    with connection():
        assert opened.execute_sql("SELECT pg_backend_pid()").fetchone()[0] != ours


def test_postgresqls_own_tools_have_the_limits_too(postgres: str) -> None:
    """A dump on a silent line would keep the day's closing for hours."""
    with psycopg.connect(watched(postgres)) as session:
        given = session.info.get_parameters()
    assert {name: given[name] for name in LINE_LIMITS} == {
        name: str(value) for name, value in LINE_LIMITS.items()
    }
    assert "keepalives_idle=7" in watched(f"{postgres}?keepalives_idle=7"), "what the admin names stays"
    assert watched(f"{postgres}?keepalives_idle=7").count("keepalives_idle") == 1
