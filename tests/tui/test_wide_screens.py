"""Wide terminals show more than a stretched 80x24; 80x24 stays as it is."""

from __future__ import annotations

import pytest

from core.foundation.identifiers import new_id
from tests.tui.conftest import Counter, press, settle, type_text
from tests.tui.looking import screen_of, screen_text
from tui.screens.board import BoardScreen
from tui.screens.record.record import RecordScreen
from tui.screens.registration.registration_form import RegistrationScreen

SIZES = [((80, 24), False), ((120, 40), True), ((160, 50), True)]
NIK = "6371011708770733"


@pytest.fixture(scope="module")
def returning(counter: Counter) -> str:
    """Somebody with an earlier visit, who waits for the dentist again; gives the id."""
    receipt = counter.register("Irfan Santosa", NIK, "sakit gigi geraham", "GIGI")
    visit = f"visits/{receipt['visit_id']}"
    with counter.api("dentist") as api:
        entry = next(
            e for e in api.get("queues/GIGI").json()["entries"] if e["visit_id"] == receipt["visit_id"]
        )
        for action in ("call", "start"):
            entry = api.post(f"queue-entries/{entry['id']}/{action}", json={}).raise_for_status().json()
        api.put(f"{visit}/encounter", json={"assessment": "karies profunda"}).raise_for_status()
        medicine = {
            "medicine": "Parasetamol 500 mg tablet",
            "dose": "1 tablet",
            "frequency": "3x sehari",
            "amount": "10",
        }
        api.post(f"{visit}/prescriptions", json=medicine).raise_for_status()
        api.post(f"{visit}/orders", json={"test": "Hemoglobin"}).raise_for_status()
        api.post(f"queue-entries/{entry['id']}/finish", json={}).raise_for_status()
    with counter.api() as api:
        again = {
            "id": new_id(), "patient_id": receipt["patient_id"], "chief_complaint": "gigi berlubang", "cluster": "GIGI",
        }  # fmt: skip
        api.post("registrations", json=again).raise_for_status()
    patient: str = receipt["patient_id"]
    return patient


@pytest.mark.parametrize(("size", "is_wide"), SIZES)
async def test_the_record_has_the_last_visits_beside_it(
    counter: Counter, returning: str, size: tuple[int, int], is_wide: bool
):
    async with counter.at("dentist", size) as (app, pilot):
        await press(pilot, "n", "enter")
        screen_of(app, RecordScreen)
        shown = screen_text(app)
        for part in ("Earlier visits: 1", "karies profunda", "R/ Parasetamol", "Hemoglobin"):
            assert (part in shown) is is_wide, part
    with counter.api("dentist") as api:  # back into the queue, for the next size
        for entry in api.get("queues/GIGI").json()["entries"]:
            for _action in ("start", "call") if entry["status"] in {"called", "in_service"} else ():
                api.post(f"queue-entries/{entry['id']}/undo", json={})


@pytest.mark.parametrize(("size", "is_wide"), SIZES)
async def test_the_form_has_the_waits_and_the_last_visit_below_it(
    counter: Counter, returning: str, size: tuple[int, int], is_wide: bool
):
    async with counter.at("clerk", size) as (app, pilot):
        await type_text(pilot, NIK)
        await settle(pilot)
        await press(pilot, "enter")
        screen_of(app, RegistrationScreen)
        shown = screen_text(app)
        for part in ("Last visit: ", "Waiting now", "B  Poli Gigi"):
            assert (part in shown) is is_wide, part


@pytest.mark.parametrize(("size", "is_wide"), SIZES)
async def test_the_board_has_the_staff_beside_the_clusters(
    counter: Counter, size: tuple[int, int], is_wide: bool
):
    async with counter.at("supervisor", size) as (app, pilot):
        await press(pilot, "f4")
        screen_of(app, BoardScreen)
        heading = screen_text(app).splitlines()[1]
        assert ("Signed in:" in heading) is is_wide
        assert screen_text(app).count("Signed in:") == 1
