"""The clinic's printer: a real one on TCP, a file, one that is off, one without paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation.config import Settings
from server.run import Background
from tests.people import Caller
from tests.printers import TcpPrinter

TICKET = {"lines": [{"text": "B-007", "style": "big"}]}


@pytest.fixture
def printer() -> Iterator[TcpPrinter]:
    running = TcpPrinter()
    yield running
    running.close()


def post(settings: Settings, printer: str, username: str = "clerk", body: object = TICKET) -> tuple[int, str]:
    with (
        Background(settings.model_copy(update={"printer": printer})) as server,
        Caller(server.url, username) as caller,
    ):
        answer = caller.post("print-jobs", json=body)
    return answer.status_code, answer.json()["code"] if answer.content else ""


def test_a_network_printer_gets_one_whole_job(settings: Settings, printer: TcpPrinter) -> None:
    assert post(settings, printer.address) == (204, "")
    printer.close()
    (job,) = printer.jobs
    assert job.startswith(b"\x1b@")
    assert b"\x1d!\x11B-007\n\x1d!\x00" in job
    assert job.endswith(b"\x1dV\x42\x00")


def test_a_printer_that_does_not_tell_its_paper_prints_all_the_same(
    settings: Settings, printer: TcpPrinter
) -> None:
    printer.status = None
    assert post(settings, printer.address) == (204, "")


def test_a_printer_without_paper_says_so(settings: Settings, printer: TcpPrinter) -> None:
    printer.status = b"\x72"
    assert post(settings, printer.address) == (503, "printer_no_paper")


def test_a_printer_that_is_off_says_so(settings: Settings, printer: TcpPrinter) -> None:
    printer.close()
    assert post(settings, printer.address) == (503, "printer_unreachable")


def test_no_printer_says_so(settings: Settings) -> None:
    assert post(settings, "") == (503, "no_printer")


def test_files_get_escpos_or_text(settings: Settings, tmp_path: Path) -> None:
    assert post(settings, f"{tmp_path}/lp0") == (204, "")
    assert b"\x1d!\x11B-007" in (tmp_path / "lp0").read_bytes()
    assert post(settings, f"{tmp_path}/tickets.txt") == (204, "")
    assert (tmp_path / "tickets.txt").read_text().split() == ["B-007"]
    assert post(settings, f"{tmp_path}/nowhere/lp0") == (503, "printer_unreachable")


def test_a_full_disk_is_told_as_no_paper(settings: Settings) -> None:
    assert post(settings, "/dev/full") == (503, "printer_no_paper")


def test_only_staff_print_and_only_text(settings: Settings, printer: TcpPrinter) -> None:
    assert post(settings, printer.address, "display") == (403, "not_allowed")
    assert post(settings, printer.address, body={"lines": [{"text": "\x1b[4i"}]}) == (422, "validation")
    assert post(settings, printer.address, body={"lines": []})[0] == 422
    printer.close()
    assert printer.jobs == []
