"""The printer that hangs on the terminal: its bytes come between `CSI 5 i` and `CSI 4 i`, and nowhere else."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.line_terminals import line_terminal
from tests.e2e.terminals import PATIENCE_SECONDS, DemoClinic, Terminal

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
TO_COMPLAINT = "<Tab>" * 13
PRINTED = re.compile(rb"\x1b\[5i(.*?)\x1b\[4i", re.DOTALL)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[DemoClinic]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with DemoClinic(home) as running:
        yield running


def printed(clerk: Terminal) -> bytes:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := PRINTED.search(clerk.raw)) is None:
        assert time.monotonic() < deadline, clerk.text
        time.sleep(0.02)
    return found[1]


def test_a_ticket_on_a_thermal_printer_and_its_qr_code_on_the_screen(clinic: DemoClinic) -> None:
    with clinic.sign_in("clerk", options=["-o", "SetEnv=LOKET_TERMINAL=printer=yes"]) as clerk:
        clerk.wait_for("Registration", "Search")
        clerk.press("Ana Mendoza<F2>")
        clerk.wait_for("New patient", "Ana Mendoza")
        clerk.press(f"6371015708900002{TO_COMPLAINT}sakit gigi geraham")
        clerk.wait_for("sakit gigi geraham")
        clerk.press("<F10>")
        clerk.wait_for("Confirm before saving")
        clerk.press("<Enter>")
        clerk.wait_for("Saved", "B-001")
        clerk.press("p")
        job = printed(clerk)
        clerk.wait_for("Sent to the printer at this terminal.")
        assert job.startswith(b"\x1b@")
        assert b"\x1d!\x11B-001\n" in job
        assert b"Ana" not in job
        address = re.search(rb"HTTP://127.0.0.1:\d+/T/[0-9A-Z]{10}", job)
        assert address is not None
        clerk.press("q")
        shown = clerk.wait_for("█", address[0].decode().partition("://")[2])
        assert sum(any(half in line for half in "█▀▄") for line in shown.splitlines()) >= 13


def test_a_plain_printer_behind_a_dumb_terminal(clinic: DemoClinic) -> None:
    options = ["-tt", "-o", "SetEnv=LOKET_TERMINAL=printer=yes,escpos=no"]
    with line_terminal(clinic, "clerk", *options) as clerk:
        clerk.answers("6371014506880051", "Dahlia Kusuma", *[""] * 5, "sakit gigi", "", "", "p")
        clerk.hears("Sent to the printer at this terminal.")
        found = PRINTED.search(clerk.text.encode())
        assert found is not None
        rows = found[1].decode("ascii").split("\r\n")
        assert any(re.fullmatch(r" +B-\d{3}", row) for row in rows)
        assert rows[-1] == "\f"
        assert "\x1b" not in found[1].decode()
