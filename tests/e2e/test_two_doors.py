"""Two SSH doors on one port: whichever takes the connection, the form is there or is offered as a draft."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scripted import NAME, registration
from tests.e2e.terminals import ROOT, DemoClinic, Terminal
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
COMPLAINT_AT = next(number for number, step in enumerate(registration()) if step.name == "complaint")
MOST_CONNECTIONS = 60
"""Until both doors have taken one: the system chooses, each about every other time."""


def second_door(clinic: DemoClinic, log: Path) -> subprocess.Popen[bytes]:
    """`loket door` beside the server's own."""
    with log.open("wb") as file:
        door = subprocess.Popen(
            [sys.executable, "-m", "tui.door"], env=clinic.environment, cwd=ROOT, stderr=file
        )
    until = time.monotonic() + 60
    while "listens" not in log.read_text():
        assert door.poll() is None, log.read_text()
        assert time.monotonic() < until, "the second door does not open"
        time.sleep(0.05)
    return door


@pytest.fixture
def clinic(settings: object, tmp_path: Path) -> Iterator[DemoClinic]:
    with DemoClinic(tmp_path / "home", LOKET_SSH_SHARED_PORT="yes") as running:
        yield running


def what_is_there(person: Terminal) -> str:
    """The form itself, or the offer of its draft."""
    offer = "A form was left unfinished"
    person.wait_until(lambda: offer in person.text or "sakit gi" in person.text, "form or draft")
    return "draft" if offer in person.text else "form"


def test_a_form_is_found_or_offered_whichever_door_takes_the_next_connection(
    clinic: DemoClinic, tmp_path: Path
) -> None:
    second = second_door(clinic, tmp_path / "second.log")
    try:
        person = clinic.sign_in("clerk")
        person.wait_for("Search", "Last patients")
        for step in registration()[:COMPLAINT_AT]:
            person.press(step.keys)
            person.wait_for(step.shows)
        person.press("<Tab>sakit gi")
        person.wait_for("sakit gi")
        person.cut()

        def is_kept() -> bool:
            with Caller(clinic.url, "clerk") as clerk:
                kept = clerk.get("drafts", params={"kind": "registration"}).json()
            return bool(kept) and kept[0]["data"]["values"].get("chief_complaint") == "sakit gi"

        person.wait_until(is_kept, "the draft")
        found: set[str] = set()
        for _connection in range(MOST_CONNECTIONS):
            again = clinic.sign_in("clerk")
            found.add(what_is_there(again))
            if found == {"form", "draft"}:
                break
            again.cut()
        assert found == {"form", "draft"}, "one door takes all"
        if "A form was left unfinished" in again.text:
            again.press("<F8>")
        again.wait_for("Card seen   [Yes]", NAME, "sakit gi")
        again.cut()
    finally:
        second.terminate()
        second.wait()
    with clinic.sign_in("nurse") as person:
        person.wait_for("Queues")


def test_without_the_setting_a_second_door_says_that_the_port_is_taken(
    settings: object, tmp_path: Path
) -> None:
    with DemoClinic(tmp_path / "home") as clinic:
        done = subprocess.run(
            [sys.executable, "-m", "tui.door"],
            env=clinic.environment,
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 2
    assert b"LOKET_SSH: cannot listen on" in done.stderr
