"""Scenarios that other systems publish for their queues, lived through at Loket's screens by keys alone.

OpenMRS O3: `openmrs-esm-patient-management/e2e/specs/service-queues.spec.ts`. bcgov queue-management:
`api/postman/API_Test_TheQ_Booking.json`. VistA: `Packages/Scheduling/Testing/RAS/SCMain01_suite.py`.
"""

from __future__ import annotations

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, pane_of, said, screen_of, screen_text
from tests.tui.queues import call_until, choose, empty_queues, entry_of, someone
from tui.screens.record.record import RecordScreen
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.search import SearchScreen
from tui.screens.work import WorkScreen

__all__ = ["empty_queues"]

# OpenMRS O3


async def test_o3_into_the_queue_to_the_laboratory_back_and_to_the_pharmacy(counter: Counter):
    receipt = someone(counter, "UMUM", "demam batuk")
    number = receipt["ticket"]["number"]
    async with counter.at("doctor") as (app, pilot):
        await call_until(pilot, app, number)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
        await press(pilot, "escape")
        await press(pilot, "b", "d", "enter")
        assert "Sent, and comes back" in said(app)
    async with counter.at("lab") as (app, pilot):
        lab_number = entry_of(counter, receipt, "LAB")["number"]
        await until(pilot, lambda: number in screen_text(app), "where the patient comes from")
        await call_until(pilot, app, lab_number)
        await press(pilot, "d")
        assert "Goes back" in said(app)
    async with counter.at("doctor") as (app, pilot):
        await until(pilot, lambda: "back" in screen_text(app), "the patient is back")
        await call_until(pilot, app, number)
        await press(pilot, "t", "g", "enter")
        assert "Moved" in said(app)
    async with counter.at("pharmacist") as (app, pilot):
        await until(pilot, lambda: pane_of(app).entries, "the patient at the pharmacy")
        await call_until(pilot, app, entry_of(counter, receipt, "FARMASI")["number"])
        await press(pilot, "d", "enter")
        assert "Done" in said(app)
    with counter.api("doctor") as api:
        visit = api.get(f"visits/{receipt['visit_id']}", params={"reason": "to look"}).json()
    assert [entry["cluster"] for entry in visit["entries"]] == ["UMUM", "LAB", "UMUM", "FARMASI"]
    assert visit["status"] == "finished"
    for earlier, later in zip(visit["entries"], visit["entries"][1:], strict=False):
        assert earlier["ended_at"] == later["started_at"]


async def test_o3_a_patient_in_a_queue_is_not_put_there_twice(counter: Counter):
    receipt = someone(counter)
    with counter.api("clerk") as api:
        patient = api.get(f"patients/{receipt['patient_id']}").json()
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, patient["nik"])
        await press(pilot, "enter")
        await type_text(pilot, "sakit gigi")
        await press(pilot, "f10", "enter")
        await until(pilot, lambda: "already holds number" in screen_text(app), "the refusal")
        assert receipt["ticket"]["number"] in said(app)
        await press(pilot, "escape")


async def test_o3_a_changed_priority_changes_the_order(counter: Counter):
    first, second = someone(counter), someone(counter)
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f3", "b")
        await choose(pilot, app, second)
        await press(pilot, "p", "2")
        await press(pilot, "1")
        assert "Priority changed" in said(app)
        numbers = [entry.number for entry in pane_of(app).entries]
        assert numbers == [second["ticket"]["number"], first["ticket"]["number"]]
        await press(pilot, "u")
        numbers = [entry.number for entry in pane_of(app).entries]
        assert numbers == [first["ticket"]["number"], second["ticket"]["number"]]


# bcgov queue-management


async def test_bcgov_through_the_queue(counter: Counter):
    receipt = someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await call_until(pilot, app, receipt["ticket"]["number"])
        assert entry_of(counter, receipt)["status"] == "called"
        await press(pilot, "enter", "escape")
        assert entry_of(counter, receipt)["status"] == "in_service"
        await press(pilot, "d", "p", "enter")
        assert entry_of(counter, receipt)["status"] == "done"


async def test_bcgov_begin_hold_finish(counter: Counter):
    receipt, other = someone(counter), someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await call_until(pilot, app, receipt["ticket"]["number"])
        await press(pilot, "enter", "escape", "h")
        assert entry_of(counter, receipt)["status"] == "on_hold"
        await call_until(pilot, app, other["ticket"]["number"])
        await press(pilot, "d", "p", "enter")
        await choose(pilot, app, receipt)
        await press(pilot, "h")
        assert entry_of(counter, receipt)["status"] == "in_service"
        await press(pilot, "d", "p", "enter")
        assert [entry_of(counter, each)["status"] for each in (receipt, other)] == ["done", "done"]


