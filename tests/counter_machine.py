"""A counter's own machine as a process of its own, with a line to the core that a test cuts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from core.counters import machines
from core.foundation import feed
from core.foundation.database import connection
from tests.cut_line import CutLine
from tests.ports import free_port

OWN_ROUTES = {("GET", "/counter"), ("GET", "/counter/questions"), ("POST", "/counter/settled")}
"""Method and path of what the machine answers itself (server.counter.gate)."""
SECONDS = 25.0  # a slow machine starts two servers at once


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if found := holds():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{what} has not come")


class CounterMachine:
    """The machine; its core is open in this process."""

    def __init__(self, core_url: str, home: Path, *, name: str = "Loket 1", secret: bytes = b"") -> None:
        self.line = CutLine(int(core_url.rsplit(":", 1)[1]))
        self.home, self.name = home, name
        home.mkdir(mode=0o700)
        with connection():
            (home / "counter.token").write_text(machines.add(name))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api/v1/"
        self._secret = home.parent / f"{home.name}.secret"
        if secret:
            self._secret.write_bytes(secret)
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("LOKET_")}
        return {
            **own,
            "LOKET_HOME": str(self.home),
            "LOKET_HTTP": f"127.0.0.1:{self.port}",
            "LOKET_SERVER_URL": self.line.url,
            "LOKET_COUNTER_SECRET": str(self._secret) if self._secret.exists() else "",
        }

    def start(self) -> None:
        with (self.home / "out.log").open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve", "--role", "counter", "--no-door"],
                env=self.environment(), stdout=out, stderr=out,
            )  # fmt: skip
        until(lambda: httpx.get(f"{self.url}/healthz"), "the counter")

    def kill(self) -> None:
        """Switch the machine off."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self.line.close()

    def standing(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.api}counter").json()
        return found

    def near(self) -> dict[str, Any]:
        """Wait until the core answers and has everything."""
        return until(lambda: (s := self.standing()) and not s["is_away"] and s["is_open"] and s, "the core")

    def fresh(self) -> None:
        """Wait until the machine has what the core has now."""
        with connection():
            newest = feed.newest_sequence()
        until(lambda: self.standing()["sequence"] >= newest, "the copy")

    def cut(self) -> None:
        self.line.cut()
        until(lambda: self.standing()["is_away"], "the loss")

    def join(self) -> dict[str, Any]:
        self.line.join()
        return self.near()
