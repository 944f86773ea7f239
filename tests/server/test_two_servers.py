"""Two servers on one PostgreSQL: one's line falls silent or its process is killed, the other goes on; either closes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.foundation import audit_check
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import Ticket
from server.run import Background
from tests.e2e.terminals import DemoClinic
from tests.people import Caller, registration
from tests.postgres import new_database
from tests.server.silent_line import SilentLine


@pytest.fixture
def database_url(postgres: str) -> str:
    return new_database(postgres)


@pytest.fixture
def line(database_url: str) -> Iterator[SilentLine]:
    made = SilentLine(database_url)
    yield made
    made.close()


@pytest.fixture
def near(database_url: str, tmp_path: Path) -> Iterator[Background]:
    """The server of this process, beside the database."""
    with Background(Settings(home=tmp_path / "near", database_url=database_url)) as running:
        yield running


@pytest.fixture
def far(near: Background, line: SilentLine, database_url: str, tmp_path: Path) -> Iterator[DemoClinic]:
    """The other server, a process of its own with its own data folder, whose line can fall silent."""
    home = tmp_path / "far" / "home"
    home.parent.mkdir()
    clinic = DemoClinic(home, LOKET_DATABASE_URL=line.through(database_url))
    clinic.start()
    yield clinic
    clinic.process.kill()
    clinic.process.wait()


class Load:
    """Clerks who save at one server without a pause, each again with the same id until it is answered."""

    def __init__(self, url: str, clerks: int = 4) -> None:
        self.acknowledged: list[str] = []
        self._ending = threading.Event()
        self._callers = [Caller(url, "clerk") for _ in range(clerks)]
        self._threads = [threading.Thread(target=self._save, args=(each,)) for each in self._callers]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, number: int) -> None:
        while len(self.acknowledged) < number:
            threading.Event().wait(0.02)

    def _save(self, caller: Caller) -> None:
        body = registration()
        while not self._ending.is_set():
            with contextlib.suppress(httpx.TransportError):
                answer = caller.post("registrations", json=body, timeout=5)
                if answer.status_code in {200, 201}:
                    self.acknowledged.append(answer.json()["ticket"]["number"])
                    body = registration()


def numbers_given() -> list[str]:
    with connection():
        return sorted(row.number for row in Ticket.select().where(Ticket.cluster == "GIGI"))


def is_on_the_pane(caller: Caller, number: str) -> bool:
    pane: Any = caller.get("queues/GIGI").json()
    return number in str(pane)


def test_saves_go_on_while_the_line_of_the_other_server_is_silent(
    near: Background, far: DemoClinic, line: SilentLine
) -> None:
    with Load(far.url) as load, Caller(near.url, "clerk") as clerk:
        load.wait_for(8)
        line.fall_silent()
        meanwhile = [clerk.registered()["ticket"]["number"] for _ in range(5)]
        line.come_back()
        load.wait_for(len(load.acknowledged) + 4)  # the silent one recovers by itself
    given = numbers_given()
    assert set(meanwhile) <= set(given)
    assert set(load.acknowledged) <= set(given), "nothing that it acknowledged is missing"
    assert given == [f"B-{number:03d}" for number in range(1, len(given) + 1)], (
        "no number twice, none left out"
    )


def test_what_one_server_saves_stands_on_the_other_ones_pane(near: Background, far: DemoClinic) -> None:
    with (
        Caller(near.url, "clerk") as clerk,
        Caller(far.url, "clerk") as other_clerk,
        Caller(near.url, "dentist") as dentist,
        Caller(far.url, "dentist") as other_dentist,
    ):
        here, there = clerk.registered(), other_clerk.registered()
        assert is_on_the_pane(other_dentist, here["ticket"]["number"])
        assert is_on_the_pane(dentist, there["ticket"]["number"])
        with ThreadPoolExecutor(2) as pool:
            calls = [
                pool.submit(who.post, "queues/GIGI/call-next", json={}) for who in (dentist, other_dentist)
            ]
            called = {call.result().json()["id"] for call in calls}
        assert len(called) == 2, "never the same person by both"


def test_a_server_killed_under_load_loses_nothing_and_stops_nobody(near: Background, far: DemoClinic) -> None:
    with Caller(near.url, "clerk") as clerk:
        with Load(far.url) as load:
            load.wait_for(12)
            far.process.kill()
            after = [clerk.registered()["ticket"]["number"] for _ in range(5)]
        given = numbers_given()
        assert {*after, *load.acknowledged} <= set(given)
        assert given == [f"B-{number:03d}" for number in range(1, len(given) + 1)]


def test_both_servers_have_the_same_keys(near: Background, far: DemoClinic) -> None:
    """Also the one that joined: with another audit key each start would break the chain of the other."""
    homes = near.clinic.settings.home, far.home
    for name in ("servers.key", "audit.key"):
        first, second = ((home / name).read_bytes() for home in homes)
        assert first == second, name
    with Caller(near.url, "clerk") as one, Caller(far.url, "clerk") as other:
        for caller in (one, other, one):
            caller.registered()
    with connection():
        assert audit_check.verify().problems == []
