"""Long work in a process of its own, at low priority, so that the counters do not wait for it.

In a thread of the server every query of a counter would wait for this work's turns at the
interpreter; measured, the counters' p99 tripled while a day was sent. What is cut off here is
done again by its next run.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import closing, job_runs, suspects, synchronisation
from core.clinic import Clinic
from server.problems import PlacesOnly, log_unexpected

NICENESS = 10

WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "closing": closing.run,
    "synchronisation": lambda clinic: synchronisation.run(clinic).document(),
    "suspects": suspects.look_through,
}
"""Name -> what is done with an open clinic; returns JSON-safe facts."""

_children: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()


def run(clinic: Clinic, work: str, **options: Any) -> dict[str, Any]:
    """Do one of `WORK` and wait for it.

    Returns:
        What it returned; `{"error": ...}` when its process ended without an answer.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "server.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    with _guard:
        _children.add(child)
    try:
        answer, _ = child.communicate(pickle.dumps((work, clinic.settings, clinic.demo, options)))
    finally:
        with _guard:
            _children.discard(child)
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError:
        return {"error": f"internal: the process ended with code {child.returncode}"}
    return document


def end_all() -> None:
    """Cut off whatever runs: the server stops."""
    with _guard:
        children = tuple(_children)
    for child in children:
        child.terminate()


def main() -> None:
    """The process: work, settings and options in, the answer out."""
    os.nice(NICENESS)
    record = logging.StreamHandler()
    record.setFormatter(PlacesOnly("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[record])
    logging.getLogger("httpx").setLevel(logging.WARNING)
    work, settings, demo, options = pickle.load(sys.stdin.buffer)  # noqa: S301  # our own parent wrote it
    try:
        answer = WORK[work](Clinic.open(settings, demo=demo), **options)
    except Exception as error:
        # This process's edge: what could not even be noted in the database reaches the server's log.
        log_unexpected(error, work)
        answer = {"error": job_runs.reason(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
