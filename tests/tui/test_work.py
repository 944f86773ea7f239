"""Panes that follow the feed, and the work of a cluster with keys only."""

from __future__ import annotations

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, pane_of, said, screen_of, screen_text, session_of
from tui.screens.base import LoketScreen
from tui.screens.record.record import RecordScreen
from tui.screens.work import WorkScreen
from tui.widgets import TextField


async def test_a_patient_appears_in_the_pane_without_a_key(counter: Counter):
    async with counter.at("dentist") as (app, pilot):
        assert isinstance(app.screen, WorkScreen)
        await until(pilot, lambda: session_of(app).hub.connected, "the feed")
        number = counter.register("Ratna Sari", "6371014107900123", "sakit gigi", "GIGI")["ticket"]["number"]
        await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
        line = next(line for line in screen_text(app).splitlines() if number in line)
        assert "Ratna Sari" in line
        assert "sakit gigi" in line


async def test_call_record_finish(counter: Counter):
    receipt = counter.register("Umar Fauzan", "6371011107750124", "sakit gigi", "GIGI")
    number = receipt["ticket"]["number"]
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
        await press(pilot, "n")
        while f"Called: {number}" not in said(app):
            await press(pilot, "n")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await settle(pilot)
        assert "Umar Fauzan" in screen_text(app)
        await type_text(pilot, "130")
        await press(pilot, "enter")
        await type_text(pilot, "85")
        await press(pilot, "enter", "enter", "enter")
        await type_text(pilot, "38,5")
        await press(pilot, "tab")
        assert "Temperature is high" in said(app)
        await press(pilot, "f7")
        await type_text(pilot, "karies")
        await press(pilot, "enter")
        await settle(pilot)
        if not isinstance(app.screen, RecordScreen):
            await press(pilot, "enter")
        await until(pilot, lambda: "K02" in screen_text(app), "the diagnosis")
        await press(pilot, "f10", "p")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
        assert f"Done: {number}" in said(app)
    with counter.api("dentist") as api:
        visit = api.get(f"visits/{receipt['visit_id']}").json()
    assert visit["encounters"][0]["vitals"] == {"systolic": 130, "diastolic": 85, "temperature": 38.5}
    assert visit["diagnoses"][0]["code"].startswith("K02")
    assert visit["disposition"] == "home"
    assert number not in counter.open_numbers("GIGI")


async def test_an_impossible_number_stays_and_is_named(counter: Counter):
    receipt = counter.register("Joko Susilo", "6371011207760125", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient")
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await settle(pilot)
        await type_text(pilot, "1300")
        await press(pilot, "ctrl+s")
        assert "Systolic: is impossible" in said(app)
        assert focused_id(app) == "systolic"
        assert app.screen.query_one("#systolic", TextField).value == "1300"
        await press(pilot, "escape")


async def test_a_half_typed_note_survives(counter: Counter):
    receipt = counter.register("Yanti Oktavia", "6371015307770126", "sakit gigi", "GIGI")
    for attempt in ("first", "second"):
        async with counter.at("dentist") as (app, pilot):
            await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient")
            pane_of(app).choose(receipt["ticket"]["id"])
            await press(pilot, "enter")
            await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
            await settle(pilot)
            if attempt == "first":
                app.screen.query_one("#subjective").focus()
                await pilot.pause()
                await type_text(pilot, "nyeri sejak kemarin")
                await press(pilot, "tab")
                await settle(pilot)
            else:
                assert screen_of(app, LoketScreen).field_values()["subjective"] == "nyeri sejak kemarin"
                assert "draft" in said(app)


async def test_who_was_faster_is_said(counter: Counter):
    receipt = counter.register("Rini Astuti", "6371015407780127", "sakit gigi", "GIGI")
    entry_id = receipt["ticket"]["id"]
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient")
        pane_of(app).choose(entry_id)
        # The clerk moves the patient; this screen has not heard of it yet.
        session_of(app).hub.unsubscribe(app)
        with counter.api("clerk") as api:
            answer = api.post(f"queue-entries/{entry_id}/transfer", json={"cluster": "UMUM"})
            assert answer.status_code == 200
        await press(pilot, "enter")
        assert "Rina Pertiwi was faster" in said(app)
        assert isinstance(app.screen, WorkScreen)
        assert receipt["ticket"]["number"] not in screen_text(app).replace(said(app), "")


async def test_a_long_name_hides_neither_what_is_said_nor_who_is_in_hand(counter: Counter):
    name = "Raden Roro Ayuningtyas Widyastuti Hadiningrat Kusumaningrum"
    receipt = counter.register(name, "6371015507790130", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient")
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "c", "c", "c")
        lines = screen_text(app).splitlines()
        assert "(3 calls; S skips)" in lines[-3]
        assert lines[1].rstrip().endswith(": CALLED]")
        await press(pilot, "s")
        assert "comes back after the next ones" in screen_text(app)


async def test_skip_hold_transfer_undo(counter: Counter):
    receipt = counter.register("Sinta Maharani", "6371015507790128", "sakit gigi", "GIGI")
    entry_id, number = receipt["ticket"]["id"], receipt["ticket"]["number"]

    def status() -> str:
        with counter.api("dentist") as api:
            entries = api.get("queues/GIGI").json()["entries"]
        return next(entry["status"] for entry in entries if entry["id"] == entry_id)

    async with counter.at("dentist") as (app, pilot):
        await until(pilot, lambda: number in screen_text(app), "the patient")
        pane_of(app).choose(entry_id)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await press(pilot, "escape")
        assert status() == "in_service"
        pane_of(app).choose(entry_id)
        await press(pilot, "h")
        assert status() == "on_hold"
        await press(pilot, "h")
        assert status() == "in_service"
        await press(pilot, "t", "a", "enter")
        assert "Moved" in said(app)
        assert status() == "transferred"
        await press(pilot, "u")
        assert status() == "in_service"


async def test_all_queues_are_shown_to_the_clerk_as_they_change(counter: Counter):
    async with counter.at("clerk", size=(120, 40)) as (app, pilot):
        await press(pilot, "f3")
        await until(pilot, lambda: session_of(app).hub.connected, "the feed")
        number = counter.register("Tono Wijaya", "6371011607800129", "batuk", "UMUM")["ticket"]["number"]
        await until(pilot, lambda: number in screen_text(app), "the patient in the grid")


async def test_the_waiting_room_shows_numbers_and_no_names(counter: Counter):
    counter.register("Rahasia Sekali", "6371011707810130", "sakit gigi", "GIGI")
    async with counter.at("display") as (app, pilot):
        await until(pilot, lambda: session_of(app).hub.connected, "the feed")
        with counter.api("dentist") as api:
            called = api.post("queues/GIGI/call-next").json()
        await until(pilot, lambda: called["number"] in screen_text(app), "the number")
        assert called["patient"]["name"] not in screen_text(app)
        rings: list[int] = []
        app.bell = lambda: rings.append(1)  # type: ignore[method-assign]
        with counter.api("dentist") as api:
            api.post(f"queue-entries/{called['id']}/recall", json={"service_point": "Ruang 2"})
        await until(pilot, lambda: rings, "the bell for a number that is called again")
        assert called["number"] in screen_text(app)
