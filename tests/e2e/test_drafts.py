"""Half-typed forms survive whatever dies, and an idle terminal locks without losing one."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scripted import COMPLAINT, NAME, all_keys, registration
from tests.e2e.terminals import DemoClinic, Terminal, children_of
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
COMPLAINT_AT = next(number for number, step in enumerate(registration()) if step.name == "complaint")
LOCK_SECONDS = 8


@pytest.fixture
def home(settings: object, tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def clinic(home: Path) -> Iterator[DemoClinic]:
    with DemoClinic(home) as running:
        yield running


def type_until_the_complaint(person: Terminal) -> None:
    """Every field, and half a word of the complaint; the fields before it are known to the server."""
    person.wait_for("Search", "Last patients")
    for step in registration()[:COMPLAINT_AT]:
        person.press(step.keys)
        person.wait_for(step.shows)
    person.press("<Tab>sakit gi")
    person.wait_for("sakit gi")


def wait_for_draft(clinic: DemoClinic, person: Terminal, field: str) -> None:
    """Until the server has the draft of all that was typed up to a field."""

    def is_kept() -> bool:
        with Caller(clinic.url, "clerk") as clerk:
            kept = clerk.get("drafts", params={"kind": "registration"}).json()
        return len(kept) == 1 and bool(kept[0]["data"]["values"].get(field))

    person.wait_until(is_kept, "the draft")


def continue_and_save(clinic: DemoClinic, person: Terminal) -> None:
    """The offer is there; it brings all fields but the one that was being typed, and gives one ticket."""
    person.wait_for("A form was left unfinished", NAME)
    person.press("<F8>")
    person.wait_for("Card seen   [Yes]", NAME, "6371015507900003", "Jl. Veteran No. 12", "011", "Aminah")
    person.press(f"{COMPLAINT}<F10>")
    person.wait_for("Confirm before saving", "Poli Gigi")
    person.press("<Enter>")
    person.wait_for("Saved", "B-001")
    with Caller(clinic.url, "clerk") as clerk:
        entries = clerk.get("queues/GIGI").json()["entries"]
        assert [entry["patient"]["name"] for entry in entries] == [NAME]
        assert clerk.get("drafts", params={"kind": "registration"}).json() == []


def test_a_killed_door_loses_no_more_than_the_field_being_typed(clinic: DemoClinic) -> None:
    person = clinic.sign_in("clerk")
    type_until_the_complaint(person)
    wait_for_draft(clinic, person, "identity_verified")
    (door,) = children_of(clinic.process.pid)
    os.kill(door, signal.SIGKILL)
    person.cut()
    person.wait_until(lambda: door not in children_of(clinic.process.pid), "the end of the door")
    clinic.wait_until_ready()  # the server has opened another
    with clinic.sign_in("clerk") as again:
        continue_and_save(clinic, again)


def complaint_kept(clinic: DemoClinic) -> str:
    with Caller(clinic.url, "clerk") as clerk:
        kept = clerk.get("drafts", params={"kind": "registration"}).json()
    return str(kept[0]["data"]["values"].get("chief_complaint")) if kept else ""


def test_whoever_signs_out_in_mid_word_finds_the_word_again(clinic: DemoClinic) -> None:
    person = clinic.sign_in("clerk")
    type_until_the_complaint(person)
    person.press("<Ctrl-Q>")
    person.wait_until(lambda: complaint_kept(clinic) == "sakit gi", "the word")
    with clinic.sign_in("clerk") as again:
        again.wait_for("A form was left unfinished", NAME)
        again.press("<F8>")
        again.wait_for("Card seen   [Yes]", NAME, "sakit gi")


def test_a_line_that_breaks_in_mid_word_leaves_the_word_on_the_server(clinic: DemoClinic) -> None:
    """So that nothing is lost when the app waits in vain for its person to come back."""
    person = clinic.sign_in("clerk")
    type_until_the_complaint(person)
    person.cut()
    person.wait_until(lambda: complaint_kept(clinic) == "sakit gi", "the word")
    with clinic.sign_in("clerk") as again:
        again.wait_for("Card seen   [Yes]", "sakit gi")
        again.press("<F3>")
        again.wait_for("Queues")


def test_a_killed_server_loses_no_more_than_the_field_being_typed(home: Path) -> None:
    clinic = DemoClinic(home)
    with clinic:
        person = clinic.sign_in("clerk")
        type_until_the_complaint(person)
        wait_for_draft(clinic, person, "identity_verified")
        clinic.process.kill()
        clinic.process.wait()
        clinic.start()
        person.cut()
        with clinic.sign_in("clerk") as again:
            continue_and_save(clinic, again)


def test_an_idle_terminal_asks_for_the_password_and_gives_the_form_back(home: Path) -> None:
    clinic = DemoClinic(home, LOKET_IDLE_LOCK_MINUTES=str(LOCK_SECONDS / 60))
    with clinic, clinic.sign_in("clerk") as person:
        person.wait_for("Search", "Last patients")
        person.press(all_keys(registration()[:3]))
        person.wait_for("Locked", "Password")
        assert NAME not in person.text
        assert "Last patients" not in person.text
        person.press("wrong<Enter>")
        person.wait_for("Wrong password")
        assert NAME not in person.text
        person.press("demo<Enter>")
        person.wait_for("Card seen", NAME)
        person.press("ta")
        person.wait_for(f"{NAME}ta")


def test_a_terminal_left_on_a_broken_line_is_locked_for_who_comes_next(home: Path) -> None:
    """The lock also falls while nobody is connected; signing in again is the password."""
    clinic = DemoClinic(home, LOKET_IDLE_LOCK_MINUTES=str(LOCK_SECONDS / 60))
    with clinic:
        person = clinic.sign_in("clerk")
        person.wait_for("Search", "Last patients")
        person.press(all_keys(registration()[:3]))
        person.wait_for(NAME)
        person.cut()
        with clinic.sign_in("clerk") as again:
            again.wait_for("Card seen", NAME)
