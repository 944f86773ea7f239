"""By keys at a counter's own machine: the cable is out, five people are registered, it is in again, a question is answered."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.counters import machines
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection, transaction
from core.models import Counter as CounterRow
from core.models import Registration, Ticket
from server.run import Background
from tests.counter_machine import CounterMachine
from tests.people import Caller, patient
from tests.tui.conftest import Counter, press, until
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_line_mode import nik
from tests.tui.test_registration import fill_new_patient
from tests.tui.test_without_the_core import clerk_at
from tui import app as app_module
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.drafts_dialog import DraftsDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen

PEOPLE = ("Gita Permata", "Hilman Yasin", "Intan Kirana", "Joko Susilo", "Kirana Dewi")


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Background]:
    home = tmp_path_factory.mktemp("clinic") / "home"
    shutil.copytree(demo_home, home)
    with Background(Settings(home=home)) as server:
        yield server


@pytest.fixture(scope="module")
def machine(core: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CounterMachine]:
    made = CounterMachine(core.url, tmp_path_factory.mktemp("machine") / "home", secret=b"token" * 8)
    made.start()
    made.near()
    try:
        yield made
    finally:
        made.stop()


async def test_five_people_without_the_core_and_a_question_afterwards(
    machine: CounterMachine, core: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "STANDING_SECONDS", 0.2)
    async with clerk_at(machine.url, tmp_path) as (app, pilot):
        await fill_new_patient(pilot, nik(801), PEOPLE[0], "sakit gigi geraham")
        machine.cut()  # in mid-form
        numbers = []
        for place, name in enumerate(PEOPLE):
            if place:
                await fill_new_patient(pilot, nik(801 + place), name, "sakit gigi geraham")
            await press(pilot, "f10")
            await until(pilot, lambda: isinstance(app.screen, ConfirmDialog), "the confirmation")
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
            numbers.append(screen_of(app, ReceiptScreen).receipt.ticket.number)
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, SearchScreen), "the next patient")
        assert numbers == [f"B-L0{place}" for place in range(1, 6)]
        await until(pilot, lambda: "WITHOUT THE CORE since" in screen_text(app), "the truth")
        await until(pilot, lambda: "5 wait" in screen_text(app), "the count")
        machine.join()
        await until(pilot, lambda: "WITHOUT THE CORE" not in screen_text(app), "the core")
        with connection():
            assert Ticket.select().where(Ticket.number << numbers).count() == 5


async def test_a_question_is_opened_by_f8_and_answered_with_the_form(
    machine: CounterMachine, core: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "STANDING_SECONDS", 0.2)
    machine.near()
    person = patient(name="Budi Santosa Wijaya", birth_date="1979-04-03")
    machine.cut()
    with Caller(machine.url, "clerk") as here, Caller(core.url, "clerk") as elsewhere:
        number = here.registered(patient=person, duplicate_decision=None)["ticket"]["number"]
        known = elsewhere.registered(patient=person)
    machine.join()
    async with clerk_at(machine.url, tmp_path) as (app, pilot):
        await until(pilot, lambda: "1 to answer: F8" in screen_text(app), "the question")
        await press(pilot, "f8")
        await until(pilot, lambda: isinstance(app.screen, DraftsDialog), "the list")
        assert number in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen), "the form")
        text = screen_text(app)
        assert "LATE ENTRY" in text
        assert "Budi Santosa Wijaya" in text
        await press(pilot, "escape", "f8")
        await until(pilot, lambda: isinstance(app.screen, DraftsDialog), "the list again")
        await press(pilot, "x", "enter")  # it is the same person, who waits with the other number
        await until(pilot, lambda: "to answer" not in screen_text(app), "the answer")
    assert machine.standing()["asked"] == 0
    with connection():
        assert Registration.select().where(Registration.visit == known["visit_id"]).count() == 1


async def test_the_board_says_which_counter_has_not_delivered(core: Background) -> None:
    counter = Counter(core)
    with connection(), transaction():
        machines.add("Loket 7")
        CounterRow.update(contact_at=clock.now() - timedelta(hours=1), waiting=2).where(
            CounterRow.name == "Loket 7"
        ).execute()
    async with counter.at("supervisor") as (app, pilot):
        await press(pilot, "f4")
        await until(pilot, lambda: "Loket 7: " in screen_text(app), "the counter")
