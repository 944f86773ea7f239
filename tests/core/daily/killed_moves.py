"""Moves a clinic to another database and kills itself on the way."""

from __future__ import annotations

import os
import signal

from core.daily import moving
from tests.processes import PROCESSES


def move_and_be_killed(source: str, target: str, step: int) -> int | None:
    """Move in a process of its own that is killed at a step; return its exit status.

    Args:
        source: URL of the database.
        target: URL of the empty one.
        step: How many steps it tells of before; each table is several.
    """
    process = PROCESSES.Process(target=_move, args=(source, target, step), daemon=True)
    process.start()
    process.join()
    return process.exitcode


def _move(source: str, target: str, step: int) -> None:
    told = 0

    def tell(*_: object) -> None:
        nonlocal told
        told += 1
        if told == step:
            os.kill(os.getpid(), signal.SIGKILL)

    moving.BATCH = 7
    moving.move(source, target, tell)