async def test_bcgov_leave_after_create(counter: Counter):
    receipt = someone(counter)
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f3", "b")
        await choose(pilot, app, receipt)
        await press(pilot, "l", "enter")
        assert "Has left" in said(app)
        assert entry_of(counter, receipt)["status"] == "left"
        await press(pilot, "u")
        assert entry_of(counter, receipt)["status"] == "waiting"


async def test_bcgov_leave_while_waiting_and_while_served(counter: Counter):
    waiting, served = someone(counter), someone(counter)
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, served)
        await press(pilot, "enter", "escape")
        await choose(pilot, app, served)
        await press(pilot, "l", "enter")
        await choose(pilot, app, waiting)
        await press(pilot, "l", "enter")
    assert [entry_of(counter, each)["status"] for each in (waiting, served)] == ["left", "left"]
    with counter.api("admin") as api:
        rows = {row[0]: row for row in api.get("reports/waits").json()["rows"]}
    assert rows["GIGI"][8] >= 2  # the column of those who left


async def test_bcgov_call_specific_and_call_again(counter: Counter):
    first, second, third = (someone(counter) for _ in range(3))
    async with counter.at("dentist") as (app, pilot):
        await choose(pilot, app, third)
        await press(pilot, "c")
        assert f"Called: {third['ticket']['number']}" in said(app)
        await press(pilot, "c")
        assert "Called again" in said(app)
        assert entry_of(counter, third)["call_count"] == 2
        waiting = [entry_of(counter, each)["status"] for each in (first, second)]
        assert waiting == ["waiting", "waiting"]


# VistA


async def test_vista_walk_in_check_in_check_out(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await type_text(pilot, "Walinah Tanpakartu")
        await press(pilot, "f2", "tab", "3", "tab", "tab")
        await type_text(pilot, "12051985")
        await press(pilot, "tab", "f", *["tab"] * 8)
        while app.screen.focused is None or focused_id(app) != "chief_complaint":
            await press(pilot, "tab")
        await type_text(pilot, "sakit gigi")
        await press(pilot, "f10")
        await settle(pilot)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
        receipt = screen_of(app, ReceiptScreen).receipt.model_dump(mode="json")
        await press(pilot, "enter")
    async with counter.at("dentist") as (app, pilot):
        await call_until(pilot, app, receipt["ticket"]["number"])
        await press(pilot, "enter", "escape", "d", "p", "enter")
        assert entry_of(counter, receipt)["status"] == "done"


async def test_vista_no_show(counter: Counter):
    receipt, others = someone(counter), [someone(counter) for _ in range(3)]
    number = receipt["ticket"]["number"]
    async with counter.at("dentist") as (app, pilot):
        await call_until(pilot, app, number)
        await press(pilot, "r", "r")
        assert "S skips" in said(app)
        await press(pilot, "s")
        assert "+3" in screen_text(app)
        for other in others:
            await call_until(pilot, app, other["ticket"]["number"])
            await press(pilot, "d", "p", "enter")
        await call_until(pilot, app, number)
        await press(pilot, "r", "r")
        assert "L: did not come" in said(app)
        await press(pilot, "l", "enter")
    assert entry_of(counter, receipt)["status"] == "left"
    with counter.api("clerk") as api:
        assert receipt["ticket"]["number"] not in str(api.get("patients").json()[0]["open_entry"])


async def test_vista_cancel_with_a_reason(counter: Counter):
    receipt = someone(counter)
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f3", "b")
        await choose(pilot, app, receipt)
        await press(pilot, "x")
        await press(pilot, "1", "enter")
        assert "Cancelled" in said(app)
        assert entry_of(counter, receipt)["status"] == "cancelled"
        await press(pilot, "u")
        assert entry_of(counter, receipt)["status"] == "waiting"


async def test_vista_wait_list_in_calling_order(counter: Counter):
    receipts = [someone(counter) for _ in range(4)]
    async with counter.at("dentist") as (app, pilot):
        numbers = [receipt["ticket"]["number"] for receipt in receipts]
        await until(pilot, lambda: len(pane_of(app).entries) == 4, "all four")
        assert [entry.number for entry in pane_of(app).entries] == numbers


async def test_vista_repeat_last_patient_with_one_key(counter: Counter):
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "space")
        assert isinstance(app.screen, SearchScreen)
        assert "nobody yet" in said(app)
        receipt = someone(counter)
        with counter.api("clerk") as api:
            patient = api.get(f"patients/{receipt['patient_id']}").json()
        await type_text(pilot, patient["nik"])
        await press(pilot, "enter", "escape")
        await press(pilot, "escape")
        await press(pilot, "space")
        await until(pilot, lambda: patient["name"] in screen_text(app), "the same patient")
        await press(pilot, "escape")
    async with counter.at("dentist") as (app, pilot):
        await call_until(pilot, app, receipt["ticket"]["number"])
        await press(pilot, "enter", "escape", "d", "p", "enter")
        await press(pilot, "space")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the last record")
        assert patient["name"] in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, WorkScreen)
