"""The core's machine is gone: a standby takes over, forms intact, numbers go on, and the old core refuses."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from core.foundation.config import Settings
from server.run import Background
from tests.loket_command import loket
from tests.people import Caller
from tests.ports import free_port
from tests.processes import ServerProcess
from tests.tui.half_typed import half_typed, save
from tests.tui.test_several_cores import answering
from tui.client.core_client import CoreClient
from tui.client.several_cores import SeveralCores

PATIENCE_SECONDS = 240.0
WORDS = "the old machine is off\n"


def waited_for(condition: Callable[[], bool], what: str) -> None:
    until_then = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until_then, what
        time.sleep(0.1)


class Machine:
    """A data folder, the folder of the journal, and the server that may run there."""

    def __init__(self, home: Path, place: Path) -> None:
        self.home, self.place, self.port = home, place, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        self.environment = {
            **plain,
            "LOKET_HOME": str(home),
            "LOKET_HTTP": f"127.0.0.1:{self.port}",
            "LOKET_JOURNAL_DIR": str(place),
            "LOKET_LANGUAGE": "en",
            "LOKET_CLOSE_AT": "23:59",
        }

    def start(self) -> ServerProcess:
        return ServerProcess("--demo", "--no-door", environment=self.environment)

    def run(self, *words: object, typed: str = "") -> str:
        done = loket(*words, environment=self.environment, typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def has_journal(self) -> bool:
        lines = httpx.get(f"{self.url}/metrics", timeout=10).text.splitlines()
        return "loket_journal_lag_actions 0.0" in lines and any(self.place.glob("loket-*.age"))

    def settings(self) -> Settings:
        return Settings.load(self.environment)


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Machine, Machine]:
    place = tmp_path / "place"
    place.mkdir()
    return Machine(tmp_path / "first", place), Machine(tmp_path / "laptop", place)


def numbers(home: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(f"file:{home}/loket.sqlite3?mode=ro", uri=True)) as opened:
        return sorted(opened.execute("SELECT cluster, number FROM ticket").fetchall())


@pytest.mark.timeout(600)
async def test_the_machine_is_gone_and_the_form_is_saved_by_the_standby(
    machines: tuple[Machine, Machine],
) -> None:
    first, laptop = machines
    running = first.start()
    waited_for(first.is_ready, "the first core")
    waited_for(first.has_journal, "its journal")
    key = first.home / "recovery.demo-key"
    assert "action" in laptop.run("standby", first.place, "--key", key, "--once", "--name", "laptop")
    with Caller(first.url, "clerk") as clerk:
        assert clerk.registered()["ticket"]["number"] == "B-001"
        token = clerk.headers["Authorization"].removeprefix("Bearer ")
    trust = {first.url: None, laptop.url: None}
    client = CoreClient(first.url, token, language="en", trust=trust)
    async with half_typed(client) as (app, pilot):
        running.kill()
        running.wait()
        assert "core now" in laptop.run(
            "promote", "--old-is-off", "--because", "the machine is gone", typed=WORDS
        )
        with Background(laptop.settings(), port=laptop.port):
            await save(app, pilot, "B-002")
            with Caller(laptop.url, "clerk") as clerk:
                entries = clerk.get("queues/GIGI").json()["entries"]
            assert [entry["number"] for entry in entries] == ["B-001", "B-002"]
    assert numbers(laptop.home) == [("GIGI", "B-001"), ("GIGI", "B-002")]
    # The old machine is switched on again.
    again = first.start()
    assert again.wait() != 0
    assert not first.is_ready()
    told = loket("doctor", environment=first.environment)
    assert "Another machine took over" in told.stdout
    assert "does not hold: 0" in first.run("superseded")


@pytest.mark.timeout(600)
def test_a_core_that_still_runs_refuses_and_says_so(machines: tuple[Machine, Machine]) -> None:
    first, laptop = machines
    running = first.start()
    waited_for(first.is_ready, "the first core")
    waited_for(first.has_journal, "its journal")
    key = first.home / "recovery.demo-key"
    laptop.run("standby", first.place, "--key", key, "--once", "--name", "laptop")
    told = loket("doctor", environment=laptop.environment).stdout
    assert "a standby: action" in told
    with Caller(first.url, "clerk") as clerk:
        clerk.registered()
        laptop.run("promote", "--old-is-off", "--because", "only a drill", typed=WORDS)
        refused = clerk.register()
    assert (refused.status_code, refused.json()["code"]) == (503, "superseded")
    ready = httpx.get(f"{first.url}/readyz", timeout=5)
    assert (ready.status_code, ready.text) == (503, "superseded\n")
    running.kill()
    running.wait()
    assert numbers(laptop.home) == [("GIGI", "B-001")]


def test_a_promotion_asks_for_words(machines: tuple[Machine, Machine]) -> None:
    _, laptop = machines
    done = loket("promote", "--old-is-off", environment=laptop.environment, typed=WORDS)
    assert done.returncode == 1
    assert "There is no standby" in done.stderr


async def test_a_machine_that_is_not_the_core_is_left_and_nothing_is_sent_twice() -> None:
    asked: list[str] = []

    def refusing(request: httpx.Request) -> httpx.Response:
        asked.append("one")
        return httpx.Response(503, json={"code": "superseded"})

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append("busy")
        return httpx.Response(503, json={"code": "database_busy"})

    several = SeveralCores(
        {"http://one:1": httpx.MockTransport(refusing), "http://two:2": answering("two", asked)}
    )
    async with httpx.AsyncClient(transport=several) as http:
        answer = await http.post("http://one:1/api", content="body")
        assert (answer.status_code, answer.json()) == (503, {"code": "superseded"})
        assert asked == ["one"]
        assert (await http.post("http://one:1/api", content="more")).text == "two"
    # Any other trouble is no reason to leave.
    several = SeveralCores(
        {"http://one:1": httpx.MockTransport(busy), "http://two:2": answering("two", asked)}
    )
    async with httpx.AsyncClient(transport=several) as http:
        await http.get("http://one:1/api")
        await http.get("http://one:1/api")
    assert asked[-2:] == ["busy", "busy"]
