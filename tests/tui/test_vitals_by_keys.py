"""By keys: the nurse types the vital signs from her queue pane and sees no note; the clinician finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, save_picture, screen_text
from tests.tui.test_other_roles import open_entry


async def open_vitals(app: Any, pilot: Any, receipt: dict[str, Any]) -> None:
    number = receipt["ticket"]["number"]
    if receipt["ticket"]["cluster"] != "UMUM":
        await press(pilot, receipt["ticket"]["number"][0].lower())
    await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
    pane_of(app).choose(receipt["ticket"]["id"])
    await press(pilot, "enter")
    await until(pilot, lambda: "Complaint:" in screen_text(app), "the vital signs")


def visit_of(counter: Counter, receipt: dict[str, Any], who: str = "doctor") -> dict[str, Any]:
    with counter.api(who) as api:
        return dict(api.get(f"visits/{receipt['visit_id']}").json())


@pytest.mark.parametrize("language", ["en", "id"])
async def test_the_nurse_measures_and_the_doctor_finds_it(counter: Counter, language: str, tmp_path: Path):
    serial = "761" if language == "en" else "762"
    name = "Umar Kayam" if language == "en" else "Bahtiar Effendi"
    receipt = counter.register(name, f"6371010307800{serial}", "pusing", "UMUM")
    async with counter.at("nurse", language=language) as (app, pilot):
        number = receipt["ticket"]["number"]
        await until(pilot, lambda: number in screen_text(app), "the patient in the pane")
        pane_of(app).choose(receipt["ticket"]["id"])
        await press(pilot, "enter")
        await settle(pilot)
        shown = screen_text(app)
        assert name in shown
        assert save_picture(app, tmp_path / "vitals.png").exists()
        assert all(len(line.rstrip()) <= 80 for line in shown.splitlines())
        for value in ("180", "110", "96", "20", "37,8", "97", "70", "165"):
            await type_text(pilot, value)
            await press(pilot, "enter")
        assert "!" in screen_text(app)
        await press(pilot, "f10")
        said = f"Measured: {number}" if language == "en" else f"Terukur: {number}"
        await until(pilot, lambda: said in screen_text(app), "saved")
    [contact] = visit_of(counter, receipt)["encounters"]
    assert contact["vitals"]["systolic"] == 180
    assert contact["vitals"]["temperature"] == 37.8
    async with counter.at("doctor") as (app, pilot):
        await open_entry(app, pilot, receipt["ticket"]["id"], number)
        assert "180" in screen_text(app)


async def test_the_nurse_sees_no_note_and_changes_none(counter: Counter):
    receipt = counter.register("Zulkifli Amin", "6371010307800763", "batuk", "UMUM")
    with counter.api("doctor") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={})
        note = {"subjective": "rahasia pasien", "vitals": {"pulse": 80}, "plan": "istirahat"}
        assert api.put(f"visits/{receipt['visit_id']}/encounter", json=note).status_code == 200
    async with counter.at("nurse") as (app, pilot):
        await open_vitals(app, pilot, receipt)
        assert "rahasia" not in screen_text(app)
        assert "istirahat" not in screen_text(app)
        await type_text(pilot, "120")
        await press(pilot, "enter")
        await type_text(pilot, "80")
        await press(pilot, "f10")
        await until(pilot, lambda: "Measured:" in screen_text(app), "saved")
    [contact] = visit_of(counter, receipt)["encounters"]
    assert (contact["subjective"], contact["plan"]) == ("rahasia pasien", "istirahat")
    assert contact["vitals"] == {"pulse": 80, "systolic": 120, "diastolic": 80}
    assert contact["practitioner"] == "dr. Yusuf Hakim", "the note stays its author's"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [("systolic", "1200", "Systolic"), ("temperature", "365", "Temperature"), ("weight", "650", "Weight"),
     ("height", "1,65", "Height"), ("oxygen_saturation", "0", "SpO2"), ("pulse", "abc", "Pulse"),
     ("respiration", "200", "Respiration"), ("glucose", "5000", "Glucose"), ("temperature", "-3", "Temperature"),
     ("weight", "7o", "Weight")],
)  # fmt: skip
async def test_a_number_that_cannot_be_is_named_and_not_saved(
    counter: Counter, field: str, typed: str, said: str
):
    receipt = _once(counter)
    async with counter.at("nurse") as (app, pilot):
        await open_vitals(app, pilot, receipt)
        app.screen.query_one(f"#{field}").focus()
        await press(pilot, "ctrl+u")
        await type_text(pilot, typed)
        await press(pilot, "f10")
        await settle(pilot)
        assert said in screen_text(app).splitlines()[-2], screen_text(app)
        await press(pilot, "ctrl+u", "escape")
    assert visit_of(counter, receipt)["encounters"] == []


_KNOWN: dict[str, dict[str, Any]] = {}


def _once(counter: Counter) -> dict[str, Any]:
    """One patient for all cases: nothing is ever saved for them."""
    if counter.url not in _KNOWN:
        _KNOWN[counter.url] = counter.register("Gunawan Saputra", "6371010307800764", "batuk", "UMUM")
    return _KNOWN[counter.url]


async def test_half_typed_vital_signs_are_kept_as_a_draft(counter: Counter):
    receipt = counter.register("Hasan Mubarak", "6371010307800765", "demam", "UMUM")
    async with counter.at("nurse") as (app, pilot):
        await open_vitals(app, pilot, receipt)
        await type_text(pilot, "130")
        await press(pilot, "escape")
        await until(pilot, lambda: "Complaint:" not in screen_text(app), "left")
        await press(pilot, "enter")
        await until(pilot, lambda: "draft is back" in screen_text(app), "the draft")
        assert "130" in screen_text(app)


async def test_an_empty_form_and_a_foreign_cluster_are_refused_in_words(counter: Counter):
    own = counter.register("Rahmat Kartolo", "6371010307800766", "demam", "UMUM")
    foreign = counter.register("Slamet Rahardjo", "6371010307800767", "sakit gigi", "GIGI")
    async with counter.at("nurse") as (app, pilot):
        await open_vitals(app, pilot, own)
        await press(pilot, "f10")
        assert "Nothing was measured yet." in screen_text(app)
        await press(pilot, "escape", "b")
        await until(pilot, lambda: foreign["ticket"]["number"] in screen_text(app), "the other cluster")
        pane_of(app).choose(foreign["ticket"]["id"])
        await press(pilot, "enter")
        await until(pilot, lambda: "Why do you open this record?" in screen_text(app), "the reason")
        await press(pilot, "2")
        await type_text(pilot, "salah antrean, membantu")
        await press(pilot, "enter")
        await until(pilot, lambda: "Complaint:" in screen_text(app), "the record")
        await type_text(pilot, "120")
        await press(pilot, "enter")
        await type_text(pilot, "80")
        await press(pilot, "f10")
        await until(pilot, lambda: "is not one of your clusters" in screen_text(app), "refused")
