"""The clinician's record for a whole visit, with keys only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.foundation.identifiers import new_id
from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import focused_id, pane_of, said, save_picture, screen_of, screen_text
from tui.app import LoketApp
from tui.screens.base import LoketScreen
from tui.screens.record.form_lines import FormLine
from tui.screens.record.form_screen import FormScreen
from tui.screens.record.glass import GlassDialog
from tui.screens.record.record import RecordScreen
from tui.screens.work import WorkScreen
from tui.widgets import TextField

LONG_NAME = "Raden Ayu Siti Nurhaliza Kusumaningrum Wardhani"


def register(
    counter: Counter, name: str, nik: str, complaint: str, cluster: str, **more: Any
) -> dict[str, Any]:
    """Somebody registered at the counter; gives the receipt."""
    if not more:
        return counter.register(name, nik, complaint, cluster)
    patient = {"name": name, "nik": nik, "sex": "female", "birth_date": "1995-07-15"}
    body = {
        "id": new_id(), "patient": patient, "chief_complaint": complaint, "cluster": cluster,
        "duplicate_decision": "new", **more,
    }  # fmt: skip
    with counter.api() as api:
        answer = api.post("registrations", json=body)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def open_record(app: LoketApp, pilot: Pilot[None], receipt: dict[str, Any]) -> None:
    await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient in the pane")
    pane_of(app).choose(receipt["ticket"]["id"])
    await press(pilot, "enter")
    await until(pilot, lambda: isinstance(app.screen, RecordScreen), "the record")
    await settle(pilot)


def visit_of(counter: Counter, who: str, receipt: dict[str, Any]) -> dict[str, Any]:
    with counter.api(who) as api:
        visit: dict[str, Any] = api.get(f"visits/{receipt['visit_id']}").json()
    return visit


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_pregnant_womans_visit(counter: Counter, size: tuple[int, int]):
    receipt = register(
        counter,
        f"{LONG_NAME} {size[0]}",
        f"63710155079{size[0]:03d}11",
        "kontrol hamil",
        "KIA",
        pregnant=True,
    )
    async with counter.at("midwife", size) as (app, pilot):
        await open_record(app, pilot, receipt)
        lines = screen_text(app).splitlines()
        assert "PREGNANT" in lines[2]
        assert "RM " in lines[2]
        assert "MUAC" in screen_text(app)
        for value in ("150", "95", "88", "20", "36,5", "98", "55", "150", "", "23,0"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        assert isinstance(app.screen.focused, FormLine)
        await press(pilot, "enter")
        assert isinstance(app.screen, FormScreen)
        for value in ("2", "1", "0", "01-05-2026"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        shown = screen_text(app)
        assert "G2P1A0" in shown
        assert "08-02-2027" in shown
        assert "High blood pressure in pregnancy" in shown
        await press(pilot, "f10")
        assert isinstance(app.screen, RecordScreen)
        assert "G2P1A0" in screen_text(app)
        await press(pilot, "f10")
        assert "There is no diagnosis yet" in screen_text(app)
        await press(pilot, "escape", "f7")
        await type_text(pilot, "z34.9")
        await press(pilot, "enter")
        await until(pilot, lambda: "Z34.9" in screen_text(app), "the diagnosis")
        await press(pilot, "f10", "p")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
    (note,) = visit_of(counter, "midwife", receipt)["encounters"]
    assert note["form"] == {"pregnancy": {"gravida": 2, "para": 1, "abortus": 0, "last_period": "2026-05-01"}}
    assert note["vitals"]["arm_circumference"] == 23
    assert note["signed_at"] is not None


async def test_a_blood_pressure_upside_down_is_said_at_once(counter: Counter):
    receipt = register(counter, "Nur Hidayah", "6371015507950424", "kontrol tensi", "UMUM")
    async with counter.at("doctor") as (app, pilot):
        await open_record(app, pilot, receipt)
        await type_text(pilot, "80")
        await press(pilot, "enter")
        await type_text(pilot, "120")
        await press(pilot, "enter")
        assert "Systolic: must be above the diastolic pressure" in screen_text(app)
        assert "!Sys" in screen_text(app)
        await press(pilot, "f10")
        assert isinstance(app.screen, RecordScreen), "it asked how the visit goes on"
        assert app.screen.focused is not None
        assert focused_id(app) == "systolic"
        await press(pilot, "ctrl+u")
        await type_text(pilot, "180")
        await press(pilot, "enter")
        assert "!Dia" not in screen_text(app)
        await press(pilot, "f10")
        assert "How does the visit go on?" in screen_text(app)


async def test_a_small_childs_hands_begin_with_the_pulse(counter: Counter):
    receipt = register(
        counter, "Bayi Aminah", "", "demam", "KIA",
        patient={"name": "Bayi Aminah", "sex": "female", "birth_date": "2025-12-01", "no_identifier_reason": "newborn"},
    )  # fmt: skip
    async with counter.at("midwife") as (app, pilot):
        await open_record(app, pilot, receipt)
        assert app.screen.focused is not None
        assert focused_id(app) == "pulse"
        for value in ("140", "40", "36.5", "97", "93"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        assert "Weight is high: 93" in screen_text(app)


async def test_a_wrong_answer_of_a_form_is_named_and_kept(counter: Counter):
    receipt = register(counter, "Nur Aini", "6371015507950412", "kontrol hamil", "KIA", pregnant=True)
    async with counter.at("midwife") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f2", "f")
        assert isinstance(app.screen, FormScreen)
        await type_text(pilot, "30")
        await press(pilot, "f10")
        assert isinstance(app.screen, FormScreen)
        assert "Gravida: is impossible" in said(app)
        assert "(1-20)" in said(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordScreen)
        assert "1 fields are wrong" in screen_text(app)
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, FormScreen)
        assert screen_of(app, LoketScreen).field_values()["gravida"] == "30"


async def test_a_sick_child_is_classified_while_typing(counter: Counter):
    receipt = counter.register("Ahmad Kecil", "6371011503240413", "batuk", "KIA")
    async with counter.at("midwife") as (app, pilot):
        await open_record(app, pilot, receipt)
        assert "Head" in screen_text(app)
        assert "Wst" not in screen_text(app)
        app.screen.query_one("#respiration").focus()
        await type_text(pilot, "44")
        await press(pilot, "f2", "f")
        assert "Cough, days" not in screen_text(app)
        app.screen.query_one("#cough").focus()
        await press(pilot, "y")
        assert "Cough, days" in screen_text(app)
        assert "PNEUMONIA" in screen_text(app)
        app.screen.query_one("#vomits_all").focus()
        await press(pilot, "y")
        shown = " ".join(screen_text(app).split())
        assert "VERY SEVERE DISEASE: Refer now; pre-referral treatment, prevent low blood sugar." in shown
        await press(pilot, "f10", "f10")
        assert "How does the visit go on?" in screen_text(app)
        assert "! VERY SEVERE DISEASE" in screen_text(app)
        await press(pilot, "escape", "ctrl+s")
        await until(pilot, lambda: "Saved." in said(app), "the save")
    (note,) = visit_of(counter, "midwife", receipt)["encounters"]
    assert note["form"] == {"sick_child": {"vomits_all": True, "cough": True}}


async def test_what_follows_from_a_form_follows_the_vital_signs(counter: Counter):
    receipt = counter.register("Ahmad Batuk", "6371011503240417", "batuk", "KIA")
    async with counter.at("midwife") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f2", "f")
        app.screen.query_one("#cough").focus()
        await press(pilot, "y", "f10")
        assert "- Cough, no pneumonia" in screen_text(app)
        app.screen.query_one("#respiration").focus()
        await type_text(pilot, "44")
        await press(pilot, "enter")
        assert "! PNEUMONIA" in screen_text(app)


async def test_a_measured_fever_opens_the_questions_of_fever(counter: Counter):
    receipt = counter.register("Ahmad Demam", "6371011503240415", "panas", "KIA")
    async with counter.at("midwife") as (app, pilot):
        await open_record(app, pilot, receipt)
        app.screen.query_one("#temperature").focus()
        await type_text(pilot, "37,4")
        await press(pilot, "f2", "f")
        assert "Stiff neck" not in screen_text(app)
        await press(pilot, "f10")
        app.screen.query_one("#temperature").focus()
        await press(pilot, "ctrl+u")
        await type_text(pilot, "37,5")
        await press(pilot, "f2", "f")
        assert "Stiff neck" in screen_text(app)


async def test_to_another_cluster_the_patient_really_goes(counter: Counter):
    receipt = register(counter, LONG_NAME, "6371015507950426", "batuk", "UMUM")
    async with counter.at("doctor") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f10", "k")
        assert "Which cluster?" in screen_text(app)
        await press(pilot, "b", "enter")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
    visit = visit_of(counter, "doctor", receipt)
    assert [(entry["cluster"], entry["status"]) for entry in visit["entries"]] == [
        ("UMUM", "transferred"), ("GIGI", "waiting"),
    ]  # fmt: skip
    (note,) = visit["encounters"]
    assert note["disposition"] == "internal_referral"
    assert note["signed_at"] is not None


async def test_the_beginning_of_a_name_is_no_medicine(counter: Counter):
    receipt = register(counter, "Nur Laila", "6371015507950430", "batuk", "UMUM")
    async with counter.at("doctor") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f8")
        await type_text(pilot, "amoks")
        await press(pilot, "f10")
        assert "Amoksisilin sirup" in screen_text(app), "what it may be"
        await press(pilot, "f10")
        assert "3x sehari" in screen_text(app)
        assert app.screen.focused is not None
        assert focused_id(app) == "dose"
        await press(pilot, "f10")
        assert "Does this patient have allergies?" in screen_text(app), "asked before the first medicine"
        await press(pilot, "t", "enter")
        await until(pilot, lambda: "Medicine    Amoksisilin 500 mg" in screen_text(app), "the medicine")
        await press(pilot, "f8")
        await type_text(pilot, "salep racikan")
        await press(pilot, "enter")
        await press(pilot, "f10")
        assert "Dose: must be filled in" in screen_text(app)
        for value in ("oles", "2x sehari", "1 pot"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        await press(pilot, "f10")
        await until(pilot, lambda: "racikan oles 2x sehari 1 pot" in screen_text(app), "one's own")
    medicines = [item["medicine"] for item in visit_of(counter, "doctor", receipt)["prescriptions"]]
    assert medicines == ["Amoksisilin 500 mg tablet", "salep racikan"]


async def test_a_search_that_finds_nothing_says_so(counter: Counter):
    receipt = register(counter, "Nur Hasanah", "6371015507950428", "batuk", "UMUM")
    async with counter.at("doctor") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f7")
        await type_text(pilot, "qqqq")
        await until(pilot, lambda: "nothing found" in screen_text(app), "that nothing is found")
        await press(pilot, "down", "enter")
        assert "nothing found" in screen_text(app)
        await press(pilot, "ctrl+u")
        await type_text(pilot, "z34.9")
        await press(pilot, "enter")
        await until(pilot, lambda: "Z34.9" in screen_text(app), "the diagnosis")


async def test_a_form_survives_a_broken_line(counter: Counter):
    receipt = register(counter, "Siti Zubaidah", "6371015507950414", "kontrol hamil", "KIA", pregnant=True)
    for attempt in ("first", "second"):
        async with counter.at("midwife") as (app, pilot):
            await open_record(app, pilot, receipt)
            await press(pilot, "f2", "f")
            if attempt == "first":
                await type_text(pilot, "4")
                await press(pilot, "tab")
                await settle(pilot)
            else:
                assert screen_of(app, LoketScreen).field_values()["gravida"] == "4"


async def test_medicine_tests_procedure_and_striking_out(counter: Counter):
    receipt = counter.register("Halimah Tusadiah", "6371014107900415", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f8")
        await type_text(pilot, "asam mefenamat")
        await press(pilot, "enter")
        await press(pilot, "enter", "enter", "enter", "enter")
        await press(pilot, "t", "enter")  # asked about allergies: none known
        await until(
            pilot,
            lambda: "Asam mefenamat 500 mg tablet 1 tablet 3x sehari" in screen_text(app),
            "the medicine",
        )
        await press(pilot, "f9")
        await type_text(pilot, "hb")
        await until(pilot, lambda: "Uric acid" not in screen_text(app), "the tests found")
        await press(pilot, "enter")
        await type_text(pilot, "led")
        await press(pilot, "enter", "enter")
        await until(
            pilot, lambda: "Hemoglobin: no result yet; Laju endap darah" in screen_text(app), "the tests"
        )
        await press(pilot, "f2", "t")
        await type_text(pilot, "23.09")
        await press(pilot, "enter")
        await type_text(pilot, "gigi 46")
        await press(pilot, "enter")
        await until(pilot, lambda: "Cabut gigi tetap gigi 46" in screen_text(app), "the procedure")
        await press(pilot, "f2", "c", "enter")
        assert "Cabut gigi tetap" in screen_text(app)  # what is struck stands above the reason
        await type_text(pilot, "salah pasien")
        await press(pilot, "enter")
        await until(pilot, lambda: "Struck out: 23.09 Cabut gigi tetap" in said(app), "what was struck out")
        assert screen_text(app).count("Cabut gigi tetap") == 1  # in the status line alone
    visit = visit_of(counter, "dentist", receipt)
    assert [item["test"] for item in visit["orders"]] == ["Hemoglobin", "Laju endap darah"]
    assert visit["procedures"] == []


async def test_to_the_laboratory_and_back_with_an_unsigned_note(counter: Counter):
    receipt = counter.register("Arini Puspita", "6371014107900416", "sakit gigi", "GIGI")
    with counter.api("dentist") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={})
        api.post(f"visits/{receipt['visit_id']}/orders", json={"test": "Hemoglobin"})
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await type_text(pilot, "120")
        await press(pilot, "f10", "l")
        await until(pilot, lambda: isinstance(app.screen, WorkScreen), "the queue again")
        assert "Sent, and comes back" in said(app)
    (note,) = visit_of(counter, "dentist", receipt)["encounters"]
    assert (note["vitals"], note["signed_at"]) == ({"systolic": 120}, None)
    assert len(counter.open_numbers("LAB")) == 1


async def test_a_sick_certificate(counter: Counter):
    receipt = counter.register("Bambang Sudarsono", "6371011207760417", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f2", "s", "1")
        await type_text(pilot, "3")
        await press(pilot, "f10")
        await until(pilot, lambda: "SURAT KETERANGAN SAKIT" in screen_text(app), "the letter")
        assert "Bambang Sudarsono" in screen_text(app)
        await press(pilot, "escape")
        assert "/SKS/" in screen_text(app)
    (letter,) = visit_of(counter, "dentist", receipt)["letters"]
    assert "selama 3 (tiga) hari" in letter["text"]
    assert max(len(line) for line in letter["text"].splitlines()) <= 72


@pytest.mark.parametrize("size", [(80, 24), (132, 40)])
async def test_the_patients_own_copy_is_shown_and_written(
    counter: Counter, size: tuple[int, int], tmp_path: Path
):
    nik = f"63710112077604{21 + (size[0] == 80)}"
    receipt = counter.register(f"Gunawan Salinan {size[0]}", nik, "sakit gigi", "GIGI")
    async with counter.at("dentist", size) as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f2")
        save_picture(app, tmp_path / "more.png")
        await press(pilot, "k")
        await until(pilot, lambda: "SALINAN REKAM MEDIS" in screen_text(app), "the copy")
        save_picture(app, tmp_path / "copy.png")
        assert "F: FHIR file" in screen_text(app)
        await press(pilot, "f")
        await until(pilot, lambda: said(app).startswith("Written for a week"), "the file")
        [file] = (counter.clinic.settings.home / "copies").glob("*.json")
        assert '"document"' in file.read_text(encoding="utf-8")
        file.unlink()
        await press(pilot, "f2", "k")
        await until(pilot, lambda: "SALINAN REKAM MEDIS" in screen_text(app), "the copy again")
        await press(pilot, "p")
        await until(pilot, lambda: said(app).startswith("The patient's own copy:"), "the printer's answer")


async def test_the_last_value_stands_behind_the_field(counter: Counter):
    first = counter.register("Sulaiman Effendi", "6371011207560418", "sakit gigi", "GIGI")
    with counter.api("dentist") as api:
        api.post(f"queue-entries/{first['ticket']['id']}/start", json={})
        note = {"vitals": {"systolic": 162, "temperature": 36.7}}
        assert api.put(f"visits/{first['visit_id']}/encounter", json=note).status_code == 200
        assert api.post(f"visits/{first['visit_id']}/diagnoses", json={"code": "I10"}).status_code == 201
        api.post(f"queue-entries/{first['ticket']['id']}/finish", json={"disposition": "home"})
    body = {
        "id": new_id(), "patient_id": first["patient_id"], "chief_complaint": "sakit gigi", "cluster": "GIGI",
    }  # fmt: skip
    with counter.api() as api:
        second = api.post("registrations", json=body).json()
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, second)
        assert "Sys |     |162" in screen_text(app)
        assert "Temp|     |36.7" in screen_text(app)
        assert "! I10 Hipertensi" in screen_text(app).splitlines()[1]
        assert "before: 162" in said(app)
        await press(pilot, "f6", "down", "enter")
        await until(pilot, lambda: "BP" in screen_text(app) or "162" in screen_text(app), "the earlier visit")
        assert "not signed" in screen_text(app)


async def test_what_is_said_of_a_vital_sign_goes_with_the_focus(counter: Counter):
    receipt = register(counter, "Wahyu Nugraha", "6371011507950612", "pusing", "UMUM")
    async with counter.at("doctor") as (app, pilot):
        await open_record(app, pilot, receipt)
        assert said(app)
        app.screen.query_one("#subjective").focus()
        await settle(pilot)
        assert said(app) == ""


async def test_danger_is_said_while_typing(counter: Counter):
    receipt = counter.register("Kasim Baharuddin", "6371011207560419", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await type_text(pilot, "182")
        await press(pilot, "enter")
        assert "Systolic 182: DANGER" in said(app)


async def test_a_patient_outside_the_queue_is_found_and_read_with_a_reason(counter: Counter):
    receipt = counter.register("Zainal Abidin Musthofa", "6371011207860420", "batuk", "UMUM")
    with counter.api("doctor") as api:
        api.post(
            f"patients/{receipt['patient_id']}/allergies", json={"substance": "penisilin"}
        ).raise_for_status()
    async with counter.at("dentist") as (app, pilot):
        await press(pilot, "f2")
        await type_text(pilot, "6371011207860420")
        await until(pilot, lambda: "Zainal Abidin" in screen_text(app), "the patient found")
        await press(pilot, "enter")
        assert "Why do you open this record?" in screen_text(app)
        await type_text(pilot, "pasien pingsan di lorong")
        await press(pilot, "enter")
        assert "Choose a reason by its digit." in screen_text(app), "words alone open nothing"
        screen_of(app, GlassDialog).query_one("#words", TextField).value = ""
        await press(pilot, "1")
        await press(pilot, "enter")
        assert "Say in a few words why." in screen_text(app), "neither does a reason without words"
        await type_text(pilot, "pasien pingsan di lorong")
        await press(pilot, "enter")
        await until(pilot, lambda: "batuk" in screen_text(app), "the visits")
        await press(pilot, "enter")
        await until(pilot, lambda: "arrows: read on" in screen_text(app), "the visit")
        shown = screen_text(app)
        assert "Zainal Abidin Musthofa M 40 yr RM " in shown
        assert "!! ALLERGIES: penisilin" in shown
    with counter.api("admin") as api:
        events = api.get("audit", params={"patient_id": receipt["patient_id"]}).json()
    read = [event for event in events if event["action"] == "visit_read"]
    assert read[0]["detail"] == {"reason": "pasien pingsan di lorong"}


async def test_f6_and_f7_work_in_the_note_too(counter: Counter):
    receipt = counter.register("Mukhlis Anshari", "6371011207560421", "sakit gigi", "GIGI")
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        app.screen.query_one("#subjective").focus()
        await type_text(pilot, "nyeri")
        await press(pilot, "f7")
        assert "Diagnosis (ICD-10)" in screen_text(app)
        await press(pilot, "escape")
        assert screen_of(app, LoketScreen).field_values()["subjective"] == "nyeri"
