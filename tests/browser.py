"""A real headless Chromium, asked what its page shows."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path

import httpx

CHROMIUM = shutil.which("chromium")


def start_browser(address: str, debug_port: int, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """A browser on a page; the caller terminates it."""
    return subprocess.Popen(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={folder}/chromium",
         f"--remote-debugging-port={debug_port}", *options, address],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Page:
    """A page of a running browser, asked over its debugging port."""

    def __init__(self, port: int) -> None:
        import websockets.sync.client

        deadline = time.monotonic() + 60
        while True:
            try:
                targets = httpx.get(f"http://127.0.0.1:{port}/json").json()
                self._address = next(t for t in targets if t["type"] == "page")["webSocketDebuggerUrl"]
                break
            except (httpx.TransportError, StopIteration):
                assert time.monotonic() < deadline, "the browser did not start"
                time.sleep(0.1)
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(websockets.sync.client.connect(self._address))
        self._id = 0

    def close(self) -> None:
        self._stack.close()

    def ask(self, expression: str) -> object:
        self._id += 1
        question = {"id": self._id, "method": "Runtime.evaluate", "params": {"expression": expression}}
        self._socket.send(json.dumps(question))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._id:
                return answer["result"]["result"].get("value")

    def wait(self, expression: str, value: object) -> None:
        deadline = time.monotonic() + 60
        while self.ask(expression) != value:
            assert time.monotonic() < deadline, f"{expression} never became {value!r}"
            time.sleep(0.05)
