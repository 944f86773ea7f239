"""The end of a server: its workers end with it, also when it is killed, and no slow service holds up its stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.daily import backup
from core.exchange.bpjs import bpjs_keys
from core.exchange.bpjs.bpjs_link import BpjsLink
from core.exchange.satusehat.requests import Access
from core.foundation import jobs, stopping
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.errors import SyncError
from server import scheduler, worker_process

SERVER = """
import sys
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from server import worker_process
worker_process.run(Clinic.open(Settings.model_validate_json(sys.argv[1])), "base")
"""
"""A process that does to a worker what a server does."""


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def running() -> Iterator[None]:
    """A process that is not about to end, before and after."""
    stopping.forget()
    yield
    stopping.forget()


def test_a_worker_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    pause = tmp_path / "pause"
    settings = Settings(
        home=tmp_path / "home",
        backup_command=f"{sys.executable} -c 'import os, pathlib, time; "
        f'pathlib.Path("{pause}").write_text(str(os.getpid())); time.sleep(600)\'',
    )
    Clinic.open(settings)
    backup.create_recovery_key(settings.home)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, settings.model_dump_json()],
        env={name: value for name, value in os.environ.items() if not name.startswith("LOKET_")},
    )
    try:
        until(lambda: pause.exists() and pause.read_text())
        assert jobs.is_running(settings.home, "backup")
        server.kill()
        server.wait()
        until(lambda: not jobs.is_running(settings.home, "backup"))
    finally:
        server.kill()
        if pause.exists():
            os.kill(int(pause.read_text()), signal.SIGKILL)


def test_a_job_that_waits_for_a_slow_service_is_left_at_the_stop(
    tmp_path: Path, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = threading.Event(), threading.Event()

    def ask(clinic: Clinic) -> None:
        asked.set()
        answers.wait()

    monkeypatch.setattr(scheduler, "STOP_SECONDS", 0.2)
    clinic = Clinic.open(Settings(home=tmp_path / "home"))
    daily = scheduler.start(clinic)
    daily.add_job(ask, "date", args=[clinic], id="slow")
    asked.wait()
    until(lambda: daily.get_job("slow") is None)  # begun, and off the list
    assert scheduler.stop(daily)
    answers.set()


def test_without_such_a_job_nothing_is_left(tmp_path: Path, running: None) -> None:
    assert not scheduler.stop(scheduler.start(Clinic.open(Settings(home=tmp_path / "home"))))


def test_no_request_to_a_service_begins_in_a_process_that_ends(tmp_path: Path, running: None) -> None:
    """Each of many that wait would have its own half minute."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    keys = bpjs_keys.Keys("1", "secret", "key", "user", "password", "095")
    stopping.ask()
    with pytest.raises(SyncError, match="cut_off"):
        BpjsLink("https://bpjs.example", keys, client).get("peserta/1")
    with pytest.raises(SyncError, match="cut_off"):
        Access(Settings(home=tmp_path, satusehat_url="https://satusehat.example"), client).greet()
    assert not sent


def test_no_worker_goes_on_that_was_begun_after_the_stop(tmp_path: Path, running: None) -> None:
    clinic = Clinic.open(Settings(home=tmp_path / "home"))
    stopping.ask()
    assert "ended with code" in worker_process.run(clinic, "suspects")["error"]
