"""The line breaks in the middle of a registration: nothing typed is lost, and there is one ticket."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.scripted import NAME, Step, registration
from tests.e2e.terminals import DemoClinic, Terminal, single_keys
from tests.people import Caller

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
FORM_ROWS = slice(0, 12)  # below it stands what the core says of the form, which comes by itself


def form_of(person: Terminal) -> tuple[list[str], object]:
    return person.text.split("\n")[FORM_ROWS], person.cursor


def cut_and_come_back(clinic: DemoClinic, person: Terminal) -> Terminal:
    """Lose the line; the next sign-in shows the same form with the cursor in the same place."""
    before = form_of(person)
    person.cut()
    again = clinic.sign_in("clerk")
    again.wait_until(lambda: form_of(again) == before, f"{before} came back")
    return again


def cut_in_the_middle(clinic: DemoClinic, person: Terminal, step: Step) -> Terminal:
    """Type half of a step's keys, lose the line, come back, and type the other half."""
    keys = single_keys(step.keys)
    half = len(keys) // 2
    if not half:
        person.press(step.keys)
        return person
    before = person.cursor
    person.press_all(keys[:half])
    typed = "".join(keys[:half]).rpartition("\t")[2]
    person.wait_until(lambda: person.cursor != before and person.left_of_cursor.endswith(typed), typed)
    person = cut_and_come_back(clinic, person)
    person.press_all(keys[half:])
    return person


def tickets_of(clinic: DemoClinic, name: str) -> list[str]:
    with Caller(clinic.url, "clerk") as clerk:
        entries = clerk.get("queues/GIGI").json()["entries"]
    return [entry["number"] for entry in entries if entry["patient"]["name"] == name]


def test_the_line_breaks_within_and_behind_every_field_and_over_the_dialog(clinic: DemoClinic) -> None:
    person = clinic.sign_in("clerk")
    person.wait_for("Search", "Last patients")
    *fields, save = registration()
    for step in fields:
        person = cut_in_the_middle(clinic, person, step)
        person.wait_for(step.shows)
        person = cut_and_come_back(clinic, person)
    person.press(save.keys)
    person.wait_for(save.shows, "B-001")
    person = cut_and_come_back(clinic, person)
    assert tickets_of(clinic, NAME) == ["B-001"]
    person.cut()


@pytest.mark.parametrize("attempt", range(3))
def test_the_line_breaks_during_the_save(clinic: DemoClinic, attempt: int) -> None:
    """Whether the key still got through or not, and whatever was answered to nobody: one ticket."""
    person = clinic.sign_in("clerk")
    person.wait_for("Search", "Last patients")
    *fields, save = registration()
    for step in fields:
        person.press(step.keys)
        person.wait_for(step.shows)
    person.press(save.keys)
    if attempt:
        person.wait_until(lambda: attempt == 1 or "Saving" in person.text or save.shows in person.text, "")
    person.cut()
    with clinic.sign_in("clerk") as again:
        again.wait_until(lambda: save.shows in again.text or "Enter: SAVE" in again.text, "form or receipt")
        if save.shows not in again.text:
            again.press(save.keys)
        again.wait_for(save.shows, "B-001")
        assert tickets_of(clinic, NAME) == ["B-001"]
