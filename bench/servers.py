"""Starts servers for the benches, also of other checkouts, and waits until they take people in."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

START_SECONDS = 180.0
"""Patience with a start on a loaded machine; nothing is measured by it."""
LOOK_SECONDS = 0.1
ANSWER_SECONDS = 5.0
"""For one answer of a server that is about to be ready."""


def until_ready(
    url: str,
    process: subprocess.Popen[bytes],
    *,
    door: int | None = None,
    path: str = "readyz",
    log: Path | None = None,
    also: Callable[[], bool] = lambda: True,
) -> None:
    """Wait until a server that was just started takes people in.

    Args:
        url: Its address.
        process: Its process.
        door: The port of its SSH door on this machine, which has to take connections too; None: it has none.
        path: What is asked; the office has only `healthz`.
        log: File with its output, told when it does not start.
        also: What else has to be true.

    Raises:
        RuntimeError: It ended, or is not ready after `START_SECONDS`.
    """
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError, OSError):
            is_ready = httpx.get(f"{url}/{path}", timeout=ANSWER_SECONDS).status_code == 200
            if is_ready and (door is None or _listens(door)) and also():
                return
        time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"not ready: {url}\n{log.read_text() if log is not None else ''}")


def _listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS).close()
    return True


@contextlib.contextmanager
def demo_of(
    checkout: Path, http: int, *, ssh: int | None = None, more: Mapping[str, str], before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the demo clinic of a checkout, in a data folder of its own, until the block ends.

    Args:
        checkout: Folder of the commit; it runs with the packages of this one.
        http: Port of the server.
        ssh: Port of its SSH door; None: without.
        more: Further variables. One that is not in the checkout's `.env.example` is left out: an older commit stops at a
            setting that it does not know.
        before: Words before the command, such as `taskset -c 0`.
    """
    known = (checkout / ".env.example").read_text()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOKET_")},
            **{name: value for name, value in more.items() if name in known},
            "PYTHONPATH": str(checkout),
            "LOKET_HOME": home,
            "LOKET_HTTP": f"127.0.0.1:{http}",
            **({"LOKET_SSH": f"127.0.0.1:{ssh}"} if ssh is not None else {}),
        }
        command = [
            *before,
            sys.executable,
            "-m",
            "server",
            "--demo",
            *([] if ssh is not None else ["--no-door"]),
        ]
        file = Path(home) / "server.out"
        with file.open("wb") as log:
            process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=log, stderr=log)
            try:
                until_ready(f"http://127.0.0.1:{http}", process, door=ssh, log=file)
                yield process
            finally:
                process.terminate()
                process.wait()
