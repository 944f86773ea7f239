"""What a clinician may open and prescribe, and the person who runs the system, with keys only."""

from __future__ import annotations

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, screen_text, session_of
from tui.screens.administration import AdministrationScreen
from tui.screens.record.record import RecordScreen
from tui.screens.registration.search import SearchScreen


async def open_entry(app, pilot, entry_id: str, number: str) -> None:
    await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
    pane_of(app).choose(entry_id)
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
    await settle(pilot)


def with_note(counter: Counter, name: str, nik: str) -> dict[str, str]:
    """Somebody whom the dentist has begun to treat."""
    receipt = counter.register(name, nik, "sakit gigi", "GIGI")
    with counter.api("dentist") as api:
        assert api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={}).status_code == 200
    return {"visit": receipt["visit_id"], "entry": receipt["ticket"]["id"], "patient": receipt["patient_id"]}


async def test_a_medicine_against_an_allergy_needs_a_letter_and_not_enter(counter: Counter):
    seen = with_note(counter, "Sri Wahyuni", "6371014307900125")
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "amoksisilin"})
        number = api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"]
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], number)
        assert "ALLERGIES: amoksisilin" in screen_text(app).splitlines()[1]
        await press(pilot, "f8")
        await type_text(pilot, "amoksisilin 500")
        await press(pilot, "enter")
        assert "ALLERGY: amoksisilin" in screen_text(app)
        await press(pilot, "enter", "enter", "enter", "enter", "enter", "enter")
        with counter.api("dentist") as api:
            assert api.get(f"visits/{seen['visit']}").json()["prescriptions"] == []
        assert "! Amoksisilin 500 mg tablet" in screen_text(app), "which medicine is asked about"
        await press(pilot, "p")
        assert "Against the allergy: why all the same?" in screen_text(app)
        await press(pilot, "enter")
        await type_text(pilot, "sudah diuji")
        await press(pilot, "enter")
        await until(pilot, lambda: "Medicine    Amoksisilin" in screen_text(app), "the medicine")


async def test_a_record_outside_ones_own_queue_asks_for_a_reason(counter: Counter):
    receipt = counter.register("Yusuf Ibrahim", "6371010407900126", "batuk", "UMUM")
    with counter.api("clerk") as api:
        entries = api.get("queues/UMUM").json()["entries"]
    async with counter.at("dentist") as (app, pilot):
        queue = await session_of(app).client.queues.get("UMUM")
        entry = next(item for item in queue.entries if item.id == receipt["ticket"]["id"])
        assert entries
        await app._open_record(entry)
        await settle(pilot)
        assert "Why do you open this record?" in screen_text(app)
        await press(pilot, "3")
        await type_text(pilot, "rujukan lisan dokter")
        await press(pilot, "enter")
        await until(pilot, lambda: "Yusuf Ibrahim" in screen_text(app), "the record")
    with counter.api("admin") as api:
        events = api.get("audit", params={"patient_id": receipt["patient_id"]}).json()
    glass = next(event for event in events if event["action"] == "glass_broken")
    assert glass["detail"]["reason"] == "rujukan lisan dokter"
    assert glass["detail"]["code"] == "colleague"


async def test_the_admin_sees_where_the_system_stands_and_can_register(counter: Counter):
    async with counter.at("admin") as (app, pilot):
        assert isinstance(app.screen, AdministrationScreen)
        await until(pilot, lambda: "Backups" in screen_text(app), "the backups")
        assert "Waiting" in screen_text(app)
        await press(pilot, "f2")
        assert isinstance(app.screen, SearchScreen)
        await press(pilot, "f6")
        assert isinstance(app.screen, AdministrationScreen)
