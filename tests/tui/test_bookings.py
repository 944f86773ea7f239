"""Numbers taken from home at the counter: the day's list, and check-in by one key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.database import connection
from core.models import Appointment, Patient, Visit
from core.visits import appointments
from server.run import Background
from tests.tui.conftest import Counter, press, settle, until
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_registration import press_enter_to_the_end
from tui.screens.registration.bookings import BookingsScreen
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.registration_form import RegistrationScreen

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""09:00 in the clinic."""
CARD = "0007776665554"


@pytest.fixture(scope="module", autouse=True)
def on_a_monday() -> Iterator[None]:
    with clock.frozen(lambda: MONDAY):
        yield


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    home: Path = tmp_path_factory.mktemp("clinic")
    with Background(Settings(home=home, jkn_username="bpjs", jkn_password="rahasia")) as server:
        yield Counter(server)


def booked(counter: Counter, name: str, nik: str, complaint: str) -> Appointment:
    """Somebody who was here before, and took a number in GIGI from home."""
    receipt = counter.register(name, nik, "batuk pilek", "UMUM")
    with connection():
        patient = Patient.get_by_id(receipt["patient_id"])
        wanted = appointments.Booking("GIGI", counter.clinic.today(), complaint, card=CARD[:-1] + nik[-1])
        return appointments.book(counter.clinic, system_actor(), patient, wanted)


async def test_who_has_come_is_registered_by_one_key_and_the_confirmation(counter: Counter):
    first = booked(counter, "Nadia Putri", "6371014203910451", "gusi bengkak")
    second = booked(counter, "Rahmat Hidayat", "6371010203910452", "gigi berlubang")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "t")
        await until(pilot, lambda: isinstance(app.screen, BookingsScreen))
        await settle(pilot)
        assert "2 patients awaited" in screen_text(app)
        assert screen_text(app).index(first.number) < screen_text(app).index(second.number)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "gusi bengkak" in screen_text(app)
        assert "JKN" in screen_text(app)  # the card with which the number was taken says who pays
        await press_enter_to_the_end(pilot)
        assert first.number in screen_text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, BookingsScreen))
        await settle(pilot)
        assert "1 patient awaited" in screen_text(app)
        assert "has come" in screen_text(app)
    with connection():
        assert Visit.get_by_id(Appointment.get_by_id(first.id).visit_id).payer.startswith("jkn")


async def test_who_gave_no_complaint_is_asked_for_it(counter: Counter):
    with connection():
        held = booked(counter, "Siti Maryam", "6371014203910453", "x")
        Appointment.update(chief_complaint="").where(Appointment.id == held.id).execute()
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "t")
        await until(pilot, lambda: isinstance(app.screen, BookingsScreen))
        await settle(pilot)
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RegistrationScreen))
        await settle(pilot)
        screen = screen_of(app, RegistrationScreen)
        assert screen.known is not None
        assert screen.known.name == "Siti Maryam"
        assert screen.focused is not None
        assert screen.focused.id == "chief_complaint"
        assert f"BPJS - (at home: {held.card})" in screen_text(app)


async def test_who_cancelled_at_home_is_not_registered_by_mistake(counter: Counter):
    with connection():
        for held in Appointment.select().where(Appointment.status == "booked"):
            appointments.cancel(system_actor(), held.card, held.cluster, held.service_on, "sudah sembuh")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "t")
        await until(pilot, lambda: isinstance(app.screen, BookingsScreen))
        await settle(pilot)
        assert "0 patients awaited" in screen_text(app)
        assert "sudah sembuh" in screen_text(app)
        await press(pilot, "end", "enter")
        await settle(pilot)
        assert isinstance(app.screen, BookingsScreen)


async def test_a_return_date_is_checked_in_by_the_same_key(counter: Counter):
    receipt = counter.register("Endang Lestari", "6371014203910459", "batuk pilek", "UMUM")
    with connection():
        visit = Visit.get_by_id(receipt["visit_id"])
        wanted = appointments.Booking(
            "GIGI", counter.clinic.today() + timedelta(days=1), "Kontrol karies gigi"
        )
        given = appointments.book_return(counter.clinic, system_actor(), visit, wanted)
        # The day has come.
        Appointment.update(service_on=counter.clinic.today(), sequence=80, number="B-080").where(
            Appointment.id == given.id
        ).execute()
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "t")
        await until(pilot, lambda: "B-080" in screen_text(app), "the return date")
        assert "return" in screen_text(app)
        screen = screen_of(app, BookingsScreen)
        while screen._chosen is None or screen._chosen.id != given.id:
            await press(pilot, "down")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "Kontrol karies gigi" in screen_text(app)
        await press_enter_to_the_end(pilot)
        assert "B-080" in screen_text(app)
    with connection():
        assert Appointment.get_by_id(given.id).status == "fulfilled"


async def test_who_did_not_come_back_is_a_list_of_its_own(counter: Counter):
    receipt = counter.register("Sumiati Rahayu", "6371014203910460", "batuk pilek", "UMUM")
    with connection():
        visit = Visit.get_by_id(receipt["visit_id"])
        day = counter.clinic.today() + timedelta(days=1)
        given = appointments.book_return(
            counter.clinic, system_actor(), visit, appointments.Booking("UMUM", day, "Kontrol tensi")
        )
        appointments.close_day(day)
        Visit.update(service_on=day - timedelta(days=7)).where(Visit.id == visit.id).execute()
        past = {"service_on": day - timedelta(days=3), "status": "noshow"}
        Appointment.update(past).where(Appointment.id == given.id).execute()
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f7", "j")
        await until(pilot, lambda: "Sumiati" in screen_text(app), "the list")
        assert "1 patient did not come back." in screen_text(app)
        assert "Kontrol tensi" in screen_text(app)
