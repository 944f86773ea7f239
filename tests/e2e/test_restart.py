"""The admin's restart under people at SSH terminals: the door stays, and so does what is typed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.scripted import NAME, registration
from tests.e2e.terminals import DemoClinic, children_of
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
COMPLAINT_AT = next(number for number, step in enumerate(registration()) if step.name == "complaint")


@pytest.fixture
def clinic(settings: object, tmp_path: Path) -> Iterator[DemoClinic]:
    with DemoClinic(tmp_path / "home") as running:
        yield running


def restarted(clinic: DemoClinic, admin: Caller, before: str) -> bool:
    """Whether the server has begun again; it does not answer meanwhile."""
    try:
        answer = admin.get("machine")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["started_at"] != before


def test_a_terminal_types_on_in_its_form_while_the_server_starts_again_twice(clinic: DemoClinic) -> None:
    with clinic.sign_in("clerk") as person, Caller(clinic.url, "admin") as admin:
        person.wait_for("Search", "Last patients")
        for step in registration()[:COMPLAINT_AT]:
            person.press(step.keys)
            person.wait_for(step.shows)
        person.press("<Tab>sakit")
        person.wait_for("sakit")
        doors = children_of(clinic.process.pid)
        for letters in (" gigi", " geraham"):
            before = admin.get("machine").json()["started_at"]
            assert admin.post("machine/restart").status_code == 202
            person.press(letters)
            person.wait_for(letters)
            person.wait_until(partial(restarted, clinic, admin, before), "the restart")
            assert children_of(clinic.process.pid) == doors, "the same door, still the server's child"
        person.press("<F10>")
        person.wait_for("Confirm before saving", "Poli Gigi")
        person.press("<Enter>")
        person.wait_for("Saved", "B-001")
        with Caller(clinic.url, "clerk") as clerk:
            entries = clerk.get("queues/GIGI").json()["entries"]
            assert [entry["patient"]["name"] for entry in entries] == [NAME]


def test_a_door_that_dies_after_a_restart_is_opened_again(clinic: DemoClinic) -> None:
    with Caller(clinic.url, "admin") as admin:
        (door,) = children_of(clinic.process.pid)
        before = admin.get("machine").json()["started_at"]
        assert admin.post("machine/restart").status_code == 202
        with clinic.sign_in("clerk") as person:
            person.wait_until(lambda: restarted(clinic, admin, before), "the restart")
            assert children_of(clinic.process.pid) == [door]
        os.kill(door, signal.SIGKILL)
        until = time.monotonic() + 60
        while children_of(clinic.process.pid) in ([], [door]):
            assert time.monotonic() < until, "no other door"
            time.sleep(0.05)
        clinic.wait_until_ready()
        with clinic.sign_in("clerk") as person:
            person.wait_for("Search", "Last patients")
