"""Laboratory and pharmacy: what waits, results and medicines entered, the patient sent back; keys only."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, said, screen_text
from tui.app import LoketApp
from tui.screens.work import WorkScreen
from tui.screens.worklist.fulfil import FulfilScreen
from tui.screens.worklist.worklist import WorklistScreen


def treated(counter: Counter, name: str, nik: str) -> dict[str, str]:
    """Somebody whom the dentist has begun to treat."""
    receipt = counter.register(name, nik, "sakit gigi", "GIGI")
    with counter.api("dentist") as api:
        assert api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={}).status_code == 200
    return {"visit": receipt["visit_id"], "entry": receipt["ticket"]["id"]}


def order(counter: Counter, seen: dict[str, str], *tests: str) -> None:
    with counter.api("dentist") as api:
        for test in tests:
            assert api.post(f"visits/{seen['visit']}/orders", json={"test": test}).status_code == 201


def orders(counter: Counter, seen: dict[str, str]) -> dict[str, dict]:
    with counter.api("dentist") as api:
        return {item["test"]: item for item in api.get(f"visits/{seen['visit']}").json()["orders"]}


def sent_to_laboratory(counter: Counter, seen: dict[str, str]) -> dict[str, str]:
    """The new entry of somebody whom the dentist sends there and back."""
    with counter.api("dentist") as api:
        return api.post(f"queue-entries/{seen['entry']}/send", json={"cluster": "LAB"}).json()


async def open_orders(app: LoketApp, pilot: Pilot, sent: dict[str, str], shown: str) -> None:
    """From the laboratory's queue, by the patient's line."""
    await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
    pane_of(app).choose(sent["id"])
    await press(pilot, "enter")
    await until(pilot, lambda: shown in screen_text(app), "the orders")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_round_trip_through_the_laboratory(counter: Counter, size: tuple[int, int]):
    name = "Raden Ajeng Kartini Kusumawardhani Sastro"
    seen = treated(counter, f"{name} {size[0]}", f"63710141079{size[0]:03d}01")
    order(counter, seen, "Hemoglobin", "Protein urin")
    sent = sent_to_laboratory(counter, seen)
    async with counter.at("lab", size) as (app, pilot):
        await press(pilot, "f2")
        assert isinstance(app.screen, WorklistScreen)
        await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the worklist")
        line = next(line for line in screen_text(app).splitlines() if sent["number"] in line)
        assert "Raden Ajeng" in line
        assert "drg. Maya" in line
        assert "Hemoglobin" in line
        while sent["number"] not in screen_text(app).split(">")[1].splitlines()[0]:
            await press(pilot, "down")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, FulfilScreen), "the results")
        await until(pilot, lambda: "12-16" in screen_text(app), "the range for a woman")
        await type_text(pilot, "9,1")
        await press(pilot, "enter")
        await type_text(pilot, "3")
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, WorklistScreen), "the worklist again")
        assert "Back to GIGI" in said(app)
    resulted = orders(counter, seen)
    assert (resulted["Hemoglobin"]["result"], resulted["Hemoglobin"]["interpretation"]) == ("9,1", "low")
    assert (resulted["Protein urin"]["result"], resulted["Protein urin"]["interpretation"]) == (
        "+1",
        "abnormal",
    )
    with counter.api("dentist") as api:
        entries = api.get("queues/GIGI").json()["entries"]
    back = [entry for entry in entries if entry["visit_id"] == seen["visit"] and entry["ended_at"] is None]
    assert [entry["status"] for entry in back] == ["waiting"]


async def test_a_result_reads_as_soon_as_it_is_left_and_a_slip_is_named(counter: Counter):
    seen = treated(counter, "Ratna Juwita", "6371014107900227")
    order(counter, seen, "Hemoglobin", "Asam urat")
    sent = sent_to_laboratory(counter, seen)
    async with counter.at("lab") as (app, pilot):
        await open_orders(app, pilot, sent, "Asam urat")
        await type_text(pilot, "9,4")
        await press(pilot, "enter")
        assert "(L)" in screen_text(app)
        await type_text(pilot, "52")
        await press(pilot, "f10")
        assert "Asam urat: is impossible" in said(app)
        assert app.screen.focused is not None
        assert orders(counter, seen)["Hemoglobin"]["result"] is None
        await press(pilot, "ctrl+u")
        await type_text(pilot, "5,2")
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
    assert orders(counter, seen)["Asam urat"]["result"] == "5,2"


async def test_a_missing_result_is_asked_about_once(counter: Counter):
    seen = treated(counter, "Ratna Sari", "6371014107900223")
    order(counter, seen, "Hemoglobin", "Asam urat")
    sent = sent_to_laboratory(counter, seen)
    async with counter.at("lab") as (app, pilot):
        await open_orders(app, pilot, sent, "Asam urat")
        await type_text(pilot, "13,2")
        await press(pilot, "f10")
        assert "Left: Asam urat" in said(app)
        assert orders(counter, seen)["Hemoglobin"]["result"] is None
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
    assert orders(counter, seen)["Hemoglobin"]["result"] == "13,2"
    assert orders(counter, seen)["Asam urat"]["status"] == "active"


async def test_half_typed_results_survive(counter: Counter):
    seen = treated(counter, "Nurul Huda", "6371014107900224")
    order(counter, seen, "Hemoglobin")
    sent = sent_to_laboratory(counter, seen)
    for attempt in ("first", "second"):
        async with counter.at("lab") as (app, pilot):
            await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
            pane_of(app).choose(sent["id"])
            await press(pilot, "enter")
            await until(pilot, lambda: "Hemoglobin" in screen_text(app), "the order")
            if attempt == "first":
                await type_text(pilot, "11,7")
                await press(pilot, "tab")
                await settle(pilot)
            else:
                assert "11,7" in screen_text(app)
                assert "draft" in said(app)


async def test_the_laboratory_orders_for_whoever_comes_straight_from_the_counter(counter: Counter):
    receipt = counter.register("Budi Hartono", "6371011207760225", "cek gula darah", "LAB")
    async with counter.at("lab") as (app, pilot):
        await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient")
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: "F9 adds a test" in screen_text(app), "the empty work")
        await press(pilot, "f9")
        await type_text(pilot, "gds")
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "Gula darah sewaktu" in screen_text(app), "the test")
        await until(pilot, lambda: isinstance(app.screen, FulfilScreen), "the results")
        await type_text(pilot, "250")
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
        assert "Done: " + receipt["ticket"]["number"] in said(app)
    with counter.api("lab") as api:
        visit = api.get(f"visits/{receipt['visit_id']}").json()
    assert [(item["result"], item["interpretation"]) for item in visit["orders"]] == [("250", "high")]
    assert visit["status"] == "finished"


async def test_the_pharmacy_hands_out_what_there_is(counter: Counter):
    seen = treated(counter, "Dewi Kusuma", "6371014207900226")
    with counter.api("dentist") as api:
        for medicine in ("Parasetamol 500 mg tablet", "Asam mefenamat 500 mg tablet"):
            body = {"medicine": medicine, "dose": "1 tablet", "frequency": "3x sehari", "amount": "10 tablet"}
            assert api.post(f"visits/{seen['visit']}/prescriptions", json=body).status_code == 201
        sent = api.post(f"queue-entries/{seen['entry']}/transfer", json={"cluster": "FARMASI"}).json()
    async with counter.at("pharmacist") as (app, pilot):
        await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
        pane_of(app).choose(sent["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: "Parasetamol" in screen_text(app), "the medicines")
        assert "1 tablet 3x sehari" in screen_text(app)
        await press(pilot, "enter")
        await press(pilot, *["backspace"] * len("10 tablet"))
        await press(pilot, "f10")
        assert "Left: Asam mefenamat" in said(app)
        await press(pilot, "f10")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
        assert f"Done: {sent['number']}" in said(app)
    with counter.api("dentist") as api:
        visit = api.get(f"visits/{seen['visit']}").json()
    assert [item["status"] for item in visit["prescriptions"]] == ["completed", "active"]
    with counter.api("pharmacist") as api:
        waiting = [
            item for item in api.get("worklists/prescriptions").json() if item["visit_id"] == seen["visit"]
        ]
    assert [each["medicine"] for each in waiting[0]["prescriptions"]] == ["Asam mefenamat 500 mg tablet"]
