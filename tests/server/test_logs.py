"""No process of Loket writes a patient's data to its log when it fails: only types and places in the code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.foundation.config import Settings
from server import problems
from server.office.app import add_clinic
from server.worker_process import WorkOrder
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
NAME, NIK = "Siti Aminah", "6371014101900001"
PLANTED = f"""
def fail(*arguments, **options):
    raise ValueError("cannot place '{NAME}', NIK {NIK}")

async def fail_later(*arguments, **options):
    fail()
"""
START_SECONDS = 60.0


def begin(script: str, home: Path, **variables: str) -> subprocess.Popen[bytes]:
    """A process with a planted fault, its standard input and error at our end."""
    environment = {**os.environ, "LOKET_HOME": str(home), **variables}
    return subprocess.Popen(
        [sys.executable, "-c", PLANTED + script],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def log_of(script: str, home: Path, given: bytes = b"", **variables: str) -> str:
    """What a process with a planted fault leaves on standard output and standard error."""
    output, errors = begin(script, home, **variables).communicate(given, timeout=120)
    return (output + errors).decode()


def log_of_server(script: str, home: Path, port: int, path: str, **asked: Any) -> str:
    """What a server with a planted fault logs when it is asked for `path`."""
    process = begin(script, home, LOKET_HTTP=f"127.0.0.1:{port}", LOKET_OFFICE_HTTP=f"127.0.0.1:{port}")
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(f"{url}/healthz", timeout=1)
                break
            except httpx.TransportError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.05)
        assert httpx.get(url + path, timeout=30, **asked).status_code == 500
    finally:
        process.terminate()
        output, errors = process.communicate(timeout=60)
    return (output + errors).decode()


def assert_only_types_and_places(log: str) -> None:
    assert "ValueError at" in log, log
    assert NAME not in log, log
    assert NIK not in log, log


def test_the_server_logs_no_values(settings: Settings) -> None:
    script = """
from core.foundation.config import Settings
from server import display, run
display.waiting_room = fail
run.serve(Settings.load(), demo=True, with_door=False)
"""
    log = log_of_server(script, settings.home, free_port(), "/display/board")
    assert_only_types_and_places(log)


def test_the_office_logs_no_values(tmp_path: Path) -> None:
    script = """
from core.foundation.config import Settings
from server.office import app, fhir_search
fhir_search.search = fail
app.serve_office(Settings.load())
"""
    token = add_clinic(Settings(home=tmp_path), "P6371010101", "Puskesmas Contoh")
    headers = {"Authorization": f"Bearer {token}"}
    log = log_of_server(script, tmp_path, free_port(), f"/fhir/Patient?name={NAME}", headers=headers)
    assert_only_types_and_places(log)


def test_a_command_that_synchronises_logs_no_values(settings: Settings) -> None:
    script = """
from core.exchange.office.office_target import OfficeTarget
from server.cli import main
OfficeTarget.prepare = fail
main(["sync", "now"])
"""
    assert_only_types_and_places(
        log_of(script, settings.home, LOKET_OFFICE_URL="http://127.0.0.1:9/fhir", LOKET_OFFICE_TOKEN="x")
    )


def test_a_command_that_fails_logs_no_values(settings: Settings) -> None:
    script = """
from core.daily.reports import report_tables
from server.cli import main
report_tables.build = fail
main(["report", "lb1"])
"""
    assert_only_types_and_places(log_of(script, settings.home))


def order(work: str, settings: Settings, **options: object) -> bytes:
    return WorkOrder(work=work, settings=settings, demo=True, options=options).model_dump_json().encode()


def test_a_worker_process_logs_no_values(settings: Settings) -> None:
    script = """
from server import worker_process
worker_process.WORK["suspects"] = fail
worker_process.main()
"""
    given = order("suspects", settings)
    assert_only_types_and_places(log_of(script, settings.home, given))


def test_a_closing_step_in_a_worker_process_logs_no_values(settings: Settings) -> None:
    script = """
from core.daily import closing_actions
from server import worker_process
closing_actions.backup.make = fail
worker_process.main()
"""
    assert_only_types_and_places(log_of(script, settings.home, order("closing", settings, send=False)))


def test_the_door_logs_no_values(settings: Settings) -> None:
    # A library's own log line, a task that nobody waits for, a thread, and a fault that ends the process.
    script = """
import asyncio, gc, logging, threading
import tui.door.program as door

async def serve(*arguments, **options):
    try:
        fail()
    except ValueError as error:
        logging.getLogger("asyncssh").error("Uncaught exception", exc_info=error)
    task = asyncio.ensure_future(fail_later())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    fail()

door.serve = serve
door.rehearse = lambda language: asyncio.sleep(0)
door.main()
"""
    log = log_of(script, settings.home, LOKET_DOOR_TOKEN="x")
    assert_only_types_and_places(log)
    assert log.count("ValueError") >= 4, log


def test_the_terminal_logs_no_values(tmp_path: Path) -> None:
    script = """
from tui import __main__ as terminal
terminal.run_local = fail
terminal.main(["--server", "http://127.0.0.1:9"])
"""
    assert_only_types_and_places(log_of(script, tmp_path))


def test_the_terminals_line_mode_logs_no_values(tmp_path: Path) -> None:
    script = """
from tui import __main__ as terminal
from tui.lines import standard_io
standard_io.run_lines = fail
terminal.main(["--server", "http://127.0.0.1:9", "--lines"])
"""
    assert_only_types_and_places(log_of(script, tmp_path))


async def test_an_address_with_somebodys_number_is_logged_by_its_pattern(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/antrean/sisapeserta/{card}/{poli}/{day}")
    def left(card: str, poli: str, day: str) -> None:
        raise ValueError(card)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        answer = await client.get("/antrean/sisapeserta/0001234567890/UMU/2026-12-01")
    assert answer.status_code == 500
    assert "/antrean/sisapeserta/{card}/{poli}/{day} failed" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("server")]
    assert "0001234567890" not in "".join(ours)
