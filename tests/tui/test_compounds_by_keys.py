"""By keys: a compounded medicine is typed as a prescription is written, and the pharmacy sees every ingredient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.schemas.clinic import ClinicOut
from core.schemas.queues import EntryPatient
from core.schemas.record import PrescriptionOut
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, save_picture, screen_text
from tests.tui.test_line_mode import heard
from tests.tui.test_other_roles import open_entry, with_note
from tui.medicine_label import label_document

POWDER: dict[str, Any] = {
    "ingredients": [{"medicine": "Parasetamol", "amount": "500 mg"}, {"medicine": "CTM", "amount": "4 mg"}],
    "papers": 12,
    "signa": "s.3.d.d. pulv I pc",
}


def with_answer(counter: Counter, name: str, nik: str) -> dict[str, Any]:
    seen: dict[str, Any] = with_note(counter, name, nik)
    with counter.api("dentist") as api:
        api.post(f"patients/{seen['patient']}/allergies/none", json={})
        seen["number"] = api.get(f"visits/{seen['visit']}").json()["entries"][0]["number"]
    return seen


def prescriptions(counter: Counter, seen: dict[str, Any]) -> list[dict[str, Any]]:
    with counter.api("dentist") as api:
        return list(api.get(f"visits/{seen['visit']}").json()["prescriptions"])


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_powder_is_typed_line_by_line(counter: Counter, language: str, tmp_path: Path):
    name, nik = (
        ("Salmah Hayati", "6371014307900771") if language == "en" else ("Sulastri Dewi", "6371014307900772")
    )
    seen = with_answer(counter, name, nik)
    async with counter.at("dentist", language=language) as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await press(pilot, "f2", "r")
        for line in ("parasetamol 500 mg", "serbuk ajaib 2 mg", "ctm 4 mg"):
            await type_text(pilot, line)
            await press(pilot, "enter")
        shown = screen_text(app)
        assert "2 serbuk ajaib 2 mg  ? " + ("unread" if language == "en" else "tidak terbaca") in shown
        await type_text(pilot, "-2")
        await press(pilot, "enter")
        assert "serbuk" not in screen_text(app)
        await press(pilot, "enter", "enter")
        await type_text(pilot, "12")
        await press(pilot, "enter", "enter")
        await type_text(pilot, "3 dd 1 pc")
        await press(pilot, "enter")
        assert "1 bungkus, 3x sehari, sesudah makan" in screen_text(app)
        assert all(len(line.rstrip()) <= 80 for line in screen_text(app).splitlines())
        assert save_picture(app, tmp_path / "compound.png").exists()
        await press(pilot, "f10")
        await until(pilot, lambda: "Racikan puyer: parasetamol, ctm" in screen_text(app), "prescribed")
    [item] = prescriptions(counter, seen)
    assert item["lines"] == ["parasetamol 500 mg", "ctm 4 mg", "m.f. pulv. d.t.d. No. XII"]


async def test_directions_that_cannot_be_read_are_said_before_and_after(counter: Counter):
    seen = with_answer(counter, "Kartini Basri", "6371014307900773")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await press(pilot, "f2", "r")
        await type_text(pilot, "ctm 4 mg")
        await press(pilot, "enter", "enter", "enter")
        await type_text(pilot, "10")
        await press(pilot, "enter", "enter")
        await type_text(pilot, "3 dd 1 qwe")
        await press(pilot, "enter")
        assert "Directions unread: qwe" in screen_text(app)
        await press(pilot, "f10")
        await until(pilot, lambda: "Added.; Directions unread: qwe" in screen_text(app), "said again")


async def test_what_is_missing_is_named_and_nothing_is_lost(counter: Counter):
    seen = with_answer(counter, "Mariana Siregar", "6371014307900774")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await press(pilot, "f2", "r", "f10")
        assert "Ingredient: must be filled in" in screen_text(app)
        await type_text(pilot, "parasetamol 500 mg")
        await press(pilot, "f10")
        assert "Number of papers: must be filled in" in screen_text(app)
        await type_text(pilot, "abc")
        await press(pilot, "f10")
        assert "Number of papers: type a number" in screen_text(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "6")
        await press(pilot, "f10")
        assert "Signa: must be filled in" in screen_text(app)
        await type_text(pilot, "prn")
        await press(pilot, "f10")
        await until(pilot, lambda: "No. VI" in screen_text(app), "prescribed")


async def test_shorthand_is_read_in_the_fields_of_a_ready_medicine(counter: Counter):
    seen = with_answer(counter, "Rohani Lubis", "6371014307900775")
    async with counter.at("dentist") as (app, pilot):
        await open_entry(app, pilot, seen["entry"], seen["number"])
        await press(pilot, "f8")
        await type_text(pilot, "amoksisilin 500 mg tablet")
        await press(pilot, "enter", "ctrl+u")
        await type_text(pilot, "2 dd 1 pc")
        await press(pilot, "enter")
        await settle(pilot)
        await press(pilot, "f10")
        await until(pilot, lambda: "1 tablet 2x sehari" in screen_text(app), "prescribed")
    [item] = prescriptions(counter, seen)
    assert (item["dose"], item["frequency"], item["instructions"]) == (
        "1 tablet",
        "2x sehari",
        "sesudah makan",
    )


async def test_the_pharmacy_sees_every_ingredient_and_prints_labels(counter: Counter):
    seen = with_answer(counter, "Zubaidah Arsyad", "6371014307900776")
    with counter.api("dentist") as api:
        assert api.post(f"visits/{seen['visit']}/prescriptions", json=POWDER).status_code == 201
        sent = api.post(f"queue-entries/{seen['entry']}/transfer", json={"cluster": "FARMASI"}).json()
    async with counter.at("pharmacist") as (app, pilot):
        await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
        pane_of(app).choose(sent["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: "[s.3.d.d. pulv I pc]" in screen_text(app), "the directions as typed")
        for line in ("Parasetamol 500 mg", "CTM 4 mg", "m.f. pulv. d.t.d. No. XII"):
            assert line in screen_text(app)
        await press(pilot, "f7")
        await until(pilot, lambda: "There is no printer" in screen_text(app), "no printer here")


async def test_the_pharmacy_in_line_mode_hands_out_and_is_stopped(counter: Counter):
    seen = with_answer(counter, "Hamidah Yunus", "6371014307900777")
    with counter.api("dentist") as api:
        api.post(f"visits/{seen['visit']}/prescriptions", json=POWDER)
        plain = {
            "medicine": "Amoksisilin 500 mg tablet",
            "dose": "1 tablet",
            "frequency": "3x sehari",
            "amount": "15",
        }
        api.post(f"visits/{seen['visit']}/prescriptions", json=plain)
        api.post(f"patients/{seen['patient']}/allergies", json={"substance": "penisilin"})
        sent = api.post(f"queue-entries/{seen['entry']}/transfer", json={"cluster": "FARMASI"}).json()
    with counter.api("pharmacist") as api:
        api.post(f"queue-entries/{sent['id']}/start", json={})
    text = await heard(
        counter, "w", "1", "7", "2=12", "n", "2=12", "y", "dokter ditelepon", "q", who="pharmacist"
    )  # fmt: skip
    assert "1 Racikan puyer: Parasetamol, CTM, 3x sehari 1 bungkus, 12 bungkus" in text
    assert "   CTM 4 mg" in text
    assert "Handed out: Racikan puyer" in text
    assert "! There is no medicine of that number." in text
    assert "The patient is allergic to penisilin." in text
    assert "Handed out: Amoksisilin 500 mg tablet" in text
    assert [each["status"] for each in prescriptions(counter, seen)] == ["completed", "completed"]
    assert prescriptions(counter, seen)[1]["dispensed_amount"] == "12"


def test_a_label_says_for_whom_what_and_how(counter: Counter):
    seen = with_answer(counter, "Sakdiah Noor", "6371014307900778")
    with counter.api("dentist") as api:
        item = api.post(
            f"visits/{seen['visit']}/prescriptions", json={**POWDER, "signa": "3 dd 1 qwe"}
        ).json()
        clinic = api.get("clinic").json()

    facts = {
        "id": "x",
        "name": "Sakdiah Noor",
        "age": 36,
        "sex": "female",
        "medical_record_number": "00000001",
    }
    patient = EntryPatient.model_validate(facts)
    made = label_document(ClinicOut(**clinic), patient, PrescriptionOut(**item))
    lines = [line.text for line in made.lines]
    assert "Sakdiah Noor" in lines
    assert "3x sehari 1 bungkus" in lines
    assert "  CTM 4 mg" in lines
    assert any("3 dd 1 qwe" in line for line in lines), "what Loket cannot read stands as it was written"
