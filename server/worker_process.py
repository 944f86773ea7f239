"""Runs long jobs in a process of their own, at low priority, so that the counters do not wait for them.

In a thread of the server every query of a counter would wait for the job's turns at the interpreter:
measured, the counters' 99th percentile tripled while a day was sent. A job that is cut off is done
again by its next run. A worker never outlives its server, however that ended: it would write on beside the next one.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from core.daily import backup, closing
from core.exchange import service as synchronisation
from core.foundation import jobs, log_files, logs, stopping
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.linkage import review_queue

log = logging.getLogger(__name__)

NICENESS = 10  # of 19: below the server and the terminals, above the machine's idle work
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when the thread that began it is gone."""


def _examine(clinic: Clinic, **options: Any) -> dict[str, Any]:
    """Run the doctor; the other jobs do not wait until its checks are loaded."""
    from server import doctor

    return doctor.documents(clinic, **options)


WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "closing": lambda clinic, **options: closing.run(clinic, **options).model_dump(mode="json"),
    "synchronisation": lambda clinic: synchronisation.run(clinic).document(),
    "base": lambda clinic: backup.make(clinic, "journal").document(),
    "suspects": review_queue.compare_changed,
    "doctor": _examine,
}
"""Name of a job -> its function, called with an open clinic; it returns a JSON-safe document."""

_children: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()


class WorkOrder(BaseModel):
    """One job for a worker process, handed over as JSON on its standard input: settings hold secrets."""

    work: str
    """A name in `WORK`."""
    settings: Settings
    demo: bool
    options: dict[str, Any]


def run(clinic: Clinic, work: str, **options: Any) -> dict[str, Any]:
    """Do one of `WORK` in a new process and wait for it.

    Args:
        clinic: The clinic; the process opens it again by its settings.
        work: A name in `WORK`.
        options: JSON-safe arguments of the job.

    Returns:
        The job's document; `{"error": ...}` when its process ended without an answer.
    """
    order = WorkOrder(work=work, settings=clinic.settings, demo=clinic.demo, options=options)
    watched, held = os.pipe()  # the worker sees the end of it when this process is gone
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "server.worker_process", str(watched)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
            pass_fds=[watched],
        )
        with _guard:
            _children.add(child)
        if stopping.is_asked():  # `end_all` may not have seen it
            child.terminate()
        try:
            answer, _ = child.communicate(order.model_dump_json().encode())
        finally:
            with _guard:
                _children.discard(child)
    finally:
        os.close(watched)
        os.close(held)
    try:
        document: dict[str, Any] = json.loads(answer)
    except ValueError:
        return {"error": f"internal: the process ended with code {child.returncode}"}
    return document


def end_all() -> None:
    """Cut off every running job: the server stops."""
    with _guard:
        children = tuple(_children)
    for child in children:
        child.terminate()


def _end_with_server(watched: int) -> None:
    """End this process, in whatever it is, when the other end of a pipe is closed: its server is gone."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(watched, 64):
                pass
        os.kill(os.getpid(), signal.SIGKILL)

    # The kernel is faster, and ends also a job that lets no other thread run; the pipe works where it cannot.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=watch, daemon=True, name="loket-parent").start()


def main() -> None:
    """Do the job on standard input and print its document: the worker process itself."""
    if len(sys.argv) > 1:
        _end_with_server(int(sys.argv[1]))
    os.nice(NICENESS)
    logs.configure_logging()
    order = WorkOrder.model_validate_json(sys.stdin.buffer.read())
    log_files.keep(order.settings.home)
    try:
        answer = WORK[order.work](
            Clinic.open(order.settings, demo=order.demo, migrates=False), **order.options
        )
    except Exception as error:
        # The edge of this process: a failure that could not be noted in the database is logged.
        log.error("%s failed: %s", order.work, logs.describe_failure(error))
        answer = {"error": str(jobs.problem_of(error))}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
