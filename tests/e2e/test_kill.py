"""`kill -9` at any moment: what was acknowledged is there once, what was not can be sent again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.people import Caller, registration
from tests.ports import free_port
from tests.processes import ServerProcess

KILLS = 50


class Process:
    """A server process of its own, without a door."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "LOKET_HOME": str(home), "LOKET_HTTP": f"127.0.0.1:{self.port}"}
        self._process = ServerProcess("--demo", "--no-door", environment=environment)
        while True:
            assert self._process.poll() is None, "the server did not start"
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.02)

    def end(self, number: signal.Signals) -> int:
        self._process.send_signal(number)
        return self._process.wait()


@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_double_nothing(
    demo_home: Path, settings: object, tmp_path: Path
) -> None:
    chance = random.Random(7)
    home = tmp_path / "home"
    bodies = []
    acknowledged = {}
    for _ in range(KILLS):
        server = Process(home)
        with Caller(server.url, "clerk") as clerk:
            clerk.timeout = httpx.Timeout(5)
            # Several saves, the last of which is hit at a random moment of its life.
            for _ in range(chance.randrange(1, 4)):
                body = registration()
                bodies.append(body)
                if chance.random() < 0.4:
                    saved = clerk.post("registrations", json=body)
                    acknowledged[body["id"]] = saved.json()["ticket"]["number"]
            body = registration()
            bodies.append(body)
            killer = subprocess.Popen(
                ["sh", "-c", f"sleep {chance.uniform(0, 0.03):.4f}; kill -9 {server._process.pid}"]
            )
            try:
                answer = clerk.post("registrations", json=body)
                if answer.status_code == 201:
                    acknowledged[body["id"]] = answer.json()["ticket"]["number"]
            except httpx.TransportError:
                pass
            killer.wait()
            server._process.wait()
    server = Process(home)
    with Caller(server.url, "clerk") as clerk:
        receipts = {}
        for body in bodies:
            answer = clerk.post("registrations", json=body)
            assert answer.status_code in {200, 201}, answer.text
            if body["id"] in acknowledged:
                assert answer.status_code == 200, "an acknowledged registration was lost"
                assert answer.json()["ticket"]["number"] == acknowledged[body["id"]]
            receipts[body["id"]] = answer.json()["ticket"]["number"]
        numbers = sorted(receipts.values())
        assert numbers == [f"B-{n:03d}" for n in range(1, len(bodies) + 1)]
        assert len(clerk.get("queues/GIGI").json()["entries"]) == len(bodies)
    assert server.end(signal.SIGTERM) == 0


def test_sigterm_finishes_requests_and_makes_no_half_ticket(settings: object, tmp_path: Path) -> None:
    server = Process(tmp_path / "home")
    with Caller(server.url, "clerk") as clerk:
        stream = httpx.stream("GET", f"{server.url}/api/v1/changes", headers=clerk.headers, timeout=30)
        with stream as open_stream:
            assert open_stream.status_code == 200  # a pane that would never hang up by itself
            saved = clerk.registered()
            assert server.end(signal.SIGTERM) == 0
    again = Process(tmp_path / "home")
    with Caller(again.url, "clerk") as clerk:
        assert [entry["number"] for entry in clerk.get("queues/GIGI").json()["entries"]] == [
            saved["ticket"]["number"]
        ]
    assert again.end(signal.SIGTERM) == 0
