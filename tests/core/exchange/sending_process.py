"""A run of the sending in a process of its own, which may be killed at any moment."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from core.exchange import service as synchronisation
from core.exchange.service import Pace
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from tests.processes import PROCESSES


def begin(home: Path, url: str, token: str) -> BaseProcess:
    """Start a process that sends, and wait until it begins to."""
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_send, args=(home, url, token, there), daemon=True)
    process.start()
    assert here.recv() == "begun"
    return process


def _send(home: Path, url: str, token: str, starter: Connection) -> None:
    clinic = Clinic.open(Settings(home=home, office_url=url, office_token=token))
    starter.send("begun")
    synchronisation.run(clinic, pace=Pace(first_batch=3, max_batch=3, rest=0.0))
