"""By keys: an allergy as it is typed warns, a newborn gets no adult dose, and the pharmacist is stopped too."""

from __future__ import annotations

from textual.widgets import Input

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import screen_of, screen_text
from tests.tui.test_other_roles import open_entry, with_note
from tests.tui.test_worklist import pane_of
from tui.screens.record.record import RecordScreen


async def test_an_allergy_typed_the_usual_way_warns_about_amoxicillin(counter: Counter):
    seen = with_note(counter, "Norhayati Salim", "6371014307900731")
    with counter.api("dentist") as api:
        number = api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"]
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number)
        assert "Allergies: not asked yet" in screen_text(app)
        with counter.api("dentist") as api:
            api.post(f"patients/{seen['patient']}/allergies", json={"substance": "Penicilin"})
        screen_of(app, RecordScreen).reload()
        await until(pilot, lambda: "ALLERGIES: Penicilin" in screen_text(app), "the allergy")
        await press(pilot, "f8")
        await type_text(pilot, "amoksisilin")
        await until(pilot, lambda: "!! Amoksisilin klavulanat" in screen_text(app), "the sign in the list")
        await settle(pilot)
        await press(pilot, "enter")
        await until(pilot, lambda: "!! ALLERGY: Penicilin" in screen_text(app), "the warning")


async def test_a_newborn_is_given_no_adult_dose_by_keys(counter: Counter):
    born = counter.clinic.today()
    nik = f"637101{born.day + 40:02d}{born:%m%y}0733"
    seen = with_note(counter, "Aisyah Putri Ramadhani", nik)
    with counter.api("dentist") as api:
        number = api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"]
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number)
        await press(pilot, "f8")
        await type_text(pilot, "parasetamol")
        await until(pilot, lambda: "enter the weight" in screen_text(app), "the list")
        await press(pilot, "enter")
        await settle(pilot)
        assert app.screen.query_one("#dose", Input).value == ""
        assert app.screen.query_one("#frequency", Input).value == ""
        await press(pilot, "f10")
        await settle(pilot)
    with counter.api("dentist") as api:
        assert api.get(f"visits/{seen['visit']}").json()["prescriptions"] == []


async def test_the_pharmacist_is_stopped_by_an_allergy_and_says_why(counter: Counter):
    seen = with_note(counter, "Rusmini Halim", "6371014307900732")
    with counter.api("dentist") as api:
        body = {
            "medicine": "Amoksisilin 500 mg tablet",
            "dose": "1 tablet",
            "frequency": "3x sehari",
            "amount": "15",
        }
        assert api.post(f"visits/{seen['visit']}/prescriptions", json=body).status_code == 201
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "golongan penicillin"})
        sent = api.post(f"queue-entries/{seen['entry']}/transfer", json={"cluster": "FARMASI"}).json()
    async with counter.at("pharmacist") as (app, pilot):
        await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
        pane_of(app).choose(sent["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: "!! ALLERGY: golongan penicillin" in screen_text(app), "the warning")
        await press(pilot, "f10")
        await until(pilot, lambda: "Hand it out all the same?" in screen_text(app), "the question")
        await press(pilot, "enter", "p")
        await until(pilot, lambda: "why all the same?" in screen_text(app), "the reason")
        await type_text(pilot, "dokter ditelepon")
        await press(pilot, "enter")
        await until(pilot, lambda: f"Done: {sent['number']}" in screen_text(app), "handed out")
    with counter.api("dentist") as api:
        [given] = api.get(f"visits/{seen['visit']}").json()["prescriptions"]
    assert given["status"] == "completed"
