"""By keys and in line mode: a step for somebody who is recorded as dead waits for a deliberate yes."""

from __future__ import annotations

from typing import Any

from core.foundation.codes import Sex
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, screen_text
from tests.tui.test_line_mode import heard, nik
from tests.tui.test_record import open_record, visit_of
from tui.screens.reasons import DeceasedDialog, LettersDialog
from tui.screens.record.record import RecordScreen
from tui.screens.record.search_dialog import SearchDialog


def dies(counter: Counter, receipt: dict[str, Any]) -> None:
    body = {"death_reported_on": counter.clinic.today().isoformat()}
    with counter.api() as api:
        answer = api.patch(f"patients/{receipt['patient_id']}", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_medicine_and_a_test_for_the_dead_are_asked_about_in_the_record(counter: Counter) -> None:
    receipt = counter.register("Marhaban Tua", nik(801, Sex.MALE), "sakit gigi", "GIGI")
    async with counter.at("dentist", (80, 24)) as (app, pilot):
        await open_record(app, pilot, receipt)
        dies(counter, receipt)
        await press(pilot, "f9")
        await until(pilot, lambda: isinstance(app.screen, SearchDialog), "the tests")
        await type_text(pilot, "hemoglobin")
        await settle(pilot)
        await press(pilot, "enter", "f10")
        await until(pilot, lambda: isinstance(app.screen, DeceasedDialog), "the question")
        assert "recorded as deceased on" in screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, DeceasedDialog), "a reflex answers nothing"
        await press(pilot, "n")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        assert visit_of(counter, "dentist", receipt)["orders"] == []
        await press(pilot, "f9")
        await until(pilot, lambda: isinstance(app.screen, SearchDialog), "the tests again")
        await type_text(pilot, "hemoglobin")
        await settle(pilot)
        await press(pilot, "enter", "f10")
        await until(pilot, lambda: isinstance(app.screen, DeceasedDialog), "the question again")
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record again")
        await settle(pilot)
        assert [each["test"] for each in visit_of(counter, "dentist", receipt)["orders"]] == ["Hemoglobin"]
        await press(pilot, "f8")
        await type_text(pilot, "parasetamol 500")
        await settle(pilot)
        await press(pilot, "enter", "f10")
        await until(pilot, lambda: isinstance(app.screen, LettersDialog), "whether there are allergies")
        await press(pilot, "t", "enter")
        await until(
            pilot, lambda: "recorded as deceased" in screen_text(app), "the question about the medicine"
        )
        await press(pilot, "p")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record at last")
        await settle(pilot)
        assert len(visit_of(counter, "dentist", receipt)["prescriptions"]) == 1


async def test_who_died_while_waiting_is_not_called_or_opened_unasked(counter: Counter) -> None:
    receipt = counter.register("Sarmiah Tua", nik(802), "sakit gigi", "GIGI")
    dies(counter, receipt)
    number = receipt["ticket"]["number"]
    async with counter.at("dentist", (80, 24)) as (app, pilot):
        await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
        for key in ("c", "enter"):
            pane_of(app).choose(receipt["ticket"]["id"])
            await press(pilot, key)
            await until(pilot, lambda: isinstance(app.screen, DeceasedDialog), "the question")
            assert number in screen_text(app)
            await press(pilot, "n")
        with counter.api("dentist") as api:
            assert api.get(f"queue-entries/{receipt['ticket']['id']}").json()["status"] == "waiting"
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "c")
        await until(pilot, lambda: isinstance(app.screen, DeceasedDialog), "the question again")
        await press(pilot, "y")
        await until(pilot, lambda: f"Called: {number}" in screen_text(app), "the call")
        await press(pilot, "l", "enter")


async def test_line_mode_asks_before_it_calls_the_dead(counter: Counter) -> None:
    with counter.api("dentist") as api:
        while api.post("queues/GIGI/call-next", json={"deceased_confirmed": True}).status_code == 200:
            pass
    receipt = counter.register("Jamilah Tua", nik(803), "sakit gigi", "GIGI")
    dies(counter, receipt)
    number = receipt["ticket"]["number"]
    text = await heard(counter, "n", "", "q", who="dentist")
    assert "recorded as deceased" in text
    assert f"{number}, CALLED" not in text
    text = await heard(counter, "n", "y", "l", "y", "q", who="dentist")
    assert f"{number}, CALLED" in text
