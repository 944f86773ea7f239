"""A second PostgreSQL by its own replication: the doctor says how far it is, and Loket goes on there when the first is gone."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from core.foundation import database_replica
from core.foundation.config import Settings
from core.foundation.database import connection, database
from server.doctor import journal_checks
from server.run import Background
from server.text.translation import speaking
from tests.people import Caller, registration
from tests.postgres import Cluster, machine, new_database

MANUAL = Path(__file__).parents[2] / "docs" / "running.md"


class Pair:
    """Two machines: the second made by the manual's commands."""

    def __init__(self, first: Cluster, second: Cluster) -> None:
        self.first, self.second = first, second
        first.make()
        first.start()
        name = urlsplit(new_database(first.url)).path.lstrip("/")
        self.one = f"{first.url}{name}"
        self.both = (
            f"postgresql://loket@/{name}?host=127.0.0.1,127.0.0.1&port={first.port},{second.port}"
            "&target_session_attrs=read-write"
        )

    def replicate(self) -> None:
        """Make the second machine the first one's replica."""
        slot, command = _recipe()
        with psycopg.connect(self.one, autocommit=True) as session:
            session.execute(slot)
        here = command.replace("FIRST", f"127.0.0.1 port={self.first.port}").replace("loket_archive", "loket")
        words = shlex.split(here.split(" -D ")[0])
        assert database_replica.SLOT in words
        self.second.call(*words, "-D", str(self.second.data))
        self.second.start()

    def promote(self) -> None:
        self.second.call("pg_ctl", "-D", str(self.second.data), "-w", "promote")


def _recipe() -> tuple[str, str]:
    """Return the manual's statement that makes the slot, and its command that makes the replica."""
    text = MANUAL.read_text()
    (slot,) = re.findall(r'-c "(SELECT pg_create_physical_replication_slot[^"]+)"', text)
    (command,) = re.findall(r"^sudo -u postgres (pg_basebackup .*)$", text, re.MULTILINE)
    return slot, command


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        made = Pair(stack.enter_context(machine()), stack.enter_context(machine()))
        yield made


def told(url: str) -> tuple[str, ...] | None:
    with connection():
        return database_replica.examine(url)


def told_until_it_follows(url: str) -> tuple[str, ...] | None:
    """Return what is told once the replica has connected, which takes it a moment."""
    end = time.monotonic() + 60
    while (found := told(url)) == ("replica_silent",):
        assert time.monotonic() < end, "it does not follow"
        time.sleep(0.1)
    return found


def test_from_one_machine_to_the_other(pair: Pair, tmp_path: Path) -> None:
    """One story, since each part rests on the one before."""
    body = registration()
    with Background(Settings(home=tmp_path / "home", database_url=pair.both)) as running:
        assert told(pair.one) is None
        assert told(pair.both) == ("replica_missing",)
        pair.replicate()
        assert told_until_it_follows(pair.one) == ("replica_unnamed", "replica_not_waited")
        with psycopg.connect(pair.one, autocommit=True) as session:
            session.execute("ALTER SYSTEM SET synchronous_standby_names = 'loket_replica'")
            session.execute("SELECT pg_reload_conf()")
        with Caller(running.url, "clerk") as clerk:
            number = clerk.post("registrations", json=body).json()["ticket"]["number"]
        assert told(pair.both) == ()
        with speaking("en"), connection():
            lines = [finding.words for finding in journal_checks.check_journal(running.clinic)]
        assert lines == ["the second PostgreSQL holds every saved action"]
        pair.first.die()
        pair.promote()
        with Caller(running.url, "clerk") as clerk:
            again = clerk.post("registrations", json=body)
            assert (again.status_code, again.json()["ticket"]["number"]) == (200, number)
            following = clerk.post("registrations", json=registration()).json()["ticket"]["number"]
        assert following != number
        assert told(pair.both) == ("replica_missing",)
        database.close()
