"""Point by point, by keys and in line mode: an ending that lacks something is asked about, of clinicians only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.conftest import Counter, press, settle, type_text, until
from tests.tui.looking import pane_of, screen_text
from tests.tui.test_line_mode import heard
from tests.tui.test_record import open_record, visit_of


def begun(counter: Counter, name: str, nik: str, **record: Any) -> dict[str, Any]:
    """Somebody whom the dentist treats; `note` and `diagnosis` are written when given."""
    receipt = counter.register(name, nik, "sakit gigi", "GIGI")
    with counter.api("dentist") as api:
        api.post(f"queue-entries/{receipt['ticket']['id']}/start", json={})
        if "note" in record:
            api.put(f"visits/{receipt['visit_id']}/encounter", json={"subjective": record["note"]})
        if "diagnosis" in record:
            api.post(f"visits/{receipt['visit_id']}/diagnoses", json={"code": record["diagnosis"]})
    return receipt


async def choose(app: Any, pilot: Any, receipt: dict[str, Any]) -> None:
    await until(pilot, lambda: receipt["ticket"]["number"] in screen_text(app), "the patient in the pane")
    pane_of(app).choose(receipt["ticket"]["id"])


CASES = [
    ({}, "6371014307900781", True, True),
    ({"note": "ngilu"}, "6371014307900782", False, True),
    ({"diagnosis": "K02.9"}, "6371014307900783", True, False),
]


@pytest.mark.parametrize(("record", "nik", "lacks_note", "lacks_diagnosis"), CASES)
async def test_done_in_the_queue_asks_about_what_is_missing(
    counter: Counter, record: dict[str, str], nik: str, lacks_note: bool, lacks_diagnosis: bool
):
    receipt = begun(counter, f"Pasien Antrean {nik[-1]}", nik, **record)
    async with counter.at("dentist") as (app, pilot):
        await choose(app, pilot, receipt)
        await press(pilot, "d")
        await settle(pilot)
        shown = screen_text(app)
        assert ("Nothing is written in the record." in shown) is lacks_note, shown
        assert ("There is no diagnosis yet" in shown) is lacks_diagnosis, shown
        await press(pilot, "p")
        await settle(pilot)
        assert visit_of(counter, "dentist", receipt)["disposition"] is None, "a letter alone ended it"
        await press(pilot, "enter")
        await until(pilot, lambda: "Done:" in screen_text(app), "ended")
    assert visit_of(counter, "dentist", receipt)["disposition"] == "home"


async def test_a_whole_record_lacks_nothing_and_ends_by_enter(counter: Counter):
    receipt = begun(counter, "Pasien Lengkap", "6371014307900784", note="ngilu", diagnosis="K02.9")
    async with counter.at("dentist") as (app, pilot):
        await choose(app, pilot, receipt)
        await press(pilot, "d")
        await settle(pilot)
        shown = screen_text(app)
        assert "How does the visit end?" in shown, shown
        assert "Nothing is written in the record." not in shown, shown
        assert "There is no diagnosis yet" not in shown, shown
        await press(pilot, "p")
        await settle(pilot)
        assert visit_of(counter, "dentist", receipt)["disposition"] is None, "a letter alone ended it"
        await press(pilot, "enter")
        await until(pilot, lambda: "Done:" in screen_text(app), "ended")


@pytest.mark.parametrize(("record", "nik", "lacks_note", "lacks_diagnosis"), CASES)
async def test_f10_on_the_record_asks_about_what_is_missing(
    counter: Counter, record: dict[str, str], nik: str, lacks_note: bool, lacks_diagnosis: bool
):
    receipt = begun(counter, f"Pasien Rekam {nik[-1]}", f"{nik[:-3]}79{nik[-1]}", **record)
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        await press(pilot, "f10")
        await settle(pilot)
        shown = screen_text(app)
        assert ("Nothing is written in the record." in shown) is lacks_note, shown
        assert ("There is no diagnosis yet" in shown) is lacks_diagnosis, shown
        await press(pilot, "p")
        await settle(pilot)
        assert visit_of(counter, "dentist", receipt)["disposition"] is None, "a letter alone ended it"


async def test_line_mode_asks_a_clinician_and_a_no_ends_nothing(counter: Counter):
    receipt = begun(counter, "Pasien Baris", "6371014307900787")
    text = await heard(counter, "d", "1", "n", "q", who="dentist")
    assert text.count("! ") >= 2, text
    assert visit_of(counter, "dentist", receipt)["disposition"] is None
    text = await heard(counter, "d", "1", "y", "q", who="dentist")
    assert "Done:" in text
    assert visit_of(counter, "dentist", receipt)["disposition"] == "home"


@pytest.mark.parametrize(
    ("who", "cluster", "nik"),
    [("lab", "LAB", "6371014307900788"), ("pharmacist", "FARMASI", "6371014307900789")],
)
async def test_laboratory_and_pharmacy_are_asked_for_no_outcome(
    counter: Counter, who: str, cluster: str, nik: str
):
    receipt = begun(counter, f"Pasien {who}", nik)
    with counter.api("dentist") as api:
        sent = api.post(f"queue-entries/{receipt['ticket']['id']}/transfer", json={"cluster": cluster}).json()
    with counter.api(who) as api:
        api.post(f"queue-entries/{sent['id']}/start", json={})
    async with counter.at(who) as (app, pilot):
        await until(pilot, lambda: sent["number"] in screen_text(app), "the patient in the queue")
        pane_of(app).choose(sent["id"])
        await press(pilot, "d")
        await settle(pilot)
        shown = screen_text(app)
        assert "Is this patient's service done?" in shown, shown
        assert "How does the visit end?" not in shown, shown
        assert "Nothing is written in the record." not in shown, shown
        with counter.api(who) as api:
            assert api.get(f"queue-entries/{sent['id']}").json()["ended_at"] is None, (
                "a letter alone ended it"
            )
        await press(pilot, "enter")
        await until(pilot, lambda: f"Done: {sent['number']}" in screen_text(app), "ended by Enter")


async def test_a_letter_for_who_died_is_asked_about(counter: Counter):
    receipt = begun(counter, "Pasien Wafat", "6371014307900780", note="henti napas", diagnosis="K02.9")
    with counter.api("dentist") as api:
        body = {"subjective": "henti napas", "disposition": "died", "sign": True}
        api.put(f"visits/{receipt['visit_id']}/encounter", json=body)
    async with counter.at("dentist") as (app, pilot):
        await open_record(app, pilot, receipt)
        assert "DIED" in screen_text(app).splitlines()[1]
        await press(pilot, "f2", "s", "1")
        await type_text(pilot, "1")
        await press(pilot, "f10")
        await until(pilot, lambda: "DECEASED: issue the letter?" in screen_text(app), "the question")
        await press(pilot, "y")
        await until(pilot, lambda: "meninggal dunia" in screen_text(app), "the letter")
